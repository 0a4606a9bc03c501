// Our addition to wasi-libc and libc++abi: the headers, C and C++ files of overlay/, made into an archive for each language once,
// and linked into every program (which takes from them only what it calls). Those files say what each function does; this one only
// builds them.
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "../errors.ts";
import { buildKey, readBuild, writeBuild } from "./cache.ts";
import { compilerVersion } from "./clang.ts";
import type { ToolRequest } from "./clang-worker.ts";
import { runTools } from "./tools.ts";

const FOLDER = fileURLToPath(new URL("./overlay", import.meta.url));
const VIRTUAL_FOLDER = "/nightshift-overlay";
const BUILD_TIMEOUT_MS = 120_000;

export interface Overlay {
  /** Changes with any file of the overlay and with the compiler. */
  readonly key: string;
  /** Virtual path -> contents: the headers and the archives. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Preprocessor options for every source. The emulations are wasi-libc's own, linked only when called. With them, what the overlay adds and fork() this is a
 * Unix to ordinary programs, which ask by that name.
 */
export const OVERLAY_COMPILE_ARGS: readonly string[] = [
  "-isystem",
  `${VIRTUAL_FOLDER}/include`,
  "-D__unix__=1",
  "-D__unix=1",
  "-D_WASI_EMULATED_SIGNAL",
  "-D_WASI_EMULATED_GETPID",
  "-D_WASI_EMULATED_MMAN",
  "-D_WASI_EMULATED_PROCESS_CLOCKS",
];

/** Older programs do it, other compilers warn of it, and clang would refuse it. */
const OLD_C = [
  "implicit-function-declaration",
  "implicit-int",
  "int-conversion",
  "incompatible-pointer-types",
  "incompatible-function-pointer-types",
  "return-mismatch",
];
/** Of C++: what some warn of where others refuse it, too. */
const OLD_CXX = ["register", "reserved-user-defined-literal", "c++11-narrowing"];
const tolerated = (names: readonly string[]): string[] => names.map((name) => `-Wno-error=${name}`);
/** setjmp by WebAssembly's exceptions. Without setjmp the code is the same. */
const SETJMP = ["-mllvm", "-wasm-enable-sjlj"];

/** For every C source. */
export const C_ARGS: readonly string[] = [...SETJMP, ...tolerated(OLD_C)];

/** What newer C++ has taken out of its library and others still have, by the names of libc++'s macros: older programs call it. */
const REMOVED: Readonly<Record<string, readonly string[]>> = {
  CXX17: ["AUTO_PTR", "BINDERS", "RANDOM_SHUFFLE", "UNARY_BINARY_FUNCTION", "UNEXPECTED_FUNCTIONS"],
  CXX20: [
    "BINDER_TYPEDEFS",
    "NEGATORS",
    "RAW_STORAGE_ITERATOR",
    "SHARED_PTR_UNIQUE",
    "TEMPORARY_BUFFER",
    "TYPE_TRAITS",
    "UNCAUGHT_EXCEPTION",
  ],
};

/** As soon as one source is C++: its exceptions, in the older form that every engine runs. */
export const CXX_ARGS: readonly string[] = [
  ...C_ARGS,
  ...tolerated(OLD_CXX),
  ...Object.entries(REMOVED).flatMap(([standard, names]) => names.map((name) => `-D_LIBCPP_ENABLE_${standard}_REMOVED_${name}`)),
  "-fwasm-exceptions",
];

const archive = (language: Language): string => `${VIRTUAL_FOLDER}/libnightshift-${language}.a`;

/** Libraries, after the program's objects: ours first, so that its signals, pids and exceptions win over the others'. */
export const linkArgs = (hasCxx: boolean): readonly string[] => [
  archive("c"),
  ...["chmod", "fchmod", "fchmodat"].map((name) => `-Wl,--wrap=${name}`), // users.c
  ...(hasCxx ? CXX_LINK_ARGS : []),
  "-lsetjmp",
  "-lwasi-emulated-signal",
  "-lwasi-emulated-process-clocks",
];

const CXX_LINK_ARGS: readonly string[] = [
  archive("cpp"),
  "-nostartfiles", // start.c
  "-Wl,--wrap=_ZNSt3__28ios_base33__set_badbit_and_consider_rethrowEv", // streams.cpp
  "-Wl,--wrap=_ZNSt3__28ios_base34__set_failbit_and_consider_rethrowEv",
  "-lc++",
  "-lc++abi",
];

/** How the overlay's own sources are compiled. */
const SOURCE_ARGS = {
  c: ["-Wno-incompatible-library-redeclaration"],
  cpp: ["-std=c++20", "-fno-access-control", ...CXX_ARGS],
} as const;

type Language = keyof typeof SOURCE_ARGS;

const loaded = new Map<Language, Promise<Overlay>>();

/** The overlay, built at first use in this process (or taken from the cache). C programs do not wait for the C++ part. */
export async function loadOverlay(cacheDir: string | undefined, hasCxx: boolean): Promise<Overlay> {
  const parts = await Promise.all(
    (["c", ...(hasCxx ? ["cpp" as const] : [])] as const).map((language) => loadPart(language, cacheDir)),
  );
  return { key: buildKey(parts.map(({ key }) => key)), files: new Map(parts.flatMap(({ files }) => [...files])) };
}

function loadPart(language: Language, cacheDir: string | undefined): Promise<Overlay> {
  const part =
    loaded.get(language) ??
    build(language, cacheDir).catch((error: unknown) => {
      loaded.delete(language);
      throw error;
    });
  loaded.set(language, part);
  return part;
}

async function build(language: Language, cacheDir: string | undefined): Promise<Overlay> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = new Map<string, Uint8Array>();
  for (const path of paths) {
    files.set(`${VIRTUAL_FOLDER}/${relative(FOLDER, path).split(sep).join("/")}`, new Uint8Array(await readFile(path)));
  }
  const sources = [...files.keys()].filter((path) => path.endsWith(`.${language}`));
  const objects = sources.map((path) => `/${path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."))}.o`);
  const options = ["-O2", "-D_GNU_SOURCE", "-Wall", "-Werror", ...SOURCE_ARGS[language], ...OVERLAY_COMPILE_ARGS];
  const wanted = archive(language);
  const commands: ToolRequest["commands"] = [
    ["clang", "-c", ...options, ...sources],
    ["ar", "rcsD", wanted, ...objects],
  ];
  const key = buildKey([compilerVersion, JSON.stringify(commands), ...[...files].flat()]);
  let built = cacheDir === undefined ? undefined : (await readBuild(cacheDir, key))?.bytes;
  if (built === undefined) {
    const reply = await runTools({ commands, files, wanted }, BUILD_TIMEOUT_MS);
    if (reply.output === undefined) throw new NightshiftError("NS_INTERNAL", `The libc overlay does not compile:\n${reply.text}`);
    built = reply.output;
    if (cacheDir !== undefined) await writeBuild(cacheDir, key, { bytes: built, text: "" });
  }
  files.set(wanted, built);
  return { key, files };
}
