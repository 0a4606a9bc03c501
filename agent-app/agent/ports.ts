// What the agent needs of the world it runs in: the tunnel, workers, time. Implemented for Node in headless/, for browsers and Electron
// in theirs. The agent itself imports no platform.
import type { FromAgent, HostInfo, ImageRef, ProcessSpec, SyscallResult, ToAgent } from "@nightshift/coordinator/protocol";
import type { PipeEnd, WaitReason } from "@nightshift/wasm-kernels/process";
import type { LoadedProgram } from "./program.ts";

/** An open, authenticated connection to the coordinator. */
export interface AgentConnection {
  send(message: FromAgent): void;
  /** @throws NS_NOT_FOUND, NS_CONNECTION_LOST, NS_BLOB_MISMATCH */
  getBlob(hash: string): Promise<Uint8Array<ArrayBuffer>>;
  putBlob(hash: string, bytes: Uint8Array): Promise<void>;
  /** Whether what is sent leaves most of the line to the owner. */
  beGentle(on: boolean): void;
  close(): void;
  /** As if it had broken: what the agent has is not given up. */
  abandon(): void;
}

export interface Ports {
  /** Opens a connection; messages and the end of it are told through the callbacks. */
  connect(on: { message(message: ToAgent): void; closed(error: Error): void }): Promise<AgentConnection>;
  /** A worker thread with a WorkerApi in it. */
  spawnWorker(on: {
    output(key: number, stream: 1 | 2, offset: number, bytes: Uint8Array): void;
    pipeClosed(key: number, pipe: PipeEnd): void;
    died(error: Error): void;
  }): WorkerHandle;
  /** The program in the form in which it runs on this platform; compiled off the main thread where the platform can. */
  load(bytes: Uint8Array<ArrayBuffer>): Promise<LoadedProgram>;
  /** Programs kept from one run of the agent to the next, where that is worth it. Whatever fails there is as if nothing were kept. */
  kept?: {
    get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
    put(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  };
  /** SHA-256, lower-case hex. */
  hash(bytes: Uint8Array): string | Promise<string>;
  /** Monotonic milliseconds. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Runs `work` once after `ms`; returns what cancels it. */
  after(ms: number, work: () => void): () => void;
  /** Time to wait before try number `attempt` (from 0), for a random number in [0, 1). */
  backoffMs(attempt: number, random: number): number;
  hostInfo(): HostInfo;
  memoryFreeBytes(): number;
  /** Gives the computer what this thread's garbage takes, for an agent that has nothing to do for long. Where it cannot be asked for, missing. */
  collectGarbage?(): void;
  log(event: string, details?: Readonly<Record<string, unknown>>): void;
}

export interface WorkerHandle {
  readonly api: WorkerApi;
  /** Processor time that its thread has used, in milliseconds; undefined where that cannot be told. */
  cpuMs(): number | undefined;
  /** At once, whatever it is doing. */
  terminate(): void;
}

/** Everything about a process that a worker needs to have it. */
export interface StartOrder {
  /** Names the process in all threads of this agent; from 1. */
  key: number;
  pid: number;
  parentPid: number;
  programHash: string;
  programBytes: Uint8Array;
  /** undefined: the program is pinned. */
  module: WebAssembly.Module | undefined;
  spec: ProcessSpec;
  files: Map<string, Uint8Array>;
  /** Images, the full one first; empty for a new process. The hash is that of the last. */
  images: Uint8Array<ArrayBuffer>[];
  imageHash: string | null;
}

export interface ProcessStatus {
  waiting: WaitReason | null;
  cpuMs: number;
  memoryBytes: number;
  /** Home calls answered: the sequence number of the one it waits in, if it waits in one. */
  syscalls: number;
  outputBytes: number;
  errorBytes: number;
}

export type RunEnd =
  | { kind: "exit"; code: number }
  | { kind: "fault"; code: string; message: string; wasmStack: string[] }
  | { kind: "preempted" }
  | { kind: "waiting" };

/**
 * A worker thread with any number of processes, of which one computes at a time (agent-app/worker implements it, over comlink). Calls
 * are answered in order; while `run` works nothing else is but stop and outputTaken. Output is told of while it is written, all of it before `run` returns.
 */
export interface WorkerApi {
  /** @returns the control memory (see control.ts); null where threads may not share memory */
  start(order: StartOrder): Promise<{ control: SharedArrayBuffer | null; status: ProcessStatus }>;
  /** Without control memory only; heard while `run` works. */
  stop(key: number): Promise<void>;
  outputTaken(key: number, bytes: number): Promise<void>;
  run(key: number): Promise<{ end: RunEnd; status: ProcessStatus }>;
  complete(key: number, result: SyscallResult): Promise<ProcessStatus>;
  /** @param delta relative to the image last marked as stored, if there is one */
  capture(
    key: number,
    delta: boolean,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; isDelta: boolean; image: Omit<ImageRef, "hash" | "sizeBytes"> }>;
  /** The image last captured of the process is stored under this hash. */
  stored(key: number, hash: string): Promise<void>;
  /** Files the process has written (null: removed), by path. */
  changedFiles(key: number): Promise<Map<string, Uint8Array<ArrayBuffer> | null>>;
  /** Lets go of the process. */
  clear(key: number): Promise<void>;
}
