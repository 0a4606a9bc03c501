// The agent: joins the coordinator, offers slots, keeps the processes it was given, and stops computing when told to. No platform in
// it: everything outside comes through Ports.
import type {
  FromAgent,
  HostInfo,
  SignedRelease,
  ToAgent,
  ToldPolicy,
  UpgradeStep,
  Work,
} from "@nightshift/coordinator/protocol";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type Shown, ShownWork } from "../shown/index.ts";
import type { AgentConnection, Ports } from "./ports.ts";
import { Programs } from "./program.ts";
import { Resident, type ResidentOrder, type Surroundings } from "./resident.ts";
import { Slots } from "./slots.ts";
import { ProcessThread } from "./thread.ts";

export interface AgentSettings {
  slots: number;
  /** How long a process computes before it gives way to one that waits. */
  quantumMs: number;
  /** A process that has not stopped this long after it was told to is given up and goes on elsewhere from its last image. */
  stopDeadlineMs: number;
  /** The same when the host's owner is back, who must not wait for it. */
  ownerDeadlineMs: number;
  /** Mean time between losses of this host, for the checkpoint interval. */
  mtbfMs: number;
}

export const DEFAULT_AGENT_SETTINGS: AgentSettings = {
  slots: 1,
  quantumMs: 100,
  stopDeadlineMs: 1000,
  ownerDeadlineMs: 200,
  mtbfMs: 4 * 3600_000,
};

/** What the policy leaves to processes. */
export interface Allowance {
  slots: number;
  /** All processes together; beyond it no new ones come. */
  memoryBytes: number;
}

export interface AgentStatus {
  connected: boolean;
  hostId: string | null;
  /** An administrator has to let this host in before it can do anything. */
  pending: boolean;
  paused: string | null;
  running: number;
  runnable: number;
  blocked: number;
  processes: ProcessGlance[];
  /** Why the coordinator refused us, if it did; see mayPass(). */
  refused: { code: string; message: string } | null;
  /** What this host has earned, as the coordinator last told; null: not told yet. */
  credit: HostCredit | null;
  /** As the coordinator last told, while somebody watches; null: nobody does, or it is not told yet. */
  cluster: ClusterGlance | null;
}

export interface ProcessGlance {
  pid: number;
  state: Resident["state"];
  cpuMs: number;
  memoryBytes: number;
  /** How the program was called, cut off where it is long. */
  command: string;
  /** Whose it is; null: the coordinator does not tell. */
  work: Work | null;
}

/** The whole cluster in numbers. */
export type ClusterGlance = Omit<Extract<ToAgent, { type: "cluster" }>, "type">;

/** In hours of one core of an ordinary office PC; `rank` among so many hosts, null: it has earned nothing yet. */
export type HostCredit = Omit<Extract<ToAgent, { type: "credit" }>, "type">;

/** Errors that another try will not mend. */
const FINAL = new Set(["NS_BAD_TOKEN", "NS_REVOKED", "NS_FORBIDDEN"]);
/** Refusals that may: in another network somebody else has its address, or it is of another version until one of the two is brought up to date. */
const MAY_PASS = new Set(["NS_WRONG_KEY", "NS_VERSION_MISMATCH"]);
/** Each of those is told to people, and seldom tried again. */
const MAY_PASS_RETRY_MS = 5 * 60_000;

/** Whether a refusal is tried again. */
export const mayPass = ({ code }: { code: string }): boolean => MAY_PASS.has(code);
/** Codes of pauses that end the agent: this computer is going to sleep or shutting down, or the app is closed. */
const HURRIED: ReadonlySet<string | null> = new Set(["ending", null]);
/** How often a download looks whether there is a connection again. */
const RETRY_MS = 250;
/** Least time between two reports that only tell of change. */
const REPORT_GAP_MS = 200;
/** On a paused host that keeps nothing any more: one that is soon resumed need not start them again. */
const THREADS_KEPT_MS = 60_000;
/** As the protocol has it. */
const MAX_REASON = 200;
const MAX_PROBLEM = 4096;
/** Images of forks whose children may begin here. */
const MAX_KEPT_BLOBS = 8;

export class Agent {
  private readonly ports: Ports;
  private readonly residents = new Map<string, Resident>();
  private readonly slots: Slots;
  private readonly programs: Programs;
  private readonly kept = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly threads: readonly ProcessThread[];
  private readonly surroundings: Surroundings;
  private current: AgentConnection | undefined;
  private greeted = false;
  private pending = false;
  private hostId: string | null = null;
  private paused: string | null = null;
  private pausedCode: string | null = null;
  private obeyPolicies: (policies: readonly ToldPolicy[]) => void | Promise<void> = () => {
    throw new NightshiftError("NS_BAD_POLICY", "this agent obeys no policy");
  };
  private takeUpgrade: (release: SignedRelease | null, back: SignedRelease | null) => void = () => {};
  /** While paused: until when what we have stays here. */
  private keepUntil = 0;
  private cancelKeep: (() => void) | undefined;
  /** Told to stop, and still computing. */
  private stopping: { reason: string; began: number } | undefined;
  private readonly settings: AgentSettings;
  private allowed: Allowance;
  private stopped = false;
  private refused: { code: string; message: string } | null = null;
  private credit: HostCredit | null = null;
  private watched = false;
  private cluster: ClusterGlance | null = null;
  private readonly shownWork: ShownWork;
  private mayShow = true;
  private attempts = 0;
  private leaseMs = 15_000;
  /** While it waits before it connects again: does so at once. */
  private retry: (() => void) | undefined;
  private reportTimer: (() => void) | undefined;
  private heartbeat: (() => void) | undefined;
  private readonly onChange: (status: AgentStatus) => void;

  constructor(ports: Ports, settings: AgentSettings, onChange: (status: AgentStatus) => void = () => {}) {
    this.ports = ports;
    this.onChange = onChange;
    this.settings = settings;
    this.allowed = { slots: settings.slots, memoryBytes: Number.MAX_SAFE_INTEGER };
    this.slots = new Slots(settings.slots);
    this.threads = Array.from({ length: settings.slots }, () => new ProcessThread(ports));
    this.shownWork = new ShownWork(
      (pid, epoch, offset) => this.send({ type: "askPrinted", pid, epoch, offset }),
      () => ports.now(),
    );
    const used = (): Set<string> => new Set([...this.residents.values()].map(({ programHash }) => programHash));
    this.programs = new Programs(ports, (hash) => this.blob(hash), used);
    const times = { ...settings, checkpointMs: 10_000 };
    this.surroundings = {
      ports,
      slots: this.slots,
      settings: times,
      connection: () => (this.greeted ? this.current : undefined),
      load: (hash) => this.programs.load(hash),
      blob: (hash) => this.blob(hash),
      threads: this.threads,
      keepBlob: (hash, bytes) => this.keepBlob(hash, bytes),
      changed: () => {
        this.tellStopped();
        this.report();
      },
      gone: (resident) => this.forget(resident),
      printed: (resident, offset, bytes) => this.shownWork.printed(resident, offset, bytes),
      wrote: (resident, files) => this.shownWork.wrote(resident, files),
      paused: () => this.paused !== null,
      resting: () => this.paused !== null && ports.now() < this.keepUntil,
    };
  }

  /** Who obeys the coordinator's policies. What throws has changed nothing; the coordinator is told. */
  onPolicies(obey: (policies: readonly ToldPolicy[]) => void | Promise<void>): void {
    this.obeyPolicies = obey;
  }

  /** Who takes new versions of Nightshift. @param take its second value is the release of the version that runs */
  onUpgrade(take: (release: SignedRelease | null, back: SignedRelease | null) => void): void {
    this.takeUpgrade = take;
  }

  /** How far that is. */
  sayUpgrade(version: string, step: UpgradeStep, problem: string | null): void {
    this.send({ type: "upgrade", version, step, problem });
  }

  /** Waits for a connection when there is none. @throws NS_NOT_FOUND, NS_BLOB_MISMATCH */
  download(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.blob(hash);
  }

  start(): void {
    if (this.paused === null) this.warmUp();
    void this.connect();
  }

  /** The network is another one: over the old connection nothing may pass any more, without a word of that. */
  networkChanged(): void {
    this.attempts = 0;
    this.current?.abandon();
    this.retry?.();
  }

  /** Ends everything at once; processes go on elsewhere from their last images. */
  stop(): void {
    this.stopped = true;
    this.heartbeat?.();
    this.current?.close();
    for (const thread of this.threads) thread.terminate();
    for (const resident of this.residents.values()) resident.endOwnThread();
  }

  /**
   * Computing stops now (the owner is back, or somebody asked). Processes keep their state and stay for `keepMs`, as the owner may leave
   * again; then they continue on other hosts. Paused already: only the reason changes, and the time when it is shorter.
   * @param code of the policy's reason
   */
  pause(reason: string, keepMs = 0, code: string | null = null): void {
    const { ports } = this;
    const began = ports.now();
    const wasComputing = this.paused === null && this.status().running > 0;
    // Other words for a pause that goes on come every few seconds: they begin no wait anew.
    const goesOn = this.paused !== null && began + keepMs >= this.keepUntil;
    if (!goesOn) this.keepUntil = began + keepMs;
    this.paused = reason.slice(0, MAX_REASON);
    this.pausedCode = code;
    this.beGentle();
    if (wasComputing) this.stopping = { reason, began };
    this.slots.setLimit(0, this.settings.ownerDeadlineMs);
    if (!goesOn) {
      this.cancelKeep?.();
      this.cancelKeep = ports.after(keepMs + 1, () => {
        this.cancelKeep = ports.after(THREADS_KEPT_MS, () => this.endIdleThreads());
        this.hostChanged();
      });
    }
    this.report(true);
  }

  resume(): void {
    if (this.paused === null) return;
    this.paused = null;
    this.pausedCode = null;
    this.beGentle();
    this.cancelKeep?.();
    this.warmUp();
    this.allow(this.allowed);
    this.hostChanged();
  }

  /** Images that leave for the owner do not fill the line that the owner uses; they do when the computer is about to be gone. */
  private beGentle(): void {
    this.current?.beGentle(this.paused !== null && !HURRIED.has(this.pausedCode));
  }

  /** How much may be computed while not paused. */
  allow(allowance: Allowance): void {
    this.allowed = { ...allowance, slots: Math.min(allowance.slots, this.settings.slots) };
    if (this.paused !== null) return;
    this.slots.setLimit(this.allowed.slots, this.settings.ownerDeadlineMs);
    this.report(true);
  }

  private warmUp(): void {
    for (const thread of this.threads) thread.warmUp();
  }

  /** The memory of threads that have nothing to do for long is the owner's, and so is what work has left behind in this one. */
  private endIdleThreads(): void {
    if (this.paused === null || this.ports.now() < this.keepUntil + THREADS_KEPT_MS) return;
    for (const thread of this.threads) if (thread.population === 0) thread.terminate();
    this.programs.trim(0);
    this.kept.clear();
    this.ports.collectGarbage?.();
  }

  /** How long it took from the word to the last process's stop. */
  private tellStopped(): void {
    if (!this.stopping || this.status().running > 0) return;
    const { reason, began } = this.stopping;
    this.stopping = undefined;
    this.ports.log("stopped", { reason, ms: this.ports.now() - began });
  }

  /** Whether somebody watches: only then the coordinator tells how the whole cluster is, and what is printed here is looked at. */
  watch(on: boolean): void {
    if (on === this.watched) return;
    this.watched = on;
    this.cluster = null;
    this.send({ type: "watch", on });
    this.shownWork.watch(on && this.mayShow);
  }

  /** Whether what is printed here may be seen on its screens. Not: nothing of it is looked at, whoever watches. */
  showWork(on: boolean): void {
    if (on === this.mayShow) return;
    this.mayShow = on;
    this.shownWork.watch(this.watched && on);
  }

  /** What of the work here may be shown, as far as it has changed since this was asked last; see ShownWork.news(). */
  shownNews(): Shown | null | undefined {
    return this.watched && !this.mayShow ? null : this.shownWork.news();
  }

  private hostChanged(): void {
    for (const resident of this.residents.values()) resident.hostChanged();
    this.report(true);
  }

  status(): AgentStatus {
    const counts = { running: 0, runnable: 0, blocked: 0 };
    const processes = [...this.residents.values()].map((resident) => {
      if (resident.state !== "migrating") counts[resident.state]++;
      const { pid, state, cpuMs, memoryBytes, command, work } = resident;
      return { pid, state, cpuMs, memoryBytes, command, work };
    });
    const { greeted: connected, hostId, pending, paused, refused, credit, cluster } = this;
    return { connected, hostId, pending, paused, ...counts, processes, refused, credit, cluster };
  }

  // ---- connection

  private async connect(): Promise<void> {
    if (this.stopped) return;
    try {
      let connection: AgentConnection | undefined;
      connection = await this.ports.connect({
        message: (message) => this.message(message),
        closed: (error) => this.disconnected(connection, error),
      });
      if (this.stopped) return connection.close();
      this.current = connection;
      this.beGentle();
      const host: HostInfo = { ...this.ports.hostInfo(), prepares: true };
      connection.send({
        type: "hello",
        version: 1,
        host,
        held: [...this.residents.values()].map(({ pid, epoch }) => ({ pid, epoch })),
      });
    } catch (thrown) {
      this.disconnected(undefined, thrown);
    }
  }

  private disconnected(connection: AgentConnection | undefined, thrown: unknown): void {
    if (this.stopped || (connection !== undefined && connection !== this.current)) return;
    const error = asNightshiftError(thrown);
    this.current = undefined;
    this.greeted = false;
    this.pending = false;
    this.cluster = null;
    this.heartbeat?.();
    if (FINAL.has(error.code)) {
      this.refuse(error);
      return;
    }
    const { backoffMs, random, log } = this.ports;
    const delay = mayPass(error) ? MAY_PASS_RETRY_MS * (1 + random()) : backoffMs(this.attempts++, random());
    if (mayPass(error)) this.refuse(error);
    else log("disconnected", { code: error.code, message: error.message, retryInMs: Math.round(delay) });
    const connect = (): void => {
      cancel();
      this.retry = undefined;
      void this.connect();
    };
    const cancel = this.ports.after(delay, connect);
    this.retry = connect;
    this.onChange(this.status());
  }

  private refuse(error: NightshiftError): void {
    this.refused = { code: error.code, message: error.message };
    this.ports.log("refused", this.refused);
    this.onChange(this.status());
  }

  private message(message: ToAgent): void {
    switch (message.type) {
      case "welcome": {
        this.greeted = true;
        this.pending = false;
        this.refused = null;
        this.attempts = 0;
        this.hostId = message.hostId;
        this.leaseMs = message.leaseMs;
        this.surroundings.settings.checkpointMs = message.checkpointMs;
        void this.obey(message.policies); // before anybody is told that this host is free
        for (const { pid, epoch } of message.drop) this.resident(pid, epoch)?.drop();
        for (const resident of this.residents.values()) resident.reconnected();
        this.report(true);
        if (this.watched) this.send({ type: "watch", on: true });
        this.shownWork.reconnected();
        this.beat();
        this.ports.log("connected", { hostId: message.hostId });
        return;
      }
      case "pending":
        this.pending = true;
        this.refused = null;
        this.attempts = 0;
        this.hostId = message.hostId;
        this.ports.log("pending", { hostId: message.hostId });
        this.onChange(this.status());
        return;
      case "policy":
        void this.obey(message.policies);
        return;
      case "run":
        return this.adopt(message);
      case "outputAck":
        for (const resident of this.residents.values())
          if (resident.pid === message.pid) resident.outputAcknowledged(message.stream, message.offset);
        return;
      case "syscallResult":
        this.resident(message.pid, message.epoch)?.answered(message.seq, message.result);
        return;
      case "checkpointAck":
        return;
      case "printed": {
        const resident = this.resident(message.pid, message.epoch);
        if (resident) this.shownWork.answered(resident, message.offset, message.bytes, message.end);
        return;
      }
      case "prepare":
        void this.prepare(message.program);
        return;
      case "release":
        this.resident(message.pid, message.epoch)?.release(message.reason);
        return;
      case "signal":
        this.resident(message.pid, message.epoch)?.signal(message.signal);
        return;
      case "drop":
        this.resident(message.pid, message.epoch)?.drop();
        return;
      case "credit": {
        const { type: _, ...credit } = message;
        this.credit = credit;
        return;
      }
      case "cluster": {
        const { type: _, ...cluster } = message;
        if (!this.watched) return;
        this.cluster = cluster;
        this.onChange(this.status());
        return;
      }
      case "upgrade":
        return this.takeUpgrade(message.release, message.back);
      case "bye":
        this.ports.log("bye", { code: message.code, message: message.message });
    }
  }

  private async obey(policies: readonly ToldPolicy[]): Promise<void> {
    let problem: string | null = null;
    try {
      await this.obeyPolicies(policies);
    } catch (thrown) {
      problem = asNightshiftError(thrown).message.slice(0, MAX_PROBLEM);
      this.ports.log("policy-refused", { message: problem });
    }
    this.send({ type: "policyObeyed", versions: policies.map(({ version }) => version), problem });
  }

  private send(message: FromAgent): void {
    if (this.greeted) this.current?.send(message);
  }

  private beat(): void {
    this.heartbeat?.();
    this.heartbeat = this.ports.after(this.leaseMs / 3, () => {
      this.report(true);
      this.beat();
    });
  }

  /** Tells the coordinator and our own shell how things are; at once, or soon and only once for several changes. */
  private report(now = false): void {
    if (!now) {
      this.reportTimer ??= this.ports.after(REPORT_GAP_MS, () => this.report(true));
      return;
    }
    this.reportTimer?.();
    this.reportTimer = undefined;
    const status = this.status();
    const used = status.processes.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    this.send({
      type: "load",
      running: status.running,
      runnable: status.runnable,
      blocked: status.blocked,
      slots: this.allowed.slots,
      paused: this.paused,
      pausedCode: this.pausedCode,
      keepMs: this.paused === null ? 0 : Math.ceil(Math.max(0, this.keepUntil - this.ports.now())),
      memoryFreeBytes: Math.max(0, Math.min(this.ports.memoryFreeBytes(), this.allowed.memoryBytes - used)),
      speed: this.ports.hostInfo().speed,
      held: [...this.residents.values()].map(({ pid, epoch, state, cpuMs, memoryBytes }) => ({
        pid,
        epoch,
        state,
        cpuMs,
        memoryBytes,
      })),
    });
    this.onChange(status);
  }

  // ---- processes

  private resident(pid: number, epoch: number): Resident | undefined {
    return this.residents.get(`${pid}/${epoch}`);
  }

  private adopt(order: ResidentOrder): void {
    const key = `${order.pid}/${order.epoch}`;
    if (this.residents.has(key)) return;
    const resident = new Resident(order, this.surroundings);
    this.residents.set(key, resident);
    this.shownWork.came(resident);
    this.report();
  }

  private forget(resident: Resident): void {
    const key = `${resident.pid}/${resident.epoch}`;
    if (this.residents.get(key) !== resident) return;
    this.residents.delete(key);
    this.shownWork.left(resident, resident.hasEnded);
    this.programs.trim();
    this.endIdleThreads();
    this.tellStopped();
    this.report();
  }

  /** A process of the program is about to come. Told also when it cannot be had: whoever comes then hears why. */
  private async prepare(program: string): Promise<void> {
    if (this.paused === null) await this.programs.load(program).catch(() => undefined);
    this.send({ type: "prepared", program });
  }

  private keepBlob(hash: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.kept.set(hash, bytes);
    const oldest = this.kept.keys().next().value;
    if (this.kept.size > MAX_KEPT_BLOBS && oldest !== undefined) this.kept.delete(oldest);
  }

  /** Waits for a connection when there is none. */
  private async blob(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const kept = this.kept.get(hash);
    this.kept.delete(hash); // whoever asks has it from now on
    if (kept) return kept;
    for (;;) {
      const connection = this.surroundings.connection();
      if (connection) {
        try {
          return await connection.getBlob(hash);
        } catch (thrown) {
          if (asNightshiftError(thrown).code !== "NS_CONNECTION_LOST") throw thrown;
        }
      }
      await new Promise<void>((resolve) => this.ports.after(RETRY_MS, resolve));
    }
  }
}
