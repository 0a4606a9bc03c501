// The native build of the same sources by the system's own C compiler: the baseline that overhead is measured against.
// Runs the compiler as a child process; does not run the program.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, constants, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "../errors.ts";
import { buildKey } from "./cache.ts";
import { collectSources, isCxxName, namesOf } from "./sources.ts";

const run = promisify(execFile);

export interface NativeOptions {
  readonly sources: readonly string[];
  readonly defines?: Readonly<Record<string, string>>;
  readonly includeDirs?: readonly string[];
  readonly extraArgs?: readonly string[];
  /** Where the executable is kept; without it a fresh temporary folder is used, which the caller removes. */
  readonly cacheDir?: string;
  /** Limit for the compiler; 120,000 ms unless told. */
  readonly timeoutMs?: number;
}

/** The compiler's command words: CC (or CXX for C++) from the environment, else cc (c++). */
function compilerWords(hasCxx: boolean): string[] {
  const named = hasCxx ? process.env.CXX : process.env.CC;
  const words = (named ?? "").split(/\s+/).filter((word) => word !== "");
  return words.length > 0 ? words : [hasCxx ? "c++" : "cc"];
}

/**
 * Builds an executable with -O3 and returns its path.
 * @throws NightshiftError NS_NO_NATIVE_COMPILER, NS_COMPILE_FAILED, NS_SOURCE_NOT_FOUND, NS_NOT_WASM, NS_LIMIT
 */
export async function compileNative(options: NativeOptions): Promise<{ path: string }> {
  const includeDirs = options.includeDirs ?? [];
  const set = await collectSources(options.sources, includeDirs, { anywhere: true });
  const [compiler = "cc", ...words] = compilerWords(set.hasCxx);
  const version = await run(compiler, [...words, "--version"]).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" && cause.code !== "EACCES") return { stdout: "" }; // one that does not know --version
    throw new NightshiftError("NS_NO_NATIVE_COMPILER", `There is no ${compiler} to build the native program with`, {
      cause,
      details: { compiler },
    });
  });
  const args = [
    ...words,
    "-O3",
    "-ffp-contract=off", // as in the wasm build: same rounding on every processor
    ...Object.entries(options.defines ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ...includeDirs.map((folder) => `-I${folder}`),
    ...(options.extraArgs ?? []),
  ];
  const files = [...set.files].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  const machine = `${process.platform}-${process.arch}`;
  const key = buildKey([machine, compiler, version.stdout, JSON.stringify(args), JSON.stringify(set.sources), ...files]);
  const folder = options.cacheDir ?? (await mkdtemp(join(tmpdir(), "nightshift-native-")));
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${key}${process.platform === "win32" ? ".exe" : ".native"}`);
  if (await isExecutable(path)) return { path };

  const temporary = join(folder, `${key}.${randomUUID()}.tmp`);
  try {
    const sources = set.realSources.flatMap((path) => ["-x", isCxxName(path) ? "c++" : "c", path]); // c++ takes .c for C++
    await run(compiler, [...args, ...sources, "-o", temporary, "-lm"], {
      timeout: options.timeoutMs ?? 120_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    const diagnostics = String((thrown as { stderr?: unknown }).stderr ?? thrown).trimEnd();
    throw new NightshiftError("NS_COMPILE_FAILED", `${namesOf(options.sources)} does not compile natively:\n${diagnostics}`, {
      cause: thrown,
      details: { diagnostics },
    });
  }
  return { path };
}

/** Whether a whole executable is there: present, permitted, and not cut short to nothing. */
async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await readFile(path)).byteLength > 0;
  } catch {
    return false;
  }
}
