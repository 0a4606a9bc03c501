import { describe, expect, test } from "vitest";
import type { ExitReport, FromAgent, HostInfo, JobSpec, ToAgent } from "../protocol/index.ts";
import { Core, DEFAULT_SETTINGS } from "./core.ts";
import type { Outcome } from "./records.ts";
import type { Saved } from "./state.ts";

const spec = (args: string[], values: string[], more: Partial<JobSpec> = {}): JobSpec => ({
  ...{ name: "job", program: "a".repeat(64), args, env: {}, files: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0 },
  ...{ clock: "virtual", startOn: null, stay: false, stdin: false, sweep: { parameters: { x: values }, sets: [] } },
  ...more,
});
const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at + 1));
const DONE: ExitReport = { kind: "exit", code: 0 };

/** A core whose hosts do what they are told by hand; what is stored is counted. */
class Cluster {
  now = 1000;
  readonly core: Core;
  readonly runs: { host: string; pid: number; epoch: number; args: string[]; seed: string }[] = [];
  readonly forgotten: Outcome["forgotten"][] = [];
  stored: Saved[] = [];

  constructor(saved: Iterable<Saved> = []) {
    this.core = new Core({ ...DEFAULT_SETTINGS, balance: false }, saved, this.now);
  }
  do<T>(event: (core: Core, now: number) => T): T {
    const result = event(this.core, this.now);
    const { changed, effects, forgotten } = this.core.take();
    this.stored.push(...structuredClone(changed));
    this.forgotten.push(forgotten);
    for (const effect of effects) if (effect.kind === "send") this.told(effect.host, effect.message);
    return result;
  }
  private told(host: string, message: ToAgent): void {
    if (message.type !== "run") return;
    const { pid, epoch, spec: order } = message;
    this.runs.push({ host, pid, epoch, args: order.args, seed: order.seed });
  }
  host(name: string, slots: number): void {
    const info: HostInfo = { name, os: "", arch: "", cpuModel: "", slots, memoryBytes: 2 ** 34, speed: 100 };
    this.do((core, now) => core.hostConnected(name, info, [], now));
  }
  submit(one: JobSpec, by = "ada") {
    return this.do((core, now) => core.submit(one, now, by));
  }
  says(host: string, message: FromAgent): void {
    this.do((core, now) => core.agentMessage(host, message, now));
  }
  /** The process of the last run for which it holds ends. */
  ends(
    pid: number,
    report: ExitReport = DONE,
    more: { output?: string; files?: Record<string, { hash: string; size: number }> } = {},
  ): void {
    const { host, epoch } = this.runs.findLast((run) => run.pid === pid) ?? { host: "", epoch: 0 };
    this.says(host, { type: "started", pid, epoch });
    const bytes = new TextEncoder().encode(more.output ?? "");
    if (bytes.length > 0) this.says(host, { type: "output", pid, epoch, stream: 1, offset: 0, bytes });
    const sums = { cpuMs: 1, outputBytes: bytes.length, errorBytes: 0, files: more.files ?? {} };
    this.says(host, { type: "exited", pid, epoch, report, ...sums });
  }
  states(job: number): string[] {
    return this.core.partsOf(job).map(({ state }) => state);
  }
}

describe("a job with a sweep", () => {
  test("has a process for each part, with arguments and random of its own", () => {
    const c = new Cluster();
    c.host("amun", 3);
    c.submit(spec(["prog", "{x}"], ["a", "b"]));
    expect(c.runs.map(({ args, seed }) => [args.join(" "), seed])).toEqual([
      ["prog a", "1/1"],
      ["prog b", "1/2"],
    ]);
    c.submit(spec(["prog", "{x}"], ["a"], { seed: 7 }));
    expect(c.runs.at(-1)?.seed).toBe("7/1");
  });

  test("goes on when a part fails, and has failed when all have ended", () => {
    const c = new Cluster();
    c.host("amun", 1);
    const job = c.submit(spec(["{x}"], numbers(3)));
    for (const report of [DONE, { kind: "exit", code: 3 } as const, DONE]) c.ends(c.runs.at(-1)?.pid ?? 0, report);
    expect(job).toMatchObject({ state: "failed", report: { kind: "exit", code: 3 }, parts: { total: 3, done: 2, failed: 1 } });
    expect(c.states(job.id)).toEqual(["exited", "exited", "exited"]);
  });

  test("has succeeded when all parts have, and was cancelled when one was", () => {
    const c = new Cluster();
    c.host("amun", 2);
    const [good, cancelled] = [c.submit(spec(["{x}"], numbers(2))), c.submit(spec(["{x}"], numbers(2)))];
    for (let at = 0; at < 2; at++) c.ends(c.runs[at]?.pid ?? 0);
    expect(good).toMatchObject({ state: "exited", report: DONE });
    c.do((core, now) => core.cancel({ job: cancelled.id, part: 2 }, now));
    expect([cancelled.state, c.states(cancelled.id)]).toEqual(["running", ["running", "cancelled"]]);
    expect(() => c.do((core, now) => core.cancel({ job: cancelled.id, part: 2 }, now))).toThrow(
      "part 2 of job 2 has ended already",
    );
    c.ends(c.runs.at(-2)?.pid ?? 0);
    expect(cancelled).toMatchObject({ state: "cancelled", parts: { done: 1, failed: 1 } });
  });

  test("keeps output and files of each part apart", () => {
    const c = new Cluster();
    c.host("amun", 2);
    const job = c.submit(spec(["{x}"], numbers(2)));
    const file = (size: number) => ({ "out.txt": { hash: "h", size } });
    c.ends(1, DONE, { output: "one", files: file(1) });
    c.ends(2, DONE, { output: "three", files: file(2) });
    expect(c.core.partsOf(job.id)).toMatchObject([
      { stdoutBytes: 3, files: file(1) },
      { stdoutBytes: 5, files: file(2) },
    ]);
    expect(job).toMatchObject({ stdoutBytes: 8, files: 2 });
  });

  test("children and their deaths concern their own part only", () => {
    const c = new Cluster();
    c.host("amun", 2);
    const job = c.submit(spec(["{x}"], numbers(2)));
    for (const pid of [1, 2])
      c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: "b".repeat(64) } });
    expect(c.core.processesOfPart(job.id, 1).map(({ pid, parent }) => [pid, parent])).toEqual([
      [1, 0],
      [3, 1],
    ]);
    c.ends(1);
    expect(c.states(job.id)[0]).toBe("running"); // its child computes on
    c.ends(3);
    expect(c.states(job.id)).toEqual(["exited", "running"]);
  });

  test("stores of ten thousand parts only what an event has changed", () => {
    const c = new Cluster();
    c.host("amun", 1);
    const long = spec(["{x}"], numbers(10_000), { files: { big: { hash: "h".repeat(64), size: 1 } } });
    c.submit(long);
    expect(c.stored.filter(({ kind }) => kind === "spec")).toHaveLength(1);
    expect(c.stored.filter(({ kind }) => kind === "kernel")).toHaveLength(0);
    c.stored = [];
    c.ends(1, DONE, { output: "x" });
    // Its own records, those of the next one that begins, and the job's sums; nothing of 9998 others, nor what was submitted.
    expect(c.stored.filter(({ kind }) => kind === "spec")).toHaveLength(0);
    expect(c.stored.length).toBeLessThan(15);
  });

  test("is the same after a restart, and goes on", () => {
    const before = new Cluster();
    before.host("amun", 1);
    before.submit(spec(["{x}"], numbers(3)));
    before.ends(1, { kind: "exit", code: 1 }, { output: "x" });
    const order = ["job", "spec", "part", "kernel", "process"];
    const latest = new Map<string, Saved>();
    for (const saved of before.stored) {
      const id = saved.kind === "part" ? saved.value.number : saved.kind === "process" ? saved.value.pid : 0;
      latest.set(`${saved.kind}/${id}`, structuredClone(saved));
    }
    const c = new Cluster([...latest.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)));
    c.host("amun", 1); // lost what it had
    expect(c.states(1)).toEqual(["exited", "running", "running"]);
    expect(c.core.aliveOf(1)).toBe(2);
    for (let at = 0; at < 2; at++) c.ends(c.runs.at(-1)?.pid ?? 0);
    expect(c.core.jobs.get(1)).toMatchObject({ state: "failed", stdoutBytes: 1, parts: { total: 3, done: 2, failed: 1 } });
  });
});

describe("trying again", () => {
  const failedJob = () => {
    const c = new Cluster();
    c.host("amun", 3);
    const job = c.submit(spec(["{x}"], numbers(3)));
    c.ends(1, DONE, { output: "fine" });
    c.ends(2, { kind: "exit", code: 1 }, { output: "half", files: { f: { hash: "h", size: 1 } } });
    c.ends(3, { kind: "fault", code: "NS_TRAP", message: "unreachable", wasmStack: [] });
    return { c, job };
  };

  test("runs the failed parts anew, with the same arguments and random, and forgets what they wrote", () => {
    const { c, job } = failedJob();
    expect(c.do((core, now) => core.retry(job.id, null, now))).toBe(2);
    expect(c.runs.slice(-2).map(({ args, seed }) => [...args, seed])).toEqual([
      ["2", "1/2"],
      ["3", "1/3"],
    ]);
    expect(job).toMatchObject({ state: "running", endedAt: null, stdoutBytes: 4, files: 0, parts: { done: 1, failed: 0 } });
    expect(c.forgotten.at(-1)?.outputs).toEqual([
      { job: 1, part: 2 },
      { job: 1, part: 3 },
    ]);
    for (const { pid } of c.runs.slice(-2)) c.ends(pid, DONE, { output: "whole" });
    expect(job).toMatchObject({ state: "exited", report: DONE, stdoutBytes: 14, parts: { total: 3, done: 3, failed: 0 } });
    expect(c.core.partsOf(job.id).map(({ tries }) => tries)).toEqual([1, 2, 2]);
  });

  test("takes only the parts that are named, while others still run", () => {
    const { c, job } = failedJob();
    expect(c.do((core, now) => core.retry(job.id, [3], now))).toBe(1);
    expect(c.states(job.id)).toEqual(["exited", "exited", "running"]);
    expect(c.do((core, now) => core.retry(job.id, [2, 2], now))).toBe(1);
    expect(job.parts).toEqual({ total: 3, done: 1, failed: 0 });
  });

  test("refuses what has succeeded, what runs, and what there is not, and then changes nothing", () => {
    const { c, job } = failedJob();
    const retry = (parts: number[] | null) => () => c.do((core, now) => core.retry(job.id, parts, now));
    expect(retry([2, 1])).toThrow("part 1 of job 1 has succeeded");
    expect(retry([4])).toThrow(expect.objectContaining({ code: "NS_NO_SUCH_PART" }));
    expect(c.states(job.id)).toEqual(["exited", "exited", "failed"]);
    retry(null)();
    expect(retry(null)).toThrow(expect.objectContaining({ code: "NS_NOTHING_TO_RETRY" }));
    expect(retry([2])).toThrow("part 2 of job 1 has not ended");
  });
});

test("a job that was sent input cannot begin anew; one that was sent none finds its input at the end", () => {
  const c = new Cluster();
  c.host("amun", 2);
  const { sweep: _, ...one } = spec([], [], { stdin: true });
  const [fed, unfed] = [c.submit(one), c.submit(one)];
  c.do((core) => core.stdin(fed.id, 0, new TextEncoder().encode("in"), false));
  for (const pid of [1, 2]) c.ends(pid, { kind: "exit", code: 1 });
  expect(() => c.do((core, now) => core.retry(fed.id, null, now))).toThrow(expect.objectContaining({ code: "NS_INPUT_GONE" }));
  c.do((core, now) => core.retry(unfed.id, null, now));
  const read = { call: "read", object: 0, maxBytes: 9 } as const;
  c.says("amun", { type: "syscall", pid: 3, epoch: 1, seq: 0, call: read });
  expect(c.core.processes.get(3)?.answers[0]).toMatchObject({ value: 0 });
});

describe("whose turn it is", () => {
  const owners = (c: Cluster): string[] =>
    c.runs.map(({ pid }) => c.core.jobs.get(c.core.processes.get(pid)?.job ?? 0)?.by ?? "");

  test("another's part does not wait for ten thousand that came before, nor for the end of one: its first comes on top", () => {
    const c = new Cluster();
    c.host("amun", 2);
    c.submit(spec(["{x}"], numbers(10_000)), "ada");
    c.submit(spec(["{x}"], numbers(3)), "bob");
    expect(owners(c)).toEqual(["ada", "ada", "bob"]);
    // Then slots are shared: the next free one is bob's.
    c.ends(1);
    c.ends(2);
    expect(owners(c)).toEqual(["ada", "ada", "bob", "ada"]);
    c.ends(c.runs[2]?.pid ?? 0);
    expect(owners(c)).toEqual(["ada", "ada", "bob", "ada", "bob"]);
  });

  test("only so many come on top", () => {
    const c = new Cluster();
    c.host("amun", 1);
    for (const by of ["ada", "ada", "bob", "eve"]) c.submit(spec(["{x}"], ["1"]), by);
    expect(owners(c)).toEqual(["ada", "bob"]);
    c.ends(1);
    expect(owners(c)).toEqual(["ada", "bob", "eve"]);
  });

  test("among equals it goes round: submitters, and the jobs of one, take turns", () => {
    const c = new Cluster();
    for (const by of ["ada", "ada", "bob"]) c.submit(spec(["{x}"], numbers(4)), by);
    c.host("amun", 1);
    // The one that has run longest ends.
    for (let at = 0; at < 6; at++) c.ends(c.runs[at]?.pid ?? 0);
    expect(c.runs.map(({ pid }) => c.core.processes.get(pid)?.job)).toEqual([1, 3, 2, 3, 1, 3, 2, 3]);
  });

  test("slots are shared evenly between submitters, and between the jobs of one", () => {
    const c = new Cluster();
    const jobs = [c.submit(spec(["{x}"], numbers(20)), "ada"), c.submit(spec(["{x}"], numbers(20)), "ada")];
    c.submit(spec(["{x}"], numbers(20)), "bob");
    c.host("amun", 8);
    expect(owners(c).filter((by) => by === "bob")).toHaveLength(4);
    const of = (job: number) => c.runs.filter(({ pid }) => c.core.processes.get(pid)?.job === job).length;
    expect(jobs.map(({ id }) => of(id))).toEqual([2, 2]);
  });

  test("parts that may be on busy hosts only do not keep others from free ones", () => {
    const c = new Cluster();
    c.host("amun", 1);
    c.host("ipc", 1);
    c.submit(spec(["{x}"], numbers(3), { onlyOn: ["amun"] }), "ada");
    c.submit(spec(["{x}"], ["1"]), "ada");
    expect(c.runs.map(({ host }) => host)).toEqual(["amun", "ipc"]);
  });
});

describe("why it waits", () => {
  test("is said as long as a part does", () => {
    const c = new Cluster();
    const job = c.submit(spec(["{x}"], numbers(2)));
    expect(c.core.waiting(job.id)).toMatchObject({ code: "no-hosts" });
    c.host("amun", 1);
    expect(c.core.waiting(job.id)).toMatchObject({ code: "busy", slots: 1 });
    const elsewhere = c.submit(spec(["{x}"], ["1"], { onlyOn: ["gone"] }));
    expect(c.core.waiting(elsewhere.id)).toMatchObject({ code: "no-hosts", restricted: true });
    c.do((core) => core.hostDisconnected("amun"));
    expect(c.core.waiting(job.id)).toMatchObject({ code: "not-usable", offline: 1 });
  });

  test("is not said of a job that does not wait", () => {
    const c = new Cluster();
    c.host("amun", 2);
    expect(c.core.waiting(c.submit(spec(["{x}"], numbers(2))).id)).toBeUndefined();
  });
});
