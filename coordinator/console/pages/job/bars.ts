// Stays of processes as bars of a Gantt chart, and which line each gets. Pure.

interface Stay {
  pid: number;
  at: number;
  host: string | null;
  again: boolean;
}

export interface Bar {
  pid: number;
  host: string;
  from: number;
  to: number;
  /** How it came: for the first time, from another host, or to do again what was lost; null: it has come back to the same host. */
  by: "start" | "move" | "restart" | null;
}

/** Times on hosts, one after the other for each process. */
export function barsOf(stays: readonly Stay[], until: number): Bar[] {
  const open = new Map<number, Bar>();
  const lastHost = new Map<number, string>();
  const bars: Bar[] = [];
  for (const { pid, at, host, again } of stays) {
    const before = open.get(pid);
    if (before) before.to = at;
    open.delete(pid);
    if (host === null) continue;
    const last = lastHost.get(pid);
    const by = last === undefined ? "start" : again ? "restart" : last === host ? null : "move";
    const bar: Bar = { pid, host, from: at, to: until, by };
    lastHost.set(pid, host);
    open.set(pid, bar);
    bars.push(bar);
  }
  return bars;
}

/** Lanes host by host, in this order: as many for each as it had processes at a time. */
export function lanesOf(bars: readonly Bar[], hosts: readonly string[]): (Bar & { line: number })[] {
  const placed: (Bar & { line: number })[] = [];
  let base = 0;
  for (const host of hosts) {
    /** When each of its lanes is free again. */
    const free: number[] = [];
    for (const bar of bars.filter((one) => one.host === host).sort((a, b) => a.from - b.from)) {
      const found = free.findIndex((at) => at <= bar.from);
      const lane = found < 0 ? free.length : found;
      free[lane] = bar.to;
      placed.push({ ...bar, line: base + lane });
    }
    base += free.length;
  }
  return placed;
}
