// A host's hours as one week: for each hour of each day how its time was spent, in the time zone of whoever looks. Pure.

export interface Hour {
  /** When it began. */
  at: number;
  computing: number;
  idle: number;
  owner: number;
  paused: number;
}

/** Shares of the time that is known of; all 0 when nothing is. */
export interface Shares {
  computing: number;
  idle: number;
  owner: number;
  paused: number;
  offline: number;
  /** How many such hours are known of. */
  hours: number;
}

const HOUR_MS = 3600_000;

/** [day, Monday first][hour]. @param now hours from the first one known until now count, those without anything as offline */
export function weekOf(hours: readonly Hour[], now: number): Shares[][] {
  const week = Array.from({ length: 7 }, () =>
    Array.from({ length: 24 }, (): Shares => ({ computing: 0, idle: 0, owner: 0, paused: 0, offline: 0, hours: 0 })),
  );
  const known = new Map(hours.map((hour) => [hour.at, hour]));
  const first = Math.min(...known.keys());
  for (let at = first; at <= now; at += HOUR_MS) {
    const date = new Date(at);
    const cell = week[(date.getDay() + 6) % 7]?.[date.getHours()];
    if (!cell) continue;
    const hour = known.get(at);
    // The first and the last hour are not whole.
    const whole = Math.min(HOUR_MS, now - at);
    const there = (hour?.computing ?? 0) + (hour?.idle ?? 0) + (hour?.owner ?? 0) + (hour?.paused ?? 0);
    const length = at === first ? there : Math.max(there, whole);
    if (length <= 0) continue;
    for (const kind of ["computing", "idle", "owner", "paused"] as const) cell[kind] += (hour?.[kind] ?? 0) / length;
    cell.offline += (length - there) / length;
    cell.hours++;
  }
  for (const cell of week.flat())
    for (const kind of ["computing", "idle", "owner", "paused", "offline"] as const) cell[kind] /= Math.max(1, cell.hours);
  return week;
}
