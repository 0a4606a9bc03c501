// May this machine compute now, and if not, why not? A function of signals, settings and time; what must be remembered from one decision
// to the next goes in and comes out. Stopping is immediate; starting again needs startAfterSeconds with nothing against it.
import { type Circumstances, modeOf, presence, type ReasonCode, RULES, type Values } from "./rules.ts";
import type { SettingName } from "./settings.ts";

export interface Reason {
  code: ReasonCode;
  values: Values;
  /** Who has locked the setting behind it, if it is locked. */
  by: string | null;
}

export interface Decision {
  compute: boolean;
  /** Why not: the most telling reason first. Empty while computing. */
  reasons: readonly Reason[];
  /** Part of the slots that may compute. */
  coresPercent: number;
  /** Part of the memory that processes may have. */
  memoryPercent: number;
  /** How long processes wait here before they continue elsewhere. */
  graceMs: number;
  /**
   * Until when this decision stands, if no signal changes: milliseconds from now, after which to decide again; null: for ever.
   * It may stand longer, never shorter.
   */
  changesInMs: number | null;
}

export interface Memory {
  computing: boolean;
  /** When something other than a person's order last stood against computing; null: never yet, as when the agent has just started. */
  againstAtMs: number | null;
  /** What stood against computing when last looked. */
  standing: readonly ReasonCode[];
}

export const NO_MEMORY: Memory = { computing: false, againstAtMs: null, standing: [] };

/** @param lockedBy see Effective */
export function decide(
  at: Circumstances,
  lockedBy: Partial<Record<SettingName, string>>,
  before: Memory,
): { decision: Decision; memory: Memory } {
  const { settings, moment } = at;
  const reasons: (Reason & { lasting: boolean })[] = [];
  const changes: number[] = [];
  let { againstAtMs } = before;
  for (const rule of RULES) {
    const found = rule.look(at, before.standing);
    if (!found) continue;
    if (found.changesInMs !== undefined) changes.push(found.changesInMs);
    if (found.code === null) continue;
    const by = (rule.setting && lockedBy[rule.setting]) ?? null;
    reasons.push({ code: found.code, values: found.values ?? {}, by, lasting: rule.lasting ?? false });
    // What stopped it stands against it now, whatever happened before.
    if (!rule.byHand)
      againstAtMs = Math.max(againstAtMs ?? -Infinity, before.computing ? moment.nowMs : (found.lastAtMs ?? moment.nowMs));
  }
  const holdMs = againstAtMs === null ? 0 : againstAtMs + settings.startAfterSeconds * 1000 - moment.nowMs;
  if (reasons.length === 0 && holdMs > 0 && !before.computing) {
    changes.push(holdMs);
    reasons.push({ code: "starting", values: {}, by: null, lasting: false });
  }
  const compute = reasons.length === 0;
  const here = modeOf(at) === "always" ? presence(at) : { present: false };
  if (here.changesInMs !== undefined) changes.push(here.changesInMs);
  return {
    decision: {
      compute,
      reasons: reasons.map(({ code, values, by }) => ({ code, values, by })),
      coresPercent: here.present ? settings.coresPercentPresent : settings.coresPercent,
      memoryPercent: here.present ? settings.memoryPercentPresent : settings.memoryPercent,
      graceMs: reasons[0]?.lasting ? 0 : settings.graceSeconds * 1000,
      changesInMs: changes.length === 0 ? null : Math.min(...changes),
    },
    memory: { computing: compute, againstAtMs, standing: reasons.map(({ code }) => code) },
  };
}

/** When a pause until tomorrow ends: at six in the morning after the next midnight, local time, as milliseconds since 1970. */
export function tomorrowMs({ wallMs, minuteOfWeek }: Circumstances["moment"]): number {
  const MORNING_MINUTES = 6 * 60;
  return wallMs + (1440 - (minuteOfWeek % 1440) + MORNING_MINUTES) * 60_000;
}
