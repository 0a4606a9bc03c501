// Bundles the join page, for whoever serves it. As a program: build.node.ts FOLDER
import { fileURLToPath } from "node:url";
import { build } from "vite";

/** @param folder where the files go; what is in it is removed */
export async function buildJoinPage(folder: string): Promise<void> {
  await build({
    configFile: false,
    root: fileURLToPath(new URL(".", import.meta.url)),
    base: "./",
    logLevel: "warn",
    worker: { format: "es" },
    build: { outDir: folder, emptyOutDir: true, target: "esnext", modulePreload: false, assetsInlineLimit: 0 },
  });
}

const [folder] = process.argv.slice(2);
if (import.meta.main && folder) await buildJoinPage(folder);
