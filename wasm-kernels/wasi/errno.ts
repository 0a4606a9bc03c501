// WASI preview1 error numbers (wasi_snapshot_preview1 witx, typename errno), which are also wasi-libc's errno values.
export const ERRNO = {
  SUCCESS: 0,
  E2BIG: 1,
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  ECHILD: 12,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EILSEQ: 25,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENAMETOOLONG: 37,
  ENOENT: 44,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSOCK: 57,
  ENOTSUP: 58,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  ESPIPE: 70,
  ESRCH: 71,
  EXDEV: 75,
  ENOTCAPABLE: 76,
} as const;

/** Thrown inside a host function to return its error number to the program. */
export class WasiError {
  readonly errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

export const fail = (errno: number): never => {
  throw new WasiError(errno);
};
