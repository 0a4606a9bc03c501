// Packages the tray app for macOS: a dmg for one user, a pkg for all users with a launch agent. Built where macOS is, as its tools and signatures
// are Apple's; elsewhere only the configuration can be checked.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Arch, build, type Configuration, Platform } from "electron-builder";
import type { Distribution } from "./distribution.ts";
import { FUSES } from "./fuses.ts";

export const LAUNCH_AGENT = "org.nightshift.agent.plist";
const MAC = join(import.meta.dirname, "mac");

export interface MacOptions {
  app: string;
  electron: Distribution;
  electronVersion: string;
  output: string;
}

export function macConfiguration({ electron, electronVersion, output }: Omit<MacOptions, "app">): Configuration {
  return {
    appId: "org.nightshift.agent",
    productName: "Nightshift",
    copyright: "Apache-2.0",
    electronVersion,
    electronDist: electron.path,
    directories: { output, buildResources: MAC },
    npmRebuild: false,
    electronFuses: FUSES,
    protocols: [{ name: "Nightshift join link", schemes: ["nightshift", "nightshifts"], role: "Viewer" }],
    extraResources: [{ from: join(MAC, LAUNCH_AGENT), to: LAUNCH_AGENT }],
    mac: {
      category: "public.app-category.utilities",
      icon: join(import.meta.dirname, "../agent-app/desktop/icons/app.png"),
      artifactName: `Nightshift-\${version}.\${ext}`,
      hardenedRuntime: true,
      // In the menu bar only, as the tray is there.
      extendInfo: { LSUIElement: true },
    },
    dmg: { sign: false },
    pkg: { installLocation: "/Applications", scripts: "scripts", allowAnywhere: false, allowCurrentUserHome: false },
  };
}

/** @returns the packages @throws NS_CANNOT_PACKAGE anywhere but on macOS */
export async function packageForMac(options: MacOptions): Promise<{ dmg: string; pkg: string }> {
  if (process.platform !== "darwin") throw new NightshiftError("NS_CANNOT_PACKAGE", "packages for macOS are built on macOS only");
  const { version } = JSON.parse(await readFile(join(options.app, "package.json"), "utf8")) as { version: string };
  await rm(join(options.output, "mac"), { recursive: true, force: true });
  await build({
    projectDir: options.app,
    targets: Platform.MAC.createTarget(["dmg", "pkg"], Arch.universal),
    publish: "never",
    config: macConfiguration(options),
  });
  const made = (ending: string): string => join(options.output, `Nightshift-${version}.${ending}`);
  return { dmg: made("dmg"), pkg: made("pkg") };
}
