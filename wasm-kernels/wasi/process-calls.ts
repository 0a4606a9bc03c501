// The process functions of the libc overlay (module "nightshift"): fork, wait, kill, pipe, dup. Results are values or negated error
// numbers; what only the home can answer waits there.
import type { HostFunction } from "../process/hostcalls.ts";
import { MAX_DESCRIPTORS, type WasiContext } from "./context.ts";
import { ERRNO, WasiError } from "./errno.ts";

/** As <sys/wait.h> of the overlay has them. */
const WAIT = { noHang: 1, untraced: 2, continued: 8 } as const;

export function processCalls(w: WasiContext): Record<string, HostFunction> {
  const negated = (work: () => number): number => {
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof WasiError) return -thrown.errno;
      throw thrown;
    }
  };
  return {
    fork: () => w.home({ call: "fork" }, (result) => result.value),
    wait: (target: number, options: number, statusPointer: number) =>
      negated(() => {
        if ((options & ~(WAIT.noHang | WAIT.untraced | WAIT.continued)) !== 0) return -ERRNO.EINVAL;
        if (statusPointer !== 0) w.at(statusPointer, 4);
        const has = (option: number): boolean => (options & option) !== 0;
        const call = { noHang: has(WAIT.noHang), untraced: has(WAIT.untraced), continued: has(WAIT.continued) };
        return w.home({ call: "wait", target, ...call }, (result) => {
          if (result.value > 0 && statusPointer !== 0) w.setU32(statusPointer, result.status ?? 0);
          return result.value;
        });
      }),
    kill: (pid: number, signal: number) => w.home({ call: "kill", target: pid, signal }, (result) => result.value),
    pipe: (fdsPointer: number) =>
      negated(() => {
        w.at(fdsPointer, 8);
        const [readFd, writeFd] = w.freeFds(2);
        return w.home({ call: "pipe" }, (result) => {
          if (result.value < 0) return result.value;
          w.put(readFd, w.newPipeEnd("read", result.value));
          w.put(writeFd, w.newPipeEnd("write", result.value));
          w.setU32(fdsPointer, readFd);
          w.setU32(fdsPointer + 4, writeFd);
          return 0;
        });
      }),
    dup: (fd: number, target: number) =>
      negated(() => {
        const descriptor = w.descriptor(fd);
        if (target >= MAX_DESCRIPTORS) return -ERRNO.EBADF;
        const to = target < 0 ? w.freeFds(1)[0] : target;
        if (to !== fd) w.put(to, descriptor);
        return to;
      }),
  };
}
