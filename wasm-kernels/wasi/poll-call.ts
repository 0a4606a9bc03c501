// poll_oneoff: waiting for time.
import { Blocked } from "../process/hostcalls.ts";
import type { WasiContext } from "./context.ts";
import { ERRNO } from "./errno.ts";

/** Waits for the earliest clock; files and pipes are always reported ready (a read or write waits by itself). */
export function pollOneoff(
  w: WasiContext,
  subscriptions: number,
  events: number,
  count: number,
  countPointer: number,
): number | undefined {
  if (count === 0) return ERRNO.EINVAL;
  const view = w.view();
  const ready: { userdata: bigint; type: number }[] = [];
  const clocks: { userdata: bigint; delayNs: bigint }[] = [];
  const began = w.options.clock === "host" ? w.nowNs() : w.clockNs;
  for (let i = 0; i < count; i++) {
    const at = subscriptions + 48 * i;
    const userdata = view.getBigUint64(at, true);
    const type = view.getUint8(at + 8);
    if (type !== 0) {
      ready.push({ userdata, type });
      continue;
    }
    const timeout = view.getBigUint64(at + 24, true);
    const absolute = (view.getUint16(at + 40, true) & 1) !== 0;
    const delayNs = absolute ? timeout - began : timeout;
    clocks.push({ userdata, delayNs: delayNs > 0n ? delayNs : 0n });
  }
  const report = (list: readonly { userdata: bigint; type: number }[]): number => {
    const target = w.view();
    list.forEach(({ userdata, type }, k) => {
      w.bytes(events + 32 * k, 32).fill(0);
      target.setBigUint64(events + 32 * k, userdata, true);
      target.setUint8(events + 32 * k + 10, type);
    });
    target.setUint32(countPointer, list.length, true);
    return ERRNO.SUCCESS;
  };
  if (ready.length > 0) return report(ready);
  const shortest = clocks.reduce((least, clock) => (clock.delayNs < least ? clock.delayNs : least), clocks[0].delayNs);
  throw new Blocked({ kind: "sleep", ms: Number(shortest) / 1e6 }, () => {
    if (w.options.clock === "virtual") w.clockNs += shortest;
    return report(clocks.filter((clock) => clock.delayNs === shortest).map(({ userdata }) => ({ userdata, type: 0 })));
  });
}
