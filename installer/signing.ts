// Authenticode signatures: made by a program of whoever builds, which gets a file's path and signs it in place, so that keys and passwords stay
// with it, wherever they are kept; looked for by us in the file itself.
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

/** Of the PE format: where the header's place stands, and in it the entry of the certificates. */
const PE_OFFSET_AT = 0x3c;
const OPTIONAL_HEADER = 24;
const PE32_PLUS = 0x20b;
const CERTIFICATES = 4;
const COMPOUND_FILE = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
/** The stream of an MSI that holds its signature, as it is named in a compound file: UTF-16 behind an 05. */
const MSI_SIGNATURE = Buffer.from("\u0005DigitalSignature", "utf16le");

/** Whether there is a signature in an .exe, .scr or .msi; not whether it is good. */
export async function isSigned(path: string): Promise<boolean> {
  const bytes = await readFile(path);
  if (bytes.subarray(0, 8).equals(COMPOUND_FILE)) return bytes.includes(MSI_SIGNATURE);
  if (bytes.toString("latin1", 0, 2) !== "MZ") return false;
  const optional = bytes.readUInt32LE(PE_OFFSET_AT) + OPTIONAL_HEADER;
  const directories = optional + (bytes.readUInt16LE(optional) === PE32_PLUS ? 112 : 96);
  return bytes.readUInt32LE(directories + 8 * CERTIFICATES + 4) > 0;
}

/** @param program gets the path of the file; undefined: nothing is signed @throws NS_CANNOT_PACKAGE */
export async function sign(program: string | undefined, path: string): Promise<void> {
  if (program === undefined) return;
  const failed = (why: string, cause?: unknown): NightshiftError =>
    new NightshiftError("NS_CANNOT_PACKAGE", `${program} has not signed ${path}: ${why}`, cause === undefined ? {} : { cause });
  try {
    // Node starts batch files only through what reads them.
    const batch = /\.(cmd|bat)$/i.test(program);
    await promisify(execFile)(batch ? "cmd.exe" : program, batch ? ["/d", "/c", program, path] : [path]);
  } catch (cause) {
    throw failed((cause as Error).message, cause);
  }
  if (!(await stat(path).catch(() => undefined)) || !(await isSigned(path)))
    throw failed("there is no signature in it", undefined);
}
