// What this browser remembers of a coordinator: what its owner has agreed to and whether it was paused since, so that a reload goes on as it was, and once it has joined the coordinator's key, so that
// the page can be opened again without a link. No secret is kept.
import { fromBase64Url, toBase64Url } from "@nightshift/coordinator/protocol";
import { type Consent, WHENS } from "./lending.ts";

const CONSENT = `nightshift ${location.host}`;
const PAUSED = `nightshift ${location.host} paused`;
const KEY = `nightshift ${location.host} key`;

export const allCores = (): number => Math.max(1, navigator.hardwareConcurrency);

export function rememberedConsent(): Consent | undefined {
  try {
    const { when, cores, onlyCharging } = JSON.parse(localStorage.getItem(CONSENT) ?? "");
    const valid = WHENS.includes(when) && Number.isInteger(cores) && cores >= 1 && cores <= allCores();
    return valid ? { when, cores, onlyCharging: onlyCharging === true } : undefined;
  } catch {
    return undefined;
  }
}

export const rememberConsent = (consent: Consent): void => keep(CONSENT, JSON.stringify(consent));
export function forgetConsent(): void {
  localStorage.removeItem(CONSENT);
  localStorage.removeItem(PAUSED);
}

/** That its owner has paused it by hand, until they resume it. */
export const rememberPause = (paused: boolean): void => (paused ? keep(PAUSED, "yes") : localStorage.removeItem(PAUSED));
export function rememberedPause(): boolean {
  try {
    return localStorage.getItem(PAUSED) !== null;
  } catch {
    return false;
  }
}

export function rememberedKey(): Uint8Array | undefined {
  try {
    return fromBase64Url(localStorage.getItem(KEY) ?? "-") ?? undefined;
  } catch {
    return undefined;
  }
}

export const rememberKey = (key: Uint8Array): void => keep(KEY, toBase64Url(key));

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A private window: asked again after a reload.
  }
}
