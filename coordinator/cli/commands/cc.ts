// `nightshift cc` (and `c++`): compiles C and C++ to a WebAssembly program in one go, or file by file as builds do.
import { existsSync } from "node:fs";
import { chmod, stat, writeFile } from "node:fs/promises";
import { basename, extname, isAbsolute, join, sep } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { CompileOptions } from "@nightshift/wasm-kernels/toolchain";
import type { Command } from "commander";
import { answerTo, type CcArguments, libraryFile, makeRule, readCcArguments, versionText } from "../cc-arguments.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { addCompilerFlags, buildToolchain, type CompilerFlags, compileOptions, sha256 } from "../program-file.ts";
import { showBytes } from "../quantities.ts";
import { printJson, StatusLine, write } from "../terminal.ts";

interface CcOptions extends CommonOptions, CompilerFlags {
  output?: string;
  compile?: boolean;
  preprocess?: boolean;
  runnable?: boolean;
  version?: boolean;
}

/** Libraries that are in every program, or have nothing to give one. */
const ALWAYS_LINKED = new Set(["c", "m", "dl", "rt", "pthread", "util", "stdc++", "c++", "c++abi", "gcc", "gcc_s", "atomic"]);

const COMMAND = fileURLToPath(new URL("../nightshift.mjs", import.meta.url));

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
      "Inputs are sources, or objects and archives of earlier calls; the result is a program, with -c an object for each source.\n\n" +
      "With --runnable, or NIGHTSHIFT_RUNNABLE=1 in the environment, the program begins with a line of shell that runs it on this computer by " +
      "`nightshift exec --dir .`, for builds that run what they have built. `run`, `exec` and `inspect` take it as any other.",
    json: "{output, sizeBytes, sha256, diagnostics}; with -c or -S an array of them",
    coordinator: false,
  })
    .option(
      "-o, --output <file>",
      "where the result goes (default a.out; with -c the source's name with .o); - is standard output",
    )
    .option("-c, --compile", "make an object of each source")
    .option("-E, --preprocess", "print the source after its preprocessor")
    .option("--runnable", "make a program that the shell can run (Linux, macOS)")
    .option("--version", "print the compiler's version")
    .allowUnknownOption();
  return addCompilerFlags(command).action(async (args: string[], options: CcOptions) => {
    const { compilerVersion } = await buildToolchain();
    const version = compilerVersion.replace(/-.*/, "");
    if (options.version) return write(process.stdout, versionText(version));
    const answers = args.flatMap((arg) => answerTo(arg, version) ?? []);
    if (answers.length > 0) return write(process.stdout, `${answers.join("\n")}\n`);
    const given = readCcArguments(args);
    if (given.inputs.length === 0) {
      if (args.includes("-v")) return write(process.stderr, versionText(version));
      throw new NightshiftError("NS_USAGE", "no input files");
    }
    const flags = { ...options, includeDir: [...(options.includeDir ?? []), ...given.includeDirs] };
    const contents = new Map(given.inputs.includes("-") ? [["-", new Uint8Array(await buffer(process.stdin))]] : []);
    const optionsFor = (sources: readonly string[]): CompileOptions => {
      const language = given.languages.get(sources[0] ?? "");
      return {
        ...compileOptions(sources, flags),
        includeAnywhere: true,
        ...(language === undefined ? {} : { language }),
        contents,
        before: given.before,
        extraArgs: [...(options.ccArg ?? []), ...given.flags],
      };
    };
    if (given.instead === "-M") return rules(given, optionsFor, options);
    if (options.preprocess) return texts(given, optionsFor, { output: "-", ...options }, "-E");
    const status = new StatusLine();
    status.show("Compiling ...");
    if (given.instead === "-S") return texts(given, optionsFor, options, "-S").finally(() => status.clear());
    if (given.instead === "-fsyntax-only") return check(given, optionsFor).finally(() => status.clear());
    if (options.compile) return objects(given, optionsFor, options).finally(() => status.clear());
    const made = await program(given, optionsFor, name === "c++").finally(() => status.clear());
    const runnable = options.runnable ?? (process.env.NIGHTSHIFT_RUNNABLE ?? "0") !== "0";
    const output = options.output ?? "a.out";
    const result = await written(output, runnable ? await launched(made.wasm) : made.wasm, made.diagnostics, runnable);
    if (options.json) return printJson(result);
    if (process.stderr.isTTY) process.stderr.write(`${output}: ${showBytes(made.wasm.length)}\n`);
  });
}

type OptionsFor = (sources: readonly string[]) => CompileOptions;

/** With what runs it on this computer in front. */
async function launched(wasm: Uint8Array): Promise<Uint8Array> {
  if (process.platform === "win32")
    throw new NightshiftError(
      "NS_USAGE",
      "--runnable makes programs that a Unix shell can run; here `nightshift exec FILE` does",
    );
  const { withLauncher } = await buildToolchain();
  return withLauncher(wasm, [process.execPath, COMMAND, "exec", "--dir", "."]);
}

/** Where the file that is made of a source goes. */
function outputFor(source: string, count: number, { output }: CcOptions, extension: string): string {
  if (output !== undefined && output !== "-" && count > 1)
    throw new NightshiftError("NS_USAGE", "With -o and without a program there can be only one source");
  return output ?? basename(source, extname(source)) + extension;
}

async function texts(
  { inputs, flags }: CcArguments,
  optionsFor: OptionsFor,
  options: CcOptions,
  mode: "-E" | "-S",
): Promise<void> {
  const { compileToText } = await buildToolchain();
  const results = [];
  for (const source of inputs) {
    const { text, diagnostics } = await compileToText(optionsFor([source]), mode);
    const output = outputFor(source, inputs.length, options, flags.includes("-emit-llvm") ? ".ll" : ".s");
    results.push(await written(output, text, diagnostics));
  }
  if (options.json) await printJson(results);
}

async function check({ inputs }: CcArguments, optionsFor: OptionsFor): Promise<void> {
  const { compileObject } = await buildToolchain();
  for (const source of inputs) {
    const { diagnostics } = await compileObject(optionsFor([source]));
    if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
  }
}

/** The rule of one source; names are relative when the source's is, as far as they lie in this folder. */
function ruleFor(source: string, targets: readonly string[], reads: readonly string[], phony: boolean): string {
  const here = `${process.cwd()}${sep}`;
  const named = reads.map((path) => (!isAbsolute(source) && path.startsWith(here) ? path.slice(here.length) : path));
  return makeRule(targets, named, phony);
}

async function rules({ inputs, rule }: CcArguments, optionsFor: OptionsFor, { output }: CcOptions): Promise<void> {
  const { readsOf } = await buildToolchain();
  let text = "";
  for (const source of inputs) {
    const targets = rule?.targets.length ? rule.targets : [`${basename(source, extname(source))}.o`];
    text += ruleFor(source, targets, await readsOf(optionsFor([source])), rule?.phony ?? false);
  }
  await written(rule?.file ?? output ?? "-", Buffer.from(text), "");
}

async function objects({ inputs, rule }: CcArguments, optionsFor: OptionsFor, options: CcOptions): Promise<void> {
  const { compileObject } = await buildToolchain();
  const results = [];
  for (const source of inputs) {
    const output = outputFor(source, inputs.length, options, ".o");
    const { object, diagnostics, reads } = await compileObject(optionsFor([source]));
    results.push(await written(output, object, diagnostics));
    if (!rule) continue;
    const targets = rule.targets.length > 0 ? rule.targets : [output];
    await written(rule.file ?? output.replace(/(\.o)?$/, ".d"), Buffer.from(ruleFor(source, targets, reads, rule.phony)), "");
  }
  if (options.json) await printJson(results);
}

async function program({ inputs, languages, libraryDirs, flags }: CcArguments, optionsFor: OptionsFor, cxx: boolean) {
  const { compile, compileObject, isCxxName, isSourceName, link } = await buildToolchain();
  const files = inputs.flatMap((input) => (input.startsWith("-l") ? library(input, libraryDirs) : [input]));
  const isSource = (file: string): boolean => languages.has(file) || isSourceName(file);
  const isCxx = (file: string): boolean => languages.get(file)?.startsWith("c++") ?? isCxxName(file);
  const sources = files.filter(isSource);
  // In one go where that is all there is, so that it is the same program as `run` makes.
  if (languages.size === 0 && sources.length === files.length && (!cxx || sources.some(isCxx)))
    return compile(optionsFor(sources));
  if (files.length === 1 && sources.length === 0 && !files[0]?.match(/\.(?:o|a)$/)) return compile(optionsFor(files));
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const folder = await mkdtemp(join(tmpdir(), "nightshift-objects-"));
  try {
    let said = "";
    const linked: string[] = [];
    for (const [at, file] of files.entries()) {
      if (!isSource(file)) {
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
      cxx: cxx || sources.some(isCxx),
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

/** @param output a path; "-" is standard output @param runnable whoever may read it may run it */
async function written(output: string, bytes: Uint8Array, diagnostics: string, runnable = false) {
  if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
  const writing = output === "-" ? write(process.stdout, bytes) : writeFile(output, bytes);
  await writing.catch((cause: Error) => {
    throw new NightshiftError("NS_BAD_FILE", `Cannot write ${output}: ${cause.message}`, { cause });
  });
  if (runnable && output !== "-") {
    const { mode } = await stat(output);
    await chmod(output, mode | ((mode & 0o444) >> 2));
  }
  return { output, sizeBytes: bytes.length, sha256: sha256(bytes), diagnostics };
}
