// C and C++ to a WASI module: the flags, the cache key and what a failure says. The compiler itself is clang.ts, the files it
// may read sources.ts, and fork() and its relations overlay.ts.
import { NightshiftError } from "../errors.ts";
import { type Build, buildKey, readBuild, writeBuild } from "./cache.ts";
import { compilerVersion } from "./clang.ts";
import type { ToolReply, ToolRequest } from "./clang-worker.ts";
import { wantsCommons, withoutCommons } from "./commons.ts";
import { LONG_DOUBLE_ARGS, usesLongDouble } from "./long-double.ts";
import { C_ARGS, CXX_ARGS, linkArgs, loadOverlay, OVERLAY_COMPILE_ARGS } from "./overlay.ts";
import { collectSources, FILE_PREFIX_MAP, isWasm, namesOf, readGiven, type SourceSet } from "./sources.ts";
import { runTools } from "./tools.ts";

export interface CompileOptions {
  /** Paths of C or C++ files that make one program; or of one WebAssembly module, which is returned as it is. */
  readonly sources: readonly string[];
  /** Macro -> value; "" defines it empty. */
  readonly defines?: Readonly<Record<string, string>>;
  /** -I folders. */
  readonly includeDirs?: readonly string[];
  /** What sources include may lie anywhere on this disk, not only in their folders and includeDirs: for builds of one's own. */
  readonly includeAnywhere?: boolean;
  /** What the sources are, whatever they are called: "c", "c++" or another name that clang's -x knows. */
  readonly language?: string;
  /** Contents of sources that are not on the disk, by their path. */
  readonly contents?: ReadonlyMap<string, Uint8Array>;
  /** Files that are read before each source: the option (-include or -imacros) and the name. */
  readonly before?: readonly (readonly [option: string, name: string])[];
  /** 0 to 3, s or z; 3 unless told. */
  readonly optimise?: "0" | "1" | "2" | "3" | "s" | "z";
  /** Further arguments for clang, after ours, so that they win. `-Ifolder` and `-I folder` are understood as includeDirs. */
  readonly extraArgs?: readonly string[];
  /** Where results are kept; without it nothing is. */
  readonly cacheDir?: string;
  /** Limit for this compilation; 120,000 ms and 20,000 more for each source unless told. */
  readonly timeoutMs?: number;
}

export interface Compiled {
  readonly wasm: Uint8Array;
  /** Warnings, with the user's own paths; "" when there are none. */
  readonly diagnostics: string;
}

const TIMEOUT_MS = 120_000;
const TIMEOUT_PER_SOURCE_MS = 20_000;
const OUTPUT = "/program.wasm";

/** 8 MiB: what a process has on Linux. First in memory, so that running out of it traps instead of overwriting data. */
const STACK_BYTES = 8 * 1024 * 1024;

const FLAGS: readonly string[] = [
  "-msimd128",
  "--no-wasm-opt", // clang would run one it finds, and lose the function names
  "-ffp-contract=off", // as in the native build: same rounding on every processor
  FILE_PREFIX_MAP,
];
export const LINK_FLAGS: readonly string[] = ["-Wl,--stack-first", `-Wl,-z,stack-size=${STACK_BYTES}`];

/** Options that would make the compiler do something else than write the one module we read back. */
const REFUSED = /^(?:-o.*|-c|-S|-E|-M|-MM|-fsyntax-only|-###|--version|--help|-help|--target=.*|-target)$/;

/**
 * Compiles to wasm32-wasi in a worker thread; the caller's event loop stays alive. The same input gives the same bytes.
 * @throws NightshiftError NS_COMPILE_FAILED (details.diagnostics has the compiler's text), NS_SOURCE_NOT_FOUND, NS_NOT_WASM
 *   (neither C, C++ nor WebAssembly), NS_LIMIT (too many or too large files), NS_USAGE (an argument that cannot be)
 */
export async function compile(options: CompileOptions): Promise<Compiled> {
  const only = options.sources.length === 1 ? options.sources[0] : undefined;
  if (only !== undefined) {
    const bytes = await readGiven(only);
    if (isWasm(bytes)) return { wasm: bytes, diagnostics: "" };
  }
  return withSources(options, (given) => compileAndLink(options, given));
}

async function compileAndLink(options: CompileOptions, { args: compiling, set }: Given): Promise<Compiled> {
  const overlay = await loadOverlay(options.cacheDir, set.hasCxx);
  const { before, args: given } = sourceArgs(compiling, set, options);
  const linking = [...compiling, ...LINK_FLAGS, ...given, ...linkArgs(set.hasCxx), "-o", OUTPUT];
  const commands = [...before, ["clang", ...linking] as const];
  const files = [...set.files].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = buildKey([compilerVersion, overlay.key, JSON.stringify(commands), ...files.flat()]);
  const cached = options.cacheDir === undefined ? undefined : await readBuild(options.cacheDir, key);
  const all = new Map([...overlay.files, ...files]);
  const built = cached ?? (await withLongDouble((more) => build([...before, ["clang", ...linking, ...more]], all, set, options)));
  if (cached === undefined && options.cacheDir !== undefined) await writeBuild(options.cacheDir, key, built);
  return { wasm: built.bytes, diagnostics: set.localise(built.text) };
}

/** @param attempt to build a program, with further arguments */
async function withLongDouble(attempt: (more: readonly string[]) => Promise<Build>): Promise<Build> {
  const built = await attempt([]);
  return usesLongDouble(built.bytes) ? attempt(LONG_DOUBLE_ARGS) : built;
}

/** What the compiler is told of a compilation, but for the sources and the result; and what it reads. */
export interface Given {
  readonly args: string[];
  readonly set: SourceSet;
}

/**
 * Compiles with what the sources name. Where macros put the name of a header together (`#include NAME_OF(size)`), only the compiler knows it: when it
 * misses some, they are looked for, and it tries again.
 */
export async function withSources<Result>(options: CompileOptions, attempt: (given: Given) => Promise<Result>): Promise<Result> {
  for (let also: readonly string[] = []; ; ) {
    const given = await compileArgs(options, also);
    try {
      return await attempt(given);
    } catch (error) {
      const missed = error instanceof NightshiftError ? MISSED.exec(String(error.details.diagnostics)) : null;
      if (!missed) throw error;
      const more = new Set([...also, missed[1] ?? "", ...(await missedNames(options, given))]);
      if (more.size === also.length) throw error;
      also = [...more];
    }
  }
}

const MISSED = /: fatal error: '([^'\n]+)' file not found/;

/** The names of all headers that are not there; none when the compiler cannot go on without them. */
async function missedNames(options: CompileOptions, { args, set }: Given): Promise<string[]> {
  const overlay = await loadOverlay(options.cacheDir, set.hasCxx);
  const language = options.language === undefined ? [] : ["-x", options.language];
  const commands = [["clang", ...args, "-M", "-MG", ...language, ...set.sources] as const];
  const reply = await runTools({ commands, files: new Map([...overlay.files, ...set.files]), wanted: "-" }, timeoutFor(options));
  const rules = Buffer.from(reply.output ?? []).toString();
  return rules.split(/[\s\\]+/).filter((name) => name !== "" && !name.startsWith("/") && !name.endsWith(":"));
}

async function compileArgs(options: CompileOptions, also: readonly string[]): Promise<Given> {
  const { rest, includeDirs } = splitArgs(options.extraArgs ?? []);
  const set = await sourcesOf(options, includeDirs, also);
  const args = [
    `-O${options.optimise ?? "3"}`,
    ...FLAGS,
    ...(set.hasCxx ? CXX_ARGS : C_ARGS),
    ...OVERLAY_COMPILE_ARGS,
    ...Object.entries(options.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ...set.includeDirs.map((folder) => `-I${folder}`),
    ...(options.before ?? []).flatMap(([option], at) => [option, set.before[at] ?? ""]),
    ...rest,
  ];
  return { args, set };
}

const sourcesOf = (options: CompileOptions, includeDirs: readonly string[], also: readonly string[] = []): Promise<SourceSet> =>
  collectSources(options.sources, [...(options.includeDirs ?? []), ...includeDirs], {
    anywhere: options.includeAnywhere,
    language: options.language,
    contents: options.contents,
    also,
    before: options.before?.map(([, name]) => name),
  });

/** What a make rule names: the sources and the headers that they may include, without those of the system. Throws as compile() does. */
export const readsOf = async (options: CompileOptions): Promise<readonly string[]> =>
  (await sourcesOf(options, splitArgs(options.extraArgs ?? []).includeDirs)).reads;

/** The sources as the compiler is given them, and what runs before it. */
export function sourceArgs(
  compiling: readonly string[],
  set: SourceSet,
  { language }: Pick<CompileOptions, "language">,
): { before: ToolRequest["commands"]; args: readonly string[] } {
  const named = language === undefined ? [...set.sources] : ["-x", language, ...set.sources, "-x", "none"];
  if (set.hasCxx || !wantsCommons(compiling)) return { before: [], args: named };
  const { commands, args, sources } = withoutCommons(
    language === undefined ? compiling : [...compiling, "-x", language],
    set.sources,
  );
  return { before: commands, args: [...args, ...sources] };
}

export const timeoutFor = ({ timeoutMs, sources }: Pick<CompileOptions, "timeoutMs" | "sources">): number =>
  timeoutMs ?? TIMEOUT_MS + TIMEOUT_PER_SOURCE_MS * sources.length;

async function build(
  commands: ToolRequest["commands"],
  files: ReadonlyMap<string, Uint8Array>,
  set: SourceSet,
  options: CompileOptions,
): Promise<Build> {
  const reply = await runTools({ commands, files, wanted: OUTPUT }, timeoutFor(options));
  if (reply.output !== undefined && isWasm(reply.output)) return { bytes: reply.output, text: reply.text };
  throw failure(reply, set, options.sources);
}

/** What the compiler says of assembly within a source. */
const ASSEMBLY = /error: (?:invalid|unknown|unexpected) [^\n]* in asm\b|<inline asm>:|unknown register name '[^'\n]*' in asm/;

/** What a failed compilation is told as. */
export function failure(
  reply: ToolReply,
  set: Pick<SourceSet, "localise" | "outside">,
  sources: readonly string[],
): NightshiftError {
  const notes = set.outside.map(
    (path) => `note: ${path} was not used: it lies outside the sources' folders and the -I folders\n`,
  );
  if (reply.text.includes("wasm-ld: error: duplicate symbol"))
    notes.push("note: variables that several C sources define without a value, as older ones do, are one with -fcommon\n");
  if (ASSEMBLY.test(reply.text))
    notes.push(
      "note: assembly is for one kind of processor, and a program here runs on any: take the plain C or C++ that most sources have in its place\n",
    );
  const diagnostics = set.localise(reply.text).trimEnd() + (notes.length > 0 ? `\n${notes.join("")}`.trimEnd() : "");
  return new NightshiftError("NS_COMPILE_FAILED", `${namesOf(sources)} does not compile:\n${diagnostics}`, {
    details: { diagnostics, exitCode: reply.exitCode },
  });
}

/** Takes the -I folders out of the arguments, since the compiler sees only the files that are given to it. */
function splitArgs(args: readonly string[]): { rest: string[]; includeDirs: string[] } {
  const rest: string[] = [];
  const includeDirs: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (REFUSED.test(arg)) {
      throw new NightshiftError("NS_USAGE", `The compiler option ${arg} cannot be used: the result is always one program`, {
        details: { arg },
      });
    }
    if (arg === "-I") includeDirs.push(args[++at] ?? ".");
    else if (arg.startsWith("-I")) includeDirs.push(arg.slice(2));
    else rest.push(arg);
  }
  return { rest, includeDirs };
}
