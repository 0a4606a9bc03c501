// The tray app's own file, desktop.json: whom it has joined and how it looks. The policy's settings are in the agent's settings.json.
import { readFileSync, renameSync } from "node:fs";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { writeWhole } from "../../headless/policy-files.ts";
import type { AppSettings } from "../ipc/state.ts";

const VERSION = 1;
const MAX_BYTES = 64 * 1024;

const file = z.object({
  version: z.literal(VERSION),
  coordinator: z
    .object({
      host: z.string().min(1).max(253),
      port: z.number().int().min(1).max(65_535),
      tls: z.boolean(),
      /** base64url */
      key: z.string().length(43),
      /** base64url, sealed where there is safe storage; only until enrolled. */
      token: z.string().max(2_000).nullable(),
      tokenSealed: z.boolean(),
    })
    .nullable(),
  app: z.object({
    language: z.enum(["system", "en", "zh-CN"]),
    notifications: z.boolean(),
    openAtLogin: z.boolean(),
    screensaverAfterMinutes: z.number().int().min(0).max(1440),
  }) satisfies z.ZodType<AppSettings>,
  /** What of the installation has been done for this user: once, so that what the owner changes later stays. */
  installed: z
    .object({
      /** SHA-256 of the link that was joined, hex. */
      link: z.string().length(64).nullable(),
      screensaver: z.boolean(),
    })
    .default({ link: null, screensaver: false }),
});
export type AppFile = Omit<z.infer<typeof file>, "version">;

export const NEW_APP_FILE: AppFile = {
  coordinator: null,
  app: { language: "system", notifications: false, openAtLogin: true, screensaverAfterMinutes: 0 },
  installed: { link: null, screensaver: false },
};

/** One that is damaged is put aside, under another name, and told. @throws NS_HOME_UNUSABLE when there is one that cannot be read now */
export function readAppFile(path: string, damaged: (message: string) => void): AppFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return NEW_APP_FILE;
    throw new NightshiftError("NS_HOME_UNUSABLE", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    if (text.length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    const { version: _, ...content } = file.parse(JSON.parse(text));
    return content;
  } catch (thrown) {
    try {
      renameSync(path, `${path}.damaged`);
    } catch {
      // It stays where it is, and is written over.
    }
    damaged(`${path} was damaged and has been put aside: ${(thrown as Error).message.slice(0, 200)}`);
    return NEW_APP_FILE;
  }
}

/** @throws NS_HOME_UNUSABLE */
export const writeAppFile = (path: string, content: AppFile): void =>
  writeWhole(path, `${JSON.stringify({ version: VERSION, ...content }, null, 2)}\n`);
