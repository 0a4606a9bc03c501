// What windows show: the app as it is now, whole and small, sent whenever it changes.
import type { ClusterGlance, HostCredit, ProcessGlance } from "../../agent/index.ts";
import type { ManualPause, Settings } from "../../policy/index.ts";
import type { TrayIcon } from "../main/port.ts";
import type { Language } from "../words/catalogue.ts";

export interface AppState {
  version: string;
  language: Language;
  icon: TrayIcon;
  /** "Paused: you are here" */
  headline: string;
  /** Every reason against computing, in words. */
  reasons: readonly string[];
  host: string;
  /** null: not joined. */
  coordinator: { address: string; encryptedTwice: boolean; keyId: string } | null;
  connected: boolean;
  /** What somebody must see to. */
  problem: { code: string; message: string } | null;
  pause: ManualPause | null;
  /** Until when the owner has asked to run now, in milliseconds since 1970; null: not asked. */
  runUntilMs: number | null;
  slots: number;
  processes: readonly ProcessGlance[];
  /** Since the app started. */
  restarts: number;
  today: Given;
  /** What this PC has earned; null: not told yet. */
  credit: HostCredit | null;
  /** While the screensaver is shown and the coordinator has told. */
  cluster: ClusterGlance | null;
  /** Counts what there is to see of the work here, so that a window that shows it asks for it when it has changed; 0: nothing. */
  shownVersion: number;
  settings: Settings | null;
  lockedBy: Partial<Record<keyof Settings, string>>;
  app: AppSettings;
  /** The device's key is kept by the system's safe storage. */
  keySealed: boolean;
  /** A join link was opened: whom it would join. */
  invitation: Invitation | null;
  /** What was opened as a join link and is none. */
  badLink: { code: string; message: string } | null;
}

export interface Given {
  /** Processor time that was on offer: time in which it might compute, times slots. */
  offeredMs: number;
  /** Processor time that was used. */
  usedMs: number;
}

export interface Day extends Given {
  /** Local date, "2026-11-21". */
  date: string;
}

export interface AppSettings {
  language: "system" | Language;
  notifications: boolean;
  openAtLogin: boolean;
  /** Minutes without input after which the screensaver comes; 0: never. */
  screensaverAfterMinutes: number;
}

/** Whom a link leads to, without its secret. */
export interface Invitation {
  link: string;
  address: string;
  encryptedTwice: boolean;
  keyId: string;
}

export interface LogLine {
  atMs: number;
  text: string;
}

/** What would be decided under other settings. */
export interface Preview {
  compute: boolean;
  words: string;
}
