// The two files of the policy on disk: the owner's, which the agent writes too, whole or not at all, and the administrator's, which it
// only reads. What may stand in them is policy/sources.ts's.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type AdminPolicy,
  formatOwnerFile,
  MAX_FILE_BYTES,
  type OwnerFile,
  parseAdminPolicy,
  parseOwnerFile,
} from "../policy/index.ts";

/** Where the administrator's file belongs: a place that only administrators can write to. */
export function adminPolicyPath(platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return join(process.env.ProgramData ?? "C:\\ProgramData", "Nightshift", "policy.json");
  return platform === "darwin" ? "/Library/Application Support/Nightshift/policy.json" : "/etc/nightshift/policy.json";
}

/** @returns null when there is none @throws NS_BAD_POLICY */
export function readAdminPolicy(path: string): AdminPolicy | null {
  const text = readText(path);
  return text === null ? null : parseAdminPolicy(text, path);
}

export const ownerFilePath = (directory: string): string => join(directory, "settings.json");

/** @throws NS_BAD_POLICY */
export function readOwnerFile(path: string): OwnerFile {
  const text = readText(path);
  return text === null ? { settings: {}, pause: null } : parseOwnerFile(text, path);
}

/** @throws NS_HOME_UNUSABLE */
export const writeOwnerFile = (path: string, file: OwnerFile): void => writeWhole(path, formatOwnerFile(file));

/** Whatever happens meanwhile, the file is the old one or the new one; only this user reads it. @throws NS_HOME_UNUSABLE */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  try {
    const handle = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
    if (process.platform !== "win32") syncFolder(dirname(path));
  } catch (thrown) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `${path} cannot be written: ${(thrown as Error).message}`, { cause: thrown });
  }
}

/** The new name must survive too. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readText(path: string): string | null {
  try {
    if (statSync(path).size > MAX_FILE_BYTES)
      throw new NightshiftError("NS_BAD_POLICY", `${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    if (thrown instanceof NightshiftError) throw thrown;
    throw new NightshiftError("NS_BAD_POLICY", `${path} cannot be read: ${(thrown as Error).message}`, { cause: thrown });
  }
}
