// What the policy says to people, in every language it speaks: one text for each reason, and the sentences around it. Tray, console and
// terminal take their words from here. `{name}` stands for a value of the reason.
import type { Decision, Reason } from "./decide.ts";
import type { ReasonCode, Values } from "./rules.ts";

/** What is told to others of a reason that names what is the owner's own business. */
const UNNAMED = { "exclusive-program": "exclusive-program-unnamed" } as const satisfies Partial<Record<ReasonCode, string>>;

type Text = ReasonCode | (typeof UNNAMED)[keyof typeof UNNAMED] | "computing" | "paused" | "locked-by";

const en: Record<Text, string> = {
  computing: "Computing",
  paused: "Paused: {reason}",
  "locked-by": "{reason} (set by {by})",
  starting: "about to start",
  "switched-off": "switched off",
  "by-hand": "until you resume it",
  "by-hand-until": "until {until}",
  "by-hand-words": "{words}",
  ending: "this computer is going to sleep or shutting down",
  "out-of-hours": "outside its hours",
  "owner-here": "you are here",
  "owner-unknown": "cannot tell whether you are here",
  "not-locked": "the screen is not locked",
  "remote-session": "somebody works here from elsewhere",
  "other-user": "somebody else uses this computer",
  "other-agent": "another user's Nightshift computes here",
  "exclusive-program": "{program} is running",
  "exclusive-program-unnamed": "a program is running that the owner wants nothing beside",
  "programs-unknown": "cannot tell which programs are running",
  "full-screen": "something fills the screen",
  "on-battery": "on battery, {percent} %",
  "on-battery-unknown": "on battery",
  hot: "too warm, {celsius} °C",
  throttled: "too warm, the processor slows down",
  metered: "on a metered network",
  "slow-network": "on a slow network, {mbps} Mbit/s",
  busy: "other programs are busy, {percent} %",
  "busy-unmeasured": "other programs are busy",
  "low-memory": "little memory is free, {percent} %",
  "low-disk": "little disk space is free, {megabytes} MB",
};

const zhCN: Record<Text, string> = {
  computing: "正在计算",
  paused: "已暂停：{reason}",
  "locked-by": "{reason}（由{by}设定）",
  starting: "即将开始",
  "switched-off": "已关闭",
  "by-hand": "直到您恢复为止",
  "by-hand-until": "直到 {until}",
  "by-hand-words": "{words}",
  ending: "电脑即将休眠或关机",
  "out-of-hours": "不在允许的时段内",
  "owner-here": "您正在使用电脑",
  "owner-unknown": "无法判断您是否在使用电脑",
  "not-locked": "屏幕未锁定",
  "remote-session": "有人正在远程使用此电脑",
  "other-user": "其他用户正在使用此电脑",
  "other-agent": "另一位用户的 Nightshift 正在此电脑上计算",
  "exclusive-program": "{program} 正在运行",
  "exclusive-program-unnamed": "正在运行机主指定的独占程序",
  "programs-unknown": "无法得知正在运行哪些程序",
  "full-screen": "有程序正在全屏显示",
  "on-battery": "正在使用电池，剩余 {percent}%",
  "on-battery-unknown": "正在使用电池",
  hot: "温度过高，{celsius} °C",
  throttled: "温度过高，处理器已降速",
  metered: "正在使用按流量计费的网络",
  "slow-network": "网络速度慢，{mbps} Mbit/s",
  busy: "其他程序正忙，{percent}%",
  "busy-unmeasured": "其他程序正忙",
  "low-memory": "可用内存不足，剩余 {percent}%",
  "low-disk": "磁盘空间不足，剩余 {megabytes} MB",
};

export const LANGUAGES = { en, "zh-CN": zhCN };
export type Language = keyof typeof LANGUAGES;

/** The language for a locale such as "zh_CN.UTF-8" or "de-DE": English where we speak none of it. */
export const languageOf = (locale: string | undefined): Language => (/^zh/i.test(locale ?? "") ? "zh-CN" : "en");

const unnamed = (code: string): Text | undefined =>
  Object.hasOwn(UNNAMED, code) ? UNNAMED[code as keyof typeof UNNAMED] : undefined;

/**
 * "on battery, 43 %"
 * @param audience "others": whoever may look at the coordinator, who need not know which programs there are on the owner's computer
 */
export function reasonWords(reason: Reason, language: Language = "en", audience: "owner" | "others" = "owner"): string {
  const texts = LANGUAGES[language];
  const text = (audience === "others" ? unnamed(reason.code) : undefined) ?? reason.code;
  const { untilMs } = reason.values;
  const until: Values = typeof untilMs === "number" ? { until: new Intl.DateTimeFormat(language, WHEN).format(untilMs) } : {};
  const words = fill(texts[text], { ...reason.values, ...until });
  return reason.by === null ? words : fill(texts["locked-by"], { reason: words, by: reason.by });
}

/** "Paused: on battery, 43 %" */
export function decisionWords({ reasons: [first] }: Pick<Decision, "reasons">, language: Language = "en"): string {
  const texts = LANGUAGES[language];
  return first === undefined ? texts.computing : fill(texts.paused, { reason: reasonWords(first, language) });
}

/** Decisions that a log need not tell apart: the figures behind a reason change all the time; what somebody says of a pause does not. */
export const kindOfDecision = (code: unknown, words: string): string =>
  String(code).startsWith("by-hand") ? words : String(code);

/**
 * What reasonWords() said in English, in another language: hosts tell the coordinator the sentence and its code, and no values. As it is where
 * that cannot be, as with the words of an agent of another version.
 */
export function reasonIn(language: Language, said: string, code: string | null): string {
  if (language === "en" || code === null || !Object.hasOwn(en, code)) return said;
  const locked = valuesIn(en["locked-by"], said);
  for (const text of [unnamed(code), code as ReasonCode]) {
    if (text === undefined) continue;
    const { [text]: other } = LANGUAGES[language];
    const inner = locked && valuesIn(en[text], locked.reason ?? "");
    if (inner) return fill(LANGUAGES[language]["locked-by"], { ...locked, reason: fill(other, inner) });
    const values = valuesIn(en[text], said);
    if (values) return fill(other, values);
  }
  return said;
}

/** The values that were filled into a text; undefined when it was another text. */
function valuesIn(text: string, said: string): Record<string, string> | undefined {
  const literal = (piece: string): string => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pieces = text.split(/\{(\w+)\}/);
  const pattern = pieces.map((piece, at) => (at % 2 === 0 ? literal(piece) : `(?<${piece}>.*)`)).join("");
  const found = new RegExp(`^${pattern}$`, "s").exec(said);
  return found ? { ...found.groups } : undefined;
}

const WHEN: Intl.DateTimeFormatOptions = { weekday: "short", hour: "2-digit", minute: "2-digit" };

const fill = (text: string, values: Values): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
