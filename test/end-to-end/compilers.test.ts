// Programs made by others' compilers for WASI: the same output natively, in one thread, and moved all the time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INPUT = "ONE\nTWO\n";
const scratch = mkdtempSync(join(tmpdir(), "nightshift-compilers-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const run = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { cwd: scratch, input: INPUT, encoding: "utf8", env: { ...process.env, NIGHTSHIFT_HOME: scratch } });
const exec = (...args: string[]) => run(process.execPath, [join(ROOT, "coordinator/cli/main.ts"), "exec", "--dir", ".", ...args]);
const source = (name: string): string => join(ROOT, "test/programs", name);

function compile(command: string, ...args: string[]): void {
  const { status, stderr } = run(command, args);
  expect(stderr).not.toMatch(/\berror\b/);
  expect(status).toBe(0);
}

/** Runs it natively, here, and here while it is moved, and expects the same. */
function expectLikeNative(name: string, count: string, status: number, after: () => void = () => undefined): void {
  const native = run(join(scratch, name), [count]);
  expect(native).toMatchObject({ status, stderr: "" });
  expect(native.stdout).toContain(INPUT.split("\n").at(-2));
  after();
  for (const more of [[], ["--migrate-every", "7"]]) {
    const { status: ended, stdout, stderr } = exec(...more, `${name}.wasm`, count);
    expect({ status: ended, stdout, stderr }).toEqual({ status, stdout: native.stdout, stderr: "" });
    after();
  }
}

function without(what: string, packages: string, isThere: unknown): boolean {
  if (isThere) return false;
  const why = `${what}: not found; install it (Debian: apt-get install ${packages})`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED ${why}`);
  return true;
}

/** A compiler and what it calls WASI's preview 1; undefined where there is none that knows it. */
function findRust(): { rustc: string; target: string } | undefined {
  for (const rustc of ["rustc", "/usr/bin/rustc"])
    for (const target of ["wasm32-wasip1", "wasm32-wasi"]) {
      const { stdout } = spawnSync(rustc, ["--print", "target-libdir", "--target", target], { encoding: "utf8" });
      if (stdout && existsSync(stdout.trim())) return { rustc, target };
    }
  return undefined;
}

const rust = findRust();
test.skipIf(without("rustc with WASI", "rustc libstd-rust-dev-wasm32 lld", rust))("Rust, its files and panics", () => {
  const { rustc, target } = rust as NonNullable<typeof rust>;
  const options = ["--edition", "2021", "-O", source("ordinary.rs")];
  compile(rustc, ...options, "-o", "rust");
  compile(rustc, ...options, "--target", target, "-o", "rust.wasm");
  expectLikeNative("rust", "400000", 3, () => {
    expect(readFileSync(join(scratch, "written.txt"), "utf8")).toBe("é 400000\n");
    rmSync(join(scratch, "written.txt"));
  });
  const panicked = exec("rust.wasm", "400001");
  expect(panicked.status).toBe(134);
  expect(panicked.stderr).toMatch(/panicked at[\s\S]*index out of bounds[\s\S]*NS_TRAP/);
});

const emcc = spawnSync("emcc", ["--version"]).status === 0;
test.skipIf(without("emcc", "emscripten", emcc))(
  "Emscripten's standalone modules, exceptions and memory that grows among them",
  () => {
    const options = ["-std=c++17", "-O2", source("ordinary.cpp")];
    compile("c++", ...options, "-o", "emscripten");
    compile("emcc", ...options, "-fwasm-exceptions", "-sSTANDALONE_WASM", "-sALLOW_MEMORY_GROWTH=1", "-o", "emscripten.wasm");
    expectLikeNative("emscripten", "100000", 5);
  },
);
