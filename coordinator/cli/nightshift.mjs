#!/usr/bin/env node
// The `nightshift` command as npm installs it: plain JavaScript for any Node >= 20, because it may be started by whatever Node is
// on the PATH. It continues in the pinned Node, which runs the TypeScript sources directly. What Node makes of them is kept, in a folder that
// only this user can write to, for all that is started from here: agents start in half the time and need a quarter less memory, as
// none of their threads loads Node's TypeScript reader.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import * as module from "node:module";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const pinnedMajor = 24;

const kept = join(resolve(process.env.NIGHTSHIFT_HOME || join(homedir(), ".nightshift")), "code");
try {
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  process.env.NODE_COMPILE_CACHE ??= kept;
} catch {
  // A home that cannot be written to: the command that needs it says so.
}

if (Number(process.versions.node.split(".")[0]) >= pinnedMajor) {
  if (process.env.NODE_COMPILE_CACHE) module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);
  await import("./main.ts");
} else {
  const require = module.createRequire(import.meta.url);
  const pinned = require.resolve(`node/bin/node${process.platform === "win32" ? ".exe" : ""}`);
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
