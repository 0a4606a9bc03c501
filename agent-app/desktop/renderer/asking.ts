// A page's side of the bridge: the state as React sees it, and what comes of a request.
import { useEffect, useState } from "react";
import type { Bridge } from "../ipc/bridge.ts";
import type { AppState } from "../ipc/state.ts";
import type { Language, Words } from "../words/catalogue.ts";
import { saidIn } from "../words/refusals.ts";

declare global {
  interface Window {
    nightshift: Bridge;
  }
}

export const ask: Bridge["ask"] = (name, value) => window.nightshift.ask(name, value);

export function useAppState(): AppState | null {
  const [state, setState] = useState<AppState | null>(null);
  useEffect(() => {
    window.nightshift.onState(setState);
    ask("state", null).then(setState, () => undefined);
  }, []);
  return state;
}

export const messageOf = (thrown: unknown, language: Language): string =>
  thrown instanceof Error ? refusalOf({ code: String(thrown.cause), message: thrown.message }, language) : String(thrown);

/** In one line. */
export function refusalOf({ code, message }: { code: string; message: string }, language: Language): string {
  const { title, more } = saidIn(language, code, message);
  return language === "en" ? title : `${title} ${more}`;
}

export interface PageProps {
  state: AppState;
  words: Words;
}

const HOUR_MS = 3_600_000;

/** Processor hours with as many digits as say something. */
export function hoursText(ms: number, language: string): string {
  const hours = ms / HOUR_MS;
  return new Intl.NumberFormat(language, { maximumFractionDigits: hours < 0.1 ? 3 : hours < 10 ? 1 : 0 }).format(hours);
}

/** "3 min", "1.5 h" of processor time. */
export function timeText(ms: number, language: string): string {
  const format = (value: number, unit: string): string =>
    new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
  if (ms < 60_000) return format(ms / 1000, "second");
  return ms < HOUR_MS ? format(ms / 60_000, "minute") : format(ms / HOUR_MS, "hour");
}

export const megabytesText = (bytes: number, language: string): string =>
  new Intl.NumberFormat(language, { style: "unit", unit: "megabyte", maximumFractionDigits: 0 }).format(bytes / 2 ** 20);
