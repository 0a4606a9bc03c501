// Administrators' policies in all their versions: for all hosts, for a tag, for one host. Plain reading and writing; what a policy may say and
// whom it holds for is the server's business.
import type { Database, Row } from "./database.ts";

/** Whom a policy holds for: "all", "tag:NAME", or "host:ID". */
export type Scope = "all" | `tag:${string}` | `host:${string}`;

export interface PolicyVersion {
  /** Counts the versions of all scopes. */
  version: number;
  scope: Scope;
  /** Milliseconds since 1970. */
  at: number;
  who: string;
  /** As an administrator's file has it (docs/POLICY.md). */
  text: string;
}

/** The newest of each scope. */
const MAX_VERSIONS = 200;

export class Policies {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** The newest version of each scope. */
  newest(): PolicyVersion[] {
    return this.db
      .all("select * from policy where version in (select max(version) from policy group by scope) order by scope")
      .map(versionOf);
  }

  /** Newest first. */
  versions(scope: Scope): PolicyVersion[] {
    return this.db.all("select * from policy where scope = ? order by version desc", scope).map(versionOf);
  }

  save(policy: Omit<PolicyVersion, "version">): PolicyVersion {
    const { scope, at, who, text } = policy;
    return this.db.transaction(() => {
      this.db.run("insert into policy (scope, at, who, text) values (?, ?, ?, ?)", scope, at, who, text);
      this.db.run(
        "delete from policy where scope = ? and version not in (select version from policy where scope = ? order by version desc limit ?)",
        scope,
        scope,
        MAX_VERSIONS,
      );
      return { version: Number(this.db.first("select max(version) as version from policy")?.version), ...policy };
    });
  }
}

const versionOf = (row: Row): PolicyVersion => ({
  version: Number(row.version),
  scope: row.scope as Scope,
  at: Number(row.at),
  who: String(row.who),
  text: String(row.text),
});
