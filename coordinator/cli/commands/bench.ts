// `nightshift bench overhead`: the experiment and the kernels' figures on a cluster of its own, written to docs/PERFORMANCE.md.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { parseLink } from "../../protocol/index.ts";
import { measureKernels } from "../bench/kernels.ts";
import { performanceReport } from "../bench/report.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient } from "../connect.ts";
import { HOSTS, hostCores, runExperiment } from "../experiment.ts";
import { renderFigures } from "../experiment-figures.ts";
import { openHouse } from "../house.ts";
import { EXIT, ExitWith } from "../outcome.ts";
import { parseCount } from "../quantities.ts";
import { paintFor, printJson, progressOn, StatusLine } from "../terminal.ts";

const REPORT = fileURLToPath(new URL("../../../docs/PERFORMANCE.md", import.meta.url));
/** For --quick: enough to see that everything works. */
const QUICK_N = 24;

interface BenchOptions extends CommonOptions {
  runs: string;
  rounds: string;
  size?: string;
  quick?: boolean;
  output?: string;
}

export function benchCommand(): Command {
  return declare({
    usage: "bench <name>",
    description: "measure; there is `overhead`: the published experiment, and what being migratable costs every bundled kernel",
    examples: ["nightshift bench overhead", "nightshift bench overhead --quick --json"],
    notes:
      "It starts a coordinator and two hosts of its own and writes docs/PERFORMANCE.md. The machine should have nothing else to do.",
    json: "as `start --json` prints it, and kernels: an array of {name, native, plainWasm, migratable (seconds), migratableOverPlain, plainOverNative (fractions), plainBytes, migratableBytes, moving: {preemptionMs: {median, max}, captureMs, restoreMs, imageBytes, memoryBytes} or null}",
    coordinator: false,
  })
    .option("--runs <count>", "runs of the experiment", "4")
    .option("--rounds <count>", "rounds of every kernel", "5")
    .option("--size <n>", "n of the experiment's fib(n) (default: chosen for this machine's speed)")
    .option("--quick", "small sizes, one run: for tests, not for figures; writes nothing unless told where")
    .option("-o, --output <file>", "where the report goes (default docs/PERFORMANCE.md)")
    .action(bench);
}

async function bench(name: string, options: BenchOptions): Promise<void> {
  if (name !== "overhead") throw new NightshiftError("NS_USAGE", `There is no benchmark '${name}'; there is overhead`);
  const quick = options.quick ?? false;
  const runs = quick ? 1 : parseCount(options.runs, "--runs", 1, 1000);
  const rounds = quick ? 1 : parseCount(options.rounds, "--rounds", 1, 1000);
  const n = options.size === undefined ? (quick ? QUICK_N : undefined) : parseCount(options.size, "--size", 1, 60);
  const status = new StatusLine();
  const progress = progressOn(status, (line) => console.error(line));
  const cores = await hostCores();
  const home = await mkdtemp(join(tmpdir(), "nightshift-bench-"));
  const agents = HOSTS.map((host, at) => ({ name: host, slots: 1, cpu: cores[at] ?? null }));
  try {
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
    // Agents would compete with the kernels for the cores: they have ended.
    const kernels = await measureKernels({ rounds, samples: quick ? 3 : 50, core: cores[0], quick, progress });
    status.clear();
    const output = options.output ?? (quick ? undefined : REPORT);
    if (output !== undefined) {
      await mkdir(dirname(output), { recursive: true });
      await writeFile(output, performanceReport(experiment, kernels, "npm run bench -- overhead"));
    }
    if (options.json) return await printJson({ ...experiment, kernels });
    console.log(renderFigures(experiment, paintFor(process.stdout)));
    if (output !== undefined) console.log(`Written to ${output}`);
  } finally {
    status.clear();
    await rm(home, { recursive: true, force: true });
  }
}
