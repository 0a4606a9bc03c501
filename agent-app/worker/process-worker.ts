// What runs in a worker thread: processes, of which one computes at a time, behind the WorkerApi. Knows no platform; worker.node.ts (and, in browsers, its
// twin) connects it to a thread.
import type { SyscallResult } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { withMemoryLimit } from "@nightshift/wasm-kernels/instrument";
import {
  acknowledgeOutput,
  decodeImage,
  encodeImage,
  type Image,
  mergeImages,
  noPacker,
  type Packer,
  PinnedProcess,
  type PipeEnd,
  Process,
  type ProcessOptions,
  Program,
  type Stop,
} from "@nightshift/wasm-kernels/process";
import * as Comlink from "comlink";
import type { ProcessStatus, RunEnd, StartOrder, WorkerApi } from "../agent/ports.ts";
import type { Slices } from "./slices.ts";

export interface WorkerSurroundings {
  /** CPU time of this thread in milliseconds. */
  cpuNow(): number;
  /** Milliseconds since 1970. */
  now(): number;
  output(key: number, stream: 1 | 2, offset: number, bytes: Uint8Array): void;
  /** In slices only: one is over, or its process has stopped. */
  sliceOver?(): void;
  pipeClosed(key: number, pipe: PipeEnd): void;
  packer: Packer;
  /** See scheduler/core.ts. */
  runsPinned: boolean;
  renewal?: Renewal;
  /** Where threads may share no memory. */
  slices?: Slices;
}

/** Told which process computes, so that it is renewed (requestRenewal) where the engine leaves long-running code as it is. */
export interface Renewal {
  entered(key: number, control: SharedArrayBuffer): void;
  /** undefined: none. */
  computing(key: number | undefined): void;
  left(key: number): void;
}

/** Programs whose compiled continuations are kept; processes of one job come to the same workers again. */
const MAX_PROGRAMS = 4;

interface Held {
  process: Process | PinnedProcess;
  /** undefined: it is pinned. */
  program: Program | undefined;
  captured: Image | undefined;
  /** In slices only: it is to stop. */
  stopping: boolean;
}

export class ProcessWorker implements WorkerApi {
  private readonly around: WorkerSurroundings;
  private readonly programs = new Map<string, Program>();
  private readonly processes = new Map<number, Held>();
  /** Whoever computes, as one call after the other is answered. */
  private computing: Promise<void> = Promise.resolve();

  constructor(around: WorkerSurroundings) {
    this.around = around;
  }

  private held(key: number): Held {
    const held = this.processes.get(key);
    if (!held) throw new NightshiftError("NS_INTERNAL", `the worker does not hold process ${key}`);
    return held;
  }

  /** @throws NS_NOT_MIGRATABLE */
  private movable(key: number): { held: Held; process: Process } {
    const held = this.held(key);
    const { process } = held;
    if (process instanceof PinnedProcess) throw new NightshiftError("NS_NOT_MIGRATABLE", "the process is pinned");
    return { held, process };
  }

  private status(process: Process | PinnedProcess): ProcessStatus {
    const { waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes } = process;
    return { waiting: waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes };
  }

  async start(order: StartOrder): Promise<{ control: SharedArrayBuffer | null; status: ProcessStatus }> {
    await this.computing;
    const { spec } = order;
    const options = {
      pid: order.pid,
      parentPid: order.parentPid,
      args: spec.args,
      env: spec.env,
      files: order.files,
      clock: spec.clock,
      seed: spec.seed,
      memoryLimitBytes: spec.memoryLimitBytes,
      now: this.around.now,
      cpuNow: this.around.cpuNow,
      onOutput: (stream: 1 | 2, offset: number, bytes: Uint8Array) => this.around.output(order.key, stream, offset, bytes),
      onPipeClosed: (pipe: PipeEnd) => this.around.pipeClosed(order.key, pipe),
    };
    let process: Process | PinnedProcess;
    let program: Program | undefined;
    if (order.module) {
      program = this.program(order, order.module);
      process = this.movableProcess(order, { ...options, program, refuel: this.around.slices?.refuel });
      this.around.renewal?.entered(order.key, process.control);
    } else {
      if (!this.around.runsPinned) throw new NightshiftError("NS_ENGINE_LACKS", "pinned programs do not run in browsers");
      process = new PinnedProcess({ ...options, module: await compilePinned(order) });
    }
    this.processes.set(order.key, { process, program, captured: undefined, stopping: false });
    return { control: this.around.slices ? null : process.control, status: this.status(process) };
  }

  private movableProcess({ images, imageHash, spec }: StartOrder, options: ProcessOptions): Process {
    if (images.length === 0) return Process.start(options);
    const packers = [noPacker, this.around.packer];
    const image = mergeImages(images.map((bytes) => decodeImage(bytes, packers, spec.memoryLimitBytes)));
    return Process.restore(options, image, imageHash);
  }

  private program({ programHash, programBytes }: StartOrder, module: WebAssembly.Module): Program {
    let program = this.programs.get(programHash);
    if (!program) {
      program = new Program(programHash, new Uint8Array(programBytes), module);
      this.programs.set(programHash, program);
      const oldest = this.programs.keys().next().value;
      if (this.programs.size > MAX_PROGRAMS && oldest !== undefined) this.programs.delete(oldest);
    }
    return program;
  }

  async run(key: number): Promise<{ end: RunEnd; status: ProcessStatus }> {
    await this.computing;
    const held = this.held(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.computing = promise;
    try {
      const { process } = held;
      const stop = process instanceof PinnedProcess ? await process.run() : await this.runMovable(key, held, process);
      return { end: stop.kind === "waiting" ? { kind: "waiting" } : stop, status: this.status(held.process) };
    } finally {
      resolve();
    }
  }

  private async runMovable(key: number, held: Held, process: Process): Promise<Stop> {
    await process.prepare();
    this.around.renewal?.computing(key);
    const stop = this.around.slices ? await runInSlices(held, process, this.around.slices, this.around.sliceOver) : process.run();
    this.around.renewal?.computing(undefined);
    return stop;
  }

  async stop(key: number): Promise<void> {
    const held = this.processes.get(key);
    if (held) held.stopping = true;
  }

  async outputTaken(key: number, bytes: number): Promise<void> {
    const held = this.processes.get(key);
    if (held) acknowledgeOutput(held.process.control, bytes);
  }

  async complete(key: number, result: SyscallResult): Promise<ProcessStatus> {
    await this.computing;
    const { process } = this.held(key);
    process.complete(result);
    return this.status(process);
  }

  async capture(key: number, delta: boolean): ReturnType<WorkerApi["capture"]> {
    await this.computing;
    const { held, process } = this.movable(key);
    const image = process.capture(delta);
    held.captured = image;
    const { syscalls, outputBytes, errorBytes, cpuMs } = image.header;
    const bytes = encodeImage(image, this.around.packer);
    const isDelta = image.header.parent !== null;
    return handedOver({ bytes, isDelta, image: { syscalls, outputBytes, errorBytes, cpuMs } }, [bytes]);
  }

  async stored(key: number, hash: string): Promise<void> {
    await this.computing;
    if (!this.processes.has(key)) return;
    const { held, process } = this.movable(key);
    if (held.captured) process.markStored(hash, held.captured);
    held.captured = undefined;
  }

  async changedFiles(key: number): Promise<Map<string, Uint8Array<ArrayBuffer> | null>> {
    await this.computing;
    const files = this.held(key).process.changedFiles();
    const copies = [...files].map(([path, bytes]) => [path, bytes && new Uint8Array(bytes)] as const);
    return handedOver(
      new Map(copies),
      copies.flatMap(([, bytes]) => bytes ?? []),
    );
  }

  async clear(key: number): Promise<void> {
    await this.computing;
    const process = this.processes.get(key)?.process;
    if (process instanceof Process) process.leave();
    this.processes.delete(key);
    this.around.renewal?.left(key);
    // A program without processes holds no memory for work to come.
    const inUse = new Set([...this.processes.values()].map(({ program }) => program));
    for (const program of this.programs.values()) if (!inUse.has(program)) program.dropSpare();
  }
}

/**
 * @throws NS_MEMORY_LIMIT when the program begins with more memory than it may have
 * @throws NS_ENGINE_LACKS when this engine does not know what the program is made of
 */
async function compilePinned({ programBytes, spec }: StartOrder): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(withMemoryLimit(new Uint8Array(programBytes), spec.memoryLimitBytes));
  } catch (thrown) {
    if (!(thrown instanceof WebAssembly.CompileError)) throw thrown;
    throw new NightshiftError("NS_ENGINE_LACKS", `this host cannot compile the program: ${thrown.message}`, { cause: thrown });
  }
}

/** What is answered, with arrays in it that go to whoever asked instead of being copied. */
const handedOver = <T>(answer: T, arrays: readonly Uint8Array<ArrayBuffer>[]): T =>
  Comlink.transfer(
    answer,
    arrays.map(({ buffer }) => buffer),
  );

async function runInSlices(
  held: Held,
  process: Process,
  slices: Slices,
  sliceOver: WorkerSurroundings["sliceOver"],
): Promise<Stop> {
  for (;;) {
    slices.begin();
    const stop = process.run();
    sliceOver?.();
    if (stop.kind !== "preempted") return stop;
    await slices.listen();
    if (!held.stopping) continue;
    held.stopping = false;
    return stop;
  }
}
