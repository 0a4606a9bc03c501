// For tests only: a shared build cache, scratch folders with sources, and a plain run of a module under node:wasi (no migration,
// no processes), which is an implementation of WASI that is not ours.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

/** Kept between runs: entries are named by the hash of everything that went into them, so they cannot be stale. */
export const sharedCacheDir: string = fileURLToPath(new URL("../../node_modules/.cache/nightshift-test-builds", import.meta.url));

/** A new folder with these files; returns its path. */
export function scratch(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-toolchain-"));
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
  return folder;
}

/** The imports of a module as "module.name", sorted. */
export function importsOf(wasm: Uint8Array): string[] {
  return WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array(wasm)))
    .map(({ module, name }) => `${module}.${name}`)
    .sort();
}

export interface PlainRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `(module (func (export "trap") unreachable))`. */
const TRAP = new WebAssembly.Module(
  new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11,
  ]),
);

/**
 * Runs a module to its end with a new folder as ".", a tmp in it; a trap rejects, with what was on stderr as the error's `stderr`;
 * `nightshift` stands in for the host functions that the module imports.
 */
export async function runPlain(
  wasm: Uint8Array,
  args: readonly string[] = [],
  nightshift: Readonly<Record<string, (...values: number[]) => number>> = {},
): Promise<PlainRun> {
  const folder = scratch({ "work/tmp/.keep": "" });
  const names = ["stdout", "stderr"].map((name) => join(folder, name));
  const [stdout = 1, stderr = 2] = names.map((name) => openSync(name, "w"));
  try {
    const options = { version: "preview1", args: ["program", ...args], preopens: { ".": join(folder, "work") } } as const;
    const wasi = new WASI({ ...options, args: [...options.args], stdout, stderr });
    const module = await WebAssembly.compile(new Uint8Array(wasm));
    // Exits by a trap: a JavaScript exception would run C++ destructors on its way and end in std::terminate at a noexcept function.
    let exitCode: number | undefined;
    const trap = new WebAssembly.Instance(TRAP).exports.trap as () => void;
    const proc_exit = (code: number) => {
      exitCode = code;
      trap();
    };
    const imports = { wasi_snapshot_preview1: { ...wasi.wasiImport, proc_exit }, nightshift } as WebAssembly.Imports;
    try {
      wasi.start(await WebAssembly.instantiate(module, imports));
    } catch (thrown) {
      if (exitCode === undefined) throw Object.assign(thrown as Error, { stderr: readFileSync(join(folder, "stderr"), "utf8") });
    }
    const [out = "", err = ""] = names.map((name) => readFileSync(name, "utf8"));
    return { exitCode: exitCode ?? 0, stdout: out, stderr: err };
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}
