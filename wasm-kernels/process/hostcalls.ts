// What a process may ask of its host: the names of all functions it may import, and how a call that cannot be answered at once is
// put down. A host function that must wait throws Blocked before it has changed anything; it is finished when the answer is there,
// or, after a move, called again with the same arguments to get to the same point.

/** A call that only the process's home (the coordinator, or whoever stands for it) can answer. */
export type HomeCall =
  | { call: "fork" }
  /** untraced, continued: also answer for a child that a signal has stopped or continued. */
  | { call: "wait"; target: number; noHang: boolean; untraced?: boolean | undefined; continued?: boolean | undefined }
  | { call: "kill"; target: number; signal: number }
  | { call: "pipe" }
  /** noHang: EAGAIN instead of waiting. */
  | { call: "read"; object: number; maxBytes: number; noHang?: boolean | undefined }
  | { call: "write"; object: number; bytes: Uint8Array; noHang?: boolean | undefined }
  /** Waits until one of the ends can be read or written, or not at all with noHang. The answer has READY bits for each end. */
  | { call: "poll"; ends: PipeEnd[]; noHang: boolean };

/** One end of a pipe. Objects are never used again, so that an end once closed by a process stays closed for it. */
export interface PipeEnd {
  object: number;
  end: "read" | "write";
}

export interface HomeResult {
  /** The call's result, or a negated WASI errno. */
  value: number;
  /** wait: the status word of waitpid(). */
  status?: number | undefined;
  /** read: the bytes. poll: 32 bits for each end, little-endian. */
  bytes?: Uint8Array | undefined;
}

/** What a poll says of the end of a pipe: whether a call would return at once, whether the other end is closed, and how many bytes. */
export const READY = { ready: 2 ** 31, hangup: 2 ** 30, bytes: 2 ** 30 - 1 } as const;

export type WaitReason =
  | { kind: "home"; call: HomeCall }
  | { kind: "sleep"; ms: number }
  | { kind: "yield" }
  | { kind: "output" };

/** Thrown by a host function that cannot answer at once. */
export class Blocked {
  readonly reason: WaitReason;
  /**
   * Writes the answer into memory; returns the function's i32 result. For all but home calls the answer is `{ value: 0 }`. May throw
   * Blocked in turn, when there is something else to wait for.
   */
  readonly finish: (result: HomeResult) => number;

  constructor(reason: WaitReason, finish: (result: HomeResult) => number) {
    this.reason = reason;
    this.finish = finish;
  }
}

/** Thrown by proc_exit to leave the program. */
export class Exited {
  readonly code: number;
  constructor(code: number) {
    this.code = code;
  }
}

const WASI =
  "args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get " +
  "fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name " +
  "fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write path_create_directory path_filestat_get path_filestat_set_times path_link " +
  "path_open path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise random_get sched_yield " +
  "sock_accept sock_recv sock_send sock_shutdown";
const OWN = "fork wait pipe dup kill getpid getppid";

/**
 * What Emscripten's standalone modules import beside WASI when their memory may grow: word that it has, for hosts that keep views of it. None is kept
 * here.
 */
export const EMSCRIPTEN_FUNCTIONS = { emscripten_notify_memory_growth: (_memory: number): number => 0 };

/** "module.name" of every host function. */
export const hostFunctions: ReadonlySet<string> = new Set([
  ...Object.keys(EMSCRIPTEN_FUNCTIONS).map((name) => `env.${name}`),
  ...WASI.split(" ").map((name) => `wasi_snapshot_preview1.${name}`),
  ...OWN.split(" ").map((name) => `nightshift.${name}`),
]);

export type HostFunction = (...args: never[]) => number;
