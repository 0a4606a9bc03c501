import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{wasm-kernels,coordinator,agent-app,test}/**/*.test.ts"],
    globalSetup: "test/temporary-folder.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    // As with the command (nightshift.mjs): the programs that tests start need not read TypeScript each time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/nightshift-code", import.meta.url)) },
  },
});
