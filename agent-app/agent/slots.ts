// The host's slots and who computes in them: processes take turns, first come first served, and give way after a quantum when others
// wait. A paused host has no slots.

/** Somebody who wants a slot. */
export interface Contender {
  /** A slot is yours: you may compute now. */
  granted(): void;
}

export class Slots {
  private readonly count: number;
  private readonly waiting: Contender[] = [];
  private readonly holders = new Set<Contender>();
  private open = true;

  constructor(count: number) {
    this.count = count;
  }

  get queued(): number {
    return this.waiting.length;
  }
  get taken(): number {
    return this.holders.size;
  }

  /** Queues for a slot; `granted` is called when there is one, perhaps before this returns. */
  ask(contender: Contender): void {
    if (this.holders.has(contender) || this.waiting.includes(contender)) return;
    this.waiting.push(contender);
    this.grant();
  }

  /** Gives the slot back, or leaves the queue. */
  leave(contender: Contender): void {
    const at = this.waiting.indexOf(contender);
    if (at >= 0) this.waiting.splice(at, 1);
    this.holders.delete(contender);
    this.grant();
  }

  /** Closed: nobody gets a slot. Who has one must be stopped by the caller. */
  setOpen(open: boolean): void {
    this.open = open;
    this.grant();
  }

  private grant(): void {
    while (this.open && this.holders.size < this.count) {
      const next = this.waiting.shift();
      if (!next) return;
      this.holders.add(next);
      next.granted();
    }
  }
}
