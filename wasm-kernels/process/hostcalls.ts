// What a process may ask of its host: the names of all functions it may import, and how a call that cannot be answered at once is
// put down. A host function that must wait throws Blocked before it has changed anything; it is finished when the answer is there,
// or, after a move, called again with the same arguments to get to the same point.

/** A call that only the process's home (the coordinator, or whoever stands for it) can answer. */
export type HomeCall =
  | { call: "fork" }
  | { call: "wait"; target: number; noHang: boolean }
  | { call: "kill"; target: number; signal: number }
  | { call: "pipe" }
  | { call: "read"; object: number; maxBytes: number }
  | { call: "write"; object: number; bytes: Uint8Array };

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
  /** read: the bytes. */
  bytes?: Uint8Array | undefined;
}

export type WaitReason =
  | { kind: "home"; call: HomeCall }
  | { kind: "sleep"; ms: number }
  | { kind: "yield" }
  | { kind: "output" };

/** Thrown by a host function that cannot answer at once. */
export class Blocked {
  readonly reason: WaitReason;
  /** Writes the answer into memory; returns the function's i32 result. For all but home calls the answer is `{ value: 0 }`. */
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

/** "module.name" of every host function. */
export const hostFunctions: ReadonlySet<string> = new Set([
  ...WASI.split(" ").map((name) => `wasi_snapshot_preview1.${name}`),
  ...OWN.split(" ").map((name) => `nightshift.${name}`),
]);

export type HostFunction = (...args: never[]) => number;
