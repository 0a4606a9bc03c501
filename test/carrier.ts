// A thread that carries processes on: each order brings a process as the bytes of its image, which is continued in a fresh instance
// until it stops, and goes back as the bytes of its next image. The preemption test's other side; not a test.
import { parentPort } from "node:worker_threads";
import { must } from "@nightshift/wasm-kernels/errors";
import {
  decodeImage,
  encodeImage,
  type HomeResult,
  type PipeEnd,
  Process,
  Program,
  type Stop,
  type WaitReason,
} from "@nightshift/wasm-kernels/process";

export interface Order {
  hash: string;
  bytes: Uint8Array<ArrayBuffer>;
  module: WebAssembly.Module;
  pid: number;
  parentPid: number;
  seed: string;
  args: readonly string[];
  /** null: it begins. */
  image: Uint8Array | null;
  /** To the call that the image waits in. */
  answer: HomeResult | null;
}

export type Told =
  | { kind: "ready"; control: SharedArrayBuffer }
  | {
      kind: "stopped";
      stop: Stop;
      waiting: WaitReason | null;
      image: Uint8Array | null;
      output: Record<1 | 2, Uint8Array[]>;
      closed: PipeEnd[];
    };

const port = must(parentPort, "the carrier's port");
const programs = new Map<string, Program>();

port.on("message", (order: Order) => {
  const program = programs.get(order.hash) ?? new Program(order.hash, order.bytes, order.module);
  programs.set(order.hash, program);
  const output: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
  const closed: PipeEnd[] = [];
  const { pid, parentPid, seed, args } = order;
  const options = {
    ...{ program, pid, parentPid, seed, args, env: {}, files: new Map(), clock: "virtual" as const, memoryLimitBytes: 2 ** 30 },
    now: () => Date.now(),
    cpuNow: () => performance.now(),
    onOutput: (stream: 1 | 2, _offset: number, bytes: Uint8Array) => void output[stream].push(bytes.slice()),
    onPipeClosed: (pipe: PipeEnd) => void closed.push(pipe),
  };
  const process = order.image === null ? Process.start(options) : Process.restore(options, decodeImage(order.image), null);
  if (order.answer) process.complete(order.answer);
  port.postMessage({ kind: "ready", control: process.control } satisfies Told);
  const stop = process.run();
  const over = stop.kind === "exit" || stop.kind === "fault";
  const image = over ? null : encodeImage(process.capture(false));
  const waiting = process.waitingFor;
  const plain = stop.kind === "waiting" ? { kind: "waiting" as const, reason: stop.reason } : stop;
  port.postMessage({ kind: "stopped", stop: plain, waiting, image, output, closed } satisfies Told);
});
