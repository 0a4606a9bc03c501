// File by file, as make and configure build: one source to an object, objects to an archive, objects and archives to a program. What compile.ts
// does in one go, with the same flags, so that the programs are the same kind.
import { isUtf8 } from "node:buffer";
import { basename } from "node:path";
import { NightshiftError } from "../errors.ts";
import { archiveMembers, isArchive } from "./archive.ts";
import { buildKey, readBuild, writeBuild } from "./cache.ts";
import { compilerVersion } from "./clang.ts";
import {
  type Compiled,
  type CompileOptions,
  failure,
  type Given,
  LINK_FLAGS,
  sourceArgs,
  timeoutFor,
  withSources,
} from "./compile.ts";
import { LONG_DOUBLE_ARGS, usesLongDouble } from "./long-double.ts";
import { linkArgs, loadOverlay } from "./overlay.ts";
import { isWasm, readGiven, type SourceSet } from "./sources.ts";
import { runTools } from "./tools.ts";

const OBJECT = "/object.o";
const PROGRAM = "/program.wasm";
const ARCHIVE = "/archive.a";
const TEXT = "-";

export interface CompiledObject {
  readonly object: Uint8Array;
  /** As of Compiled. */
  readonly diagnostics: string;
  /** The source, and the headers that it may include; those of the system are not among them. */
  readonly reads: readonly string[];
}

export interface CompiledText {
  /** In the sources' own encoding. */
  readonly text: Uint8Array;
  /** As of Compiled. */
  readonly diagnostics: string;
}

/** One C or C++ source to an object. Throws as compile() does. */
export const compileObject = (options: CompileOptions): Promise<CompiledObject> => oneSource(options, ["-c"], OBJECT);

/** One C or C++ source after its preprocessor (-E), or as assembly (-S), as text. Throws as compile() does. */
export async function compileToText(options: CompileOptions, mode: "-E" | "-S"): Promise<CompiledText> {
  const { object, diagnostics, localise } = await oneSource(options, [mode], TEXT);
  // Names of files in it are for people and for whoever compiles it again; sources may be in any encoding.
  const encoding = isUtf8(object) ? "utf8" : "latin1";
  return { text: Buffer.from(localise(Buffer.from(object).toString(encoding)), encoding), diagnostics };
}

type One = CompiledObject & Pick<SourceSet, "localise">;

async function oneSource(options: CompileOptions, mode: readonly string[], wanted: string): Promise<One> {
  if (options.sources.length !== 1) throw new NightshiftError("NS_USAGE", "An object is made of one source");
  return withSources(options, (given) => attemptOne(options, mode, wanted, given));
}

async function attemptOne(options: CompileOptions, mode: readonly string[], wanted: string, { args, set }: Given): Promise<One> {
  const overlay = await loadOverlay(options.cacheDir, set.hasCxx);
  // Text has common variables as they are.
  const { before, args: given } = sourceArgs(mode.includes("-c") ? args : [...args, "-fno-common"], set, options);
  const commands = [...before, ["clang", ...args, ...mode, ...given, "-o", wanted] as const];
  const files = [...set.files].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = buildKey([compilerVersion, overlay.key, JSON.stringify(commands), ...files.flat()]);
  let built = options.cacheDir === undefined ? undefined : await readBuild(options.cacheDir, key);
  if (!built) {
    const request = { commands, files: new Map([...overlay.files, ...files]), wanted };
    const reply = await runTools(request, timeoutFor(options));
    if (reply.output === undefined) throw failure(reply, set, options.sources);
    built = { bytes: reply.output, text: reply.text };
    if (options.cacheDir !== undefined) await writeBuild(options.cacheDir, key, built);
  }
  return { object: built.bytes, diagnostics: set.localise(built.text), reads: set.reads, localise: set.localise };
}

export interface LinkOptions {
  /** Paths of objects and archives, in the order in which the linker is to see them. */
  readonly inputs: readonly string[];
  /** With C++'s libraries; also when an object needs them. */
  readonly cxx: boolean;
  /** Further arguments for the linker's driver. */
  readonly extraArgs?: readonly string[];
  readonly cacheDir?: string;
  readonly timeoutMs?: number;
}

/**
 * Objects and archives to a program.
 * @throws NightshiftError NS_COMPILE_FAILED (the linker's text), NS_SOURCE_NOT_FOUND, NS_NOT_WASM (an object for another machine)
 */
export async function link(options: LinkOptions): Promise<Compiled> {
  const contents = await Promise.all(options.inputs.map(readGiven));
  for (const [at, bytes] of contents.entries())
    if (!isWasm(bytes) && !isArchive(bytes))
      throw new NightshiftError(
        "NS_NOT_WASM",
        `${options.inputs[at]} is no object of WebAssembly's: was it compiled by another compiler?`,
      );
  const cxx = options.cxx || contents.some(needsCxx);
  const overlay = await loadOverlay(options.cacheDir, cxx);
  const virtual = options.inputs.map((path, at) => `/input/${at}/${basename(path)}`);
  const args = ["--no-wasm-opt", ...LINK_FLAGS, ...(options.extraArgs ?? []), ...virtual, ...linkArgs(cxx), "-o", PROGRAM];
  const files = new Map([...overlay.files, ...virtual.map((path, at) => [path, contents[at] ?? new Uint8Array()] as const)]);
  const attempt = (more: readonly string[]) =>
    runTools({ commands: [["clang", ...args, ...more]], files, wanted: PROGRAM }, timeoutFor({ sources: options.inputs }));
  let reply = await attempt([]);
  if (reply.output !== undefined && usesLongDouble(reply.output)) reply = await attempt(LONG_DOUBLE_ARGS);
  const localise = (text: string): string =>
    text.replaceAll(/\/input\/(\d+)\/[^:()\s]+/g, (whole, at) => options.inputs[Number(at)] ?? whole);
  if (reply.output !== undefined && isWasm(reply.output)) return { wasm: reply.output, diagnostics: localise(reply.text) };
  throw failure(reply, { localise, outside: [] }, ["The program"]);
}

/**
 * Adds objects to an archive in place of those of the same name, or makes one of them.
 * @param existing the archive as it is
 * @throws NightshiftError NS_SOURCE_NOT_FOUND, NS_BAD_FILE (`existing` is no archive), NS_COMPILE_FAILED (what ar says)
 */
export async function addToArchive(existing: Uint8Array | undefined, paths: readonly string[]): Promise<Uint8Array> {
  const contents = await Promise.all(paths.map(readGiven));
  const added = paths.map((path, at) => ({ name: basename(path), bytes: contents[at] ?? new Uint8Array() }));
  // Always a new one: the compiler's ar changes an archive by renaming another over it, which in its file tree leaves the one that is there.
  const members = (existing === undefined ? [] : archiveMembers(existing)).map((member) => {
    const at = added.findIndex(({ name }) => name === member.name);
    return (at < 0 ? undefined : added.splice(at, 1)[0]) ?? member;
  });
  const inputs = [...members, ...added].map(({ name, bytes }, at) => [`/input/${at}/${name}`, bytes] as const);
  const reply = await runTools(
    { commands: [["ar", "rcsD", ARCHIVE, ...inputs.map(([path]) => path)]], files: new Map(inputs), wanted: ARCHIVE },
    timeoutFor({ sources: paths }),
  );
  if (reply.output === undefined || reply.exitCode !== 0)
    throw new NightshiftError("NS_COMPILE_FAILED", `The archive could not be made:\n${reply.text.trimEnd()}`);
  return reply.output;
}

/** Objects of C++ name its library's functions; those of C do not. */
const CXX_NAMES = ["_ZNSt3__2", "__cxa_", "_Znwm", "_ZdlPv", "__gxx_personality"].map((name) => Buffer.from(name));
const needsCxx = (bytes: Uint8Array): boolean => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return CXX_NAMES.some((name) => buffer.includes(name));
};
