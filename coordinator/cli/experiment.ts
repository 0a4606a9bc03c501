// The published experiment, measured: 32 processes on each host alone (natively, and as plain WebAssembly), then on both together,
// interleaved run by run so that a change of the machine's speed meets all three. The cluster is there already; see house.ts.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import type { Result, RpcClient } from "../protocol/index.ts";
import { expectedOutput } from "../server/experiment-figures.ts";
import { type Figures, figuresOf, type Run, sizeFor } from "./experiment-figures.ts";
import { canConfine, confined } from "./local-agents.ts";
import { describeReport } from "./outcome.ts";
import { compileOptions, uploadProgram } from "./program-file.ts";

const run = promisify(execFile);

export const HOSTS = ["amun", "ipc256"] as const;
const PROGRAM = "fork-fibonacci";
const FORKS = 5;
const PROCESSES = 2 ** FORKS;
/** All processes on one core natively. Four runs of native (1x), plain wasm (1/4) and both together (1/2) are then 140 s at most. */
const BUDGET_S = 20;
/** Runs of one process's work that stand for 32 in the plain baseline. */
const PLAIN_SAMPLES = 8;
const CALIBRATION_N = 36;
const CALIBRATION_SAMPLES = 4;
const WARMING_RUNS = 3;
const PLAIN_RUNNER = fileURLToPath(new URL("./bench/plain-runner.ts", import.meta.url));
/** How often the progress of the cluster's run is asked for; seldom, as asking costs the hosts' cores. */
const PROGRESS_MS = 1000;

/** The core of each host; null where programs cannot be confined. */
export async function hostCores(): Promise<[number | null, number | null]> {
  if (!canConfine()) return [null, null];
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? `0-${availableParallelism() - 1}`;
  const cores = list.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
  return [cores[0] ?? null, cores[1] ?? cores[0] ?? null];
}

export interface ExperimentOptions {
  client: RpcClient;
  runs: number;
  cores: readonly [number | null, number | null];
  /** n of the program; chosen by a quick measurement when absent. */
  n?: number;
  progress(text: string): void;
}

export interface Machine {
  cpuModel: string;
  cores: number;
  platform: string;
  node: string;
  date: string;
}

export interface Experiment extends Figures {
  machine: Machine;
}

/** @throws NS_INTERNAL when the cluster's output is not what the program must print. */
export async function runExperiment(options: ExperimentOptions): Promise<Experiment> {
  const { client, runs, cores, progress } = options;
  progress("compiling the program");
  const { source } = programNamed(PROGRAM);
  const { compile, compileNative } = await import("@nightshift/wasm-kernels/toolchain");
  const compiling = compileOptions([source], {});
  const [{ wasm }, native] = await Promise.all([
    compile(compiling),
    compileNative({ sources: [source], ...(compiling.cacheDir === undefined ? {} : { cacheDir: compiling.cacheDir }) })
      .then(({ path }) => path)
      .catch((thrown: unknown) => {
        if (asNightshiftError(thrown).code === "NS_NO_NATIVE_COMPILER") return null;
        throw thrown;
      }),
  ]);
  const folder = await mkdtemp(join(tmpdir(), "nightshift-experiment-"));
  const module = join(folder, "plain.wasm");
  try {
    await writeFile(module, wasm);
    const { program } = await uploadProgram(client, wasm);
    progress("measuring how fast this machine is");
    const plainSeconds = (n: number, samples: number, core: number | null): Promise<number> =>
      runPlainModule(module, n, samples, core);
    const n =
      options.n ?? sizeFor(BUDGET_S, PROCESSES, CALIBRATION_N, await plainSeconds(CALIBRATION_N, CALIBRATION_SAMPLES, cores[0]));
    // Both agents have fetched and compiled the program when it counts, and are as warm as hosts that have been up for some time.
    for (let warming = 0; warming < WARMING_RUNS; warming++) await together(client, program, Math.min(n, 30), () => undefined);
    const results: Run[] = [];
    for (let at = 1; at <= runs; at++) {
      const label = `run ${at} of ${runs}, fib(${n})`;
      progress(`${label}: native on each host`);
      const [ta, ti] = native === null ? [null, null] : await Promise.all(cores.map((core) => runNative(native, n, core)));
      progress(`${label}: plain WebAssembly on each host`);
      const [taPlainWasm = 0, tiPlainWasm = 0] = await Promise.all(cores.map((core) => plainSeconds(n, PLAIN_SAMPLES, core)));
      progress(`${label}: both hosts together`);
      const { seconds: tb, job } = await together(client, program, n, (text) =>
        progress(`${label}: both hosts together ${text}`),
      );
      const { migrations, migratedProcesses, migrationBytes, migrationMessages, freezesMs } = job;
      results.push({
        ta: ta ?? null,
        ti: ti ?? null,
        tb,
        taPlainWasm: taPlainWasm * PROCESSES,
        tiPlainWasm: tiPlainWasm * PROCESSES,
        ...{ migrations, migratedProcesses, migrationBytes, migrationMessages, freezesMs },
      });
    }
    return { ...figuresOf(results, n, PROCESSES), machine: machine() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** On the host's core, and at the low priority that agents have, so that whatever else the machine does slows all three alike. */
function asAgentsRun(core: number | null, command: readonly string[]): [string, ...string[]] {
  return core === null ? confined(null, command) : ["nice", "-n", "19", ...confined(core, command)];
}

/** Seconds of the whole native program with its 32 processes, confined to a core. */
async function runNative(path: string, n: number, core: number | null): Promise<number> {
  const [command, ...args] = asAgentsRun(core, [path, String(n)]);
  const began = performance.now();
  const { stdout } = await run(command, args);
  const seconds = (performance.now() - began) / 1000;
  check(stdout, n, "The native program");
  return seconds;
}

/** Mean seconds of one process's work under plain WebAssembly on a core, without compiling and starting. */
async function runPlainModule(module: string, n: number, samples: number, core: number | null): Promise<number> {
  const [command, ...args] = asAgentsRun(core, [process.execPath, PLAIN_RUNNER, module, String(samples), String(n), "0"]);
  const { stdout } = await run(command, args);
  const seconds = JSON.parse(stdout) as number[];
  return seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
}

/** The cluster's run: from the submission to the news of its end. */
async function together(
  client: RpcClient,
  program: string,
  n: number,
  progress: (text: string) => void,
): Promise<{ seconds: number; job: Result<"job"> }> {
  const output: Uint8Array[] = [];
  const errors: Uint8Array[] = [];
  const began = performance.now();
  const { job } = await client.request("submit", {
    name: PROGRAM,
    program,
    args: [PROGRAM, String(n), String(FORKS)],
    env: {},
    files: {},
    memoryLimitBytes: 2 ** 30,
    cpuLimitMs: 0,
    clock: "virtual",
    startOn: HOSTS[0],
    stay: false,
    stdin: false,
  });
  const { ended } = await client.attach({ job, pid: null, follow: true }, (event) => {
    if (event.event === "output") (event.stream === 1 ? output : errors).push(event.bytes);
  });
  const looking = setInterval(() => void look(client, progress).catch(() => undefined), PROGRESS_MS);
  const report = await ended.finally(() => clearInterval(looking));
  const seconds = (performance.now() - began) / 1000;
  if (report.kind !== "exit" || report.code !== 0)
    throw new NightshiftError(
      "NS_INTERNAL",
      `The experiment's job failed (${describeReport(report)}): ${Buffer.concat(errors).toString()}`,
    );
  check(Buffer.concat(output).toString(), n, "The cluster");
  return { seconds, job: await client.request("job", { job }) };
}

async function look(client: RpcClient, progress: (text: string) => void): Promise<void> {
  const hosts = await client.request("hosts", {});
  const load = hosts.map((host) => `${host.name} ${host.running + host.runnable}`).sort();
  progress(`(${load.join(", ")} processes)`);
}

/** Byte for byte. */
function check(output: string, n: number, who: string): void {
  if (output === expectedOutput(n, FORKS)) return;
  throw new NightshiftError("NS_INTERNAL", `${who} has computed something else than the program must print`, {
    details: { output },
  });
}

export function machine(): Machine {
  return {
    cpuModel: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}
