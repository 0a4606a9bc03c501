// What the installer was told on this PC. On Windows it stands in the registry, for this user or else for all users, where
// installer/contents.ts has it written, and group policy may say otherwise; elsewhere in a file (install-file.ts). Reads it and makes
// Nightshift a user's screensaver; no more.
import { POLICY_KEYS, queryKey, type Registry, readKeys, reg, systemFile } from "./registry.ts";

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
  /** Whether an installer has the system start the app and open links with it. */
  byInstaller: boolean;
  /** By Setup.exe for this user alone, who can also replace it. */
  bySetupForOneUser: boolean;
}

type Values = Readonly<Record<string, string | number | undefined>>;

const KEYS = ["HKCU\\Software\\Nightshift", "HKLM\\Software\\Nightshift"] as const;
const DESKTOP = "HKCU\\Control Panel\\Desktop";
const SCREENSAVER = "SCRNSAVE.EXE";
/** What of an installation group policy may say. */
const OF_POLICY = ["Join", "Pool", "Tray"] as const;

/** @returns null where nothing was installed, and group policy says nothing of it */
export function readInstalled(): Installed | null {
  if (process.platform !== "win32") return null;
  // By way of a file, as a pool may be called something that a console cannot print.
  const registry = readAll();
  const at = (key: string): Values | undefined => registry.get(key.toLowerCase());
  const [own, all] = KEYS.map(at);
  const forOneUser = own?.InstalledBy !== undefined;
  const installed = forOneUser ? own : all?.InstalledBy === undefined ? undefined : all;
  return installedFrom(installed, POLICY_KEYS.map(at), forOneUser);
}

/** Where the registry cannot be read it says nothing: group-policy.ts tells. */
function readAll(): Registry {
  try {
    return readKeys([...KEYS, ...POLICY_KEYS]);
  } catch {
    return new Map();
  }
}

/**
 * @param policies of two that say something the one in front counts, and either before what was installed
 * @param forOneUser it stands in that user's registry
 */
export function installedFrom(
  installed: Values | undefined,
  policies: readonly (Values | undefined)[] = [],
  forOneUser = false,
): Installed | null {
  const values: Record<string, string | number | undefined> = { ...installed };
  for (const policy of policies.toReversed())
    for (const name of OF_POLICY) if (policy?.[name] !== undefined) values[name] = policy[name];
  if (Object.keys(values).length === 0) return null;
  const text = (name: string): string | null => (values[name] === undefined ? null : String(values[name]));
  const screensaver = values.Mode === "screensaver";
  return {
    join: text("Join"),
    pool: text("Pool"),
    mode: screensaver ? "locked" : text("Mode"),
    screensaver,
    tray: text("Tray") !== "0",
    byInstaller: installed !== undefined,
    bySetupForOneUser: forOneUser && installed?.InstalledBy === "setup",
  };
}

/** Makes Nightshift.scr this user's screensaver, unless there is one. @throws when the registry cannot be written */
export function chooseScreensaver(): void {
  if ((queryKey(DESKTOP)?.[SCREENSAVER] ?? "") !== "") return;
  const path = systemFile("Nightshift.scr");
  for (const [name, value] of [
    [SCREENSAVER, path],
    ["ScreenSaveActive", "1"],
  ] as const)
    reg("add", DESKTOP, "/v", name, "/t", "REG_SZ", "/d", value, "/f");
}
