// `nightshift overhead start|list|show|cancel`: the published experiment on two hosts of a cluster that is there, kept by its coordinator.
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import type { ExperimentView, RpcClient } from "../../protocol/index.ts";
import { PUBLISHED } from "../../server/experiment-figures.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { EXIT, ExitWith } from "../outcome.ts";
import { parseCount } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { printJson, progressOn, StatusLine, write } from "../terminal.ts";

const JSON_OF_ONE =
  "{id, who, state, failure: {code, message} or null, startedAt, endedAt, hosts: [{id, name, os, cpuModel, slots}], n, runs, processes, step, results: [{ta, ti, tb (seconds or null), overhead (fraction or null), jobs, migrations, migratedProcesses, freezesMs, disturbed}], figures: {runs, mean, median: {ta, ti, tb, overhead}} or null}";
/** How often it is looked at; seldom, as the coordinator has to do with what is measured. */
const LOOK_MS = 1000;

interface StartOptions extends CommonOptions {
  runs: string;
  size: string;
  detach?: boolean;
}

export function overheadCommand(): Command {
  const start = declare({
    usage: "start <first> <second>",
    description: "measure what the cluster costs on two hosts that compute for nobody",
    examples: ["nightshift overhead start amun ipc256", "nightshift overhead start amun ipc256 --runs 1 --size 36 --json"],
    notes: [
      "Processes, 16 for each core, run on the first host alone (ta), on the second alone (ti), then on both, started on the first",
      "and moved by balancing (tb). Overhead = tb/ta + tb/ti - 1; published: 2.01 %. All of it is migratable WebAssembly: hosts run no native code.",
      "The exit status is 1 when the experiment does not come to its end.",
    ].join("\n"),
    json: JSON_OF_ONE,
  })
    .option("--runs <count>", "runs to take the median of, 1 to 20", "4")
    .option("--size <n>", "n of fib(n), 1 to 46: one more takes 1.6 times as long", "38")
    .option("-d, --detach", "do not wait for its end")
    .action(async (first: string, second: string, options: StartOptions) => {
      const runs = parseCount(options.runs, "--runs", 1, 20);
      const n = parseCount(options.size, "--size", 1, 46);
      const experiment = await withClient(options, async (client) => {
        const begun = await client.request("overheadStart", { hosts: [first, second], runs, n });
        return options.detach ? begun : toTheEnd(client, begun);
      });
      await print(experiment, options);
      if (!options.detach && experiment.state !== "done") throw new ExitWith(EXIT.failure);
    });
  const list = declare({
    usage: "list",
    description: "list the newest 50 experiments",
    examples: ["nightshift overhead list"],
    json: `an array of ${JSON_OF_ONE}, newest first`,
  }).action(async (options: CommonOptions) => {
    const found = await withClient(options, (client) => client.request("overheadList", {}));
    if (options.json) return printJson(found);
    if (found.length === 0) return write(process.stdout, "There are no experiments yet.\n");
    return write(process.stdout, renderTable(LIST, found));
  });
  const show = declare({
    usage: "show <id>",
    description: "print an experiment with its runs",
    examples: ["nightshift overhead show 3"],
    json: JSON_OF_ONE,
  }).action(async (id: string, options: CommonOptions) =>
    print(await withClient(options, (client) => client.request("overheadShow", { id: parseId(id) })), options),
  );
  const cancel = declare({
    usage: "cancel <id>",
    description: "end an experiment; what it has measured stays",
    examples: ["nightshift overhead cancel 3"],
    json: "{}",
  }).action(async (id: string, options: CommonOptions) => {
    const made = await withClient(options, (client) => client.request("overheadCancel", { id: parseId(id) }));
    return options.json ? printJson(made) : write(process.stdout, `Experiment ${id} is cancelled\n`);
  });
  const overhead = new Command("overhead").description(
    "what the cluster costs, measured on two of its hosts: start, list, show, cancel",
  );
  for (const command of [start, list, show, cancel]) overhead.addCommand(command);
  return overhead;
}

const parseId = (text: string): number => parseCount(text, "the experiment", 1, Number.MAX_SAFE_INTEGER);

async function toTheEnd(client: RpcClient, begun: ExperimentView): Promise<ExperimentView> {
  const status = new StatusLine();
  const progress = progressOn(status, (line) => console.error(line));
  try {
    for (let experiment = begun; ; experiment = await client.request("overheadShow", { id: begun.id })) {
      if (experiment.state !== "running") return experiment;
      const { step, results, runs } = experiment;
      progress(step === "preparing" ? "preparing" : `run ${results.length} of ${runs}: ${step}`);
      await delay(LOOK_MS);
    }
  } finally {
    status.clear();
  }
}

type Line = { run: string; ta: number | null; ti: number | null; tb: number | null; overhead: number | null; notes: string };
const seconds = (value: number | null): string => (value === null ? "-" : `${value.toFixed(2)} s`);
const percent = (value: number | null): string => (value === null ? "-" : `${(value * 100).toFixed(2)} %`);
const align = "right" as const;

async function print(experiment: ExperimentView, options: CommonOptions): Promise<void> {
  if (options.json) return printJson(experiment);
  const { id, hosts, n, processes, results, figures, failure } = experiment;
  const [first, second] = hosts.map(({ name }) => name.toUpperCase());
  const columns: Column<Line>[] = [
    { head: "RUN", value: ({ run }) => run },
    { head: `${first} (ta)`, value: ({ ta }) => seconds(ta), align },
    { head: `${second} (ti)`, value: ({ ti }) => seconds(ti), align },
    { head: "BOTH (tb)", value: ({ tb }) => seconds(tb), align },
    { head: "OVERHEAD", value: ({ overhead }) => percent(overhead), align },
    { head: "", value: ({ notes }) => notes },
  ];
  const lines: Line[] = [
    ...results.map((run, at) => ({ ...run, run: String(at + 1), notes: run.disturbed ? "disturbed by other jobs" : "" })),
    ...(figures
      ? [
          { run: "median", ...figures.median, notes: "" },
          { run: "mean", ...figures.mean, notes: "" },
        ]
      : []),
    { run: "published", ...PUBLISHED, notes: "native" },
  ];
  const title = `Experiment ${id}: ${experiment.state}${failure ? ` (${failure.message})` : ""}; ${processes} processes, fib(${n})`;
  return write(process.stdout, `${title}\n${renderTable(columns, lines)}`);
}

const LIST: Column<ExperimentView>[] = [
  { head: "ID", value: ({ id }) => String(id), align },
  { head: "SINCE", value: ({ startedAt }) => new Date(startedAt).toLocaleString() },
  { head: "HOSTS", value: ({ hosts }) => hosts.map(({ name }) => name).join(" + ") },
  { head: "RUNS", value: ({ figures, runs }) => `${figures?.runs ?? 0}/${runs}`, align },
  { head: "N", value: ({ n }) => String(n), align },
  { head: "OVERHEAD", value: ({ figures }) => percent(figures?.median.overhead ?? null), align },
  { head: "STATE", value: ({ state }) => state },
  { head: "BY", value: ({ who }) => who },
];
