// What the tray app needs of Electron, and nothing more. electron/main.ts implements it with Electron, tests over Chromium pages and
// variables; the types there are checked against Electron's own.
import type { FileKind } from "@nightshift/coordinator/protocol";
import type { FromAgentProcess, ToAgentProcess } from "../agent/protocol.ts";
import type { AppState } from "../ipc/state.ts";

export interface DesktopPort {
  readonly platform: NodeJS.Platform;
  readonly version: string;
  /** The system's language, such as "zh-CN". */
  readonly locale: string;
  readonly power: PowerPort;
  readonly secrets: SecretsPort;
  /** Starts the process that computes; `exited` is told once, whatever ends it. */
  startAgent(on: { message(message: FromAgentProcess): void; exited(code: number | null): void }): AgentHandle;
  readonly tray: TrayPort;
  readonly windows: WindowsPort;
  readonly updates: UpdatesPort;
  notify(title: string, text: string): void;
  /** Whether the system starts the app at log-in; false where it cannot be set (Linux, where the desktop does it). */
  setOpenAtLogin(open: boolean): boolean;
  /** Makes Nightshift this user's screensaver, where the user has none. @throws when the system refuses */
  chooseScreensaver(): void;
  quit(): void;
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970. */
  wallNow(): number;
  /** Runs `work` once after `ms`; returns what cancels it. */
  after(ms: number, work: () => void): () => void;
}

export interface AgentHandle {
  send(message: ToAgentProcess): void;
  /** At once, whatever it is doing. */
  kill(): void;
}

export type PowerEvent =
  | { kind: "lock" | "unlock" | "suspend" | "resume" | "battery" | "mains" }
  /** `hold` keeps the system from ending until it is called again, for as long as the system allows. */
  | { kind: "shutdown"; hold(): () => void }
  /** The processor is slowed down, or no longer. */
  | { kind: "throttled"; throttled: boolean };

export interface PowerPort {
  /** Whole seconds since the last input. */
  idleSeconds(): number;
  onBattery(): boolean;
  listen(listener: (event: PowerEvent) => void): void;
}

export interface SecretsPort {
  /** false where the system has no safe place for a key, such as a Linux desktop without a keyring. */
  available(): boolean;
  seal(text: string): Uint8Array;
  /** @throws where it was sealed by another user or machine */
  open(sealed: Uint8Array): string;
}

export interface UpdatesPort {
  /** The kind of file that can take this program's place; null: none. */
  readonly takes: FileKind | null;
  /**
   * Has it do so.
   * @param how.older it is an older version, and that is meant
   * @param how.restart start the app again then
   * @param failed told when it turns out later that it cannot be done
   * @returns whether the app is to end by itself; else it is asked to
   * @throws when it cannot be done
   */
  replace(path: string, how: { older: boolean; restart: boolean }, failed: (error: Error) => void): { ends: boolean };
}

export type TrayIcon = "computing" | "waiting" | "paused" | "offline" | "attention";

export interface TrayItem {
  /** null: a line between groups. */
  label: string | null;
  /** Missing: a text that cannot be chosen. */
  action?: () => void;
}

export interface TrayPort {
  /** `opened`: the icon itself was clicked. */
  show(icon: TrayIcon, tooltip: string, menu: readonly TrayItem[], opened: () => void): void;
}

export type WindowKind = "main" | "screensaver";

export interface WindowsPort {
  /** Opens the window, or brings the one there is to the front. A screensaver has one on each display. @param page "settings" */
  open(kind: WindowKind, page: string | null): void;
  close(kind: WindowKind): void;
  isOpen(kind: WindowKind): boolean;
  /** To all windows that are open. */
  tell(state: AppState): void;
}
