// Packages the tray app for Windows: electron-builder puts app and Electron together and makes Setup.exe with our own NSIS script, then the
// MSI and the portable zip are made of the same folder. What tools Linux distributions bring is used where it is there; electron-builder
// fetches what is not.
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Arch, build, Platform } from "electron-builder";
import { nsisContents } from "./contents.ts";
import type { Distribution } from "./distribution.ts";
import { FUSES } from "./fuses.ts";
import { makeMsi } from "./msi.ts";
import { compileForWindows, findProgram } from "./native.ts";
import { writeManifests } from "./package-managers.ts";
import { writePolicyTemplates } from "./policy-templates.ts";
import { isSigned, sign } from "./signing.ts";

const NSIS_SCRIPT = join(import.meta.dirname, "windows", "setup.nsi");
/** electron-builder packs the app once more for its own script, which ours does not use: quickly. */
const NO_COMPRESSION = "0";

export interface WindowsOptions {
  /** The built tray app, with its package.json, which has the version. */
  app: string;
  electron: Distribution;
  electronVersion: string;
  /** Is made; gets the packages, and the templates of group policy in `policy`. What is in between lies in its folder `work`. */
  output: string;
  /** A program that signs the file whose path it gets, in place. */
  signWith?: string;
  /** Where the packages will be downloaded from: then there are manifests for winget and Chocolatey. */
  downloadUrl?: string;
}

export interface WindowsPackages {
  setup: string;
  /** Missing where there is no wixl. */
  msi: string | undefined;
  /** The same files to unpack instead. Missing where there is no 7-Zip. */
  portable: string | undefined;
  /** Whether what Windows runs is signed. */
  signed: boolean;
}

/** Programs of ours in C that the app, Setup and the MSI find among the app's resources. */
const BESIDE = ["leave", "purge", "owner"];

export async function packageForWindows(options: WindowsOptions): Promise<WindowsPackages> {
  const { app, electron, electronVersion, output, signWith, downloadUrl } = options;
  const { version } = JSON.parse(await readFile(join(app, "package.json"), "utf8")) as { version: string };
  const work = join(output, "work");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  for (const name of BESIDE) compileForWindows(name, join(work, `${name}.exe`));
  compileForWindows("screensaver", join(work, "Nightshift.scr"));
  compileForWindows("check", join(work, "check.dll"));
  for (const name of [...BESIDE.map((name) => `${name}.exe`), "Nightshift.scr", "check.dll"])
    await sign(signWith, join(work, name));
  await useInstalledTools(work);
  const files = join(work, "win-unpacked");
  const contents = join(work, "contents.nsh");
  const mark = electron.standIn ? "-stand-in" : "";
  await build({
    projectDir: app,
    targets: Platform.WINDOWS.createTarget("nsis", Arch.x64),
    publish: "never",
    config: {
      appId: "org.nightshift.agent",
      productName: "Nightshift",
      copyright: "Apache-2.0",
      electronVersion,
      electronDist: electron.path,
      directories: { output: work },
      npmRebuild: false,
      extraResources: BESIDE.map((name) => ({ from: join(work, `${name}.exe`), to: `${name}.exe` })),
      extraFiles: [{ from: join(work, "Nightshift.scr"), to: "Nightshift.scr" }],
      // A stand-in is no Electron: it has neither its resources nor its fuses, and keeps its own words.
      ...(electron.standIn ? {} : { electronFuses: FUSES }),
      win: { signAndEditExecutable: !electron.standIn, artifactName: `Nightshift-Setup-\${version}${mark}.\${ext}` },
      nsis: {
        oneClick: false,
        installerLanguages: ["en_US", "zh_CN"],
        script: NSIS_SCRIPT,
        include: contents,
        differentialPackage: false,
        packElevateHelper: false,
      },
      afterPack: async () => {
        await sign(signWith, join(files, "Nightshift.exe"));
        const kilobytes = Math.ceil((await bytesOf(files)) / 1024);
        await writeFile(contents, nsisContents({ source: files, kilobytes, by: "setup", signWith }));
      },
    },
  });
  const setup = await moved(work, output, `Nightshift-Setup-${version}${mark}.exe`);
  await sign(signWith, setup);
  await writePolicyTemplates(join(output, "policy"));
  const wixl = findProgram("wixl");
  const msi = wixl && (await makeMsi({ wixl, files, version, to: join(output, `Nightshift-${version}${mark}.msi`), work }));
  if (msi) await sign(signWith, msi);
  if (downloadUrl !== undefined) await writeManifests({ version, setup, msi, url: downloadUrl, output });
  const sevenZip = findSevenZip();
  const portable = sevenZip && (await zip(sevenZip, files, join(output, `Nightshift-${version}${mark}-portable.zip`)));
  return { setup, msi, portable, signed: await isSigned(setup) };
}

/** electron-builder is told of the system's makensis and 7-Zip in its own way; what somebody has told it stays. */
async function useInstalledTools(work: string): Promise<void> {
  const { env } = process;
  const [makensis, sevenZip] = [findProgram("makensis"), findSevenZip()];
  env.ELECTRON_BUILDER_COMPRESSION_LEVEL ??= NO_COMPRESSION;
  if (sevenZip) env.ELECTRON_BUILDER_7ZIP_PATH ??= sevenZip;
  if (!makensis || process.platform === "win32") return;
  const folder = join(work, "nsis");
  await mkdir(join(folder, "plugins", "x86-unicode"), { recursive: true });
  await symlink(makensis, join(folder, "makensis"));
  env.ELECTRON_BUILDER_NSIS_DIR = folder;
  env.ELECTRON_BUILDER_NSIS_RESOURCES_DIR = folder;
}

const findSevenZip = (): string | undefined => findProgram("7za", "7zz", "7z");

async function zip(sevenZip: string, folder: string, to: string): Promise<string> {
  await rm(to, { force: true });
  await promisify(execFile)(sevenZip, ["a", "-tzip", to, "."], { cwd: folder });
  return to;
}

async function bytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}

async function moved(from: string, to: string, name: string): Promise<string> {
  await rename(join(from, name), join(to, name));
  return join(to, name);
}
