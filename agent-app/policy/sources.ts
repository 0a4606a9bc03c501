// Where settings come from and which one wins: what administrators have locked, then the owner's, then administrators' defaults, then
// ours. Administrators have a file on the machine and policies at the coordinator, all of one form. Parses all of it; every problem is
// told at once, with file, setting, and what may stand there.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { ManualPause } from "./rules.ts";
import {
  defaultSettings,
  isSettingName,
  SETTING_NAMES,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
} from "./settings.ts";

const VERSION = 1;
/** Both files; a larger one is none of ours. */
export const MAX_FILE_BYTES = 64 * 1024;
/** Of who has said something. */
export const MAX_WORDS = 200;

/** settings.json in the agent's folder. */
export interface OwnerFile {
  settings: Partial<Settings>;
  /** Kept here, so that a pause outlasts the agent. */
  pause: ManualPause | null;
  /** Until then (milliseconds since 1970) the owner has asked for RUN_NOW; null: not asked. */
  runUntilMs: number | null;
}

/** What "run now" is: the owner's wish for a while. What spares the machine still holds, and so does whatever an administrator has locked. */
export const RUN_NOW: Partial<Settings> = { mode: "always", hours: [], startAfterSeconds: 0 };

/** policy.json, which only the administrator can write; or a policy of the coordinator. */
export interface AdminPolicy {
  /** Shown beside every setting that is locked: "IT, Example Ltd". */
  by: string;
  locked: Partial<Settings>;
  defaults: Partial<Settings>;
}

export interface Effective {
  settings: Settings;
  /** Setting -> who has locked it. */
  lockedBy: Partial<Record<SettingName, string>>;
}

/** @param policies of administrators: of two that say something of a setting the one in front counts */
export function effective(owner: Partial<Settings>, policies: readonly AdminPolicy[]): Effective {
  const rising = policies.toReversed();
  return {
    settings: Object.assign(defaultSettings(), ...rising.map((one) => one.defaults), owner, ...rising.map((one) => one.locked)),
    lockedBy: Object.fromEntries(rising.flatMap(({ by, locked }) => Object.keys(locked).map((name) => [name, by]))),
  };
}

/** The same where the owner has the last word, as with a volunteer's browser: policies only make it stricter. */
export function restricted(owner: Partial<Settings>, policies: readonly AdminPolicy[]): Effective {
  const own = effective(owner, []).settings;
  const { settings: theirs, lockedBy } = effective(owner, policies);
  const stricter = <N extends SettingName>(name: N): Settings[N] =>
    (SETTINGS[name] as unknown as Setting<Settings[N]>).stricter(own[name], theirs[name]);
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, stricter(name)])) as unknown as Settings;
  const taken = SETTING_NAMES.filter((name) => lockedBy[name] !== undefined && settings[name] !== own[name]);
  return { settings, lockedBy: Object.fromEntries(taken.map((name) => [name, lockedBy[name]])) };
}

/** @param where names the file in messages @throws NS_BAD_POLICY */
export function parseOwnerFile(text: string, where: string): OwnerFile {
  const problems: string[] = [];
  const file = parseFile(text, where, ["version", "settings", "pause", "runUntilMs"], problems);
  const settings = checkSettings(file.settings, "settings", problems);
  const pause = file.pause === undefined || isPause(file.pause) ? (file.pause ?? null) : null;
  if (file.pause !== undefined && !isPause(file.pause))
    problems.push('pause must be null or {"untilMs": milliseconds since 1970 or null, "words": text or null}');
  const runUntilMs = file.runUntilMs ?? null;
  if (runUntilMs !== null && !(typeof runUntilMs === "number" && runUntilMs >= 0))
    problems.push("runUntilMs must be null or milliseconds since 1970");
  refuse(problems, where);
  return { settings, pause, runUntilMs: runUntilMs as number | null };
}

export const formatOwnerFile = (file: OwnerFile): string => `${JSON.stringify({ version: VERSION, ...file }, null, 2)}\n`;

/** @throws NS_BAD_POLICY */
export function parseAdminPolicy(text: string, where: string): AdminPolicy {
  const problems: string[] = [];
  const file = parseFile(text, where, ["version", "by", "locked", "defaults"], problems);
  const by = file.by ?? "your administrator";
  if (!isWords(by)) problems.push(`by must be a text of at most ${MAX_WORDS} characters`);
  const locked = checkSettings(file.locked, "locked", problems);
  const defaults = checkSettings(file.defaults, "defaults", problems);
  refuse(problems, where);
  return { by: by as string, locked, defaults };
}

/** Settings as a person or a program gives them. @throws NS_BAD_POLICY */
export function parseSettings(value: unknown, where: string): Partial<Settings> {
  const problems: string[] = [];
  const settings = checkSettings(value, "", problems);
  refuse(problems, where);
  return settings;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isWords = (value: unknown): value is string => typeof value === "string" && value.length > 0 && value.length <= MAX_WORDS;

function isPause(value: unknown): value is ManualPause | null {
  if (value === null) return true;
  if (!isObject(value)) return false;
  const { untilMs, words } = value;
  return (untilMs === null || (typeof untilMs === "number" && untilMs >= 0)) && (words === null || isWords(words));
}

function parseFile(text: string, where: string, keys: readonly string[], problems: string[]): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new NightshiftError("NS_BAD_POLICY", `${where} is not JSON: ${(thrown as Error).message}`, { cause: thrown });
  }
  if (!isObject(value)) throw new NightshiftError("NS_BAD_POLICY", `${where} must hold one JSON object`);
  if (value.version !== VERSION)
    problems.push(
      typeof value.version === "number" && value.version > VERSION
        ? `version is ${value.version}, of a newer Nightshift; this one reads ${VERSION}`
        : `version must be ${VERSION}`,
    );
  for (const key of Object.keys(value))
    if (!keys.includes(key)) problems.push(`there is no ${show(key)}; there are ${keys.join(", ")}`);
  return value;
}

function checkSettings(value: unknown, within: string, problems: string[]): Partial<Settings> {
  if (value === undefined) return {};
  if (!isObject(value)) {
    problems.push(`${within} must be an object of settings`);
    return {};
  }
  for (const [name, given] of Object.entries(value)) {
    const path = within === "" ? name : `${within}.${name}`;
    if (!isSettingName(name)) problems.push(`there is no setting ${show(path)}`);
    else if (!SETTINGS[name].check(given))
      problems.push(`${path} must be ${SETTINGS[name].allowed}${unit(name)}, not ${show(given)}`);
  }
  return value as Partial<Settings>;
}

const unit = (name: SettingName): string => (SETTINGS[name].unit === "" ? "" : ` (${SETTINGS[name].unit})`);
const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 100);

function refuse(problems: readonly string[], where: string): void {
  if (problems.length > 0)
    throw new NightshiftError("NS_BAD_POLICY", `${where}: ${problems.join("; ")}`, { details: { problems } });
}
