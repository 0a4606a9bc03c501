// What hosts have earned, a row for each host and day. Added to in the transaction that keeps the work it is for, so that nothing is earned
// twice. A few hundred bytes a host and month, kept for as long as the coordinator.
import type { Database } from "./database.ts";

export interface EarnedThen {
  /** Milliseconds since 1970. */
  at: number;
  host: string;
  cpuMs: number;
  credit: number;
}

export interface Earnings {
  /** Id of the host. */
  host: string;
  cpuMs: number;
  credit: number;
}

const DAY_MS = 86_400_000;

export class Credit {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** Within the caller's transaction. */
  add(earned: readonly EarnedThen[]): void {
    for (const { at, host, cpuMs, credit } of earned)
      this.db.run(
        "insert into credit (day, host, cpu_ms, credit) values (?, ?, ?, ?) on conflict (day, host) do update set cpu_ms = cpu_ms + excluded.cpu_ms, credit = credit + excluded.credit",
        Math.floor(at / DAY_MS),
        host,
        cpuMs,
        credit,
      );
  }

  /** Of every host that has earned anything since the day (UTC) of that moment, the most first. */
  since(at: number): Earnings[] {
    return this.db
      .all(
        "select host, sum(cpu_ms) as cpu_ms, sum(credit) as credit from credit where day >= ? group by host order by credit desc, host",
        Math.floor(at / DAY_MS),
      )
      .map((row) => ({ host: String(row.host), cpuMs: Number(row.cpu_ms), credit: Number(row.credit) }));
  }
}
