import { describe, expect, test } from "vitest";
import { BACKOFF_CAP_MS, type FromAgent, type HostInfo, type JobSpec, type ToAgent } from "../protocol/index.ts";
import { toAgent } from "../protocol/messages.ts";
import { Core, DEFAULT_SETTINGS } from "./core.ts";
import type { Effect } from "./records.ts";
import { type Saved, savedKey } from "./state.ts";

const HASH = "a".repeat(64);
const spec = (more: Partial<JobSpec> = {}): JobSpec => ({
  name: "job",
  program: HASH,
  args: [],
  env: {},
  files: {},
  memoryLimitBytes: 2 ** 30,
  cpuLimitMs: 0,
  clock: "virtual",
  startOn: null,
  stay: false,
  stdin: false,
  ...more,
});
const info = (name: string, slots = 1, speed = 100): HostInfo => ({
  name,
  os: "test",
  arch: "test",
  cpuModel: "test",
  slots,
  memoryBytes: 2 ** 34,
  speed,
});
const image = (n: number, syscalls = 0) => ({
  hash: String(n).repeat(64).slice(0, 64),
  sizeBytes: 10,
  syscalls,
  outputBytes: 0,
  errorBytes: 0,
  cpuMs: 1,
});

/** A core with scripted hosts: what they are told is collected, what they say is given in by hand. */
class Cluster {
  now = 1000;
  saved = new Map<string, Saved>();
  effects: Effect[] = [];
  /** By host. */
  earned = new Map<string, { cpuMs: number; credit: number }>();
  core: Core;

  constructor(settings: Partial<typeof DEFAULT_SETTINGS> = {}, saved: Iterable<Saved> = []) {
    this.core = new Core({ ...DEFAULT_SETTINGS, ...settings }, saved, this.now);
  }
  do<T>(event: (core: Core, now: number) => T): T {
    const result = event(this.core, this.now);
    const { changed, effects, forgotten, earned } = this.core.take();
    for (const { host, cpuMs, credit } of earned) {
      const before = this.earned.get(host) ?? { cpuMs: 0, credit: 0 };
      this.earned.set(host, { cpuMs: before.cpuMs + cpuMs, credit: before.credit + credit });
    }
    // As the store would: a copy that later changes do not reach.
    for (const record of changed) this.saved.set(savedKey(record), structuredClone(record));
    for (const pid of forgotten.pids) this.saved.delete(`process/${pid}`);
    for (const key of forgotten.kernels) this.saved.delete(`kernel/${key}`);
    for (const { pid, before } of forgotten.answers)
      for (const saved of [...this.saved.values()])
        if (saved.kind === "answer" && saved.pid === pid && saved.seq < before) this.saved.delete(savedKey(saved));
    for (const job of forgotten.jobs)
      for (const key of [...this.saved.keys()])
        if ([`job/${job}`, `spec/${job}`].includes(key) || key.startsWith(`part/${job}/`)) this.saved.delete(key);
    this.effects.push(...effects);
    return result;
  }
  host(name: string, slots = 1, speed = 100): void {
    this.do((core, now) => core.hostConnected(name, info(name, slots, speed), [], now));
  }
  says(host: string, message: FromAgent): void {
    this.do((core, now) => core.agentMessage(host, message, now));
  }
  /** Time passes as for a coordinator that runs. */
  wait(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 250);
      this.do((core, now) => core.tick(now));
    }
  }
  load(host: string, paused: string | null = null, more: Partial<Extract<FromAgent, { type: "load" }>> = {}): void {
    const load = {
      running: 0,
      runnable: 0,
      blocked: 0,
      slots: 1,
      paused,
      pausedCode: paused && "owner-here",
      keepMs: 0,
      memoryFreeBytes: 2 ** 33,
      speed: 0,
      held: [],
    };
    this.says(host, { type: "load", ...load, ...more });
  }
  sent<T extends ToAgent["type"]>(host: string, type: T): Extract<ToAgent, { type: T }>[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "send" && effect.host === host && effect.message.type === type
        ? [effect.message as Extract<ToAgent, { type: T }>]
        : [],
    );
  }
  output(): string {
    return this.effects.map((effect) => (effect.kind === "output" ? new TextDecoder().decode(effect.bytes) : "")).join("");
  }
  state(pid: number): string | undefined {
    return this.core.processes.get(pid)?.state;
  }
  writes(host: string, pid: number, epoch: number, offset: number, text: string): void {
    this.says(host, { type: "output", pid, epoch, stream: 1, offset, bytes: new TextEncoder().encode(text) });
  }
  restarted(): Cluster {
    const again = new Cluster({}, [...this.saved.values()]);
    again.now = this.now;
    return again;
  }
}

const startOn = (cluster: Cluster, host: string): number => {
  const { root } = cluster.do((core, now) => core.submit(spec(), now));
  cluster.says(host, { type: "started", pid: root, epoch: 1 });
  return root;
};

describe("credit", () => {
  const HOUR = 3_600_000;
  const kept = (n: number, cpuMs: number) => ({ ...image(n), cpuMs });
  const exits = (c: Cluster, host: string, pid: number, epoch: number, cpuMs: number): void =>
    c.says(host, {
      type: "exited",
      pid,
      epoch,
      report: { kind: "exit", code: 0 },
      files: {},
      cpuMs,
      outputBytes: 0,
      errorBytes: 0,
    });

  test("what is kept earns once, for each host what was computed there, by its speed", () => {
    const c = new Cluster();
    c.host("slow", 1, 100);
    const pid = startOn(c, "slow");
    c.now += HOUR;
    c.says("slow", { type: "checkpoint", pid, epoch: 1, image: kept(1, 0.75 * HOUR) });
    expect(c.earned.get("slow")).toEqual({ cpuMs: 0.75 * HOUR, credit: 0.375 });
    c.host("fast", 1, 400);
    c.now += HOUR / 2;
    c.says("slow", { type: "surrender", pid, epoch: 1, image: kept(2, HOUR), wasRunning: true, reason: "moved" });
    expect(c.earned.get("slow")).toEqual({ cpuMs: HOUR, credit: 0.5 });
    expect(c.core.processes.get(pid)?.host).toBe("fast");
    c.now += HOUR;
    exits(c, "fast", pid, 2, 1.5 * HOUR);
    expect(Object.fromEntries(c.earned)).toEqual({ slow: { cpuMs: HOUR, credit: 0.5 }, fast: { cpuMs: 0.5 * HOUR, credit: 1 } });
  });

  test("work that is lost earns nothing; doing it again does", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.now += 1000;
    c.load("amun", null, { held: [{ pid, epoch: 1, state: "running", cpuMs: 900, memoryBytes: 0 }] });
    c.do((core, now) => core.hostLeft("amun", now));
    expect(c.earned.size).toBe(0);
    c.host("ipc256");
    c.now += 2000;
    exits(c, "ipc256", pid, 2, 1800);
    expect(c.earned.get("ipc256")?.cpuMs).toBe(1800);
  });

  test("a host earns no more time than has passed, at no more than twenty times an ordinary speed, and never less than nothing", () => {
    const c = new Cluster();
    c.host("liar", 1, 1e9);
    const pid = startOn(c, "liar");
    c.now += 10_000;
    c.says("liar", { type: "checkpoint", pid, epoch: 1, image: kept(1, 1e12) });
    expect(c.earned.get("liar")).toEqual({ cpuMs: 15_000, credit: expect.closeTo((15_000 / HOUR) * 20) });
    c.says("liar", { type: "checkpoint", pid, epoch: 1, image: kept(2, 5) });
    expect(c.earned.get("liar")?.cpuMs).toBe(15_000);
  });
});

describe("placement", () => {
  test("a process that had not begun where it was to leave goes where it was wanted, and nothing counts as lost", () => {
    const c = new Cluster();
    c.host("amun");
    const { root: pid } = c.do((core, now) => core.submit(spec(), now));
    c.host("ipc256");
    c.host("library", 1, 500);
    c.do((core, now) => core.migrate(pid, "ipc256", now));
    c.says("amun", { type: "refused", pid, epoch: 1, code: "NS_NOT_BEGUN", message: "" });
    expect(c.sent("ipc256", "run")).toMatchObject([{ pid, epoch: 2 }]);
    expect(c.core.jobs.get(1)?.restarts).toBe(0);
  });

  test("a job waits until there is a host, then gets a lease there", () => {
    const c = new Cluster();
    const { root } = c.do((core, now) => core.submit(spec(), now));
    expect(c.state(root)).toBe("queued");
    c.host("amun");
    expect(c.sent("amun", "run")).toMatchObject([{ pid: root, epoch: 1, image: null }]);
    expect(c.state(root)).toBe("leased");
  });

  test("a host is told whose work it is, within what it takes, however long the name of who submitted it", () => {
    const c = new Cluster();
    c.host("amun");
    c.do((core, now) => core.submit(spec(), now, `client ${"x".repeat(250)}`));
    const [run] = c.sent("amun", "run");
    expect(toAgent.parse(run)).toMatchObject({ work: { job: 1, part: 1, parts: 1, by: expect.stringMatching(/^client x+$/) } });
  });

  test("a host is told that work may be seen on its screen only when its submitter wants that", () => {
    const c = new Cluster();
    c.host("amun", 2);
    for (const more of [{}, { show: "image" }] as const) c.do((core, now) => core.submit({ ...spec(), ...more }, now));
    const told = c.sent("amun", "run").map((run) => toAgent.parse(run));
    expect(told.map((run) => run.type === "run" && run.work?.show)).toEqual([undefined, "image"]);
  });

  test("a process goes to the faster of two idle hosts", () => {
    const c = new Cluster();
    c.host("slow", 1, 50);
    c.host("fast", 1, 100);
    c.do((core, now) => core.submit(spec(), now));
    expect(c.sent("fast", "run")).toHaveLength(1);
  });

  test("queued processes do not fill a host beyond its slots", () => {
    const c = new Cluster();
    c.host("amun", 2);
    for (let i = 0; i < 5; i++) c.do((core, now) => core.submit(spec(), now));
    expect(c.sent("amun", "run")).toHaveLength(2);
  });

  test("a host kept clear gets nothing, and what it has is asked back as soon as another can take it", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.do((core, now) => core.setHost("amun", { name: "amun", tags: [], drained: true, stay: false, block: false }, now));
    expect(c.sent("amun", "release")).toHaveLength(0);
    c.host("ipc256");
    c.do((core, now) => core.tick(now));
    expect(c.sent("amun", "release")).toMatchObject([{ pid, epoch: 1 }]);
  });
});

describe("a host whose owner is back", () => {
  test("keeps its processes for the time it asks for, and gives them away only when the owner has stayed", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.host("ipc256");
    const held = [{ pid, epoch: 1, state: "runnable" as const, cpuMs: 1, memoryBytes: 1 }];
    c.load("amun", "you are here", { keepMs: 5000, held });
    c.wait(4900);
    expect(c.sent("amun", "release")).toHaveLength(0);
    c.load("amun", null, { held });
    c.wait(1000);
    expect(c.sent("amun", "release")).toHaveLength(0);
    c.load("amun", "you are here", { keepMs: 1000, held });
    c.wait(900);
    expect(c.sent("amun", "release")).toHaveLength(0);
    c.wait(300);
    expect(c.sent("amun", "release")).toMatchObject([{ pid, epoch: 1 }]);
  });

  test("gives them away although nobody can take them: they wait as images, and go on where there is room first", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.load("amun", "you are here");
    c.load("amun", "you are here");
    expect(c.sent("amun", "release")).toMatchObject([{ pid, epoch: 1 }]);
    c.says("amun", { type: "frozen", pid, epoch: 1 });
    // The connection breaks while the image is on its way: asked again.
    c.do((core) => core.hostDisconnected("amun"));
    c.do((core, now) => core.hostConnected("amun", info("amun", 1, 100), [{ pid, epoch: 1 }], now));
    c.load("amun", "you are here");
    expect(c.sent("amun", "release")).toMatchObject([{ pid }, { pid }]);
    c.says("amun", { type: "surrender", pid, epoch: 1, image: image(7), wasRunning: true, reason: "the owner is back" });
    expect(c.sent("amun", "drop")).toEqual([{ type: "drop", pid, epoch: 1 }]);
    expect(c.state(pid)).toBe("queued");
    c.wait(3_600_000);
    expect(c.sent("amun", "run")).toHaveLength(1);
    c.load("amun", null);
    expect(c.sent("amun", "run")).toMatchObject([{ epoch: 1 }, { pid, epoch: 2, image: image(7) }]);
    c.says("amun", { type: "started", pid, epoch: 2 });
    expect(c.state(pid)).toBe("running");
    const job = c.core.jobs.get(1);
    expect(job?.restarts).toBe(0);
    expect(job?.freezesMs).toEqual([]); // an hour at the coordinator is no stand-still of a move
  });

  test("gets no new process while it keeps those it has", () => {
    const c = new Cluster();
    c.host("amun");
    c.load("amun", "you are here", { keepMs: 5000 });
    const { root } = c.do((core, now) => core.submit(spec(), now));
    expect(c.state(root)).toBe("queued");
  });

  test("a host is filled up to the slots that its policy leaves it, and not beyond", () => {
    const c = new Cluster();
    c.host("amun", 4);
    c.load("amun", null, { slots: 2 });
    for (let i = 0; i < 5; i++) c.do((core, now) => core.submit(spec(), now));
    expect(c.sent("amun", "run")).toHaveLength(2);
  });
});

describe("leases", () => {
  test("a host that is silent for longer than a lease loses its processes, which go on elsewhere from their last checkpoint", () => {
    const c = new Cluster({ leaseMs: 1000 });
    c.host("amun");
    const pid = startOn(c, "amun");
    c.says("amun", { type: "checkpoint", pid, epoch: 1, image: image(1) });
    c.host("ipc256");
    c.do((core) => core.hostDisconnected("amun"));
    c.wait(900);
    c.load("ipc256");
    c.wait(101);
    expect(c.sent("ipc256", "run")).toMatchObject([{ pid, epoch: 2, image: { hash: image(1).hash } }]);
  });

  test("a host that says goodbye is not waited for; one whose connection breaks is", () => {
    const c = new Cluster();
    c.host("amun");
    c.do((core, now) => core.submit(spec(), now));
    c.says("amun", { type: "started", pid: 1, epoch: 1 });
    c.host("ipc256");
    c.do((core) => core.hostDisconnected("amun"));
    c.wait(1000);
    expect(c.sent("ipc256", "run")).toEqual([]);
    c.do((core, now) => core.hostLeft("amun", now));
    expect(c.sent("ipc256", "run")).toMatchObject([{ pid: 1, epoch: 2 }]);
  });

  test("a silent host whose connection has not broken gets no work until it speaks again, and then drops what it lost", () => {
    const c = new Cluster();
    c.host("amun", 1, 1000);
    const pid = startOn(c, "amun");
    c.wait(DEFAULT_SETTINGS.leaseMs);
    expect(c.state(pid)).toBe("queued");
    expect(c.sent("amun", "run")).toHaveLength(1);
    c.host("ipc256", 1, 1);
    expect(c.sent("ipc256", "run")).toMatchObject([{ pid, epoch: 2 }]);
    const held = [{ pid, epoch: 1, state: "running" as const, cpuMs: 5, memoryBytes: 1 }];
    const load = {
      type: "load" as const,
      running: 1,
      runnable: 0,
      blocked: 0,
      slots: 1,
      paused: null,
      pausedCode: null,
      keepMs: 0,
      memoryFreeBytes: 2 ** 33,
      speed: 0,
    };
    const before = c.sent("amun", "drop").length;
    c.says("amun", { ...load, held });
    expect(c.sent("amun", "drop").slice(before)).toEqual([{ type: "drop", pid, epoch: 1 }]);
    c.do((core, now) => core.submit(spec(), now));
    expect(c.sent("amun", "run")).toHaveLength(2);
  });

  test("a message under an old epoch has no effect and is answered with drop", () => {
    const c = new Cluster({ leaseMs: 1000 });
    c.host("amun");
    const pid = startOn(c, "amun");
    c.host("ipc256");
    c.wait(900);
    c.load("ipc256");
    c.wait(101);
    const epoch = c.core.processes.get(pid)?.epoch ?? 0;
    expect(epoch).toBe(2);
    c.writes("amun", pid, 1, 0, "late");
    c.says("amun", {
      type: "exited",
      pid,
      epoch: 1,
      report: { kind: "exit", code: 0 },
      cpuMs: 0,
      outputBytes: 4,
      errorBytes: 0,
      files: {},
    });
    expect(c.output()).toBe("");
    expect(c.state(pid)).not.toBe("exited");
    expect(c.sent("amun", "drop").map((drop) => drop.epoch)).toContain(1);
  });

  test("a host that comes back in time keeps what it has and is told to drop what it lost", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.do((core) => core.hostDisconnected("amun"));
    const lost = c.do((core, now) =>
      core.hostConnected(
        "amun",
        info("amun"),
        [
          { pid, epoch: 1 },
          { pid: 99, epoch: 1 },
        ],
        now,
      ),
    );
    expect(lost).toEqual([{ pid: 99, epoch: 1 }]);
    expect(c.state(pid)).toBe("running");
  });

  test("after a restart of the coordinator a host has as long to come back as it may wait between two attempts", () => {
    const before = new Cluster({ leaseMs: 1000 });
    before.host("amun");
    const pid = startOn(before, "amun");
    const c = new Cluster({ leaseMs: 1000 }, before.saved.values());
    c.wait(BACKOFF_CAP_MS);
    expect(c.state(pid)).toBe("running");
    c.wait(1000);
    expect(c.state(pid)).toBe("queued");
  });

  test.each([
    ["stood still for an hour", 3_600_000],
    ["had its clock set back", -3_600_000],
  ])("a coordinator that %s does not hold that against a host, and notices as soon as ever that one is lost", (_, jump) => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.wait(250);
    c.now += jump;
    c.wait(250);
    expect(c.state(pid)).toBe("running");
    c.wait(DEFAULT_SETTINGS.leaseMs);
    expect(c.state(pid)).toBe("queued");
  });

  test("a coordinator whose every tick is late still notices that a host is lost", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    for (let gone = 0; gone < 4 * DEFAULT_SETTINGS.leaseMs; gone += 2000) {
      c.now += 2000;
      c.do((core, now) => core.tick(now));
    }
    expect(c.state(pid)).toBe("queued");
  });

  test("a host that comes back without a process it held has it started again", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.do((core) => core.hostDisconnected("amun"));
    c.host("amun");
    expect(c.sent("amun", "run").map((run) => [run.pid, run.epoch])).toEqual([
      [pid, 1],
      [pid, 2],
    ]);
  });
});

describe("output", () => {
  test("bytes sent twice are accepted once, by offset", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.writes("amun", pid, 1, 0, "hello ");
    c.writes("amun", pid, 1, 0, "hello world");
    c.writes("amun", pid, 1, 6, "world");
    expect(c.output()).toBe("hello world");
    expect(c.sent("amun", "outputAck").at(-1)?.offset).toBe(11);
  });

  test("bytes beyond a gap are not accepted", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.writes("amun", pid, 1, 5, "later");
    expect(c.output()).toBe("");
    expect(c.sent("amun", "outputAck").at(-1)?.offset).toBe(0);
  });
});

describe("home calls", () => {
  test("a line of a hundred forks is told to hosts like any other: seeds differ, and none grows too long for its message", () => {
    const c = new Cluster();
    c.host("amun", 200);
    let pid = startOn(c, "amun");
    for (let depth = 0; depth < 100; depth++) {
      c.says("amun", { type: "syscall", pid, epoch: 1, seq: depth, call: { call: "fork", image: HASH } });
      pid = c.sent("amun", "run").at(-1)?.pid ?? 0;
      c.says("amun", { type: "started", pid, epoch: 1 });
    }
    const runs = c.sent("amun", "run");
    for (const run of runs) expect(toAgent.safeParse(run).error?.message).toBeUndefined();
    expect(new Set(runs.map(({ spec }) => spec.seed)).size).toBe(101);
  });

  test("fork gives the parent a pid and the child a lease at its parent's host, with 0 as its answer", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: HASH } });
    const child = c.sent("amun", "syscallResult")[0].result.value;
    expect(child).toBeGreaterThan(pid);
    expect(c.sent("amun", "run").at(-1)).toMatchObject({ pid: child, parent: pid, result: { value: 0 }, image: { hash: HASH } });
  });

  test("a call asked again, after going back to a checkpoint, gets the same answer and has no second effect", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    for (let i = 0; i < 2; i++) c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: HASH } });
    const [first, second] = c.sent("amun", "syscallResult");
    expect(second.result).toEqual(first.result);
    expect(c.core.processes.size).toBe(2);
  });

  test("answers are kept until a checkpoint covers them", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "pipe" } });
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 1, call: { call: "pipe" } });
    c.says("amun", { type: "checkpoint", pid, epoch: 1, image: image(1, 1) });
    expect(Object.keys(c.core.processes.get(pid)?.answers ?? {})).toEqual(["1"]);
  });

  test("wait() is answered when the child ends, and a fault looks like death by a signal", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: HASH } });
    const child = c.sent("amun", "syscallResult")[0].result.value;
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 1, call: { call: "wait", target: -1, noHang: false } });
    expect(c.sent("amun", "syscallResult")).toHaveLength(1);
    c.says("amun", {
      type: "exited",
      pid: child,
      epoch: 1,
      report: { kind: "fault", code: "NS_TRAP", message: "trap: unreachable", wasmStack: [] },
      cpuMs: 0,
      outputBytes: 0,
      errorBytes: 0,
      files: {},
    });
    expect(c.sent("amun", "syscallResult").at(-1)).toMatchObject({ seq: 1, result: { value: child, status: 6 } });
  });
});

describe("migration", () => {
  test("a moved process is frozen, surrendered, leased elsewhere from its image; the freeze is measured", () => {
    const c = new Cluster({ balance: false });
    c.host("amun");
    const pid = startOn(c, "amun");
    c.host("ipc256");
    c.do((core, now) => core.migrate(pid, "ipc256", now));
    expect(c.sent("amun", "release")).toMatchObject([{ pid, epoch: 1 }]);
    c.says("amun", { type: "frozen", pid, epoch: 1 });
    c.now += 30;
    c.says("amun", { type: "surrender", pid, epoch: 1, image: image(2), wasRunning: true, reason: "moved" });
    c.says("ipc256", { type: "started", pid, epoch: 2 });
    const job = c.core.jobs.get(1);
    expect(c.state(pid)).toBe("running");
    expect(job).toMatchObject({ migrations: 1, migratedRunning: 1, migratedProcesses: 1, freezesMs: [30] });
  });

  test("two hosts share the children of one: balancing moves as many as even the load, and then rests", () => {
    const c = new Cluster();
    c.host("amun");
    c.host("ipc256");
    const pid = c.do((core, now) => core.submit(spec({ startOn: "amun" }), now)).root;
    c.says("amun", { type: "started", pid, epoch: 1 });
    for (let seq = 0; seq < 7; seq++) {
      c.says("amun", { type: "syscall", pid, epoch: 1, seq, call: { call: "fork", image: HASH } });
      const child = c.sent("amun", "syscallResult").at(-1)?.result.value ?? 0;
      c.says("amun", { type: "started", pid: child, epoch: 1 });
    }
    for (let round = 0; round < 20; round++) {
      c.now += 1000;
      for (const release of c.sent("amun", "release")) {
        const process = c.core.processes.get(release.pid);
        if (process?.state !== "migrating" || process.host !== "amun") continue;
        c.says("amun", {
          type: "surrender",
          pid: release.pid,
          epoch: release.epoch,
          image: image(3),
          wasRunning: true,
          reason: "",
        });
        c.says("ipc256", { type: "started", pid: release.pid, epoch: release.epoch + 1 });
      }
      c.load("amun");
      c.load("ipc256");
    }
    const at = (host: string): number => [...c.core.processes.values()].filter((process) => process.host === host).length;
    expect([at("amun"), at("ipc256")]).toEqual([4, 4]);
    expect(c.core.jobs.get(1)?.migrations).toBe(4);
  });

  test("a process moved by hand stays where it was put, even beside a faster idle host", () => {
    const c = new Cluster();
    c.host("fast", 1, 300);
    const pid = startOn(c, "fast");
    c.host("slow", 1, 100);
    c.do((core, now) => core.migrate(pid, "slow", now));
    c.says("fast", { type: "surrender", pid, epoch: 1, image: image(4), wasRunning: true, reason: "moved" });
    c.says("slow", { type: "started", pid, epoch: 2 });
    c.now += 5000;
    c.load("fast");
    c.load("slow");
    expect(c.sent("slow", "release")).toEqual([]);
  });

  test("a host is told of the program before a process comes: balancing waits for it, who has to leave does not", () => {
    const c = new Cluster();
    const knows = (name: string): void => {
      c.do((core, now) => core.hostConnected(name, { ...info(name), prepares: true }, [], now));
    };
    knows("amun");
    const pids = [startOn(c, "amun"), c.do((core, now) => core.submit(spec({ startOn: "amun" }), now)).root];
    c.says("amun", { type: "started", pid: pids[1] ?? 0, epoch: 1 });
    expect(c.sent("amun", "prepare")).toEqual([]);
    knows("ipc256");
    c.wait(5_000);
    const { program } = spec();
    expect(c.sent("ipc256", "prepare")).toEqual([{ type: "prepare", program }]);
    expect(c.sent("amun", "release")).toEqual([]);
    c.says("ipc256", { type: "prepared", program });
    expect(c.sent("amun", "release")).toMatchObject([{ reason: "balancing" }]);
    const [moving] = c.sent("amun", "release");
    c.says("amun", {
      type: "surrender",
      pid: moving?.pid ?? 0,
      epoch: 1,
      image: image(1),
      wasRunning: true,
      reason: "balancing",
    });
    c.says("ipc256", { type: "started", pid: moving?.pid ?? 0, epoch: 2 });
    knows("third");
    // Its owner is back and may leave again: the others are told meanwhile, and asked for nothing when it is time.
    c.load("ipc256", "you are here", { keepMs: 5_000 });
    expect(c.sent("third", "prepare")).toEqual([{ type: "prepare", program }]);
    expect(c.sent("ipc256", "release")).toEqual([]);
    c.load("ipc256", "you are here");
    expect(c.sent("ipc256", "release")).toMatchObject([{ pid: moving?.pid }]);
    expect(c.sent("third", "prepare")).toHaveLength(1);
    // Of what it was not told nothing is believed.
    c.says("third", { type: "prepared", program: "f".repeat(64) });
    expect(c.core.hosts.get("third")?.programs).toEqual(new Map([[program, "told"]]));
  });

  test("a job that is for certain hosts only is never anywhere else: not placed, balanced, expelled nor moved by hand", () => {
    const c = new Cluster();
    for (const name of ["idle", "amun", "ipc256"]) c.host(name);
    const submit = (onlyOn: string[]) => c.do((core, now) => core.submit(spec({ onlyOn }), now)).root;
    const where = (pid: number) => c.core.processes.get(pid)?.host;
    const pids = [submit(["amun"]), submit(["amun", "ipc256"])];
    expect(pids.map(where)).toEqual(["amun", "ipc256"]);
    // Its only host has a process for each slot: it waits, though another host is idle.
    const third = submit(["amun"]);
    expect(c.state(third)).toBe("queued");
    for (const pid of pids) c.says(where(pid) ?? "", { type: "started", pid, epoch: 1 });
    expect(() => c.do((core, now) => core.migrate(pids[0] ?? 0, "idle", now))).toThrow(/certain other hosts/);
    c.now += 5000;
    c.do((core, now) => core.setHost("amun", { name: "amun", tags: [], drained: true, stay: false, block: false }, now));
    c.do((core, now) => core.setHost("ipc256", { name: "ipc256", tags: [], drained: true, stay: false, block: false }, now));
    for (const host of ["amun", "ipc256"]) expect(c.sent(host, "release")).toEqual([]);
    expect(c.sent("idle", "run")).toEqual([]);
  });

  test("a job can ask for its first host by id", () => {
    const c = new Cluster();
    for (const name of ["amun", "ipc256"]) c.host(name);
    c.do((core, now) => core.setHost("ipc256", { name: "renamed", tags: [], drained: false, stay: false, block: false }, now));
    const { root } = c.do((core, now) => core.submit(spec({ startOn: "ipc256" }), now));
    expect(c.core.processes.get(root)?.host).toBe("ipc256");
  });

  test("a job that is to stay is not moved by balancing", () => {
    const c = new Cluster();
    c.host("amun");
    for (let i = 0; i < 2; i++) {
      const { root } = c.do((core, now) => core.submit(spec({ stay: true, startOn: "amun" }), now));
      c.says("amun", { type: "started", pid: root, epoch: 1 });
    }
    c.host("ipc256");
    c.now += 1000;
    c.do((core, now) => core.tick(now));
    expect(c.sent("amun", "release")).toEqual([]);
  });
});

describe("the end of a job", () => {
  test("the job ends with its first process's status once every process has ended", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    c.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "fork", image: HASH } });
    const child = c.sent("amun", "syscallResult")[0].result.value;
    const exit = (p: number, code: number): void =>
      c.says("amun", {
        type: "exited",
        pid: p,
        epoch: 1,
        report: { kind: "exit", code },
        cpuMs: 0,
        outputBytes: 0,
        errorBytes: 0,
        files: {},
      });
    exit(pid, 7);
    expect(c.core.jobs.get(1)?.state).toBe("running");
    exit(child, 0);
    expect(c.core.jobs.get(1)).toMatchObject({ state: "exited", report: { kind: "exit", code: 7 } });
  });

  test("cancelling a job ends all its processes and tells their host to drop them", () => {
    const c = new Cluster();
    c.host("amun");
    const pid = startOn(c, "amun");
    expect(c.do((core, now) => core.cancel({ job: 1 }, now))).toBe(1);
    expect(c.core.jobs.get(1)?.state).toBe("cancelled");
    expect(c.sent("amun", "drop")).toMatchObject([{ pid }]);
    expect(() => c.core.cancel({ job: 1 }, c.now)).toThrow(expect.objectContaining({ code: "NS_NOT_RUNNING" }));
  });
});

describe("a coordinator that died", () => {
  test("comes back from what was stored and goes on: leases, answers, output offsets, pipes", () => {
    const before = new Cluster();
    before.host("amun");
    const pid = startOn(before, "amun");
    before.writes("amun", pid, 1, 0, "one ");
    before.says("amun", { type: "syscall", pid, epoch: 1, seq: 0, call: { call: "pipe" } });
    const pipe = before.sent("amun", "syscallResult")[0].result.value;
    before.says("amun", {
      type: "syscall",
      pid,
      epoch: 1,
      seq: 1,
      call: { call: "write", object: pipe, bytes: new Uint8Array([1, 2, 3]) },
    });
    const after = before.restarted();
    after.do((core, now) => core.hostConnected("amun", info("amun"), [{ pid, epoch: 1 }], now));
    after.writes("amun", pid, 1, 0, "one two");
    expect(after.output()).toBe("two");
    after.says("amun", {
      type: "syscall",
      pid,
      epoch: 1,
      seq: 1,
      call: { call: "write", object: pipe, bytes: new Uint8Array([1, 2, 3]) },
    });
    after.says("amun", { type: "syscall", pid, epoch: 1, seq: 2, call: { call: "read", object: pipe, maxBytes: 10 } });
    expect([...(after.sent("amun", "syscallResult").at(-1)?.result.bytes ?? [])]).toEqual([1, 2, 3]);
  });

  test("gives new numbers to new jobs and processes", () => {
    const before = new Cluster();
    before.do((core, now) => core.submit(spec(), now));
    const job = before.restarted().do((core, now) => core.submit(spec(), now));
    expect([job.id, job.root]).toEqual([2, 2]);
  });
});

describe("hosts with small stacks", () => {
  const OVERFLOW = { kind: "fault", code: "NS_STACK_OVERFLOW", message: "too deep", wasmStack: [] as string[] } as const;
  const begin = (...others: string[]): Cluster => {
    const cluster = new Cluster();
    cluster.do((core, now) => core.hostConnected("tab", { ...info("tab", 4, 1000), smallStack: true }, [], now));
    for (const other of others) cluster.host(other);
    cluster.do((core, now) => core.submit(spec({ startOn: "tab" }), now));
    cluster.says("tab", { type: "started", pid: 1, epoch: 1 });
    return cluster;
  };
  const overflows = (cluster: Cluster, host: string, epoch: number): void =>
    cluster.says(host, { type: "exited", pid: 1, epoch, report: OVERFLOW, cpuMs: 1, outputBytes: 0, errorBytes: 0, files: {} });

  test("a program too deep for one goes on from its last image on another host, and only there", () => {
    const cluster = begin("desk");
    cluster.says("tab", { type: "checkpoint", pid: 1, epoch: 1, image: image(7) });
    overflows(cluster, "tab", 1);
    expect(cluster.sent("tab", "drop")).toEqual([{ type: "drop", pid: 1, epoch: 1 }]);
    expect(cluster.sent("desk", "run")).toMatchObject([{ pid: 1, epoch: 2, image: image(7) }]);
    cluster.says("desk", { type: "started", pid: 1, epoch: 2 });
    cluster.wait(3_000); // the tab is ten times as fast: balancing would like it
    expect(cluster.sent("desk", "release")).toEqual([]);
    expect(() => cluster.do((core, now) => core.migrate(1, "tab", now))).toThrow(
      expect.objectContaining({ code: "NS_HOST_UNAVAILABLE" }),
    );
    cluster.load("desk", "you are here");
    cluster.says("desk", { type: "surrender", pid: 1, epoch: 2, image: image(8), wasRunning: true, reason: "the owner is back" });
    cluster.wait(3_000);
    expect(cluster.state(1)).toBe("queued");
    expect(cluster.sent("tab", "run")).toHaveLength(1);
    cluster.load("desk");
    expect(cluster.sent("desk", "run")).toMatchObject([{ epoch: 2 }, { pid: 1, epoch: 3, image: image(8) }]);
    overflows(cluster, "desk", 3);
    expect(cluster.state(1)).toBe("failed");
  });

  test("a program that a browser cannot compile goes on on another host, and only there", () => {
    const lacks = { type: "refused", pid: 1, code: "NS_ENGINE_LACKS", message: "no such instruction" } as const;
    const cluster = begin("desk");
    cluster.says("tab", { ...lacks, epoch: 1 });
    expect(cluster.sent("desk", "run")).toMatchObject([{ pid: 1, epoch: 2 }]);
    cluster.says("desk", { type: "started", pid: 1, epoch: 2 });
    cluster.wait(3_000);
    expect(cluster.sent("desk", "release")).toEqual([]);
    expect(cluster.state(1)).toBe("running");
    const alone = begin();
    alone.says("tab", { ...lacks, epoch: 1 });
    expect(alone.state(1)).toBe("failed");
  });

  test("where there is no other it has failed", () => {
    const cluster = begin();
    overflows(cluster, "tab", 1);
    expect(cluster.state(1)).toBe("failed");
  });
});

test("ended jobs are forgotten after a time, their numbers never used again", () => {
  const cluster = new Cluster();
  cluster.host("desk", 4);
  const run = (): number => cluster.do((core, now) => core.submit(spec(), now)).root;
  const exit = (pid: number): void =>
    cluster.says("desk", {
      ...{ type: "exited", pid, epoch: 1, cpuMs: 1, outputBytes: 0, errorBytes: 0, files: {} },
      report: { kind: "exit", code: 0 },
    });
  for (let k = 0; k < 3; k++) exit(run());
  cluster.now += 60_000;
  exit(run());
  const running = run();
  const forgets = (before: number): number => cluster.do((core) => core.forgetEnded(before));
  expect(forgets(cluster.now - 60_000)).toBe(0);
  expect(forgets(cluster.now)).toBe(3);
  expect([...cluster.core.jobs.keys()]).toEqual([4, 5]);
  expect([...cluster.core.processes.keys()]).toEqual([4, running]);
  expect([...cluster.saved.keys()].filter((key) => key.startsWith("process/"))).toEqual(["process/4", "process/5"]);
  exit(running);
  // The newest stays, as its number says which is next.
  expect(forgets(cluster.now + 1)).toBe(1);
  const again = cluster.restarted();
  expect(again.do((core, now) => core.submit(spec(), now))).toMatchObject({ id: 6, root: 6 });
});

describe("a job whose program cannot be moved", () => {
  const pinned = (more: Partial<JobSpec> = {}): JobSpec => spec({ pinned: "it uses something", ...more });

  test("is not balanced, nor moved by hand, and begins anew when its host wants it gone", () => {
    const c = new Cluster();
    c.host("amun", 2);
    const submit = () => c.core.processes.get(c.do((core, now) => core.submit(pinned(), now)).root);
    const [first, second] = [submit(), submit()];
    if (!first || !second) throw new Error("two processes");
    c.host("ipc256", 2, 1000);
    for (const process of [first, second])
      if (process.host) c.says(process.host, { type: "started", pid: process.pid, epoch: process.epoch });
    expect(c.sent("amun", "release")).toEqual([]);
    const other = first.host === "amun" ? "ipc256" : "amun";
    expect(() => c.do((core, now) => core.migrate(first.pid, other, now))).toThrow(
      expect.objectContaining({ code: "NS_NOT_MIGRATABLE", message: expect.stringMatching(/it uses something/) }),
    );
    c.says(first.host ?? "", {
      ...{ type: "refused", pid: first.pid, epoch: first.epoch, code: "NS_HOST_UNAVAILABLE", message: "its host is needed" },
    });
    expect(first).toMatchObject({ state: "queued", image: null });
    expect(c.core.jobs.get(first.job)).toMatchObject({ restarts: 1 });
  });

  test("keeps off browsers, and says so while it waits for another host", () => {
    const c = new Cluster();
    c.do((core, now) => core.hostConnected("tab", { ...info("tab"), smallStack: true }, [], now));
    const { id, root } = c.do((core, now) => core.submit(pinned({ startOn: "tab" }), now));
    expect(c.core.processes.get(root)).toMatchObject({ state: "queued", host: null });
    expect(c.core.waiting(id)).toMatchObject({ code: "stack" });
    expect(() => c.do((core, now) => core.migrate(root, "tab", now))).toThrow(
      expect.objectContaining({ code: "NS_HOST_UNAVAILABLE" }),
    );
    c.host("amun");
    expect(c.core.processes.get(root)).toMatchObject({ host: "amun" });
  });

  test("is answered as before when it asks again, also by a coordinator that has started anew, until that is too much", () => {
    const before = new Cluster({ maxKeptBytes: 1000 });
    before.host("amun");
    const { id: job, root: pid } = before.do((core, now) => core.submit(pinned({ stdin: true }), now));
    const read = (c: Cluster, epoch: number, seq: number) => {
      c.says("amun", { type: "syscall", pid, epoch, seq, call: { call: "read", object: 0, maxBytes: 200 } });
      return c.sent("amun", "syscallResult").at(-1)?.result.bytes?.length;
    };
    before.says("amun", { type: "started", pid, epoch: 1 });
    before.do((core) => core.stdin(job, 0, new Uint8Array(2000), false));
    expect([read(before, 1, 0), read(before, 1, 1)]).toEqual([200, 200]);
    before.says("amun", { type: "refused", pid, epoch: 1, code: "NS_HOST_UNAVAILABLE", message: "its host is needed" });
    const c = new Cluster({ maxKeptBytes: 1000 }, before.saved.values());
    c.host("amun");
    c.says("amun", { type: "started", pid, epoch: 2 });
    expect([read(c, 2, 0), read(c, 2, 1), read(c, 2, 2)]).toEqual([200, 200, 200]);
    expect(c.core.processes.get(pid)?.state).toBe("running");
    read(c, 2, 3);
    expect(c.core.jobs.get(job)?.report).toMatchObject({
      kind: "fault",
      code: "NS_LIMIT",
      message: expect.stringMatching(/stdin/),
    });
  });

  test("all together are answered with four times as much as one, whoever has ended left out", () => {
    const c = new Cluster({ maxKeptBytes: 1000 });
    c.host("amun", 20);
    const start = (): number => {
      const { id, root } = c.do((core, now) => core.submit(pinned({ stdin: true }), now));
      c.says("amun", { type: "started", pid: root, epoch: 1 });
      c.do((core) => core.stdin(id, 0, new Uint8Array(900), false));
      c.says("amun", { type: "syscall", pid: root, epoch: 1, seq: 0, call: { call: "read", object: 0, maxBytes: 900 } });
      return root;
    };
    const state = (pid: number) => c.core.processes.get(pid)?.state;
    const [first, ...others] = Array.from({ length: 4 }, start);
    expect([first, ...others].map((pid) => state(pid ?? 0))).toEqual(Array(4).fill("running"));
    expect(state(start())).toBe("failed");
    c.do((core, now) => core.cancel({ pid: first ?? 0 }, now));
    expect(state(start())).toBe("running");
  });
});
