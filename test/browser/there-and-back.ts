// What a tab must do as a host beside a headless agent named "desk", however its page came.
import { expect } from "vitest";
import { type Cluster, local, moduleOf, Received, until } from "../cluster.ts";
import { unmovable } from "../unmovable.ts";

export const computesOn = (cluster: Cluster, job: number, host: string): Promise<unknown> =>
  until(`job ${job} computes on ${host}`, async () =>
    (await cluster.ps(job, false)).find((row) => row.host === host && row.state === "running"),
  );

/** A process moves from the desk to the tab, back, and again while it runs, and prints what it prints undisturbed. */
export async function goesThereAndBack(cluster: Cluster, tab: string): Promise<void> {
  const args = ["600", "2000"];
  const submitted = await cluster.submit("steady-lines.c", args, { startOn: "desk", stay: true });
  const received = new Received();
  const end = cluster.end(submitted, received);
  for (const host of [tab, "desk", tab]) {
    const before = received.bytes[1];
    await until("it prints", () => received.bytes[1] > before);
    await cluster.client.request("migrate", { pid: submitted.pid, host });
    await computesOn(cluster, submitted.job, host);
  }
  const here = await local("steady-lines.c", args);
  const ended = await end;
  expect(ended).toMatchObject({ stdout: here.out, stderr: here.err, report: { kind: "exit", code: 0 } });
  expect(ended.info).toMatchObject({ migratedRunning: 3, restarts: 0 });
  expect(ended.info.freezesMs).toHaveLength(3);
}

/** A program that forks in the tab has its children on both hosts. */
export async function forks(cluster: Cluster, tab: string): Promise<void> {
  const args = ["27", "1"];
  const ended = await cluster.run("fork-fibonacci", args, { startOn: tab });
  expect(ended).toMatchObject({ stdout: (await local("fork-fibonacci", args)).out, report: { kind: "exit", code: 0 } });
}

/** A program that cannot be moved reads and prints in the tab; where the engine keeps no stacks, it goes to the desk. */
export async function runsPinned(cluster: Cluster, tab: string, host = tab): Promise<void> {
  const name = "read-and-compute.c";
  const { program } = await cluster.prepared(unmovable(await moduleOf(name)), true);
  const { job, pid } = await cluster.submit(name, ["20000"], { program, startOn: tab, stdin: true });
  const end = cluster.end({ job, pid });
  const input = Buffer.from("one\ntwo\nthree\n");
  await cluster.client.request("stdin", { job, offset: 0, bytes: new Uint8Array(input), end: true });
  const ended = await end;
  expect(ended).toMatchObject({
    stdout: (await local(name, ["20000"], { stdin: input })).out,
    report: { kind: "exit", code: 0 },
  });
  expect((await cluster.ps(job))[0]).toMatchObject({ host, pinned: true });
}
