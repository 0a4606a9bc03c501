// One lending of this computer, from the consent to its end: the agent in its worker, the policy that decides when it computes, and what there is to
// show. Knows no HTML.
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type Decision,
  decisionWords,
  type Language,
  momentOf,
  PolicyKeeper,
  parseAdminPolicy,
  reasonWords,
  restricted,
  type Settings,
} from "../../policy/index.ts";
import type { Shown as Work } from "../../shown/index.ts";
import { type Coordinator, type Device, openTab, type Tab, type TabStatus } from "../index.ts";
import {
  IDLE_SECONDS,
  type Watch,
  watchBattery,
  watchIdle,
  watchNetwork,
  watchOnline,
  watchPage,
  watchPressure,
  watchTouches,
} from "./signals.ts";

/** untouched: for browsers that cannot tell whether their owner is away. */
export const WHENS = ["away", "background", "untouched", "always"] as const;
export type When = (typeof WHENS)[number];

/** What the owner has agreed to. */
export interface Consent {
  when: When;
  cores: number;
  onlyCharging: boolean;
}

/** Until somebody resumes it. */
const BY_HAND = { untilMs: null, words: null };
/** An agent that is well tells how it is within this time; else the computer has slept, or the connection is lost. */
const TOLD_MS = 10_000;
/** Hidden for this long, a page counts as left alone. */
const BACKGROUND_SECONDS = 3;

export interface Shown {
  status: TabStatus | undefined;
  /** "Paused: you are here"; null: nothing stands against computing. */
  paused: string | null;
  pausedByHand: boolean;
  /** Milliseconds of computing that processes have had here. */
  givenMs: number;
}

export class Lending {
  private readonly coordinator: Coordinator;
  private readonly device: Device;
  private readonly consent: Consent;
  private readonly language: Language;
  private readonly onChange: (shown: Shown) => void;
  private readonly tab: Tab;
  private readonly keeper: PolicyKeeper;
  private readonly closers: (() => void)[] = [];
  private decision: Decision | undefined;
  private givenMs = 0;
  private status: TabStatus | undefined;
  private toldAtMs = 0;
  private closed = false;

  /** @param paused by hand, before now */
  constructor(
    coordinator: Coordinator,
    device: Device,
    consent: Consent,
    paused: boolean,
    language: Language,
    onChange: (shown: Shown) => void,
  ) {
    this.coordinator = coordinator;
    this.device = device;
    this.consent = consent;
    this.language = language;
    this.onChange = onChange;
    this.tab = openTab(
      (status) => this.told(status),
      // They only make it stricter than what the owner has agreed to.
      (policies) => {
        const parsed = policies.map(({ version, text }) => parseAdminPolicy(text, `policy ${version} of the coordinator`));
        const now = restricted(settingsFor(consent), parsed);
        void this.tab.showWork(now.settings.showWork).catch(complain);
        this.keeper.setEffective(now);
      },
    );
    this.keeper = new PolicyKeeper(
      {
        moment: () => momentOf(performance.now(), new Date()),
        after: (ms, work) => {
          const timer = setTimeout(work, ms);
          return () => clearTimeout(timer);
        },
        decided: (decision) => this.obey(decision),
      },
      restricted(settingsFor(consent), []),
      { desktop: true },
      paused ? BY_HAND : null,
    );
  }

  /** @throws what the browser says when it does not allow to see whether the owner is away */
  async start(): Promise<void> {
    const watch: Watch = { update: (signals) => this.keeper.update(signals), now: () => performance.now() };
    const { when, onlyCharging } = this.consent;
    if (when === "away") this.closers.push(await watchIdle(watch));
    if (when === "background") this.closers.push(watchPage(watch));
    if (when === "untouched") this.closers.push(watchTouches(watch, IDLE_SECONDS - BACKGROUND_SECONDS));
    if (onlyCharging) this.closers.push(await watchBattery(watch));
    this.closers.push(await watchPressure(watch, () => (this.status?.processes.length ?? 0) > 0 && this.pausedFor === null));
    this.closers.push(watchNetwork(watch));
    this.closers.push(watchOnline(() => void this.tab.networkChanged().catch(complain)));
    this.keeper.look();
    const { coordinator, device } = this;
    await this.tab.start({ coordinator, device, slots: this.consent.cores, paused: this.pausedFor });
    this.allow();
  }

  pause(): void {
    this.keeper.setPause(BY_HAND);
    this.show();
  }

  resume(): void {
    this.keeper.setPause(null);
    this.show();
  }

  /** Whether somebody watches what the cluster does. */
  watch(on: boolean): void {
    this.tab.watch(on).catch(complain);
  }

  /** What of the work here may be seen, as far as it has changed since this was asked last; null: nothing any more, undefined: nothing has changed. */
  async shownNews(): Promise<Work | null | undefined> {
    if (this.closed) return undefined;
    return this.tab.shownNews().catch((thrown: unknown) => {
      complain(thrown);
      return undefined;
    });
  }

  /** The page is about to go. */
  leave(): void {
    this.tab.leave();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const close of this.closers) close();
    this.keeper.close();
    this.tab.close();
  }

  private get paused(): string | null {
    return this.decision && !this.decision.compute ? decisionWords(this.decision, this.language) : null;
  }

  /** As the coordinator is told it. */
  private get pausedFor(): { reason: string; code: string } | null {
    const reason = this.decision?.reasons[0];
    return reason === undefined ? null : { reason: reasonWords(reason), code: reason.code };
  }

  private obey(decision: Decision): void {
    this.decision = decision;
    this.allow();
    const { pausedFor } = this;
    const told = pausedFor === null ? this.tab.resume() : this.tab.pause(pausedFor.reason, decision.graceMs, pausedFor.code);
    told.catch(complain);
    this.show();
  }

  private allow(): void {
    const { coresPercent = 100, memoryPercent = 100 } = this.decision ?? {};
    this.tab.allow(coresPercent, memoryPercent).catch(complain);
  }

  private told(status: TabStatus): void {
    if (this.closed) return;
    // Processes tell their time only when they stop, and short ones are gone by then. In browsers it is the time that passes while they compute.
    const now = performance.now();
    this.givenMs += (this.status?.running ?? 0) * Math.min(now - this.toldAtMs, TOLD_MS);
    this.toldAtMs = now;
    this.status = status;
    this.show();
  }

  private show(): void {
    const { status, paused, givenMs } = this;
    this.onChange({ status, paused, givenMs, pausedByHand: this.keeper.pause !== null });
  }
}

const complain = (thrown: unknown): void => console.error(asNightshiftError(thrown).message);

function settingsFor({ when, onlyCharging }: Consent): Partial<Settings> {
  const common: Partial<Settings> = { batteryAbovePercent: onlyCharging ? 100 : 0, startAfterSeconds: 0 };
  if (when === "always") return { ...common, mode: "always", coresPercentPresent: 100, memoryPercentPresent: 50 };
  return { ...common, mode: "idle", idleAfterSeconds: when === "background" ? BACKGROUND_SECONDS : IDLE_SECONDS };
}
