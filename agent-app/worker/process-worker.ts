// What runs in a worker thread: one process at a time behind the WorkerApi. Knows no platform; worker.node.ts (and, in browsers, its
// twin) connects it to a thread.
import type { SyscallResult } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  decodeImage,
  encodeImage,
  type Image,
  mergeImages,
  noPacker,
  type Packer,
  Process,
  Program,
} from "@nightshift/wasm-kernels/process";
import type { ProcessStatus, RunEnd, StartOrder, WorkerApi } from "../agent/ports.ts";

export interface WorkerSurroundings {
  /** CPU time of this thread in milliseconds. */
  cpuNow(): number;
  /** Milliseconds since 1970. */
  now(): number;
  output(pid: number, stream: 1 | 2, offset: number, bytes: Uint8Array): void;
  packer: Packer;
}

/** Programs whose compiled continuations are kept; processes of one job come to the same workers again. */
const MAX_PROGRAMS = 4;

export class ProcessWorker implements WorkerApi {
  private readonly around: WorkerSurroundings;
  private readonly programs = new Map<string, Program>();
  private process: Process | undefined;
  private captured: Image | undefined;

  constructor(around: WorkerSurroundings) {
    this.around = around;
  }

  private current(): Process {
    if (!this.process) throw new NightshiftError("NS_INTERNAL", "the worker holds no process");
    return this.process;
  }

  private status(): ProcessStatus {
    const { waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes } = this.current();
    return { waiting: waitingFor, cpuMs, memoryBytes, syscalls, outputBytes, errorBytes };
  }

  async start(order: StartOrder): Promise<{ control: SharedArrayBuffer; status: ProcessStatus }> {
    this.process = undefined;
    this.captured = undefined;
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
      onOutput: (stream: 1 | 2, offset: number, bytes: Uint8Array) => this.around.output(order.pid, stream, offset, bytes),
    };
    const packers = [noPacker, this.around.packer];
    this.process =
      order.images.length === 0
        ? Process.start(options)
        : Process.restore(options, mergeImages(order.images.map((bytes) => decodeImage(bytes, packers))), order.imageHash);
    return { control: this.process.control, status: this.status() };
  }

  private program({ programHash, programBytes, module }: StartOrder): Program {
    let program = this.programs.get(programHash);
    if (!program) {
      program = new Program(programHash, programBytes, module);
      this.programs.set(programHash, program);
      const oldest = this.programs.keys().next().value;
      if (this.programs.size > MAX_PROGRAMS && oldest !== undefined) this.programs.delete(oldest);
    }
    return program;
  }

  async run(): Promise<{ end: RunEnd; status: ProcessStatus }> {
    const stop = this.current().run();
    return { end: stop.kind === "waiting" ? { kind: "waiting" } : stop, status: this.status() };
  }

  async complete(result: SyscallResult): Promise<ProcessStatus> {
    this.current().complete(result);
    return this.status();
  }

  async capture(delta: boolean): ReturnType<WorkerApi["capture"]> {
    const image = this.current().capture(delta);
    this.captured = image;
    const { syscalls, outputBytes, errorBytes, cpuMs } = image.header;
    return {
      bytes: encodeImage(image, this.around.packer),
      isDelta: image.header.parent !== null,
      image: { syscalls, outputBytes, errorBytes, cpuMs },
    };
  }

  async stored(hash: string): Promise<void> {
    if (this.captured && this.process) this.process.markStored(hash, this.captured);
    this.captured = undefined;
  }

  async changedFiles(): Promise<Map<string, Uint8Array<ArrayBuffer> | null>> {
    return new Map(
      [...this.current().changedFiles()].map(([path, bytes]) => [path, bytes === null ? null : new Uint8Array(bytes)]),
    );
  }

  async clear(): Promise<void> {
    this.process = undefined;
    this.captured = undefined;
  }
}
