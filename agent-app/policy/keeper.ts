// Keeps the decision up to date: signals, settings and pauses come in as they change, decisions go out when they differ. It sets one timer
// for the next change by time alone, so that nothing is polled.
import { type Decision, decide, type Memory, NO_MEMORY } from "./decide.ts";
import type { ManualPause } from "./rules.ts";
import type { Moment, Signals } from "./signals.ts";
import type { Effective } from "./sources.ts";

export interface KeeperPorts {
  moment(): Moment;
  /** Runs `work` once after `ms`; returns what cancels it. */
  after(ms: number, work: () => void): () => void;
  decided(decision: Decision): void;
}

/** Timers are exact to a millisecond and hold for at most 24 days; a look too many costs nothing. */
const MIN_TIMER_MS = 1;
const MAX_TIMER_MS = 86_400_000;

export class PolicyKeeper {
  private readonly ports: KeeperPorts;
  private effective: Effective;
  private signals: Signals;
  private manual: ManualPause | null;
  private memory: Memory = NO_MEMORY;
  private cancelTimer: (() => void) | undefined;
  private told = "";
  private closed = false;

  constructor(ports: KeeperPorts, effective: Effective, signals: Signals, pause: ManualPause | null) {
    this.ports = ports;
    this.effective = effective;
    this.signals = signals;
    this.manual = pause;
  }

  get pause(): ManualPause | null {
    return this.manual;
  }

  /** null: not known. */
  get fullScreen(): boolean | null {
    return this.signals.fullScreen ?? null;
  }

  /** Some signals are now so. undefined: not known any more. */
  update(signals: Signals): void {
    this.signals = { ...this.signals, ...signals };
    this.look();
  }

  setPause(pause: ManualPause | null): void {
    this.manual = pause;
    this.look();
  }

  setEffective(effective: Effective): void {
    this.effective = effective;
    this.look();
  }

  /** What would be decided now under these settings. */
  preview(effective: Effective): Decision {
    return this.decide(effective).decision;
  }

  private decide({ settings, lockedBy }: Effective): ReturnType<typeof decide> {
    const { signals, manual: pause, memory } = this;
    return decide({ signals, settings, pause, moment: this.ports.moment() }, lockedBy, memory);
  }

  look(): void {
    if (this.closed) return;
    const { decision, memory } = this.decide(this.effective);
    this.memory = memory;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (decision.changesInMs !== null) {
      const ms = Math.min(Math.max(Math.ceil(decision.changesInMs), MIN_TIMER_MS), MAX_TIMER_MS);
      this.cancelTimer = this.ports.after(ms, () => this.look());
    }
    const { changesInMs: _, ...telling } = decision;
    const now = JSON.stringify(telling);
    if (now === this.told) return;
    this.told = now;
    this.ports.decided(decision);
  }

  close(): void {
    this.closed = true;
    this.cancelTimer?.();
  }
}
