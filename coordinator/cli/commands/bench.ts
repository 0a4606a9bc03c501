// `nightshift bench`: the experiment on a cluster of its own, and the kernels' figures, written to docs/PERFORMANCE.md.
import { existsSync, type Stats } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { type MeasurementOrder, type MeasurementView, parseLink } from "../../protocol/index.ts";
import { type BrowserFigures, measureInBrowser } from "../bench/browser.ts";
import { desktopMissing } from "../bench/desktop.ts";
import { type Chosen, type KernelFigures, measureKernels } from "../bench/kernels.ts";
import { measureOwner } from "../bench/owner.ts";
import { browserPart, experimentPart, kernelsPart, ownerPart, streamPart, tabsPart, withParts } from "../bench/report.ts";
import { measureStream } from "../bench/stream.ts";
import { measureTabs } from "../bench/tabs.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient, withClient } from "../connect.ts";
import { type Experiment, HOSTS, hostCores, machine, runExperiment } from "../experiment.ts";
import { renderFigures } from "../experiment-figures.ts";
import { openHouse } from "../house.ts";
import { collectFiles } from "../job-files.ts";
import { EXIT, ExitWith } from "../outcome.ts";
import { namedProgram } from "../program-file.ts";
import { parseCount } from "../quantities.ts";
import { renderTable } from "../table.ts";
import { paintFor, printJson, progressOn, StatusLine } from "../terminal.ts";

const REPORT = fileURLToPath(new URL("../../../docs/PERFORMANCE.md", import.meta.url));
/** For --quick: enough to see that everything works. */
const QUICK_N = 24;
/** Times that the owner comes back: enough for a 99th percentile. */
const RETURNS = 200;
/** Of each program in each browser. */
const STOPS = 100;
/** Stops of each kernel: enough for a 99th percentile. */
const SAMPLES = 100;

interface BenchOptions extends CommonOptions {
  runs: string;
  rounds: string;
  size?: string;
  program?: string;
  stdin?: string;
  dir?: string;
  native?: string;
  send?: boolean;
  machine?: string;
  quick?: boolean;
  output?: string;
}

/** Unless told otherwise. */
const RUNS = 4;
const ROUNDS = 5;

export function benchCommand(): Command {
  return declare({
    usage: "bench <name> [args...]",
    description:
      "measure: `kernels` is what being migratable costs every bundled kernel; `overhead` is the published experiment, and the kernels; `browser` is the kernels in Chromium, and what a warm tab of each browser has of the headless agent's throughput; `tabs` is how soon processes in tabs stop; `owner` is what somebody at the desk notices; `console` is its change stream",
    examples: [
      "nightshift bench overhead",
      "nightshift bench kernels --quick --json",
      "nightshift bench kernels --program prog.c -- 1000",
      "nightshift bench kernels --program lame --dir music --native /usr/bin/lame -- in.wav out.mp3",
      "nightshift bench kernels --send",
      "nightshift bench owner",
    ],
    notes: [
      "For the experiment it starts a coordinator and two hosts of its own. It writes docs/PERFORMANCE.md; of a program of your own, and with",
      "--send, it writes a report only when told where. The machine should have nothing else to do.",
    ].join("\n"),
    json: "{machine}, with --send {measurement}, its id, and: kernels, overhead: kernels, an array of {name, native, plainWasm, migratable (seconds), migratableOverPlain, plainOverNative (fractions), plainBytes, migratableBytes, moving: {preemptionMs: {median, p99, max}, captureMs, restoreMs, imageBytes, memoryBytes} or null}; overhead also as `start --json` prints it; browser: kernels, an array of {name, optimised, plain, migratable, renewed, nodePlain, nodeMigratable (seconds; null: too little stack), renewedOverOptimised, warm: by browser {version, seconds, throughput (of nodeMigratable)}}; tabs: tabs, an array of {browser, version, isolated, samples, median, p99, max (ms)}; owner: owner, {slots, samples, inputToStill and signalToStopped: {median, p99, max} ms, foreground: {without, computing, paused} seconds, pausedCpuPercent, pausedWithMouseCpuPercent, pausedResidentBytes}; console: stream, {hosts, processes, clients, firstBytes, firstMs, changes, changeBytes, lastMs, changeCpuMs}",
  })
    .option("--runs <count>", "runs of the experiment", String(RUNS))
    .option("--rounds <count>", "rounds of every kernel", String(ROUNDS))
    .option("--size <n>", "n of the experiment's fib(n) (default: chosen for this machine's speed)")
    .option(
      "--program <file>",
      "kernels: of this .c, .cpp or .wasm alone, with the arguments after `--`; without a source not natively",
    )
    .option("--stdin <file>", "what --program reads from stdin")
    .option("--dir <folder>", "the files that --program finds where it runs")
    .option("--native <file>", "what --program is natively, instead of what its source becomes")
    .option("--send", "kernels: also to the coordinator, for its console's page Overhead to show")
    .option("--machine <name>", "what the console is to call this computer (default: its name)")
    .option("--quick", "small sizes, one run: for tests, not for figures; writes nothing unless told where")
    .option("-o, --output <file>", "where the report goes (default docs/PERFORMANCE.md)")
    .action(bench);
}

/** How a benchmark is to be run. */
interface Asked {
  runs: number;
  rounds: number;
  n: number | undefined;
  quick: boolean;
  only: Chosen | undefined;
  cores: Awaited<ReturnType<typeof hostCores>>;
  progress(text: string): void;
}

interface Measured {
  /** Parts of docs/PERFORMANCE.md. */
  parts: (command: string) => string[];
  /** With --json, beside the machine. */
  json: object;
  /** Without. */
  table: string;
  /** For the coordinator. */
  programs?: MeasurementOrder["programs"];
}

/** By the benchmark's name; undefined when this machine lacks what it needs, of which it has said what. */
const MEASURES: Readonly<Record<string, (asked: Asked) => Promise<Measured | undefined>>> = {
  kernels: async (asked) => kernels(asked),
  overhead: async (asked) => {
    const experiment = await experimentAlone(asked);
    // Agents would compete with the kernels for the cores: they have ended.
    const others = await kernels(asked);
    return {
      parts: (command) => [experimentPart(experiment, command), ...others.parts(command)],
      json: { ...experiment, ...others.json },
      table: renderFigures(experiment, paintFor(process.stdout)),
    };
  },
  browser: async ({ rounds, quick, progress }) => {
    const figures = await measureInBrowser({ rounds, quick, progress });
    return {
      parts: (command) => [browserPart(figures, machine(), command)],
      json: { kernels: figures },
      table: browserTable(figures),
    };
  },
  tabs: async ({ quick, progress }) => {
    const tabs = await measureTabs({ samples: quick ? 3 : STOPS, quick, progress });
    const part = (command: string): string => tabsPart(tabs, machine(), command);
    return { parts: (command) => [part(command)], json: { tabs }, table: part("nightshift bench tabs").trimEnd() };
  },
  owner: async ({ rounds, quick, progress }) => {
    const missing = process.platform === "linux" ? desktopMissing() : "it reads the processor time of threads as Linux tells it";
    if (missing !== undefined) return void console.error(`Skipped: ${missing}`);
    const owner = await measureOwner({ samples: quick ? 3 : RETURNS, rounds, watchMs: quick ? 1000 : 30_000, progress });
    const part = (command: string): string => ownerPart(owner, machine(), command);
    return { parts: (command) => [part(command)], json: { owner }, table: part("nightshift bench owner").trimEnd() };
  },
  console: async ({ quick, progress }) => {
    const stream = await measureStream(quick, progress);
    const part = (command: string): string => streamPart(stream, machine(), command);
    return { parts: (command) => [part(command)], json: { stream }, table: part("nightshift bench console").trimEnd() };
  },
};

async function kernels({ rounds, quick, only, cores, progress }: Asked): Promise<Measured> {
  const options = { rounds, samples: quick ? 3 : SAMPLES, core: cores[0], quick, progress };
  const figures = await measureKernels(only ? { ...options, only } : options);
  return {
    parts: (command) => [kernelsPart(figures, machine(), command)],
    json: { kernels: figures },
    table: kernelTable(figures),
    programs: figures.map(({ name, native, plainWasm, migratable, plainBytes, migratableBytes }) => ({
      ...{ name, native, plainWasm, migratable, plainBytes, migratableBytes },
    })),
  };
}

async function chosen(program: string, args: readonly string[], { stdin, dir, native }: BenchOptions): Promise<Chosen> {
  const must = async (path: string, is: (found: Stats) => boolean): Promise<string> => {
    const found = await stat(path).catch(() => undefined);
    if (!found || !is(found)) throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no ${path} that could be used here`);
    return resolve(path);
  };
  const input = {
    stdin: stdin === undefined ? null : await must(stdin, (found) => found.isFile()),
    folder: dir === undefined ? null : await must(dir, (found) => found.isDirectory()),
  };
  if (input.folder !== null) await collectFiles(input.folder); // says what is wrong with it
  return {
    ...namedProgram(program, args),
    input,
    ...(native !== undefined && { native: await must(native, (found) => found.isFile()) }),
  };
}

async function bench(name: string, args: string[], options: BenchOptions): Promise<void> {
  const measure = Object.hasOwn(MEASURES, name) ? MEASURES[name] : undefined;
  if (!measure)
    throw new NightshiftError("NS_USAGE", `There is no benchmark '${name}'; there are ${Object.keys(MEASURES).join(", ")}`);
  if (options.program !== undefined && name !== "kernels")
    throw new NightshiftError("NS_USAGE", "--program is for `bench kernels`");
  if (options.program === undefined && args.length > 0)
    throw new NightshiftError("NS_USAGE", `'${args[0]}' is an argument of no program: name one with --program`);
  for (const flag of ["stdin", "dir", "native"] as const)
    if (options.program === undefined && options[flag] !== undefined)
      throw new NightshiftError("NS_USAGE", `--${flag} is for a program of yours: name it with --program`);
  if ((options.send || options.machine !== undefined) && name !== "kernels")
    throw new NightshiftError("NS_USAGE", "--send and --machine are for `bench kernels`");
  const only = options.program === undefined ? undefined : await chosen(options.program, args, options);
  const quick = options.quick ?? false;
  const runs = quick ? 1 : parseCount(options.runs, "--runs", 1, 1000);
  const rounds = quick ? 1 : parseCount(options.rounds, "--rounds", 1, 1000);
  const n = options.size === undefined ? (quick ? QUICK_N : undefined) : parseCount(options.size, "--size", 1, 60);
  const status = new StatusLine();
  const progress = progressOn(status, (line) => console.error(line));
  const output = options.output ?? (quick || only || options.send ? undefined : REPORT);
  // Before minutes are spent on what could not be sent then.
  if (options.send) await withClient(options, (client) => client.request("status", {}));
  try {
    const measured = await measure({ runs, rounds, n, quick, only, cores: await hostCores(), progress });
    status.clear();
    if (!measured) return;
    if (output !== undefined) {
      await mkdir(dirname(output), { recursive: true });
      const before = existsSync(output) ? await readFile(output, "utf8") : undefined;
      await writeFile(output, withParts(before, measured.parts(commandOf(name, { runs, rounds, quick }))));
    }
    const { programs } = measured;
    const sent = options.send && programs ? await send(programs, rounds, quick, options) : undefined;
    if (options.json) return await printJson({ machine: machine(), ...measured.json, ...(sent && { measurement: sent.id }) });
    console.log(measured.table);
    if (sent) console.log(`Sent as measurement ${sent.id} of ${sent.machine.name}: see Overhead in the console`);
    if (output !== undefined) console.log(`Written to ${output}`);
  } finally {
    status.clear();
  }
}

function send(
  programs: MeasurementOrder["programs"],
  rounds: number,
  quick: boolean,
  options: BenchOptions,
): Promise<MeasurementView> {
  const { date: _, ...here } = machine();
  const order = { machine: { ...here, name: options.machine ?? hostname() }, rounds, quick, programs };
  return withClient(options, (client) => client.request("measurementSend", order));
}

/** The experiment on a cluster of its own, which has ended when this returns. */
async function experimentAlone({ runs, cores, n, progress }: Asked): Promise<Experiment> {
  const home = await mkdtemp(join(tmpdir(), "nightshift-bench-"));
  try {
    const agents = HOSTS.map((host, at) => ({ name: host, slots: 1, cpu: cores[at] ?? null }));
    progress("starting a cluster");
    const house = await openHouse({ home, port: 0, agents, say: () => undefined });
    const measured = (async () => {
      await Promise.all(house.agents.map((agent) => agent.joined));
      const client = await openClient(parseLink(house.coordinator.adminLink), home);
      try {
        return await runExperiment({ client, runs, cores, progress, ...(n === undefined ? {} : { n }) });
      } finally {
        client.close();
      }
    })();
    const experiment = await Promise.race([measured, house.asked]).finally(() => house.close());
    if (typeof experiment === "number") throw new ExitWith(EXIT.interrupted);
    return experiment;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function kernelTable(kernels: readonly KernelFigures[]): string {
  const percent = (value: number | null): string => (value === null ? "-" : `${(value * 100).toFixed(1)} %`);
  const right = "right" as const;
  return renderTable<KernelFigures>(
    [
      { head: "KERNEL", value: ({ name }) => name },
      { head: "NATIVE", value: ({ native }) => (native === null ? "-" : `${native.toFixed(2)} s`), align: right },
      { head: "PLAIN", value: ({ plainWasm }) => `${plainWasm.toFixed(2)} s`, align: right },
      { head: "MIGRATABLE", value: ({ migratable }) => `${migratable.toFixed(2)} s`, align: right },
      { head: "OVER NATIVE", value: ({ native, migratable }) => percent(native && migratable / native - 1), align: right },
      { head: "OVER PLAIN", value: ({ migratableOverPlain }) => percent(migratableOverPlain), align: right },
      {
        head: "SIZE",
        value: ({ migratableBytes, plainBytes }) => `${(migratableBytes / plainBytes).toFixed(2)} x`,
        align: right,
      },
    ],
    kernels,
  ).trimEnd();
}

function browserTable(kernels: readonly BrowserFigures[]): string {
  const time =
    (way: "optimised" | "plain" | "migratable" | "renewed" | "nodeMigratable") =>
    (kernel: BrowserFigures): string =>
      kernel[way] === null ? "-" : `${kernel[way].toFixed(2)} s`;
  const align = "right" as const;
  return renderTable<BrowserFigures>(
    [
      { head: "KERNEL", value: ({ name }) => name },
      { head: "OPTIMISED", value: time("optimised"), align },
      { head: "PLAIN", value: time("plain"), align },
      { head: "MIGRATABLE", value: time("migratable"), align },
      { head: "RENEWED", value: time("renewed"), align },
      {
        head: "OVER OPTIMISED",
        value: ({ renewedOverOptimised: over }) => (over === null ? "-" : `${((over - 1) * 100).toFixed(1)} %`),
        align,
      },
      { head: "NODE", value: time("nodeMigratable"), align },
      ...Object.keys(kernels[0]?.warm ?? {}).map((engine) => ({
        head: `WARM ${engine.toUpperCase()}`,
        value: ({ warm }: BrowserFigures) => warm[engine]?.throughput?.toFixed(2) ?? "-",
        align,
      })),
    ],
    kernels,
  ).trimEnd();
}

/** What measures the same again. */
function commandOf(name: string, { runs, rounds, quick }: { runs: number; rounds: number; quick: boolean }): string {
  const more = quick ? " --quick" : `${runs === RUNS ? "" : ` --runs ${runs}`}${rounds === ROUNDS ? "" : ` --rounds ${rounds}`}`;
  return `npm run bench -- ${name}${more}`;
}
