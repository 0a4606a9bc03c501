// The host's slots and who computes in them: one worker thread each, in which processes take turns, first come first served, and give way
// after a quantum when others wait. A process stays with its slot's thread, because a running instance cannot change threads; only
// when another slot would stand idle is it moved (through an image, as between hosts). The owner's policy says how many slots compute:
// none on a paused host.

/** Somebody who wants to compute. */
export interface Contender {
  /** The slot whose thread holds the process; -1: it has a thread of its own and computes in any. */
  readonly home: number;
  /** You may compute now, in this slot; it may be another than your home. */
  granted(slot: number): void;
  /** The slot is no more: stop computing within this time, or be given up. */
  evicted(deadlineMs: number): void;
}

export class Slots {
  private readonly holders: (Contender | undefined)[];
  private readonly waiting: Contender[] = [];
  private limit: number;

  constructor(count: number) {
    this.limit = count;
    this.holders = new Array<Contender | undefined>(count).fill(undefined);
  }

  get count(): number {
    return this.holders.length;
  }
  /** Does anybody wait for a turn? */
  get contended(): boolean {
    return this.waiting.length > 0;
  }

  /** Queues for a slot; `granted` is called when there is one, perhaps before this returns. */
  ask(contender: Contender): void {
    if (this.holders.includes(contender) || this.waiting.includes(contender)) return;
    this.waiting.push(contender);
    this.grant();
  }

  /** Gives the slot back, or leaves the queue. */
  leave(contender: Contender): void {
    const at = this.waiting.indexOf(contender);
    if (at >= 0) this.waiting.splice(at, 1);
    const slot = this.holders.indexOf(contender);
    if (slot < 0) return;
    this.holders[slot] = undefined;
    this.grant();
  }

  /** Only the first so many compute; who is in another is told to stop. */
  setLimit(limit: number, deadlineMs: number): void {
    this.limit = limit;
    for (const holder of this.holders.slice(limit)) holder?.evicted(deadlineMs);
    this.grant();
  }

  private grant(): void {
    for (let slot = 0; slot < Math.min(this.limit, this.holders.length) && this.waiting.length > 0; slot++) {
      if (this.holders[slot]) continue;
      const own = this.waiting.findIndex((contender) => contender.home === slot);
      // Another slot's process only when its own slot is taken or closed; else it gets that one in its turn.
      const at =
        own >= 0 ? own : this.waiting.findIndex(({ home }) => home < 0 || home >= this.limit || this.holders[home] !== undefined);
      if (at < 0) continue;
      const [next] = this.waiting.splice(at, 1);
      this.holders[slot] = next;
      next.granted(slot);
    }
  }
}
