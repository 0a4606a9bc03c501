// What tests ask of a browser, whatever its engine: Playwright speaks only to Chromium as people have it, so Firefox (firefox.ts) and WebKit
// (webkit.ts) have small clients of their own. Also how values get into their pages and out.

import type { ChildProcess } from "node:child_process";
import { PATIENCE_MS } from "../patience.ts";

/** Playwright's Page is one too. */
export interface Tab {
  goto(url: string): Promise<unknown>;
  /** @param work is run in the page; `arg` and what it resolves to may hold Uint8Arrays. */
  evaluate<R, A = undefined>(work: (arg: A) => R | Promise<R>, arg?: A): Promise<R>;
  screenshot(): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface Driven extends AsyncDisposable {
  readonly version: string;
  /** In a window of its own, so that others do not hide it. */
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

export interface Engine {
  name: "Chromium" | "Firefox" | "WebKit";
  /** What to do when it is not installed; undefined: it is. */
  missing: string | undefined;
  launch(): Promise<Driven>;
}

/** It ends when this process does, also where that comes to no close(). */
export function endWithUs(child: ChildProcess): ChildProcess {
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

/** Says what is left out for want of a browser, and whether it is; where CI is set nothing may be left out. */
export function without({ missing }: Pick<Engine, "missing">, what: string): boolean {
  if (missing === undefined) return false;
  const why = `${what}: ${missing}`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED ${why}`);
  return true;
}

/** Looks in the page until there is an answer. @throws after `ms`, saying what was waited for */
export async function inPage<R, A>(
  tab: Tab,
  what: string,
  work: (arg: A) => R,
  arg: A,
  ms = PATIENCE_MS,
): Promise<NonNullable<R>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await tab.evaluate(work, arg);
    if (answer) return answer as NonNullable<R>;
    if (performance.now() > deadline) {
      const shown = await tab.evaluate(() => document.body?.innerText ?? "", undefined).catch((error: unknown) => String(error));
      throw new Error(`waited ${ms} ms in vain until ${what}; the page shows: ${shown.slice(0, 1000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** In JSON, bytes are { [BYTES]: base64 }. */
const BYTES = "$bytes";

export const toJson = (value: unknown): string =>
  JSON.stringify(value ?? null, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? { [BYTES]: Buffer.from(inner).toString("base64") } : inner,
  );

export const fromJson = (json: string): unknown =>
  JSON.parse(json, (_key, inner) =>
    typeof inner?.[BYTES] === "string" ? new Uint8Array(Buffer.from(inner[BYTES], "base64")) : inner,
  );

/** What a page runs to evaluate `work` with the argument as toJson() has it: an async function of that argument, which answers in the same way. */
export const evaluating = (work: (arg: never) => unknown): string => `async (json) => {
  const arg = JSON.parse(json, (_, inner) => (typeof inner?.${BYTES} === "string" ? Uint8Array.fromBase64(inner.${BYTES}) : inner));
  const result = await (${work})(arg);
  return JSON.stringify(result ?? null, (_, inner) => (inner instanceof Uint8Array ? { ${BYTES}: inner.toBase64() } : inner));
}`;
