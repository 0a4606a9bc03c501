// `npm run dist -- --win` (or --linux, --mac; or --agent for the headless one): builds the tray app and packages it; HELP has the options. Where Electron is not
// to be had, or with --stand-in, something else stands in for it, so that all around it can be built and tried anywhere; --release refuses that.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildDesktop } from "@nightshift/agent-app/desktop/build";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { makeAgentProgram } from "./agent-program.ts";
import { type Distribution, findElectron, makeStandIn, type PackagedFor } from "./distribution.ts";
import { packageForLinux } from "./linux.ts";
import { packageForMac } from "./mac.ts";
import { packageForWindows, type WindowsOptions } from "./windows.ts";
import { PACKAGED_NODE, windowsNode } from "./windows-node.ts";

const HELP = `npm run dist -- --win | --linux | --mac | --agent: packages, into dist/ (docs/DEPLOYMENT.md)

  --output FOLDER        instead of dist/
  --electron PLACE       a folder or zip of Electron, instead of a download
  --stand-in             without Electron, to try the packages
  --release              refuses anything but Electron itself
  --release-key PUBLIC   whose releases the app takes; may be said again
  --sign-with PROGRAM    is called with the path of each file that Windows runs
  --download-url URL     where the packages will be: manifests for winget and Chocolatey`;
const RELEASE_KEY = /^[\w-]{43}$/;
const ROOT = join(import.meta.dirname, "..");

async function dist(): Promise<void> {
  const { values } = parseArgs({
    options: {
      win: { type: "boolean", default: false },
      linux: { type: "boolean", default: false },
      mac: { type: "boolean", default: false },
      agent: { type: "boolean", default: false },
      electron: { type: "string" },
      "stand-in": { type: "boolean", default: false },
      release: { type: "boolean", default: false },
      "release-key": { type: "string", multiple: true, default: [] },
      "sign-with": { type: "string" },
      "download-url": { type: "string" },
      output: { type: "string", default: join(ROOT, "dist") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.agent) return console.log((await packageAgent(resolve(values.output))).join("\n"));
  const [system, another] = SYSTEMS.filter((one) => values[one.option]);
  if (!system || another)
    throw new NightshiftError("NS_USAGE", "say for which system: npm run dist -- --win, --linux or --mac; or --agent");
  const releaseKeys = values["release-key"];
  for (const key of releaseKeys)
    if (!RELEASE_KEY.test(key))
      throw new NightshiftError(
        "NS_USAGE",
        `--release-key takes the public half of a release key (\`nightshift release key FILE --show\`), not "${key}"`,
      );
  const work = await mkdtemp(join(tmpdir(), "nightshift-dist-"));
  try {
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      devDependencies: { electron: string };
    };
    const electronVersion = devDependencies.electron;
    const electron = await electronFor(system.platform, electronVersion, values, join(work, "electron"));
    const app = join(work, "app");
    await buildDesktop(app, releaseKeys);
    const lines = await system.make({
      ...{ app, electron, electronVersion, output: resolve(values.output) },
      ...(values["sign-with"] === undefined ? {} : { signWith: resolve(values["sign-with"]) }),
      ...(values["download-url"] === undefined ? {} : { downloadUrl: values["download-url"] }),
    });
    console.log(lines.join("\n"));
    if (releaseKeys.length === 0) console.log("Without --release-key: this app takes no releases from a coordinator.");
    if (electron.standIn) console.log("Built with a stand-in for Electron: for trying the packages only.");
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The headless agent, for the system that builds it and for Windows. @returns what is to be said */
async function packageAgent(output: string): Promise<string[]> {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  const work = join(output, "work-agent");
  const make = (node: string, kind: string): Promise<string> =>
    makeAgentProgram({ node, to: join(output, `nightshift-agent-${version}-${kind}`), work });
  const here = process.platform === "win32" ? "win-x64.exe" : `${process.platform}-${process.arch}`;
  const lines = [await make(process.execPath, here)];
  if (process.platform === "win32") return lines;
  try {
    lines.push(await make(windowsNode(PACKAGED_NODE), "win-x64.exe"));
  } catch (thrown) {
    lines.push(`None for Windows: ${asNightshiftError(thrown).message}`);
  }
  return lines;
}

/** What each system's packages are, and what to say of them. */
const SYSTEMS: readonly {
  option: "win" | "linux" | "mac";
  platform: PackagedFor;
  make(options: WindowsOptions): Promise<string[]>;
}[] = [
  {
    option: "win",
    platform: "win32",
    make: async (options) => {
      const { setup, msi, portable, signed } = await packageForWindows(options);
      return [
        ...(signed
          ? []
          : ["Unsigned: Windows warns whoever starts it. Sign with --sign-with PROGRAM, which gets each file's path."]),
        setup,
        msi ?? "No MSI: wixl is needed (apt-get install wixl msitools)",
        portable ?? "No portable zip: 7-Zip is needed (apt-get install p7zip-full)",
      ];
    },
  },
  {
    option: "linux",
    platform: "linux",
    make: async (options) => {
      const { deb, appImage } = await packageForLinux({ ...options, appImage: true });
      return [
        deb,
        "path" in appImage ? appImage.path : `No AppImage: its runtime is downloaded, and that failed: ${appImage.missing}`,
      ];
    },
  },
  {
    option: "mac",
    platform: "darwin",
    make: async (options) => {
      const { dmg, pkg } = await packageForMac(options);
      return [dmg, pkg];
    },
  },
];

/** The real one; where there is none, and it need not be real, what stands in for it. */
async function electronFor(
  platform: PackagedFor,
  version: string,
  { electron, release, "stand-in": standIn }: { electron?: string | undefined; release: boolean; "stand-in": boolean },
  folder: string,
): Promise<Distribution> {
  const instead = (): Promise<Distribution> => {
    if (platform === "darwin") throw new NightshiftError("NS_CANNOT_PACKAGE", "nothing stands in for Electron on macOS");
    return makeStandIn(folder, platform);
  };
  const found = standIn
    ? await instead()
    : await findElectron(version, electron, platform).catch((thrown: unknown) => {
        if (release || electron !== undefined) throw thrown;
        console.error(`nightshift: ${asNightshiftError(thrown).message}`);
        return instead();
      });
  if (found.standIn && release)
    throw new NightshiftError("NS_CANNOT_PACKAGE", "a release is built with Electron, and this is a stand-in for it");
  return found;
}

dist().catch((thrown: unknown) => {
  const error = asNightshiftError(thrown);
  console.error(`nightshift: ${error.code}: ${error.message}`);
  if (error.remedy) console.error(`  ${error.remedy}`);
  process.exit(error.code === "NS_USAGE" ? 2 : 1);
});
