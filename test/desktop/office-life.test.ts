import { Agent, DEFAULT_AGENT_SETTINGS, type Ports, type ProcessStatus } from "@nightshift/agent-app/agent";
import { type Decision, effective, PolicyKeeper, reasonWords, type Signals } from "@nightshift/agent-app/policy";
import type { FromAgent, ToAgent } from "@nightshift/coordinator/protocol";
import { expect, test } from "vitest";

const DAYS = 24;
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const PROCESSES = 6;
const SLOTS = 2;
const POLL_MS = 5;
/** Storing an image; an agent checkpoints the more seldom the longer it takes. */
const STORE_MS = 500;
const HASH = "a".repeat(64);

/** A small generator: the same life every time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

class Time {
  now = 0;
  timers: { at: number; work: () => void }[] = [];
  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = { at: this.now + Math.max(0, ms), work };
    let at = this.timers.length;
    while (at > 0 && (this.timers[at - 1]?.at ?? 0) > timer.at) at--;
    this.timers.splice(at, 0, timer);
    return () => {
      const found = this.timers.indexOf(timer);
      if (found >= 0) this.timers.splice(found, 1);
    };
  };
}

/** Everything that can happen without time passing. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await null;
}

/** The agent and the policy as they are, a home and threads that do as they are told, an owner, and time. */
class Office {
  readonly time = new Time();
  readonly agent: Agent;
  readonly keeper: PolicyKeeper;
  /** Process -> its epoch, and where it is. */
  readonly processes = Array.from({ length: PROCESSES }, (_, at) => ({ pid: at + 1, epoch: 0, here: false, surrenders: 0 }));
  decision: Decision | undefined;
  computedMs = 0;
  pauses = 0;
  private say: (message: ToAgent) => void = () => undefined;
  /** What computes, and the flag that stops it. */
  private readonly running = new Map<number, { flag: Int32Array; since: number; stop(): void }>();
  private readonly flags = new Map<number, Int32Array>();
  private readonly released = new Set<string>();

  constructor() {
    const { time } = this;
    const status: ProcessStatus = { waiting: null, cpuMs: 1, memoryBytes: 1_000, syscalls: 0, outputBytes: 0, errorBytes: 0 };
    const ports: Ports = {
      connect: async (on) => {
        this.say = on.message;
        return {
          send: (m) => this.heard(m),
          getBlob: async () => new Uint8Array(8),
          putBlob: () => new Promise<void>((resolve) => void time.after(STORE_MS, resolve)),
          beGentle: () => undefined,
          close: () => undefined,
          abandon: () => undefined,
        };
      },
      spawnWorker: () => ({
        api: {
          start: async ({ key }) => {
            const control = new SharedArrayBuffer(64);
            this.flags.set(key, new Int32Array(control));
            return { control, status };
          },
          stop: async () => undefined,
          outputTaken: async () => undefined,
          run: (key) =>
            new Promise((resolve) => {
              const flag = this.flags.get(key) ?? new Int32Array(1);
              const since = time.now;
              const stop = (): void => {
                this.running.delete(key);
                this.computedMs += time.now - since;
                flag[0] = 0;
                resolve({ end: { kind: "preempted" }, status });
              };
              this.running.set(key, { flag, since, stop });
            }),
          complete: async () => status,
          capture: async () => ({
            bytes: new Uint8Array(3),
            isDelta: false,
            image: { syscalls: 0, outputBytes: 0, errorBytes: 0, cpuMs: 1 },
          }),
          stored: async () => undefined,
          changedFiles: async () => new Map(),
          clear: async (key) => void this.flags.delete(key),
        },
        cpuMs: () => time.now,
        terminate: () => undefined,
      }),
      load: async (bytes) => ({ bytes, module: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) }),
      hash: () => HASH,
      now: () => time.now,
      random: () => 0.5,
      after: time.after,
      backoffMs: () => 100,
      hostInfo: () => ({ name: "desk", os: "", arch: "", cpuModel: "", slots: SLOTS, memoryBytes: 1e9, speed: 1 }),
      memoryFreeBytes: () => 1e9,
      log: () => undefined,
    };
    // Long turns: who computes in turn with whom is not the question here.
    this.agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots: SLOTS, quantumMs: 10 * MINUTE });
    this.keeper = new PolicyKeeper(
      {
        moment: () => ({ nowMs: time.now, wallMs: time.now, minuteOfWeek: (time.now / MINUTE) % 10_080 }),
        after: time.after,
        decided: (decision) => {
          this.decision = decision;
          const [first] = decision.reasons;
          if (first) {
            this.pauses++;
            this.agent.pause(reasonWords(first), decision.graceMs);
          } else {
            this.agent.allow({ slots: SLOTS, memoryBytes: 5e8 });
            this.agent.resume();
          }
        },
      },
      effective({}, []),
      { desktop: true, lastInputAtMs: 0 },
      null,
    );
  }

  get computing(): number {
    return this.running.size;
  }
  get threadsHold(): number {
    return this.flags.size;
  }

  /** The home: processes go to a host that may compute, and leave one that is paused for longer than it asked. */
  private heard(message: FromAgent): void {
    const mine = "pid" in message ? this.processes.find(({ pid }) => pid === message.pid) : undefined;
    if (message.type === "refused") throw new Error(`process ${message.pid} was lost: ${message.message}`);
    if (message.type === "hello")
      this.say({ type: "welcome", version: 1, hostId: "h1", leaseMs: 3 * HOUR, checkpointMs: HOUR, drop: [], policies: [] });
    else if (message.type === "surrender" && mine) {
      if (message.epoch !== mine.epoch || !mine.here) throw new Error(`process ${mine.pid} was surrendered twice`);
      mine.here = false;
      mine.surrenders++;
      this.say({ type: "drop", pid: mine.pid, epoch: mine.epoch });
    } else if (message.type === "load") {
      if (message.paused === null) for (const one of this.processes) if (!one.here) this.give(one);
      if (message.paused !== null && message.keepMs === 0)
        for (const { pid, epoch } of message.held) {
          if (this.released.has(`${pid}/${epoch}`)) continue;
          this.released.add(`${pid}/${epoch}`);
          this.say({ type: "release", pid, epoch, reason: "paused" });
        }
    }
  }

  private give(one: { pid: number; epoch: number; here: boolean }): void {
    one.here = true;
    one.epoch++;
    const { pid, epoch } = one;
    const spec = {
      program: HASH,
      args: [],
      env: {},
      files: {},
      memoryLimitBytes: 1e6,
      cpuLimitMs: 0,
      clock: "virtual",
      seed: "1",
    } as const;
    this.say({ type: "run", pid, parent: 0, epoch, spec: { ...spec, args: [], env: {}, files: {} }, image: null, result: null });
  }

  async passes(ms: number): Promise<void> {
    const { time } = this;
    const end = time.now + ms;
    for (;;) {
      const [next] = time.timers;
      if (!next || next.at > end) break;
      time.timers.shift();
      time.now = next.at;
      next.work();
      await settle();
      await this.poll();
    }
    time.now = end;
  }

  /** Processes whose flag is set stop at their next poll. */
  private async poll(): Promise<void> {
    for (let stopping = this.stopping(); stopping.length > 0; stopping = this.stopping()) {
      for (const one of stopping) one.stop();
      await settle();
    }
  }

  private stopping(): { stop(): void }[] {
    return [...this.running.values()].filter(({ flag }) => flag[0] !== 0);
  }

  touch(): Promise<void> {
    return this.told({ lastInputAtMs: this.time.now });
  }

  async told(signals: Signals): Promise<void> {
    this.keeper.update(signals);
    await settle();
    await this.poll();
  }
}

test(`${DAYS} days of office life: never beside the owner, no process lost, nothing left behind, and most of the idle time used`, async () => {
  const office = new Office();
  const { time } = office;
  office.keeper.look();
  office.agent.start();
  await settle();
  const random = chance(24);
  let idleMs = 0;
  let inputs = 0;
  /** Works at the desk for so long: input every few seconds to a minute. */
  const work = async (ms: number): Promise<void> => {
    const until = time.now + ms;
    while (time.now < until) {
      await office.touch();
      inputs++;
      await office.passes(POLL_MS);
      expect(office.computing, `computes beside the owner at ${time.now} ms`).toBe(0);
      await office.passes(2 * SECOND + random() ** 3 * 170 * SECOND);
      expect(office.computing).toBe(0);
    }
  };
  /** Is away; the screen may be locked, the PC may sleep for a while. */
  const away = async (ms: number): Promise<void> => {
    idleMs += ms;
    const locks = random() < 0.5;
    if (locks) await office.told({ locked: true });
    if (random() < 0.2) {
      await office.told({ ending: true });
      await office.passes(10 * SECOND);
      expect(office.computing).toBe(0);
      await office.told({ ending: false });
      await office.passes(ms - 10 * SECOND);
    } else await office.passes(ms);
    if (locks) await office.told({ locked: false });
    await office.touch();
  };
  for (let day = 0; day < DAYS; day++) {
    const begin = day * DAY;
    if (day % 7 < 5) {
      await away(begin + 8 * HOUR + random() * HOUR - time.now);
      await work(2 * HOUR);
      await away((5 + random() * 25) * MINUTE);
      await work(1.5 * HOUR);
      await away((40 + random() * 30) * MINUTE);
      await work(2 * HOUR);
      if (random() < 0.5) await away(HOUR);
      await work(1.5 * HOUR);
    }
    await away(begin + DAY - time.now);
  }
  expect(inputs).toBeGreaterThan(10_000);
  expect(office.pauses).toBeGreaterThan(100);
  // Every process is in exactly one place, and the agent says the same.
  const held = office.agent.status().processes.map(({ pid }) => pid);
  expect(held.toSorted()).toEqual(office.processes.filter(({ here }) => here).map(({ pid }) => pid));
  expect(office.processes.reduce((sum, { surrenders }) => sum + surrenders, 0)).toBeGreaterThan(100);
  // What is left behind grows with the days: timers, processes in threads.
  expect(time.timers.length).toBeLessThan(40);
  expect(office.threadsHold).toBeLessThanOrEqual(PROCESSES);
  const used = office.computedMs / (SLOTS * idleMs);
  console.log(`${inputs} inputs, ${office.pauses} pauses, ${(100 * used).toFixed(1)} % of the idle time used`);
  expect(used).toBeGreaterThan(0.9);
  office.agent.stop();
});
