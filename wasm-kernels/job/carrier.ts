// The thread's side: holds processes of one job and runs one at a time, as requests tell. Knows no platform; carrier.node.ts connects it
// to a thread.
import { asNightshiftError, must, NightshiftError } from "../errors.ts";
import {
  decodeImage,
  encodeImage,
  noPacker,
  type Packer,
  PinnedProcess,
  type PipeEnd,
  Process,
  type ProcessOptions,
  Program,
  pinnedBecause,
} from "../process/index.ts";
import type { Files, Reply, Request, ThreadSetup, Told } from "./thread-protocol.ts";

export interface CarrierPort {
  packer: Packer;
  cpuNow(): number;
  now(): number;
  tell(event: Told): void;
}

export class Carrier {
  private readonly setup: ThreadSetup;
  private readonly port: CarrierPort;
  /** undefined: it is pinned. */
  private readonly program: Program | undefined;
  private readonly processes = new Map<number, Process | PinnedProcess>();

  constructor(setup: ThreadSetup, port: CarrierPort) {
    this.setup = setup;
    this.port = port;
    const pinned = pinnedBecause(setup.program) !== undefined;
    this.program = pinned ? undefined : new Program(setup.hash, setup.program, setup.module);
  }

  /** One after the other. */
  async handle(request: Request): Promise<Reply> {
    try {
      if (request.kind === "run") return await this.run(request);
      const process = must(this.processes.get(request.pid), `process ${request.pid} in its thread`);
      if (request.kind === "capture") {
        if (process instanceof PinnedProcess) throw new NightshiftError("NS_NOT_MIGRATABLE", "the program is pinned");
        const image = encodeImage(process.capture(false), this.port.packer);
        if (request.leave) this.forget(request.pid, process);
        return { kind: "captured", image };
      }
      this.forget(request.pid, process);
      return { kind: "forgotten" };
    } catch (thrown) {
      const { code, message } = asNightshiftError(thrown);
      return { kind: "failed", code, message };
    }
  }

  private async run({ pid, origin, answer }: Extract<Request, { kind: "run" }>): Promise<Reply> {
    const process = origin ? this.bring(pid, origin) : must(this.processes.get(pid), `process ${pid} in its thread`);
    if (answer) process.complete(answer);
    if (process instanceof Process) await process.prepare(); // whoever counts how long it computes begins after it
    this.port.tell({ kind: "running", pid, control: process.control });
    const stop = await process.run();
    const { cpuMs } = process;
    if (stop.kind === "waiting") return { kind: "stopped", stop: { kind: "waiting", reason: stop.reason }, cpuMs, files: null };
    if (stop.kind === "preempted") return { kind: "stopped", stop, cpuMs, files: null };
    const files: Files = new Map();
    for (const [path, bytes] of process.changedFiles()) files.set(path, bytes && new Uint8Array(bytes));
    this.forget(pid, process);
    return { kind: "stopped", stop, cpuMs, files };
  }

  private bring(
    pid: number,
    { parentPid, seed, image }: NonNullable<Extract<Request, { kind: "run" }>["origin"]>,
  ): Process | PinnedProcess {
    const { args, env, files, clock, memoryLimitBytes, module } = this.setup;
    const { program } = this;
    const options = {
      ...{ pid, parentPid, seed, args, env, files, clock, memoryLimitBytes },
      now: this.port.now,
      cpuNow: this.port.cpuNow,
      onOutput: (stream: 1 | 2, offset: number, bytes: Uint8Array) =>
        this.port.tell({ kind: "output", pid, stream, offset, bytes }),
      onPipeClosed: (pipe: PipeEnd) => this.port.tell({ kind: "closed", pid, pipe }),
    };
    const begin = (): Process | PinnedProcess =>
      program ? Process.start({ ...options, program }) : new PinnedProcess({ ...options, module });
    const process = image && program ? this.restored({ ...options, program }, image) : begin();
    this.processes.set(pid, process);
    return process;
  }

  /** Whatever goes wrong with an image is the image's fault: it may come from anybody. */
  private restored(options: ProcessOptions, image: Uint8Array): Process {
    try {
      return Process.restore(options, decodeImage(image, [noPacker, this.port.packer], options.memoryLimitBytes), null);
    } catch (thrown) {
      if (thrown instanceof NightshiftError) throw thrown;
      throw new NightshiftError(
        "NS_BAD_IMAGE",
        `the image of process ${options.pid} is damaged: ${asNightshiftError(thrown).message}`,
        {
          cause: thrown,
        },
      );
    }
  }

  private forget(pid: number, process: Process | PinnedProcess): void {
    if (process instanceof Process) process.leave();
    this.processes.delete(pid);
    if (this.processes.size === 0) this.program?.dropSpare();
  }
}
