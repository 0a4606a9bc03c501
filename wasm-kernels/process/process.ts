// One process: runs a program until it exits, must wait, or is told to stop; can be captured as an image at any stop and restored
// from one. Synchronous and without threads or I/O of its own: whoever owns the thread drives it.
//
//     start/restore -> run() -> exit | fault                    the end
//                            -> preempted -> run()              capture() is possible here
//                            -> waiting -> complete() -> run()  and here
import { must, NightshiftError } from "../errors.ts";
import { CONTROL, FLAG, frameBytes, isSuspendingImport } from "../instrument/index.ts";
import { Wasi, type WasiOptions } from "../wasi/index.ts";
import { type Fault, faultOf, uncaught } from "./fault.ts";
import {
  Blocked,
  EMSCRIPTEN_FUNCTIONS,
  Exited,
  type HomeResult,
  type HostFunction,
  type PipeEnd,
  type WaitReason,
} from "./hostcalls.ts";
import type { Image } from "./image.ts";
import type { Owner, ProgramInstance } from "./instance.ts";
import { changedPages, KnownMemory, WASM_PAGE_BYTES, writePages } from "./memory.ts";
import { Output } from "./output.ts";
import type { Program } from "./program.ts";

export interface ProcessOptions extends Omit<WasiOptions, "write" | "mayWrite" | "pipeClosed" | "cpuMs"> {
  program: Program;
  pid: number;
  parentPid: number;
  /** Most bytes of memory; growing beyond it fails the process with NS_MEMORY_LIMIT. */
  memoryLimitBytes: number;
  /** stdout (1) and stderr (2) as written; `offset` is that of the first byte in the whole stream. */
  onOutput(stream: 1 | 2, offset: number, bytes: Uint8Array): void;
  /** It has closed this end of a pipe. Told again by a process that went back to an image. */
  onPipeClosed(pipe: PipeEnd): void;
  /** CPU time of this thread in milliseconds, from any fixed point. */
  cpuNow(): number;
  /** Programs with fuel (instrument/fuel.ts) only: how much they get when they have none left; 0: run() is to return. */
  refuel?: (() => number) | undefined;
}

export type Stop =
  | { kind: "exit"; code: number }
  | Fault
  /** The stop flag was set; run() continues. */
  | { kind: "preempted" }
  /** In a host call; run() continues after complete(). */
  | { kind: "waiting"; reason: WaitReason };

interface Frame {
  site: number;
  data: Uint8Array;
}

interface Pending {
  module: string;
  name: string;
  args: (number | bigint)[];
  blocked: Blocked;
}

/** Makes the process that owns this control memory stop at its next poll. May be called from any thread, at any time. */
export function requestStop(control: ArrayBufferLike): void {
  Atomics.store(new Int32Array(control), CONTROL.flag >> 2, FLAG.stop);
}

/**
 * Makes the process that owns this control memory leave its code at its next poll and go on at once, in continuations: for engines that put
 * no better code in the place of code that is running. Whoever drives the process does not notice. From any thread, at any time.
 */
export function requestRenewal(control: ArrayBufferLike): void {
  Atomics.compareExchange(new Int32Array(control), CONTROL.flag >> 2, 0, FLAG.renew);
}

/** Notes that so many more bytes of the output of the process that owns this control memory have been taken over. From any thread. */
export function acknowledgeOutput(control: ArrayBufferLike, bytes: number): void {
  Atomics.add(new Int32Array(control), CONTROL.outputTaken >> 2, bytes);
}

/** Sites whose continuations are compiled ahead: what lies deeper has time. */
const MAX_PREPARED = 32;

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1).replace(".0", "");

export class Process implements Owner {
  readonly pid: number;
  readonly parentPid: number;
  private readonly options: ProcessOptions;
  private readonly program: Program;
  private readonly wasi: Wasi;
  private readonly instance: ProgramInstance;
  private readonly memory: WebAssembly.Memory;
  private readonly functions: Record<string, Record<string, HostFunction>>;
  /** Frames to resume, innermost first; undefined before the first run. */
  private frames: Frame[] | undefined;
  private pending: Pending | undefined;
  /** The answer to the call the innermost frame waits for, as its i32 result. */
  private answer: number | undefined;
  /** Memory as it is in the image `knownAs`. */
  private known: KnownMemory | undefined;
  private knownAs: string | null = null;
  private readonly output: Output;
  private answeredCalls = 0;
  /** Up to the last stop. */
  private usedCpuMs = 0;
  /** On the clock of cpuNow(). */
  private runningSince: number | undefined;

  private constructor(options: ProcessOptions, state: Image | null) {
    this.options = options;
    this.program = options.program;
    this.pid = options.pid;
    this.parentPid = options.parentPid;
    this.output = new Output(options.onOutput, () => this.instance.control.buffer);
    this.wasi = new Wasi(
      {
        ...options,
        write: (stream, bytes) => this.output.write(stream, bytes),
        mayWrite: () => this.output.mayWrite,
        pipeClosed: (pipe) => options.onPipeClosed(pipe),
        cpuMs: () => this.usedCpuMs + (this.runningSince === undefined ? 0 : options.cpuNow() - this.runningSince),
      },
      state?.header.wasi,
    );
    this.functions = {
      wasi_snapshot_preview1: this.wasi.functions,
      nightshift: { ...this.wasi.processFunctions, getpid: () => this.pid, getppid: () => this.parentPid },
      env: EMSCRIPTEN_FUNCTIONS,
    };
    this.instance = this.program.obtain();
    this.instance.owner = this;
    this.memory = this.instance.memory;
    this.wasi.attach(this.memory);
    this.words()[CONTROL.memoryLimit >> 2] = Math.floor(options.memoryLimitBytes / WASM_PAGE_BYTES);
    if (this.memory.buffer.byteLength > options.memoryLimitBytes) {
      throw new NightshiftError(
        "NS_MEMORY_LIMIT",
        `the program begins with ${mebibytes(this.memory.buffer.byteLength)} MiB of memory; its limit is ${mebibytes(options.memoryLimitBytes)} MiB`,
      );
    }
    if (state) this.load(state);
  }

  /** @throws NS_MEMORY_LIMIT when the program begins with more memory than it may have. */
  static start(options: ProcessOptions): Process {
    return new Process(options, null);
  }

  /**
   * A process as it was when the image was taken. The options must be those it was started with; pid and parentPid may be others
   * (a fork's child).
   * @param hash under which the image is stored, so that later images can be deltas of it; null when it is not
   * @throws NS_BAD_IMAGE
   */
  static restore(options: ProcessOptions, image: Image, hash: string | null): Process {
    if (image.header.program !== options.program.hash)
      throw new NightshiftError("NS_BAD_IMAGE", "the image is of another program");
    if (image.header.parent !== null)
      throw new NightshiftError("NS_BAD_IMAGE", "the image is a delta; merge it with its parents first");
    const process = new Process(options, image);
    process.markStored(hash, image);
    return process;
  }

  private words(): Int32Array {
    return new Int32Array(this.instance.control.buffer);
  }

  /** The process goes on elsewhere or is over: its memory is wiped and may serve another one. Nothing of this object may be used after. */
  leave(): void {
    this.program.giveBack(this.instance);
  }

  /** The control memory, shared with other threads for requestStop; another one after it has grown where it is not shared. */
  get control(): SharedArrayBuffer {
    return this.instance.control.buffer as unknown as SharedArrayBuffer;
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
  /** What it takes of its host's: its memory and the files that it has made. */
  get memoryBytes(): number {
    return this.memory.buffer.byteLength + this.wasi.fileBytes;
  }
  /** What the process waits for, or null when it could run. */
  get waitingFor(): WaitReason | null {
    return this.pending && this.answer === undefined ? this.pending.blocked.reason : null;
  }
  /** Files the process has written or removed (null), by path below the preopened directory. */
  changedFiles(): Map<string, Uint8Array | null> {
    return this.wasi.changedFiles();
  }

  // ---- host calls

  /** A host function that must wait leaves the program by the unwind exception. */
  hostCall(module: string, name: string, args: (number | bigint)[]): number {
    const host = this.functions[module][name] as (...args: (number | bigint)[]) => number;
    try {
      return host(...args);
    } catch (thrown) {
      if (!(thrown instanceof Blocked)) throw thrown;
      // The program's callers of any other function have no handlers: their frames would be lost.
      if (!isSuspendingImport(module, name)) throw new NightshiftError("NS_INTERNAL", `${module}.${name} must not wait`);
      this.pending = { module, name, args, blocked: thrown };
      throw new WebAssembly.Exception(this.instance.unwind, []);
    }
  }

  outOfFuel(): number {
    const fuel = this.options.refuel?.() ?? 0;
    this.instance.refuel(fuel);
    return fuel === 0 ? 1 : 0;
  }

  /** Answers the call the process waits in. For sleep and yield the value is 0. */
  complete(result: HomeResult): void {
    const pending = must(this.pending, "the call to answer");
    if (pending.blocked.reason.kind === "home") this.answeredCalls++;
    try {
      this.answer = pending.blocked.finish(result);
      this.pending = undefined;
    } catch (thrown) {
      if (!(thrown instanceof Blocked)) throw thrown;
      pending.blocked = thrown;
    }
  }

  // ---- running

  /**
   * Compiles the continuations of the frames to resume, innermost first, on other threads: for large functions that takes a tenth of a second, in
   * which run() would hear nobody. To be called before it, and never needed.
   */
  async prepare(): Promise<void> {
    const sites = [...new Set(this.frames?.map(({ site }) => site))].slice(0, MAX_PREPARED);
    await Promise.all(sites.map((site) => this.program.prepare(this.program.site(site))));
  }

  run(): Stop {
    const began = this.options.cpuNow();
    this.runningSince = began;
    try {
      for (;;) {
        const stop = this.runFrames();
        if (stop !== "renewed") return stop;
      }
    } finally {
      this.usedCpuMs += this.options.cpuNow() - began;
      this.runningSince = undefined;
    }
  }

  private runFrames(): Stop | "renewed" {
    if (this.pending) return { kind: "waiting", reason: this.pending.blocked.reason };
    try {
      if (this.frames === undefined) {
        this.frames = [];
        (this.instance.exports._start as () => void)();
      } else {
        for (let frame = this.frames.shift(); frame; frame = this.frames.shift()) this.resume(frame);
        if (this.words()[CONTROL.thrown >> 2] > 0) return uncaught();
      }
      return { kind: "exit", code: 0 };
    } catch (thrown) {
      if (thrown instanceof Exited) return { kind: "exit", code: thrown.code };
      if (thrown instanceof WebAssembly.Exception && thrown.is(this.instance.unwind)) return this.left();
      if (thrown instanceof WebAssembly.Exception) return uncaught();
      const denied = this.words()[CONTROL.deniedPages >> 2] > 0 ? this.options.memoryLimitBytes : undefined;
      return faultOf(thrown, denied, this.stackUsedUp());
    }
  }

  /**
   * The stack lies first in memory and grows down to address 0, so below it every access traps. Its pointer is the first global:
   * so LLVM has it, and the toolchain builds with nothing else.
   */
  private stackUsedUp(): boolean {
    const pointer = this.instance.firstGlobal();
    return typeof pointer === "number" && pointer < 0;
  }

  /** Runs one saved frame to its end; its results are where the next frame's continuation finds them. */
  private resume(frame: Frame): void {
    const continuation = this.instance.continuation(this.program.site(frame.site));
    // The continuation reads the whole frame before it saves another, so the frame may lie where saved frames begin.
    const control = new Uint8Array(this.instance.control.buffer);
    if (CONTROL.frames + frame.data.length > control.length)
      throw new NightshiftError("NS_BAD_IMAGE", "a frame is larger than the control memory");
    control.set(frame.data, CONTROL.frames);
    const words = this.words();
    words[CONTROL.resumeFrame >> 2] = CONTROL.frames;
    if (this.answer !== undefined) {
      words[CONTROL.results >> 2] = this.answer;
      this.answer = undefined;
    }
    continuation();
  }

  /** The program has been left: collects the frames it saved, in front of those it had not come back to yet. */
  private left(): Stop | "renewed" {
    const words = this.words();
    const view = new DataView(this.instance.control.buffer);
    const saved: Frame[] = [];
    let end = words[CONTROL.framePointer >> 2];
    const area = new Uint8Array(this.instance.control.buffer);
    while (end > CONTROL.frames) {
      const site = view.getInt32(end - 4, true);
      const start = end - frameBytes(this.program.migratable.frameTypes(this.program.site(site)));
      saved.push({ site, data: area.slice(start, end - 4) });
      end = start;
    }
    words[CONTROL.framePointer >> 2] = CONTROL.frames;
    this.frames = [...saved.reverse(), ...(this.frames ?? [])];
    if (this.pending) return { kind: "waiting", reason: this.pending.blocked.reason };
    return Atomics.exchange(words, CONTROL.flag >> 2, 0) === FLAG.renew ? "renewed" : { kind: "preempted" };
  }

  // ---- images

  /**
   * The process as an image; only at a stop, or before the first run.
   * @param delta only the pages changed since the image last marked as stored, when there is one
   */
  capture(delta: boolean): Image {
    const base = delta ? this.knownAs : null;
    return {
      header: {
        program: this.program.hash,
        parent: base,
        memoryBytes: this.memory.buffer.byteLength,
        globals: this.instance.readGlobals(),
        ...this.instance.readReferences(),
        started: this.frames !== undefined,
        frames: this.frames ?? [],
        pending: this.pending ? { module: this.pending.module, name: this.pending.name, args: this.pending.args } : null,
        answer: this.answer ?? null,
        syscalls: this.answeredCalls,
        outputBytes: this.output.written[1],
        errorBytes: this.output.written[2],
        cpuMs: this.usedCpuMs,
        wasi: this.wasi.state(),
      },
      pages:
        base !== null && this.known
          ? this.known.changed()
          : changedPages(this.memory, this.instance.scan, this.program.fresh.pages),
    };
  }

  /** The image, just captured or restored, is kept safe under this hash: later deltas may build on it. */
  markStored(hash: string | null, image: Image): void {
    if (hash === null) return;
    if (image.header.parent === null || !this.known) {
      const pages = new Map([...this.program.fresh.pages, ...image.pages]);
      this.known = new KnownMemory(this.memory, this.instance.scan, pages);
    } else this.known.update(image.pages);
    this.knownAs = hash;
  }

  private load({ header, pages }: Image): void {
    const missing = header.memoryBytes - this.memory.buffer.byteLength;
    if (missing < 0 || missing % WASM_PAGE_BYTES !== 0 || header.memoryBytes > this.options.memoryLimitBytes)
      throw new NightshiftError("NS_BAD_IMAGE", `an image with ${header.memoryBytes} bytes of memory does not fit the program`);
    if (missing > 0) this.memory.grow(missing / WASM_PAGE_BYTES);
    writePages(this.memory, pages);
    this.instance.writeGlobals(header.globals);
    this.instance.writeReferences(header);
    for (const frame of header.frames) {
      const bytes = frameBytes(this.program.migratable.frameTypes(this.program.site(frame.site))) - 4;
      if (frame.data.length !== bytes)
        throw new NightshiftError("NS_BAD_IMAGE", `a frame of site ${frame.site} has ${frame.data.length} bytes, not ${bytes}`);
    }
    this.frames = header.started ? header.frames.map(({ site, data }) => ({ site, data })) : undefined;
    this.answer = header.answer ?? undefined;
    this.answeredCalls = header.syscalls;
    this.output.written[1] = header.outputBytes;
    this.output.written[2] = header.errorBytes;
    this.usedCpuMs = header.cpuMs;
    acknowledgeOutput(this.control, this.output.written[1] + this.output.written[2]); // what came before the image has been
    if (header.pending) this.repeatCall(header.pending.module, header.pending.name, header.pending.args);
  }

  /** Calls the host function the image was taken in once more, to wait in it again. */
  private repeatCall(module: string, name: string, args: (number | bigint)[]): void {
    const host = this.functions[module]?.[name] as ((...args: (number | bigint)[]) => number) | undefined;
    if (!host) throw new NightshiftError("NS_BAD_IMAGE", `the image waits in an unknown call ${module}.${name}`);
    try {
      this.answer = host(...args);
    } catch (thrown) {
      if (!(thrown instanceof Blocked))
        throw new NightshiftError("NS_BAD_IMAGE", `the image waits in ${module}.${name}, which does not wait`, { cause: thrown });
      this.pending = { module, name, args, blocked: thrown };
    }
  }
}
