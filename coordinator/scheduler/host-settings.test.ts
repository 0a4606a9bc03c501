// What administrators say of hosts (stay, block, drained), by itself and in simulated clusters with random histories.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FromAgent, JobSpec, ToAgent } from "../protocol/index.ts";
import { Core, DEFAULT_SETTINGS } from "./core.ts";
import type { HostSettings, ProcessRecord } from "./state.ts";

const HASH = "a".repeat(64);
const image = { hash: HASH, sizeBytes: 10, syscalls: 0, outputBytes: 0, errorBytes: 0, cpuMs: 1 };
type Said = Partial<Pick<HostSettings, "stay" | "block" | "drained">>;

/** A core with agents that do at once what they are told. Every message to a host goes to `seen` first. */
class Simulated {
  now = 1000;
  readonly core = new Core(DEFAULT_SETTINGS, [], this.now);
  readonly seen: (host: string, message: ToAgent) => void;

  constructor(seen: (host: string, message: ToAgent) => void = () => {}) {
    this.seen = seen;
  }
  do<T>(event: (core: Core, now: number) => T): T {
    const result = event(this.core, this.now);
    for (const effect of this.core.take().effects) if (effect.kind === "send") this.told(effect.host, effect.message);
    return result;
  }
  private told(host: string, message: ToAgent): void {
    this.seen(host, message);
    if (message.type === "run") this.says(host, { type: "started", pid: message.pid, epoch: message.epoch });
    if (message.type === "release")
      this.says(host, { type: "surrender", pid: message.pid, epoch: message.epoch, image, wasRunning: true, reason: "" });
  }
  says(host: string, message: FromAgent): void {
    this.do((core, now) => core.agentMessage(host, message, now));
  }
  host(name: string, slots = 1, speed = 100): void {
    const info = { name, os: "", arch: "", cpuModel: "", slots, memoryBytes: 2 ** 34, speed };
    this.do((core, now) => core.hostConnected(name, info, [], now));
  }
  set(name: string, said: Said): void {
    const { tags, stay, block, drained } = this.core.hosts.get(name) ?? { tags: [], stay: false, block: false, drained: false };
    this.do((core, now) => core.setHost(name, { name, tags, stay, block, drained, ...said }, now));
  }
  submit(more: Partial<JobSpec> = {}): number {
    const spec = { name: "job", program: HASH, args: [], env: {}, files: {}, memoryLimitBytes: 2 ** 30, cpuLimitMs: 0 };
    const rest = { clock: "virtual" as const, startOn: null, stay: false, stdin: false };
    return this.do((core, now) => core.submit({ ...spec, ...rest, ...more }, now)).root;
  }
  fork({ pid, host, epoch }: ProcessRecord): void {
    const seq = this.forks.get(pid) ?? 0;
    this.forks.set(pid, seq + 1);
    this.says(host ?? "", { type: "syscall", pid, epoch, seq, call: { call: "fork", image: HASH } });
  }
  private readonly forks = new Map<number, number>();
  /** Rests of moves are over, and balancing has had its turn. */
  wait(ms = 1000): void {
    this.now += ms;
    for (const name of this.core.hosts.keys()) this.load(name, null);
    this.do((core, now) => core.tick(now));
  }
  load(host: string, paused: string | null): void {
    const held = this.on(host).map(({ pid, epoch, cpuMs }) => ({ pid, epoch, state: "running" as const, cpuMs, memoryBytes: 0 }));
    const counts = { running: held.length, runnable: 0, blocked: 0, slots: this.core.hosts.get(host)?.info.slots ?? 1 };
    const rest = { paused, pausedCode: paused, keepMs: 0, memoryFreeBytes: 2 ** 33, speed: 0 };
    this.says(host, { type: "load", ...counts, ...rest, held });
  }
  on(host: string): ProcessRecord[] {
    return [...this.core.alive.values()].filter((process) => process.host === host);
  }
  counts(...hosts: string[]): number[] {
    return hosts.map((host) => this.on(host).length);
  }
}

describe("stay", () => {
  test("balancing takes nothing from the host; taken back, it does", () => {
    const s = new Simulated();
    s.host("amun");
    s.set("amun", { stay: true });
    const root = s.submit();
    for (let turn = 0; turn < 3; turn++) s.fork(s.core.processes.get(root) as ProcessRecord);
    s.host("ipc256");
    s.wait();
    expect(s.counts("amun", "ipc256")).toEqual([4, 0]);
    s.set("amun", { stay: false });
    s.wait();
    expect(s.counts("amun", "ipc256")).toEqual([2, 2]);
  });

  test("others come to it, and its owner, clearing and people still move what is there", () => {
    const s = new Simulated();
    for (const name of ["amun", "ipc256"]) s.host(name, 2);
    s.set("amun", { stay: true });
    const pids = [s.submit({ startOn: "amun" }), s.submit({ startOn: "amun" })];
    expect(s.counts("amun", "ipc256")).toEqual([2, 0]);
    s.do((core, now) => core.migrate(pids[0] ?? 0, "ipc256", now));
    expect(s.counts("amun", "ipc256")).toEqual([1, 1]);
    s.load("amun", "owner-here");
    expect(s.counts("amun", "ipc256")).toEqual([0, 2]);
    s.load("amun", null);
    s.submit({ startOn: "amun" });
    s.set("amun", { drained: true });
    expect(s.counts("amun", "ipc256")).toEqual([0, 3]);
  });
});

describe("block", () => {
  test("nothing new comes: by placing, on request, by balancing, by hand, or when another host is cleared", () => {
    const s = new Simulated();
    s.host("amun");
    s.host("ipc256", 4, 400);
    s.set("ipc256", { block: true });
    const [pid = 0] = [s.submit(), s.submit(), s.submit({ startOn: "ipc256" })];
    s.wait();
    expect(s.counts("amun", "ipc256")).toEqual([1, 0]);
    expect(() => s.do((core, now) => core.migrate(pid, "ipc256", now))).toThrow("ipc256 is blocked: it takes nothing new");
    expect(s.core.waiting(s.core.processes.get(pid)?.job ?? 0)).toBeUndefined();
    s.set("amun", { drained: true });
    expect(s.counts("amun", "ipc256")).toEqual([1, 0]);
    expect(s.core.waiting(2)).toMatchObject({ code: "not-usable", clear: 1, blocked: 1, slots: 0 });
    s.set("ipc256", { block: false });
    s.wait();
    expect(s.counts("amun", "ipc256")).toEqual([0, 3]);
  });

  test("what is there goes on, and its forks begin there and may leave", () => {
    const s = new Simulated();
    s.host("amun");
    const root = s.submit();
    s.set("amun", { block: true });
    s.fork(s.core.processes.get(root) as ProcessRecord);
    s.wait();
    expect(s.counts("amun")).toEqual([2]);
    s.host("ipc256");
    s.wait();
    expect(s.counts("amun", "ipc256")).toEqual([1, 1]);
  });
});

test("what is said of a host outlasts its connection", () => {
  const s = new Simulated();
  s.host("amun");
  s.set("amun", { stay: true, block: true });
  s.do((core, now) => core.hostLeft("amun", now));
  s.host("amun");
  expect(s.core.hosts.get("amun")).toMatchObject({ stay: true, block: true, drained: false });
});

test("in simulated clusters with any history no host that stays is balanced away from, and nothing comes to one that is blocked", () => {
  const host = fc.integer({ min: 0, max: 4 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("submit" as const), on: fc.option(host) }),
    fc.record({ do: fc.constant("set" as const), host, stay: fc.boolean(), block: fc.boolean(), drained: fc.boolean() }),
    fc.record({ do: fc.constant("fork" as const), nth: fc.nat(30) }),
    fc.record({ do: fc.constant("exit" as const), nth: fc.nat(30) }),
    fc.record({ do: fc.constant("owner" as const), host, here: fc.boolean() }),
    fc.record({ do: fc.constant("leave" as const), host }),
    fc.record({ do: fc.constant("wait" as const) }),
  );
  void fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const s = new Simulated((name, message) => {
        const at = s.core.hosts.get(name);
        if (message.type === "release" && message.reason === "balancing") expect(at?.stay).toBe(false);
        if (message.type !== "run" || !at?.block) return;
        const { parent, epoch } = s.core.processes.get(message.pid) ?? { parent: 0, epoch: 0 };
        expect([parent > 0, epoch]).toEqual([true, 1]);
      });
      for (let at = 0; at < 5; at++) s.host(`h${at}`, 1 + (at % 3), 100 + 50 * at);
      const nth = (at: number): ProcessRecord | undefined => {
        const running = [...s.core.alive.values()].filter(({ state }) => state === "running");
        return running[at % Math.max(1, running.length)];
      };
      for (const one of steps) {
        s.now += 100;
        if (one.do === "submit") s.submit({ startOn: one.on === null ? null : `h${one.on}` });
        else if (one.do === "set") s.set(`h${one.host}`, { stay: one.stay, block: one.block, drained: one.drained });
        else if (one.do === "owner") s.load(`h${one.host}`, one.here ? "owner-here" : null);
        else if (one.do === "leave") {
          s.do((core, now) => core.hostLeft(`h${one.host}`, now));
          s.host(`h${one.host}`, 1 + (one.host % 3), 100 + 50 * one.host);
        } else if (one.do === "wait") s.wait();
        else {
          const process = nth(one.nth);
          if (process && one.do === "fork") s.fork(process);
          else if (process) {
            const report = { kind: "exit" as const, code: 0 };
            const { pid, epoch, host: where } = process;
            s.says(where ?? "", { type: "exited", pid, epoch, report, cpuMs: 1, outputBytes: 0, errorBytes: 0, files: {} });
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
