import { join } from "node:path";
import { openSqlite } from "@nightshift/coordinator/store";
import { beforeAll, expect, test } from "vitest";
import { Cluster, delay, local, Received, until } from "../cluster.ts";

/** Short, so that a lost host is noticed within the test; long enough for a machine that has much else to do. */
const settings = { leaseMs: 2000, checkpointMs: 300 };
const FIBONACCI = ["33", "5"];
const LINES = ["2000", "600"];

/** It stays where the test has it, also when one of the hosts was measured at a busy moment and looks slow. */
const STAY = { startOn: "amun", stay: true };

let fibonacci: string;
let lines: { out: string; err: string };
beforeAll(async () => {
  fibonacci = (await local("fork-fibonacci", FIBONACCI)).out;
  lines = await local("steady-lines.c", LINES);
  expect(lines.out.split("\n")).toHaveLength(2001);
  expect(lines.err.split("\n")).toHaveLength(201);
});

/** Both streams of the job have this many bytes at least. */
const underway = (received: Received, stdout: number): Promise<true> =>
  until(`${stdout} bytes of output have come`, () => received.bytes[1] >= stdout);

async function fibonacciUnderway(cluster: Cluster, job: number): Promise<void> {
  await until("32 processes exist and both hosts compute", async () => {
    const rows = (await cluster.ps(job)).filter((row) => row.state === "running");
    return (await cluster.ps(job)).length === 32 && rows.some((r) => r.host === "amun") && rows.some((r) => r.host === "ipc256");
  });
}

test("an agent that is told to end says goodbye: its process goes on elsewhere, however long the lease", async () => {
  await using cluster = await Cluster.start({ settings: { ...settings, leaseMs: 600_000 }, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES, STAY);
  const received = new Received();
  const end = cluster.end(submitted, received);
  await underway(received, 1000);
  process.kill(cluster.pidOf("amun"), "SIGTERM");
  expect(await end).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
});

test("an agent killed in mid-run of fork-fibonacci: its processes go on elsewhere, the output is the undisturbed one", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("fork-fibonacci", FIBONACCI);
  await fibonacciUnderway(cluster, submitted.job);
  await cluster.killAgent("ipc256");
  const ended = await cluster.end(submitted);
  expect(ended).toMatchObject({ stdout: fibonacci, stderr: "", report: { kind: "exit", code: 0 } });
  expect(ended.info.restarts).toBeGreaterThan(0);
});

test("an agent killed while its program prints: no line is lost or repeated, on either stream", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES, STAY);
  const received = new Received();
  const end = cluster.end(submitted, received);
  await underway(received, lines.out.length / 3);
  await cluster.killAgent("amun");
  const ended = await end;
  expect(ended).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
  // It is written down that it came to the other host to do again what was lost, and did not just move there.
  const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
  const stays = store.journal.stays(submitted.job, 100).filter(({ host }) => host !== null);
  store.close();
  expect(stays.map(({ again }) => again)).toEqual([false, true]);
  expect(ended.info.restarts).toBe(1);
  expect((await cluster.ps(ended.job))[0]?.host).toBe("ipc256");
});

test("the coordinator killed in mid-run of fork-fibonacci and started again: agents come back, the output is the undisturbed one", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("fork-fibonacci", FIBONACCI);
  await fibonacciUnderway(cluster, submitted.job);
  await cluster.killCoordinator();
  await cluster.startCoordinator();
  expect(await cluster.end(submitted)).toMatchObject({ stdout: fibonacci, stderr: "", report: { kind: "exit", code: 0 } });
});

test("the coordinator killed three times while a program prints: who follows by offset gets every byte exactly once", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES);
  const received = new Received();
  const end = cluster.end(submitted, received);
  for (const part of [0.2, 0.4, 0.6]) {
    await underway(received, lines.out.length * part);
    await cluster.killCoordinator();
    await cluster.startCoordinator();
  }
  const ended = await end;
  expect(ended).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
  expect(ended.info.restarts).toBe(0);
});

test("coordinator and agents all killed at once and started again: every job goes on from its last image", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const printing = await cluster.submit("steady-lines.c", LINES);
  const received = new Received();
  const end = cluster.end(printing, received);
  const forking = await cluster.submit("fork-fibonacci", FIBONACCI);
  await fibonacciUnderway(cluster, forking.job);
  await Promise.all([cluster.killCoordinator(), cluster.killAgent("amun"), cluster.killAgent("ipc256")]);
  await cluster.startCoordinator();
  await Promise.all([cluster.startAgent("amun"), cluster.startAgent("ipc256")]);
  expect(await end).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
  expect(await cluster.end(forking)).toMatchObject({ stdout: fibonacci, stderr: "", report: { kind: "exit", code: 0 } });
});

test("a host that was thought dead and comes back late is fenced off: its process has gone on elsewhere", async () => {
  await using cluster = await Cluster.start({ settings, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES, STAY);
  const received = new Received();
  const end = cluster.end(submitted, received);
  await underway(received, lines.out.length / 5);
  process.kill(cluster.pidOf("amun"), "SIGSTOP");
  await until("the process runs on ipc256", async () => (await cluster.ps(submitted.job))[0]?.host === "ipc256");
  process.kill(cluster.pidOf("amun"), "SIGCONT");
  const ended = await end;
  expect(ended).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
  await until("amun has let go of it", async () => {
    const { status } = await cluster.control("amun", { command: "status" });
    return status.connected === true && (status.processes as unknown[]).length === 0;
  });
});

/** Enough for the worst moment to be among them. */
const MOVES = 120;

/**
 * Moves the process to and fro every 50 ms until the job is over, or often enough. On a machine with much else to do a move takes so
 * long that the process would never get on; so each waits until the one before has let it print something.
 */
async function toAndFro(cluster: Cluster, pid: number, end: Promise<unknown>, received: Received): Promise<void> {
  let over = false;
  const stop = (): void => {
    over = true;
  };
  void end.then(stop, stop);
  for (let turn = 0; !over && turn < MOVES; turn++) {
    const before = received.bytes[1];
    await cluster.client
      .request("migrate", { pid, host: turn % 2 === 0 ? "ipc256" : "amun" })
      // It may just have ended, and the coordinator or a host may just have been killed by the test.
      .catch((error) => {
        if (!/^NS_(NOT_RUNNING|CONNECTION_LOST|NO_SUCH_HOST|HOST_UNAVAILABLE)$/.test(error.code)) throw error;
      });
    await delay(50);
    while (!over && received.bytes[1] === before) await delay(5);
  }
}

test("a process moved between two hosts every 50 ms prints the same bytes", async () => {
  await using cluster = await Cluster.start({ settings: { ...settings, balance: false }, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES, STAY);
  const received = new Received();
  const end = cluster.end(submitted, received);
  await toAndFro(cluster, submitted.pid, end, received);
  const ended = await end;
  expect(ended).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
  expect(ended.info.migrations).toBeGreaterThan(20);
});

test("a process moved every 50 ms while the coordinator is killed again and again is never lost on its way", async () => {
  await using cluster = await Cluster.start({ settings: { ...settings, balance: false }, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", LINES, STAY);
  const received = new Received();
  const end = cluster.end(submitted, received);
  const moving = toAndFro(cluster, submitted.pid, end, received);
  for (let part = 0.1; part < 0.7; part += 0.1) {
    await underway(received, lines.out.length * part);
    await cluster.killCoordinator();
    await cluster.startCoordinator();
  }
  await moving;
  expect(await end).toMatchObject({ stdout: lines.out, stderr: lines.err, report: { kind: "exit", code: 0 } });
});
