// Signals that the main process tells, as a source of the policy, and beside it those that Electron does not tell. When it falls silent nobody can tell
// any more whether the owner is here.
import type { SourceOptions } from "../../headless/signals/index.ts";
import { watchInformation } from "../../headless/signals/information.ts";
import { watchMachine } from "../../headless/signals/machine.ts";
import type { Source, Watch } from "../../headless/signals/source.ts";
import { watchScreen } from "../../headless/signals/windows.ts";
import { SIGNALS_LOST_MS, type ToldSignals } from "./protocol.ts";

/** All of them, where the system does not tell them in files. */
export function openTold(watch: Watch, options: SourceOptions): { told: ToldSource; source: Source } {
  const told = new ToldSource(watch);
  const sources = [
    told,
    watchMachine(watch, options.directory, options.withPrograms),
    // Whether there is power from the wall is told, and sooner.
    watchInformation({ ...watch, update: ({ onBattery: _, ...signals }) => watch.update(signals) }, options.withPrograms),
    ...(options.ownerProgram === undefined ? [] : [watchScreen(watch, options)]),
  ];
  return { told, source: { close: () => sources.forEach((source) => void source.close()) } };
}

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
