// The store in one SQLite file, through Node's built-in module: write-ahead log, synchronous FULL, so that what is committed survives
// a power cut. Records are kept as CBOR under (kind, id): the coordinator holds them all in memory anyway and never searches here.
import { DatabaseSync } from "node:sqlite";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Decoder, Encoder } from "cbor-x";
import { type Forgotten, type PartKey, partKey, partKeysOf, type Saved } from "../scheduler/state.ts";
import { Credit } from "./credit.ts";
import { Database, type Row } from "./database.ts";
import { Experiments } from "./experiments.ts";
import { Journal } from "./journal.ts";
import { Measurements } from "./measurements.ts";
import { People } from "./people.ts";
import { Policies } from "./policies.ts";
import { Releases } from "./releases.ts";
import type { Batch, Device, MadeProgram, Store, TokenRecord } from "./store.ts";
import { Usages } from "./usage.ts";

/** Raised when the tables change; each step of `MIGRATIONS` leads from the version before. */
const VERSION = 17;
export const MIGRATIONS: Record<number, string | ((db: DatabaseSync) => void)> = {
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
  // Releases, and how far each host is with one.
  7: `
    create table release (id integer primary key autoincrement, data text not null);
    create table release_host (release integer not null, host text not null, state text not null, at integer not null, problem text,
      primary key (release, host)) without rowid;
  `,
  // Jobs have parts; what a job was submitted with is a record of its own. Every earlier job becomes one of one part.
  8: (db) => {
    db.exec(`
      alter table output rename to output_of_jobs;
      create table output (part integer not null, stream integer not null, offset integer not null, pid integer not null, bytes blob not null,
        primary key (part, stream, offset)) without rowid;
    `);
    // Keys as of this version: the job's number times 2^17, and the part's.
    db.exec(`
      insert into output select job * 131072 + 1, stream, offset, pid, bytes from output_of_jobs;
      drop table output_of_jobs;
      update record set id = id * 131072 + 1 where kind = 'kernel';
    `);
    const put = db.prepare("insert or replace into record (kind, id, data) values (?, ?, ?)");
    for (const { id, data } of db.prepare("select id, data from record where kind = 'job'").all() as Row[]) {
      const { spec, files, ...job } = decoder.decode(data as Uint8Array);
      const well = job.report?.kind === "exit" && job.report.code === 0;
      const running = job.state === "running";
      const parts = { total: 1, done: !running && well ? 1 : 0, failed: running || well ? 0 : 1 };
      put.run(
        "job",
        id as number,
        encoder.encode({ ...job, parts, since: { at: job.submittedAt, ended: 0 }, files: Object.keys(files).length }),
      );
      put.run("spec", id as number, encoder.encode(spec));
      const { root, state, report, endedAt, stdoutBytes, stderrBytes } = job;
      const part = { job: id, number: 1, root, state, report, tries: 1, endedAt, stdoutBytes, stderrBytes, files };
      put.run("part", Number(id) * 131072 + 1, encoder.encode(part));
    }
    for (const { id, data } of db.prepare("select id, data from record where kind = 'process'").all() as Row[])
      put.run("process", id as number, encoder.encode({ ...decoder.decode(data as Uint8Array), part: 1 }));
  },
  // What hosts did hour by hour.
  9: `
    create table host_hour (host text not null, at integer not null, computing integer not null, idle integer not null, owner integer not null,
      paused integer not null, primary key (host, at)) without rowid;
    create index host_hour_at on host_hour (at);
  `,
  // What hosts have earned.
  10: "create table credit (day integer not null, host text not null, cpu_ms real not null, credit real not null, primary key (day, host)) without rowid;",
  // Who users are to an identity provider.
  11: `
    create table identity (issuer text not null, subject text not null, user text not null, managed integer not null,
      created_at integer not null, primary key (issuer, subject)) without rowid;
  `,
  // Passkeys.
  12: `
    create table passkey (id text primary key, user text not null, site text not null, name text not null, public_key text not null,
      counter integer not null, created_at integer not null, used_at integer) without rowid;
    create index passkey_site on passkey (site);
  `,
  // What programs took on machines.
  13: `
    create table measurement (id integer primary key autoincrement, machine text not null, data text not null);
    create index measurement_machine on measurement (machine, id);
  `,
  // Hosts whose processes stay, and hosts that take nothing new; which sessions began at the identity provider.
  14: `
    alter table session add column sso integer not null default 0;
    alter table device add column stay integer not null default 0;
    alter table device add column block integer not null default 0;
  `,
  // Answers to home calls apart from the processes they were given to.
  15: (db) => {
    db.exec(
      "create table answer (pid integer not null, seq integer not null, data blob not null, primary key (pid, seq)) without rowid;",
    );
    const put = db.prepare("insert or replace into record (kind, id, data) values ('process', ?, ?)");
    const answer = db.prepare("insert into answer (pid, seq, data) values (?, ?, ?)");
    for (const { id, data } of db.prepare("select id, data from record where kind = 'process'").all() as Row[]) {
      const { answers = {}, ...process } = decoder.decode(data as Uint8Array);
      put.run(id as number, encoder.encode(process));
      for (const [seq, value] of Object.entries(answers)) answer.run(id as number, Number(seq), encoder.encode(value));
    }
  },
  // Programs that cannot be moved, and why.
  16: "alter table program add column pinned text;",
  // Which stays began because what was done before was lost.
  17: "alter table stay add column again integer not null default 0;",
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
  for (let version = found + 1; version <= VERSION; version++) {
    const migration = MIGRATIONS[version];
    db.exec("begin immediate");
    if (typeof migration === "string") db.exec(migration);
    else migration?.(db);
    db.exec(`pragma user_version = ${version}; commit;`);
  }
}

class SqliteStore implements Store {
  readonly people: People;
  readonly journal: Journal;
  readonly policies: Policies;
  readonly experiments: Experiments;
  readonly measurements: Measurements;
  readonly releases: Releases;
  readonly credit: Credit;
  readonly usages: Usages;
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
    this.people = new People(db);
    this.journal = new Journal(db);
    this.policies = new Policies(db);
    this.experiments = new Experiments(db);
    this.measurements = new Measurements(db);
    this.releases = new Releases(db);
    this.credit = new Credit(db);
    this.usages = new Usages(db);
  }

  *load(): Iterable<Saved> {
    const rows = this.db.statement(
      "select kind, id, data from record order by case kind when 'job' then 0 when 'spec' then 1 when 'part' then 2 when 'kernel' then 3 else 4 end, id",
    );
    for (const row of rows.all() as Row[]) {
      const value = decoder.decode(row.data as Uint8Array);
      if (row.kind === "kernel") yield { kind: "kernel", part: Number(row.id) as PartKey, value };
      else if (row.kind === "spec") yield { kind: "spec", job: Number(row.id), value };
      else yield { kind: row.kind as "job" | "part" | "process", value };
    }
    for (const { pid, seq, data } of this.db.all("select pid, seq, data from answer"))
      yield { kind: "answer", pid: Number(pid), seq: Number(seq), value: decoder.decode(data as Uint8Array) };
  }

  commit(batch: Batch): void {
    const put = this.db.statement("insert or replace into record (kind, id, data) values (?, ?, ?)");
    const answer = this.db.statement("insert or replace into answer (pid, seq, data) values (?, ?, ?)");
    const append = this.db.statement(
      "insert into output (part, stream, offset, pid, bytes) values (?, ?, ?, ?, ?) on conflict do nothing",
    );
    this.db.transaction(() => {
      for (const saved of batch.saved) {
        if (saved.kind === "answer") answer.run(saved.pid, saved.seq, encoder.encode(saved.value));
        else put.run(saved.kind, idOf(saved), encoder.encode(storedOf(saved)));
      }
      for (const chunk of batch.output)
        append.run(partKey(chunk.job, chunk.part), chunk.stream, chunk.offset, chunk.pid, chunk.bytes);
      this.journal.append(batch.events ?? [], batch.stays ?? []);
      this.credit.add(batch.earned ?? []);
      for (const forgotten of batch.forgotten ?? []) this.forget(forgotten);
    });
  }

  private forget({ jobs, pids, kernels, outputs, answers }: Forgotten): void {
    const record = this.db.statement("delete from record where kind = ? and id = ?");
    const ofParts = this.db.statement("delete from record where kind in ('part', 'kernel') and id between ? and ?");
    const output = this.db.statement("delete from output where part between ? and ?");
    const stays = this.db.statement("delete from stay where job = ?");
    for (const job of jobs) {
      const [first, last] = partKeysOf(job);
      record.run("job", job);
      record.run("spec", job);
      ofParts.run(first, last);
      output.run(first, last);
      stays.run(job);
    }
    const answer = this.db.statement("delete from answer where pid = ? and seq < ?");
    for (const pid of pids) {
      record.run("process", pid);
      answer.run(pid, Number.MAX_SAFE_INTEGER);
    }
    for (const { pid, before } of answers) answer.run(pid, before);
    for (const key of kernels) record.run("kernel", key);
    for (const { job, part } of outputs) output.run(partKey(job, part), partKey(job, part));
  }

  output(
    part: PartKey,
    stream: 1 | 2,
    from: number,
    limit: number,
    pid: number | null,
  ): { chunks: { pid: number; offset: number; bytes: Uint8Array }[] } {
    // The chunk that holds `from` begins at or before it.
    const first = this.db
      .statement("select max(offset) as at from output where part = ? and stream = ? and offset <= ?")
      .get(part, stream, from) as Row | undefined;
    const rows = this.db
      .statement("select offset, pid, bytes from output where part = ? and stream = ? and offset >= ? order by offset")
      .iterate(part, stream, Number(first?.at ?? from));
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
      "insert or replace into device (key, role, scope, name, enrolled_at, revoked_at, tags, drained, stay, block, info, pending) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      device.key,
      device.role,
      device.scope,
      device.name,
      device.enrolledAt,
      device.revokedAt,
      JSON.stringify(device.tags),
      device.drained ? 1 : 0,
      device.stay ? 1 : 0,
      device.block ? 1 : 0,
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
          pinned: row.pinned === null ? null : String(row.pinned),
        }
      : undefined;
  }

  madeProgram(program: string): Pick<MadeProgram, "pinned"> | undefined {
    const row = this.db.statement("select pinned from program where program = ? limit 1").get(program) as Row | undefined;
    return row && { pinned: row.pinned === null ? null : String(row.pinned) };
  }

  saveProgram(module: string, version: number, made: MadeProgram): void {
    this.db
      .statement(
        "insert or replace into program (module, version, program, size_bytes, functions, sites, pinned) values (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(module, version, made.program, made.sizeBytes, made.functions, made.sites, made.pinned);
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

type InRecords = Exclude<Saved, { kind: "answer" }>;

function idOf(saved: InRecords): number {
  if (saved.kind === "kernel") return saved.part;
  if (saved.kind === "spec") return saved.job;
  if (saved.kind === "part") return partKey(saved.value.job, saved.value.number);
  return saved.kind === "job" ? saved.value.id : saved.value.pid;
}

/** What a job was submitted with is stored once, by itself, and so is each answer to a process. */
function storedOf(saved: InRecords): unknown {
  if (saved.kind === "job") {
    const { spec: _, ...job } = saved.value;
    return job;
  }
  if (saved.kind !== "process") return saved.value;
  const { answers: _, ...process } = saved.value;
  return process;
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
  stay: row.stay === 1,
  block: row.block === 1,
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
