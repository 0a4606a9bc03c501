// Computing in slices, where threads may share no memory and so nobody can stop a process from outside: after each slice the thread listens. For
// programs with fuel (wasm-kernels/instrument/fuel.ts).

/** A thread listens so often while it computes. */
const SLICE_MS = 20;
/** The clock is looked at so often. */
const LOOK_MS = 1;
/** Polls between two looks at most, as what follows a loop of quick turns may be one of slow ones. */
const MOST_POLLS = 32_768;

export class Slices {
  private readonly now: () => number;
  private polls = 1;
  /** undefined: not yet in this slice. */
  private lookedAt: number | undefined;
  private end = 0;
  private heard: (() => void) | undefined;
  private readonly channel = new MessageChannel();

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.now = now;
    this.channel.port1.onmessage = () => this.heard?.();
  }

  /** A slice begins. */
  begin(): void {
    this.lookedAt = undefined;
    this.end = this.now() + SLICE_MS;
  }

  /** See ProcessOptions. */
  readonly refuel = (): number => {
    const now = this.now();
    if (now >= this.end) return 0;
    if (this.lookedAt !== undefined) {
      // Twice as many at most: clocks of pages that are not isolated go in steps of 0.1 ms.
      const fitting = (this.polls * LOOK_MS) / Math.max(now - this.lookedAt, LOOK_MS / 2);
      this.polls = Math.min(MOST_POLLS, Math.max(1, Math.floor(fitting)));
    }
    this.lookedAt = now;
    return this.polls;
  };

  /** Resolves when the messages that have come by now have been dealt with. */
  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.heard = resolve;
      this.channel.port2.postMessage(null);
    });
  }
}
