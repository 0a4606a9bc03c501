// poll_oneoff: waiting for time, for something to read and for room to write. Files and output are always ready. Of pipes the home
// knows; as it keeps no time, a poll with a timeout asks it again and again, at growing intervals, without waiting there.
import { Blocked, type PipeEnd, READY } from "../process/hostcalls.ts";
import { CLOCK, type Descriptor, type WasiContext } from "./context.ts";
import { ERRNO } from "./errno.ts";
import { RIGHT } from "./rights.ts";

const EVENT = { clock: 0, read: 1, write: 2 } as const;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const ABSTIME = 1;
const HANGUP = 1;
/** Two for each possible descriptor and some clocks. */
const MAX_SUBSCRIPTIONS = 4096;
const FIRST_PAUSE_NS = 10_000_000n;
const LONGEST_PAUSE_NS = 500_000_000n;

interface Event {
  userdata: bigint;
  type: number;
  errno: number;
  bytes: number;
  hangup: boolean;
}

export function pollOneoff(w: WasiContext, subscriptions: number, events: number, count: number, countPointer: number): number {
  if (count === 0 || count >>> 0 > MAX_SUBSCRIPTIONS) return ERRNO.EINVAL;
  const from = w.at(subscriptions, SUBSCRIPTION_BYTES * count);
  w.at(events, EVENT_BYTES * count);
  w.at(countPointer, 4);
  const ready: Event[] = [];
  const clocks: { event: Event; delayNs: bigint }[] = [];
  const pipes: { event: Event; end: PipeEnd }[] = [];
  const began = w.options.clock === "host" ? w.nowNs() : w.clockNs;
  for (let at = from; at < from + SUBSCRIPTION_BYTES * count; at += SUBSCRIPTION_BYTES) {
    const type = w.getU8(at + 8);
    const event: Event = { userdata: w.getU64(at), type, errno: ERRNO.SUCCESS, bytes: 0, hangup: false };
    if (type === EVENT.clock) {
      const flags = w.getU16(at + 40);
      const timeout = w.getU64(at + 24);
      const delayNs = flags & ABSTIME ? timeout - began : timeout;
      const isTime = w.getU32(at + 16) <= CLOCK.monotonic && (flags & ~ABSTIME) === 0;
      if (isTime) clocks.push({ event, delayNs: delayNs > 0n ? delayNs : 0n });
      else ready.push({ ...event, errno: ERRNO.EINVAL });
    } else if (type === EVENT.read || type === EVENT.write) {
      const descriptor = w.descriptors.get(w.getU32(at + 16) | 0);
      const errno = errnoOf(descriptor, type);
      if (errno === ERRNO.SUCCESS && descriptor?.kind === "pipe") pipes.push({ event, end: descriptor });
      else ready.push({ ...event, errno, bytes: bytesLeft(descriptor, type) });
    } else return ERRNO.EINVAL;
  }

  const report = (list: readonly Event[]): number => {
    list.forEach((event, k) => {
      const at = events + EVENT_BYTES * k;
      w.bytes(at, EVENT_BYTES).fill(0);
      w.setU64(at, event.userdata);
      w.setU16(at + 8, event.errno);
      w.setU8(at + 10, event.type);
      w.setU64(at + 16, BigInt(event.bytes));
      w.setU16(at + 24, event.hangup ? HANGUP : 0);
    });
    w.setU32(countPointer, list.length);
    return ERRNO.SUCCESS;
  };
  const over = (elapsedNs: bigint): Event[] => clocks.filter(({ delayNs }) => delayNs <= elapsedNs).map(({ event }) => event);
  const shortest = clocks.reduce<bigint | undefined>(
    (least, { delayNs }) => (least === undefined || delayNs < least ? delayNs : least),
    undefined,
  );

  const askHome = (elapsedNs: bigint, pauseNs: bigint): never => {
    const ends = pipes.map(({ end: { object, end } }) => ({ object, end }));
    const noHang = shortest !== undefined || ready.length > 0;
    return w.home({ call: "poll", ends, noHang }, (result) => {
      if (result.value < 0) return -result.value;
      const answers = new DataView((result.bytes ?? new Uint8Array(0)).slice().buffer);
      const now = [...ready, ...over(elapsedNs)];
      pipes.forEach(({ event }, k) => {
        const answer = answers.getUint32(4 * k, true);
        if (answer >= READY.ready) now.push({ ...event, bytes: answer & READY.bytes, hangup: (answer & READY.hangup) !== 0 });
      });
      return now.length > 0 || shortest === undefined ? report(now) : sleep(elapsedNs, pauseNs, shortest);
    });
  };
  const sleep = (elapsedNs: bigint, pauseNs: bigint, untilNs: bigint): never => {
    const left = untilNs - elapsedNs;
    const pause = pipes.length > 0 && pauseNs < left ? pauseNs : left;
    throw new Blocked({ kind: "sleep", ms: Number(pause) / 1e6 }, () => {
      if (w.options.clock === "virtual") w.clockNs += pause;
      if (pipes.length === 0) return report(over(untilNs));
      return askHome(elapsedNs + pause, pauseNs < LONGEST_PAUSE_NS ? pauseNs * 2n : pauseNs);
    });
  };

  if (pipes.length > 0) return askHome(0n, FIRST_PAUSE_NS);
  if (ready.length > 0) return report([...ready, ...over(0n)]);
  return sleep(0n, 0n, shortest ?? 0n);
}

function errnoOf(descriptor: Descriptor | undefined, type: number): number {
  if (!descriptor) return ERRNO.EBADF;
  const right = type === EVENT.read ? RIGHT.fdRead : RIGHT.fdWrite;
  return descriptor.rights & RIGHT.pollFdReadwrite && descriptor.rights & right ? ERRNO.SUCCESS : ERRNO.ENOTCAPABLE;
}

function bytesLeft(descriptor: Descriptor | undefined, type: number): number {
  return descriptor?.kind === "file" && type === EVENT.read ? Math.max(0, descriptor.node.size - descriptor.position) : 0;
}
