// `nightshift cc`: compiles C and C++ to a WebAssembly program, and nothing else.
import { writeFile } from "node:fs/promises";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { addCompilerFlags, type CompilerFlags, compileOptions, sha256 } from "../program-file.ts";
import { showBytes } from "../quantities.ts";
import { printJson, StatusLine } from "../terminal.ts";

export function ccCommand(): Command {
  const command = declare({
    usage: "cc <source...>",
    description: "compile C or C++ to a WebAssembly program",
    examples: ["nightshift cc prog.c -o prog.wasm", "nightshift cc -O2 -DSIZE=100 -Iinclude main.cpp part.cpp -o prog.wasm"],
    notes: "It compiles as `run` does: clang, wasm32-wasi, SIMD, fork() and pipes included.",
    json: "{output, sizeBytes, sha256, diagnostics}",
    coordinator: false,
  }).requiredOption("-o, --output <file>", "where the program goes");
  return addCompilerFlags(command).action(
    async (sources: string[], options: CommonOptions & CompilerFlags & { output: string }) => {
      const { compile } = await import("@nightshift/wasm-kernels/toolchain");
      const status = new StatusLine();
      status.show("Compiling ...");
      const { wasm, diagnostics } = await compile(compileOptions(sources, options)).finally(() => status.clear());
      if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
      await writeFile(options.output, wasm).catch((cause: Error) => {
        throw new NightshiftError("NS_BAD_FILE", `Cannot write ${options.output}: ${cause.message}`, { cause });
      });
      if (options.json) return printJson({ output: options.output, sizeBytes: wasm.length, sha256: sha256(wasm), diagnostics });
      if (process.stderr.isTTY) process.stderr.write(`${options.output}: ${showBytes(wasm.length)}\n`);
    },
  );
}
