// Electron's powerMonitor as signals of the policy, where the agent does not see input itself (Windows, macOS). The system tells idle time
// in whole seconds; that it is shorter than at the last look says that there was input since. So how often we look is how soon we know:
// often while computing, which then costs nobody anything, and seldom otherwise.
import { SIGNALS_EVERY_MS, type ToldSignals } from "../agent/protocol.ts";
import type { DesktopPort } from "./port.ts";

/** While computing. */
export const COMPUTING_LOOK_MS = 50;
export const LOOK_MS = 1_000;
const BATTERY_EVERY_MS = 10_000;
/** Whole seconds: a moment that lies less than this after the last input known may be the same one. */
const SAME_MS = 1_000;

export class PowerWatch {
  private readonly port: Pick<DesktopPort, "power" | "now" | "after">;
  private readonly tell: (signals: ToldSignals) => void;
  private readonly isComputing: () => boolean;
  private cancel: (() => void) | undefined;
  private idleBefore = Number.POSITIVE_INFINITY;
  private inputAt = Number.NEGATIVE_INFINITY;
  private toldAt = Number.NEGATIVE_INFINITY;
  private batteryAt = Number.NEGATIVE_INFINITY;
  private last: ToldSignals = {};

  constructor(port: PowerWatch["port"], tell: PowerWatch["tell"], isComputing: () => boolean) {
    this.port = port;
    this.tell = tell;
    this.isComputing = isComputing;
    port.power.listen((event) => {
      switch (event.kind) {
        case "lock":
          return this.news({ locked: true });
        case "unlock":
          this.inputAt = port.now(); // nobody else unlocks it
          return this.news({ locked: false });
        case "suspend":
        case "shutdown":
          return this.news({ ending: true });
        case "resume":
          return this.news({ ending: false });
        case "battery":
        case "mains":
          return this.news({ onBattery: event.kind === "battery" });
        case "throttled":
          return this.news({ throttled: event.throttled });
      }
    });
  }

  start(): void {
    this.look();
  }

  /** Of our own windows; the system tells of none. That it has begun can wait for the next news; that it is over cannot. */
  screensaver(on: boolean): void {
    this.last = { ...this.last, screensaver: on };
    if (!on) this.news({});
  }

  /** The app is to end: as when the system does. */
  ending(): void {
    this.news({ ending: true });
  }

  /** Everything that is known, again: for an agent that has just started. */
  repeat(): void {
    this.news({});
  }

  /** Computing has begun: look often from now on. */
  wake(): void {
    this.cancel?.();
    this.look();
  }

  close(): void {
    this.cancel?.();
  }

  private look(): void {
    const { power, now, after } = this.port;
    const at = now();
    const idle = power.idleSeconds();
    const candidate = at - idle * 1000;
    if (idle === 0 || candidate > this.inputAt + SAME_MS) this.inputAt = Math.max(this.inputAt, candidate);
    const touched = idle === 0 || idle < this.idleBefore;
    this.idleBefore = idle;
    if (at - this.batteryAt >= BATTERY_EVERY_MS) {
      this.batteryAt = at;
      this.last = { ...this.last, onBattery: power.onBattery() };
    }
    if (touched || at - this.toldAt >= SIGNALS_EVERY_MS) this.news({});
    this.cancel = after(this.isComputing() ? COMPUTING_LOOK_MS : LOOK_MS, () => this.look());
  }

  private news(signals: ToldSignals): void {
    this.last = { ...this.last, ...signals };
    this.toldAt = this.port.now();
    const ago = this.toldAt - this.inputAt;
    this.tell({ ...this.last, ...(Number.isFinite(ago) ? { inputAgoMs: Math.max(0, ago) } : {}) });
  }
}
