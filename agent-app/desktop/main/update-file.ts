// update.json of the tray app: which release is being tried, so that a new version knows how to go back, and which are not tried again.
import { readFileSync } from "node:fs";
import { releaseFile, versionText } from "@nightshift/coordinator/protocol";
import { z } from "zod";
import { writeWhole } from "../../headless/policy-files.ts";

const MAX_BYTES = 64 * 1024;
const signedAt = z.number().int().nonnegative();

const file = z.object({
  version: z.literal(1),
  /** Of the newest release that has reached the coordinator: nothing signed before it is taken. */
  lastSignedAt: signedAt,
  /** Handed to the installer, and not yet known to be good. */
  trying: z
    .object({
      from: versionText,
      to: versionText,
      signedAt,
      /** The file of `from`, in updates/. */
      back: releaseFile,
      /** Of the new version, so far. */
      starts: z.number().int().nonnegative(),
      /** Why it was handed to the installer of the old one. */
      goingBack: z.string().max(1000).nullable(),
      /** The app ran when it was replaced, and is started for that reason. */
      again: z.boolean().default(false),
    })
    .nullable(),
  /** When releases were signed that were tried in vain. */
  refused: z.array(signedAt).max(100),
  /** What the coordinator has yet to hear. */
  tell: z.object({ version: versionText, problem: z.string().max(1000) }).nullable(),
});
export type Kept = Omit<z.infer<typeof file>, "version">;

const NOTHING: Kept = { lastSignedAt: 0, trying: null, refused: [], tell: null };

/** One that cannot be read counts as none: nothing is being tried. */
export function readUpdateFile(path: string): Kept {
  try {
    const text = readFileSync(path, "utf8");
    if (text.length > MAX_BYTES) return NOTHING;
    const { version: _, ...kept } = file.parse(JSON.parse(text));
    return kept;
  } catch {
    return NOTHING;
  }
}

/** @throws NS_HOME_UNUSABLE */
export const writeUpdateFile = (path: string, kept: Kept): void =>
  writeWhole(path, `${JSON.stringify({ version: 1, ...kept }, null, 2)}\n`);
