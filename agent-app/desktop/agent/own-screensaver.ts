// The app's own screensaver as a signal, where the agent sees the screen itself (Linux): no source of the system's tells of it. Input ends it here, too, so
// that nothing computes beside its owner because a window hangs.
import type { Watch } from "../../headless/signals/source.ts";
import type { Signals } from "../../policy/index.ts";

/** Who chooses it has just used the mouse. */
const SETTLES_MS = 2_000;

export class OwnScreensaver {
  /** null: it is not shown. */
  private since: number | null = null;
  /** As the system tells of its own. */
  private told: boolean | undefined;
  private watch: Watch | undefined;

  /** @returns what sources are to tell instead */
  over(watch: Watch): Watch {
    this.watch = watch;
    return { ...watch, update: (signals) => watch.update(this.with(signals)) };
  }

  shown(on: boolean): void {
    this.since = on ? (this.watch?.now() ?? 0) : null;
    this.watch?.update({ screensaver: this.signal });
  }

  private get signal(): boolean | undefined {
    return this.since === null ? this.told : true;
  }

  private with(signals: Signals): Signals {
    if ("screensaver" in signals) this.told = signals.screensaver;
    const { lastInputAtMs } = signals;
    const isOver = this.since !== null && lastInputAtMs !== undefined && lastInputAtMs > this.since + SETTLES_MS;
    if (isOver) this.since = null;
    return isOver || "screensaver" in signals ? { ...signals, screensaver: this.signal } : signals;
  }
}
