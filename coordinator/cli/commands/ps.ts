// `nightshift ps`: the processes of the cluster, wherever they are.
import type { Command } from "commander";
import type { Result, RpcClient } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { describeReport } from "../outcome.ts";
import { showBytes, showDuration } from "../quantities.ts";
import type { PartRow } from "../results.ts";
import { type Column, renderTable } from "../table.ts";
import { parseJob } from "../targets.ts";
import { type Paint, paintFor, printJson, write } from "../terminal.ts";

export type ProcessRow = Result<"ps">[number];

export function psCommand(): Command {
  return declare({
    usage: "ps",
    description: "list processes: where they run, what they have used, how often they moved",
    examples: ["nightshift ps", "nightshift ps --all --job j3", "nightshift ps --parts j3"],
    notes:
      "In the column JOB j3.2 is part 2 of job j3. Of parts that wait the first ten of each job are shown, with --all every one.",
    json: [
      "an array of {pid, parent, job, part, parts, name, state, host, cpuMs, memoryBytes, migrations, startedAt, report, waiting, pinned}; times are",
      "milliseconds. With --parts an array of {part, pid, state, report, tries, stdoutBytes, stderrBytes, files}.",
    ].join("\n"),
  })
    .option("-a, --all", "ended ones too", false)
    .option("-j, --job <job>", "only this job's")
    .option("-p, --parts <job>", "the parts of this job and how they have ended")
    .action(async (options: CommonOptions & { all: boolean; job?: string; parts?: string }) => {
      if (options.parts !== undefined) return showParts(parseJob(options.parts), options);
      const job = options.job === undefined ? null : parseJob(options.job);
      const rows = await withClient(options, (client) => allProcesses(client, job, options.all));
      if (options.json) return printJson(rows);
      const paint = paintFor(process.stdout);
      if (rows.length === 0) return write(process.stdout, `No processes${options.all ? "" : " (--all shows ended ones)"}.\n`);
      const { shown, more } = options.all ? { shown: rows, more: new Map<number, number>() } : folded(rows);
      const waiting = [...more].map(([id, count]) => `j${id}: ${count} more parts wait (nightshift ps --parts j${id}).\n`);
      return write(process.stdout, renderTable(processColumns(paint, Date.now()), shown) + waiting.join(""));
    });
}

/** Of each job this many parts that wait: a sweep may have thousands. */
const SHOWN_WAITING = 10;

/** What is worth a line each, and how many more parts of each job wait for a host. Those that have run, and wait to go on, are shown. */
export function folded(rows: readonly ProcessRow[]): { shown: ProcessRow[]; more: Map<number, number> } {
  const waiting = new Map<number, number>();
  const shown = rows.filter(({ job, parts, state, memoryBytes }) => {
    if (parts === 1 || state !== "queued" || memoryBytes > 0) return true;
    const count = (waiting.get(job) ?? 0) + 1;
    waiting.set(job, count);
    return count <= SHOWN_WAITING;
  });
  const more = [...waiting].flatMap(([job, count]) => (count > SHOWN_WAITING ? [[job, count - SHOWN_WAITING] as const] : []));
  return { shown, more: new Map(more) };
}

/** By pid. */
export async function allProcesses(client: RpcClient, job: number | null, all: boolean): Promise<ProcessRow[]> {
  const rows: ProcessRow[] = [];
  for (;;) {
    const page = await client.request("ps", { job, all, after: rows.at(-1)?.pid ?? 0 });
    rows.push(...page);
    if (page.length === 0) return rows;
  }
}

async function showParts(job: number, options: CommonOptions): Promise<void> {
  const rows: PartRow[] = [];
  const { parts } = await withClient(options, async (client) => {
    for (;;) {
      const page = await client.request("parts", { job, after: rows.at(-1)?.part ?? 0 });
      rows.push(...page);
      if (page.length === 0) return client.request("job", { job });
    }
  });
  if (options.json) return printJson(rows);
  const paint = paintFor(process.stdout);
  const { total, done, failed } = parts;
  const sums = `${done} of ${total} ${total === 1 ? "part" : "parts"} succeeded, ${failed} failed, ${total - done - failed} to go.\n`;
  return write(process.stdout, renderTable(partColumns(paint, job), rows) + sums);
}

function partColumns(paint: Paint, job: number): Column<PartRow>[] {
  const colours = { done: paint.dim, failed: paint.red, cancelled: paint.red, running: paint.green, queued: paint.yellow };
  return [
    { head: "PART", align: "right", value: (row) => `j${job}.${row.part}` },
    { head: "PID", align: "right", value: (row) => String(row.pid) },
    {
      head: "STATE",
      value: ({ state, report }) => (report && state !== "done" ? `${state}: ${describeReport(report)}` : state),
      paint: (cell, row) => colours[row.state](cell),
    },
    { head: "TRIES", align: "right", value: (row) => String(row.tries) },
    { head: "STDOUT", align: "right", value: (row) => showBytes(row.stdoutBytes) },
    { head: "STDERR", align: "right", value: (row) => showBytes(row.stderrBytes) },
    { head: "FILES", align: "right", value: (row) => String(Object.keys(row.files).length) },
  ];
}

export function processColumns(paint: Paint, now: number): Column<ProcessRow>[] {
  return [
    { head: "PID", align: "right", value: (row) => String(row.pid) },
    { head: "PPID", align: "right", value: (row) => (row.parent === 0 ? "-" : String(row.parent)) },
    { head: "JOB", align: "right", value: (row) => (row.parts === 1 ? `j${row.job}` : `j${row.job}.${row.part}`) },
    { head: "STATE", value: stateText, paint: (cell, row) => stateColour(paint, row)(cell) },
    { head: "HOST", value: (row) => `${row.host ?? "-"}${row.pinned ? " (pinned)" : ""}` },
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
