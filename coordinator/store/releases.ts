// Releases that were published here, newest first, and how far each host is with one. Plain reading and writing; who gets a release and when
// is the server's business.
import type { SignedRelease } from "../protocol/release.ts";
import type { Database, Row } from "./database.ts";
import type { Scope } from "./policies.ts";

export interface ReleaseRecord {
  id: number;
  signed: SignedRelease;
  /** Milliseconds since 1970. */
  at: number;
  who: string;
  /** ring: only hosts of the ring take it; all: every host; halted: none begins to. */
  state: "ring" | "all" | "halted";
  /** The hosts that take it first; null: all at once. */
  ring: Scope | null;
  /** When it goes to all by itself, if hosts of the ring have come back with it and none has failed; null: by hand only. */
  toAllAt: number | null;
  /** Why it was halted. */
  reason: string | null;
}

/** offered: told to take it. Then as the host says (UPGRADE_STEPS), until it is back with that version, or lost: away for too long. */
export type Progress = "offered" | "ready" | "installing" | "declined" | "failed" | "lost" | "back";

export interface HostProgress {
  /** Its id. */
  host: string;
  state: Progress;
  at: number;
  problem: string | null;
}

/** The newest: the files of each are some hundred megabytes. */
const MAX_RELEASES = 12;

export class Releases {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** Newest first. */
  list(): ReleaseRecord[] {
    return this.db.all("select * from release order by id desc").map(releaseOf);
  }

  add(release: Omit<ReleaseRecord, "id">): ReleaseRecord {
    return this.db.transaction(() => {
      this.db.run("insert into release (data) values (?)", JSON.stringify(release));
      const id = Number(this.db.first("select max(id) as id from release")?.id);
      this.db.run("delete from release where id <= ?", id - MAX_RELEASES);
      this.db.run("delete from release_host where release <= ?", id - MAX_RELEASES);
      return { ...release, id };
    });
  }

  save({ id, ...release }: ReleaseRecord): void {
    this.db.run("update release set data = ? where id = ?", JSON.stringify(release), id);
  }

  hosts(release: number): HostProgress[] {
    return this.db.all("select * from release_host where release = ?", release).map((row) => ({
      host: String(row.host),
      state: row.state as Progress,
      at: Number(row.at),
      problem: row.problem === null ? null : String(row.problem),
    }));
  }

  saveHost(release: number, { host, state, at, problem }: HostProgress): void {
    this.db.run(
      "insert or replace into release_host (release, host, state, at, problem) values (?, ?, ?, ?, ?)",
      ...[release, host, state, at, problem],
    );
  }

  forgetHost(release: number, host: string): void {
    this.db.run("delete from release_host where release = ? and host = ?", release, host);
  }
}

const releaseOf = (row: Row): ReleaseRecord => ({ ...JSON.parse(String(row.data)), id: Number(row.id) });
