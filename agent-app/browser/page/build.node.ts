// Bundles the join page, for whoever serves it. As a program: build.node.ts FOLDER
import { join } from "node:path";
import { build } from "vite";

const HERE = import.meta.dirname;

/** @param folder where the files go; what is in it is removed */
export async function buildJoinPage(folder: string): Promise<void> {
  await build({
    configFile: false,
    root: HERE,
    base: "./",
    logLevel: "warn",
    worker: { format: "es" },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "esnext",
      modulePreload: false,
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(HERE, "index.html") },
    },
  });
  // What other sites name: under its own name, and whole.
  await build({
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      rolldownOptions: { input: join(HERE, "embed.ts"), output: { format: "iife", entryFileNames: "embed.js" } },
    },
  });
}

const [folder] = process.argv.slice(2);
if (import.meta.main && folder) await buildJoinPage(folder);
