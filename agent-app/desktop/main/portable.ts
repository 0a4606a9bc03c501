// What stands beside the program where it was unpacked instead of installed, on a share or a stick: `portable`, an empty file, has it keep
// everything in the folder `data` there instead of the user's own; `join.txt` holds the join link. Only reads.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Installed } from "../../headless/installed.ts";

export interface Unpacked {
  /** Everything that is kept is below it; null: where the user's own is. */
  home: string | null;
  /** As an installer would have been told it; null: nothing was. */
  told: Installed | null;
}

/** @param folder of the program @param installed counts before what stands there */
export function readUnpacked(folder: string, installed: Installed | null): Unpacked {
  const home = existsSync(join(folder, "portable")) ? join(folder, "data") : null;
  const link = installed?.byInstaller ? null : readLink(join(folder, "join.txt"));
  const nothing: Installed = {
    join: null,
    pool: null,
    mode: null,
    screensaver: false,
    tray: true,
    byInstaller: false,
    bySetupForOneUser: false,
  };
  const told = installed ?? nothing;
  return { home, told: link === null ? installed : { ...told, join: told.join ?? link } };
}

/** Unchecked, but for what editors put around it. */
function readLink(path: string): string | null {
  try {
    return (
      readFileSync(path, "utf8")
        .replace(/^\ufeff/, "")
        .trim() || null
    );
  } catch {
    return null;
  }
}
