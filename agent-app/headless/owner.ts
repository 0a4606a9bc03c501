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
  languageOf,
  type ManualPause,
  momentOf,
  type OwnerFile,
  PolicyKeeper,
  parseSettings,
  reasonWords,
  type Settings,
  tomorrowMs,
} from "../policy/index.ts";
import { ownerFilePath, readAdminPolicy, readOwnerFile, writeOwnerFile } from "./policy-files.ts";
import { firstSignals, openSources, type SourceOptions } from "./signals/index.ts";
import type { Source, Watch } from "./signals/source.ts";

export interface OwnerOptions {
  /** The agent's folder. */
  directory: string;
  slots: number;
  policyFile: string;
  /** From the command line. */
  mode: string | undefined;
  /** As the installer was told it. */
  installedMode: string | null;
  /** false: nothing of the machine is looked at, and neither file is: only a pause by hand counts, until the agent ends. */
  sense: boolean;
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
}

const CLEARED_POLL_MS = 50;

export class Owner {
  private readonly agent: Agent;
  private readonly options: OwnerOptions;
  private readonly path: string;
  private readonly admin: AdminPolicy | null;
  private readonly byCommand: Partial<Settings>;
  private readonly installed: Partial<Settings>;
  private readonly keeper: PolicyKeeper;
  private readonly language = languageOf(process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG);
  private file: OwnerFile;
  private decision: Decision | undefined;
  private sources: Source | undefined;

  /** @throws NS_BAD_POLICY */
  constructor(agent: Agent, options: OwnerOptions) {
    this.agent = agent;
    this.options = options;
    this.path = ownerFilePath(options.directory);
    this.admin = options.sense ? readAdminPolicy(options.policyFile) : null;
    this.file = options.sense ? readOwnerFile(this.path) : { settings: {}, pause: null };
    this.byCommand = options.mode === undefined ? {} : parseSettings({ mode: options.mode }, "--mode");
    const { installedMode } = options;
    this.installed = installedMode === null ? {} : parseSettings({ mode: installedMode }, "MODE of the installation");
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
      this.file.pause,
    );
  }

  start(): void {
    const { options } = this;
    this.keeper.look();
    if (!options.sense) return;
    this.sources = (options.open ?? openSources)(
      { update: (signals) => this.keeper.update(signals), now: () => performance.now(), log: options.log },
      {
        directory: options.directory,
        withPrograms: () => this.effective().settings.exclusivePrograms.length > 0,
        cleared: () => this.cleared(),
      },
    );
  }

  close(): void {
    this.sources?.close();
    this.keeper.close();
  }

  /** @param forMs null: until resumed @throws NS_HOME_UNUSABLE, when it is paused all the same but not for the next start */
  pause(forMs: number | null, words: string | null): void {
    this.setPause({ untilMs: forMs === null ? null : Date.now() + forMs, words });
  }

  pauseUntilTomorrow(words: string | null): void {
    this.setPause({ untilMs: tomorrowMs(momentOf(performance.now(), new Date())), words });
  }

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
    this.file = { ...this.file, settings: { ...this.file.settings, ...settings } };
    this.keeper.setEffective(this.effective());
    this.keep();
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
    };
  }

  private effective(more: Partial<Settings> = {}): ReturnType<typeof effective> {
    return effective({ ...this.file.settings, ...this.byCommand, ...more }, this.admin, this.installed);
  }

  private setPause(pause: ManualPause | null): void {
    this.keeper.setPause(pause); // first: a full disk does not keep the owner waiting
    this.file = { ...this.file, pause };
    this.keep();
  }

  private keep(): void {
    if (this.options.sense) writeOwnerFile(this.path, this.file);
  }

  private obey(decision: Decision): void {
    const { agent, options } = this;
    this.decision = decision;
    const [first] = decision.reasons;
    if (first) agent.pause(reasonWords(first), decision.graceMs);
    agent.allow({
      slots: Math.max(1, Math.floor((options.slots * decision.coresPercent) / 100)),
      memoryBytes: Math.floor((totalmem() * decision.memoryPercent) / 100),
    });
    if (!first) agent.resume();
    const { compute, reasons } = decision;
    options.log("decided", { compute, code: reasons[0]?.code ?? null, words: decisionWords(decision, this.language) });
  }

  /** When no process is left here. */
  private async cleared(): Promise<void> {
    while (this.agent.status().processes.length > 0) await new Promise((resolve) => setTimeout(resolve, CLEARED_POLL_MS));
  }
}
