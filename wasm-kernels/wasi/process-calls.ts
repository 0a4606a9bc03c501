// The process functions of the libc overlay (module "nightshift"): fork, wait, kill, pipe, dup. Results are values or negated error
// numbers; what only the home can answer waits there.
import type { HostFunction } from "../process/hostcalls.ts";
import { MAX_DESCRIPTORS, type WasiContext } from "./context.ts";
import { ERRNO, WasiError } from "./errno.ts";

const WNOHANG = 1;

export function processCalls(w: WasiContext): Record<string, HostFunction> {
  const negated = (work: () => number): number => {
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof WasiError) return -thrown.errno;
      if (thrown instanceof RangeError) return -ERRNO.EFAULT;
      throw thrown;
    }
  };
  return {
    fork: () => w.home({ call: "fork" }, (result) => result.value),
    wait: (target: number, options: number, statusPointer: number) =>
      negated(() => {
        if (statusPointer !== 0) w.bytes(statusPointer, 4);
        return w.home({ call: "wait", target, noHang: (options & WNOHANG) !== 0 }, (result) => {
          if (result.value > 0 && statusPointer !== 0) w.view().setInt32(statusPointer, result.status ?? 0, true);
          return result.value;
        });
      }),
    kill: (pid: number, signal: number) => w.home({ call: "kill", target: pid, signal }, (result) => result.value),
    pipe: (fdsPointer: number) =>
      negated(() => {
        w.bytes(fdsPointer, 8);
        return w.home({ call: "pipe" }, (result) => {
          if (result.value < 0) return result.value;
          return negated(() => {
            const readFd = w.newFd({ kind: "pipe", object: result.value, end: "read" });
            const writeFd = w.newFd({ kind: "pipe", object: result.value, end: "write" });
            w.view().setInt32(fdsPointer, readFd, true);
            w.view().setInt32(fdsPointer + 4, writeFd, true);
            return 0;
          });
        });
      }),
    dup: (fd: number, target: number) =>
      negated(() => {
        const descriptor = w.descriptor(fd);
        if (target < 0) return w.newFd(descriptor);
        if (target >= MAX_DESCRIPTORS) return -ERRNO.EBADF;
        if (target === fd) return fd;
        w.close(target);
        w.descriptors.set(target, descriptor);
        return target;
      }),
  };
}
