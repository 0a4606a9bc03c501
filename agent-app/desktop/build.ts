// Builds the tray app into `dist/`: `npm run build:desktop`. Everything is bundled, so that what is packaged is these files and Electron.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type InlineConfig, type Plugin } from "vite";
import { FILES } from "./main/window-rules.ts";

const HERE = import.meta.dirname;
export const BUILT: string = join(HERE, "dist");

/** Workers are named by their sources' URLs, which the bundle has under another ending. */
const workersByTheirBuiltName: Plugin = {
  name: "workers-by-their-built-name",
  transform: (code) =>
    code.replaceAll(/new URL\("\.\/([\w.-]+)\.ts", import\.meta\.url\)/g, 'new URL("./$1.js", import.meta.url)'),
};

const forNode = (entries: Record<string, string>): InlineConfig => ({
  plugins: [workersByTheirBuiltName],
  ssr: { noExternal: true, external: ["electron"] },
  build: {
    ssr: true,
    target: "node24",
    rolldownOptions: { input: entries, output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" } },
  },
});

const forPages = (entry: string, name: string, format: "es" | "cjs"): InlineConfig => ({
  define: { "process.env.NODE_ENV": '"production"' },
  // Whatever NODE_ENV says where it is built.
  oxc: { jsx: { runtime: "automatic", development: false } },
  build: {
    target: "chrome140",
    modulePreload: false,
    rolldownOptions: {
      input: { [name]: entry },
      external: ["electron"],
      output: { format, entryFileNames: format === "cjs" ? "[name].cjs" : "[name].js" },
    },
  },
});

async function make(folder: string, config: InlineConfig): Promise<void> {
  await build({
    configFile: false,
    root: HERE,
    logLevel: "warn",
    ...config,
    build: { outDir: folder, emptyOutDir: false, minify: true, ...config.build },
  });
}

/** @param folder is emptied first */
export async function buildRenderer(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await make(folder, forPages(join(HERE, "renderer/window.tsx"), "window", "es"));
  await make(folder, forPages(join(HERE, "renderer/screensaver.ts"), "screensaver", "es"));
  for (const file of ["index.html", "screensaver.html", "window.css", "screensaver.css"])
    await cp(join(HERE, "renderer", file), join(folder, file));
  const made = (await readdir(folder)).map((name) => `/${name}`).sort();
  const known = Object.keys(FILES).sort();
  if (made.join() !== known.join()) throw new Error(`the build made ${made}, and windows may load ${known}`);
}

const WORKER = { "worker.node": join(HERE, "../worker/worker.node.ts") };

/** The process that computes and its workers. @param folder gets agent.js and what that needs */
export const buildAgent = (folder: string): Promise<void> =>
  make(folder, forNode({ agent: join(HERE, "agent/main.ts"), ...WORKER }));

/** The worker is no file there but a text in the program itself. */
const workerInside: Plugin = {
  name: "worker-inside",
  transform: (code) =>
    code.replaceAll(
      'new Worker(new URL("./worker.node.ts", import.meta.url), {',
      'new Worker(require("node:sea").getAsset("worker.cjs", "utf8"), { eval: true, ',
    ),
};

const forSingleFile = (name: string, entry: string): InlineConfig => ({
  plugins: [workerInside],
  ssr: { noExternal: true },
  build: {
    ssr: true,
    target: "node24",
    rolldownOptions: { input: { [name]: entry }, output: { format: "cjs", entryFileNames: "[name].cjs", codeSplitting: false } },
  },
});

/** The headless agent for a Node that holds it in itself. @param folder gets agent.cjs and worker.cjs, each whole */
export async function buildSingleFile(folder: string): Promise<void> {
  await make(folder, forSingleFile("agent", join(HERE, "../headless/main.ts")));
  await make(folder, forSingleFile("worker", WORKER["worker.node"]));
}

/** @param folder gets preload.cjs */
export const buildPreload = (folder: string): Promise<void> =>
  make(folder, forPages(join(HERE, "electron/preload.ts"), "preload", "cjs"));

/** @param releaseKeys whose releases of new versions the app believes, base64url */
export async function buildDesktop(folder: string = BUILT, releaseKeys: readonly string[] = []): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await make(folder, forNode({ main: join(HERE, "electron/main.ts") }));
  await buildAgent(folder);
  await buildPreload(folder);
  await buildRenderer(join(folder, "renderer"));
  const { version } = JSON.parse(await readFile(join(HERE, "../package.json"), "utf8")) as { version: string };
  // What Linux calls the app's entry in menus (installer/linux-contents.ts): links are opened by it.
  const desktopName = "org.nightshift.agent.desktop";
  const common = { name: "nightshift", productName: "Nightshift", version, type: "module", main: "main.js" };
  const description = { ...common, desktopName, releaseKeys };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  await cp(join(HERE, "icons"), join(folder, "icons"), { recursive: true, filter: (path) => !/\.(ts|svg)$/.test(path) });
}

if (import.meta.main) await buildDesktop();
