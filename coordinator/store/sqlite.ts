// The store in one SQLite file, through Node's built-in module: write-ahead log, synchronous FULL, so that what is committed survives
// a power cut. Records are kept as CBOR under (kind, id): the coordinator holds them all in memory anyway and never searches here.
import { DatabaseSync } from "node:sqlite";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Decoder, Encoder } from "cbor-x";
import type { Forgotten, Saved } from "../scheduler/state.ts";
import { Database, type Row } from "./database.ts";
import { Experiments } from "./experiments.ts";
import { Journal } from "./journal.ts";
import { People } from "./people.ts";
import { Policies } from "./policies.ts";
import type { Batch, Device, MadeProgram, Store, TokenRecord } from "./store.ts";

/** Raised when the tables change; each step of `MIGRATIONS` leads from the version before. */
const VERSION = 6;
export const MIGRATIONS: Record<number, string> = {
  1: `
    create table record (kind text not null, id integer not null, data blob not null, primary key (kind, id)) without rowid;
    create table output (job integer not null, stream integer not null, offset integer not null, pid integer not null, bytes blob not null,
      primary key (job, stream, offset)) without rowid;
    create table device (key text primary key, role text not null, scope text not null, name text not null, enrolled_at integer not null, revoked_at integer) without rowid;
    create table token (hash text primary key, scope text not null, expires_at integer not null, uses integer not null) without rowid;
    create table program (module text primary key, program text not null, size_bytes integer not null, functions integer not null, sites integer not null) without rowid;
  `,
  // Which version of the transformation made the program.
  2: "alter table program add column version integer not null default 0;",
  // People, what has happened, and what administrators say of hosts and links.
  3: `
    create table user (name text primary key, role text not null, password text not null, created_at integer not null) without rowid;
    create table session (hash text primary key, user text not null, created_at integer not null, expires_at integer not null) without rowid;
    create table api_token (id text primary key, hash text not null unique, user text not null, name text not null, role text not null,
      created_at integer not null, expires_at integer not null) without rowid;
    create table invitation (hash text primary key, name text, role text not null, expires_at integer not null) without rowid;
    create table event (id integer primary key autoincrement, at integer not null, who text not null, what text not null,
      target text not null, details text not null);
    create index event_at on event (at);
    create table stay (id integer primary key autoincrement, job integer not null, pid integer not null, at integer not null, host text,
      ended integer not null);
    create index stay_job on stay (job, id);
    create index stay_at on stay (at);
    alter table device add column tags text not null default '[]';
    alter table device add column drained integer not null default 0;
    alter table device add column info text;
    alter table token add column created_by text not null default '';
    alter table token add column created_at integer not null default 0;
  `,
  // Administrators' policies.
  4: `
    create table policy (version integer primary key autoincrement, scope text not null, at integer not null, who text not null,
      text text not null);
    create index policy_scope on policy (scope, version);
  `,
  // Hosts that wait to be let in.
  5: `
    alter table token add column approval integer not null default 0;
    alter table device add column pending integer not null default 0;
  `,
  // Overhead experiments.
  6: "create table experiment (id integer primary key autoincrement, data text not null);",
};

const encoder = new Encoder({ useRecords: false, tagUint8Array: false });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true });

/** @throws NS_STORE_VERSION when the file is of a newer version, NS_HOME_UNUSABLE when it cannot be opened */
export function openSqlite(path: string): Store {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path);
    db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;");
  } catch (thrown) {
    throw new NightshiftError(
      "NS_HOME_UNUSABLE",
      `cannot open the database ${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { cause: thrown },
    );
  }
  migrate(db, path);
  return new SqliteStore(new Database(db));
}

function migrate(db: DatabaseSync, path: string): void {
  const found = Number((db.prepare("pragma user_version").get() as { user_version: number }).user_version);
  if (found > VERSION) {
    db.close();
    throw new NightshiftError("NS_STORE_VERSION", `${path} is of version ${found}; this Nightshift knows ${VERSION}`);
  }
  for (let version = found + 1; version <= VERSION; version++)
    db.exec(`begin immediate; ${MIGRATIONS[version]} pragma user_version = ${version}; commit;`);
}

class SqliteStore implements Store {
  readonly people: People;
  readonly journal: Journal;
  readonly policies: Policies;
  readonly experiments: Experiments;
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
    this.people = new People(db);
    this.journal = new Journal(db);
    this.policies = new Policies(db);
    this.experiments = new Experiments(db);
  }

  *load(): Iterable<Saved> {
    const rows = this.db.statement(
      "select kind, id, data from record order by case kind when 'job' then 0 when 'kernel' then 1 else 2 end, id",
    );
    for (const row of rows.all() as Row[]) {
      const value = decoder.decode(row.data as Uint8Array);
      if (row.kind === "kernel") yield { kind: "kernel", job: Number(row.id), value };
      else yield { kind: row.kind as "job" | "process", value };
    }
  }

  commit(batch: Batch): void {
    const put = this.db.statement("insert or replace into record (kind, id, data) values (?, ?, ?)");
    const append = this.db.statement(
      "insert into output (job, stream, offset, pid, bytes) values (?, ?, ?, ?, ?) on conflict do nothing",
    );
    this.db.transaction(() => {
      for (const saved of batch.saved) {
        const id = saved.kind === "kernel" ? saved.job : saved.kind === "job" ? saved.value.id : saved.value.pid;
        put.run(saved.kind, id, encoder.encode(saved.value));
      }
      for (const chunk of batch.output) append.run(chunk.job, chunk.stream, chunk.offset, chunk.pid, chunk.bytes);
      this.journal.append(batch.events ?? [], batch.stays ?? []);
      for (const forgotten of batch.forgotten ?? []) this.forget(forgotten);
    });
  }

  private forget({ jobs, pids }: Forgotten): void {
    const record = this.db.statement("delete from record where kind = ? and id = ?");
    const output = this.db.statement("delete from output where job = ?");
    const stays = this.db.statement("delete from stay where job = ?");
    for (const job of jobs) {
      record.run("job", job);
      record.run("kernel", job);
      output.run(job);
      stays.run(job);
    }
    for (const pid of pids) record.run("process", pid);
  }

  output(
    job: number,
    stream: 1 | 2,
    from: number,
    limit: number,
    pid: number | null,
  ): { chunks: { pid: number; offset: number; bytes: Uint8Array }[] } {
    // The chunk that holds `from` begins at or before it.
    const first = this.db
      .statement("select max(offset) as at from output where job = ? and stream = ? and offset <= ?")
      .get(job, stream, from) as Row | undefined;
    const rows = this.db
      .statement("select offset, pid, bytes from output where job = ? and stream = ? and offset >= ? order by offset")
      .iterate(job, stream, Number(first?.at ?? from));
    const chunks: { pid: number; offset: number; bytes: Uint8Array }[] = [];
    let total = 0;
    for (const row of rows as Iterable<Row>) {
      const offset = Number(row.offset);
      const bytes = row.bytes as Uint8Array;
      if (offset + bytes.length <= from) continue;
      if (pid !== null && Number(row.pid) !== pid) continue;
      const skipped = Math.max(0, from - offset);
      chunks.push({ pid: Number(row.pid), offset: offset + skipped, bytes: bytes.subarray(skipped) });
      total += bytes.length - skipped;
      if (total >= limit) break;
    }
    return { chunks };
  }

  device(key: string): Device | undefined {
    const row = this.db.statement("select * from device where key = ?").get(key) as Row | undefined;
    return row ? deviceOf(row) : undefined;
  }

  devices(): Device[] {
    return (this.db.statement("select * from device order by enrolled_at").all() as Row[]).map(deviceOf);
  }

  saveDevice(device: Device): void {
    this.db.run(
      "insert or replace into device (key, role, scope, name, enrolled_at, revoked_at, tags, drained, info, pending) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      device.key,
      device.role,
      device.scope,
      device.name,
      device.enrolledAt,
      device.revokedAt,
      JSON.stringify(device.tags),
      device.drained ? 1 : 0,
      device.info === null ? null : JSON.stringify(device.info),
      device.pending ? 1 : 0,
    );
  }

  token(hash: string): TokenRecord | undefined {
    const row = this.db.first("select * from token where hash = ?", hash);
    return row && tokenOf(row);
  }

  tokens(): TokenRecord[] {
    return this.db.all("select * from token order by created_at desc").map(tokenOf);
  }

  saveToken(token: TokenRecord): void {
    this.db.run(
      "insert or replace into token (hash, scope, expires_at, uses, created_by, created_at, approval) values (?, ?, ?, ?, ?, ?, ?)",
      token.hash,
      token.scope,
      token.expiresAt,
      token.uses,
      token.createdBy,
      token.createdAt,
      token.approval ? 1 : 0,
    );
  }

  removeToken(hash: string): boolean {
    return this.db.run("delete from token where hash = ?", hash) > 0;
  }

  enrol(tokenHash: string, device: Device): boolean {
    return this.db.transaction(() => {
      const used = this.db.statement("update token set uses = uses - 1 where hash = ? and uses > 0").run(tokenHash);
      if (Number(used.changes) !== 1) return false;
      this.saveDevice(device);
      return true;
    });
  }

  program(module: string, version: number): MadeProgram | undefined {
    const row = this.db.statement("select * from program where module = ? and version = ?").get(module, version) as
      | Row
      | undefined;
    return row
      ? {
          program: String(row.program),
          sizeBytes: Number(row.size_bytes),
          functions: Number(row.functions),
          sites: Number(row.sites),
        }
      : undefined;
  }

  saveProgram(module: string, version: number, made: MadeProgram): void {
    this.db
      .statement(
        "insert or replace into program (module, version, program, size_bytes, functions, sites) values (?, ?, ?, ?, ?, ?)",
      )
      .run(module, version, made.program, made.sizeBytes, made.functions, made.sites);
  }

  programs(): string[] {
    return (this.db.statement("select module, program from program").all() as Row[]).flatMap((row) => [
      String(row.module),
      String(row.program),
    ]);
  }

  close(): void {
    this.db.close();
  }
}

const deviceOf = (row: Row): Device => ({
  key: String(row.key),
  role: row.role as Device["role"],
  scope: row.scope as Device["scope"],
  name: String(row.name),
  enrolledAt: Number(row.enrolled_at),
  revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
  tags: JSON.parse(String(row.tags)),
  drained: row.drained === 1,
  info: row.info === null ? null : JSON.parse(String(row.info)),
  pending: row.pending === 1,
});

const tokenOf = (row: Row): TokenRecord => ({
  hash: String(row.hash),
  scope: row.scope as Device["scope"],
  expiresAt: Number(row.expires_at),
  uses: Number(row.uses),
  createdBy: String(row.created_by),
  createdAt: Number(row.created_at),
  approval: row.approval === 1,
});
