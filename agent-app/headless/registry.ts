// Windows' registry, by the system's own program, as Node has no words for it: runs reg.exe and reads what it says. What the values
// mean is installed.ts's and group-policy.ts's.
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Key as written there, in small letters -> name -> value. A number (REG_DWORD, REG_QWORD) is a number, all else a text. */
export type Registry = ReadonlyMap<string, Readonly<Record<string, string | number>>>;

/** Of group policy: the machine's, which counts before the user's. Only administrators can write to either. */
export const POLICY_KEYS: readonly string[] = ["HKLM\\Software\\Policies\\Nightshift", "HKCU\\Software\\Policies\\Nightshift"];

const TIMEOUT_MS = 10_000;
const SETTINGS = { encoding: "utf8", windowsHide: true, timeout: TIMEOUT_MS } as const;

export const systemFile = (name: string): string => join(process.env.SystemRoot ?? "C:\\Windows", "System32", name);

/** In the 64-bit view, as all of ours. @throws when reg.exe does */
export const reg = (...args: readonly string[]): string =>
  execFileSync(systemFile("reg.exe"), [...args, "/reg:64"], { ...SETTINGS, stdio: ["ignore", "pipe", "ignore"] });

/** A key's own values, as far as they are ASCII. @returns undefined: there is no such key */
export function queryKey(key: string): Readonly<Record<string, string | number>> | undefined {
  try {
    return Object.fromEntries(
      [...reg("query", key).matchAll(/^ {4}(\S+) {4}REG_(SZ|DWORD) {4}(.*?)\r?$/gm)].map(([, name = "", type, value = ""]) => [
        name,
        type === "DWORD" ? Number(value) : value,
      ]),
    );
  } catch {
    return undefined;
  }
}

/** A value that every Windows has: where it is not seen, the registry cannot be read, and that a key is missing means nothing. */
const ALWAYS = ["query", "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion", "/v", "ProgramFilesDir"] as const;

/** reg.exe prints in the code page of a console, which nobody here has: to a file it writes UTF-16. */
const toFile = (key: string, file: string): string[] => ["export", key, file, "/y"];

/** The keys that there are of `keys`, with all that is below them. @throws when the registry cannot be read */
export function readKeys(keys: readonly string[]): Registry {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-registry-"));
  try {
    reg(...ALWAYS);
    for (const [at, key] of keys.entries())
      try {
        reg(...toFile(key, join(folder, String(at))));
      } catch (thrown) {
        unlessMissing(thrown);
      }
    return readExported(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same without waiting for it here. */
export async function readKeysLater(keys: readonly string[]): Promise<Registry> {
  const run = (words: readonly string[]): Promise<unknown> =>
    promisify(execFile)(systemFile("reg.exe"), [...words, "/reg:64"], SETTINGS);
  const folder = mkdtempSync(join(tmpdir(), "nightshift-registry-"));
  try {
    await run(ALWAYS);
    for (const [at, key] of keys.entries()) await run(toFile(key, join(folder, String(at)))).catch(unlessMissing);
    return readExported(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** reg.exe ends with 1 where there is no such key. */
function unlessMissing(thrown: unknown): void {
  const { status, code } = thrown as { status?: number | null; code?: unknown };
  if (status !== 1 && code !== 1) throw thrown;
}

const readExported = (folder: string): Registry =>
  new Map(readdirSync(folder).flatMap((name) => [...parseRegistryFile(readFileSync(join(folder, name), "utf16le"))]));

const ROOTS: Readonly<Record<string, string>> = { hkey_local_machine: "hklm", hkey_current_user: "hkcu" };

/** What `reg export` writes: keys in brackets, values below. Of texts and numbers; of other kinds only which they are. */
export function parseRegistryFile(text: string): Registry {
  const keys = new Map<string, Record<string, string | number>>();
  let values: Record<string, string | number> = {};
  for (const line of text.replaceAll(/\\\r?\n */g, "").split(/\r?\n/)) {
    const [, key] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, name, value = ""] = /^"((?:[^"\\]|\\.)*)"=(.*)$/.exec(line) ?? [];
    if (key !== undefined) {
      values = Object.create(null) as Record<string, string | number>;
      keys.set(
        key.toLowerCase().replace(/^\w+/, (root) => ROOTS[root] ?? root),
        values,
      );
    } else if (name !== undefined) {
      values[plain(name)] = parseValue(value);
    }
  }
  return keys;
}

/** Of what is not shown as it is, by its number. */
const KINDS: Readonly<Record<string, string>> = { "": "REG_BINARY", "0": "REG_NONE", "7": "REG_MULTI_SZ" };

function parseValue(value: string): string | number {
  const [, number, words, kind = "", hex = ""] =
    /^(?:dword:([0-9a-f]{1,8})|"(.*)"|hex(?:\(([0-9a-f]+)\))?:([0-9a-f,]*))$/s.exec(value) ?? [];
  if (number !== undefined) return Number.parseInt(number, 16);
  if (words !== undefined) return plain(words);
  const bytes = Buffer.from(hex.replaceAll(",", ""), "hex");
  // Texts in which the names of variables may stand, and texts that a text file cannot hold.
  if (kind === "1" || kind === "2") return bytes.toString("utf16le").replace(/\0.*$/s, "");
  if (kind === "b" && bytes.length === 8) return Number(bytes.readBigUInt64LE());
  return `(${KINDS[kind] ?? "another kind of value"})`;
}

const plain = (text: string): string => text.replaceAll(/\\(.)/g, "$1");
