import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { must } from "@nightshift/wasm-kernels/errors";
import {
  exitStatus,
  type HomeCall,
  type HomeResult,
  Kernel,
  type Program,
  requestStop,
  signalOfFault,
  signalStatus,
} from "@nightshift/wasm-kernels/process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Order, Told } from "./carrier.ts";
import { local, programOf, text } from "./cluster.ts";

/** Stops to be survived per program. */
const MOMENTS = 200;
/** Every so manieth continuation is in a thread that has never run anything; the others are in a fresh instance of an older thread. */
const FRESH_THREAD_EVERY = 10;

/** Arguments with which each lasts long enough for 200 stops some milliseconds apart. */
const CASES = [
  { name: "fork-fibonacci", args: ["30", "5"], shape: "32 processes, recursion" },
  { name: "ackermann", args: ["9", "8000", "3000"], shape: "deep recursion" },
  { name: "dispatch", args: ["60000000"], shape: "calls through a table" },
  { name: "sort", args: ["200000"], shape: "function pointers and qsort" },
  { name: "nbody", args: ["4000000"], shape: "floating point" },
  { name: "wordcount", args: ["800000"], shape: "many small allocations" },
  { name: "files", args: ["500"], shape: "strings and file I/O" },
  { name: "longloop", args: ["200000000"], shape: "one loop, called once" },
];

/** Mulberry32: the moments can be repeated from the seed as far as threads allow. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const newCarrier = (): Worker =>
  new Worker(new URL("./carrier.ts", import.meta.url), { resourceLimits: { stackSizeMb: 8 } }).setMaxListeners(0);
let carrier: Worker;
/** Always one ready ahead, so that nobody waits for a thread to start. */
let next: Worker;
beforeAll(() => {
  [carrier, next] = [newCarrier(), newCarrier()];
});
afterAll(() => Promise.all([carrier.terminate(), next.terminate()]));

type Stopped = Extract<Told, { kind: "stopped" }>;

/** Has the process continued by the carrier, and its flag set from this thread after a while. */
async function carryOn(order: Order, delayMs: number | undefined): Promise<Stopped> {
  carrier.postMessage(order);
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      const [told] = (await once(carrier, "message")) as [Told];
      if (told.kind === "stopped") return told;
      if (delayMs === undefined) continue;
      if (delayMs < 0.5) requestStop(told.control);
      else timer = setTimeout(() => requestStop(told.control), delayMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

interface Task {
  pid: number;
  parentPid: number;
  seed: string;
  forks: number;
  image: Uint8Array | null;
  waiting: HomeCall | undefined;
  answer: HomeResult | null;
}

/** The program with all its processes, each stopped again and again; the coordinator's part is played by its kernel. */
async function disturbed(program: Program, args: readonly string[], random: () => number, most: number) {
  const kernel = Kernel.start(1, false);
  const tasks = new Map<number, Task>();
  const output: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
  const start = (pid: number, parentPid: number, seed: string, image: Uint8Array | null, answer: HomeResult | null): void =>
    void tasks.set(pid, { pid, parentPid, seed, forks: 0, image, answer, waiting: undefined });
  let status: unknown;
  let moments = 0;
  let threads = 0;
  let nextPid = 2;
  start(1, 0, "1", null, null);
  while (tasks.size > 0) {
    let progress = false;
    for (const task of [...tasks.values()]) {
      if (task.waiting?.call === "fork") {
        const pid = nextPid++;
        start(pid, task.pid, `${task.seed}.${task.forks++}`, task.image, { value: 0 });
        kernel.fork(task.pid, pid);
        task.answer = { value: pid };
        task.waiting = undefined;
      } else if (task.waiting) {
        const answer = kernel.call(task.pid, task.waiting);
        if (answer.kind === "wait") continue;
        task.answer = answer.result;
        task.waiting = undefined;
      }
      progress = true;
      const { pid, parentPid, seed, image, answer } = task;
      task.answer = null;
      const { hash, bytes, module } = program;
      const delayMs = moments < most ? random() ** 2 * 3 : undefined;
      const told = await carryOn({ hash, bytes, module, pid, parentPid, seed, args, image, answer }, delayMs);
      for (const stream of [1, 2] as const) output[stream].push(...told.output[stream]);
      for (const pipe of told.closed) kernel.close(pid, pipe);
      const { stop } = told;
      if (stop.kind === "exit" || stop.kind === "fault") {
        if (pid === 1) status = stop;
        kernel.exit(pid, stop.kind === "exit" ? exitStatus(stop.code) : signalStatus(signalOfFault(stop.code, stop.message)));
        tasks.delete(pid);
        continue;
      }
      task.image = must(told.image, "the image");
      if (told.waiting?.kind === "home") task.waiting = told.waiting.call;
      else if (told.waiting) task.answer = { value: 0 };
      if (stop.kind !== "preempted") continue;
      moments++;
      if (moments % FRESH_THREAD_EVERY !== 0) continue;
      threads++;
      await carrier.terminate();
      [carrier, next] = [next, newCarrier()];
    }
    if (!progress) throw new Error("every process waits for another");
  }
  return { status, out: text(Buffer.concat(output[1])), err: text(Buffer.concat(output[2])), moments, threads };
}

test.each(CASES)(
  "$name ($shape): preempted at 200 random moments, each time continued from its image in a fresh instance, every tenth time in a fresh thread, prints the same bytes",
  async ({ name, args }) => {
    const seed = Number(process.env.PREEMPTION_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const undisturbed = await local(name, args);
    const random = randomFrom(seed);
    const began = performance.now();
    let moments = 0;
    // A run may be over before it was stopped often enough, when this machine has much else to do: then there is another.
    for (let run = 1; moments < MOMENTS; run++) {
      const result = await disturbed(await programOf(name), [name, ...args], random, MOMENTS - moments);
      moments += result.moments;
      const what = `PREEMPTION_SEED=${seed}, run ${run}: ${result.moments} stops, ${result.threads} threads`;
      console.log(`${name}: ${what}, ${((performance.now() - began) / 1000).toFixed(1)} s`);
      expect(result.out, what).toBe(undisturbed.out);
      expect(result.err, what).toBe(undisturbed.err);
      expect(result.status, what).toEqual(undisturbed.stop);
      expect(result.moments, what).toBeGreaterThan(0);
    }
  },
);
