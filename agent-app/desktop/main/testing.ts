// For tests: the port as variables, and time that passes when told to.
import type { FromAgentProcess, ToAgentProcess } from "../agent/protocol.ts";
import type { AppState } from "../ipc/state.ts";
import type { AgentHandle, DesktopPort, PowerEvent, TrayIcon, TrayItem, WindowKind } from "./port.ts";

export class VirtualTime {
  /** Milliseconds since it began. */
  nowMs = 0;
  private timers: { at: number; work: () => void }[] = [];

  readonly now = (): number => this.nowMs;
  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = { at: this.nowMs + ms, work };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** How many wait for their time. */
  get waiting(): number {
    return this.timers.length;
  }

  /** Everything that is due within `ms`, in order. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    for (;;) {
      const next = this.timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > until) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.work();
    }
    this.nowMs = until;
  }
}

/** An agent's process of which the test is the other end. */
export class ScriptedAgent implements AgentHandle {
  readonly on: Parameters<DesktopPort["startAgent"]>[0];
  readonly sent: ToAgentProcess[] = [];
  killed = false;

  constructor(on: ScriptedAgent["on"]) {
    this.on = on;
  }
  send(message: ToAgentProcess): void {
    this.sent.push(message);
  }
  say(message: FromAgentProcess): void {
    this.on.message(message);
  }
  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.on.exited(null);
  }
}

export interface Variables {
  platform: NodeJS.Platform;
  locale: string;
  idleSeconds: number;
  onBattery: boolean;
  safeStorage: boolean;
}

/** What the system is, and what the app did with it. */
export class VariablePort implements DesktopPort {
  version = "0.1.0";
  readonly variables: Variables;
  readonly time: VirtualTime;
  readonly agents: ScriptedAgent[] = [];
  readonly notified: string[] = [];
  private readonly listeners: ((event: PowerEvent) => void)[] = [];
  icon: TrayIcon | undefined;
  tooltip = "";
  menu: readonly TrayItem[] = [];
  openWindows = new Set<WindowKind>();
  page: string | null = null;
  told: AppState | undefined;
  openAtLogin: boolean | undefined;
  chosenScreensavers = 0;
  hasQuit = false;
  wallAtStartMs = Date.UTC(2026, 10, 16, 12);

  constructor(variables: Partial<Variables> = {}, time = new VirtualTime()) {
    this.time = time;
    this.variables = { platform: "win32", locale: "en-GB", idleSeconds: 0, onBattery: false, safeStorage: true, ...variables };
  }
  get platform(): NodeJS.Platform {
    return this.variables.platform;
  }
  get locale(): string {
    return this.variables.locale;
  }
  get agent(): ScriptedAgent {
    const agent = this.agents.at(-1);
    if (!agent) throw new Error("no agent was started");
    return agent;
  }
  readonly power = {
    idleSeconds: (): number => this.variables.idleSeconds,
    onBattery: (): boolean => this.variables.onBattery,
    listen: (listener: (event: PowerEvent) => void): void => void this.listeners.push(listener),
  };
  happen(event: PowerEvent): void {
    for (const listener of this.listeners) listener(event);
  }
  readonly secrets = {
    available: (): boolean => this.variables.safeStorage,
    seal: (text: string): Uint8Array => Buffer.from(`sealed:${Buffer.from(text).toString("hex")}`),
    open: (sealed: Uint8Array): string => {
      const found = /^sealed:([0-9a-f]*)$/.exec(Buffer.from(sealed).toString());
      if (!found) throw new Error("sealed elsewhere");
      return Buffer.from(found[1] ?? "", "hex").toString();
    },
  };
  startAgent(on: ScriptedAgent["on"]): AgentHandle {
    const agent = new ScriptedAgent(on);
    this.agents.push(agent);
    return agent;
  }
  readonly tray = {
    show: (icon: TrayIcon, tooltip: string, menu: readonly TrayItem[]): void => void Object.assign(this, { icon, tooltip, menu }),
  };
  /** Chooses from the tray's menu. */
  choose(label: string): void {
    const item = this.menu.find((one) => one.label === label);
    if (!item?.action) throw new Error(`the menu has no ${label}: ${this.menu.map((one) => one.label).join(", ")}`);
    item.action();
  }
  readonly windows: DesktopPort["windows"] = {
    open: (kind, page) => {
      this.openWindows.add(kind);
      if (kind === "main") this.page = page;
    },
    close: (kind) => void this.openWindows.delete(kind),
    isOpen: (kind) => this.openWindows.has(kind),
    tell: (state) => {
      this.told = state;
    },
  };
  /** What was handed to installers. */
  readonly replaced: { path: string; older: boolean; restart: boolean }[] = [];
  replaceFailed: (error: Error) => void = () => undefined;
  updates: DesktopPort["updates"] = {
    takes: "setup",
    replace: (path, how, failed) => {
      this.replaced.push({ path, ...how });
      this.replaceFailed = failed;
      return { ends: false };
    },
  };
  notify(_title: string, text: string): void {
    this.notified.push(text);
  }
  setOpenAtLogin(open: boolean): boolean {
    this.openAtLogin = open;
    return true;
  }
  chooseScreensaver(): void {
    this.chosenScreensavers++;
  }
  quit(): void {
    this.hasQuit = true;
  }
  readonly now = (): number => this.time.now();
  readonly wallNow = (): number => this.wallAtStartMs + this.time.now();
  readonly after = (ms: number, work: () => void): (() => void) => this.time.after(ms, work);
}
