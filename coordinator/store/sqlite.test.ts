import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Saved } from "../scheduler/index.ts";
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
const chunk = (offset: number, text: string, pid = 1) => ({ job: 1, pid, stream: 1 as const, offset, bytes: bytes(text) });

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
      { kind: "kernel", job: 1, value: { processes: [], pipes: [], nextPipe: 3 } },
    ],
    output: [],
  });
  store.commit({ saved: [{ kind: "process", value: { pid: 7, state: "running" } as never }], output: [] });
  store.close();
  const again = openSqlite(path);
  const records = [...again.load()];
  expect(records.map((record) => record.kind)).toEqual(["job", "kernel", "process"]);
  expect(records[2]).toMatchObject({ value: { pid: 7, state: "running" } });
  expect(records[1]).toMatchObject({ job: 1, value: { nextPipe: 3 } });
  again.close();
});

test("output is given back from any offset, of all processes or of one, and kept once however often it comes", () => {
  const store = openSqlite(path);
  store.commit({ saved: [], output: [chunk(0, "hello "), chunk(6, "world", 2)] });
  store.commit({ saved: [], output: [chunk(0, "hello ")] });
  const text = (from: number, pid: number | null): string =>
    store
      .output(1, 1, from, 1000, pid)
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
    store.commit({ saved: [job(1)], output: [{ job: 1, pid: 1, stream: 1, offset: 0, bytes: null as never }] }),
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
  const made = { program: "b".repeat(64), sizeBytes: 1, functions: 2, sites: 3 };
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

test("events are found by any of their words, newest first and page by page; a percent sign is just one", () => {
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
  const found = (text: string, before = 99, limit = 9) => store.journal.search({ text, before, limit }).map(({ at }) => at);
  expect(found("ada")).toEqual([3, 1]);
  expect(found("SURE")).toEqual([2, 1]);
  expect(found("100%")).toEqual([1]);
  expect(found("%")).toEqual([1]);
  expect(found("", 3, 1)).toEqual([2]);
  store.journal.prune(2 + 365 * 24 * 3600_000);
  expect(found("")).toEqual([3, 2]);
  store.close();
});

test("an invitation makes one user, and ends the sessions that user had", () => {
  const { people, close } = openPeople();
  people.saveInvitation({ hash: "h", name: null, role: "viewer", expiresAt: 9 });
  const ada = { name: "ada", role: "viewer" as const, password: "x", createdAt: 1 };
  people.saveSession({ hash: "s", user: "ada", createdAt: 1, expiresAt: 9 });
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
  people.saveSession({ hash: "s", user: "ada", createdAt: 1, expiresAt: 9 });
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
  const kernel = (id: number): Saved => ({ kind: "kernel", job: id, value: { processes: [], pipes: [], nextPipe: 3 } });
  store.commit({
    saved: [job(1), job(2), kernel(1), kernel(2), process(1), process(2)],
    output: [chunk(0, "first"), { ...chunk(0, "second", 2), job: 2 }],
  });
  store.commit({ saved: [], output: [], forgotten: [{ jobs: [1], pids: [1] }] });
  expect([...store.load()].map((saved) => (saved.kind === "kernel" ? saved.job : Object.values(saved.value)[0]))).toEqual([
    2, 2, 2,
  ]);
  expect(store.output(1, 1, 0, 100, null).chunks).toEqual([]);
  expect(store.output(2, 1, 0, 100, null).chunks).toHaveLength(1);
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
