// From what the user named (a source, a module, a bundled program) to a migratable program at the coordinator. Owns the order of the
// steps and the local cache; compiling is the toolchain's, instrumenting the coordinator's.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { programs } from "@nightshift/wasm-kernels/programs";
import type { CompileOptions } from "@nightshift/wasm-kernels/toolchain";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Result, RpcClient } from "../protocol/index.ts";
import { addOptions, collect } from "./command-declaration.ts";
import { nightshiftHome } from "./home-folder.ts";

export interface CompilerFlags {
  includeDir?: string[];
  define?: string[];
  optimise?: CompileOptions["optimise"];
  ccArg?: string[];
}

/** -I -D -O --cc-arg, as the C compiler has them. */
export function addCompilerFlags(command: Command): Command {
  return addOptions(command, [
    new Option("-I, --include-dir <dir>", "folder with headers (repeatable)").argParser<string[] | undefined>(collect),
    new Option("-D, --define <macro[=value]>", "define a macro (repeatable)").argParser<string[] | undefined>(collect),
    new Option("-O, --optimise <level>", "0, 1, 2, 3, s or z (default 3)").argParser(optimisation),
    new Option("--cc-arg <arg>", "a further argument for clang (repeatable)").argParser<string[] | undefined>(collect),
  ]);
}

/** For people, who can end it themselves: the largest files, such as SQLite in one, take minutes. */
const TIMEOUT_MS = 3_600_000;

export function compileOptions(sources: readonly string[], flags: CompilerFlags): CompileOptions {
  const defines = (flags.define ?? []).map((define) => {
    const at = define.indexOf("=");
    return at < 0 ? [define, "1"] : [define.slice(0, at), define.slice(at + 1)];
  });
  return {
    sources,
    includeDirs: flags.includeDir ?? [],
    defines: Object.fromEntries(defines) as Record<string, string>,
    ...(flags.optimise === undefined ? {} : { optimise: flags.optimise }),
    extraArgs: flags.ccArg ?? [],
    cacheDir: join(nightshiftHome(), "cache"),
    timeoutMs: TIMEOUT_MS,
  };
}

/** The compiler for commands that builds call once a file: it stays warm for all of them. */
export async function buildToolchain() {
  const toolchain = await import("@nightshift/wasm-kernels/toolchain");
  toolchain.useCompileServer(join(nightshiftHome(), "compiler"));
  return toolchain;
}

/** What to run: a file's path, or a bundled program with the arguments it has when none are given. */
export function namedProgram(file: string, args: readonly string[]): { source: string; name: string; args: readonly string[] } {
  const bundled = programs.find((program) => program.name === file);
  if (bundled && !existsSync(file))
    return { source: bundled.source, name: bundled.name, args: args.length > 0 ? args : bundled.args };
  if (!existsSync(file)) {
    const names = programs.map((program) => program.name).join(", ");
    throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no file ${file}, nor a bundled program of that name`, {
      details: { remedy: `Check the path, or take a bundled one: ${names}.` },
    });
  }
  return { source: file, name: basename(file), args };
}

/** Uploads the module and has it made migratable (or pinned, with `pin`); both are skipped by the coordinator when it has it. */
export async function uploadProgram(client: RpcClient, wasm: Uint8Array, pin = false): Promise<Result<"instrument">> {
  const hash = sha256(wasm);
  await client.blobs.putBlob(hash, wasm);
  return client.request("instrument", { module: hash, pin });
}

/** What --pin does, for commands that run programs. */
export const pinOption = (): Option => new Option("--pin", "run it even if it cannot be moved (see below)");

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function optimisation(value: string): NonNullable<CompileOptions["optimise"]> {
  const level = (["0", "1", "2", "3", "s", "z"] as const).find((known) => known === value);
  if (level === undefined) throw new InvalidArgumentError("It must be 0, 1, 2, 3, s or z.");
  return level;
}

/** --env, as given. */
export function environment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new NightshiftError("NS_USAGE", `--env ${pair} must look like KEY=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
