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

/** What MODE may be: a mode of the policy, or "screensaver", which is `locked` with Nightshift as the screensaver. */
export const INSTALL_MODES: readonly string[] = [...MODES, "screensaver"];

/** setup.nsi includes this. @param source the folder with the files @param by "setup" */
export function nsisContents({ source, kilobytes, by }: { source: string; kilobytes: number; by: string }): string {
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
