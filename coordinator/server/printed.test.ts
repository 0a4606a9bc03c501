import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FromAgent, JobSpec, ToAgent } from "../protocol/index.ts";
import { DEFAULT_SETTINGS } from "../scheduler/index.ts";
import { openSqlite, type Store } from "../store/index.ts";
import { Coordinator } from "./coordinator.ts";
import { tellPrinted } from "./printed.ts";

const SPEC: JobSpec = {
  ...{ name: "dusk", program: "a".repeat(64), args: ["dusk"], env: {}, files: {}, memoryLimitBytes: 1, cpuLimitMs: 0 },
  ...{ clock: "virtual", startOn: null, stay: false, stdin: false },
};
const INFO = { name: "amun", os: "", arch: "", cpuModel: "", slots: 4, memoryBytes: 2 ** 34, speed: 100 };

let directory: string;
let store: Store;
let coordinator: Coordinator;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "printed-"));
  store = openSqlite(join(directory, "state.sqlite"));
  coordinator = new Coordinator(store, DEFAULT_SETTINGS, (thrown) => {
    throw thrown;
  });
  coordinator.apply((core, now) => core.hostConnected("amun", INFO, [], now));
});
afterEach(() => {
  coordinator.flush();
  store.close();
  rmSync(directory, { recursive: true });
});

const submitted = (more: Partial<JobSpec>): number =>
  coordinator.apply((core, now) => core.submit({ ...SPEC, ...more }, now)).root;
const say = (message: FromAgent): void => coordinator.apply((core, now) => core.agentMessage("amun", message, now));
const prints = (pid: number, offset: number, bytes: Uint8Array, stream: 1 | 2 = 1): void =>
  say({ type: "output", pid, epoch: 1, stream, offset, bytes });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** @returns what the host is answered */
async function asks(pid: number, offset: number, { host = "amun", epoch = 1 } = {}) {
  const told: Extract<ToAgent, { type: "printed" }>[] = [];
  tellPrinted(coordinator, host, { type: "askPrinted", pid, epoch, offset }, (printed) => told.push(printed));
  await coordinator.stored();
  return told.map(({ offset: from, bytes, end }) => [from, Buffer.from(bytes).toString(), end]);
}

test("the host that has a process is told what it has printed from there on, and how much it is", async () => {
  const pid = submitted({ show: "image" });
  prints(pid, 0, text("P6 2 2 255 "));
  prints(pid, 0, text("progress"), 2);
  prints(pid, 11, text("abc"));
  expect(await asks(pid, 0)).toEqual([[0, "P6 2 2 255 abc", 14]]);
  expect(await asks(pid, 12)).toEqual([[12, "bc", 14]]);
  expect(await asks(pid, 99)).toEqual([[14, "", 14]]);
});

test("as much as fits into a message at a time", async () => {
  const pid = submitted({ show: "image" });
  const piece = new Uint8Array(200_000).fill(120);
  for (const offset of [0, 200_000]) prints(pid, offset, piece);
  const lengths = async (from: number) => (await asks(pid, from)).map(([at, bytes, end]) => [at, String(bytes).length, end]);
  expect(await lengths(0)).toEqual([[0, 256 * 1024, 400_000]]);
  expect(await lengths(256 * 1024)).toEqual([[256 * 1024, 400_000 - 256 * 1024, 400_000]]);
});

test("nobody else is told: not of work that is not to be seen, not another host, not one that had it before", async () => {
  const [open, closed] = [submitted({ show: "image" }), submitted({})];
  for (const pid of [open, closed]) prints(pid, 0, text("abc"));
  expect(await asks(closed, 0)).toEqual([]);
  expect(await asks(open, 0, { host: "ipc256" })).toEqual([]);
  expect(await asks(open, 0, { epoch: 0 })).toEqual([]);
  expect(await asks(999, 0)).toEqual([]);
});

test("where another process of the part has printed, too, only what comes is known", async () => {
  const pid = submitted({ show: "spectrum" });
  prints(pid, 0, text("1\n2\n"));
  say({ type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: "b".repeat(64) } });
  const child = [...coordinator.core.processes.keys()].find((other) => other !== pid) ?? 0;
  // What was printed before the fork is its beginning, too.
  prints(child, 4, text("3\n"));
  expect(await asks(child, 0)).toEqual([[0, "1\n2\n3\n", 6]]);
  expect(await asks(pid, 0)).toEqual([[4, "", 4]]);
  prints(pid, 4, text("9\n"));
  expect(await asks(child, 0)).toEqual([[6, "", 6]]);
});
