// The Electron that is packaged for Windows: what somebody has, or what its own downloader fetches; and where neither can be had, a
// stand-in, so that every step after it is real. A stand-in says what it is, and is refused for a release.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { downloadArtifact } from "@electron/get";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { compileForWindows } from "./native.ts";

/** What stand-in.c prints, and so what is in the program. */
const CONFESSION = "This is not Nightshift but a stand-in";

export interface Distribution {
  /** A folder or Electron's own zip. */
  path: string;
  standIn: boolean;
}

/** @param given a folder or a zip; else the download @throws NS_CANNOT_PACKAGE */
export async function findElectron(version: string, given: string | undefined): Promise<Distribution> {
  if (given !== undefined) {
    const path = given.endsWith(".zip") ? given : join(given, "electron.exe");
    if (!(await stat(path).catch(() => undefined))) throw new NightshiftError("NS_CANNOT_PACKAGE", `there is no ${path}`);
    return { path: given, standIn: !given.endsWith(".zip") && (await readFile(path)).includes(CONFESSION) };
  }
  try {
    return {
      path: await downloadArtifact({ version, artifactName: "electron", platform: "win32", arch: "x64" }),
      standIn: false,
    };
  } catch (cause) {
    const why = `Electron ${version} cannot be downloaded, and none was named with --electron: ${(cause as Error).message}`;
    throw new NightshiftError("NS_CANNOT_PACKAGE", why, { cause });
  }
}

/** @param folder gets what stands in for Electron */
export async function makeStandIn(folder: string): Promise<Distribution> {
  await mkdir(join(folder, "resources"), { recursive: true });
  compileForWindows("stand-in", join(folder, "electron.exe"));
  await writeFile(join(folder, "resources", "STAND-IN.txt"), `${CONFESSION}, built without Electron.\n`);
  return { path: folder, standIn: true };
}
