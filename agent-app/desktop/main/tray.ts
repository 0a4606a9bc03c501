// The tray as data: which moon, which words, which menu.
import type { AppState } from "../ipc/state.ts";
import { appWords, whoseWork } from "../words/catalogue.ts";
import type { TrayIcon, TrayItem } from "./port.ts";

export interface TrayActions {
  pause(forMs: number | null, untilTomorrow: boolean): void;
  runNow(forMs: number): void;
  resume(): void;
  open(page: string | null): void;
  screensaver(): void;
  quit(): void;
}

/** The most important first: what needs somebody, then whether it could work at all, then what it does. */
export function trayIcon(state: {
  problem: unknown;
  joined: boolean;
  connected: boolean;
  paused: boolean;
  running: number;
}): TrayIcon {
  if (state.problem) return "attention";
  if (!state.joined || !state.connected) return "offline";
  if (state.paused) return "paused";
  return state.running > 0 ? "computing" : "waiting";
}

const HOUR_MS = 3_600_000;
const MAX_LISTED = 3;
const MAX_LABEL = 60;

/** Of whole letters, also where one has two places. */
export function cut(text: string): string {
  const letters = [...text];
  return letters.length > MAX_LABEL ? `${letters.slice(0, MAX_LABEL - 1).join("")}…` : text;
}

export function trayMenu(state: AppState, actions: TrayActions): TrayItem[] {
  const words = appWords(state.language);
  const line: TrayItem = { label: null };
  const { processes, coordinator, pause } = state;
  const listed = processes.slice(0, MAX_LISTED).map(({ command, pid, work }): TrayItem => {
    const text = work ? whoseWork(words, work) : command === "" ? `${pid}` : command;
    return { label: `  ${cut(text)}` };
  });
  const more = processes.length > MAX_LISTED ? [{ label: `  ${words.more(processes.length - MAX_LISTED)}` }] : [];
  return [
    { label: cut(state.headline) },
    ...(coordinator && processes.length > 0 ? [{ label: words.runningFor(coordinator.address) }, ...listed, ...more] : []),
    line,
    ...(coordinator === null
      ? [{ label: words.joinTitle, action: () => actions.open("join") }]
      : pause === null
        ? [
            ...(state.runUntilMs !== null
              ? [{ label: words.stopRunNow, action: () => actions.resume() }]
              : state.icon === "paused"
                ? [{ label: words.runNow, action: () => actions.runNow(HOUR_MS) }]
                : []),
            { label: words.pauseHour, action: () => actions.pause(HOUR_MS, false) },
            { label: words.pauseTomorrow, action: () => actions.pause(null, true) },
            { label: words.pauseUntilResumed, action: () => actions.pause(null, false) },
          ]
        : [{ label: words.resume, action: () => actions.resume() }]),
    line,
    { label: words.open, action: () => actions.open(null) },
    { label: words.screensaver, action: () => actions.screensaver() },
    { label: words.settings, action: () => actions.open("settings") },
    { label: words.about, action: () => actions.open("about") },
    line,
    { label: words.quit, action: () => actions.quit() },
  ];
}
