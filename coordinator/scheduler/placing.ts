// Which waiting process goes where, and when: whose turn it is (queue.ts) and where there is room (placement.ts), put together. Decides; what a
// lease is, is the core's.
import type { JobSpec } from "../protocol/messages.ts";
import { CROWDED, computingOn, fits, placeQueued, takes } from "./placement.ts";
import { Served, Turns, type Waiting } from "./queue.ts";
import type { Records } from "./records.ts";
import type { Host, ProcessRecord } from "./state.ts";

export class Placing {
  private readonly records: Records;
  private readonly deep: (process: ProcessRecord) => boolean;
  private readonly lease: (process: ProcessRecord, host: Host, now: number) => void;
  private readonly turns: Turns = new Turns();

  /** @param deep whether the process keeps to hosts that are no browsers (placement.ts) @param lease takes the process out of the queue */
  constructor(
    records: Records,
    deep: (process: ProcessRecord) => boolean,
    lease: (process: ProcessRecord, host: Host, now: number) => void,
  ) {
    this.records = records;
    this.deep = deep;
    this.lease = lease;
  }

  /**
   * Gives free slots to processes that wait, each time to the job whose turn it is. Where none is free, a submitter for whom nothing
   * computes gets one process on top of others', which may take hours to end.
   */
  place(now: number): void {
    if (this.records.queue.size === 0) return;
    const counts = new Map<string, number>();
    const served = new Served(this.turns);
    for (const [host, list] of computingOn(this.records.alive.values())) {
      counts.set(host, list.length);
      for (const { job } of list) served.add(this.records.job(job).by ?? "", job);
    }
    let free = 0;
    for (const host of this.records.hosts.values())
      if (takes(host)) free += Math.max(0, host.info.slots - (counts.get(host.id) ?? 0));
    const waiting = new Map<number, Waiting>();
    for (const [job, pids] of this.records.queue.entries()) {
      const { spec, by = "" } = this.records.job(job);
      // Where nothing is free only those can begin that ask for a certain host.
      if (free > 0 || spec.startOn !== null) waiting.set(job, { job, by, pids });
    }
    for (;;) {
      const next = served.next(waiting.values());
      if (next === undefined) break;
      const placed = this.placeOne(next.pids, counts, now);
      if (placed) {
        served.add(next.by, next.job);
        this.turns.take(next.by, next.job);
        // One that asked for this host may have come on top.
        if ((counts.get(placed.id) ?? 0) <= placed.info.slots) free--;
      }
      if (!placed || next.pids.size === 0) waiting.delete(next.job);
      if (free <= 0) for (const job of waiting.keys()) if (this.records.job(job).spec.startOn === null) waiting.delete(job);
    }
    this.crowd(served, counts, now);
  }

  private crowd(served: Served, counts: Map<string, number>, now: number): void {
    const waiting = new Map<number, Waiting>();
    for (const [job, pids] of this.records.queue.entries()) {
      const { by = "" } = this.records.job(job);
      if (!served.serves(by)) waiting.set(job, { job, by, pids });
    }
    for (;;) {
      const next = served.next(waiting.values());
      if (next === undefined) return;
      waiting.delete(next.job);
      if (served.serves(next.by) || !this.placeOne(next.pids, counts, now, CROWDED)) continue;
      served.add(next.by, next.job);
      this.turns.take(next.by, next.job);
    }
  }

  /** The first of these processes of one job that has a place. */
  private placeOne(pids: ReadonlySet<number>, counts: Map<string, number>, now: number, perSlot = 1): Host | undefined {
    for (const pid of pids) {
      const process = this.records.process(pid);
      const deep = this.deep(process);
      const host = this.startHost(process) ?? placeQueued(this.hostsFor(process), counts, process.memoryBytes, deep, perSlot);
      if (host) {
        counts.set(host.id, (counts.get(host.id) ?? 0) + 1);
        this.lease(process, host, now);
        return host;
      }
      // Those that have never run need the same: where one finds no place, none does.
      if (process.memoryBytes === 0 && !deep) return undefined;
    }
    return undefined;
  }

  /** The host a job asked to start on, for its first process before its first run. */
  private startHost(process: ProcessRecord): Host | undefined {
    const { startOn } = this.specOf(process);
    if (startOn === null || process.epoch > 0 || process.parent !== 0) return undefined;
    return [...this.hostsFor(process)].find(
      (host) => (host.name === startOn || host.id === startOn) && fits(host, this.deep(process)),
    );
  }

  specOf(process: ProcessRecord): JobSpec {
    return this.records.job(process.job).spec;
  }

  /** Those that its job may be on. */
  hostsFor(process: ProcessRecord): Iterable<Host> {
    const { onlyOn } = this.specOf(process);
    if (onlyOn === undefined) return this.records.hosts.values();
    return onlyOn.flatMap((id) => this.records.hosts.get(id) ?? []);
  }

  /** The job has ended: its turns are forgotten. */
  ended(job: number): void {
    this.turns.ended(job);
  }
}
