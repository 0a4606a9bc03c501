// What the coordinator knows and must not lose: jobs, processes, and the kernel of each job (pipes, parents, exits). Hosts appear here
// only as they are connected; who is enrolled is the server's business. Plain data, so that the store can keep it as it is.
import type { KernelState } from "@nightshift/wasm-kernels/process";
import type { ExitReport, HostInfo, ImageRef, JobSpec, ProcessState, Syscall, SyscallResult } from "../protocol/messages.ts";

export interface Job {
  id: number;
  spec: JobSpec;
  /** First process of its first part. */
  root: number;
  /** Of several parts: cancelled when one was, else failed when one has not exited with 0. */
  state: "running" | "exited" | "failed" | "cancelled";
  /** Of several parts: of the first one that has not exited with 0. */
  report: ExitReport | null;
  submittedAt: number;
  endedAt: number | null;
  /** Bytes of output accepted so far, all parts together. */
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
  /** The newest MAX_FREEZES. */
  freezesMs: number[];
  migrationBytes: number;
  migrationMessages: number;
  /** Of its parts, those that ended well and those that ended otherwise, cancelled ones among these. */
  parts: { total: number; done: number; failed: number };
  /** When it began, or began anew, and how many of its parts had ended then: how fast the others end. */
  since: { at: number; ended: number };
  /** Files that its parts wrote. */
  files: number;
  /** Who submitted it; missing in records of earlier versions. */
  by?: string;
}

/** One run of a job's program with arguments of its own: a first process and what it forks, with an output and files of their own. */
export interface Part {
  job: number;
  /** From 1; it says which values of the job's parameters it has. */
  number: number;
  /** Its first process. */
  root: number;
  state: "running" | "exited" | "failed" | "cancelled";
  report: ExitReport | null;
  /** How often it has begun. */
  tries: number;
  endedAt: number | null;
  /** Bytes of output accepted, all its processes together, in the order of arrival. */
  stdoutBytes: number;
  stderrBytes: number;
  files: Record<string, { hash: string; size: number }>;
}

/** Names a part among those of all jobs. */
export type PartKey = number & { readonly brand: "part" };
/** More than a job has. With it a key stays an exact number for the first 2^36 jobs. */
const PARTS_PER_JOB = 2 ** 17;
export const partKey = (job: number, part: number): PartKey => (job * PARTS_PER_JOB + part) as PartKey;
/** Keys of all parts of a job: from the first to the second. */
export const partKeysOf = (job: number): [PartKey, PartKey] => [partKey(job, 0), partKey(job, PARTS_PER_JOB - 1)];
/** Whether the part, or the process, has exited with 0. */
export const isDone = ({ report }: Pick<Part, "report">): boolean => report?.kind === "exit" && report.code === 0;

/** Freezes kept of each job. */
export const MAX_FREEZES = 1000;

export interface ProcessRecord {
  pid: number;
  parent: number;
  job: number;
  part: number;
  state: ProcessState;
  /** Host that holds the lease. */
  host: string | null;
  /** Counts the leases: a message of an earlier one is out of date and without effect. */
  epoch: number;
  leaseUntil: number;
  /** Where to go next, for a process that is being released or queued for a certain host. */
  destination: string | null;
  image: ImageRef | null;
  /**
   * Answers to home calls since the image, by sequence number: what a process that goes back to it is told again. Each is stored once, by
   * itself: what has been read from pipes may be much.
   */
  answers: Record<number, SyscallResult>;
  /** The home call it waits in. */
  waiting: { seq: number; call: Syscall } | null;
  seed: string;
  forks: number;
  /** Output accepted from this process. */
  outputBytes: number;
  errorBytes: number;
  cpuMs: number;
  /** When its host got it, or last earned credit by it; missing in records of earlier versions. */
  earnedAt?: number;
  memoryBytes: number;
  migrations: number;
  /** Its last host was lost with what it did there since the image, and it has not started on another one yet. */
  lost?: boolean;
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
  /** Processes here are not balanced away; they still leave for its owner, for clearing, and by hand. */
  stay: boolean;
  /** Nothing new comes here, by placement, balancing or hand. What is here goes on, and so do its forks; what is on its way arrives. */
  block: boolean;
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
  /** Programs that it was told to have ready, and those that are. */
  programs: Map<string, "told" | "ready">;
}

export type Saved =
  /** Without what it was submitted with, which is stored once and not at every change. */
  | { kind: "job"; value: Job }
  | { kind: "spec"; job: number; value: JobSpec }
  | { kind: "part"; value: Part }
  /** Without its answers. */
  | { kind: "process"; value: ProcessRecord }
  | { kind: "answer"; pid: number; seq: number; value: SyscallResult }
  | { kind: "kernel"; part: PartKey; value: KernelState };

/** Names a record among all: a later one with the same name stands in its place. */
export function savedKey(saved: Saved): string {
  if (saved.kind === "kernel") return `kernel/${saved.part}`;
  if (saved.kind === "spec") return `spec/${saved.job}`;
  if (saved.kind === "answer") return `answer/${saved.pid}/${saved.seq}`;
  if (saved.kind === "part") return `part/${saved.value.job}/${saved.value.number}`;
  return saved.kind === "job" ? `job/${saved.value.id}` : `process/${saved.value.pid}`;
}

/** What is to be stored no more. */
export interface Forgotten {
  /** Ended jobs with all they have. */
  jobs: number[];
  pids: number[];
  /** Kernels of parts that have ended. */
  kernels: PartKey[];
  /** Outputs of parts that begin anew. */
  outputs: { job: number; part: number }[];
  /** Answers to calls of these processes before the one with that number. */
  answers: { pid: number; before: number }[];
}

export const isEnded = (process: ProcessRecord): boolean =>
  process.state === "exited" || process.state === "failed" || process.state === "cancelled";
/** Does the process want a processor (now or as soon as it has arrived)? */
export const isComputing = (process: ProcessRecord): boolean =>
  !isEnded(process) && process.waiting === null && process.state !== "suspended";
