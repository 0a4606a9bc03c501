// Every rule of the policy in one table, the most telling first: what it looks at, whether it stands against computing, and when time alone
// will change that. decide.ts puts them together; docs/POLICY.md shows the table.
import { lookAtHours } from "./hours.ts";
import type { Mode, SettingName, Settings } from "./settings.ts";
import type { Moment, Signals } from "./signals.ts";

/** Until the owner resumes (null) or a time; with words of whoever paused, or null. */
export interface ManualPause {
  untilMs: number | null;
  words: string | null;
}

export interface Circumstances {
  signals: Signals;
  settings: Settings;
  pause: ManualPause | null;
  moment: Moment;
}

/** What a reason's words need. */
export type Values = Readonly<Record<string, string | number>>;

/** What a rule sees now. */
export interface Finding<C extends string = string> {
  /** The code of the reason against computing; null: nothing against it. */
  code: C | null;
  values?: Values;
  /** Milliseconds until time alone changes this finding. */
  changesInMs?: number;
  /** When what stands against computing was last so: now, unless told. */
  lastAtMs?: number;
}

export interface Rule<C extends string = string> {
  /** Stable; programs may rely on them. */
  readonly codes: readonly C[];
  readonly setting?: SettingName;
  /** For docs/POLICY.md. */
  readonly when: string;
  /** The owner will hardly leave again in a moment: processes continue elsewhere at once, without the grace time. */
  readonly lasting?: true;
  /** What a person has ordered and not the machine said: computing begins again at once when it is over. */
  readonly byHand?: true;
  /** @param standing codes of what stood against computing when last looked */
  look(circumstances: Circumstances, standing: readonly string[]): Finding<C> | undefined;
}

const rule = <const C extends string>(rule: Rule<C>): Rule<C> => rule;
const MINUTE_MS = 60_000;
/** Computing is what heats: begun again just below the limit it would be over at once. */
const COOLER_BY_CELSIUS = 5;

export const modeOf = ({ settings, signals }: Circumstances): Exclude<Mode, "auto"> =>
  settings.mode === "auto" ? (signals.desktop === false ? "always" : "idle") : settings.mode;

/** The screen shows the owner nothing. */
const isClosed = ({ locked, screensaver, displayOff }: Signals): boolean =>
  locked === true || screensaver === true || displayOff === true;

/**
 * In mode always only: is somebody here, and when does time alone change that? Unknown is yes on a desktop.
 * Without input for idleAfterSeconds, or behind a closed screen: no; somebody else at this machine, whose input is not seen: yes.
 */
export function presence({ signals, settings, moment }: Circumstances): { present: boolean; changesInMs?: number } {
  if (signals.otherUser) return { present: true };
  if (signals.desktop === false || isClosed(signals)) return { present: false };
  if (signals.lastInputAtMs === undefined) return { present: true };
  const leftMs = signals.lastInputAtMs + settings.idleAfterSeconds * 1000 - moment.nowMs;
  return leftMs <= 0 ? { present: false } : { present: true, ...(Number.isFinite(leftMs) ? { changesInMs: leftMs } : {}) };
}

export const RULES = [
  rule({
    codes: ["switched-off"],
    setting: "mode",
    when: "mode is `never`",
    lasting: true,
    byHand: true,
    look: (at) => (modeOf(at) === "never" ? { code: "switched-off" } : undefined),
  }),
  rule({
    codes: ["by-hand", "by-hand-until", "by-hand-words"],
    when: "somebody paused it: for a time, until tomorrow, or until it is resumed",
    lasting: true,
    byHand: true,
    look: ({ pause, moment }) => {
      if (pause === null) return undefined;
      const leftMs = pause.untilMs === null ? undefined : pause.untilMs - moment.wallMs;
      if (leftMs !== undefined && leftMs <= 0) return undefined;
      const changes = leftMs === undefined ? {} : { changesInMs: leftMs };
      if (pause.words !== null) return { code: "by-hand-words", values: { words: pause.words } as Values, ...changes };
      if (pause.untilMs === null) return { code: "by-hand" };
      return { code: "by-hand-until", values: { untilMs: pause.untilMs } as Values, ...changes };
    },
  }),
  rule({
    codes: ["ending"],
    when: "the system goes to sleep or shuts down",
    lasting: true,
    look: ({ signals }) => (signals.ending ? { code: "ending" } : undefined),
  }),
  rule({
    codes: ["out-of-hours"],
    setting: "hours",
    when: "the time is outside the weekly hours, if there are any",
    lasting: true,
    look: ({ settings, moment }) => {
      if (settings.hours.length === 0) return undefined;
      const { inside, changesInMinutes } = lookAtHours(settings.hours, moment.minuteOfWeek);
      return {
        code: inside ? null : "out-of-hours",
        ...(changesInMinutes === null ? {} : { changesInMs: changesInMinutes * MINUTE_MS }),
      };
    },
  }),
  rule({
    codes: ["owner-here", "owner-unknown"],
    setting: "idleAfterSeconds",
    when: "in mode idle: the last input is less than idleAfterSeconds ago, or startAfterSeconds behind a locked, saved or dark screen",
    look: (at) => {
      const { signals, settings, moment } = at;
      if (modeOf(at) !== "idle") return undefined;
      const closed = isClosed(signals);
      if (signals.lastInputAtMs === undefined) return closed || signals.desktop === false ? undefined : { code: "owner-unknown" };
      const needMs =
        (closed ? Math.min(settings.startAfterSeconds, settings.idleAfterSeconds) : settings.idleAfterSeconds) * 1000;
      const leftMs = signals.lastInputAtMs + needMs - moment.nowMs;
      if (leftMs <= 0) return undefined;
      return {
        code: "owner-here",
        lastAtMs: Math.min(signals.lastInputAtMs, moment.nowMs),
        ...(Number.isFinite(leftMs) ? { changesInMs: leftMs } : {}),
      };
    },
  }),
  rule({
    codes: ["not-locked"],
    setting: "mode",
    when: "in mode locked: the screen is neither locked nor saved nor off",
    look: (at) => (modeOf(at) === "locked" && !isClosed(at.signals) ? { code: "not-locked" } : undefined),
  }),
  rule({
    codes: ["remote-session"],
    setting: "pauseInRemoteSession",
    when: "in modes idle and locked: somebody works on this machine from elsewhere",
    look: (at) =>
      at.settings.pauseInRemoteSession && modeOf(at) !== "always" && at.signals.remoteSession
        ? { code: "remote-session" }
        : undefined,
  }),
  rule({
    codes: ["other-user"],
    when: "in modes idle and locked: this user's desktop is in the background, and somebody else uses the machine",
    look: (at) => (modeOf(at) !== "always" && at.signals.otherUser ? { code: "other-user" } : undefined),
  }),
  rule({
    codes: ["exclusive-program", "programs-unknown"],
    setting: "exclusivePrograms",
    when: "a program named exclusive runs",
    look: ({ signals, settings }) => {
      if (settings.exclusivePrograms.length === 0) return undefined;
      if (signals.programs === undefined) return { code: "programs-unknown" };
      const running = new Set(signals.programs);
      const program = settings.exclusivePrograms.find((name) => running.has(name.toLowerCase()));
      return program === undefined ? undefined : { code: "exclusive-program", values: { program } };
    },
  }),
  rule({
    codes: ["full-screen"],
    setting: "pauseInFullScreen",
    when: "a game, film or presentation fills the screen",
    look: ({ signals, settings }) => (settings.pauseInFullScreen && signals.fullScreen ? { code: "full-screen" } : undefined),
  }),
  rule({
    codes: ["on-battery", "on-battery-unknown"],
    setting: "batteryAbovePercent",
    when: "on battery with no more charge than batteryAbovePercent",
    look: ({ signals, settings }) => {
      if (!signals.onBattery) return undefined;
      const { batteryPercent: percent } = signals;
      if (percent === undefined) return { code: "on-battery-unknown" };
      if (percent > settings.batteryAbovePercent) return undefined;
      return { code: "on-battery", values: { percent: Math.round(percent) } };
    },
  }),
  rule({
    codes: ["hot", "throttled"],
    setting: "coolBelowCelsius",
    when: `the processor is at coolBelowCelsius or above, and then until it is more than ${COOLER_BY_CELSIUS} °C below, or is throttled`,
    look: ({ signals, settings }, standing) => {
      if (signals.throttled) return { code: "throttled" };
      const { temperatureCelsius: celsius } = signals;
      const stood = standing.includes("hot") || standing.includes("throttled");
      return celsius !== undefined && celsius >= settings.coolBelowCelsius - (stood ? COOLER_BY_CELSIUS : 0)
        ? { code: "hot", values: { celsius: Math.round(celsius) } }
        : undefined;
    },
  }),
  rule({
    codes: ["metered"],
    setting: "onMeteredNetwork",
    when: "the network is paid for by volume",
    look: ({ signals, settings }) => (signals.metered && !settings.onMeteredNetwork ? { code: "metered" } : undefined),
  }),
  rule({
    codes: ["slow-network"],
    setting: "linkAboveMbps",
    when: "the network link is slower than linkAboveMbps",
    look: ({ signals, settings }) =>
      signals.linkMbps !== undefined && signals.linkMbps < settings.linkAboveMbps
        ? { code: "slow-network", values: { mbps: signals.linkMbps } }
        : undefined,
  }),
  rule({
    codes: ["busy", "busy-unmeasured"],
    setting: "busyAbovePercent",
    when: "in modes idle and locked: other programs use more than busyAbovePercent of the processor, or much of it where it is not known how much and busyAbovePercent is below 100",
    look: (at) => {
      if (modeOf(at) === "always") return undefined;
      const { othersCpuPercent: percent, othersBusy } = at.signals;
      const most = at.settings.busyAbovePercent;
      if (percent === undefined) return othersBusy && most < 100 ? { code: "busy-unmeasured" } : undefined;
      return percent > most ? { code: "busy", values: { percent: Math.round(percent) } } : undefined;
    },
  }),
  rule({
    codes: ["low-memory"],
    setting: "memoryFreeAbovePercent",
    when: "less than memoryFreeAbovePercent of the memory is free",
    look: ({ signals, settings }) => {
      const { memoryFreePercent: percent } = signals;
      return percent !== undefined && percent < settings.memoryFreeAbovePercent
        ? { code: "low-memory", values: { percent: Math.round(percent) } }
        : undefined;
    },
  }),
  rule({
    codes: ["low-disk"],
    setting: "diskFreeAboveMegabytes",
    when: "less than diskFreeAboveMegabytes is free where the agent keeps its files",
    look: ({ signals, settings }) => {
      const { diskFreeMegabytes: megabytes } = signals;
      return megabytes !== undefined && megabytes < settings.diskFreeAboveMegabytes
        ? { code: "low-disk", values: { megabytes: Math.round(megabytes) } }
        : undefined;
    },
  }),
  // The last, as it is asked for only where nothing else stands against it (headless/turn.ts).
  rule({
    codes: ["other-agent"],
    when: "the app of another user of the machine computes: they have one machine's cores between them",
    look: ({ signals }) => (signals.otherAgent ? { code: "other-agent" } : undefined),
  }),
];

type CodeOf<R> = R extends Rule<infer C> ? C : never;
/** `starting`: nothing stands against computing any more, but not long enough yet. */
export type ReasonCode = CodeOf<(typeof RULES)[number]> | "starting";
