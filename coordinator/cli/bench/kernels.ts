// Figures of every bundled program that does not fork, or of one of the user's own: migratable over plain WebAssembly, WebAssembly over
// native, preemption and image. Runs the runners beside this file, one after the other; medians of interleaved rounds.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { programs } from "@nightshift/wasm-kernels/programs";
import { median } from "../../server/experiment-figures.ts";
import { percentile } from "../experiment-figures.ts";
import { confined } from "../local-agents.ts";
import { compileOptions } from "../program-file.ts";
import { type InputPaths, NO_INPUT } from "./input.ts";
import type { KernelTask, KernelTimes, Refused } from "./kernel-runner.ts";
import type { Preemption, PreemptionTask } from "./preemption-runner.ts";

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
  /** Only this one, in place of those that are bundled. */
  only?: Chosen;
}

/** A source or module with the arguments it is to be measured with. */
export interface Chosen {
  name: string;
  source: string;
  args: readonly string[];
  input: InputPaths;
  /** Path of what it is natively, where that is not to be built of the source. */
  native?: string;
}

/** A program to measure, made. */
export interface Kernel {
  name: string;
  source: string;
  args: string[];
  input: InputPaths;
  /** Files with the modules, and their sizes. */
  plain: string;
  migratable: string;
  plainBytes: number;
  migratableBytes: number;
}

const bundled = (quick: boolean): Chosen[] =>
  programs
    .filter((program) => !program.forks && program.benchArgs.length > 0)
    .map(({ name, source, quickArgs, benchArgs }) => ({ name, source, args: quick ? quickArgs : benchArgs, input: NO_INPUT }));

/** Measures the programs, one after the other. @param wanted those of the bundled ones that are */
export async function forEachKernel<T>(
  { quick, progress, only }: Pick<KernelOptions, "quick" | "progress" | "only">,
  measure: (kernel: Kernel) => Promise<T>,
  wanted: (program: Chosen) => boolean = () => true,
): Promise<T[]> {
  const { compile } = await import("@nightshift/wasm-kernels/toolchain");
  const folder = await mkdtemp(join(tmpdir(), "nightshift-kernels-"));
  try {
    const kernels = only ? [only] : bundled(quick).filter(wanted);
    const results: T[] = [];
    for (const [at, { name, source, args, input }] of kernels.entries()) {
      progress(`kernel ${at + 1} of ${kernels.length}: ${name}`);
      const { wasm } = await compile(compileOptions([source], {}));
      const made = instrument(wasm).wasm;
      const [plain, migratable] = [join(folder, `${at}.wasm`), join(folder, `${at}.migratable.wasm`)];
      await writeFile(plain, wasm);
      await writeFile(migratable, made);
      const sizes = { plainBytes: wasm.length, migratableBytes: made.length };
      results.push(await measure({ name, source, args: [...args], input, plain, migratable, ...sizes }));
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const measureKernels = (options: KernelOptions): Promise<KernelFigures[]> =>
  forEachKernel(options, (kernel) => measureKernel(kernel, options));

async function measureKernel(kernel: Kernel, options: KernelOptions): Promise<KernelFigures> {
  const { name, source, args, input, plain, migratable, plainBytes, migratableBytes } = kernel;
  const native = options.only?.native ?? (await nativeOf(source, options));
  const task: KernelTask = { plain, migratable, native, args, input, rounds: options.rounds };
  const times = await json<KernelTimes | Refused>(options.core, [runner("kernel-runner"), JSON.stringify(task)]);
  if ("refused" in times) {
    const { code, message } = times.refused;
    const remedy =
      "Only runs that succeed are measured. They get the arguments after `--`, the files of --dir and what --stdin names.";
    throw new NightshiftError(code, `${name}: ${message}`, { details: { remedy } });
  }
  // Two threads: not confined to one core.
  const stops: PreemptionTask = { migratable, args, input, samples: options.samples };
  const preemption = await json<Preemption>(null, [runner("preemption-runner"), JSON.stringify(stops)]);
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

/** The native build; null without a source or a compiler, or when the user's own program is none natively, which is said. */
async function nativeOf(source: string, { only }: KernelOptions): Promise<string | null> {
  const { compileNative, isWasm } = await import("@nightshift/wasm-kernels/toolchain");
  if (isWasm(await readFile(source))) return null;
  const { cacheDir } = compileOptions([source], {});
  try {
    return (await compileNative({ sources: [source], ...(cacheDir === undefined ? {} : { cacheDir }) })).path;
  } catch (thrown) {
    const { code, message } = asNightshiftError(thrown);
    if (code === "NS_NO_NATIVE_COMPILER") return null;
    if (code !== "NS_COMPILE_FAILED" || !only) throw thrown;
    console.error(`No native figures: ${message}`);
    return null;
  }
}

/** What a program of this folder, or any other, prints. */
export async function json<T>(core: number | null, args: readonly string[]): Promise<T> {
  const [command, ...rest] = confined(core, [process.execPath, ...args]);
  const { stdout } = await run(command, rest, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as T;
}
