// install.json, which an administrator puts beside the policy where there is no registry: what installers on Windows are told by their parameters.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type Installed, readInstalled } from "./installed.ts";
import { adminPolicyPath } from "./policy-files.ts";

const MAX_FILE_BYTES = 16 * 1024;
const file = z.strictObject({
  join: z.string().max(2000).optional(),
  pool: z.string().max(100).optional(),
  mode: z.string().max(20).optional(),
  tray: z.boolean().optional(),
});

/** What was told on this PC, wherever it stands. @returns null: nothing */
export const readTold = (): Installed | null =>
  process.platform === "win32" ? readInstalled() : readInstallFile(join(dirname(adminPolicyPath()), "install.json"));

/** One that cannot be read is told and counts as none. @returns null where there is none */
export function readInstallFile(path: string): Installed | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  try {
    if (text.length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    const { join: link = null, pool = null, mode = null, tray = true } = file.parse(JSON.parse(text));
    return { join: link, pool, mode, screensaver: false, tray, byInstaller: true, bySetupForOneUser: false };
  } catch (thrown) {
    // Its own words, not those of the JSON reader, which quotes the text: the link is a secret.
    const why =
      thrown instanceof z.ZodError
        ? thrown.issues.map(({ path: at, message }) => `${at.join(".")}: ${message}`).join("; ")
        : "it is not JSON or too large";
    console.error(`nightshift: NS_BAD_FILE: ${path} counts for nothing: ${why}`);
    return null;
  }
}
