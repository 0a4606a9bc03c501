import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { compileNative } from "./index.ts";
import { scratch } from "./testing.ts";

const originalCc = process.env.CC;

afterEach(() => {
  if (originalCc === undefined) delete process.env.CC;
  else process.env.CC = originalCc;
});

test("the same sources become a native program, once per content", async () => {
  const folder = scratch({
    "main.c": '#include "a.h"\n#include <math.h>\nint main(int c, char **v) { (void)v; return A + (int)sqrt(c * 9.0); }',
    "a.h": "#define A 5",
  });
  const options = { sources: [join(folder, "main.c")], cacheDir: join(folder, "cache") };
  const first = await compileNative(options);
  expect(spawnSync(first.path).status).toBe(8);
  const made = statSync(first.path).mtimeMs;
  expect(await compileNative(options)).toEqual(first);
  expect(statSync(first.path).mtimeMs).toBe(made);
  writeFileSync(join(folder, "a.h"), "#define A 6");
  expect(spawnSync((await compileNative(options)).path).status).toBe(9);
});

test("a C source beside a C++ one is compiled as C", async () => {
  const folder = scratch({
    "main.cpp": 'extern "C" int seven(void);\nint main() { try { throw seven(); } catch (int n) { return n; } }',
    "seven.c": "int seven(void) { int class = 7; return class; }",
  });
  const { path } = await compileNative({ sources: ["main.cpp", "seven.c"].map((name) => join(folder, name)) });
  expect(spawnSync(path).status).toBe(7);
});

test("without a native compiler the error says which one is missing", async () => {
  process.env.CC = "no-such-compiler-here";
  const source = join(scratch({ "main.c": "int main(void) { return 0; }" }), "main.c");
  await expect(compileNative({ sources: [source] })).rejects.toMatchObject({
    code: "NS_NO_NATIVE_COMPILER",
    details: { compiler: "no-such-compiler-here" },
  });
});

test("CC may carry arguments", async () => {
  process.env.CC = "cc -DFROM_CC=3";
  const source = join(scratch({ "main.c": "int main(void) { return FROM_CC; }" }), "main.c");
  expect(spawnSync((await compileNative({ sources: [source] })).path).status).toBe(3);
});

test("an error in the source is a compile failure with file and line, and leaves nothing behind", async () => {
  const folder = scratch({ "main.c": "int main(void) {\n  return missing;\n}" });
  const failed = compileNative({ sources: [join(folder, "main.c")], cacheDir: join(folder, "cache") });
  await expect(failed).rejects.toMatchObject({
    code: "NS_COMPILE_FAILED",
    details: { diagnostics: expect.stringContaining(`${join(folder, "main.c")}:2:`) },
  });
  expect(existsSync(join(folder, "cache", "a.out"))).toBe(false);
  await expect(compileNative({ sources: [join(folder, "none.c")] })).rejects.toMatchObject({ code: "NS_SOURCE_NOT_FOUND" });
});
