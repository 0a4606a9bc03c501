// Signals that the main process tells, as a source of the policy. When it falls silent nobody can tell any more whether the owner is here.
import type { Source, Watch } from "../../headless/signals/source.ts";
import { SIGNALS_LOST_MS, type ToldSignals } from "./protocol.ts";

export class ToldSource implements Source {
  private readonly watch: Watch;
  private lost: NodeJS.Timeout | undefined;

  constructor(watch: Watch) {
    this.watch = watch;
    this.expect();
  }

  told({ inputAgoMs, ...signals }: ToldSignals): void {
    this.expect();
    this.watch.update({
      ...signals,
      ...(inputAgoMs === undefined ? {} : { lastInputAtMs: this.watch.now() - inputAgoMs }),
    });
  }

  close(): void {
    clearTimeout(this.lost);
  }

  private expect(): void {
    clearTimeout(this.lost);
    this.lost = setTimeout(() => {
      this.watch.log("signals-missing", { source: "the app", message: `silent for ${SIGNALS_LOST_MS} ms` });
      // A screen that was locked may have been unlocked since.
      this.watch.update({ lastInputAtMs: undefined, locked: undefined, screensaver: undefined });
    }, SIGNALS_LOST_MS);
  }
}
