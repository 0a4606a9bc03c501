// What has happened, append-only: events (who did what, and when) and stays (which process was on which host from when). Written in the
// transaction of the change they tell of; bounded by age and number.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Deed } from "../protocol/deeds.ts";
import type { Database, Row } from "./database.ts";

export interface JournalEvent {
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  /** A user, `host NAME`, `client NAME`, or `coordinator`. */
  who: string;
  what: Deed;
  /** What it was done to: a job, process, host, user or link. */
  target: string;
  /** Further words; may be empty. */
  details: string;
}
export type NewEvent = Omit<JournalEvent, "id">;

export interface Stay {
  job: number;
  pid: number;
  at: number;
  /** Id of the host it is on from then; null: on none. */
  host: string | null;
  ended: boolean;
  /** It came there, or waits for a host, to do again what was lost where it was before. */
  again: boolean;
}

export interface EventSearch {
  /** In who, what, target or details; "" is everything. */
  text: string;
  /** Only older ones than this id. */
  before: number;
  limit: number;
}

/** Events are kept for a year, the newest million of them; stays for 90 days. */
const EVENT_AGE_MS = 365 * 24 * 3600_000;
const MAX_EVENTS = 1_000_000;
/** Some ten milliseconds' worth. */
const SEARCHED_AT_A_TIME = 20_000;
const STAY_AGE_MS = 90 * 24 * 3600_000;

export class Journal {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** Within the caller's transaction. */
  append(events: readonly NewEvent[], stays: readonly Stay[]): void {
    for (const { at, who, what, target, details } of events)
      this.db.run("insert into event (at, who, what, target, details) values (?, ?, ?, ?, ?)", at, who, what, target, details);
    const stay = "insert into stay (job, pid, at, host, ended, again) values (?, ?, ?, ?, ?, ?)";
    for (const { job, pid, at, host, ended, again } of stays) this.db.run(stay, job, pid, at, host, Number(ended), Number(again));
  }

  /** Newest first. Looks through so many events at a time, and all else has its turn in between: what is rare is found only by reading all. */
  async search({ text, before, limit }: EventSearch, atATime = SEARCHED_AT_A_TIME): Promise<JournalEvent[]> {
    const like = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
    const found: JournalEvent[] = [];
    const [ends] = this.db.all("select min(id) as oldest, max(id) as newest from event");
    for (let end = Math.min(before, Number(ends?.newest) + 1); end > Number(ends?.oldest); end -= atATime) {
      const rows = this.db.all(
        "select * from event where id < ? and id >= ? and (who || ' ' || what || ' ' || target || ' ' || details) like ? escape '\\' order by id desc limit ?",
        ...[end, end - atATime, like, limit - found.length],
      );
      found.push(...rows.map(eventOf));
      if (found.length >= limit) break;
      await nextTurn();
    }
    return found;
  }

  /** In the order in which they came, the first `limit` of the job. */
  stays(job: number, limit: number): Stay[] {
    return this.db.all("select * from stay where job = ? order by id limit ?", job, limit).map((row) => ({
      job: Number(row.job),
      pid: Number(row.pid),
      at: Number(row.at),
      host: row.host === null ? null : String(row.host),
      ended: row.ended === 1,
      again: row.again === 1,
    }));
  }

  prune(now: number): void {
    this.db.run("delete from event where at < ? or id <= (select max(id) from event) - ?", now - EVENT_AGE_MS, MAX_EVENTS);
    this.db.run("delete from stay where at < ?", now - STAY_AGE_MS);
  }
}

const eventOf = (row: Row): JournalEvent => ({
  id: Number(row.id),
  at: Number(row.at),
  who: String(row.who),
  what: row.what as Deed,
  target: String(row.target),
  details: String(row.details),
});
