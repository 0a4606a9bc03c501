import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("carry.ts stops a program, continues it from its image and prints what the program prints", () => {
  const path = fileURLToPath(new URL("./carry.ts", import.meta.url));
  const out = execFileSync(process.execPath, [path], { encoding: "utf8" });
  expect(out).toMatch(/^stopped: an image of \d+ bytes\n.*\b196418\b.*\nexit 0\n$/s);
});
