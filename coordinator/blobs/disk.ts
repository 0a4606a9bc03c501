// Blobs as files: DIR/ab/cdef..., written under another name first, synced, then renamed, so that a file that is there is whole.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

/** All hashes are lower-case hex SHA-256. */
export interface Blobs {
  has(hash: string): Promise<boolean>;
  /** @throws NS_NOT_FOUND */
  get(hash: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Durable when it resolves. @throws NS_BLOB_MISMATCH when the bytes have another hash */
  put(hash: string, bytes: Uint8Array): Promise<void>;
  /** Removes blobs that are not in `keep` and are older than `olderThanMs`. @returns how many bytes that freed */
  sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number>;
}

/** Most bytes of recently used blobs kept in memory. */
const CACHE_BYTES = 64 * 2 ** 20;

export class DiskBlobs implements Blobs {
  private readonly directory: string;
  private readonly cache = new Map<string, Uint8Array<ArrayBuffer>>();
  private cachedBytes = 0;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  private path(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new NightshiftError("NS_NOT_FOUND", "not a blob's hash");
    return join(this.directory, hash.slice(0, 2), hash.slice(2));
  }

  async has(hash: string): Promise<boolean> {
    return this.cache.has(hash) || existsSync(this.path(hash));
  }

  async get(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const cached = this.cache.get(hash);
    if (cached) {
      this.cache.delete(hash); // to the end: used last
      this.cache.set(hash, cached);
      return cached;
    }
    try {
      const bytes = new Uint8Array(await readFile(this.path(hash)));
      this.remember(hash, bytes);
      return bytes;
    } catch (thrown) {
      throw new NightshiftError("NS_NOT_FOUND", `there is no blob ${hash.slice(0, 12)}...`, { cause: thrown });
    }
  }

  async put(hash: string, bytes: Uint8Array): Promise<void> {
    const path = this.path(hash);
    if (existsSync(path)) return;
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (actual !== hash)
      throw new NightshiftError(
        "NS_BLOB_MISMATCH",
        `the bytes have the hash ${actual.slice(0, 12)}..., not ${hash.slice(0, 12)}...`,
      );
    const folder = join(this.directory, hash.slice(0, 2));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const temporary = join(folder, `.${randomUUID()}`);
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(folder);
    this.remember(hash, new Uint8Array(bytes));
  }

  private remember(hash: string, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > CACHE_BYTES / 4 || this.cache.has(hash)) return;
    this.cache.set(hash, bytes);
    this.cachedBytes += bytes.length;
    for (const [oldest, old] of this.cache) {
      if (this.cachedBytes <= CACHE_BYTES) return;
      this.cache.delete(oldest);
      this.cachedBytes -= old.length;
    }
  }

  async sweep(keep: ReadonlySet<string>, olderThanMs: number): Promise<number> {
    let freed = 0;
    for (const folder of await readdir(this.directory)) {
      for (const name of await readdir(join(this.directory, folder))) {
        if (keep.has(folder + name)) continue;
        const path = join(this.directory, folder, name);
        const info = await stat(path);
        if (Date.now() - info.mtimeMs < olderThanMs) continue;
        await rm(path, { force: true });
        const cached = this.cache.get(folder + name);
        if (cached) this.cachedBytes -= cached.length;
        this.cache.delete(folder + name);
        freed += info.size;
      }
    }
    return freed;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // a folder cannot be opened there; NTFS journals the rename
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
