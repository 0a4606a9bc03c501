// What a tab must do as a host beside a headless agent named "desk", however its page came.
import { expect } from "vitest";
import { type Cluster, local, Received, until } from "../cluster.ts";

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
