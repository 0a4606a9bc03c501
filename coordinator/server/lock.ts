// One coordinator per state directory: a lock file with the owner's process id, which a dead owner loses.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

/** @throws NS_ALREADY_RUNNING, NS_HOME_UNUSABLE */
export function lockDirectory(directory: string): { release(): void } {
  const path = join(directory, "lock");
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
      return { release: () => rmSync(path, { force: true }) };
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== "EEXIST") throw new NightshiftError("NS_HOME_UNUSABLE", `cannot write ${path}: ${code}`, { cause: thrown });
    }
    const owner = Number.parseInt(readFileSync(path, "utf8"), 10);
    if (owner !== process.pid && isAlive(owner))
      throw new NightshiftError("NS_ALREADY_RUNNING", `a coordinator (process ${owner}) already uses ${directory}`, {
        details: { pid: owner },
      });
    rmSync(path, { force: true }); // stale: its owner was killed
  }
}

function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
