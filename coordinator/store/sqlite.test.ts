import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encode } from "cbor-x";
import { afterEach, beforeEach, expect, test } from "vitest";
import { partKey, type Saved } from "../scheduler/index.ts";
import { openSqlite } from "./index.ts";
import { MIGRATIONS } from "./sqlite.ts";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nightshift-"));
  path = join(directory, "state.sqlite");
});
afterEach(() => rmSync(directory, { recursive: true }));

const job = (id: number): Saved => ({ kind: "job", value: { id, state: "running", freezesMs: [1.5] } as never });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const chunk = (offset: number, text: string, pid = 1) => ({
  job: 1,
  part: 1,
  pid,
  stream: 1 as const,
  offset,
  bytes: bytes(text),
});

const openPeople = () => {
  const store = openSqlite(path);
  return { people: store.people, close: () => store.close() };
};

test("what is committed is there after the store is opened again, the last version of each record, jobs first", () => {
  const store = openSqlite(path);
  store.commit({
    saved: [
      { kind: "process", value: { pid: 7, state: "queued" } as never },
      job(1),
      { kind: "kernel", part: partKey(1, 1), value: { processes: [], pipes: [], nextPipe: 3 } },
    ],
    output: [],
  });
  store.commit({ saved: [{ kind: "process", value: { pid: 7, state: "running" } as never }], output: [] });
  store.close();
  const again = openSqlite(path);
  const records = [...again.load()];
  expect(records.map((record) => record.kind)).toEqual(["job", "kernel", "process"]);
  expect(records[2]).toMatchObject({ value: { pid: 7, state: "running" } });
  expect(records[1]).toMatchObject({ part: partKey(1, 1), value: { nextPipe: 3 } });
  again.close();
});

test("output is given back from any offset, of all processes or of one, and kept once however often it comes", () => {
  const store = openSqlite(path);
  store.commit({ saved: [], output: [chunk(0, "hello "), chunk(6, "world", 2)] });
  store.commit({ saved: [], output: [chunk(0, "hello ")] });
  const text = (from: number, pid: number | null): string =>
    store
      .output(partKey(1, 1), 1, from, 1000, pid)
      .chunks.map((c) => `${c.offset}:${new TextDecoder().decode(c.bytes)}`)
      .join("|");
  expect(text(0, null)).toBe("0:hello |6:world");
  expect(text(8, null)).toBe("8:rld");
  expect(text(0, 2)).toBe("6:world");
  expect(text(11, null)).toBe("");
  store.close();
});

test("a batch that fails leaves nothing behind", () => {
  const store = openSqlite(path);
  expect(() =>
    store.commit({ saved: [job(1)], output: [{ job: 1, part: 1, pid: 1, stream: 1, offset: 0, bytes: null as never }] }),
  ).toThrow();
  expect([...store.load()]).toEqual([]);
  store.commit({ saved: [job(2)], output: [] });
  expect([...store.load()]).toHaveLength(1);
  store.close();
});

test("a file of a newer version is refused and left alone", () => {
  openSqlite(path).close();
  const db = new DatabaseSync(path);
  db.exec("pragma user_version = 99");
  db.close();
  expect(() => openSqlite(path)).toThrow(expect.objectContaining({ code: "NS_STORE_VERSION" }));
});

test("a program made by another version of the transformation, or before versions were noted, is not known", () => {
  const made = { program: "b".repeat(64), sizeBytes: 1, functions: 2, sites: 3, pinned: null };
  const db = new DatabaseSync(path);
  db.exec(`${MIGRATIONS[1]} insert into program values ('a', 'old', 1, 2, 3); pragma user_version = 1`);
  db.close();
  const store = openSqlite(path);
  expect(store.program("a", 2)).toBeUndefined();
  store.saveProgram("a", 2, made);
  expect(store.program("a", 2)).toEqual(made);
  expect(store.program("a", 3)).toBeUndefined();
  expect(store.programs()).toEqual(["a", made.program]);
  store.close();
});

test("events are found by any of their words, newest first and page by page; a percent sign is just one", async () => {
  const store = openSqlite(path);
  const event = (at: number, who: string, details: string) => ({
    at,
    who,
    what: "job-submitted" as const,
    target: `j${at}`,
    details,
  });
  store.commit({
    saved: [],
    output: [],
    events: [event(1, "ada", "100% sure"), event(2, "bob", "sure"), event(3, "ada", "")],
    stays: [],
  });
  for (const atATime of [1, 2, 20_000]) {
    const found = async (text: string, before = 99, limit = 9) =>
      (await store.journal.search({ text, before, limit }, atATime)).map(({ at }) => at);
    expect(await found("ada")).toEqual([3, 1]);
    expect(await found("SURE")).toEqual([2, 1]);
    expect(await found("100%")).toEqual([1]);
    expect(await found("%")).toEqual([1]);
    expect(await found("", 3, 1)).toEqual([2]);
    expect(await found("", 99, 2)).toEqual([3, 2]);
    expect(await found("", 1)).toEqual([]);
  }
  store.journal.prune(2 + 365 * 24 * 3600_000);
  const left = await store.journal.search({ text: "", before: 99, limit: 9 });
  expect(left.map(({ at }) => at)).toEqual([3, 2]);
  store.close();
});

test("an invitation makes one user, and ends the sessions that user had", () => {
  const { people, close } = openPeople();
  people.saveInvitation({ hash: "h", name: null, role: "viewer", expiresAt: 9 });
  const ada = { name: "ada", role: "viewer" as const, password: "x", createdAt: 1 };
  people.saveSession({ hash: "s", user: "ada", createdAt: 1, expiresAt: 9, sso: false });
  expect(people.accept("h", ada)).toBe(true);
  expect(people.accept("h", { ...ada, name: "eve" })).toBe(false);
  expect(people.users()).toEqual([ada]);
  expect(people.session("s")).toBeUndefined();
  close();
});

test("with a user go the sessions and tokens; what has expired goes by itself", () => {
  const { people, close } = openPeople();
  const token = { id: "t", hash: "th", user: "ada", name: "ci", role: "viewer" as const, createdAt: 1, expiresAt: 5 };
  people.saveUser({ name: "ada", role: "viewer", password: "x", createdAt: 1 });
  people.saveSession({ hash: "s", user: "ada", createdAt: 1, expiresAt: 9, sso: true });
  people.saveApiToken(token);
  people.prune(6);
  expect(people.apiToken("th")).toBeUndefined();
  expect(people.session("s")?.user).toBe("ada");
  people.saveApiToken({ ...token, expiresAt: 9 });
  expect(people.removeUser("ada")).toBe(true);
  expect([people.apiToken("th"), people.session("s"), people.user("ada")]).toEqual([undefined, undefined, undefined]);
  close();
});

test("writes ahead and syncs every commit", () => {
  openSqlite(path).close();
  const db = new DatabaseSync(path);
  expect(db.prepare("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
  db.close();
});

test("of what is forgotten nothing is left", () => {
  const store = openSqlite(path);
  const process = (pid: number): Saved => ({ kind: "process", value: { pid } as never });
  const kernel = (id: number): Saved => ({
    kind: "kernel",
    part: partKey(id, 1),
    value: { processes: [], pipes: [], nextPipe: 3 },
  });
  store.commit({
    saved: [job(1), job(2), kernel(1), kernel(2), process(1), process(2)],
    output: [chunk(0, "first"), { ...chunk(0, "second", 2), job: 2 }],
  });
  store.commit({ saved: [], output: [], forgotten: [{ jobs: [1], pids: [1], kernels: [], outputs: [], answers: [] }] });
  expect([...store.load()].map((saved) => (saved.kind === "kernel" ? saved.part : Object.values(saved.value)[0]))).toEqual([
    2,
    partKey(2, 1),
    2,
  ]);
  expect(store.output(partKey(1, 1), 1, 0, 100, null).chunks).toEqual([]);
  expect(store.output(partKey(2, 1), 1, 0, 100, null).chunks).toHaveLength(1);
  store.close();
});

test("what a job was submitted with is stored once, apart from what changes", () => {
  const store = openSqlite(path);
  const value = { id: 1, state: "running", spec: { name: "long", args: ["x".repeat(10_000)] } } as never;
  store.commit({
    saved: [
      { kind: "job", value },
      { kind: "spec", job: 1, value: { name: "long" } as never },
    ],
    output: [],
  });
  const [saved, spec] = [...store.load()];
  expect(saved).toEqual({ kind: "job", value: { id: 1, state: "running" } });
  expect(spec).toEqual({ kind: "spec", job: 1, value: { name: "long" } });
  store.close();
});

test("each part has an output of its own; that of a part that begins anew is forgotten", () => {
  const store = openSqlite(path);
  store.commit({ saved: [], output: [chunk(0, "one"), { ...chunk(0, "two", 2), part: 2 }] });
  const text = (part: number): string =>
    store
      .output(partKey(1, part), 1, 0, 100, null)
      .chunks.map(({ bytes }) => new TextDecoder().decode(bytes))
      .join("");
  expect([text(1), text(2)]).toEqual(["one", "two"]);
  store.commit({
    saved: [],
    output: [],
    forgotten: [{ jobs: [], pids: [], kernels: [], outputs: [{ job: 1, part: 1 }], answers: [] }],
  });
  expect([text(1), text(2)]).toEqual(["", "two"]);
  store.close();
});

test("jobs of a version before parts become jobs of one part, with output, files and processes", () => {
  const db = new DatabaseSync(path);
  for (let version = 1; version <= 7; version++) db.exec(MIGRATIONS[version] as string);
  const put = (kind: string, id: number, value: unknown): void =>
    void db.prepare("insert into record (kind, id, data) values (?, ?, ?)").run(kind, id, encode(value));
  const files = { "a.txt": { hash: "h", size: 3 } };
  const ended = { state: "exited", report: { kind: "exit", code: 0 }, endedAt: 9 };
  const old = { root: 5, submittedAt: 4, stdoutBytes: 3, stderrBytes: 0, files, spec: { name: "old", stdin: true } };
  put("job", 1, { id: 1, ...old, ...ended });
  put("job", 2, { id: 2, ...old, root: 6, state: "running", report: null, endedAt: null, files: {} });
  put("kernel", 2, { processes: [], pipes: [], nextPipe: 3 });
  put("process", 6, { pid: 6, job: 2, state: "running" });
  db.prepare("insert into output (job, stream, offset, pid, bytes) values (1, 1, 0, 5, ?)").run(bytes("abc"));
  db.exec("pragma user_version = 7");
  db.close();
  const store = openSqlite(path);
  const part = { job: 1, number: 1, root: 5, ...ended, tries: 1, stdoutBytes: 3, stderrBytes: 0, files };
  const records = [...store.load()];
  expect(records.map((record) => record.kind)).toEqual(["job", "job", "spec", "spec", "part", "part", "kernel", "process"]);
  expect(records[0]).toMatchObject({
    value: { id: 1, files: 1, parts: { total: 1, done: 1, failed: 0 }, since: { at: 4, ended: 0 } },
  });
  expect(records[1]).toMatchObject({ value: { id: 2, files: 0, parts: { total: 1, done: 0, failed: 0 } } });
  expect(records[2]).toEqual({ kind: "spec", job: 1, value: { name: "old", stdin: true } });
  expect(records[4]).toEqual({ kind: "part", value: part });
  expect(records[6]).toMatchObject({ kind: "kernel", part: partKey(2, 1) });
  expect(records[7]).toMatchObject({ value: { pid: 6, part: 1 } });
  expect(store.output(partKey(1, 1), 1, 0, 100, null).chunks).toMatchObject([{ pid: 5, offset: 0, bytes: bytes("abc") }]);
  store.close();
});

test("answers are stored by themselves, whatever becomes of their process's record, until they are forgotten or it is", () => {
  const store = openSqlite(path);
  const process = (pid: number, state: string): Saved => ({
    kind: "process",
    value: { pid, state, answers: { 9: { value: 1 } } } as never,
  });
  const answer = (pid: number, seq: number): Saved => ({ kind: "answer", pid, seq, value: { value: 3, bytes: bytes("abc") } });
  const stored = () => [...store.load()].flatMap((saved) => (saved.kind === "answer" ? [`${saved.pid}:${saved.seq}`] : []));
  const none = { jobs: [], pids: [], kernels: [], outputs: [], answers: [] };
  store.commit({ saved: [process(1, "running"), process(2, "running"), answer(1, 0), answer(1, 1), answer(1, 2)], output: [] });
  store.commit({ saved: [process(1, "exited"), answer(2, 0)], output: [] });
  expect([...store.load()][0]).toEqual({ kind: "process", value: { pid: 1, state: "exited" } });
  expect([...store.load()]).toContainEqual(answer(1, 1));
  expect(stored()).toEqual(["1:0", "1:1", "1:2", "2:0"]);
  store.commit({ saved: [], output: [], forgotten: [{ ...none, answers: [{ pid: 1, before: 2 }] }] });
  expect(stored()).toEqual(["1:2", "2:0"]);
  store.commit({ saved: [], output: [], forgotten: [{ ...none, pids: [1] }] });
  expect(stored()).toEqual(["2:0"]);
  store.close();
});

test("answers of a version that kept them in their process's record are still told", () => {
  const db = new DatabaseSync(path);
  for (let version = 1; version <= 14; version++) {
    const step = MIGRATIONS[version];
    if (typeof step === "string") db.exec(step);
    else step?.(db);
  }
  const value = { pid: 6, job: 2, answers: { 4: { value: 3, bytes: bytes("abc") }, 5: { value: 0 } } };
  db.prepare("insert into record (kind, id, data) values ('process', 6, ?)").run(encode(value));
  db.exec("pragma user_version = 14");
  db.close();
  const store = openSqlite(path);
  expect([...store.load()]).toEqual([
    { kind: "process", value: { pid: 6, job: 2 } },
    { kind: "answer", pid: 6, seq: 4, value: { value: 3, bytes: bytes("abc") } },
    { kind: "answer", pid: 6, seq: 5, value: { value: 0 } },
  ]);
  store.close();
});

test("experiments are kept as last saved, the newest thousand of them, newest first", () => {
  const store = openSqlite(path);
  const given = {
    ...{ who: "ada", state: "running" as const, failure: null, startedAt: 1, endedAt: null, hosts: [], n: 30, runs: 1 },
    ...{ processes: 32, results: [], step: null, job: null },
  };
  for (let at = 0; at < 1002; at++) store.experiments.add(given);
  store.experiments.save({ ...given, id: 1001, state: "done" });
  store.close();
  const { experiments } = openSqlite(path);
  expect(experiments.one(2)).toBeUndefined();
  expect(experiments.one(3)).toEqual({ ...given, id: 3 });
  expect(experiments.list(1002, 2).map(({ id, state }) => [id, state])).toEqual([
    [1001, "done"],
    [1000, "running"],
  ]);
});

test("what hosts did in an hour is added up, and forgotten after eight weeks", () => {
  const { usages, close } = (() => {
    const store = openSqlite(path);
    return { usages: store.usages, close: () => store.close() };
  })();
  const week = 7 * 24 * 3600_000;
  const hour = (at: number) => ({ host: "a", at, computing: 1, idle: 2, owner: 3, paused: 4 });
  usages.add([hour(0), { ...hour(week), host: "b" }], 0);
  usages.add([hour(0), hour(week)], week);
  expect(usages.of("a", 0)).toEqual([{ host: "a", at: 0, computing: 2, idle: 4, owner: 6, paused: 8 }, hour(week)]);
  expect(usages.of("a", 1)).toEqual([hour(week)]);
  usages.add([], 8 * week + 1);
  expect(usages.of("a", 0)).toEqual([hour(week)]);
  close();
});

test("what hosts have earned adds up by day, is there after the store is opened again, and not when its transaction failed", () => {
  const DAY = 86_400_000;
  const store = openSqlite(path);
  const earned = (at: number, host: string, credit: number) => ({ at, host, cpuMs: credit * 10, credit });
  store.commit({ saved: [], output: [], earned: [earned(5, "amun", 1), earned(6, "amun", 2), earned(DAY * 3, "ipc256", 4)] });
  expect(() =>
    store.commit({
      saved: [],
      output: [],
      earned: [earned(7, "amun", 100)],
      forgotten: [{ jobs: [Symbol("no number")] } as never],
    }),
  ).toThrow();
  store.close();
  const again = openSqlite(path);
  expect(again.credit.since(0)).toEqual([
    { host: "ipc256", cpuMs: 40, credit: 4 },
    { host: "amun", cpuMs: 30, credit: 3 },
  ]);
  expect(again.credit.since(DAY + 1)).toEqual([{ host: "ipc256", cpuMs: 40, credit: 4 }]);
  again.close();
});

test("measurements are kept, the newest hundred of a machine and the newest thousand of all, until one is removed", () => {
  const store = openSqlite(path);
  const times = { name: "fft", native: null, plainWasm: 1, migratable: 1.1, plainBytes: 1, migratableBytes: 2 };
  const of = (name: string) => ({
    ...{ at: 1, who: "client ada", rounds: 5, quick: false, programs: [times] },
    machine: { name, cpuModel: "P4", cores: 1, platform: "linux x64", node: "v24" },
  });
  for (let at = 0; at < 102; at++) store.measurements.add(of("amun"));
  store.measurements.add(of("ipc256"));
  store.close();
  const again = openSqlite(path);
  const { measurements } = again;
  expect([measurements.one(2), measurements.one(3)]).toEqual([undefined, { ...of("amun"), id: 3 }]);
  expect(measurements.list(103, 2, "").map(({ id }) => id)).toEqual([102, 101]);
  expect(measurements.list(1000, 2, "ipc256").map(({ id }) => id)).toEqual([103]);
  expect(measurements.machines()).toEqual(["amun", "ipc256"]);
  for (let at = 0; at < 1000; at++) measurements.add(of(`office-${at % 20}`));
  expect([measurements.one(103), measurements.one(104)?.id]).toEqual([undefined, 104]);
  expect([measurements.remove(104), measurements.remove(104), measurements.one(104)]).toEqual([true, false, undefined]);
  again.close();
});
