// Brings a checkout to a state in which every npm script works: installs the locked dependencies, which include the pinned
// Node itself. Plain JavaScript for Node >= 20, because it runs before anything is installed. Does nothing when up to date.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const stamp = join(root, "node_modules", ".nightshift-lock");
const lockHash = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash;

if (!installed) {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    console.error(
      `NS_NODE_TOO_OLD: Node ${process.version} is too old to install Nightshift. Install Node 20 or newer and try again.`,
    );
    process.exit(1);
  }
  console.error("Installing the dependencies (once) ...");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error(
      "NS_INSTALL_FAILED: npm ci did not finish. Check the network connection to the npm registry and run the command again.",
    );
    process.exit(1);
  }
  writeFileSync(stamp, lockHash);
}
