// Joins the owner's side of a headless agent: settings files, sources of signals, the policy that decides, and the agent that obeys. Knows
// no rule itself.
import { totalmem } from "node:os";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Agent, AgentStatus } from "../agent/index.ts";
import {
  type AdminPolicy,
  type Decision,
  decisionWords,
  effective,
  formatOwnerFile,
  languageOf,
  type ManualPause,
  momentOf,
  type OwnerFile,
  PolicyKeeper,
  parseAdminPolicy,
  parseOwnerFile,
  parseSettings,
  type ReasonCode,
  RUN_NOW,
  reasonWords,
  type Settings,
  tomorrowMs,
} from "../policy/index.ts";
import { GroupPolicy, machineRegistry } from "./group-policy.ts";
import { ownerFilePath, PolicyFile } from "./policy-files.ts";
import { firstSignals, openSources, type SourceOptions } from "./signals/index.ts";
import type { Source, Watch } from "./signals/source.ts";
import { type Turn, TurnTaker } from "./turn.ts";

export interface OwnerOptions extends Pick<SourceOptions, "ownerProgram" | "windowsOf"> {
  /** The agent's folder. */
  directory: string;
  slots: number;
  policyFile: string;
  /** From the command line. */
  mode: string | undefined;
  /** As the installer was told it. */
  installedMode: string | null;
  /**
   * false: nothing of the machine is looked at, neither file nor group policy is: only the coordinator's policies count, and a pause by hand until
   * the agent ends.
   */
  sense: boolean;
  /** It computes only while it has this, where others on the machine want the same cores. */
  turn?: Turn | undefined;
  /** Where signals come from, instead of this machine's own sources. */
  open?(watch: Watch, options: SourceOptions): Source;
  log(event: string, details?: Readonly<Record<string, unknown>>): void;
}

/** What an agent's control tells: the agent's status, and what the policy says in words and codes. */
export interface OwnerStatus extends AgentStatus {
  /** "Paused: you are here", in the owner's language. */
  words: string;
  reasons: Decision["reasons"];
  settings: Settings;
  lockedBy: Partial<Record<keyof Settings, string>>;
  pause: ManualPause | null;
  /** Until when the owner has asked to run now, in milliseconds since 1970; null: not asked. */
  runUntilMs: number | null;
  /** Something fills the screen, whether that pauses or not; null: not known. */
  fullScreen: boolean | null;
  /** How many slots may compute when nothing stands against it. */
  slots: number;
  /** Versions of the coordinator's policies that are obeyed, the one that counts first in front. */
  policies: readonly number[];
  /** What is wrong with a settings file or policy since the agent has started: what it said before still counts. */
  policyProblem: string | null;
}

const CLEARED_POLL_MS = 50;
const OTHER_AGENT = "other-agent" satisfies ReasonCode;
const STARTING = { code: "starting", values: {}, by: null } as const;
/** Then the owner may ask again. More is a clock that has been set. */
export const MAX_RUN_NOW_MS = 86_400_000;

export class Owner {
  private readonly agent: Agent;
  private readonly options: OwnerOptions;
  private readonly admin: PolicyFile<AdminPolicy | null>;
  private readonly group: GroupPolicy;
  private readonly own: PolicyFile<OwnerFile>;
  /** The coordinator's. */
  private told: readonly { version: number; policy: AdminPolicy }[] = [];
  private readonly byCommand: Partial<Settings>;
  /** What the installer was told, which counts last of all. */
  private readonly installed: AdminPolicy;
  private readonly keeper: PolicyKeeper;
  private readonly language = languageOf(process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG);
  private decision: Decision | undefined;
  private sources: Source | undefined;
  private runTimer: NodeJS.Timeout | undefined;
  private readonly turn: TurnTaker | undefined;
  /** It may compute as soon as the turn is its own. */
  private waiting = false;

  /** @throws NS_BAD_POLICY */
  constructor(agent: Agent, options: OwnerOptions) {
    this.agent = agent;
    this.options = options;
    const onDisk = (path: string): string | null => (options.sense ? path : null);
    this.admin = new PolicyFile({ path: onDisk(options.policyFile), parse: parseAdminPolicy, none: null });
    this.group = new GroupPolicy(options.sense ? machineRegistry() : null);
    this.own = new PolicyFile<OwnerFile>({
      path: onDisk(ownerFilePath(options.directory)),
      parse: parseOwnerFile,
      none: { settings: {}, pause: null, runUntilMs: null },
    });
    this.byCommand = options.mode === undefined ? {} : parseSettings({ mode: options.mode }, "--mode");
    const { installedMode } = options;
    const defaults = installedMode === null ? {} : parseSettings({ mode: installedMode }, "MODE of the installation");
    this.installed = { by: "", locked: {}, defaults };
    this.keeper = new PolicyKeeper(
      {
        moment: () => momentOf(performance.now(), new Date()),
        after: (ms, work) => {
          const timer = setTimeout(work, ms);
          return () => clearTimeout(timer);
        },
        decided: (decision) => this.obey(decision),
      },
      this.effective(),
      !options.sense ? { desktop: false } : options.open ? { desktop: true } : firstSignals(),
      this.own.value.pause,
    );
    if (options.turn)
      this.turn = new TurnTaker(options.turn, (otherAgent) => {
        this.keeper.update({ otherAgent });
        if (this.waiting && this.decision) this.obey(this.decision);
      });
    agent.onPolicies((policies) => {
      this.told = policies.map(({ version, text }) => ({
        version,
        policy: parseAdminPolicy(text, `policy ${version} of the coordinator`),
      }));
      this.changed();
    });
  }

  start(): void {
    const { options } = this;
    this.ordered();
    if (!options.sense) return;
    const reread = (file: { problem: string | null }): void => {
      options.log("policy-file", { problem: file.problem });
      this.ordered();
    };
    this.admin.watch(() => reread(this.admin));
    this.group.watch(() => reread(this.group));
    this.own.watch(() => reread(this.own));
    this.sources = (options.open ?? openSources)(
      { update: (signals) => this.keeper.update(signals), now: () => performance.now(), log: options.log },
      {
        directory: options.directory,
        withPrograms: () => this.effective().settings.exclusivePrograms.length > 0,
        cleared: () => this.cleared(),
        ownerProgram: options.ownerProgram,
        windowsOf: options.windowsOf,
      },
    );
  }

  close(): void {
    clearTimeout(this.runTimer);
    this.admin.close();
    this.group.close();
    this.own.close();
    this.sources?.close();
    this.keeper.close();
    this.turn?.leave();
  }

  /** @param forMs null: until resumed @throws NS_HOME_UNUSABLE, when it is paused all the same but not for the next start */
  pause(forMs: number | null, words: string | null): void {
    this.setPause({ untilMs: forMs === null ? null : Date.now() + forMs, words });
  }

  pauseUntilTomorrow(words: string | null): void {
    this.setPause({ untilMs: tomorrowMs(momentOf(performance.now(), new Date())), words });
  }

  /** Computes beside the owner for so long: see RUN_NOW. @throws NS_HOME_UNUSABLE, when it does all the same but not after the next start */
  runNow(forMs: number): void {
    this.setByHand(null, Date.now() + forMs);
  }

  /** Neither paused nor asked to run: the rules count. */
  resume(): void {
    this.setPause(null);
  }

  /** Changes the owner's settings, for good. @throws NS_BAD_POLICY, NS_FORBIDDEN, NS_HOME_UNUSABLE */
  set(given: unknown): void {
    const settings = parseSettings(given, "the settings");
    const { lockedBy } = this.effective();
    for (const name of Object.keys(settings) as (keyof Settings)[])
      if (lockedBy[name] !== undefined)
        throw new NightshiftError("NS_FORBIDDEN", `${name} is set by ${lockedBy[name]} and cannot be changed here`);
    this.keep({ ...this.own.value, settings: { ...this.own.value.settings, ...settings } }, () => this.changed());
  }

  /** What would be decided now, were the owner's settings these. Changes nothing. @throws NS_BAD_POLICY */
  preview(given: unknown): Decision {
    return this.keeper.preview(this.effective(parseSettings(given, "the settings")));
  }

  status(): OwnerStatus {
    return {
      ...this.agent.status(),
      words: this.decision ? decisionWords(this.decision, this.language) : "",
      reasons: this.decision?.reasons ?? [],
      ...this.effective(),
      pause: this.keeper.pause,
      runUntilMs: this.runUntilMs,
      fullScreen: this.keeper.fullScreen,
      slots: this.slotsOf(this.decision),
      policies: this.told.map(({ version }) => version),
      policyProblem: this.admin.problem ?? this.group.problem ?? this.own.problem,
    };
  }

  private effective(more: Partial<Settings> = {}): ReturnType<typeof effective> {
    const local = this.admin.value;
    const asked = this.runUntilMs === null ? {} : RUN_NOW;
    return effective({ ...this.own.value.settings, ...this.byCommand, ...more, ...asked }, [
      ...(local ? [local] : []),
      ...this.group.policies,
      ...this.told.map(({ policy }) => policy),
      this.installed,
    ]);
  }

  /** Settings may be others now. */
  private changed(): void {
    const now = this.effective();
    this.agent.showWork(now.settings.showWork);
    this.keeper.setEffective(now);
  }

  private get runUntilMs(): number | null {
    const { runUntilMs } = this.own.value;
    const leftMs = (runUntilMs ?? 0) - Date.now();
    return leftMs > 0 && leftMs <= MAX_RUN_NOW_MS ? runUntilMs : null;
  }

  private setPause(pause: ManualPause | null): void {
    this.setByHand(pause, null);
  }

  private setByHand(pause: ManualPause | null, runUntilMs: number | null): void {
    this.keep({ ...this.own.value, pause, runUntilMs }, () => this.ordered());
  }

  /** What was ordered by hand has changed, or its time is over. */
  private ordered(): void {
    clearTimeout(this.runTimer);
    this.keeper.setPause(this.own.value.pause);
    this.changed();
    const { runUntilMs } = this;
    if (runUntilMs !== null) this.runTimer = setTimeout(() => this.ordered(), runUntilMs - Date.now()).unref();
  }

  /** Obeyed also when it cannot be written, and before: a full disk does not keep the owner waiting. @throws NS_HOME_UNUSABLE */
  private keep(file: OwnerFile, obey: () => void): void {
    this.own.set(file);
    obey();
    this.own.save(formatOwnerFile);
  }

  private obey(decision: Decision): void {
    const { agent, options, turn } = this;
    this.decision = decision;
    const [first] = decision.reasons;
    // Asked for when nothing else stands against computing; what is ours by then is told by another decision, or by this one again.
    if (turn && decision.reasons.every(({ code }) => code === OTHER_AGENT || code === "starting")) turn.want();
    else turn?.leave();
    this.waiting = turn !== undefined && !turn.held && !first;
    if (this.waiting) agent.pause(reasonWords(STARTING, "en", "others"), decision.graceMs, STARTING.code);
    if (first) agent.pause(reasonWords(first, "en", "others"), decision.graceMs, first.code);
    agent.allow({
      slots: this.slotsOf(decision),
      memoryBytes: Math.floor((totalmem() * decision.memoryPercent) / 100),
    });
    if (!first && !this.waiting) agent.resume();
    const { compute, reasons } = decision;
    options.log("decided", { compute, code: reasons[0]?.code ?? null, words: decisionWords(decision, this.language) });
  }

  private slotsOf(decision: Decision | undefined): number {
    return Math.max(1, Math.floor((this.options.slots * (decision?.coresPercent ?? 100)) / 100));
  }

  /** When no process is left here. */
  private async cleared(): Promise<void> {
    while (this.agent.status().processes.length > 0) await new Promise((resolve) => setTimeout(resolve, CLEARED_POLL_MS));
  }
}
