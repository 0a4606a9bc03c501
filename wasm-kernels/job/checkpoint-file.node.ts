// A checkpoint as a file: written whole or not at all, durable when saveCheckpoint() has returned, readable by its owner only, as memory
// may hold secrets.
import { createHash, randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NightshiftError } from "../errors.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, MAX_CHECKPOINT_BYTES, type Sha256 } from "./checkpoint.ts";

const sha256: Sha256 = (parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Replaces the file. @returns its size in bytes. @throws NS_BAD_FILE when it cannot be written, NS_LIMIT */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<number> {
  const pieces = encodeCheckpoint(checkpoint, sha256);
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new NightshiftError("NS_BAD_FILE", `Cannot write the checkpoint ${path}: ${(cause as Error).message}`, { cause });
  }
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** So that the new name survives a power cut. Windows has no such call, nor a need of it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @throws NS_BAD_FILE when it cannot be read, NS_BAD_CHECKPOINT */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  try {
    const { size } = await stat(path);
    if (size > MAX_CHECKPOINT_BYTES)
      throw new NightshiftError("NS_BAD_CHECKPOINT", `${path} is too large for a checkpoint: ${size} bytes`);
    return decodeCheckpoint(new Uint8Array(await readFile(path)), sha256);
  } catch (cause) {
    if (cause instanceof NightshiftError)
      throw new NightshiftError(cause.code, `${path}: ${cause.message}`, { cause, details: cause.details });
    throw new NightshiftError("NS_BAD_FILE", `Cannot read the checkpoint ${path}: ${(cause as Error).message}`, { cause });
  }
}
