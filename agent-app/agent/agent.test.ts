import type { FromAgent, ToAgent, Work } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { describe, expect, test } from "vitest";
import { Agent, DEFAULT_AGENT_SETTINGS } from "./agent.ts";
import type { Ports, ProcessStatus, RunEnd } from "./ports.ts";

const HASH = "a".repeat(64);
const STATUS: ProcessStatus = { waiting: null, cpuMs: 1, memoryBytes: 5, syscalls: 0, outputBytes: 0, errorBytes: 0 };

/** An agent with one slot in a world made of variables: time passes by hand, and the thread does what the test says. */
class World {
  now = 0;
  threadCpuMs: number | undefined = 0;
  spawned = 0;
  terminated = 0;
  collected = 0;
  started = 0;
  /** Of the process started last. */
  key = 0;
  /** A thread that never comes to starting a process: others keep the processor. */
  starved = false;
  cleared: number[] = [];
  captured = 0;
  sent: FromAgent[] = [];
  gentle: boolean | undefined;
  /** Hashes asked of the coordinator, and how large what comes is. */
  fetched: string[] = [];
  programBytes = 8;
  connects = 0;
  breaks: () => void = () => undefined;
  ends: (why: NightshiftError) => void = () => undefined;
  logged: string[] = [];
  say: (message: ToAgent) => void = () => undefined;
  agent: Agent;
  private timers: { at: number; work: () => void }[] = [];
  private stop: ((end: { end: RunEnd; status: ProcessStatus }) => void) | undefined;

  constructor() {
    const info = { name: "amun", os: "", arch: "", cpuModel: "", slots: 1, memoryBytes: 1000, speed: 1 };
    const capture = { bytes: new Uint8Array(3), isDelta: false, image: { syscalls: 0, outputBytes: 0, errorBytes: 0, cpuMs: 1 } };
    const ports: Ports = {
      connect: async (on) => {
        this.say = on.message;
        this.connects++;
        const closed = (): void => on.closed(new NightshiftError("NS_CONNECTION_LOST", "the network is another one"));
        this.breaks = closed;
        const getBlob = async (hash: string): Promise<Uint8Array<ArrayBuffer>> => {
          this.fetched.push(hash);
          return new Uint8Array(this.programBytes);
        };
        this.ends = on.closed;
        const beGentle = (on: boolean): void => {
          this.gentle = on;
        };
        const [send, close] = [(message: FromAgent): void => void this.sent.push(message), () => undefined];
        return { send, getBlob, putBlob: async () => undefined, beGentle, close, abandon: closed };
      },
      spawnWorker: () => ({
        ...this.spawning(),
        api: {
          start: async ({ key }) => {
            this.key = key;
            this.started++;
            if (this.starved) await new Promise(() => undefined);
            return { control: new SharedArrayBuffer(64), status: STATUS };
          },
          stop: async () => undefined,
          outputTaken: async () => undefined,
          run: () => new Promise((resolve) => (this.stop = resolve)),
          complete: async () => STATUS,
          capture: async () => {
            this.captured++;
            return capture;
          },
          stored: async () => undefined,
          changedFiles: async () => new Map(),
          clear: async (key) => void this.cleared.push(key),
        },
        cpuMs: () => this.threadCpuMs,
        terminate: () => void this.terminated++,
      }),
      load: async (bytes) => ({ bytes, module: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) }),
      hash: () => HASH,
      now: () => this.now,
      random: () => 0.5,
      after: (ms, work) => {
        const timer = { at: this.now + ms, work };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((other) => other !== timer);
        };
      },
      backoffMs: () => 100,
      hostInfo: () => info,
      memoryFreeBytes: () => 900,
      collectGarbage: () => void this.collected++,
      log: (event) => this.logged.push(event),
    };
    this.agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots: 1 });
  }

  private spawning(): object {
    this.spawned++;
    return {};
  }
  /** Whatever can happen without time passing. */
  async settle(): Promise<void> {
    for (let at = 0; at < 5; at++) await new Promise((resolve) => setImmediate(resolve));
  }
  async passes(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.timers.sort((a, b) => a.at - b.at);
      if (!next || next.at > end) break;
      this.timers.shift();
      this.now = next.at;
      next.work();
      await this.settle();
    }
    this.now = end;
  }
  async order(pid = 1, work?: Work): Promise<void> {
    const spec = {
      program: HASH,
      args: [],
      env: {},
      files: {},
      memoryLimitBytes: 1,
      cpuLimitMs: 0,
      clock: "virtual",
      seed: "1",
    } as const;
    this.say({
      type: "run",
      pid,
      parent: 0,
      epoch: 1,
      spec: { ...spec, args: [], env: {}, files: {} },
      work,
      image: null,
      result: null,
    });
    await this.settle();
  }
  /** The process reaches its poll. */
  async stops(): Promise<void> {
    this.stop?.({ end: { kind: "preempted" }, status: STATUS });
    await this.settle();
  }
  load(): Extract<FromAgent, { type: "load" }> | undefined {
    return this.sent.findLast((message) => message.type === "load");
  }
  refusals(): string[] {
    return this.sent.flatMap((message) => (message.type === "refused" ? [message.code] : []));
  }
}

/** Joined, and with a process that computes unless told otherwise. */
async function world(withProcess = true): Promise<World> {
  const one = new World();
  one.agent.start();
  await one.settle();
  one.say({ type: "welcome", version: 1, hostId: "h", leaseMs: 15_000, checkpointMs: 10_000, drop: [], policies: [] });
  if (withProcess) await one.order();
  return one;
}

describe("the owner's return", () => {
  test("a process whose thread has not come to starting it leaves as it came", async () => {
    const one = await world();
    one.starved = true;
    await one.order(2);
    expect(one.started).toBe(2);
    one.agent.pause("you are here", 0);
    one.say({ type: "release", pid: 2, epoch: 1, reason: "the owner is back" });
    await one.settle();
    expect(one.sent.filter(({ type }) => type === "refused")).toEqual([
      { type: "refused", pid: 2, epoch: 1, code: "NS_NOT_BEGUN", message: "it was to leave before it had begun" },
    ]);
    expect(one.cleared).toEqual([one.key]);
  });

  test("a process that stops stays, without an image being taken, and goes on when the owner leaves again in time", async () => {
    const one = await world();
    expect(one.agent.status().running).toBe(1);
    await one.passes(30_000); // a checkpoint is due
    one.agent.pause("you are here", 20_000);
    expect(one.load()).toMatchObject({ paused: "you are here", keepMs: 20_000 });
    await one.stops();
    expect(one.agent.status()).toMatchObject({ running: 0, runnable: 1 });
    expect(one.logged).toContain("stopped");
    await one.passes(19_000);
    expect(one.captured).toBe(0);
    expect(one.load()?.keepMs).toBeLessThanOrEqual(6_000);
    one.agent.resume();
    await one.settle();
    expect(one.agent.status().running).toBe(1);
    expect(one.load()).toMatchObject({ paused: null, keepMs: 0 });
  });

  test("when the owner stays, the checkpoint that is due is taken, and the coordinator may have the process", async () => {
    const one = await world();
    await one.passes(30_000);
    one.agent.pause("you are here", 20_000);
    await one.stops();
    await one.passes(20_100);
    expect(one.captured).toBe(1);
    expect(one.load()).toMatchObject({ keepMs: 0 });
    one.say({ type: "release", pid: 1, epoch: 1, reason: "the owner is back" });
    await one.settle();
    expect(one.sent.map(({ type }) => type)).toContain("surrender");
  });

  test("a process that computes on is given up with its thread within the owner's deadline", async () => {
    const one = await world();
    one.agent.pause("you are here", 20_000);
    await one.passes(150);
    one.threadCpuMs = 150;
    expect(one.terminated).toBe(0);
    await one.passes(50);
    expect(one.terminated).toBe(1);
    expect(one.refusals()).toEqual(["NS_HOST_UNAVAILABLE"]);
    expect(one.agent.status().processes).toEqual([]);
  });

  test("threads that have had nothing to do for a minute of a pause end, and are there again when it ends", async () => {
    const one = await world(false);
    expect([one.spawned, one.terminated]).toEqual([1, 0]);
    one.agent.pause("you are here", 20_000);
    await one.passes(79_000);
    expect([one.terminated, one.collected]).toEqual([0, 0]);
    await one.passes(2_000);
    expect([one.spawned, one.terminated, one.collected]).toEqual([1, 1, 1]);
    one.agent.resume();
    expect(one.spawned).toBe(2);
    await one.order();
    expect(one.agent.status().running).toBe(1);
    await one.passes(200_000);
    expect(one.terminated).toBe(1);
  });

  test("they end although the words for the pause change all the time", async () => {
    const one = await world(false);
    for (let at = 0; at < 90; at++) {
      one.agent.pause(`other programs are busy, ${at} %`, 20_000);
      await one.passes(1_000);
    }
    expect([one.terminated, one.collected]).toEqual([1, 1]);
  });

  test("a thread with a process stays through a pause, and ends when that has left", async () => {
    const one = await world();
    one.agent.pause("you are here", 20_000);
    await one.stops();
    await one.passes(200_000);
    expect(one.terminated).toBe(0);
    one.say({ type: "drop", pid: 1, epoch: 1 });
    await one.settle();
    expect(one.terminated).toBe(1);
  });

  test("where nothing tells a thread's processor time, the deadline alone counts", async () => {
    const one = await world();
    one.threadCpuMs = undefined;
    one.agent.pause("you are here", 20_000);
    await one.passes(200);
    expect(one.terminated).toBe(1);
  });

  test("a thread that only waits for the processor is not stuck, but does not wait for ever", async () => {
    const one = await world();
    one.agent.pause("you are here", 20_000);
    await one.passes(1_000);
    expect(one.terminated).toBe(0);
    await one.passes(4_000);
    expect(one.terminated).toBe(1);
  });

  test("what leaves for the owner goes gently, also over a connection made meanwhile; when the computer is about to be gone it hurries", async () => {
    const one = await world();
    expect(one.gentle).toBe(false);
    one.agent.pause("you are here", 20_000, "owner-here");
    expect(one.gentle).toBe(true);
    one.gentle = undefined;
    one.breaks();
    await one.passes(1_000);
    expect(one.gentle).toBe(true);
    one.agent.pause("this computer is going to sleep", 0, "ending");
    expect(one.gentle).toBe(false);
    one.agent.resume();
    one.agent.pause("Nightshift is about to end");
    expect(one.gentle).toBe(false);
  });

  test("a pause with less grace shortens it, one with more does not lengthen it", async () => {
    const one = await world();
    one.agent.pause("you are here", 20_000);
    one.agent.pause("on battery", 60_000);
    expect(one.load()?.keepMs).toBe(20_000);
    one.agent.pause("until you resume it", 0);
    expect(one.load()).toMatchObject({ paused: "until you resume it", keepMs: 0 });
  });

  test("nothing begins on a paused host; a process that is to leave before it began goes as it came", async () => {
    const one = await world(false);
    one.agent.pause("you are here", 20_000);
    await one.order(1);
    await one.order(2);
    expect(one.started).toBe(0);
    one.say({ type: "release", pid: 1, epoch: 1, reason: "the owner is back" });
    await one.settle();
    expect(one.refusals()).toEqual(["NS_NOT_BEGUN"]);
    one.agent.resume();
    await one.settle();
    expect(one.started).toBe(1);
  });
});

describe("programs", () => {
  const other = (digit: number): string => String(digit).repeat(64);

  test("one whose process is about to come is fetched and compiled, and told of; not on a paused host", async () => {
    const one = await world(false);
    one.say({ type: "prepare", program: other(1) });
    await one.settle();
    expect(one.sent.at(-1)).toEqual({ type: "prepared", program: other(1) });
    one.say({ type: "prepare", program: other(1) });
    await one.settle();
    expect(one.fetched).toEqual([other(1)]);
    one.agent.pause("you are here", 20_000);
    one.say({ type: "prepare", program: other(2) });
    await one.settle();
    expect(one.sent.at(-1)).toEqual({ type: "prepared", program: other(2) });
    expect(one.fetched).toEqual([other(1)]);
  });

  test("what has no process here makes room for others, the last first; after a minute of a pause nothing stays", async () => {
    const one = await world();
    const prepare = async (digit: number): Promise<void> => {
      one.say({ type: "prepare", program: other(digit) });
      await one.settle();
    };
    one.programBytes = 3 * 2 ** 20;
    for (const digit of [1, 2, 3, 1, 4, 1]) await prepare(digit);
    expect(one.fetched.splice(0)).toEqual([HASH, other(1), other(2), other(3), other(4)]);
    await prepare(2);
    expect(one.fetched.splice(0)).toEqual([other(2)]);
    await one.order(2); // the program of the process that has been here all the time
    expect(one.fetched).toEqual([]);
    one.agent.pause("you are here", 1_000);
    one.say({ type: "drop", pid: 1, epoch: 1 });
    one.say({ type: "drop", pid: 2, epoch: 1 });
    await one.passes(62_000);
    one.agent.resume();
    await prepare(1);
    await one.order(3);
    expect(one.fetched).toEqual([other(1), HASH]);
  });
});

test("what the policy leaves is told: slots, and memory less what processes have", async () => {
  const one = await world();
  one.agent.allow({ slots: 1, memoryBytes: 105 });
  expect(one.load()).toMatchObject({ slots: 1, memoryFreeBytes: 100 });
  one.agent.allow({ slots: 1, memoryBytes: 2 });
  expect(one.load()?.memoryFreeBytes).toBe(0);
  one.agent.allow({ slots: 9, memoryBytes: 1e9 });
  expect(one.load()).toMatchObject({ slots: 1, memoryFreeBytes: 900 });
});

describe("policies of the coordinator", () => {
  const policies = [{ version: 7, text: "{}" }];
  const answers = (one: World) => one.sent.filter(({ type }) => type === "policyObeyed");

  test("are obeyed before the host says that it is free, and again when they change; it says which", async () => {
    const one = await world(false);
    one.agent.onPolicies((told) => (told.length > 0 ? one.agent.pause("switched off", 0, "switched-off") : one.agent.resume()));
    const before = one.sent.length;
    one.say({ type: "welcome", version: 1, hostId: "h", leaseMs: 15_000, checkpointMs: 10_000, drop: [], policies });
    const loads = one.sent.slice(before).filter(({ type }) => type === "load");
    expect(loads[0]).toMatchObject({ paused: "switched off", pausedCode: "switched-off" });
    await one.settle();
    expect(answers(one).at(-1)).toEqual({ type: "policyObeyed", versions: [7], problem: null });
    one.say({ type: "policy", policies: [] });
    await one.settle();
    expect(one.load()).toMatchObject({ paused: null, pausedCode: null });
    expect(answers(one).at(-1)).toEqual({ type: "policyObeyed", versions: [], problem: null });
  });

  test("that cannot be obeyed are told with why", async () => {
    const one = await world(false);
    one.agent.onPolicies(() => {
      throw new NightshiftError("NS_BAD_POLICY", "there is no setting of that name");
    });
    one.say({ type: "policy", policies });
    await one.settle();
    expect(answers(one).at(-1)).toEqual({ type: "policyObeyed", versions: [7], problem: "there is no setting of that name" });
  });
});

test("what is printed here is looked at while somebody watches and it may be shown", async () => {
  const one = await world(false);
  one.agent.watch(true);
  one.agent.showWork(false);
  const work = { job: 1, name: "dusk", part: 1, parts: 1, by: "ada", show: "image" as const };
  await one.order(1, work);
  const asked = () => one.sent.filter(({ type }) => type === "askPrinted").length;
  expect([asked(), one.agent.shownNews()]).toEqual([0, null]);
  one.agent.showWork(true);
  expect([asked(), one.agent.shownNews()]).toMatchObject([1, { job: 1, tiles: [{ part: 1 }] }]);
  one.agent.showWork(false);
  expect(one.agent.shownNews()).toBeNull();
  one.agent.watch(false);
  one.agent.showWork(true);
  expect([asked(), one.agent.shownNews()]).toEqual([1, undefined]);
});

test("a coordinator of another version, or another one at its address, is told and tried again; a revoked key is not", async () => {
  const world = new World();
  world.agent.start();
  await world.settle();
  world.ends(new NightshiftError("NS_WRONG_KEY", "it is another one"));
  expect(world.agent.status().refused).toEqual({ code: "NS_WRONG_KEY", message: "it is another one" });
  await world.passes(10_000);
  expect(world.connects).toBe(1); // seldom
  await world.passes(10 * 60_000);
  expect(world.connects).toBe(2);
  world.say({
    type: "welcome",
    hostId: "h1",
    leaseMs: 60_000,
    checkpointMs: 60_000,
    policies: [],
    drop: [],
  } as unknown as ToAgent);
  await world.settle();
  expect(world.agent.status()).toMatchObject({ connected: true, refused: null });
  world.ends(new NightshiftError("NS_REVOKED", "this device was revoked"));
  await world.passes(60 * 60_000);
  expect([world.connects, world.agent.status().refused?.code]).toEqual([2, "NS_REVOKED"]);
});

test("a reason longer than the protocol allows is cut, not refused", async () => {
  const one = await world(false);
  one.agent.pause("x".repeat(500));
  expect(one.load()?.paused).toHaveLength(200);
});

describe("another network", () => {
  test("the connection is made anew at once, also by who waits to try again, and only once", async () => {
    const one = await world();
    one.agent.networkChanged();
    await one.settle();
    expect([one.connects, one.agent.status().connected]).toEqual([2, false]);
    expect(one.sent.findLast(({ type }) => type === "hello")).toMatchObject({ held: [{ pid: 1, epoch: 1 }] });
    one.breaks();
    await one.settle();
    expect(one.connects).toBe(2);
    one.agent.networkChanged();
    await one.settle();
    expect(one.connects).toBe(3);
    await one.passes(10_000);
    expect(one.connects).toBe(3);
    one.agent.stop();
    one.agent.networkChanged();
    await one.settle();
    expect(one.connects).toBe(3);
  });
});

describe("somebody watches", () => {
  const CLUSTER = { hosts: 9, online: 8, computing: 3, owners: 2, processes: 5, moves: 77 };
  const asked = (one: World) => one.sent.flatMap((message) => (message.type === "watch" ? [message.on] : []));

  test("the coordinator is asked for the whole, again on each connection, until nobody watches any more", async () => {
    const one = await world(false);
    one.say({ type: "cluster", ...CLUSTER });
    expect(one.agent.status().cluster).toBeNull(); // unasked
    one.agent.watch(true);
    one.agent.watch(true);
    one.say({ type: "cluster", ...CLUSTER });
    expect([asked(one), one.agent.status().cluster]).toEqual([[true], CLUSTER]);
    one.breaks();
    await one.settle();
    expect(one.agent.status().cluster).toBeNull();
    await one.passes(1_000);
    one.say({ type: "welcome", version: 1, hostId: "h", leaseMs: 15_000, checkpointMs: 10_000, drop: [], policies: [] });
    expect(asked(one)).toEqual([true, true]);
    one.say({ type: "cluster", ...CLUSTER });
    one.agent.watch(false);
    expect([asked(one), one.agent.status().cluster]).toEqual([[true, true, false], null]);
  });
});
