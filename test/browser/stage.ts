// One stage of a process's journey between engines: brought in from the bytes of its image, carried on for a number of polls or until
// somebody else stops it, and out again as the bytes of its next image. Runs in Node and in a browser's worker; not a test.
import {
  decodeImage,
  encodeImage,
  type Packer,
  Process,
  Program,
  requestStop,
  type Stop,
} from "@nightshift/wasm-kernels/process";

export interface StageOrder {
  hash: string;
  bytes: Uint8Array<ArrayBuffer>;
  args: readonly string[];
  /** null: it begins. */
  image: Uint8Array | null;
  /** So many polls; null: until it is stopped from outside. At the end of the process the stage ends in any case. */
  polls: number | null;
}

export interface StageResult {
  stop: Stop;
  polls: number;
  /** null: the process has ended. */
  image: Uint8Array<ArrayBuffer> | null;
  output: Uint8Array;
}

/** For engines whose threads share no memory. */
export interface InSlices {
  /** The program with fuel. */
  prepare(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  /** What whoever is outside would do. */
  stopAfterMs: number | null;
}

const programs = new Map<string, Program>();

/** @param running told the control memory before the process runs */
export function runStage(
  order: StageOrder,
  packer: Packer,
  running: (control: SharedArrayBuffer) => void,
  slices?: InSlices,
): StageResult {
  const program = programs.get(order.hash) ?? new Program(order.hash, slices?.prepare(order.bytes) ?? order.bytes);
  programs.set(order.hash, program);
  const written: number[] = [];
  const options = {
    ...{ program, pid: 1, parentPid: 0, seed: "1", args: order.args, env: {}, files: new Map(), clock: "virtual" as const },
    memoryLimitBytes: 2 ** 30,
    now: () => 0,
    cpuNow: () => 0, // equal images need equal times
    onOutput: (_stream: 1 | 2, _offset: number, bytes: Uint8Array) => void written.push(...bytes),
    onPipeClosed: () => undefined,
    refuel: () => (order.polls !== null || performance.now() > stopAt ? 0 : 100),
  };
  const stopAt = performance.now() + (slices?.stopAfterMs ?? Number.POSITIVE_INFINITY);
  const process = order.image ? Process.restore(options, decodeImage(order.image, [packer]), null) : Process.start(options);
  running(process.control);
  let polls = 0;
  let stop: Stop;
  do {
    // Set beforehand, the flag is seen at the very next poll.
    if (order.polls !== null) requestStop(process.control);
    stop = process.run();
    if (stop.kind === "preempted") polls++;
    else if (stop.kind === "waiting") process.complete({ value: 0 }); // in output or sleep: there is nobody to wait for
  } while (stop.kind === "waiting" || (stop.kind === "preempted" && order.polls !== null && polls < order.polls));
  const image = stop.kind === "preempted" ? encodeImage(process.capture(false), packer) : null;
  process.leave();
  return { stop, polls, image, output: new Uint8Array(written) };
}
