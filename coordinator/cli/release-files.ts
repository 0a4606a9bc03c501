// What `nightshift release` reads and writes on the disk: the release key, and the files that the packager has put into a folder.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { fileOf, fromBase64Url, newReleaseKey, type ReleaseFile, releaseKeyOf, toBase64Url } from "../protocol/index.ts";

const SECRET_BYTES = 32;
const MAX_KEY_FILE_BYTES = 1000;

/** Makes a release key and never writes over one. @returns its public half @throws NS_BAD_FILE */
export function makeKeyFile(path: string): string {
  const { secret, key } = newReleaseKey();
  try {
    writeFileSync(path, `${toBase64Url(secret)}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `${path} cannot be written: ${asNightshiftError(cause).message}`, { cause });
  }
  return key;
}

/** @returns the secret @throws NS_BAD_FILE */
export function readKeyFile(path: string): Uint8Array {
  let text: string;
  try {
    if (statSync(path).size > MAX_KEY_FILE_BYTES) throw new Error("it is too large to be one");
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `the release key ${path} cannot be read: ${asNightshiftError(cause).message}`, {
      cause,
    });
  }
  const secret = fromBase64Url(text.trim());
  if (secret?.length !== SECRET_BYTES)
    throw new NightshiftError("NS_BAD_FILE", `${path} holds no release key; make one with \`nightshift release key FILE\``);
  return secret;
}

export const publicKeyOfFile = (path: string): string => releaseKeyOf(readKeyFile(path));

export interface ReleaseFolder {
  version: string;
  files: { file: ReleaseFile; bytes: Uint8Array }[];
  /** Names that are nothing of a release. */
  others: string[];
}

/** @throws NS_BAD_FILE when there is nothing of a release in it, or of several versions */
export function readReleaseFolder(folder: string): ReleaseFolder {
  const [files, others, versions]: [ReleaseFolder["files"], string[], Set<string>] = [[], [], new Set()];
  let names: string[];
  try {
    names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? entry.name : []));
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `${folder} cannot be read: ${asNightshiftError(cause).message}`, { cause });
  }
  for (const name of names.sort()) {
    const known = fileOf(name);
    if (!known) {
      others.push(name);
      continue;
    }
    versions.add(known.version);
    const bytes = readFileSync(join(folder, name));
    const digest = (algorithm: string, form: "hex" | "base64"): string => createHash(algorithm).update(bytes).digest(form);
    const hashes = { sha256: digest("sha256", "hex"), sha512: digest("sha512", "base64") };
    files.push({ file: { name, kind: known.kind, sizeBytes: bytes.length, ...hashes }, bytes });
  }
  const [version, other] = versions;
  if (version === undefined)
    throw new NightshiftError("NS_BAD_FILE", `${folder} has nothing of a release; make one with \`npm run dist -- --release\``);
  if (other !== undefined)
    throw new NightshiftError("NS_BAD_FILE", `${folder} has files of several versions: ${[...versions].join(", ")}`);
  return { version, files, others };
}
