// What an installation on Windows writes beside its files, in one table, from which both Setup.exe and the MSI are made: registry values,
// and the parameters that an administrator gives. Nothing of either is run here.
import { MODES } from "@nightshift/agent-app/policy";

/** `[FOLDER]` is where the files are, `[VERSION]` which they are, `[BY]` "setup" or "msi". */
export interface RegistryValue {
  key: string;
  /** "" is the key's own value. */
  name: string;
  value: string;
}

/** Whole keys that are ours: removed with all that is in them. */
export const OWN_KEYS = ["Software\\Nightshift", "Software\\Classes\\nightshift", "Software\\Classes\\nightshifts"] as const;
export const PRODUCT_KEY = OWN_KEYS[0];

const opensLinks = (scheme: string): RegistryValue[] => {
  const key = `Software\\Classes\\${scheme}`;
  return [
    { key, name: "", value: "URL:Nightshift" },
    { key, name: "URL Protocol", value: "" },
    { key: `${key}\\shell\\open\\command`, name: "", value: '"[FOLDER]\\Nightshift.exe" "%1"' },
  ];
};

/** Below HKEY_LOCAL_MACHINE, or HKEY_CURRENT_USER for one user; in the 64-bit view. */
export const REGISTRY: readonly RegistryValue[] = [
  { key: PRODUCT_KEY, name: "InstallLocation", value: "[FOLDER]" },
  { key: PRODUCT_KEY, name: "InstalledBy", value: "[BY]" },
  { key: PRODUCT_KEY, name: "Version", value: "[VERSION]" },
  // A service cannot see whether somebody is at the desk: the app starts with each user.
  { key: "Software\\Microsoft\\Windows\\CurrentVersion\\Run", name: "Nightshift", value: '"[FOLDER]\\Nightshift.exe" --hidden' },
  ...opensLinks("nightshift"),
  ...opensLinks("nightshifts"),
];

/**
 * Who may read PRODUCT_KEY of all users, which has the join link: the system and administrators change it, who sits at this PC reads it, as
 * the app runs for that person; not the network, not services. In Windows' security descriptor language.
 */
export const KEY_RIGHTS = "D:PAI(A;OICI;KA;;;SY)(A;OICI;KA;;;BA)(A;OICI;KR;;;IU)";

/**
 * With what Setup and the uninstaller end, beside 0 and NSIS's own 1 and 2. `winget`: as its manifests call it. 1618 is as the MSI says it:
 * deployment tools try again then.
 */
export const EXIT_CODES = {
  BAD_PARAMETER: { code: 10, winget: "invalidParameter" },
  DOWNGRADE: { code: 11, winget: "downgrade" },
  STILL_RUNNING: { code: 12, winget: "packageInUse" },
  NO_RIGHTS: { code: 13, winget: "contactSupport" },
  CANNOT_WRITE: { code: 14, winget: "contactSupport" },
  BAD_SYSTEM: { code: 15, winget: "systemNotSupported" },
  OTHER_INSTALLER: { code: 17, winget: "alreadyInstalled" },
  BUSY: { code: 1618, winget: "installInProgress" },
} as const;

/** What MODE may be: a mode of the policy, or "screensaver", which is `locked` with Nightshift as the screensaver. */
export const INSTALL_MODES: readonly string[] = [...MODES, "screensaver"];

export interface NsisOptions {
  /** The folder with the files. */
  source: string;
  kilobytes: number;
  /** "setup" */
  by: string;
  /** Signs the uninstaller, which only Setup's compiler has in hands as a file. */
  signWith: string | undefined;
}

/** setup.nsi includes this. */
export function nsisContents({ source, kilobytes, by, signWith }: NsisOptions): string {
  // $ begins a variable of NSIS, and a backslash means itself.
  const text = (value: string): string =>
    `\`${value
      .replaceAll("$", "$$$$")
      .replaceAll("[FOLDER]", "$INSTDIR")
      .replaceAll("[VERSION]", "$" + "{VERSION}")
      .replaceAll("[BY]", by)}\``;
  return [
    "; Made by contents.ts.",
    `!define APP_SOURCE ${text(source)}`,
    `!define APP_KILOBYTES ${kilobytes}`,
    `!define KEY_RIGHTS "${KEY_RIGHTS}"`,
    `!define MODES "${INSTALL_MODES.join(" ")}"`,
    ...Object.entries(EXIT_CODES).map(([name, { code }]) => `!define CODE_${name} ${code}`),
    ...(signWith === undefined ? [] : [`!uninstfinalize '"${signWith.replaceAll("$", "$$$$")}" "%1"' = 0`]),
    "!macro WriteValues",
    ...REGISTRY.map(({ key, name, value }) => `  WriteRegStr SHCTX ${text(key)} ${text(name)} ${text(value)}`),
    "!macroend",
    "!macro RemoveValues",
    ...REGISTRY.filter(({ key }) => !isOwn(key)).map(({ key, name }) => `  DeleteRegValue SHCTX ${text(key)} ${text(name)}`),
    ...OWN_KEYS.map((key) => `  DeleteRegKey SHCTX ${text(key)}`),
    "!macroend",
    "",
  ].join("\n");
}

export const isOwn = (key: string): boolean => OWN_KEYS.some((own) => key === own || key.startsWith(`${own}\\`));
