// The console's language: what is chosen or what the browser prefers, sentences with their values filled in, numbers, times and sizes.
import { useSyncExternalStore } from "react";
import { type Key, texts } from "./texts.ts";

export type Language = keyof typeof texts;
const STORED = "nightshift-language";
const listeners = new Set<() => void>();

const preferred = (): Language => {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
};
let language: Language = preferred();
document.documentElement.lang = language === "zh" ? "zh-CN" : "en";

export function setLanguage(next: Language): void {
  language = next;
  localStorage.setItem(STORED, next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  for (const listener of listeners) listener();
}

export const useLanguage = (): Language =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => language,
  );

/** The text with its values: {name} is one, {name:host|hosts} the word that goes with its number. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return texts[language][key].replaceAll(
    /\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g,
    (whole, name: string, one?: string, more?: string) => {
      const value = values[name];
      if (one !== undefined && more !== undefined) return value === 1 ? one : more;
      return value === undefined ? whole : typeof value === "number" ? showNumber(value) : value;
    },
  );
}

/** For what is not drawn again by itself. */
export const languageNow = (): Language => language;
/** As the policy's words call it. */
export const policyLanguage = (): "en" | "zh-CN" => (language === "zh" ? "zh-CN" : "en");
const locale = (): string => (language === "zh" ? "zh-CN" : "en-GB");
export const showNumber = (value: number): string => new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);
/** With two digits behind the point. */
export const showHundredths = (value: number): string =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
/** With two digits behind the point, or as many as say something where that is nothing. */
export const showAmount = (value: number): string =>
  value >= 1 || value === 0
    ? showHundredths(value)
    : new Intl.NumberFormat(locale(), { maximumSignificantDigits: 2 }).format(value);
export const showPercent = (value: number): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(value);
/** +2.01 %, to the hundredth as published. */
export const showFraction = (value: number): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2, signDisplay: "exceptZero" }).format(value);
export const showSeconds = (seconds: number): string => `${showHundredths(seconds)} ${language === "zh" ? "秒" : "s"}`;
export const showTime = (at: number): string =>
  // 29 Nov 2026, 2026/11/29: as long as each other, so that both fit into columns.
  new Intl.DateTimeFormat(locale(), { dateStyle: language === "zh" ? "short" : "medium", timeStyle: "medium" }).format(at);
/** At an axis. @param at in seconds @param step to the next one, in seconds: whether the day or the time says more */
export const showTick = (at: number, step: number): string =>
  new Intl.DateTimeFormat(
    locale(),
    step >= 86_400 ? { month: "short", day: "numeric" } : { timeStyle: step >= 60 ? "short" : "medium" },
  ).format(at * 1000);
export const showClock = (at: number): string => new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(at);

/** Mon ... Sun. @param day from 0, Monday */
export const showWeekday = (day: number): string =>
  // 1 January 2024 was a Monday.
  new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + day));

export function showBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${showNumber(bytes / 1024 ** power)} ${units[power]}`;
}

/** 950 ms, 12.3 s, 4 min 5 s, 2 h 3 min. */
export function showDuration(ms: number): string {
  const [milliseconds, seconds, minutes, hours] = language === "zh" ? ["毫秒", "秒", "分", "小时"] : ["ms", "s", "min", "h"];
  if (ms < 1000) return `${Math.round(ms)} ${milliseconds}`;
  const s = ms / 1000;
  if (s < 60) return `${showNumber(s)} ${seconds}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${minutes} ${Math.floor(s % 60)} ${seconds}`;
  return `${Math.floor(s / 3600)} ${hours} ${Math.floor((s % 3600) / 60)} ${minutes}`;
}
