// The overhead experiment as people start it, on real agents: what it measures, when it refuses, and how it ends otherwise.

import type { ExperimentView } from "@nightshift/coordinator/protocol";
import { must } from "@nightshift/wasm-kernels/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, refusal, until } from "../cluster.ts";

const HOSTS: [string, string] = ["amun", "ipc256"];
/** Each process takes a few milliseconds. */
const QUICK = 22;
/** Far longer than any test: to be ended before. */
const LONG = 46;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ agents: [...HOSTS, "idle"] });
});
afterAll(() => cluster?.close());

const start = (more: Partial<{ hosts: [string, string]; runs: number; n: number }> = {}): Promise<ExperimentView> =>
  cluster.client.request("overheadStart", { hosts: HOSTS, runs: 2, n: QUICK, ...more });
const show = (id: number): Promise<ExperimentView> => cluster.client.request("overheadShow", { id });
const ended = (id: number): Promise<ExperimentView> =>
  until(`experiment ${id} has ended`, async () => {
    const experiment = await show(id);
    return experiment.state !== "running" && experiment;
  });
/** When it measures on the first host alone. */
const measuring = (id: number): Promise<ExperimentView> =>
  until(`experiment ${id} measures`, async () => {
    const experiment = await show(id);
    const job = experiment.results[0]?.jobs.ta;
    return job !== undefined && (await cluster.ps(job, false)).length === 32 && experiment;
  });
const idle = (): Promise<boolean> => until("nothing runs", async () => (await cluster.ps(null, false)).length === 0);

test("each part runs on its hosts only, prints what it must, and the overhead is reckoned from the three times", async () => {
  const begun = await start();
  expect(begun).toMatchObject({ state: "running", step: "preparing", processes: 32, results: [], figures: null });
  const done = await ended(begun.id);
  expect(done).toMatchObject({ state: "done", failure: null, step: null, n: QUICK, runs: 2 });
  expect(done.hosts.map(({ name }) => name)).toEqual(HOSTS);
  expect(done.results).toHaveLength(2);
  for (const { ta, ti, tb, overhead, jobs, disturbed } of done.results) {
    const [a, i, b] = [must(ta, "ta"), must(ti, "ti"), must(tb, "tb")];
    expect(Math.min(a, i, b)).toBeGreaterThan(0);
    expect(overhead).toBeCloseTo(b / a + b / i - 1, 10);
    expect(disturbed).toBe(false);
    const hostsOf = async (job = 0): Promise<(string | null)[]> => {
      const stays = await cluster.ps(job);
      expect(stays).toHaveLength(32);
      return [...new Set(stays.map(({ host }) => host))].sort();
    };
    expect(await hostsOf(jobs.ta)).toEqual(["amun"]);
    expect(await hostsOf(jobs.ti)).toEqual(["ipc256"]);
    expect(await hostsOf(jobs.tb)).not.toContain("idle");
  }
  const [first, second] = done.results.map(({ overhead }) => overhead ?? 0);
  expect(done.figures?.median.overhead).toBeCloseTo(((first ?? 0) + (second ?? 0)) / 2, 10);
  expect((await cluster.client.request("overheadList", {}))[0]).toEqual(done);
});

test("it refuses hosts that are not two, not there, or that compute for others, and a second one beside the first", async () => {
  expect((await refusal(start({ hosts: ["amun", "amun"] }))).code).toBe("NS_USAGE");
  expect((await refusal(start({ hosts: ["amun", "nobody"] }))).code).toBe("NS_NO_SUCH_HOST");
  expect((await refusal(start({ n: 47 }))).code).toBe("NS_BAD_MESSAGE");
  const { job } = await cluster.submit("steady-lines.c", ["100000", "3000"], { startOn: "ipc256", stay: true });
  await until("it runs", async () => (await cluster.ps(job))[0]?.state === "running");
  expect((await refusal(start())).code).toBe("NS_HOST_BUSY");
  // On other hosts than those it goes on beside it.
  const { id } = await start({ hosts: ["amun", "idle"], n: LONG });
  expect((await refusal(start({ hosts: ["amun", "idle"] }))).code).toBe("NS_ALREADY_RUNNING");
  await cluster.client.request("overheadCancel", { id });
  expect(await ended(id)).toMatchObject({ state: "cancelled", failure: null });
  expect((await refusal(cluster.client.request("overheadCancel", { id }))).code).toBe("NS_NOT_RUNNING");
  expect((await cluster.ps(job))[0]?.state).toBe("running");
  await cluster.client.request("cancel", { job, pid: null });
  await idle();
});

test("when others come to its hosts the run says so; cancelled, it leaves nothing behind", async () => {
  const { id } = await start({ n: LONG });
  const { results } = await measuring(id);
  expect(results[0]).toMatchObject({ disturbed: false, ta: null });
  const { job } = await cluster.submit("steady-lines.c", ["100000", "3000"], { onlyOn: [(await show(id)).hosts[1]?.id ?? ""] });
  await until("it is told", async () => (await show(id)).results[0]?.disturbed);
  await cluster.client.request("cancel", { job, pid: null });
  await cluster.client.request("overheadCancel", { id });
  expect((await ended(id)).results[0]).toMatchObject({ disturbed: true, overhead: null });
  await idle();
});

test("an owner who comes back ends it at once, and it says why", async () => {
  const { id } = await start({ n: LONG });
  await measuring(id);
  const document = { version: 1, by: "IT", locked: { mode: "never" }, defaults: {} };
  await cluster.client.request("policySet", { scope: "host:ipc256", document, preview: false });
  expect(await ended(id)).toMatchObject({
    state: "failed",
    failure: { code: "NS_HOST_UNAVAILABLE", message: "ipc256 is paused (switched off (set by IT))" },
  });
  await idle();
  await cluster.client.request("policyUndo", { scope: "host:ipc256", version: null });
  await until("it computes again", async () =>
    (await cluster.client.request("hosts", {})).every(({ paused }) => paused === null),
  );
});

test("an experiment that the coordinator did not outlive is told as interrupted, and its processes end", async () => {
  const { id } = await start({ n: LONG });
  await measuring(id);
  const before = await cluster.client.request("overheadList", {});
  await cluster.killCoordinator();
  await cluster.startCoordinator();
  await cluster.connect();
  expect(await show(id)).toMatchObject({ state: "interrupted", step: null, figures: null });
  await idle();
  const after = await cluster.client.request("overheadList", {});
  expect(after.slice(1)).toEqual(before.slice(1));
  await until("the hosts are back", async () => (await cluster.client.request("hosts", {})).every(({ online }) => online));
  expect(await ended((await start({ runs: 1 })).id)).toMatchObject({ state: "done", id: id + 1 });
});
