import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{wasm-kernels,coordinator,agent-app,test}/**/*.test.ts"],
    globalSetup: "test/temporary-folder.ts",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
