// Our addition to wasi-libc and libc++abi: the headers, C and C++ files of overlay/, made into an archive once, and linked into every
// program (which takes from it only what it calls). Those files say what each function does; this one only builds them.
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "../errors.ts";
import { buildKey, readBuild, writeBuild } from "./cache.ts";
import { compilerVersion, runTools } from "./clang.ts";
import type { ToolRequest } from "./clang-worker.ts";

const FOLDER = fileURLToPath(new URL("./overlay", import.meta.url));
const VIRTUAL_FOLDER = "/nightshift-overlay";
const ARCHIVE = `${VIRTUAL_FOLDER}/libnightshift.a`;
const BUILD_TIMEOUT_MS = 120_000;

export interface Overlay {
  /** Changes with any file of the overlay and with the compiler. */
  readonly key: string;
  /** Virtual path -> contents: the headers and the archive. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Preprocessor options for every source. The emulations are wasi-libc's own, linked only when called. */
export const OVERLAY_COMPILE_ARGS: readonly string[] = [
  "-isystem",
  `${VIRTUAL_FOLDER}/include`,
  "-D_WASI_EMULATED_SIGNAL",
  "-D_WASI_EMULATED_GETPID",
  "-D_WASI_EMULATED_MMAN",
  "-D_WASI_EMULATED_PROCESS_CLOCKS",
];

/** For every C source: setjmp by WebAssembly's exceptions. Without setjmp the code is the same. */
export const C_ARGS: readonly string[] = ["-mllvm", "-wasm-enable-sjlj"];

/** As soon as one source is C++: its exceptions (the older form, which every engine runs), and a start that ends uncaught ones. */
export const CXX_ARGS: readonly string[] = [...C_ARGS, "-fwasm-exceptions"];

/** Libraries, after the program's objects: ours first, so that its signals, pids and exceptions win over the others'. */
export const OVERLAY_LINK_ARGS: readonly string[] = [
  ARCHIVE,
  "-lsetjmp",
  "-lwasi-emulated-signal",
  "-lwasi-emulated-mman",
  "-lwasi-emulated-process-clocks",
];

let loaded: Promise<Overlay> | undefined;

/** The overlay, built at first use in this process (or taken from the cache). */
export function loadOverlay(cacheDir: string | undefined): Promise<Overlay> {
  loaded ??= build(cacheDir).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function build(cacheDir: string | undefined): Promise<Overlay> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = new Map<string, Uint8Array>();
  for (const path of paths) {
    files.set(`${VIRTUAL_FOLDER}/${relative(FOLDER, path).split(sep).join("/")}`, new Uint8Array(await readFile(path)));
  }
  const sources = [...files.keys()].filter((path) => /\.(c|cpp)$/.test(path));
  const objects = sources.map((path) => `/${path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."))}.o`);
  const compile = (extension: string, ...args: string[]): ToolRequest["commands"][number] => [
    "clang",
    "-c",
    "-O2",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Werror",
    ...args,
    ...OVERLAY_COMPILE_ARGS,
    ...sources.filter((path) => path.endsWith(extension)),
  ];
  const commands: ToolRequest["commands"] = [
    compile(".c", "-Wno-incompatible-library-redeclaration"),
    compile(".cpp", "-std=c++20", ...CXX_ARGS),
    ["ar", "rcsD", ARCHIVE, ...objects],
  ];
  const key = buildKey([compilerVersion, JSON.stringify(commands), ...[...files].flat()]);
  let archive = cacheDir === undefined ? undefined : (await readBuild(cacheDir, key))?.bytes;
  if (archive === undefined) {
    const reply = await runTools({ commands, files, wanted: ARCHIVE }, BUILD_TIMEOUT_MS);
    if (reply.output === undefined) throw new NightshiftError("NS_INTERNAL", `The libc overlay does not compile:\n${reply.text}`);
    archive = reply.output;
    if (cacheDir !== undefined) await writeBuild(cacheDir, key, { bytes: archive, text: "" });
  }
  files.set(ARCHIVE, archive);
  return { key, files };
}
