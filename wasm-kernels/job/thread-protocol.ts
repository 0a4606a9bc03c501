// What passes between a job and the threads that hold its processes. A thread does one request after the other and answers each with
// one reply; beside them it tells what its processes do while they run.
import type { ErrorCode } from "../errors.ts";
import type { HomeResult, PipeEnd, Stop, WaitReason } from "../process/index.ts";

/** What all processes of a job share; a thread gets it once. */
export interface ThreadSetup {
  hash: string;
  program: Uint8Array<ArrayBuffer>;
  module: WebAssembly.Module;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Input files by relative path. */
  files: ReadonlyMap<string, Uint8Array>;
  clock: "virtual" | "host";
  memoryLimitBytes: number;
}

export type Request =
  | {
      kind: "run";
      pid: number;
      /** How it comes into this thread; null when it is here already. Without an image it begins. */
      origin: { parentPid: number; seed: string; image: Uint8Array | null } | null;
      /** To the call that it waits in. */
      answer: HomeResult | null;
    }
  /** The image of a process that is stopped here; with `leave` it is not here any more. */
  | { kind: "capture"; pid: number; leave: boolean }
  | { kind: "forget"; pid: number };

export type Reply =
  | {
      kind: "stopped";
      stop: Exclude<Stop, { kind: "waiting" }> | { kind: "waiting"; reason: WaitReason };
      cpuMs: number;
      files: Files | null;
    }
  | { kind: "captured"; image: Uint8Array<ArrayBuffer> }
  | { kind: "forgotten" }
  /** The job cannot go on: the process cannot be brought in, or the runtime is at fault. */
  | { kind: "failed"; code: ErrorCode; message: string };

/** What an ended process has written, and null for what it has removed. */
export type Files = Map<string, Uint8Array<ArrayBuffer> | null>;

export type Told =
  /** The thread has started; the first of all. */
  | { kind: "ready" }
  | { kind: "running"; pid: number; control: SharedArrayBuffer }
  | { kind: "output"; pid: number; stream: 1 | 2; offset: number; bytes: Uint8Array }
  | { kind: "closed"; pid: number; pipe: PipeEnd };

/** A thread as a job sees it. */
export interface Thread {
  /** Resolves when it has started; what is asked before then waits. */
  readonly ready: Promise<void>;
  ask(request: Request): Promise<Reply>;
  /** Processor time that it has used, in milliseconds; also while it computes. */
  cpuMs(): Promise<number>;
  terminate(): void;
}

export interface ThreadListener {
  told(event: Exclude<Told, { kind: "ready" }>): void;
  died(error: Error): void;
}

export type SpawnThread = (setup: ThreadSetup, listener: ThreadListener) => Thread;
