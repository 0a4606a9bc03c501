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

/** Runs a module to its end with a new folder as "."; `nightshift` stands in for the host functions that the module imports. */
export async function runPlain(
  wasm: Uint8Array,
  args: readonly string[] = [],
  nightshift: Readonly<Record<string, (...values: number[]) => number>> = {},
): Promise<PlainRun> {
  const folder = scratch({ "work/.keep": "" });
  const names = ["stdout", "stderr"].map((name) => join(folder, name));
  const [stdout = 1, stderr = 2] = names.map((name) => openSync(name, "w"));
  try {
    const options = { version: "preview1", args: ["program", ...args], preopens: { ".": join(folder, "work") } } as const;
    const wasi = new WASI({ ...options, args: [...options.args], stdout, stderr, returnOnExit: true });
    const module = await WebAssembly.compile(new Uint8Array(wasm));
    const imports = { wasi_snapshot_preview1: wasi.wasiImport, nightshift } as WebAssembly.Imports;
    const exitCode = wasi.start(await WebAssembly.instantiate(module, imports));
    const [out = "", err = ""] = names.map((name) => readFileSync(name, "utf8"));
    return { exitCode, stdout: out, stderr: err };
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}
