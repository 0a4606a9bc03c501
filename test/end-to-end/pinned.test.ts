import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, delay, type JobOptions, local, moduleOf, Received, refusal, until } from "../cluster.ts";
import { hoarding, unmovable } from "../unmovable.ts";

let cluster: Cluster;
let program: string;
beforeAll(async () => {
  // A lost host is given up soon.
  cluster = await Cluster.start({ agents: ["amun", "ipc256"], settings: { leaseMs: 2000 } });
  program = (await cluster.prepared(unmovable(await moduleOf("read-and-compute.c")), true)).program;
});
afterAll(() => cluster?.close());

const NAME = "read-and-compute.c";
const LINES = Array.from({ length: 40 }, (_, at) => `line ${at}\n`).join("");

const submit = (args: readonly string[], more: JobOptions & { program?: string } = {}) =>
  cluster.submit(NAME, args, { program, ...more });

const sendAll = (job: number) =>
  cluster.client.request("stdin", { job, offset: 0, bytes: new Uint8Array(Buffer.from(LINES)), end: true });

/** Where the process computes. */
const computing = (job: number, not = "") =>
  until(`job ${job} computes on another host than "${not}"`, async () => {
    const [row] = await cluster.ps(job);
    if (row?.state !== "running" || !row.host || row.host === not) return undefined;
    const { status } = await cluster.control(row.host, { command: "status" });
    return status.running === 1 ? { host: row.host, row } : undefined;
  });

/** Of the agent's whole process; the kernel counts hundredths of a second. */
function processorMs(agent: string): number {
  const fields = readFileSync(`/proc/${cluster.pidOf(agent)}/stat`, "utf8")
    .replace(/.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

test("what cannot be moved is refused with the reason, and told with the same one when it may stay on its host", async () => {
  const module = unmovable(await moduleOf("hello"));
  const error = await refusal(cluster.instrument(module));
  expect(error).toMatchObject({ code: "NS_NOT_MIGRATABLE", message: expect.stringMatching(/mutable global of type externref/) });
  const made = await cluster.prepared(module, true);
  expect(made).toMatchObject({ pinned: error.message });
  // It is known by now, and refused all the same.
  expect((await refusal(cluster.instrument(module))).message).toBe(error.message);
  expect(await cluster.prepared(module, true)).toMatchObject({ program: made.program, cached: true });
  // One that can be moved is.
  expect(await cluster.prepared(await moduleOf("hello"), true)).toMatchObject({ pinned: null });
  const { job, pid } = await submit([], { program: made.program });
  expect(await cluster.end({ job, pid })).toMatchObject({
    report: { kind: "exit", code: 0 },
    stdout: expect.stringMatching(/./),
  });
});

test("what makes objects whose memory nobody could limit is refused all the same", async () => {
  const error = await refusal(cluster.prepared(hoarding(), true));
  expect(error).toMatchObject({
    code: "NS_NOT_MIGRATABLE",
    message: expect.stringMatching(/garbage-collected.*limit how much memory/),
  });
});

test("it stays where it is; when the owner comes back nothing computes, and it begins anew on another host", async () => {
  const args = ["100", "1500000"];
  const submitted = await submit(args, { stdin: true });
  const received = new Received();
  const end = cluster.end(submitted, received);
  await sendAll(submitted.job);
  const { host, row } = await computing(submitted.job);
  expect(row).toMatchObject({ pinned: true });
  const other = host === "amun" ? "ipc256" : "amun";
  const move = cluster.client.request("migrate", { pid: submitted.pid, host: other });
  expect(await refusal(move)).toMatchObject({
    code: "NS_NOT_MIGRATABLE",
    message: expect.stringMatching(/pinned to its host: .*externref/),
  });
  await until("all lines have come", () => received.stdout.split("\n").length > 40);
  await delay(200);
  expect(await computing(submitted.job)).toMatchObject({ host, row: { migrations: 0 } });
  // It has not stopped yet, and is seen to compute all the same.
  await until("its processor time is told", async () => ((await cluster.ps(submitted.job))[0]?.cpuMs ?? 0) > 100);
  const { status } = await cluster.control(host, { command: "pause" });
  expect(status).toMatchObject({ running: 0 });
  await until("it has told that it stopped", () => cluster.said(host).some(({ event }) => event === "stopped"));
  await until("its threads use no processor", async () => {
    const before = processorMs(host);
    await delay(300);
    return processorMs(host) - before < 60;
  });
  expect(await computing(submitted.job, host)).toMatchObject({ host: other });
  await cluster.control(host, { command: "resume" });
  const here = await local(NAME, args, { stdin: new Uint8Array(Buffer.from(LINES)) });
  const { stdout, report, info } = await end;
  expect({ stdout, report }).toEqual({ stdout: here.out, report: { kind: "exit", code: 0 } });
  expect(info).toMatchObject({ restarts: 1, migrations: 0 });
});

test("its host is lost: it reads the same input again and prints nothing twice", async () => {
  const args = ["20000", "100"];
  const submitted = await submit(args, { stdin: true });
  const received = new Received();
  const end = cluster.end(submitted, received);
  await sendAll(submitted.job);
  const { host } = await computing(submitted.job);
  await until("it has printed some", () => received.stdout.split("\n").length > 5);
  await cluster.killAgent(host);
  const here = await local(NAME, args, { stdin: new Uint8Array(Buffer.from(LINES)) });
  const { stdout, report, info } = await end;
  expect({ stdout, report }).toEqual({ stdout: here.out, report: { kind: "exit", code: 0 } });
  expect(info.restarts).toBe(1);
  await cluster.startAgent(host);
});

test("its processor time can be limited, it can be cancelled while it computes, and others' work goes on", async () => {
  const long = ["1", "2000000"];
  const limited = await submit(long, { cpuLimitMs: 300 });
  expect(await cluster.end(limited)).toMatchObject({ report: { kind: "fault", code: "NS_TIMEOUT" } });
  const cancelled = await submit(long);
  const { host } = await computing(cancelled.job);
  // Another program on the same host, before and after.
  const beside = await cluster.submit("steady-lines.c", ["50", "10"], { startOn: host });
  await cluster.client.request("cancel", { pid: null, job: cancelled.job });
  expect((await cluster.end(beside)).report).toEqual({ kind: "exit", code: 0 });
  await until("nothing computes", async () => {
    const { status } = await cluster.control(host, { command: "status" });
    return status.running === 0 && (status.processes as unknown[]).length === 0;
  });
});
