// Builds the console into coordinator/console/dist, and the page for volunteers' browsers into its folder lend: once, and again when a source
// is newer than what is built. `npm run build:console` and
// whatever starts a coordinator call it; no one has to think of it.
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

export const CONSOLE = fileURLToPath(new URL("../console", import.meta.url));
export const BUILT: string = join(CONSOLE, "dist");
/** What of the server goes into the console. */
const SHARED = ["../server/http/api.ts", "../store/people.ts"].map((path) => join(CONSOLE, path));
/** The page for volunteers is built by a program of the agent's; what goes into it. */
const LEND = fileURLToPath(new URL("../../agent-app/browser/page/build.node.ts", import.meta.url));
const IN_LEND = ["browser", "agent", "worker", "policy", "night-sky", "shown", "desktop/words"].map((name) =>
  join(LEND, "../../..", name),
);
const IN_BOTH = [
  join(CONSOLE, "../protocol"),
  ...["process", "instrument", "wasi"].map((name) => join(LEND, "../../../../wasm-kernels", name)),
];
const TEXT = /\.(js|css|html|svg|webmanifest)$/;

async function sources(): Promise<string[]> {
  const folders = [CONSOLE, ...IN_LEND, ...IN_BOTH].map((folder) => readdir(folder, { recursive: true, withFileTypes: true }));
  const files = (await Promise.all(folders)).flat().filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"));
  return [...files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.startsWith(BUILT)), ...SHARED];
}

/** Whether something is missing or older than its sources. */
export async function isConsoleOutdated(): Promise<boolean> {
  const index = join(BUILT, "index.html");
  if (!existsSync(index)) return true;
  const builtAt = statSync(index).mtimeMs;
  return (await sources()).some((path) => statSync(path).mtimeMs > builtAt);
}

/** In a process of its own: the coordinator needs nothing of the bundler, and React is built by its environment, which may be a test's. */
export async function buildConsole(): Promise<void> {
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url)], { env });
}

/** Whole or not at all: a server that runs meanwhile serves what was there. */
async function build(): Promise<void> {
  const vite = await import("vite");
  const folder = join(CONSOLE, `dist-${process.pid}`);
  try {
    await vite.build({
      configFile: false,
      root: CONSOLE,
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: true, target: "es2022", modulePreload: false, assetsInlineLimit: 0 },
    });
    await promisify(execFile)(process.execPath, [LEND, join(folder, "lend")]);
    for (const entry of await readdir(folder, { recursive: true })) {
      if (!TEXT.test(entry)) continue;
      const bytes = await readFile(join(folder, entry));
      const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
      await writeFile(join(folder, `${entry}.br`), await promisify(brotliCompress)(bytes, options));
    }
    await rm(BUILT, { recursive: true, force: true });
    await rename(folder, BUILT).catch((thrown: NodeJS.ErrnoException) => {
      // Somebody else has just built it.
      if (thrown.code !== "ENOTEMPTY" && thrown.code !== "EEXIST") throw thrown;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await build();
