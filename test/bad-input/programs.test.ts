import { signalOfFault } from "@nightshift/wasm-kernels/process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, Received, until } from "../cluster.ts";

let cluster: Cluster;
/** A job that runs beside all the bad ones, in the same agent, and must not notice. */
let neighbour: { job: number; pid: number };
const printed = new Received();

beforeAll(async () => {
  cluster = await Cluster.start({ agents: { amun: 2 } });
  neighbour = await cluster.submit("steady-lines.c", ["1000000", "500"]);
  const follow = { job: neighbour.job, pid: null, follow: true };
  await cluster.client.attach(follow, (event) => printed.take(event));
});
afterAll(() => cluster?.close());

/** The neighbour computes on and was never restarted. */
async function undisturbed(): Promise<void> {
  const before = printed.bytes[1];
  await until("the neighbour prints more", () => printed.bytes[1] > before);
  expect(printed.report).toBeUndefined();
  expect((await cluster.client.request("job", { job: neighbour.job })).restarts).toBe(0);
}

describe("a program that fails by its own doing ends with the fault, its stack and what it had printed", () => {
  const faults = [
    { how: "abort", code: "NS_TRAP", message: /unreachable/, stack: /^abort/, signal: 6 },
    { how: "divide", code: "NS_TRAP", message: /divide by zero/, stack: /^divides/, signal: 8 },
    { how: "outside", code: "NS_TRAP", message: /memory access out of bounds/, stack: /^reads_outside/, signal: 11 },
    { how: "recurse", code: "NS_STACK_OVERFLOW", message: /recurses too deeply/, stack: /^recurses/, signal: 11 },
    { how: "call", code: "NS_TRAP", message: /function signature mismatch|null function/, stack: /^calls_wrongly/, signal: 4 },
    { how: "hoard", code: "NS_MEMORY_LIMIT", message: /32 MiB/, stack: /./, signal: 9 },
  ];
  test.each(faults)("$how", async ({ how, code, message, stack, signal }) => {
    const ended = await cluster.run("faults.c", [how], { memoryLimitBytes: 32 * 2 ** 20 });
    expect(ended.stdout).toBe(`about to: ${how}\n`);
    expect(ended.info.state).toBe("failed");
    if (ended.report.kind !== "fault") throw new Error(`it ended with ${JSON.stringify(ended.report)}`);
    expect(ended.report.code).toBe(code);
    expect(ended.report.message).toMatch(message);
    expect(ended.report.wasmStack[0]).toMatch(stack);
    // Of an endless recursion only the innermost frames are kept.
    if (how !== "recurse") expect(ended.report.wasmStack.join("\n")).toMatch(/main/);
    expect(signalOfFault(ended.report.code, ended.report.message)).toBe(signal);
    const here = await local("faults.c", [how], { memoryLimitBytes: 32 * 2 ** 20 });
    expect(here.stop).toMatchObject({ kind: "fault", code: ended.report.code, message: ended.report.message });
    await undisturbed();
  });
});

test("an endless program is ended when its processor time is used up", async () => {
  const ended = await cluster.run("faults.c", ["loop"], { cpuLimitMs: 300 });
  expect(ended.report).toMatchObject({ kind: "fault", code: "NS_TIMEOUT", message: expect.stringContaining("0.3 s") });
  const cpuMs = (await cluster.ps(ended.job))[0]?.cpuMs ?? 0;
  expect(cpuMs).toBeGreaterThanOrEqual(300);
  expect(cpuMs).toBeLessThan(1500);
  await undisturbed();
});

test("a program that begins with more memory than its limit is refused with the limit", async () => {
  const ended = await cluster.run("hello", [], { memoryLimitBytes: 65_536 });
  expect(ended.report).toMatchObject({
    kind: "fault",
    code: "NS_MEMORY_LIMIT",
    message: expect.stringMatching(/^the program begins with \d+(\.\d)? MiB of memory; its limit is 0\.1 MiB$/),
  });
  await undisturbed();
});

test("a parent whose child fails by a trap sees the signal and goes on", async () => {
  const ended = await cluster.run("child-faults.c", []);
  expect(ended).toMatchObject({
    stdout: "child ended by signal 8\nchild ended by signal 11\n",
    report: { kind: "exit", code: 3 },
  });
});
