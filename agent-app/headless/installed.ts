// What the installer was told on this PC. On Windows it stands in the registry, for this user or else for all users, where
// installer/contents.ts has it written; elsewhere installers leave nothing. Reads it and makes Nightshift a user's screensaver; no more.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Installed {
  /** The join link, unchecked. */
  join: string | null;
  /** What whoever installed it groups it by, unchecked. */
  pool: string | null;
  /** A mode of the policy, unchecked: a default below the administrator's. */
  mode: string | null;
  /** Nightshift is to be the screensaver of whoever has none. */
  screensaver: boolean;
  /** Whether there is to be an icon in the tray. */
  tray: boolean;
}

const KEYS = ["HKCU\\Software\\Nightshift", "HKLM\\Software\\Nightshift"] as const;
const DESKTOP = "HKCU\\Control Panel\\Desktop";
const SCREENSAVER = "SCRNSAVE.EXE";
const TIMEOUT_MS = 10_000;

/** @returns null where nothing was installed */
export function readInstalled(): Installed | null {
  if (process.platform !== "win32") return null;
  for (const key of KEYS) {
    const values = query(key);
    if (values?.InstalledBy !== undefined) return installedFrom(values);
  }
  return null;
}

export function installedFrom(values: Readonly<Record<string, string>>): Installed {
  const screensaver = values.Mode === "screensaver";
  return {
    join: values.Join ?? null,
    pool: values.Pool ?? null,
    mode: screensaver ? "locked" : (values.Mode ?? null),
    screensaver,
    tray: values.Tray !== "0",
  };
}

/** Name -> value of the texts in what `reg query` prints. */
export function parseRegistry(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^ {4}(\S+) {4}REG_SZ {4}(.*?)\r?$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
}

/** Makes Nightshift.scr this user's screensaver, unless there is one. @throws when the registry cannot be written */
export function chooseScreensaver(): void {
  if ((query(DESKTOP)?.[SCREENSAVER] ?? "") !== "") return;
  const path = systemFile("Nightshift.scr");
  for (const [name, value] of [
    [SCREENSAVER, path],
    ["ScreenSaveActive", "1"],
  ] as const)
    reg("add", DESKTOP, "/v", name, "/t", "REG_SZ", "/d", value, "/f");
}

const systemFile = (name: string): string => join(process.env.SystemRoot ?? "C:\\Windows", "System32", name);

/** The system's own program: Node has no words for the registry. */
const reg = (...args: readonly string[]): string =>
  execFileSync(systemFile("reg.exe"), [...args, "/reg:64"], {
    encoding: "utf8",
    windowsHide: true,
    timeout: TIMEOUT_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });

/** undefined: there is no such key. */
function query(key: string): Record<string, string> | undefined {
  try {
    return parseRegistry(reg("query", key));
  } catch {
    return undefined;
  }
}
