// The folder a job works in (`run --dir`): which of its files go along, and writing back what the job wrote, never outside of the
// folder. Paths from the coordinator are not trusted.

import { createHash, randomUUID } from "node:crypto";
import { createReadStream, type Dirent, readdirSync } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { MAX_PART_FILES, stepPattern } from "../protocol/index.ts";

export interface FileRef {
  hash: string;
  size: number;
}

/** Bounds of what goes along: a slip such as `--dir /` ends in a clear error. */
export const MAX_JOB_FILES = 10_000;
export const MAX_JOB_BYTES = 2 ** 30;
/** As the message's schema bounds it. */
const MAX_PATH_CHARACTERS = 4096;

/** Regular files below the folder by relative path with forward slashes; links are left out, as they may lead anywhere. NS_BAD_FILE, NS_LIMIT. */
export async function collectFiles(folder: string): Promise<Map<string, FileRef>> {
  const found = new Map<string, FileRef>();
  let totalBytes = 0;
  const visit = async (path: string, prefix: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch((cause: Error) => {
      throw new NightshiftError("NS_BAD_FILE", `Cannot read the folder ${path}: ${cause.message}`, { cause });
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const full = join(path, entry.name);
      const relative = prefix + entry.name;
      if (entry.isDirectory()) await visit(full, `${relative}/`);
      else if (entry.isFile()) {
        const { size } = await lstat(full);
        totalBytes += size;
        if (found.size >= MAX_JOB_FILES || totalBytes > MAX_JOB_BYTES)
          throw new NightshiftError(
            "NS_LIMIT",
            `${folder} has too much in it for a job: at most ${MAX_JOB_FILES} files of ${MAX_JOB_BYTES >> 20} MiB together`,
            { details: { remedy: "Name a smaller folder, or start the program in one: all that lies in it would be read." } },
          );
        found.set(relative, { hash: await hashFile(full), size });
      }
    }
  };
  await visit(folder, "");
  return found;
}

/**
 * Regular files whose path from the folder matches, sorted; * and ? stand for characters within a step, and names with a dot in front are
 * meant only where the pattern has one. Links are not followed. @throws NS_BAD_FILE, NS_LIMIT
 */
export function filesMatching(folder: string, pattern: string): string[] {
  const steps = pattern.replaceAll("\\", "/").split("/");
  let found = [steps[0] === "" ? "/" : ""];
  for (const [at, step] of steps.entries()) {
    if (at === 0 && step === "") continue;
    const wild = /[*?]/.test(step);
    const last = at === steps.length - 1;
    const next: string[] = [];
    for (const before of found) {
      if (!wild && !last) {
        next.push(`${before}${step}/`);
        continue;
      }
      const fits = stepPattern(step);
      for (const entry of entriesOf(resolve(folder, before)))
        if (
          (last ? entry.isFile() : entry.isDirectory()) &&
          fits.test(entry.name) &&
          (step.startsWith(".") || !entry.name.startsWith("."))
        )
          next.push(`${before}${entry.name}${last ? "" : "/"}`);
      if (next.length > MAX_PART_FILES)
        throw new NightshiftError("NS_LIMIT", `more than ${MAX_PART_FILES} files match ${pattern}`);
    }
    found = next;
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR"].includes((thrown as NodeJS.ErrnoException).code ?? "")) return [];
    throw new NightshiftError("NS_BAD_FILE", `Cannot read the folder ${path}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const part of createReadStream(path)) hash.update(part as Buffer);
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  return hash.digest("hex");
}

/**
 * The parts of a path that stays below the folder it is relative to, on every system. NS_BAD_FILE for absolute paths, `..`,
 * drive letters, backslashes, device names, and characters no file system takes.
 */
export function safeParts(path: string): string[] {
  const refuse = (why: string): NightshiftError =>
    new NightshiftError("NS_BAD_FILE", `The job's file ${JSON.stringify(path.slice(0, 200))} is not written: ${why}`);
  if (path === "" || path.length > MAX_PATH_CHARACTERS) throw refuse("its name is empty or too long");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are refused
  if (/[\u0000-\u001f\\]/.test(path)) throw refuse("its name has a character that is not allowed");
  const parts = path.split("/");
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") throw refuse("it would lie outside of the folder");
    if (process.platform === "win32" && (/[:*?"<>|]|[ .]$/.test(part) || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)))
      throw refuse("its name means something else on Windows");
  }
  return parts;
}

/** Writes one file below the folder, whole or not at all. NS_BAD_FILE when the path leads out of it, also through a link. */
export async function writeBack(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const parts = safeParts(path);
  let at = folder;
  for (const part of parts.slice(0, -1)) {
    at = join(at, part);
    await mkdir(at).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST")
        throw new NightshiftError("NS_BAD_FILE", `Cannot make ${at}: ${thrown.message}`, { cause: thrown });
    });
    if (!(await lstat(at)).isDirectory())
      throw new NightshiftError("NS_BAD_FILE", `The job's file ${path} is not written: ${at} is a link or no folder`);
  }
  const target = [folder, ...parts].join(sep);
  const existing = await lstat(target).catch(() => null);
  if (existing !== null && !existing.isFile())
    throw new NightshiftError("NS_BAD_FILE", `The job's file ${path} is not written: ${target} is a link or no file`);
  const temporary = join(dirname(target), `.nightshift-${randomUUID()}.tmp`);
  try {
    // "wx": never through something that is there already.
    const file = await open(temporary, "wx", existing === null ? 0o666 : existing.mode & 0o777);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new NightshiftError("NS_BAD_FILE", `Cannot write ${target}: ${(cause as Error).message}`, { cause });
  }
}
