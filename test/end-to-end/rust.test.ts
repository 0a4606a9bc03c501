// A program in Rust, as rustc makes it for WASI: the same output natively, in one thread, and moved all the time.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = join(ROOT, "test/programs/ordinary.rs");
const INPUT = "one\ntwo\n";

/** A compiler and what it calls WASI's preview 1; undefined where there is none that knows it. */
function findRust(): { rustc: string; target: string } | undefined {
  for (const rustc of ["rustc", "/usr/bin/rustc"])
    for (const target of ["wasm32-wasip1", "wasm32-wasi"]) {
      const { stdout } = spawnSync(rustc, ["--print", "target-libdir", "--target", target], { encoding: "utf8" });
      if (stdout && existsSync(stdout.trim())) return { rustc, target };
    }
  return undefined;
}

function without(rust: unknown): boolean {
  if (rust) return false;
  const why =
    "programs in Rust: no rustc with WASI found; install one (Debian: apt-get install rustc libstd-rust-dev-wasm32 lld)";
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED ${why}`);
  return true;
}

const rust = findRust();

test.skipIf(without(rust))("prints what it prints natively, also while it is moved every few milliseconds", () => {
  const { rustc, target } = rust as NonNullable<typeof rust>;
  const folder = mkdtempSync(join(tmpdir(), "nightshift-rust-"));
  try {
    const run = (command: string, args: readonly string[]) =>
      spawnSync(command, args, { cwd: folder, input: INPUT, encoding: "utf8", env: { ...process.env, NIGHTSHIFT_HOME: folder } });
    const compile = (...args: string[]): void => {
      const { status, stderr } = run(rustc, ["--edition", "2021", "-O", SOURCE, ...args]);
      expect(stderr).not.toMatch(/^error/m);
      expect(status).toBe(0);
    };
    compile("-o", "native");
    compile("--target", target, "-o", "program.wasm");
    const exec = (count: string, ...more: string[]) =>
      run(process.execPath, [join(ROOT, "coordinator/cli/main.ts"), "exec", "--dir", ".", ...more, "program.wasm", count]);
    const native = run(join(folder, "native"), ["400000"]);
    expect(native).toMatchObject({ status: 3, stderr: "" });
    for (const more of [[], ["--migrate-every", "7"]]) {
      rmSync(join(folder, "written.txt"), { force: true });
      const { status, stdout, stderr } = exec("400000", ...more);
      expect({ status, stdout, stderr }).toEqual({ status: 3, stdout: native.stdout, stderr: "" });
      expect(readFileSync(join(folder, "written.txt"), "utf8")).toBe("é 400000\n");
    }
    // A panic says where in the source it was, and is a trap.
    const panicked = exec("400001");
    expect(panicked.status).toBe(134);
    expect(panicked.stderr).toMatch(/panicked at[\s\S]*index out of bounds[\s\S]*NS_TRAP/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
