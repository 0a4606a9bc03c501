// Figures of every bundled program that does not fork: migratable over plain WebAssembly, WebAssembly over native, preemption and
// image. Runs the runners beside this file, one after the other; medians of interleaved rounds.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { programs } from "@nightshift/wasm-kernels/programs";
import { median } from "../../server/experiment-figures.ts";
import { percentile } from "../experiment-figures.ts";
import { confined } from "../local-agents.ts";
import { compileOptions } from "../program-file.ts";
import type { KernelTask, KernelTimes } from "./kernel-runner.ts";
import type { Preemption } from "./preemption-runner.ts";

const run = promisify(execFile);
export const runner = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));

export interface KernelFigures {
  name: string;
  /** Seconds, medians. */
  native: number | null;
  plainWasm: number;
  migratable: number;
  /** migratable / plainWasm - 1 and plainWasm / native - 1. */
  migratableOverPlain: number;
  plainOverNative: number | null;
  plainBytes: number;
  migratableBytes: number;
  /** null: the program always ended before it could be stopped. */
  moving: {
    preemptionMs: { median: number; p99: number; max: number };
    captureMs: number;
    restoreMs: number;
    imageBytes: number;
    memoryBytes: number;
  } | null;
}

export interface KernelOptions {
  rounds: number;
  samples: number;
  core: number | null;
  /** Small arguments, for a test that it works at all. */
  quick: boolean;
  progress(text: string): void;
}

/** A program to measure, made. */
export interface Kernel {
  name: string;
  source: string;
  args: string[];
  /** Files with the modules, and their sizes. */
  plain: string;
  migratable: string;
  plainBytes: number;
  migratableBytes: number;
}

/** Measures the programs that do not fork, one after the other. */
export async function forEachKernel<T>(
  { quick, progress }: Pick<KernelOptions, "quick" | "progress">,
  measure: (kernel: Kernel) => Promise<T>,
): Promise<T[]> {
  const { compile } = await import("@nightshift/wasm-kernels/toolchain");
  const folder = await mkdtemp(join(tmpdir(), "nightshift-kernels-"));
  try {
    const kernels = programs.filter((program) => !program.forks && program.benchArgs.length > 0);
    const results: T[] = [];
    for (const [at, { name, source, quickArgs, benchArgs }] of kernels.entries()) {
      progress(`kernel ${at + 1} of ${kernels.length}: ${name}`);
      const { wasm } = await compile(compileOptions([source], {}));
      const made = instrument(wasm).wasm;
      const [plain, migratable] = [join(folder, `${name}.wasm`), join(folder, `${name}.migratable.wasm`)];
      await writeFile(plain, wasm);
      await writeFile(migratable, made);
      const args = [...(quick ? quickArgs : benchArgs)];
      results.push(
        await measure({ name, source, args, plain, migratable, plainBytes: wasm.length, migratableBytes: made.length }),
      );
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const measureKernels = (options: KernelOptions): Promise<KernelFigures[]> =>
  forEachKernel(options, (kernel) => measureKernel(kernel, options));

async function measureKernel(kernel: Kernel, options: KernelOptions): Promise<KernelFigures> {
  const { name, source, args, plain, migratable, plainBytes, migratableBytes } = kernel;
  const { compileNative } = await import("@nightshift/wasm-kernels/toolchain");
  const { cacheDir } = compileOptions([source], {});
  const native = await compileNative({ sources: [source], ...(cacheDir === undefined ? {} : { cacheDir }) })
    .then(({ path }) => path)
    .catch((thrown: unknown) => {
      if (asNightshiftError(thrown).code === "NS_NO_NATIVE_COMPILER") return null;
      throw thrown;
    });
  const task: KernelTask = { plain, migratable, native, args, rounds: options.rounds };
  const times = await json<KernelTimes>(options.core, [runner("kernel-runner"), JSON.stringify(task)]);
  // Two threads: not confined to one core.
  const preemption = await json<Preemption>(null, [runner("preemption-runner"), migratable, String(options.samples), ...args]);
  const plainWasm = median(times.plain);
  const nativeSeconds = times.native.length === 0 ? null : median(times.native);
  return {
    name,
    native: nativeSeconds,
    plainWasm,
    migratable: median(times.migratable),
    migratableOverPlain: median(times.migratable) / plainWasm - 1,
    plainOverNative: nativeSeconds === null ? null : plainWasm / nativeSeconds - 1,
    plainBytes,
    migratableBytes,
    moving:
      preemption.latencyMs.length === 0
        ? null
        : {
            preemptionMs: {
              median: median(preemption.latencyMs),
              p99: percentile(preemption.latencyMs, 0.99),
              max: Math.max(...preemption.latencyMs),
            },
            captureMs: median(preemption.captureMs),
            restoreMs: median(preemption.restoreMs),
            imageBytes: median(preemption.imageBytes),
            memoryBytes: preemption.memoryBytes,
          },
  };
}

/** What a program of this folder, or any other, prints. */
export async function json<T>(core: number | null, args: readonly string[]): Promise<T> {
  const [command, ...rest] = confined(core, [process.execPath, ...args]);
  const { stdout } = await run(command, rest, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as T;
}
