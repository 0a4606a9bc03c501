// The Electron that is packaged: what somebody has, or what its own downloader fetches; and where neither can be had, a
// stand-in, so that every step after it is real. A stand-in says what it is, and is refused for a release.
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { downloadArtifact } from "@electron/get";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { compileForLinux, compileForWindows } from "./native.ts";

/** What stand-in.c prints, and so what is in the program. */
const CONFESSION = "This is not Nightshift but a stand-in";

/** How Electron calls itself there. */
const PROGRAMS = { win32: "electron.exe", linux: "electron", darwin: "Electron.app" } as const;
export type PackagedFor = keyof typeof PROGRAMS;

export interface Distribution {
  /** A folder or Electron's own zip. */
  path: string;
  standIn: boolean;
}

/** @param given a folder or a zip; else the download @throws NS_CANNOT_PACKAGE */
export async function findElectron(
  version: string,
  given: string | undefined,
  platform: PackagedFor = "win32",
): Promise<Distribution> {
  if (given !== undefined) {
    const path = given.endsWith(".zip") ? given : join(given, PROGRAMS[platform]);
    const found = await stat(path).catch(() => undefined);
    if (!found) throw new NightshiftError("NS_CANNOT_PACKAGE", `there is no ${path}`);
    const standIn = !given.endsWith(".zip") && found.isFile() && (await readFile(path)).includes(CONFESSION);
    return { path: given, standIn };
  }
  try {
    return {
      path: await downloadArtifact({ version, artifactName: "electron", platform, arch: "x64" }),
      standIn: false,
    };
  } catch (cause) {
    const why = `Electron ${version} cannot be downloaded, and none was named with --electron: ${(cause as Error).message}`;
    throw new NightshiftError("NS_CANNOT_PACKAGE", why, { cause });
  }
}

/** @param folder gets what stands in for Electron */
export async function makeStandIn(folder: string, platform: "win32" | "linux" = "win32"): Promise<Distribution> {
  await mkdir(join(folder, "resources"), { recursive: true });
  const program = join(folder, PROGRAMS[platform]);
  if (platform === "win32") compileForWindows("stand-in", program);
  else compileForLinux("stand-in", program);
  await writeFile(join(folder, "resources", "STAND-IN.txt"), `${CONFESSION}, built without Electron.\n`);
  return { path: folder, standIn: true };
}
