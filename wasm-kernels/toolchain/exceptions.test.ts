// C++ exceptions and setjmp as programs use them. The expected output is the native compiler's, where there is one for C++; what a
// line must say without one is in the tests that follow.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { compile, compileNative } from "./index.ts";
import { type PlainRun, runPlain, scratch, sharedCacheDir } from "./testing.ts";

const cacheDir = sharedCacheDir;
const inFolder = (name: string): string => fileURLToPath(new URL(`./test-programs/${name}`, import.meta.url));
const hasNative = spawnSync(process.env.CXX ?? "c++", ["--version"]).status === 0;

const build = (sources: readonly string[], extraArgs: readonly string[] = []) =>
  compile({ sources: sources.map(inFolder), extraArgs, cacheDir });

async function buildText(text: string, name: string, extraArgs: readonly string[] = []) {
  return compile({ sources: [join(scratch({ [name]: text }), name)], extraArgs: ["-Wall", "-Wextra", ...extraArgs], cacheDir });
}

async function native(sources: readonly string[]): Promise<PlainRun> {
  const { path } = await compileNative({ sources: sources.map(inFolder), cacheDir });
  const { status, stdout, stderr } = spawnSync(path, { encoding: "utf8", maxBuffer: 1 << 20, timeout: 20_000 });
  return { exitCode: status ?? -1, stdout, stderr };
}

/** The ids of a module's sections; 13 holds the tags of exceptions. */
function sectionsOf(wasm: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < wasm.length; ) {
    ids.push(wasm[at++] ?? 0);
    let bytes = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      bytes += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += bytes;
  }
  return ids;
}

describe.runIf(hasNative)("the same output as natively", () => {
  test.each([
    ["every kind of throw and catch, unwinding, rethrowing, nesting, exception_ptr", ["exceptions.cpp"]],
    ["what the standard library throws, its prebuilt parts included", ["library-throws.cpp"]],
    ["setjmp and longjmp in C", ["setjmp.c"]],
    ["exceptions and longjmp together, through C and C++ frames", ["mixed.cpp", "mixed.c"]],
  ])("%s", async (_what, sources) => {
    const { wasm, diagnostics } = await build(sources, ["-Wall", "-Wextra"]);
    expect(diagnostics).toBe("");
    const expected = await native(sources);
    expect(expected.stdout.split("\n").length).toBeGreaterThan(6);
    expect(await runPlain(wasm)).toEqual(expected);
  });

  test("the same without optimisation", async () => {
    for (const sources of [["exceptions.cpp"], ["setjmp.c"]]) {
      const { wasm } = await compile({ sources: sources.map(inFolder), optimise: "0", cacheDir });
      expect(await runPlain(wasm)).toEqual(await native(sources));
    }
  });
});

describe("an exception that nobody catches", () => {
  let wasm: Uint8Array;
  beforeAll(async () => {
    ({ wasm } = await build(["terminate.cpp"]));
  });

  test.each([
    ["class", "of type shop::Closed: until noon"],
    ["plain", "of type shop::Plain"],
    ["int", "of type int"],
    ["pointer", "of type const char*"],
    ["secret", "of type (anonymous namespace)::Secret"],
    ["template", "of type N4shop3BoxIiEE"],
    ["noexcept", "of type shop::Closed: until noon"],
    ["unwinding", "of type int"],
  ])("traps and says which: %s", async (way, type) => {
    const stderr = `terminating due to uncaught exception ${type}\n`;
    await expect(runPlain(wasm, [way])).rejects.toMatchObject({ name: "RuntimeError", stderr });
  });

  test("std::terminate and throw; with no exception trap too", async () => {
    for (const way of ["terminate", "rethrow"]) {
      await expect(runPlain(wasm, [way])).rejects.toMatchObject({ name: "RuntimeError", stderr: "terminating\n" });
    }
  });

  test("one thrown before main does too", async () => {
    const { wasm } = await buildText(
      "struct Early { Early() { throw 1u; } } early;\nint main() { return early.operator=(early), 0; }",
      "main.cpp",
    );
    const stderr = "terminating due to uncaught exception of type unsigned int\n";
    await expect(runPlain(wasm)).rejects.toMatchObject({ name: "RuntimeError", stderr });
  });

  test("a terminate handler can look at it and exit", async () => {
    for (const way of ["handler", "handler-noexcept"]) {
      expect(await runPlain(wasm, [way])).toEqual({ exitCode: 4, stdout: "handler: until noon\n", stderr: "" });
    }
  });

  test("exit() runs no destructor of the frames it leaves", async () => {
    expect(await runPlain(wasm, ["exit"])).toEqual({ exitCode: 5, stdout: "", stderr: "" });
    expect(await runPlain(wasm, ["none"])).toEqual({ exitCode: 0, stdout: "fine\n", stderr: "" });
  });
});

describe("who does not use them does not pay", () => {
  test("programs without exceptions and setjmp have no tags", async () => {
    const programs: [string, string][] = [
      ["main.c", '#include <stdio.h>\nint main(void) { return puts("C") < 0; }'],
      ["main.cpp", '#include <cstdio>\nstruct A { ~A() { std::puts("A"); } };\nint main() { A a; return std::puts("C++") < 0; }'],
    ];
    for (const [name, text] of programs) {
      const { wasm } = await buildText(text, name);
      expect(sectionsOf(wasm)).toContain(10);
      expect(sectionsOf(wasm)).not.toContain(13);
      expect(wasm.length).toBeLessThan(32_000);
    }
  });

  test("a program that throws has one tag, and stays small", async () => {
    const { wasm } = await buildText("int main(int c, char **) { try { throw c; } catch (int n) { return n; } }", "main.cpp");
    expect(sectionsOf(wasm)).toContain(13);
    expect(wasm.length).toBeLessThan(100_000);
    expect((await runPlain(wasm, ["one", "two"])).exitCode).toBe(3);
  });

  test("-fno-exceptions is obeyed", async () => {
    const text = "#include <vector>\nint main(int c, char **) { std::vector<int> v(3); return v.at(c); }";
    const { wasm } = await buildText(text, "main.cpp", ["-fno-exceptions"]);
    expect((await runPlain(wasm)).exitCode).toBe(0);
    await expect(runPlain(wasm, ["a", "b"])).rejects.toMatchObject({ name: "RuntimeError" });
  });
});

test("thread_local objects are destroyed at the end", async () => {
  const { wasm } = await buildText(
    '#include <cstdio>\nstruct A { int n = 5; ~A() { std::puts("gone"); } };\nthread_local A a;\nint main() { std::printf("%d\\n", a.n); }',
    "main.cpp",
  );
  expect((await runPlain(wasm)).stdout).toBe("5\ngone\n");
});
