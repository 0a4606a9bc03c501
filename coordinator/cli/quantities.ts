// Durations and sizes as people type and read them. Pure; refuses what it does not understand with NS_USAGE.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES_PER: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  K: 2 ** 10,
  KiB: 2 ** 10,
  kB: 1e3,
  KB: 1e3,
  M: 2 ** 20,
  MiB: 2 ** 20,
  MB: 1e6,
  G: 2 ** 30,
  GiB: 2 ** 30,
  GB: 1e9,
};

/** "90s", "1.5h", "1h30m" or "250ms" in milliseconds; a plain number is seconds. NS_USAGE for anything else. */
export function parseDurationMs(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text)
    throw new NightshiftError("NS_USAGE", `'${text}' is not a duration such as 90s, 5m or 1h30m`);
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * (MS_PER[unit ?? ""] ?? 0), 0));
}

/** "512MiB", "1GiB", "1.5G" or "65536" (bytes) in bytes. NS_USAGE for anything else. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  const unit = match === null ? undefined : BYTES_PER[match[2] ?? ""];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? 0));
  if (unit === undefined || !Number.isSafeInteger(bytes) || bytes < 1)
    throw new NightshiftError("NS_USAGE", `'${text}' is not a size such as 64MiB or 1GiB`);
  return bytes;
}

/** A whole number within the bounds. NS_USAGE otherwise, naming `what`. */
export function parseCount(text: string, what: string, low: number, high: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new NightshiftError("NS_USAGE", `${what} must be a whole number from ${low} to ${high}, not '${text}'`);
}

/** "1.5 GiB": three figures, binary units. */
export function showBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) {
    bytes /= 1024;
    at++;
  }
  return `${at === 0 || bytes >= 99.95 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

/** "12.35", "0.042": two digits behind the point, or as many as say something. */
export function showAmount(value: number): string {
  if (value === 0 || Math.abs(value) >= 0.1) return value.toFixed(2);
  // Below a millionth of one nobody is told anything but that it is something.
  return Math.abs(value) < 1e-6 ? "<0.000001" : value.toFixed(Math.ceil(-Math.log10(Math.abs(value))) + 1);
}

/** "0.42 s", "12.3 s", "4:05", "3:12:45": the shorter the time, the finer. */
export function showDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
