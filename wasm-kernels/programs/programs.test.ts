import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { compile, compileNative } from "../toolchain/index.ts";
import { importsOf, runPlain, scratch, sharedCacheDir } from "../toolchain/testing.ts";
import { type Program, programNamed, programs } from "./index.ts";

const cacheDir = sharedCacheDir;

/** What the runtime implements; a program that needs more would not start. */
const KNOWN_IMPORT = /^(?:wasi_snapshot_preview1\.\w+|nightshift\.(?:fork|wait|pipe|dup|kill|getpid|getppid))$/;

async function native(
  program: Program,
  args = program.quickArgs,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const { path } = await compileNative({ sources: [program.source], extraArgs: ["-Wall", "-Wextra", "-Werror"], cacheDir });
  return spawnSync(path, args, { encoding: "utf8", cwd: scratch() });
}

test("the list has the programs people are told about, each described and with arguments for every use", () => {
  const names = programs.map((program) => program.name);
  expect(names).toEqual(
    expect.arrayContaining(["hello", "fork-fibonacci", "fibonacci", "mandelbrot", "nbody", "matmul", "sha256", "pathtrace"]),
  );
  expect(names).toEqual(
    expect.arrayContaining(["sort", "wordcount", "ackermann", "dispatch", "longloop", "files", "pipeline", "signals"]),
  );
  expect(programs.filter((program) => program.forks).map((program) => program.name)).toEqual([
    "fork-fibonacci",
    "pipeline",
    "signals",
  ]);
  for (const { description, args, quickArgs, benchArgs } of programs) {
    expect(description).toMatch(/^[^\n]{20,120}$/);
    expect([args, quickArgs, benchArgs].flat().every((arg) => typeof arg === "string")).toBe(true);
  }
  expect(() => programNamed("none")).toThrow(/fork-fibonacci/);
});

describe.each(programs)("$name", (program) => {
  test("becomes a module without warnings that imports only what the runtime has", async () => {
    const { wasm, diagnostics } = await compile({ sources: [program.source], extraArgs: ["-Wall", "-Wextra"], cacheDir });
    expect(diagnostics).toBe("");
    for (const name of importsOf(wasm)) expect(name).toMatch(KNOWN_IMPORT);
    expect(importsOf(wasm).includes("nightshift.fork")).toBe(program.forks);
  });

  test("gives the same output every time, natively and (unless it forks) as WebAssembly", async () => {
    const first = await native(program);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(first.stdout).not.toBe("");
    expect((await native(program)).stdout).toBe(first.stdout);
    if (program.forks) return;
    const { wasm } = await compile({ sources: [program.source], extraArgs: ["-Wall", "-Wextra"], cacheDir });
    expect(await runPlain(wasm, program.quickArgs)).toEqual({ exitCode: 0, stdout: first.stdout, stderr: "" });
  });
});

test("fork-fibonacci prints one line per process in order, with the right numbers, for any number of forks", async () => {
  const program = programNamed("fork-fibonacci");
  const { stdout } = await native(program, ["10", "5"]);
  const lines = stdout.trimEnd().split("\n");
  // fib(10, a, b) = 34 a + 55 b
  const expected = Array.from({ length: 32 }, (_, id) => [id, id + 1, 2 * id + 1] as const).map(
    ([id, a, b]) => `process ${String(id).padStart(2, "0")} seeds ${a} ${b} fib(10) = ${34 * a + 55 * b}`,
  );
  expect(lines).toEqual(expected);
  expect((await native(program, ["0", "0"])).stdout).toBe("process 00 seeds 1 1 fib(0) = 1\n");
  expect((await native(program, ["1", "8"])).stdout.split("\n")).toHaveLength(257);
  expect((await native(program, ["61"])).status).toBe(2);
});

test("sha256 gives the standard's own digest of abc", async () => {
  expect((await native(programNamed("sha256"), ["1"])).stdout).toContain(
    "abc ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
