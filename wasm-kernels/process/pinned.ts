// A process of a program that cannot be moved (pinned-module.ts). It runs as the compiler made it, with no polls: nobody can stop it before its
// next call that must wait, and there is no image of it. Whoever needs its processor ends its thread, and it begins anew; the calls that
// it makes again are answered as they were (scheduler/home-calls.ts), and what it prints again has been taken already.
//
// Where it waits the engine keeps its stack (JavaScript Promise Integration), so that it is driven as other processes are.
import { must } from "../errors.ts";
import { CONTROL, isSuspendingImport } from "../instrument/index.ts";
import { ERRNO, Wasi } from "../wasi/index.ts";
import { Ending } from "./ending.ts";
import { Blocked, EMSCRIPTEN_FUNCTIONS, type HomeResult, type HostFunction, type WaitReason } from "./hostcalls.ts";
import { Output } from "./output.ts";
import { START_EXPORT } from "./pinned-module.ts";
import type { ProcessOptions, Stop } from "./process.ts";

export interface PinnedOptions extends Omit<ProcessOptions, "program" | "refuel" | "memoryLimitBytes"> {
  /** The pinned program, compiled, with its limit of memory (withMemoryLimit). */
  module: WebAssembly.Module;
}

type AnyFunction = (...args: never[]) => unknown;
/** Node and Electron have them; pinned processes are nowhere else. */
const { Suspending, promising } = WebAssembly as unknown as {
  Suspending: new (work: AnyFunction) => WebAssembly.ImportValue;
  promising: (work: AnyFunction) => () => Promise<unknown>;
};

export class PinnedProcess {
  readonly pid: number;
  /** What others write of its output into (acknowledgeOutput); the rest of it nobody reads. */
  readonly control: SharedArrayBuffer;
  private readonly options: PinnedOptions;
  private readonly wasi: Wasi;
  private readonly exports: WebAssembly.Exports;
  private readonly ending = new Ending();
  private readonly output: Output;
  private answeredCalls = 0;
  private usedCpuMs = 0;
  /** On the clock of cpuNow(). */
  private runningSince: number | undefined;
  /** The call it waits in. */
  private pending: Blocked | undefined;
  /** Lets the program go on with the result of the call it waited in. */
  private goOn: ((result: number) => void) | undefined;
  private answer = 0;
  /** What run() has promised. */
  private stop: PromiseWithResolvers<Stop> = Promise.withResolvers();

  constructor(options: PinnedOptions) {
    this.options = options;
    this.pid = options.pid;
    this.control = new SharedArrayBuffer(CONTROL.frames);
    this.output = new Output(options.onOutput, () => this.control);
    this.wasi = new Wasi({
      ...options,
      write: (stream, bytes) => this.output.write(stream, bytes),
      mayWrite: () => this.output.mayWrite,
      pipeClosed: (pipe) => options.onPipeClosed(pipe),
      cpuMs: () => this.usedCpuMs + (this.runningSince === undefined ? 0 : options.cpuNow() - this.runningSince),
    });
    this.exports = new WebAssembly.Instance(options.module, {
      wasi_snapshot_preview1: this.imports("wasi_snapshot_preview1", this.wasi.functions),
      nightshift: this.imports("nightshift", {
        ...this.wasi.processFunctions,
        getpid: () => options.pid,
        getppid: () => options.parentPid,
      }),
      env: EMSCRIPTEN_FUNCTIONS,
    }).exports;
    this.wasi.attach(this.exports.memory as WebAssembly.Memory);
  }

  get outputBytes(): number {
    return this.output.written[1];
  }
  get errorBytes(): number {
    return this.output.written[2];
  }
  get syscalls(): number {
    return this.answeredCalls;
  }
  get cpuMs(): number {
    return this.usedCpuMs;
  }
  /** See Process. */
  get memoryBytes(): number {
    return (this.exports.memory as WebAssembly.Memory).buffer.byteLength + this.wasi.fileBytes;
  }
  /** What the process waits for, or null when it could run. */
  get waitingFor(): WaitReason | null {
    return this.pending?.reason ?? null;
  }
  /** See Process. */
  changedFiles(): Map<string, Uint8Array | null> {
    return this.wasi.changedFiles();
  }

  // ---- host calls

  private imports(module: string, functions: Record<string, HostFunction>): WebAssembly.ModuleImports {
    return Object.fromEntries(
      Object.entries(functions).map(([name, host]) => {
        const call = (...args: never[]): number | Promise<number> => this.hostCall(() => host(...args));
        return [name, isSuspendingImport(module, name) ? new Suspending(call) : call];
      }),
    );
  }

  private hostCall(host: () => number): number | Promise<number> {
    try {
      return host();
    } catch (thrown) {
      if (!(thrown instanceof Blocked)) return this.ending.leave(thrown);
      // A child would be an image of it.
      if (thrown.reason.kind === "home" && thrown.reason.call.call === "fork") return thrown.finish({ value: -ERRNO.ENOTSUP });
      this.pending = thrown;
      const { promise, resolve } = Promise.withResolvers<number>();
      this.goOn = resolve;
      this.stop.resolve({ kind: "waiting", reason: thrown.reason });
      return promise;
    }
  }

  /** See Process. */
  complete(result: HomeResult): void {
    const pending = must(this.pending, "the call to answer");
    if (pending.reason.kind === "home") this.answeredCalls++;
    try {
      this.answer = pending.finish(result);
      this.pending = undefined;
    } catch (thrown) {
      if (!(thrown instanceof Blocked)) throw thrown;
      this.pending = thrown;
    }
  }

  // ---- running

  /** Resolves when it has ended or must wait; between two calls of the program's that must wait, its thread does nothing else. */
  async run(): Promise<Stop> {
    if (this.pending) return { kind: "waiting", reason: this.pending.reason };
    this.stop = Promise.withResolvers();
    const began = this.options.cpuNow();
    this.runningSince = began;
    const { goOn } = this;
    if (goOn) {
      this.goOn = undefined;
      goOn(this.answer);
    } else
      this.toItsEnd().then(
        (stop) => this.stop.resolve(stop),
        (error) => this.stop.reject(error),
      );
    try {
      return await this.stop.promise;
    } finally {
      this.usedCpuMs += this.options.cpuNow() - began;
      this.runningSince = undefined;
    }
  }

  private async toItsEnd(): Promise<Stop> {
    try {
      if (this.exports[START_EXPORT]) await promising(this.exports[START_EXPORT] as AnyFunction)();
      await promising(this.exports._start as AnyFunction)();
      return { kind: "exit", code: 0 };
    } catch (thrown) {
      return this.ending.of(thrown);
    }
  }
}
