// Build results on disk, named by the hash of everything that went into them. A file that is damaged, cut short or of another
// format counts as absent; a cache that cannot be written costs time, never the result. Knows nothing of compilers.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A cached build: bytes and the text that the tools wrote while making them. */
export interface Build {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Raised when the format below changes, so that older files are not misread. */
const FORMAT = "nightshift-build-1";

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
    const file = await readFile(join(cacheDir, `${key}.build`));
    const lineEnd = file.indexOf(10);
    const header = JSON.parse(file.toString("utf8", 0, lineEnd)) as { format?: unknown; sha256?: unknown; textBytes?: unknown };
    const body = file.subarray(lineEnd + 1);
    const whole = header.format === FORMAT && header.sha256 === createHash("sha256").update(body).digest("hex");
    if (!whole || typeof header.textBytes !== "number") return undefined;
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
    await mkdir(cacheDir, { recursive: true });
    await writeFile(temporary, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]));
    await rename(temporary, join(cacheDir, `${key}.build`));
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined); // a full or read-only disk must not fail the compilation
  }
}
