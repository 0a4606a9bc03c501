// poll_oneoff: waiting for time, for something to read and for room to write. Files, devices and output are always ready. Of pipes the home
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

/** How far a poll has got; part of the state, so that a process that is moved while it waits does not begin again. */
export interface PollProgress {
  beganNs: bigint;
  /** How long it has slept. */
  sleptNs: bigint;
  /** How long it will sleep between two questions to the home. */
  pauseNs: bigint;
  /** It is sleeping, not asking. */
  asleep: boolean;
}

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
  const host = w.options.clock === "host";
  const progress = w.poll ?? { beganNs: host ? w.nowNs() : w.clockNs, sleptNs: 0n, pauseNs: FIRST_PAUSE_NS, asleep: false };
  for (let at = from; at < from + SUBSCRIPTION_BYTES * count; at += SUBSCRIPTION_BYTES) {
    const type = w.getU8(at + 8);
    const event: Event = { userdata: w.getU64(at), type, errno: ERRNO.SUCCESS, bytes: 0, hangup: false };
    if (type === EVENT.clock) {
      const flags = w.getU16(at + 40);
      const timeout = w.getU64(at + 24);
      const delayNs = flags & ABSTIME ? timeout - progress.beganNs : timeout;
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
    w.poll = null;
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
  const elapsedNs = (): bigint => (host ? w.nowNs() - progress.beganNs : progress.sleptNs);
  const over = (elapsed: bigint): Event[] => clocks.filter(({ delayNs }) => delayNs <= elapsed).map(({ event }) => event);
  const shortest = clocks.reduce<bigint | undefined>(
    (least, { delayNs }) => (least === undefined || delayNs < least ? delayNs : least),
    undefined,
  );

  const askHome = (): never => {
    progress.asleep = false;
    const ends = pipes.map(({ end: { object, end } }) => ({ object, end }));
    const noHang = shortest !== undefined || ready.length > 0;
    return w.home({ call: "poll", ends, noHang }, (result) => {
      if (result.value < 0) {
        w.poll = null;
        return -result.value;
      }
      const answers = new DataView((result.bytes ?? new Uint8Array(0)).slice().buffer);
      const now = [...ready, ...over(elapsedNs())];
      pipes.forEach(({ event }, k) => {
        const answer = answers.getUint32(4 * k, true);
        if (answer >= READY.ready) now.push({ ...event, bytes: answer & READY.bytes, hangup: (answer & READY.hangup) !== 0 });
      });
      return now.length > 0 || shortest === undefined ? report(now) : sleep(shortest);
    });
  };
  const sleep = (untilNs: bigint): never => {
    progress.asleep = true;
    const left = untilNs - elapsedNs();
    const wanted = pipes.length > 0 && progress.pauseNs < left ? progress.pauseNs : left;
    const pause = wanted > 0n ? wanted : 0n;
    throw new Blocked({ kind: "sleep", ms: Number(pause) / 1e6 }, () => {
      if (!host) w.clockNs += pause;
      progress.sleptNs += pause;
      if (pipes.length === 0) return report(over(untilNs));
      if (progress.pauseNs < LONGEST_PAUSE_NS) progress.pauseNs *= 2n;
      return askHome();
    });
  };

  if (pipes.length === 0 && ready.length > 0) return report([...ready, ...over(0n)]);
  w.poll = progress;
  return pipes.length > 0 && !progress.asleep ? askHome() : sleep(shortest ?? 0n);
}

function errnoOf(descriptor: Descriptor | undefined, type: number): number {
  if (!descriptor) return ERRNO.EBADF;
  const right = type === EVENT.read ? RIGHT.fdRead : RIGHT.fdWrite;
  return descriptor.rights & RIGHT.pollFdReadwrite && descriptor.rights & right ? ERRNO.SUCCESS : ERRNO.ENOTCAPABLE;
}

function bytesLeft(descriptor: Descriptor | undefined, type: number): number {
  return descriptor?.kind === "file" && type === EVENT.read ? Math.max(0, descriptor.node.size - descriptor.position) : 0;
}
