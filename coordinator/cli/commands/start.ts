// `nightshift start` (what `npm start` runs): a coordinator and two hosts on this computer, the published experiment on them, and a
// cluster that stays up to be played with.
import type { Command } from "commander";
import { DEFAULT_PORT, parseLink } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient } from "../connect.ts";
import { HOSTS, hostCores, runExperiment } from "../experiment.ts";
import { renderFigures } from "../experiment-figures.ts";
import { type House, openHouse } from "../house.ts";
import { ExitWith } from "../outcome.ts";
import { parseCount } from "../quantities.ts";
import { paintFor, printJson, progressOn, StatusLine } from "../terminal.ts";

interface StartOptions extends CommonOptions {
  port: string;
  runs: string;
  size?: string;
  once?: boolean;
}

export function startCommand(): Command {
  return declare({
    usage: "start",
    description: "start a cluster of two hosts here, measure its overhead, and leave it running",
    examples: ["nightshift start", "nightshift start --once --runs 1 --port 0"],
    notes: [
      "The hosts are agents named amun and ipc256 with one processor core each. They run a program that forks 32 processes, first",
      "natively on each host alone (ta, ti), then spread over both by migration (tb). Overhead = tb/ta + tb/ti - 1; published: 2.01 %.",
    ].join("\n"),
    json: "when measured: {ta, ti, tb (seconds), overhead, overheadPlainWasm, medianOverhead, medianOverheadPlainWasm (fractions), taPlainWasm, tiPlainWasm, n, processes, migrations, migratedProcesses, migrationBytes, migrationMessages (per run), freezeMs: {median, max}, runs, native, perRun, machine}; ta, ti and overhead are null without a C compiler",
    coordinator: false,
  })
    .option("-p, --port <port>", "port to listen on; 0 for any free one", String(DEFAULT_PORT))
    .option("--runs <count>", "runs to take the mean of", "4")
    .option("--size <n>", "n of fib(n) (default: chosen for this machine's speed)")
    .option("--once", "stop after the table")
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  const port = parseCount(options.port, "--port", 0, 65_535);
  const runs = parseCount(options.runs, "--runs", 1, 1000);
  const n = options.size === undefined ? undefined : parseCount(options.size, "--size", 1, 60);
  const paint = paintFor(process.stdout);
  const status = new StatusLine();
  const say = options.json
    ? () => undefined
    : (line: string): void => {
        status.clear();
        console.log(line);
      };
  const cores = await hostCores();
  const house = await openHouse({
    port,
    agents: HOSTS.map((name, at) => ({ name, slots: 1, cpu: cores[at] ?? null })),
    say,
    paint,
  });
  const interrupted = house.asked.then((code) => new ExitWith(code));
  const measured = measure(house, { runs, cores, ...(n === undefined ? {} : { n }) }, progressOn(status, say));
  const figures = await Promise.race([measured, interrupted]).finally(() => status.clear());
  if (figures instanceof ExitWith) {
    measured.catch(() => undefined);
    await house.close();
    throw figures;
  }
  if (options.json) await printJson(figures);
  else console.log(`\n${renderFigures(figures, paint)}`);
  if (!options.once) {
    say(`The cluster is up at ${paint.bold(house.coordinator.url)}. In another terminal:`);
    for (const line of ["npx nightshift run hello", "npx nightshift run -d fork-fibonacci 40", "npx nightshift top"])
      say(`  ${line}`);
    say(paint.dim("Ctrl-C stops it."));
    await house.asked;
  }
  await house.close();
  throw new ExitWith(0);
}

async function measure(
  house: House,
  options: { runs: number; cores: readonly [number | null, number | null]; n?: number },
  progress: (text: string) => void,
): ReturnType<typeof runExperiment> {
  await Promise.all(house.agents.map((agent) => agent.joined));
  const client = await openClient(parseLink(house.coordinator.adminLink));
  try {
    return await runExperiment({ client, ...options, progress });
  } finally {
    client.close();
  }
}
