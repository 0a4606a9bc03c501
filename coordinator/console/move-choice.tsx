// Where a process is to move: a button, and the hosts to choose from only once it is pressed, as there may be thousands of them.
import { type KeyboardEvent, useMemo, useState } from "react";
import { createPortal } from "react-dom";
import { ask } from "./client.ts";
import { type Host, live, takesProcesses, useLive } from "./live.ts";
import { byName, matches } from "./map-layout.ts";
import { hostStateName } from "./names.ts";
import { attempt, Dialog } from "./parts.tsx";
import { t } from "./words.tsx";

/** More are found by their name. */
const MAX_LISTED = 50;

export const migrate = (pid: number, to: Host): Promise<boolean> =>
  attempt(() => ask("migrate", { params: { pid }, body: { host: to.id } }), t("moving", { pid: String(pid), host: to.name }));

/** @param from name of its host now */
export function MoveChoice({ pid, from }: { pid: number; from: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" aria-label={t("moveTo", { pid: String(pid) })} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {t("move")}
      </button>
      {/* Not within the row, whose look it would have. */}
      {open &&
        createPortal(
          <Dialog title={t("moveTo", { pid: String(pid) })} onClose={() => setOpen(false)}>
            <Hosts pid={pid} from={from} />
          </Dialog>,
          document.body,
        )}
    </>
  );
}

function Hosts({ pid, from }: { pid: number; from: string | null }) {
  const { hosts, shapes, states } = useLive();
  const [search, setSearch] = useState("");
  // the counts say that other hosts can be chosen
  const usable = useMemo(
    () => [...hosts.values()].filter((host) => takesProcesses(host) && host.name !== from).sort(byName),
    [shapes, states, from],
  );
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = usable.filter((host) => matches(host, wanted));
  const shown = fitting.slice(0, MAX_LISTED);
  /** The dialog is closed by itself, as that gives the focus back to the button. */
  const choose = (within: Element, host: Host | undefined): void => {
    if (!host) return;
    within.closest("dialog")?.close();
    void migrate(pid, host);
  };
  const walk = (event: KeyboardEvent<HTMLElement>): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("input, .choices button")];
    all[Math.max(0, Math.min(all.length - 1, all.indexOf(document.activeElement as HTMLElement) + step))]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys walk over the field and the buttons in it
    <div onKeyDown={walk}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          choose(event.currentTarget, shown[0]);
        }}
      >
        <input
          type="search"
          className="whole"
          // React's own would be overruled when the dialog opens
          ref={(field) => field?.setAttribute("autofocus", "")}
          aria-label={t("searchHostsLabel")}
          placeholder={t("searchHosts")}
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
      </form>
      <p className="muted" role="status">
        {fitting.length === 0 ? t("noHostTakes") : t("hostsListed", { shown: shown.length, all: fitting.length })}
      </p>
      <ul className="choices" aria-label={t("hosts")}>
        {shown.map((host) => {
          const { number, name, running, slots } = live.hosts.get(host.number) ?? host;
          return (
            <li key={number}>
              <button type="button" onClick={({ currentTarget }) => choose(currentTarget, host)}>
                <b>{name}</b>{" "}
                <span className="muted">
                  {hostStateName(host)} · {t("slotsBusy", { running, slots })}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
