// How a new version takes this program's place: Setup.exe of one user's installation, or an AppImage, which is one file. What was installed for
// all users, by an MSI or a package manager, is not ours to replace.
import { spawn } from "node:child_process";
import { accessSync, chmodSync, closeSync, constants, copyFileSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Installed } from "../../headless/installed.ts";
import type { UpdatesPort } from "./port.ts";

export interface ReplacingOptions {
  platform: NodeJS.Platform;
  installed: Installed | null;
  /** The AppImage that runs, as its runtime tells it. */
  appImage: string | undefined;
  /** Starts this program again when it has ended. @param path of the program */
  relaunch(path: string): void;
}

export function replacing({ platform, installed, appImage, relaunch }: ReplacingOptions): UpdatesPort {
  if (platform === "win32" && installed?.bySetupForOneUser) return { takes: "setup", replace: runSetup };
  if (platform === "linux" && appImage !== undefined && isWritable(dirname(appImage)))
    return {
      takes: "appimage",
      replace: (path, { restart }) => {
        takePlaceOf(appImage, path);
        if (restart) relaunch(appImage);
        return { ends: true };
      },
    };
  return {
    takes: null,
    replace: () => {
      throw new Error("nothing here can be replaced");
    },
  };
}

/** Setup itself asks the app to leave, and starts it again, whether it came to its end or not. */
const runSetup: UpdatesPort["replace"] = (path, { older, restart }, failed) => {
  const words = ["/S", "/CURRENTUSER", ...(older ? ["/DOWNGRADE"] : []), ...(restart ? ["/RUN"] : [])];
  // For one user Setup needs no more rights than that user has; it would ask an administrator for all of them, which nobody is there to answer.
  const env = { ...process.env, __COMPAT_LAYER: "RunAsInvoker" };
  spawn(path, words, { env, detached: true, stdio: "ignore", windowsHide: true }).on("error", failed).unref();
  return { ends: false };
};

/** Whole or not at all: whoever starts it meanwhile has the old one or the new one. */
function takePlaceOf(target: string, path: string): void {
  const beside = `${target}.new`;
  try {
    copyFileSync(path, beside);
    chmodSync(beside, 0o755);
    const handle = openSync(beside, "r+");
    fsyncSync(handle);
    closeSync(handle);
    renameSync(beside, target);
  } catch (thrown) {
    rmSync(beside, { force: true });
    throw thrown;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
