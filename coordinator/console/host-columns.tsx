// The columns that the table of hosts can have: what each shows, how it sorts, and which of them this browser has chosen.
import { type ReactNode, useMemo } from "react";
import { type Answer, ask, useAsk } from "./client.ts";
import { type Host, useLive } from "./live.ts";
import { hostStateName, orderNames, pausedText } from "./names.ts";
import { Meter, State } from "./parts.tsx";
import { Link } from "./router.tsx";
import type { Key } from "./texts.ts";
import { showAmount, showBytes, showHundredths, showNumber, showTime, t } from "./words.tsx";

/** What is not in the change stream, by the host's id: it changes slowly, and costs more. */
export interface Figures {
  credit: ReadonlyMap<string, number>;
  hours: ReadonlyMap<string, Answer<"hostWeeks">["hosts"][number]>;
}

export interface Column {
  id: string;
  label: Key;
  /** In em. Those that grow share what room is left. */
  width: number;
  grows?: number;
  /** Its values are numbers: sorted the largest first. */
  numbers?: true;
  /** Asks for figures. */
  figure?: "credit" | "hours";
  /** Sorted by it. */
  value(host: Host, figures: Figures): string | number;
  /** As shown; else the value as text. */
  cell?(host: Host, figures: Figures): ReactNode;
}

/** Processes that want a core for each core. */
const loadOf = ({ running, runnable, slots }: Host): number => (slots === 0 ? 0 : (running + runnable) / slots);
/** A core's worth of work for each core, and as much again that waits for one. */
const FULL_LOAD = 2;
export const slotsBusy = ({ running, slots }: Host): string => `${showNumber(running)} / ${showNumber(slots)}`;

const number = (id: string, label: Key, width: number, of: (host: Host) => number, show = showNumber): Column => ({
  ...{ id, label, width, numbers: true, value: of },
  cell: (host) => show(of(host)),
});
const hours = (id: string, label: Key, kind: "computing" | "idle"): Column => ({
  ...{ id, label, width: 8, numbers: true, figure: "hours" },
  value: ({ id: host }, figures) => figures.hours.get(host)?.[kind] ?? 0,
  cell: ({ id: host }, figures) => t("hoursNumber", { hours: (figures.hours.get(host)?.[kind] ?? 0) / 3_600_000 }),
});

export const COLUMNS: readonly Column[] = [
  {
    ...{ id: "name", label: "name", width: 7.5, grows: 1 },
    value: ({ name }) => name,
    cell: ({ id, name }) => <Link href={`/hosts/${id}`}>{name}</Link>,
  },
  {
    ...{ id: "state", label: "state", width: 9.2 },
    value: hostStateName,
    cell: (host) => <State of={host.state}>{hostStateName(host)}</State>,
  },
  { ...{ id: "reason", label: "reason", width: 8, grows: 3 }, value: pausedText },
  { ...{ id: "orders", label: "orders", width: 7 }, value: (host) => orderNames(host).join(", ") },
  { ...{ id: "tags", label: "tags", width: 6 }, value: ({ tags }) => tags.join(", ") },
  { ...number("slots", "slots", 4.5, ({ slots }) => slots), cell: slotsBusy },
  {
    ...number("load", "load", 6, loadOf),
    cell: (host) => (
      <Meter label={t("load")} value={loadOf(host)} most={FULL_LOAD}>
        {showHundredths(loadOf(host))}
      </Meter>
    ),
  },
  number("ready", "columnReady", 5, ({ runnable }) => runnable),
  number("waiting", "columnWaiting", 6, ({ blocked }) => blocked),
  number("speed", "speed", 4, ({ speed }) => Math.round(speed)),
  number("free", "freeMemory", 6.5, ({ memoryFreeBytes }) => memoryFreeBytes, showBytes),
  number("memory", "memory", 7, ({ memoryBytes }) => memoryBytes, showBytes),
  { ...{ id: "os", label: "system", width: 7, grows: 1 }, value: ({ os }) => os },
  { ...{ id: "arch", label: "architecture", width: 7 }, value: ({ arch }) => arch },
  { ...{ id: "cpu", label: "cpuModel", width: 12, grows: 1 }, value: ({ cpuModel }) => cpuModel },
  {
    ...{ id: "version", label: "version", width: 8.5 },
    value: ({ version }) => version ?? "",
    cell: ({ version, outOfDate }) => (
      <>
        {version ?? "–"} {outOfDate && <span className="muted">{t("outOfDate")}</span>}
      </>
    ),
  },
  {
    ...{ id: "credit", label: "creditWeek", width: 8, numbers: true, figure: "credit" },
    value: ({ id }, { credit }) => credit.get(id) ?? 0,
    cell: ({ id }, { credit }) => showAmount(credit.get(id) ?? 0),
  },
  hours("computed", "computedWeek", "computing"),
  hours("idle", "idleWeek", "idle"),
  number("seen", "lastSeen", 12, ({ seenAt }) => seenAt, showTime),
];

const AT_FIRST = ["name", "state", "reason", "tags", "slots", "load", "speed", "free", "os", "version"];
const STORED = "nightshift-host-columns";

/** In the table's order, whatever stands in the store. The name is always among them: it leads to the host. */
export const chosenFrom = (stored: string | null): string[] => {
  let ids: unknown;
  try {
    ids = JSON.parse(stored ?? "");
  } catch {
    ids = undefined;
  }
  const wanted: readonly unknown[] = Array.isArray(ids) ? ids : AT_FIRST;
  return COLUMNS.map(({ id }) => id).filter((id) => id === "name" || wanted.includes(id));
};
export const storedColumns = (): string[] => chosenFrom(localStorage.getItem(STORED));
/** @param ids null: as at first @returns those that are chosen now */
export function storeColumns(ids: readonly string[] | null): string[] {
  if (ids === null) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, JSON.stringify(ids));
  return storedColumns();
}

/** @param sort a column's id, with - in front for the other way round; "": as they are */
export function sorted(hosts: readonly Host[], sort: string, figures: Figures): Host[] {
  const column = COLUMNS.find(({ id }) => id === sort.replace("-", ""));
  if (!column) return [...hosts];
  const way = sort.startsWith("-") ? -1 : 1;
  const keyed = hosts.map((host) => ({ host, value: column.value(host, figures) }));
  keyed.sort((a, b) => way * compare(a.value, b.value) || compare(a.host.name, b.host.name));
  return keyed.map(({ host }) => host);
}

const inWords = new Intl.Collator(undefined, { numeric: true });
const compare = (a: string | number, b: string | number): number =>
  typeof a === "number" && typeof b === "number" ? b - a : inWords.compare(String(a), String(b));

/** Asked for when a column shows them, and every few minutes. */
export function useFigures(columns: readonly Column[]): Figures {
  const { samples } = useLive();
  const wants = (figure: Column["figure"]): boolean => columns.some((column) => column.figure === figure);
  const turn = Math.floor((samples.at(-1)?.at ?? 0) / FIGURES_MS);
  const credit = useAsk(`credit ${wants("credit")} ${turn}`, async () =>
    wants("credit") ? (await ask("credit", { query: { days: 7 } })).hosts : [],
  );
  const hours = useAsk(`hours ${wants("hours")} ${turn}`, async () => (wants("hours") ? (await ask("hostWeeks")).hosts : []));
  return useMemo(
    () => ({
      credit: new Map((credit.data ?? []).map((row) => [row.id, row.credit])),
      hours: new Map((hours.data ?? []).map((row) => [row.id, row])),
    }),
    [credit.data, hours.data],
  );
}
const FIGURES_MS = 5 * 60_000;
