#!/usr/bin/env node
// The `nightshift` command as npm installs it: plain JavaScript for any Node >= 20, because it may be started by whatever Node is
// on the PATH. It continues in the pinned Node, which runs the TypeScript sources directly.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const pinnedMajor = 24;

if (Number(process.versions.node.split(".")[0]) >= pinnedMajor) {
  await import("./main.ts");
} else {
  const require = createRequire(import.meta.url);
  const pinned = require.resolve(`node/bin/node${process.platform === "win32" ? ".exe" : ""}`);
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
