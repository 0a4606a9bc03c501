// Why a process that is queued has no host yet, in a form that can be said in words of any language. Pure; the placing itself is placement.ts's.
import { fits, mayBeOn, takes } from "./placement.ts";
import type { Host, Job, ProcessRecord } from "./state.ts";

export interface WaitReason {
  /**
   * no-hosts: none has ever joined. not-usable: of the hosts it may be on none computes now. stack, memory: of those that do none has
   * enough of it. busy: every slot is taken, and it waits for its turn.
   */
  code: "no-hosts" | "not-usable" | "stack" | "memory" | "busy";
  /** Of the hosts it may be on: how many are away, paused (mostly by their owners), kept clear, taking nothing new, and what the others offer. */
  offline: number;
  paused: number;
  clear: number;
  blocked: number;
  slots: number;
  /** It may be on certain hosts only. */
  restricted: boolean;
}

/** @param deep it keeps to hosts that are no browsers (placement.ts) */
export function whyWaiting(
  hosts: Iterable<Host>,
  { spec }: Pick<Job, "spec">,
  process: ProcessRecord,
  deep: boolean,
): WaitReason {
  const allowed = [...hosts].filter((host) => mayBeOn(spec, host));
  const reason = { offline: 0, paused: 0, clear: 0, blocked: 0, slots: 0, restricted: spec.onlyOn !== undefined };
  for (const host of allowed) {
    if (!host.online || host.silent) reason.offline++;
    else if (host.drained) reason.clear++;
    else if (host.paused !== null) reason.paused++;
    else if (host.block) reason.blocked++;
    else reason.slots += host.info.slots;
  }
  const able = allowed.filter(takes);
  if (allowed.length === 0) return { code: "no-hosts", ...reason };
  if (able.length === 0) return { code: "not-usable", ...reason };
  const roomy = able.filter((host) => fits(host, deep));
  if (roomy.length === 0) return { code: "stack", ...reason };
  if (!roomy.some((host) => host.memoryFreeBytes >= process.memoryBytes)) return { code: "memory", ...reason };
  return { code: "busy", ...reason };
}
