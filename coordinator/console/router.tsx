// Addresses of pages: path and query, kept in the browser's history, and links that lead there without loading anew.
import { type AnchorHTMLAttributes, type ReactNode, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
const told = (): void => {
  for (const listener of listeners) listener();
};
addEventListener("popstate", told);

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function navigate(href: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", href);
  else history.replaceState(null, "", href);
  told();
  if (how === "push") {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }
}

export const usePath = (): string => useSyncExternalStore(subscribe, () => location.pathname);

/** One value of the query, and how to set it; an empty one is left out. */
export function useQuery(name: string): [string, (value: string) => void] {
  const value = useSyncExternalStore(subscribe, () => new URLSearchParams(location.search).get(name) ?? "");
  const set = (next: string): void => {
    const query = new URLSearchParams(location.search);
    if (next === "") query.delete(name);
    else query.set(name, next);
    const text = query.toString();
    navigate(location.pathname + (text && `?${text}`), "replace");
  };
  return [value, set];
}

export function Link({
  href,
  children,
  ...more
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; children: ReactNode }) {
  return (
    <a
      {...more}
      href={href}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        navigate(href);
      }}
    >
      {children}
    </a>
  );
}
