import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { PATIENCE_MS } from "./test/patience.ts";

/** They take all of a machine for a minute: no other test could keep its times beside them. */
const ALONE = ["test/browser/many-tabs.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: "side by side", include: ["{wasm-kernels,coordinator,agent-app,test}/**/*.test.ts"], exclude: ALONE },
      },
      { extends: true, test: { name: "alone", include: ALONE, sequence: { groupOrder: 1 } } },
    ],
    globalSetup: "test/temporary-folder.ts",
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    pool: "forks",
    maxWorkers: 2,
    // As with the command (nightshift.mjs): the programs that tests start need not read TypeScript each time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/nightshift-code", import.meta.url)) },
  },
});
