// Every setting of the policy in one table: kind, unit, range, default, meaning. The type, the checks of settings files, the table of
// docs/POLICY.md and the templates of group policy all come from it.
import { parseHours } from "./hours.ts";

export interface Setting<T> {
  readonly default: T;
  readonly unit: string;
  /** What a value may be, for people. */
  readonly allowed: string;
  readonly meaning: string;
  check(value: unknown): boolean;
  /** Lowest and highest of a number. */
  readonly range?: readonly [number, number];
  /** Where it is one of several words. */
  readonly values?: readonly T[];
  /** The one of two values that leaves less to computing. */
  stricter(one: T, other: T): T;
}

/** Names in a list, and hours in a week: more is a mistake. */
const MAX_LIST = 100;

const number = (
  fallback: number,
  unit: string,
  min: number,
  max: number,
  strict: "more" | "less",
  meaning: string,
): Setting<number> => ({
  default: fallback,
  unit,
  allowed: `a whole number from ${min} to ${max}`,
  range: [min, max],
  meaning,
  check: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  stricter: strict === "more" ? Math.max : Math.min,
});
/** @param rising the same values, a stricter one behind */
const choice = <T extends string>(fallback: T, values: readonly T[], rising: readonly T[], meaning: string): Setting<T> => ({
  default: fallback,
  unit: "",
  allowed: `one of ${values.join(", ")}`,
  values,
  meaning,
  check: (value) => (values as readonly unknown[]).includes(value),
  stricter: (one, other) => (rising.indexOf(other) > rising.indexOf(one) ? other : one),
});
const yesNo = (fallback: boolean, strict: boolean, meaning: string): Setting<boolean> => ({
  default: fallback,
  unit: "",
  allowed: "true or false",
  meaning,
  check: (value) => typeof value === "boolean",
  stricter: (one, other) => (one === strict ? one : other),
});
const list = (
  allowed: string,
  each: (text: string) => boolean,
  stricter: Setting<readonly string[]>["stricter"],
  meaning: string,
): Setting<readonly string[]> => ({
  stricter,
  default: [],
  unit: "",
  allowed: `a list of at most ${MAX_LIST} ${allowed}`,
  meaning,
  check: (value) =>
    Array.isArray(value) && value.length <= MAX_LIST && value.every((item) => typeof item === "string" && each(item)),
});

export const MODES = ["auto", "idle", "locked", "always", "never"] as const;
export type Mode = (typeof MODES)[number];

export const SETTINGS = {
  mode: choice<Mode>(
    "auto",
    MODES,
    ["always", "auto", "idle", "locked", "never"],
    "when to compute: `idle` after a time without input, `locked` only while the screen is locked, saved or off, `always` at low priority beside the owner, `never`; `auto` is `idle` where there is a desktop and `always` on a machine without one",
  ),
  idleAfterSeconds: number(180, "s", 1, 86_400, "more", "in mode idle: time without input after which the owner counts as away"),
  startAfterSeconds: number(
    10,
    "s",
    0,
    3600,
    "more",
    "stopping is immediate; computing begins again only when nothing has stood against it for this long",
  ),
  graceSeconds: number(
    20,
    "s",
    0,
    3600,
    "less",
    "how long stopped processes wait here for the owner to leave again before they continue elsewhere",
  ),
  hours: list(
    'hours such as "mon-fri 18:00-08:00"',
    (text) => parseHours(text) !== undefined,
    // What both allow cannot be said as one list. Only where an owner agrees to no hours of their own (a page) does this matter.
    (one, other) => (one.length === 0 ? other : one),
    "weekly hours, local time, outside which nothing computes; empty is any time",
  ),
  coresPercent: number(100, "% of the slots", 1, 100, "less", "how many slots compute while the owner is away (at least one)"),
  coresPercentPresent: number(50, "% of the slots", 1, 100, "less", "the same in mode always while the owner is here"),
  memoryPercent: number(
    50,
    "% of the memory",
    1,
    95,
    "less",
    "most memory for processes while the owner is away; beyond it no new ones come",
  ),
  memoryPercentPresent: number(25, "% of the memory", 1, 95, "less", "the same in mode always while the owner is here"),
  busyAbovePercent: number(
    30,
    "% of all cores",
    1,
    100,
    "less",
    "in modes idle and locked: paused while other programs use more than this; 100 is off",
  ),
  memoryFreeAbovePercent: number(10, "% of the memory", 0, 90, "more", "paused while less than this is free"),
  diskFreeAboveMegabytes: number(
    1024,
    "MB",
    0,
    1_000_000_000,
    "more",
    "paused while less than this is free where the agent keeps its files",
  ),
  batteryAbovePercent: number(
    100,
    "% of charge",
    0,
    100,
    "more",
    "on battery, computes only above this charge; 100 is never on battery",
  ),
  coolBelowCelsius: number(
    85,
    "°C",
    30,
    120,
    "less",
    "paused from this temperature of the processor on, and while it is throttled",
  ),
  onMeteredNetwork: yesNo(false, false, "compute on a network that is paid for by volume"),
  linkAboveMbps: number(0, "Mbit/s", 0, 1_000_000, "more", "paused while the network link is slower than this; 0 is off"),
  pauseInFullScreen: yesNo(true, true, "paused while a game, film or presentation fills the screen"),
  pauseInRemoteSession: yesNo(true, true, "in modes idle and locked: paused while somebody works on this machine from elsewhere"),
  updates: yesNo(
    true,
    false,
    "take new versions of Nightshift that the coordinator gives out, while nobody is at the PC or when the owner ends the app; none where it was installed for all users or by a package manager",
  ),
  showWork: yesNo(
    true,
    false,
    "the screensaver shows the work itself where its submitter wants that (`--show`): pictures and numbers that programs print; without, only that there is some",
  ),
  exclusivePrograms: list(
    'program names such as "blender"',
    (text) => /^[^/\\\s][^/\\]{0,99}$/.test(text),
    (one, other) => [...new Set([...one, ...other])],
    "paused while one of these runs",
  ),
};

export type Settings = { -readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };
export type SettingName = keyof Settings;

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
export const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

export const defaultSettings = (): Settings =>
  Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].default])) as unknown as Settings;
