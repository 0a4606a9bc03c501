// `nightshift ps`: the processes of the cluster, wherever they are.
import type { Command } from "commander";
import type { Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { describeReport } from "../outcome.ts";
import { showBytes, showDuration } from "../quantities.ts";
import { type Column, renderTable } from "../table.ts";
import { parseJob } from "../targets.ts";
import { type Paint, paintFor, printJson, write } from "../terminal.ts";

export type ProcessRow = Result<"ps">[number];

export function psCommand(): Command {
  return declare({
    usage: "ps",
    description: "list processes: where they run, what they have used, how often they moved",
    examples: ["nightshift ps", "nightshift ps --all --job j3"],
    json: "an array of {pid, parent, job, name, state, host, cpuMs, memoryBytes, migrations, startedAt, report, waiting}; times are milliseconds",
  })
    .option("-a, --all", "ended ones too", false)
    .option("-j, --job <job>", "only this job's")
    .action(async (options: CommonOptions & { all: boolean; job?: string }) => {
      const job = options.job === undefined ? null : parseJob(options.job);
      const rows = await withClient(options, (client) => client.request("ps", { job, all: options.all }));
      rows.sort((a, b) => a.pid - b.pid);
      if (options.json) return printJson(rows);
      const paint = paintFor(process.stdout);
      if (rows.length === 0) return write(process.stdout, `No processes${options.all ? "" : " (--all shows ended ones)"}.\n`);
      return write(process.stdout, renderTable(processColumns(paint, Date.now()), rows));
    });
}

export function processColumns(paint: Paint, now: number): Column<ProcessRow>[] {
  return [
    { head: "PID", align: "right", value: (row) => String(row.pid) },
    { head: "PPID", align: "right", value: (row) => (row.parent === 0 ? "-" : String(row.parent)) },
    { head: "JOB", align: "right", value: (row) => `j${row.job}` },
    { head: "STATE", value: stateText, paint: (cell, row) => stateColour(paint, row)(cell) },
    { head: "HOST", value: (row) => row.host ?? "-" },
    { head: "CPU", align: "right", value: (row) => showDuration(row.cpuMs) },
    { head: "MEMORY", align: "right", value: (row) => (row.memoryBytes === 0 ? "-" : showBytes(row.memoryBytes)) },
    { head: "MOVES", align: "right", value: (row) => String(row.migrations) },
    { head: "AGE", align: "right", value: (row) => showDuration(Math.max(0, now - row.startedAt)) },
    { head: "NAME", value: (row) => row.name },
  ];
}

/** The state, with what it waits for or how it ended. */
export function stateText(row: Pick<ProcessRow, "state" | "waiting" | "report">): string {
  if (row.report && row.report.kind === "fault") return `${row.state}: ${row.report.code}`;
  if (row.report) return `${row.state}: ${describeReport(row.report)}`;
  return row.waiting === null ? row.state : `waiting: ${row.waiting}`;
}

function stateColour(paint: Paint, row: ProcessRow): (text: string) => string {
  if (row.state === "failed") return paint.red;
  if (row.waiting !== null || row.state === "exited" || row.state === "cancelled") return paint.dim;
  return row.state === "running" ? paint.green : paint.yellow;
}
