// Finds what a compilation reads from the user's disk: the given sources, and the headers they include from their own folders
// and the -I folders. Only what is named by an #include is read, never a whole folder, and nothing outside those folders unless it is allowed to.
import { existsSync } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, join, parse, relative, resolve, sep } from "node:path";
import { NightshiftError } from "../errors.ts";
import { withoutLauncher } from "./launcher.ts";

/** .i and .ii have been through the preprocessor. */
const C_EXTENSIONS = new Set([".c", ".i"]);
const CXX_EXTENSIONS = new Set([".cc", ".cpp", ".cxx", ".c++", ".C", ".ii"]);
const ASSEMBLY_EXTENSIONS = new Set([".s", ".S", ".asm"]);

/** Far above any program this is meant for; a run-away include tree ends in a clear error instead of a full memory. */
export const MAX_FILES = 4_000;
export const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

/** Where the user's files appear in the compiler's file tree: a name that no diagnostic contains by chance. */
const VIRTUAL_ROOT = "/nightshift-source";

export interface SourceSet {
  /** Virtual paths of the sources, in the order given. */
  readonly sources: readonly string[];
  /** Virtual paths of the -I folders, in the order given. */
  readonly includeDirs: readonly string[];
  /** Virtual path -> contents, of sources and headers. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Virtual paths of what is read before each source; names of the system's headers as they are. */
  readonly before: readonly string[];
  readonly hasCxx: boolean;
  /** Real paths of all that is in `files`, the sources first. */
  readonly reads: readonly string[];
  /** Real paths of the sources, for the native compiler. */
  readonly realSources: readonly string[];
  /** Headers that exist but lie outside the allowed folders, for the message when the compiler then misses them. */
  readonly outside: readonly string[];
  /** The compiler's text with the user's own paths in place of virtual ones. */
  localise(text: string): string;
}

export function isWasm(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].every((byte, at) => bytes[at] === byte);
}

/** Whether the name is that of a C or C++ source (by extension, as compilers tell). */
export function isSourceName(path: string): boolean {
  return C_EXTENSIONS.has(extname(path)) || isCxxName(path);
}

export function isCxxName(path: string): boolean {
  return CXX_EXTENSIONS.has(extname(path));
}

/** What builds compile to see whether an option is known. */
const NOTHING = "/dev/null";

/**
 * Reads one file the user named; of a program with a launcher in front, the program.
 * @throws NightshiftError NS_SOURCE_NOT_FOUND when it is not there or cannot be read, NS_NOT_WASM when it is a folder
 */
export async function readGiven(path: string): Promise<Uint8Array> {
  if (path === NOTHING) return new Uint8Array();
  const file = await readRegular(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "ENOENT" ? "There is no file" : "Cannot read the file";
    throw new NightshiftError("NS_SOURCE_NOT_FOUND", `${why} ${path}`, { cause, details: { path } });
  });
  if (file === undefined) throw new NightshiftError("NS_NOT_WASM", `${path} is not a file`, { details: { path } });
  return withoutLauncher(file);
}

/** Contents of a regular file; undefined when it is something else. Rejects when it is absent or too large. */
async function readRegular(path: string): Promise<Uint8Array | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const { size } = await handle.stat().then((stat) => (stat.isFile() ? stat : { size: -1 }));
    if (size < 0) return undefined;
    if (size > MAX_TOTAL_BYTES) throw tooMuch(`${path} has ${size} bytes`);
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle?.close();
  }
}

function tooMuch(what: string): NightshiftError {
  const details = { maxFiles: MAX_FILES, maxBytes: MAX_TOTAL_BYTES };
  return new NightshiftError(
    "NS_LIMIT",
    `The sources are too large: ${what}; at most ${MAX_FILES} files of ${MAX_TOTAL_BYTES >> 20} MiB together`,
    {
      details,
    },
  );
}

/** #include, #include_next, #import, #embed and __has_include of a quoted or bracketed name; also in #define, for computed includes. */
const NAMED =
  /(?:#\s*(?:include|include_next|import|embed)\b|__has_include\s*\(|#\s*define\s+\w+)\s*(?:"([^"\n]+)"|<([^>\n]+)>)/g;

const latin1 = (contents: Uint8Array): string =>
  Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength).toString("latin1");
const asUtf8 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

function includedNames(contents: Uint8Array): string[] {
  const text = latin1(contents).replaceAll(/\\\r?\n/g, "");
  return Array.from(text.matchAll(NAMED), (match) => asUtf8(match[1] ?? match[2] ?? ""));
}

/** The name in an #include or __has_include that leads through a parent folder. */
const UPWARD =
  /(#\s*(?:include|include_next|import|embed)\s*|__has_include\s*\(\s*)(?:"([^"\n]*\.\.\/[^"\n]+)"|<([^>\n]*\.\.\/[^>\n]+)>)/g;

/**
 * The source with names that lead through parent folders replaced by whole paths, as the compiler's file tree passes over "..".
 * @param find the virtual path of what such a name means, if it is there
 */
function withoutParents(contents: Uint8Array, find: (name: string) => string | undefined): Uint8Array {
  const text = latin1(contents);
  const changed = text.replaceAll(UPWARD, (whole, before: string, quoted?: string, bracketed?: string) => {
    const path = find(asUtf8(quoted ?? bracketed ?? ""));
    return path === undefined ? whole : `${before}"${Buffer.from(path, "utf8").toString("latin1")}"`;
  });
  return changed === text ? contents : new Uint8Array(Buffer.from(changed, "latin1"));
}

function commonFolder(folders: readonly string[]): string {
  let common = folders[0] ?? sep;
  for (const folder of folders) {
    while (!isInside(folder, common)) {
      if (dirname(common) === common)
        throw new NightshiftError(
          "NS_USAGE",
          `${folder} and ${folders[0]} are on different drives, which one compilation cannot read`,
        );
      common = dirname(common);
    }
  }
  return common;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

export interface Collecting {
  /** What sources include may also lie outside of their folders and the -I folders, as other compilers have it. */
  readonly anywhere?: boolean | undefined;
  /** What the sources are, whatever they are called: "c", "c++" or another name that clang's -x knows. */
  readonly language?: string | undefined;
  /** Contents of sources that are not on the disk, by the path given. */
  readonly contents?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Names of headers beside those that #include lines have, looked for in every folder in which something was found. */
  readonly also?: readonly string[] | undefined;
  /** Files that are read before each source, looked for in the current folder and then in the -I folders; of the system when there is none. */
  readonly before?: readonly string[] | undefined;
}

/**
 * Collects the sources and the headers they can reach.
 * @param sourcePaths at least one C or C++ file
 * @throws NightshiftError NS_SOURCE_NOT_FOUND, NS_NOT_WASM (not C or C++), NS_LIMIT (too many or too large files)
 */
export async function collectSources(
  sourcePaths: readonly string[],
  includeDirs: readonly string[],
  { anywhere = false, language, contents: given, also = [], before = [] }: Collecting = {},
): Promise<SourceSet> {
  const contentsOfSources = await Promise.all(sourcePaths.map((path) => given?.get(path) ?? readGiven(path)));
  const stranger = language === undefined ? sourcePaths.find((path) => !isSourceName(path)) : undefined;
  if (stranger !== undefined && ASSEMBLY_EXTENSIONS.has(extname(stranger)))
    throw new NightshiftError("NS_NOT_WASM", `${stranger} is assembly, which is for one kind of processor`, {
      details: {
        path: stranger,
        remedy: "Most programs have C in its place: configure --disable-asm or --disable-assembly, or what their INSTALL says.",
      },
    });
  if (stranger !== undefined || sourcePaths.length === 0) {
    throw new NightshiftError("NS_NOT_WASM", `${stranger ?? "Nothing"} is neither C or C++ nor WebAssembly`, {
      details: { path: stranger },
    });
  }
  const sources = sourcePaths.map((path) => resolve(path));
  const searched = includeDirs.map((folder) => resolve(folder));
  const folders = [...sources.map((path) => dirname(path)), ...searched];
  const realFolders = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  const drive = parse(sources[0] ?? "").root;
  const common = commonFolder(folders);
  const found = new Map<string, Uint8Array>();
  const outside = new Set<string>();
  const seen = new Set<string>(sources);
  let totalBytes = 0;
  const add = (path: string, contents: Uint8Array) => {
    found.set(path, contents);
    totalBytes += contents.byteLength;
    if (found.size > MAX_FILES || totalBytes > MAX_TOTAL_BYTES)
      throw tooMuch(`${found.size} files with ${totalBytes} bytes so far`);
    return { path, contents };
  };
  const pending = sources.map((path, at) => add(path, contentsOfSources[at] ?? new Uint8Array()));
  const readBefore: string[] = [];
  for (const name of before) {
    const paths = [process.cwd(), ...searched].map((folder) => resolve(folder, name));
    const path = paths.find((candidate) => existsSync(candidate));
    readBefore.push(path ?? name);
    if (path === undefined || seen.has(path)) continue;
    seen.add(path);
    pending.push(add(path, await readGiven(path)));
  }
  const lookFor = async (name: string, folders: readonly string[]) => {
    for (const folder of folders) {
      const path = resolve(folder, name);
      if (seen.has(path)) continue;
      seen.add(path);
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined) continue;
      const allowed = anywhere
        ? parse(path).root === drive
        : realFolders.some((allowedFolder) => isInside(real, allowedFolder)) && isInside(path, common);
      if (!allowed) outside.add(path);
      const contents = allowed ? await readRegular(real).catch(onlyLimits) : undefined;
      if (contents !== undefined) pending.push(add(path, contents));
    }
  };
  const readAll = async () => {
    for (let file = pending.pop(); file !== undefined; file = pending.pop())
      for (const name of includedNames(file.contents)) await lookFor(name, [dirname(file.path), ...searched]);
  };
  await readAll();
  for (const name of also) {
    await lookFor(name, [...new Set([...searched, ...Array.from(found.keys(), (path) => dirname(path))])]);
    await readAll();
  }
  const root = commonFolder([common, ...Array.from(found.keys(), dirname)]);
  const virtual = (path: string) => [VIRTUAL_ROOT, ...relative(root, path).split(sep)].filter((part) => part !== "").join("/");
  const files = new Map<string, Uint8Array>();
  for (const [path, contents] of found) {
    const named = (name: string): string | undefined =>
      [dirname(path), ...searched].map((folder) => resolve(folder, name)).find((header) => found.has(header));
    files.set(
      virtual(path),
      withoutParents(contents, (name) => {
        const header = named(name);
        return header === undefined ? undefined : virtual(header);
      }),
    );
  }
  const shown = sourcePaths.some((path) => isAbsolute(path)) ? root : relative(process.cwd(), root);
  return {
    sources: sources.map(virtual),
    includeDirs: searched.map(virtual),
    files,
    before: readBefore.map((path) => (found.has(path) ? virtual(path) : path)),
    hasCxx: language === undefined ? sourcePaths.some(isCxxName) : language.startsWith("c++"),
    reads: [...new Set([...sources, ...found.keys()])],
    realSources: sources,
    outside: [...outside],
    localise: (text) => text.replaceAll(`${VIRTUAL_ROOT}/`, shown === "" ? "" : join(shown, sep)),
  };
}

function onlyLimits(error: unknown): undefined {
  if (error instanceof NightshiftError) throw error;
  return undefined; // unreadable: the compiler says that it is missing, with the line
}

/** A name for messages: the file names, not the whole paths. */
export function namesOf(paths: readonly string[]): string {
  return paths.map((path) => basename(path)).join(", ");
}

/** -ffile-prefix-map for the virtual root, so that __FILE__ does not depend on where the compiler saw the file. */
export const FILE_PREFIX_MAP = `-ffile-prefix-map=${VIRTUAL_ROOT}/=`;
