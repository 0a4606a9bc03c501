// What runs in a worker thread: processes, of which one computes at a time, behind the WorkerApi. Knows no platform; worker.node.ts (and, in browsers, its
// twin) connects it to a thread.
import type { SyscallResult } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  acknowledgeOutput,
  decodeImage,
  encodeImage,
  type Image,
  mergeImages,
  noPacker,
  type Packer,
  type PipeEnd,
  Process,
  Program,
  type Stop,
} from "@nightshift/wasm-kernels/process";
import type { ProcessStatus, RunEnd, StartOrder, WorkerApi } from "../agent/ports.ts";
import type { Slices } from "./slices.ts";

export interface WorkerSurroundings {
  /** CPU time of this thread in milliseconds. */
  cpuNow(): number;
  /** Milliseconds since 1970. */
  now(): number;
  output(key: string, stream: 1 | 2, offset: number, bytes: Uint8Array): void;
  pipeClosed(key: string, pipe: PipeEnd): void;
  packer: Packer;
  renewal?: Renewal;
  /** Where threads may share no memory. */
  slices?: Slices;
}

/** Told which process computes, so that it is renewed (requestRenewal) where the engine leaves long-running code as it is. */
export interface Renewal {
  entered(key: string, control: SharedArrayBuffer): void;
  /** undefined: none. */
  computing(key: string | undefined): void;
  left(key: string): void;
}

/** Programs whose compiled continuations are kept; processes of one job come to the same workers again. */
const MAX_PROGRAMS = 4;

interface Held {
  process: Process;
  program: Program;
  captured: Image | undefined;
  /** In slices only: it is to stop. */
  stopping: boolean;
}

export class ProcessWorker implements WorkerApi {
  private readonly around: WorkerSurroundings;
  private readonly programs = new Map<string, Program>();
  private readonly processes = new Map<string, Held>();
  /** Whoever computes, as one call after the other is answered. */
  private computing: Promise<void> = Promise.resolve();

  constructor(around: WorkerSurroundings) {
    this.around = around;
  }

  private held(key: string): Held {
    const held = this.processes.get(key);
    if (!held) throw new NightshiftError("NS_INTERNAL", `the worker does not hold process ${key}`);
    return held;
  }

  private status(process: Process): ProcessStatus {
    const { waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes } = process;
    return { waiting: waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes };
  }

  async start(order: StartOrder): Promise<{ control: SharedArrayBuffer | null; status: ProcessStatus }> {
    await this.computing;
    const { spec } = order;
    const options = {
      program: this.program(order),
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
      refuel: this.around.slices?.refuel,
      onPipeClosed: (pipe: PipeEnd) => this.around.pipeClosed(order.key, pipe),
    };
    const packers = [noPacker, this.around.packer];
    const process =
      order.images.length === 0
        ? Process.start(options)
        : Process.restore(
            options,
            mergeImages(order.images.map((bytes) => decodeImage(bytes, packers, spec.memoryLimitBytes))),
            order.imageHash,
          );
    this.processes.set(order.key, { process, program: options.program, captured: undefined, stopping: false });
    this.around.renewal?.entered(order.key, process.control);
    return { control: this.around.slices ? null : process.control, status: this.status(process) };
  }

  private program({ programHash, programBytes, module }: StartOrder): Program {
    let program = this.programs.get(programHash);
    if (!program) {
      program = new Program(programHash, new Uint8Array(programBytes), module);
      this.programs.set(programHash, program);
      const oldest = this.programs.keys().next().value;
      if (this.programs.size > MAX_PROGRAMS && oldest !== undefined) this.programs.delete(oldest);
    }
    return program;
  }

  async run(key: string): Promise<{ end: RunEnd; status: ProcessStatus }> {
    await this.computing;
    const held = this.held(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.computing = promise;
    try {
      await held.process.prepare();
      this.around.renewal?.computing(key);
      const stop = this.around.slices ? await runInSlices(held, this.around.slices) : held.process.run();
      this.around.renewal?.computing(undefined);
      return { end: stop.kind === "waiting" ? { kind: "waiting" } : stop, status: this.status(held.process) };
    } finally {
      resolve();
    }
  }

  async stop(key: string): Promise<void> {
    const held = this.processes.get(key);
    if (held) held.stopping = true;
  }

  async outputTaken(key: string, bytes: number): Promise<void> {
    const held = this.processes.get(key);
    if (held) acknowledgeOutput(held.process.control, bytes);
  }

  async complete(key: string, result: SyscallResult): Promise<ProcessStatus> {
    await this.computing;
    const { process } = this.held(key);
    process.complete(result);
    return this.status(process);
  }

  async capture(key: string, delta: boolean): ReturnType<WorkerApi["capture"]> {
    await this.computing;
    const held = this.held(key);
    const image = held.process.capture(delta);
    held.captured = image;
    const { syscalls, outputBytes, errorBytes, cpuMs } = image.header;
    return {
      bytes: encodeImage(image, this.around.packer),
      isDelta: image.header.parent !== null,
      image: { syscalls, outputBytes, errorBytes, cpuMs },
    };
  }

  async stored(key: string, hash: string): Promise<void> {
    await this.computing;
    const held = this.processes.get(key);
    if (held?.captured) held.process.markStored(hash, held.captured);
    if (held) held.captured = undefined;
  }

  async changedFiles(key: string): Promise<Map<string, Uint8Array<ArrayBuffer> | null>> {
    await this.computing;
    const files = this.held(key).process.changedFiles();
    return new Map([...files].map(([path, bytes]) => [path, bytes === null ? null : new Uint8Array(bytes)]));
  }

  async clear(key: string): Promise<void> {
    await this.computing;
    this.processes.get(key)?.process.leave();
    this.processes.delete(key);
    this.around.renewal?.left(key);
    // A program without processes holds no memory for work to come.
    const inUse = new Set([...this.processes.values()].map(({ program }) => program));
    for (const program of this.programs.values()) if (!inUse.has(program)) program.dropSpare();
  }
}

async function runInSlices(held: Held, slices: Slices): Promise<Stop> {
  for (;;) {
    slices.begin();
    const stop = held.process.run();
    if (stop.kind !== "preempted") return stop;
    await slices.listen();
    if (!held.stopping) continue;
    held.stopping = false;
    return stop;
  }
}
