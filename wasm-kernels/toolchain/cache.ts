// Build results on disk, named by the hash of everything that went into them. A file that is damaged, cut short or of another
// format counts as absent; a cache that cannot be written costs time, never the result. It stays within a limit: what nobody has asked for
// for longest goes first. Knows nothing of compilers.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A cached build: bytes and the text that the tools wrote while making them. */
export interface Build {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Raised when the format below changes, so that older files are not misread. */
const FORMAT = "nightshift-build-1";

/** What the builds in a folder may take: the objects and programs of dozens of large projects. */
const MOST_BYTES = 512 * 2 ** 20;
/** Looking at every file of a folder takes as long as some builds, so only one build in so many is followed by it; its key says which. */
const TRIM_ONE_IN = 32;
/** A file half written that is older than this has been left by a process that died. */
const LEFT_BEHIND_MS = 3_600_000;

/** The name of a build: SHA-256 over its ingredients, each with its length, so that no two lists run together. */
export function buildKey(ingredients: Iterable<string | Uint8Array>): string {
  const hash = createHash("sha256").update(FORMAT);
  for (const ingredient of ingredients) {
    const bytes = typeof ingredient === "string" ? Buffer.from(ingredient) : ingredient;
    hash.update(`\n${bytes.byteLength}\n`).update(bytes);
  }
  return hash.digest("hex");
}

/** The build of that key, or undefined. One line of JSON (digest of the rest), the text, then the bytes. */
export async function readBuild(cacheDir: string, key: string): Promise<Build | undefined> {
  try {
    const path = join(cacheDir, `${key}.build`);
    const file = await readFile(path);
    const lineEnd = file.indexOf(10);
    const header = JSON.parse(file.toString("utf8", 0, lineEnd)) as { format?: unknown; sha256?: unknown; textBytes?: unknown };
    const body = file.subarray(lineEnd + 1);
    const whole = header.format === FORMAT && header.sha256 === createHash("sha256").update(body).digest("hex");
    if (!whole || typeof header.textBytes !== "number") return undefined;
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined); // wanted again: not the next to go
    return { text: body.toString("utf8", 0, header.textBytes), bytes: new Uint8Array(body.subarray(header.textBytes)) };
  } catch {
    return undefined; // absent or unreadable: it is built again
  }
}

/** Writes the build under its key: whole or not at all, even when several processes write the same one. */
export async function writeBuild(cacheDir: string, key: string, build: Build): Promise<void> {
  const text = Buffer.from(build.text);
  const body = Buffer.concat([text, build.bytes]);
  const header = { format: FORMAT, sha256: createHash("sha256").update(body).digest("hex"), textBytes: text.byteLength };
  const temporary = join(cacheDir, `${key}.${randomUUID()}.tmp`);
  try {
    await mkdir(cacheDir, { recursive: true, mode: 0o700 });
    await writeFile(temporary, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]), { mode: 0o600 });
    await rename(temporary, join(cacheDir, `${key}.build`));
    if (Number.parseInt(key.slice(0, 8), 16) % TRIM_ONE_IN === 0) await trimBuilds(cacheDir);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined); // a full or read-only disk must not fail the compilation
  }
}

/** Removes the builds that have not been asked for for longest when together they take more, down to three quarters of it. */
export async function trimBuilds(cacheDir: string, mostBytes = MOST_BYTES): Promise<void> {
  const builds: { path: string; bytes: number; usedMs: number }[] = [];
  for (const name of await readdir(cacheDir)) {
    if (!/^[0-9a-f]{64}\..*(build|tmp)$/.test(name)) continue; // not ours
    const path = join(cacheDir, name);
    const found = await stat(path).catch(() => undefined); // another process may have removed it
    if (!found) continue;
    if (name.endsWith(".build")) builds.push({ path, bytes: found.size, usedMs: found.mtimeMs });
    else if (Date.now() - found.mtimeMs > LEFT_BEHIND_MS) await rm(path, { force: true });
  }
  let bytes = builds.reduce((sum, build) => sum + build.bytes, 0);
  if (bytes <= mostBytes) return;
  for (const build of builds.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= mostBytes * 0.75) return;
    await rm(build.path, { force: true });
    bytes -= build.bytes;
  }
}
