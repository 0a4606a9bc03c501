import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskBlobs } from "./disk.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nightshift-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const some = (text: string): { bytes: Uint8Array; hash: string } => {
  const bytes = new TextEncoder().encode(text);
  return { bytes, hash: hashOf(bytes) };
};

test("a blob comes back by its hash, from the disk too", async () => {
  const { bytes, hash } = some("program");
  await new DiskBlobs(directory).put(hash, bytes);
  const again = new DiskBlobs(directory);
  expect(await again.has(hash)).toBe(true);
  expect(await again.get(hash)).toEqual(bytes);
});

test("bytes under a wrong hash are refused and leave nothing behind", async () => {
  const blobs = new DiskBlobs(directory);
  await expect(blobs.put(some("a").hash, some("b").bytes)).rejects.toThrow(expect.objectContaining({ code: "NS_BLOB_MISMATCH" }));
  expect(readdirSync(directory)).toEqual([]);
});

test("a missing blob, and a hash that is a path, are NS_NOT_FOUND", async () => {
  const blobs = new DiskBlobs(directory);
  for (const hash of ["f".repeat(64), "../../../etc/passwd", ""])
    await expect(blobs.get(hash)).rejects.toThrow(expect.objectContaining({ code: "NS_NOT_FOUND" }));
});

test("the sweep removes what nobody needs and is old enough, and nothing else", async () => {
  const blobs = new DiskBlobs(directory);
  const [kept, old, fresh] = [some("kept"), some("old"), some("fresh")];
  for (const { hash, bytes } of [kept, old, fresh]) await blobs.put(hash, bytes);
  for (const { hash } of [kept, old]) utimesSync(join(directory, hash.slice(0, 2), hash.slice(2)), 0, 0);
  expect(await blobs.sweep(new Set([kept.hash]), 60_000)).toBe(old.bytes.length);
  expect([await blobs.has(kept.hash), await blobs.has(old.hash), await blobs.has(fresh.hash)]).toEqual([true, false, true]);
});
