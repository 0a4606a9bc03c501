// The figures of the published experiment over several runs, and the table in the article's form. Pure.
import { median, overhead, PUBLISHED } from "../server/experiment-figures.ts";
import { type Column, renderTable } from "./table.ts";
import type { Paint } from "./terminal.ts";

export interface Run {
  /** Seconds; null without a C compiler. */
  ta: number | null;
  ti: number | null;
  tb: number;
  taPlainWasm: number;
  tiPlainWasm: number;
  migrations: number;
  migratedProcesses: number;
  migrationBytes: number;
  migrationMessages: number;
  freezesMs: number[];
}

export interface Figures {
  ta: number | null;
  ti: number | null;
  tb: number;
  overhead: number | null;
  overheadPlainWasm: number;
  /** Of the runs' own overheads: what remains when something else on the machine has disturbed one of them. */
  medianOverhead: number | null;
  medianOverheadPlainWasm: number;
  taPlainWasm: number;
  tiPlainWasm: number;
  /** n of fork-fibonacci. */
  n: number;
  processes: number;
  /** Per run, on average. */
  migrations: number;
  migratedProcesses: number;
  migrationBytes: number;
  migrationMessages: number;
  freezeMs: { median: number; max: number };
  runs: number;
  native: boolean;
  perRun: Run[];
}

/** Means over the runs, as published; freezes over all of them. @param runs at least one */
export function figuresOf(runs: readonly Run[], n: number, processes: number): Figures {
  const mean = (of: (run: Run) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const native = runs.every((run) => run.ta !== null && run.ti !== null);
  const ta = native ? mean((run) => run.ta ?? Number.NaN) : null;
  const ti = native ? mean((run) => run.ti ?? Number.NaN) : null;
  const tb = mean((run) => run.tb);
  const taPlainWasm = mean((run) => run.taPlainWasm);
  const tiPlainWasm = mean((run) => run.tiPlainWasm);
  const freezes = runs.flatMap((run) => run.freezesMs);
  const overheads = runs.flatMap(({ ta, ti, tb }) => (ta === null || ti === null ? [] : [overhead(ta, ti, tb)]));
  return {
    ta,
    ti,
    tb,
    overhead: ta === null || ti === null ? null : overhead(ta, ti, tb),
    overheadPlainWasm: overhead(taPlainWasm, tiPlainWasm, tb),
    medianOverhead: native ? median(overheads) : null,
    medianOverheadPlainWasm: median(runs.map((run) => overhead(run.taPlainWasm, run.tiPlainWasm, run.tb))),
    taPlainWasm,
    tiPlainWasm,
    n,
    processes,
    migrations: mean((run) => run.migrations),
    migratedProcesses: mean((run) => run.migratedProcesses),
    migrationBytes: mean((run) => run.migrationBytes),
    migrationMessages: mean((run) => run.migrationMessages),
    freezeMs: { median: median(freezes), max: Math.max(0, ...freezes) },
    runs: runs.length,
    native,
    perRun: [...runs],
  };
}

/**
 * The n whose work takes about `budgetS` seconds for all processes on one core. fib(n) makes about 1.618^n calls.
 * @param secondsAt how long one process takes at n = `at`
 */
export function sizeFor(budgetS: number, processes: number, at: number, secondsAt: number): number {
  const golden = (1 + Math.sqrt(5)) / 2;
  const n = at + Math.floor(Math.log(budgetS / (processes * secondsAt)) / Math.log(golden));
  return Math.min(44, Math.max(28, n));
}

interface Line {
  what: string;
  sign: string;
  here: string;
  published: string;
}

/** The article's table, with its figures beside ours. */
export function renderFigures(figures: Figures, paint: Paint): string {
  const { ta, ti, tb } = figures;
  const seconds = (value: number | null): string => (value === null ? "no C compiler here" : `${value.toFixed(2)} s`);
  const percent = (value: number | null): string => (value === null ? "-" : `${(value * 100).toFixed(2)} %`);
  const lines: Line[] = [
    { what: "native on amun", sign: "ta", here: seconds(ta), published: seconds(PUBLISHED.ta) },
    { what: "native on ipc256", sign: "ti", here: seconds(ti), published: seconds(PUBLISHED.ti) },
    { what: "both together, started on amun", sign: "tb", here: seconds(tb), published: seconds(PUBLISHED.tb) },
    {
      what: "overhead",
      sign: "tb/ta + tb/ti - 1",
      here: percent(figures.overhead),
      published: percent(PUBLISHED.overhead),
    },
    { what: "", sign: "", here: "", published: "" },
    { what: "plain WebAssembly on amun", sign: "ta'", here: seconds(figures.taPlainWasm), published: "" },
    { what: "plain WebAssembly on ipc256", sign: "ti'", here: seconds(figures.tiPlainWasm), published: "" },
    {
      what: "overhead over plain WebAssembly",
      sign: "tb/ta' + tb/ti' - 1",
      here: percent(figures.overheadPlainWasm),
      published: "",
    },
  ];
  if (figures.runs > 2) {
    lines.splice(4, 0, { what: "median of the runs", sign: "", here: percent(figures.medianOverhead), published: "" });
    lines.push({ what: "median of the runs", sign: "", here: percent(figures.medianOverheadPlainWasm), published: "" });
  }
  const strong = (cell: string, row: Line): string => (row.what.startsWith("overhead") ? paint.bold(cell) : cell);
  const columns: Column<Line>[] = [
    { head: "", value: (row) => `  ${row.what}`, paint: strong },
    { head: "", value: (row) => row.sign, paint: paint.dim },
    { head: "here", align: "right", value: (row) => row.here, paint: strong },
    { head: "published", align: "right", value: (row) => row.published, paint: paint.dim },
  ];
  const { freezeMs, processes } = figures;
  return [
    `${paint.bold("Overhead of the cluster")}: ${processes} processes by fork(), fib(${figures.n}), mean of ${figures.runs} ${figures.runs === 1 ? "run" : "runs"}\n`,
    renderTable(columns, lines),
    `\n  ${shortCount(figures.migratedProcesses)} of ${processes} processes moved while running (${shortCount(figures.migrations)} moves a run); `,
    `frozen ${freezeMs.median.toFixed(0)} ms (median), ${freezeMs.max.toFixed(0)} ms (worst)\n`,
    paint.dim(
      "  Plain WebAssembly: the work of one process times 32, without forking, compiling or starting: stricter than native.\n",
    ),
  ].join("");
}

const shortCount = (value: number): string => String(Number(value.toFixed(1)));

/** Nearest rank. @param part from 0 to 1 @param values at least one */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] as number;
}
