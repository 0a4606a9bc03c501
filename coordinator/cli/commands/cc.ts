// `nightshift cc` (and `c++`): compiles C and C++ to a WebAssembly program in one go, or file by file as builds do.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { CompileOptions } from "@nightshift/wasm-kernels/toolchain";
import type { Command } from "commander";
import { type CcArguments, libraryFile, makeRule, readCcArguments } from "../cc-arguments.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { addCompilerFlags, buildToolchain, type CompilerFlags, compileOptions, sha256 } from "../program-file.ts";
import { showBytes } from "../quantities.ts";
import { printJson, StatusLine, write } from "../terminal.ts";

interface CcOptions extends CommonOptions, CompilerFlags {
  output?: string;
  compile?: boolean;
  preprocess?: boolean;
}

/** Libraries that are in every program, or have nothing to give one. */
const ALWAYS_LINKED = new Set(["c", "m", "dl", "rt", "pthread", "util", "stdc++", "c++", "c++abi", "gcc", "gcc_s", "atomic"]);

export function ccCommand(name: "cc" | "c++" = "cc"): Command {
  const command = declare({
    usage: `${name} [input...]`,
    description: name === "cc" ? "compile C or C++ to a WebAssembly program" : "as cc, and links C++'s libraries in any case",
    examples:
      name === "cc"
        ? [
            "nightshift cc prog.c -o prog.wasm",
            "nightshift cc -O2 -DSIZE=100 -Iinclude main.cpp part.cpp -o prog.wasm",
            'make CC="nightshift cc" CXX="nightshift c++" AR="nightshift ar"',
          ]
        : ["nightshift c++ main.o part.o -o prog.wasm"],
    notes:
      "It compiles as `run` does: clang, wasm32-wasi, SIMD, fork() and pipes included. Further options are clang's: -std, -W..., -g, -l, -L, -MMD and so on. " +
      "Inputs are sources, or objects and archives of earlier calls; the result is a program, with -c an object for each source.",
    json: "{output, sizeBytes, sha256, diagnostics}; with -c an array of them",
    coordinator: false,
  })
    .option("-o, --output <file>", "where the result goes (default a.out; with -c the source's name with .o)")
    .option("-c, --compile", "make an object of each source")
    .option("-E, --preprocess", "print the source after its preprocessor")
    .option("--version", "print the compiler's version")
    .allowUnknownOption();
  return addCompilerFlags(command).action(async (args: string[], options: CcOptions & { version?: boolean }) => {
    const { compilerVersion } = await buildToolchain();
    // As clang says it, for builds that look what compiler this is.
    if (options.version)
      return write(
        process.stdout,
        `clang version ${compilerVersion.replace(/-.*/, "")} (nightshift)\nTarget: wasm32-unknown-wasi\n`,
      );
    const given = readCcArguments(args);
    if (given.inputs.length === 0) throw new NightshiftError("NS_USAGE", "no input files");
    const flags = { ...options, includeDir: [...(options.includeDir ?? []), ...given.includeDirs] };
    const optionsFor = (sources: readonly string[]): CompileOptions => ({
      ...compileOptions(sources, flags),
      includeAnywhere: true,
      extraArgs: [...(options.ccArg ?? []), ...given.flags],
    });
    if (options.preprocess) return preprocess(given, optionsFor, options);
    const status = new StatusLine();
    status.show("Compiling ...");
    if (options.compile) return objects(given, optionsFor, options).finally(() => status.clear());
    const made = await program(given, optionsFor, name === "c++").finally(() => status.clear());
    const output = options.output ?? "a.out";
    const result = await written(output, made.wasm, made.diagnostics);
    if (options.json) return printJson(result);
    if (process.stderr.isTTY) process.stderr.write(`${output}: ${showBytes(made.wasm.length)}\n`);
  });
}

type OptionsFor = (sources: readonly string[]) => CompileOptions;

async function preprocess({ inputs }: CcArguments, optionsFor: OptionsFor, { output }: CcOptions): Promise<void> {
  const { text, diagnostics } = await (await buildToolchain()).preprocess(optionsFor(inputs));
  if (output !== undefined) return void (await written(output, Buffer.from(text), diagnostics));
  if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
  await write(process.stdout, text);
}

async function objects({ inputs, rule }: CcArguments, optionsFor: OptionsFor, options: CcOptions): Promise<void> {
  const { compileObject } = await buildToolchain();
  if (options.output !== undefined && inputs.length > 1)
    throw new NightshiftError("NS_USAGE", "With -c and -o there can be only one source");
  const results = [];
  for (const source of inputs) {
    const { object, diagnostics, reads } = await compileObject(optionsFor([source]));
    const output = options.output ?? `${basename(source, extname(source))}.o`;
    results.push(await written(output, object, diagnostics));
    if (!rule) continue;
    const targets = rule.targets.length > 0 ? rule.targets : [output];
    await written(rule.file ?? output.replace(/(\.o)?$/, ".d"), Buffer.from(makeRule(targets, reads, rule.phony)), "");
  }
  if (options.json) await printJson(results);
}

async function program({ inputs, libraryDirs, flags }: CcArguments, optionsFor: OptionsFor, cxx: boolean) {
  const { compile, compileObject, isCxxName, isSourceName, link } = await buildToolchain();
  const files = inputs.flatMap((input) => (input.startsWith("-l") ? library(input, libraryDirs) : [input]));
  const sources = files.filter(isSourceName);
  // In one go where that is all there is, so that it is the same program as `run` makes.
  if (sources.length === files.length && (!cxx || sources.some(isCxxName))) return compile(optionsFor(sources));
  if (files.length === 1 && sources.length === 0 && !files[0]?.match(/\.(?:o|a)$/)) return compile(optionsFor(files));
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const folder = await mkdtemp(join(tmpdir(), "nightshift-objects-"));
  try {
    let said = "";
    const linked: string[] = [];
    for (const [at, file] of files.entries()) {
      if (!isSourceName(file)) {
        linked.push(file);
        continue;
      }
      const { object, diagnostics } = await compileObject(optionsFor([file]));
      said += diagnostics;
      const path = join(folder, `${at}-${basename(file)}.o`);
      await writeFile(path, object);
      linked.push(path);
    }
    const { cacheDir } = optionsFor([]);
    const linkerFlags = flags.filter((flag) => flag.startsWith("-Wl,"));
    const { wasm, diagnostics } = await link({
      inputs: linked,
      cxx: cxx || sources.some(isCxxName),
      extraArgs: linkerFlags,
      ...(cacheDir === undefined ? {} : { cacheDir }),
    });
    return { wasm, diagnostics: said + diagnostics };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The archive of that name; none for what every program has anyway. */
function library(option: string, folders: readonly string[]): string[] {
  const file = libraryFile(option);
  const found = folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (found !== undefined) return [found];
  if (ALWAYS_LINKED.has(option.slice(2))) return [];
  throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no library ${file} in the folders given by -L`);
}

async function written(output: string, bytes: Uint8Array, diagnostics: string) {
  if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
  await writeFile(output, bytes).catch((cause: Error) => {
    throw new NightshiftError("NS_BAD_FILE", `Cannot write ${output}: ${cause.message}`, { cause });
  });
  return { output, sizeBytes: bytes.length, sha256: sha256(bytes), diagnostics };
}
