// `npm run dist -- --win`: builds the tray app and packages it into `dist/`. --electron PATH: a folder with Electron, or its zip, instead of the
// download. Where neither is to be had, or with --stand-in, something else stands in for it, so that all around it can be built and tried
// anywhere; --release refuses that. --output FOLDER: instead of dist/.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildDesktop } from "@nightshift/agent-app/desktop/build";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type Distribution, findElectron, makeStandIn } from "./distribution.ts";
import { packageForWindows } from "./windows.ts";

const ROOT = join(import.meta.dirname, "..");

async function dist(): Promise<void> {
  const { values } = parseArgs({
    options: {
      win: { type: "boolean", default: false },
      electron: { type: "string" },
      "stand-in": { type: "boolean", default: false },
      release: { type: "boolean", default: false },
      output: { type: "string", default: join(ROOT, "dist") },
    },
  });
  if (!values.win) throw new NightshiftError("NS_USAGE", "say for which system: npm run dist -- --win");
  const work = await mkdtemp(join(tmpdir(), "nightshift-dist-"));
  try {
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      devDependencies: { electron: string };
    };
    const electronVersion = devDependencies.electron;
    const electron = await electronFor(electronVersion, values, join(work, "electron"));
    const app = join(work, "app");
    await buildDesktop(app);
    const made = await packageForWindows({ app, electron, electronVersion, output: resolve(values.output) });
    console.log(`${made.setup}\n${made.msi ?? "No MSI: wixl is needed (apt-get install wixl msitools)"}`);
    console.log(made.portable ?? "No portable zip: 7-Zip is needed (apt-get install p7zip-full)");
    if (electron.standIn) console.log("Built with a stand-in for Electron: for trying the installers only.");
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The real one; where there is none, and it need not be real, what stands in for it. */
async function electronFor(
  version: string,
  { electron, release, "stand-in": standIn }: { electron?: string | undefined; release: boolean; "stand-in": boolean },
  folder: string,
): Promise<Distribution> {
  const found = standIn
    ? await makeStandIn(folder)
    : await findElectron(version, electron).catch((thrown: unknown) => {
        if (release || electron !== undefined) throw thrown;
        console.error(`nightshift: ${asNightshiftError(thrown).message}`);
        return makeStandIn(folder);
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
