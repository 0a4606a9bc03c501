// Where processes should run: placement of queued ones and balancing of running ones. Pure functions of what is known; the core
// carries out what they say.
//
// A host's load is the number of processes that want a processor, divided by its capacity (slots times measured speed). A process goes
// where the load will be least; one is moved when that lowers the highest load of the two hosts concerned, as in MOSIX's
// load-balancing (Barak, Guday, Wheeler 1993), here with complete knowledge as the coordinator has it.
import type { JobSpec } from "../protocol/messages.ts";
import { type Host, isComputing, type ProcessRecord } from "./state.ts";

/** A process that has just been moved is left alone for this long, so that two hosts do not toss it to and fro. */
export const MOVE_REST_MS = 500;
/** Migrations out of one host at a time: enough to spread a burst of forks, few enough to leave the host its network. */
export const MAX_RELEASING = 4;

/**
 * What a move must leave of the difference between two loads, as a part of the higher one: less is not worth the move, as processes
 * end and begin all the time and the next end may well be on the other side.
 */
const WORTHWHILE = 0.1;
/** How much faster an idle host must be for a process to leave a slot of its own. */
const FASTER = 1.5;

/** Whether processes may compute on it. */
export const usable = (host: Host): boolean =>
  host.online && !host.silent && !host.drained && host.paused === null && host.info.slots > 0;
/** Whether processes may come to it. */
export const takes = (host: Host): boolean => usable(host) && !host.block;
/** A process that recurses deeply, is made of what some browser does not know, or is pinned keeps to hosts that are no browsers. */
export const fits = (host: Host, deep: boolean): boolean => takes(host) && !(deep && host.info.smallStack);
/** Whether the job may be on the host: some are for certain hosts only. */
export const mayBeOn = ({ onlyOn }: JobSpec, host: Host): boolean => onlyOn === undefined || onlyOn.includes(host.id);
export const capacity = (host: Host): number => Math.max(host.info.slots, 1) * (host.speed > 0 ? host.speed : 1);

/** Processes that compute or will compute on each host, by host id: those that arrive count there, those that leave do not. */
export function computingOn(processes: Iterable<ProcessRecord>): Map<string, ProcessRecord[]> {
  const byHost = new Map<string, ProcessRecord[]>();
  for (const process of processes) {
    const place = process.destination ?? process.host;
    if (place === null || !isComputing(process)) continue;
    const list = byHost.get(place);
    if (list) list.push(process);
    else byHost.set(place, [process]);
  }
  return byHost;
}

/** Processes a slot may have so that somebody who has none can begin: they take turns there. */
export const CROWDED = 2;

/**
 * The host for a queued process, or undefined when every usable host has as many processes for each slot already (then it waits: hosts
 * are not filled beyond that by new processes, only by forks).
 */
export function placeQueued(
  hosts: Iterable<Host>,
  counts: ReadonlyMap<string, number>,
  needBytes: number,
  deep = false,
  perSlot = 1,
): Host | undefined {
  let best: Host | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const host of hosts) {
    const count = counts.get(host.id) ?? 0;
    if (!fits(host, deep) || count >= perSlot * host.info.slots || host.memoryFreeBytes < needBytes) continue;
    const load = (count + 1) / capacity(host);
    if (load < least || (load === least && best && host.id < best.id)) {
      best = host;
      least = load;
    }
  }
  return best;
}

export interface Move {
  pid: number;
  to: string;
}

/**
 * Moves that even out the load, the most useful first.
 * @param mayGo whether a process may be on that host at all
 * @param others processes wait for a slot: one that is given up for a faster host would go to them, and its process come on top there
 */
export function planMoves(
  hosts: readonly Host[],
  processes: ReadonlyMap<string, readonly ProcessRecord[]>,
  mayMove: (process: ProcessRecord) => boolean,
  now: number,
  mayGo: (process: ProcessRecord, to: Host) => boolean = () => true,
  others = false,
): Move[] {
  const able = hosts.filter(usable);
  const moves: Move[] = [];
  const counts = new Map(able.map((host) => [host.id, processes.get(host.id)?.length ?? 0]));
  const candidates = new Map(
    able.map((host) => [
      host.id,
      // Those that have computed least lose the least by a stop, and have most still before them.
      (processes.get(host.id) ?? [])
        .filter((p) => p.state === "running" && p.destination === null && now - p.movedAt >= MOVE_REST_MS && mayMove(p))
        .sort((a, b) => a.cpuMs - b.cpuMs || b.pid - a.pid),
    ]),
  );
  const releasing = new Map(able.map((host) => [host.id, host.releasing.size]));
  const load = (host: Host, more = 0): number => ((counts.get(host.id) ?? 0) + more) / capacity(host);
  for (;;) {
    let best: { from: Host; to: Host; gain: number; process: ProcessRecord } | undefined;
    for (const from of able) {
      if (from.stay || (candidates.get(from.id)?.length ?? 0) === 0 || (releasing.get(from.id) ?? 0) >= MAX_RELEASING) continue;
      for (const to of able) {
        if (to === from || to.block) continue;
        // Where every process has a slot of its own, only a much faster host is worth a move.
        const own = (counts.get(from.id) ?? 0) <= from.info.slots;
        if (own && to.speed < FASTER * from.speed) continue;
        if (own && others && (counts.get(to.id) ?? 0) >= to.info.slots) continue;
        const gain = load(from) - Math.max(load(to, 1), load(from, -1));
        const worthwhile = load(from) - load(to, 1) > WORTHWHILE * load(from);
        if (!(gain > 1e-9) || !worthwhile || (best && gain <= best.gain)) continue;
        const process = candidates.get(from.id)?.find((one) => mayGo(one, to));
        if (process) best = { from, to, gain, process };
      }
    }
    if (!best) return moves;
    const { process } = best;
    candidates.set(
      best.from.id,
      (candidates.get(best.from.id) ?? []).filter((one) => one !== process),
    );
    moves.push({ pid: process.pid, to: best.to.id });
    counts.set(best.from.id, (counts.get(best.from.id) ?? 0) - 1);
    counts.set(best.to.id, (counts.get(best.to.id) ?? 0) + 1);
    releasing.set(best.from.id, (releasing.get(best.from.id) ?? 0) + 1);
  }
}
