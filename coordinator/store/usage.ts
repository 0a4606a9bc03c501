// What each host did in each hour: how much of it its cores computed, could have computed, belonged to its owner, or were paused for another reason.
// The rest of the hour it was not there. For a picture of the week, so a few minutes may be lost with a coordinator that dies.
import type { Database, Row } from "./database.ts";

export interface Usage {
  /** Milliseconds, of the host as a whole: with half of its cores computing, half of the time is `computing`. */
  computing: number;
  idle: number;
  owner: number;
  paused: number;
}

export interface HourOfHost extends Usage {
  host: string;
  /** When it began, milliseconds since 1970. */
  at: number;
}

export const HOUR_MS = 3600_000;
/** Eight weeks. */
const AGE_MS = 56 * 24 * HOUR_MS;

export class Usages {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** Adds to what is known of these hours, and forgets what is too old. */
  add(hours: readonly HourOfHost[], now: number): void {
    this.db.transaction(() => {
      for (const { host, at, computing, idle, owner, paused } of hours)
        this.db.run(
          `insert into host_hour (host, at, computing, idle, owner, paused) values (?, ?, ?, ?, ?, ?) on conflict do update set
            computing = computing + excluded.computing, idle = idle + excluded.idle, owner = owner + excluded.owner, paused = paused + excluded.paused`,
          ...[host, at, computing, idle, owner, paused],
        );
      this.db.run("delete from host_hour where at < ?", now - AGE_MS);
    });
  }

  /** All hours of each host added up; `at` is the first. */
  since(since: number): HourOfHost[] {
    const sums = "sum(computing) as computing, sum(idle) as idle, sum(owner) as owner, sum(paused) as paused";
    return this.db.all(`select host, min(at) as at, ${sums} from host_hour where at >= ? group by host`, since).map(hourOf);
  }

  /** Oldest first. */
  of(host: string, since: number): HourOfHost[] {
    return this.db.all("select * from host_hour where host = ? and at >= ? order by at", host, since).map(hourOf);
  }
}

const hourOf = (row: Row): HourOfHost => ({
  host: String(row.host),
  ...{ at: Number(row.at), computing: Number(row.computing), idle: Number(row.idle) },
  ...{ owner: Number(row.owner), paused: Number(row.paused) },
});
