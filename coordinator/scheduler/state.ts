// What the coordinator knows and must not lose: jobs, processes, and the kernel of each job (pipes, parents, exits). Hosts appear here
// only as they are connected; who is enrolled is the server's business. Plain data, so that the store can keep it as it is.
import type { KernelState } from "@nightshift/wasm-kernels/process";
import type { ExitReport, HostInfo, ImageRef, JobSpec, ProcessState, Syscall, SyscallResult } from "../protocol/messages.ts";

export interface Job {
  id: number;
  spec: JobSpec;
  root: number;
  state: "running" | "exited" | "failed" | "cancelled";
  report: ExitReport | null;
  submittedAt: number;
  endedAt: number | null;
  /** Bytes of output accepted so far, all processes together, in the order of arrival. */
  stdoutBytes: number;
  stderrBytes: number;
  stdinBytes: number;
  processes: number;
  migrations: number;
  /** Migrations of processes that were computing when they were stopped. */
  migratedRunning: number;
  /** Processes that were moved at least once. */
  migratedProcesses: number;
  /** Times a process went back to its last checkpoint because its host was lost. */
  restarts: number;
  freezesMs: number[];
  migrationBytes: number;
  migrationMessages: number;
  files: Record<string, { hash: string; size: number }>;
  /** Who submitted it; missing in records of earlier versions. */
  by?: string;
}

export interface ProcessRecord {
  pid: number;
  parent: number;
  job: number;
  state: ProcessState;
  /** Host that holds the lease. */
  host: string | null;
  /** Counts the leases: a message of an earlier one is out of date and without effect. */
  epoch: number;
  leaseUntil: number;
  /** Where to go next, for a process that is being released or queued for a certain host. */
  destination: string | null;
  image: ImageRef | null;
  /** Answers to home calls since the image, by sequence number: what a process that goes back to it is told again. */
  answers: Record<number, SyscallResult>;
  /** The home call it waits in. */
  waiting: { seq: number; call: Syscall } | null;
  seed: string;
  forks: number;
  /** Output accepted from this process. */
  outputBytes: number;
  errorBytes: number;
  cpuMs: number;
  memoryBytes: number;
  migrations: number;
  startedAt: number;
  movedAt: number;
  /** Somebody has chosen its host: balancing leaves it there. */
  placedByHand: boolean;
  report: ExitReport | null;
}

/** What administrators say of a host. */
export interface HostSettings {
  name: string;
  tags: readonly string[];
  /** To be kept clear of processes: it gets none, and those it has move on. */
  drained: boolean;
}

/** A host as it is connected now, or was when it was last seen. */
export interface Host extends HostSettings {
  id: string;
  info: HostInfo;
  online: boolean;
  /** Why it computes nothing, in words and as the policy's code. */
  paused: string | null;
  pausedCode: string | null;
  /** While it is paused: until when its processes stay. */
  keepUntil: number;
  speed: number;
  running: number;
  runnable: number;
  blocked: number;
  memoryFreeBytes: number;
  /** When the last message came. */
  seenAt: number;
  /** Nothing came for as long as a lease lasts, though the connection has not broken: it gets no work until it speaks again. */
  silent: boolean;
  /** Processes it is being asked to give away. */
  releasing: Set<number>;
}

export type Saved =
  | { kind: "job"; value: Job }
  | { kind: "process"; value: ProcessRecord }
  | { kind: "kernel"; job: number; value: KernelState };

/** Ended jobs with all their processes. */
export interface Forgotten {
  jobs: number[];
  pids: number[];
}

export const isEnded = (process: ProcessRecord): boolean =>
  process.state === "exited" || process.state === "failed" || process.state === "cancelled";
/** Does the process want a processor (now or as soon as it has arrived)? */
export const isComputing = (process: ProcessRecord): boolean =>
  !isEnded(process) && process.waiting === null && process.state !== "suspended";
