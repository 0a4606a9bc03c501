// Packages the tray app for Linux: electron-builder puts app and Electron together, dpkg-deb makes the .deb of that folder and of what
// linux-contents.ts says, everywhere the same, as electron-builder's own way needs a download; the AppImage is electron-builder's.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { Arch, build, type Configuration, Platform } from "electron-builder";
import type { Distribution } from "./distribution.ts";
import { FUSES } from "./fuses.ts";
import { APP_FOLDER, CHANGELOG, changelog, control, LINUX_FILES, PROGRAM, SETTINGS_FOLDER } from "./linux-contents.ts";
import { needProgram } from "./native.ts";

const ICONS = join(import.meta.dirname, "../agent-app/desktop/icons");
const PRERM = join(import.meta.dirname, "linux", "prerm");
const run = promisify(execFile);

export interface LinuxOptions {
  /** The built tray app, with its package.json, which has the version. */
  app: string;
  electron: Distribution;
  electronVersion: string;
  output: string;
  /** false: only the .deb. */
  appImage: boolean;
}

export interface LinuxPackages {
  deb: string;
  /** Or why there is none: its runtime and tools come from the network only. */
  appImage: { path: string } | { missing: string };
}

export async function packageForLinux({
  app,
  electron,
  electronVersion,
  output,
  appImage,
}: LinuxOptions): Promise<LinuxPackages> {
  const { version } = JSON.parse(await readFile(join(app, "package.json"), "utf8")) as { version: string };
  const work = join(output, "work-linux");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const mark = electron.standIn ? "-stand-in" : "";
  const config: Configuration = {
    appId: "org.nightshift.agent",
    productName: "Nightshift",
    copyright: "Apache-2.0",
    electronVersion,
    electronDist: electron.path,
    directories: { output: work },
    npmRebuild: false,
    ...(electron.standIn ? {} : { electronFuses: FUSES }),
    protocols: [{ name: "Nightshift join link", schemes: ["nightshift", "nightshifts"] }],
    linux: { executableName: PROGRAM, category: "Utility", icon: join(ICONS, "app.png"), maintainer: "Nightshift maintainers" },
    // The runtime that needs nothing of the system: the usual one needs libfuse2, which new systems no longer have.
    toolsets: { appimage: "1.0.3" },
    appImage: { artifactName: `Nightshift-\${version}-x86_64${mark}.\${ext}` },
  };
  const pack = (target: string): Promise<unknown> =>
    build({ projectDir: app, targets: Platform.LINUX.createTarget(target, Arch.x64), publish: "never", config });
  await pack("dir");
  const deb = await makeDeb({
    ...{ files: join(work, "linux-unpacked"), version, standIn: electron.standIn, root: join(work, "deb") },
    to: join(output, `nightshift_${version}_amd64${mark}.deb`),
  });
  if (!appImage) return { deb, appImage: { missing: "not asked for" } };
  try {
    await pack("AppImage");
    const name = `Nightshift-${version}-x86_64${mark}.AppImage`;
    await rename(join(work, name), join(output, name));
    return { deb, appImage: { path: join(output, name) } };
  } catch (thrown) {
    return { deb, appImage: { missing: asNightshiftError(thrown).message.split("\n")[0] ?? "" } };
  }
}

interface DebOptions {
  /** The app with Electron. */
  files: string;
  version: string;
  standIn: boolean;
  /** Is filled with what is installed. */
  root: string;
  to: string;
}

async function makeDeb({ files, version, standIn, root, to }: DebOptions): Promise<string> {
  const dpkgDeb = needProgram("dpkg-deb", "apt-get install dpkg, or brew install dpkg", "dpkg-deb");
  await mkdir(join(root, SETTINGS_FOLDER), { recursive: true });
  await mkdir(join(root, "DEBIAN"));
  await cp(files, join(root, APP_FOLDER), { recursive: true });
  for (const { path, content } of LINUX_FILES) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    if ("link" in content) await symlink(content.link, target);
    else if ("icon" in content) await copyFile(join(ICONS, content.icon), target);
    else await writeFile(target, content.text);
  }
  await writeFile(join(root, CHANGELOG), gzipSync(changelog(version), { level: 9 }));
  const { sums, bytes } = await settle(root);
  const settings = LINUX_FILES.flatMap(({ path }) => (path.startsWith("etc/") ? `/${path}\n` : []));
  await writeFile(join(root, "DEBIAN", "control"), control(version, Math.ceil(bytes / 1024), standIn));
  await writeFile(join(root, "DEBIAN", "conffiles"), settings.join(""));
  await writeFile(join(root, "DEBIAN", "md5sums"), sums);
  await copyFile(PRERM, join(root, "DEBIAN", "prerm"));
  await chmod(join(root, "DEBIAN", "prerm"), 0o755);
  await run(dpkgDeb, ["--root-owner-group", "-Zxz", "--build", root, to]);
  return to;
}

/** Rights that do not depend on who builds it. @returns md5sums(5) of all files, and how large they are */
async function settle(root: string): Promise<{ sums: string; bytes: number }> {
  const sums: string[] = [];
  let bytes = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    if (!entry.isFile()) continue;
    const { mode, size } = await stat(path);
    // Chromium's sandbox on systems that let ordinary users make no namespaces.
    await chmod(path, entry.name === "chrome-sandbox" ? 0o4755 : mode & 0o100 ? 0o755 : 0o644);
    const name = relative(root, path);
    if (!name.startsWith("etc/"))
      sums.push(
        `${createHash("md5")
          .update(await readFile(path))
          .digest("hex")}  ${name}\n`,
      );
    bytes += size;
  }
  return { sums: sums.sort().join(""), bytes };
}
