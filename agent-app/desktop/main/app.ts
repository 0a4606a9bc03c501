// The tray app without Electron: joins what the system tells, what the owner wants and the process that computes, and keeps tray and windows
// showing it. Owns desktop.json and the history; decides nothing about computing, which is the policy's, in the agent's process.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { formatLink, fromBase64Url, type JoinLink, parseLink, toBase64Url } from "@nightshift/coordinator/protocol";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Installed } from "../../headless/installed.ts";
import { adminPolicyPath, makeFolder } from "../../headless/policy-files.ts";
import { decisionWords, kindOfDecision, languageOf, reasonWords } from "../../policy/index.ts";
import type { ProcessStatus, ToldSignals } from "../agent/protocol.ts";
import type { AppSettings, AppState, Day, Invitation, LogLine, Preview } from "../ipc/state.ts";
import { appWords, type Language, type Words } from "../words/catalogue.ts";
import { saidIn } from "../words/refusals.ts";
import { AgentProcess } from "./agent-process.ts";
import { type AppFile, NEW_APP_FILE, readAppFile, writeAppFile } from "./app-file.ts";
import type { StartedAs } from "./command-line.ts";
import { loadDeviceKey } from "./device-key.ts";
import { History } from "./history.ts";
import type { DesktopPort, PowerEvent } from "./port.ts";
import { PowerWatch } from "./power-watch.ts";
import { ShownHere } from "./shown-here.ts";
import { cut, trayIcon, trayMenu } from "./tray.ts";
import { Updates } from "./updates.ts";

export interface AppOptions {
  /** NIGHTSHIFT_HOME. */
  home: string;
  /** What this PC is called. */
  host: string;
  slots: number;
  /** Which it shares with the apps of other users of this PC: of openTurn(). */
  turn?: string | undefined;
  policyFile?: string;
  /** What the installer was told; null: it was not installed. */
  installed?: Installed | null;
  /** Path of owner.exe (headless/signals/windows.ts), where it is installed. */
  ownerProgram?: string | undefined;
  /** Who is to replace or remove this program writes it, and waits until nobody runs it. */
  leaveFile?: string;
  /** Whose releases of new versions are believed, base64url; without, none is taken. */
  releaseKeys?: readonly string[];
}

const MAX_LOG = 500;
const MAX_LOG_TEXT = 300;
/** A burst of news is shown once. */
const SHOW_GAP_MS = 100;
/** The system waits no longer for us when it ends. */
const HOLD_MS = 4_000;
const HOLD_LOOK_MS = 50;
const LOOK_MS = 1_000;
const KEY_SHOWN = 16;
const MINUTE_S = 60;
/** Who chooses the screensaver has just used the mouse, and the system tells input by the whole second. */
const SCREENSAVER_SETTLES_MS = 2_000;
/** Under these nothing comes over what the owner looks at. */
const LOOKED_AT: readonly string[] = ["full-screen", "exclusive-program", "programs-unknown", "remote-session"];
/** A file that something else holds at log-in is free soon; a keyring is unlocked, a disk has room again. */
const AGAIN_MS = 30_000;
/** Older than any Setup waits: left behind by one that was killed. */
const LEAVE_FILE_MS = 700_000;

export class App {
  private readonly port: DesktopPort;
  private readonly options: AppOptions;
  private readonly directory: string;
  private readonly filePath: string;
  private readonly agent: AgentProcess;
  private readonly power: PowerWatch | undefined;
  private readonly history: History;
  private readonly updates: Updates;
  private file: AppFile = NEW_APP_FILE;
  /** Why the file that is there could not be read: until it can be, nothing takes its place. */
  private unread: NightshiftError | undefined;
  private status: ProcessStatus | undefined;
  private problem: AppState["problem"] = null;
  private invitation: Invitation | null = null;
  private badLink: AppState["badLink"] = null;
  private keySealed = false;
  private readonly lines: LogLine[] = [];
  /** Of the last decision in the log. */
  private decided = "";
  private cancelRetry: (() => void) | undefined;
  private shown: (() => void) | undefined;
  private readonly work = new ShownHere();
  /** From then on input ends its screensaver. */
  private screensaverSettlesAt = 0;
  private quitting = false;

  constructor(port: DesktopPort, options: AppOptions) {
    this.port = port;
    this.options = options;
    this.directory = join(options.home, "agents", options.host);
    this.filePath = join(this.directory, "desktop.json");
    this.read();
    this.history = new History(join(this.directory, "history.json"));
    this.agent = new AgentProcess(port, {
      started: () => {
        this.note(this.words.logStarted);
        this.history.restarted();
        this.decided = "";
        if (port.windows.isOpen("screensaver")) this.agent.watchCluster(true);
      },
      status: (status) => this.heard(status),
      shown: (news) => {
        if (!port.windows.isOpen("screensaver")) return;
        this.work.take(news);
        this.show();
      },
      log: (event, details) => this.logged(event, details),
      upgrade: (release, back) => void this.updates.offered(release, back),
      ended: ({ code, message }, restartMs) => {
        this.status = undefined;
        this.work.take(null);
        this.note(this.words.logEnded(this.said(code, message), String(restartMs / 1000)));
        this.needs(code, message);
      },
    });
    this.updates = new Updates(
      port,
      { directory: this.directory, keys: options.releaseKeys ?? [] },
      {
        fetch: (hash, path) => this.agent.fetch(hash, path),
        say: (version, step, problem) => this.agent.sayUpgrade(version, step, problem),
        wanted: () => this.status?.settings.updates === true,
        lookedAt: () => this.isLookedAt,
        leave: () => this.leaveSoon(),
        log: (what, version, problem) =>
          this.note(this.words.logUpdate[what].replace("{version}", version).replace("{problem}", () => problem)),
      },
    );
    // On Linux the agent's process sees input, lock and sleep itself, and is told of them at once.
    if (port.platform !== "linux")
      this.power = new PowerWatch(
        port,
        (signals) => this.tellSignals(signals),
        () => this.mayCompute,
      );
    port.power.listen((event) => this.happened(event));
  }

  start(as: StartedAs): void {
    // What installers have started at log-in is for all users; this one does not want it.
    const unwanted = as.kind === "app" && as.hidden && !this.file.app.openAtLogin && !this.updates.isToRunAgain;
    if (unwanted || this.isToLeave()) return this.quit();
    this.power?.start();
    this.updates.start();
    this.begin();
    this.everySecond();
    this.launched(as, true);
    this.show();
  }

  private begin(): void {
    if (this.quitting) return;
    if (this.unread) {
      this.needs(this.unread.code, this.unread.message);
      this.port.after(AGAIN_MS, () => {
        this.read();
        this.begin();
      });
      return;
    }
    this.startAgent();
    this.setOpenAtLogin();
    this.obeyInstaller();
    this.show();
  }

  private read(): void {
    try {
      this.file = readAppFile(this.filePath, (message) => this.note(message));
      this.unread = undefined;
    } catch (thrown) {
      this.unread = asNightshiftError(thrown);
    }
  }

  /** The app was started again while it runs, or a link was opened. */
  launched(as: StartedAs, first = false): void {
    const { windows } = this.port;
    switch (as.kind) {
      case "screensaver":
        return this.showScreensaver();
      case "settings":
        return windows.open("main", "settings");
      case "preview":
        return; // a window of Windows' own, into which Electron cannot draw: Nightshift.scr does
      case "app":
        if (as.link !== null) return this.invited(as.link);
        if (!as.hidden) windows.open("main", first && this.file.coordinator === null ? "join" : null);
    }
  }

  /** A `nightshift://` link from outside: shown, never followed by itself. */
  invited(link: string): void {
    this.invitation = this.badLink = null;
    try {
      this.invitation = this.describeLink(link);
    } catch (thrown) {
      const { code, message } = asNightshiftError(thrown);
      this.note(message);
      this.badLink = { code, message };
    }
    this.port.windows.open("main", "join");
    this.show();
  }

  /** Something in this process has failed that nobody was prepared for: in the tray and the log, where Electron would put a dialog over everything. */
  defect(thrown: unknown): void {
    const { code, message } = asNightshiftError(thrown);
    this.note(message);
    this.needs(code, message);
  }

  quit(): void {
    if (this.quitting) return;
    this.quitting = true;
    this.history.write(this.port.wallNow());
    this.power?.close();
    this.agent.stop();
    this.port.quit();
  }

  // ---- what windows and the tray ask

  state(): AppState {
    const { status, file, port } = this;
    const pause = status?.pause ?? null;
    const over = pause !== null && pause.untilMs !== null && pause.untilMs <= port.wallNow();
    const today = this.history.days(port.wallNow()).at(-1);
    const running = status?.running ?? 0;
    const icon = trayIcon({
      problem: this.problem,
      joined: file.coordinator !== null,
      connected: status === undefined ? true : status.connected,
      paused: status === undefined || status.reasons.length > 0,
      running,
    });
    return {
      version: port.version,
      language: this.language,
      icon,
      headline: this.headline(icon),
      reasons: (status?.reasons ?? []).map((reason) => reasonWords(reason, this.language)),
      host: this.options.host,
      coordinator: file.coordinator && {
        address: addressOf(file.coordinator),
        encryptedTwice: file.coordinator.tls,
        keyId: file.coordinator.key.slice(0, KEY_SHOWN),
      },
      connected: status?.connected ?? false,
      problem: this.problem ?? problemOf(status?.policyProblem),
      pause: over ? null : pause,
      runUntilMs: status?.runUntilMs ?? null,
      slots: this.options.slots,
      processes: status?.processes ?? [],
      restarts: this.agent.restarts,
      today: { offeredMs: today?.offeredMs ?? 0, usedMs: today?.usedMs ?? 0 },
      credit: status?.credit ?? null,
      cluster: status?.cluster ?? null,
      shownVersion: this.work.version,
      settings: status?.settings ?? null,
      lockedBy: status?.lockedBy ?? {},
      app: file.app,
      keySealed: this.keySealed,
      invitation: this.invitation,
      badLink: this.badLink,
    };
  }

  async pause(forMs: number | null, untilTomorrow: boolean): Promise<void> {
    await this.order({
      command: "pause",
      ...(untilTomorrow ? { until: "tomorrow" } : forMs === null ? {} : { forMs }),
    });
  }

  async runNow(forMs: number): Promise<void> {
    await this.order({ command: "runNow", forMs });
  }

  async resume(): Promise<void> {
    await this.order({ command: "resume" });
  }

  /** @throws NS_BAD_POLICY, NS_FORBIDDEN, NS_UNREACHABLE */
  async setPolicy(settings: Record<string, unknown>): Promise<void> {
    await this.order({ command: "set", settings });
  }

  async previewPolicy(settings: Record<string, unknown>): Promise<Preview> {
    const { preview } = await this.agent.order({ command: "preview", settings });
    return { compute: preview?.compute ?? false, words: preview ? decisionWords(preview, this.language) : "" };
  }

  setApp(settings: Partial<AppSettings>): void {
    const app = { ...this.file.app, ...settings };
    this.keep({ ...this.file, app });
    this.setOpenAtLogin();
    this.show();
  }

  /** Whom a link leads to. @throws NS_BAD_LINK */
  describeLink(text: string): Invitation {
    const link = parseLink(text);
    return {
      link: formatLink(link),
      address: addressOf(link),
      encryptedTwice: link.tls,
      keyId: toBase64Url(link.coordinatorKey).slice(0, KEY_SHOWN),
    };
  }

  /** @throws NS_BAD_LINK, NS_HOME_UNUSABLE */
  join(text: string): void {
    const { host, port, tls, coordinatorKey, token } = parseLink(text);
    const { secrets } = this.port;
    const sealed = secrets.available();
    const kept = toBase64Url(token);
    this.keep({
      ...this.file,
      coordinator: {
        host,
        port,
        tls,
        key: toBase64Url(coordinatorKey),
        token: sealed ? Buffer.from(secrets.seal(kept)).toString("base64url") : kept,
        tokenSealed: sealed,
      },
    });
    this.invitation = this.badLink = null;
    this.startAgent();
    this.show();
  }

  declineInvitation(): void {
    this.invitation = this.badLink = null;
    this.show();
  }

  /** What runs here goes on elsewhere. */
  leave(): void {
    this.agent.stop();
    this.status = undefined;
    this.problem = null;
    this.file = { ...this.file, coordinator: null };
    this.show();
    this.keep(this.file);
  }

  days(): readonly Day[] {
    return this.history.days(this.port.wallNow());
  }

  log(): readonly LogLine[] {
    return this.lines;
  }

  /** See ShownHere. */
  shownSince(after: number): ReturnType<ShownHere["since"]> {
    return this.work.since(after);
  }

  showScreensaver(): void {
    const { windows, power, now } = this.port;
    const wasJustUsed = power.idleSeconds() * 1000 < SCREENSAVER_SETTLES_MS;
    if (!windows.isOpen("screensaver")) this.screensaverSettlesAt = now() + (wasJustUsed ? SCREENSAVER_SETTLES_MS : 0);
    windows.open("screensaver", null);
    this.power?.screensaver(true);
    this.agent.watchCluster(true);
  }

  closeScreensaver(): void {
    this.port.windows.close("screensaver");
    this.power?.screensaver(false);
    this.agent.watchCluster(false);
    this.work.take(null);
  }

  // ---- the process that computes

  private get mayCompute(): boolean {
    return this.status !== undefined && this.status.reasons.length === 0;
  }

  private startAgent(): void {
    const { coordinator } = this.file;
    this.cancelRetry?.();
    this.status = undefined;
    if (coordinator === null) {
      this.problem = null;
      return;
    }
    try {
      makeFolder(this.directory);
      const { privateKey, sealed } = loadDeviceKey(this.directory, this.port.secrets);
      this.keySealed = sealed;
      const key = fromBase64Url(coordinator.key);
      if (key === null) throw new NightshiftError("NS_HOME_UNUSABLE", `${this.filePath} holds no key of a coordinator`);
      const { host, port, tls } = coordinator;
      this.agent.start({
        name: this.options.host,
        directory: this.directory,
        installedMode: this.options.installed?.mode ?? null,
        pool: this.options.installed?.pool ?? null,
        app: { version: this.port.version, kind: "desktop", takes: this.updates.takes },
        policyFile: this.options.policyFile ?? adminPolicyPath(this.port.platform),
        slots: this.options.slots,
        turn: this.options.turn,
        coordinator: { host, port, tls, key },
        token: this.token(),
        privateKey,
        told: this.power !== undefined,
        ownerProgram: this.options.ownerProgram,
        windowsOf: process.pid,
      });
      this.problem = null;
      this.show();
    } catch (thrown) {
      const { code, message } = asNightshiftError(thrown);
      this.needs(code, message);
      this.cancelRetry = this.port.after(AGAIN_MS, () => this.quitting || this.startAgent());
    }
  }

  private token(): JoinLink["token"] | null {
    const { coordinator } = this.file;
    if (!coordinator || coordinator.token === null) return null;
    try {
      const text = coordinator.tokenSealed
        ? this.port.secrets.open(Buffer.from(coordinator.token, "base64url"))
        : coordinator.token;
      return fromBase64Url(text);
    } catch {
      return null; // sealed by another account: then only the device's key can count
    }
  }

  private tellSignals(signals: ToldSignals): void {
    this.agent.signals(signals);
    // The owner is back: the screensaver is gone before the next look.
    if (signals.inputAgoMs !== undefined && signals.inputAgoMs < 1_000 && signals.locked !== true) this.closeOnInput();
  }

  private heard(status: ProcessStatus): void {
    const { coordinator } = this.file;
    const wasComputing = this.mayCompute;
    const before = this.status;
    this.status = status;
    this.history.note(this.port.wallNow(), status.connected && this.mayCompute ? status.slots : 0, status.cpuMs);
    if (!before) this.power?.repeat();
    if (!wasComputing && this.mayCompute) this.power?.wake();
    if (status.refused) this.needs(status.refused.code, status.refused.message);
    else if (status.connected) this.problem = null;
    if (status.connected && !before?.connected) this.updates.connected();
    // Enrolled: from now on the device's key counts.
    if (status.connected && coordinator && coordinator.token !== null)
      try {
        this.keep({ ...this.file, coordinator: { ...coordinator, token: null, tokenSealed: false } });
      } catch (thrown) {
        this.note(asNightshiftError(thrown).message); // a full disk, say: tried again at the next status
      }
    this.show();
  }

  private async order(order: object): Promise<void> {
    const { status } = await this.agent.order(order);
    if (this.status) this.status = { ...this.status, ...status };
    this.show();
  }

  private logged(event: string, details: Readonly<Record<string, unknown>>): void {
    const { words } = this;
    const text = (name: string): string => String(details[name] ?? "");
    const said = (): string => this.said(text("code"), text("message"));
    switch (event) {
      case "connected":
        return this.note(words.logConnected);
      case "disconnected":
        return this.note(words.logDisconnected(said()));
      case "pending":
        return this.note(words.pending);
      case "policy-file":
        return this.note(details.problem === null ? words.logSettings : text("problem"));
      case "policy-refused":
        return this.note(text("message"));
      case "refused":
        return this.note(words.logRefused(said()));
      case "decided": {
        const decision = this.status ? decisionWords(decisionOf(this.status), this.language) : text("words");
        const kind = kindOfDecision(details.code, decision);
        if (kind === this.decided) return;
        this.decided = kind;
        return this.note(details.compute === true ? words.logMayCompute : decision);
      }
      case "stopped":
        return this.note(words.logStopped(Number(details.ms).toFixed(1)));
      case "signals-missing":
        return this.note(words.logSignals(text("source"), text("message")));
      case "process-abandoned":
      case "checkpoint-failed":
      case "surrender-failed":
        return this.note(words.logProcess[event].replace("{pid}", text("pid")).replace("{message}", () => said()));
      case "bye":
        return this.note(words.logDisconnected(said()));
      case "hangs":
        return this.note(words.logHangs);
      default:
        return this.note(`${event} ${JSON.stringify(details)}`);
    }
  }

  // ---- the system

  private happened(event: PowerEvent): void {
    if (event.kind === "shutdown") void this.holdUntilCleared(event.hold());
    if (event.kind === "shutdown" || event.kind === "suspend") this.history.write(this.port.wallNow());
    if (event.kind === "unlock" && this.port.windows.isOpen("screensaver")) this.closeScreensaver();
  }

  /** Processes leave before the system ends, within the time it gives. */
  private async holdUntilCleared(release: () => void): Promise<void> {
    const { port } = this;
    const until = port.now() + HOLD_MS;
    while (port.now() < until && (this.status?.processes.length ?? 0) > 0)
      await new Promise<void>((resolve) => port.after(HOLD_LOOK_MS, resolve));
    release();
  }

  /** What nobody tells us of: a request to leave, and how long nobody has been here. */
  private everySecond(): void {
    if (this.quitting) return;
    if (this.isToLeave()) return this.leaveSoon();
    this.watchForScreensaver();
    this.port.after(LOOK_MS, () => this.everySecond());
  }

  /** Somebody replaces or removes the program. */
  private leaveSoon(): void {
    this.power?.ending();
    this.agent.leaving();
    void this.holdUntilCleared(() => this.quit());
  }

  private isToLeave(): boolean {
    const asked = statSync(this.options.leaveFile ?? "", { throwIfNoEntry: false });
    return asked !== undefined && this.port.wallNow() - asked.mtimeMs < LEAVE_FILE_MS;
  }

  /** Installers have the system start the app; whether it then stays is decided here. */
  private setOpenAtLogin(): void {
    if (!this.options.installed?.byInstaller) this.port.setOpenAtLogin(this.file.app.openAtLogin);
  }

  /** Each thing once: an owner who leaves the coordinator, or takes another screensaver, has the last word until there is a new link. */
  private obeyInstaller(): void {
    const { installed } = this.options;
    if (!installed) return;
    try {
      if (installed.screensaver && !this.file.installed.screensaver) {
        this.port.chooseScreensaver();
        this.keep({ ...this.file, installed: { ...this.file.installed, screensaver: true } });
      }
      if (installed.join === null) return;
      const link = createHash("sha256").update(installed.join).digest("hex");
      if (link === this.file.installed.link) return;
      this.join(installed.join);
      this.keep({ ...this.file, installed: { ...this.file.installed, link } });
    } catch (thrown) {
      const { code, message } = asNightshiftError(thrown);
      this.note(message);
      this.needs(code, message);
    }
  }

  /** Looks only while somebody wants it; a system's own screensaver starts us with `/s` instead. */
  private watchForScreensaver(): void {
    const { windows, power } = this.port;
    const minutes = this.file.app.screensaverAfterMinutes;
    if (windows.isOpen("screensaver")) {
      if (power.idleSeconds() === 0) this.closeOnInput();
    } else if (minutes > 0 && power.idleSeconds() >= minutes * MINUTE_S && !this.isLookedAt) this.showScreensaver();
  }

  /** A film is watched, or a talk is given, without any input. */
  private get isLookedAt(): boolean {
    return this.status?.fullScreen === true || (this.status?.reasons.some(({ code }) => LOOKED_AT.includes(code)) ?? false);
  }

  /** What the system tells of input, beside what the windows see of it themselves. */
  private closeOnInput(): void {
    const { windows, now } = this.port;
    if (windows.isOpen("screensaver") && now() > this.screensaverSettlesAt) this.closeScreensaver();
  }

  // ---- what is shown

  private get language(): Language {
    const { language } = this.file.app;
    return language === "system" ? languageOf(this.port.locale) : language;
  }

  private get words(): Words {
    return appWords(this.language);
  }

  private headline(icon: AppState["icon"]): string {
    const { status, words, problem } = this;
    if (problem) return words.needsYou;
    if (this.file.coordinator === null) return words.notJoined;
    if (status === undefined) return words.starting;
    if (status.pending) return words.pending;
    if (icon === "offline") return words.offline;
    return icon === "waiting" ? words.waiting : decisionWords(decisionOf(status), this.language);
  }

  /** In one line. */
  private said(code: string, message: string): string {
    const { title, more } = saidIn(this.language, code, message);
    return this.language === "en" ? title : `${title} ${more}`.trim();
  }

  private needs(code: string, message: string): void {
    const same = this.problem?.code === code && this.problem.message === message;
    this.problem = { code, message };
    if (!same && this.file.app.notifications) this.port.notify(this.words.needsYou, saidIn(this.language, code, message).title);
    this.show();
  }

  private note(text: string): void {
    const last = this.lines.at(-1);
    if (last?.text === text) return;
    this.lines.push({ atMs: this.port.wallNow(), text: text.slice(0, MAX_LOG_TEXT) });
    if (this.lines.length > MAX_LOG) this.lines.shift();
  }

  private show(): void {
    this.shown ??= this.port.after(SHOW_GAP_MS, () => {
      this.shown = undefined;
      if (this.quitting) return;
      const state = this.state();
      const menu = trayMenu(state, {
        pause: (forMs, untilTomorrow) => this.carelessly(this.pause(forMs, untilTomorrow)),
        runNow: (forMs) => this.carelessly(this.runNow(forMs)),
        resume: () => this.carelessly(this.resume()),
        open: (page) => this.port.windows.open("main", page),
        screensaver: () => this.showScreensaver(),
        quit: () => {
          this.updates.quitting();
          this.quit();
        },
      });
      if (this.options.installed?.tray !== false)
        this.port.tray.show(state.icon, cut(`${this.words.name}: ${state.headline}`), menu, () =>
          this.port.windows.open("main", null),
        );
      this.port.windows.tell(state);
    });
  }

  /** From the menu, where nobody waits for an answer: a refusal goes to the log. */
  private carelessly(work: Promise<void>): void {
    work.catch((thrown: unknown) => this.note(asNightshiftError(thrown).message));
  }

  private keep(file: AppFile): void {
    if (this.unread) throw this.unread;
    makeFolder(this.directory);
    writeAppFile(this.filePath, file);
    this.file = file;
  }
}

const addressOf = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

const decisionOf = ({ reasons }: ProcessStatus): Parameters<typeof decisionWords>[0] =>
  ({ reasons }) as Parameters<typeof decisionWords>[0];

/** A settings or policy file that has gone bad. */
const problemOf = (message: string | null | undefined): AppState["problem"] =>
  message ? { code: "NS_BAD_POLICY", message } : null;
