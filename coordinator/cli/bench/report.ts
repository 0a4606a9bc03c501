// docs/PERFORMANCE.md: the measured figures with machine, date and the command that measures them again. Pure: figures in, text out. The
// report has parts, which are measured, and replaced, together or each for itself.

import { geometricMean, overhead, PUBLISHED } from "../../server/experiment-figures.ts";
import type { Experiment, Machine } from "../experiment.ts";
import { showBytes } from "../quantities.ts";
import type { BrowserFigures } from "./browser.ts";
import type { KernelFigures } from "./kernels.ts";
import type { OwnerFigures, Spread } from "./owner.ts";
import type { StreamFigures } from "./stream.ts";
import type { TabFigures } from "./tabs.ts";

const percent = (value: number | null): string =>
  value === null ? "-" : `${value >= 0 ? "+" : ""}${(value * 100).toFixed(1)} %`;
const seconds = (value: number | null): string => (value === null ? "-" : `${value.toFixed(2)} s`);
const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

const HEAD = `# Performance

Figures of another machine differ; the commands below write their part of this file anew.
`;
const PARTS = [
  "## The published experiment",
  "## The kernels",
  "## In a browser",
  "## Stopping in a browser",
  "## The owner",
  "## The console's change stream",
] as const;

/** The report with these parts instead of its own. @param report as it is, if there is one */
export function withParts(report: string | undefined, parts: readonly string[]): string {
  const own = (report ?? "").split(/^(?=## )/m);
  const kept = PARTS.flatMap((title) => [...parts, ...own].find((part) => part.startsWith(title)) ?? []);
  return [HEAD, ...kept.map((part) => `${part.trimEnd()}\n`)].join("\n");
}

const measuredBy = (machine: Machine, command: string): string =>
  `Measured on ${machine.date} by \`${command}\` on ${machine.cores} cores of ${machine.cpuModel}, ${machine.platform}, Node ${machine.node}.`;

export function experimentPart(experiment: Experiment, command: string): string {
  const { machine, freezeMs, perRun } = experiment;
  const moves = Math.max(1, experiment.migrations);
  return `${PARTS[0]}

${measuredBy(machine, command)}

A program fork()s ${experiment.processes} processes, each computing fib(${experiment.n}) from seeds of its own. Both hosts are agents on this machine, each
confined to one core; natively each core runs all ${experiment.processes} processes, both cores at the same time. Plain WebAssembly is the work of one
process times ${experiment.processes} without forking, compiling and starting, so it is the stricter baseline. Means of ${experiment.runs} interleaved runs.

| | here | published |
|---|---:|---:|
| native on amun, ta | ${seconds(experiment.ta)} | ${seconds(PUBLISHED.ta)} |
| native on ipc256, ti | ${seconds(experiment.ti)} | ${seconds(PUBLISHED.ti)} |
| both together, tb | ${seconds(experiment.tb)} | ${seconds(PUBLISHED.tb)} |
| **overhead** tb/ta + tb/ti - 1 | **${percent(experiment.overhead)}** | +2.01 % |
| median of the runs' overheads | ${percent(experiment.medianOverhead)} | |
| plain WebAssembly on amun, ta' | ${seconds(experiment.taPlainWasm)} | |
| plain WebAssembly on ipc256, ti' | ${seconds(experiment.tiPlainWasm)} | |
| **overhead** tb/ta' + tb/ti' - 1 | **${percent(experiment.overheadPlainWasm)}** | |
| median of the runs' overheads | ${percent(experiment.medianOverheadPlainWasm)} | |

Per run: ${experiment.migratedProcesses.toFixed(1)} of ${experiment.processes} processes moved while running, ${experiment.migrations.toFixed(1)} moves; a move took ${showBytes(experiment.migrationBytes / moves)} and
${(experiment.migrationMessages / moves).toFixed(1)} messages. A moved process stood still for ${milliseconds(freezeMs.median)} (median), ${milliseconds(freezeMs.max)} at worst.

| run | ta | ti | tb | ta' | ti' | overhead | over plain WebAssembly |
|---:|---:|---:|---:|---:|---:|---:|---:|
${perRun
  .map((run, at) => {
    const native = run.ta === null || run.ti === null ? null : overhead(run.ta, run.ti, run.tb);
    return `| ${at + 1} | ${seconds(run.ta)} | ${seconds(run.ti)} | ${seconds(run.tb)} | ${seconds(run.taPlainWasm)} | ${seconds(run.tiPlainWasm)} | ${percent(native)} | ${percent(overhead(run.taPlainWasm, run.tiPlainWasm, run.tb))} |`;
  })
  .join("\n")}
`;
}

export function kernelsPart(kernels: readonly KernelFigures[], machine: Machine, command: string): string {
  const ratios = kernels.map((kernel) => 1 + kernel.migratableOverPlain);
  const overNative = kernels.flatMap((kernel) => (kernel.native === null ? [] : [kernel.migratable / kernel.native]));
  const sizes = kernels.map((kernel) => kernel.migratableBytes / kernel.plainBytes);
  const worst = kernels[ratios.indexOf(Math.max(...ratios))];
  return `${PARTS[1]}

${measuredBy(machine, command)}
Medians of interleaved rounds on one core. "Migratable" is what hosts run; the cost of being movable is migratable over plain.

| kernel | native | plain wasm | migratable | plain over native | migratable over plain | module | migratable module |
|---|---:|---:|---:|---:|---:|---:|---:|
${kernels
  .map(
    (kernel) =>
      `| ${kernel.name} | ${seconds(kernel.native)} | ${seconds(kernel.plainWasm)} | ${seconds(kernel.migratable)} | ${percent(kernel.plainOverNative)} | ${percent(kernel.migratableOverPlain)} | ${showBytes(kernel.plainBytes)} | ${showBytes(kernel.migratableBytes)} |`,
  )
  .join("\n")}

Migratable over plain: ${percent(geometricMean(ratios) - 1)} (geometric mean of ${kernels.length}), at worst ${percent(Math.max(...ratios) - 1)} (${worst?.name}).${
    overNative.length > 0 ? ` Migratable over native: ${percent(geometricMean(overNative) - 1)} (geometric mean).` : ""
  }
Size: ${geometricMean(sizes).toFixed(2)} times the plain module (geometric mean), ${Math.max(...sizes).toFixed(2)} at most; most of these modules is the C library.

### Stopping and moving one process

From the request in another thread until the process has stopped; then taking and compressing its image, and making a fresh
instance of it. No network in these figures.

| kernel | stop, median | stop, 99 % | stop, worst | capture | restore | image | memory |
|---|---:|---:|---:|---:|---:|---:|---:|
${kernels
  .map(({ name, moving }) =>
    moving === null
      ? `| ${name} | - | - | - | - | - | - | - |`
      : `| ${name} | ${milliseconds(moving.preemptionMs.median)} | ${milliseconds(moving.preemptionMs.p99)} | ${milliseconds(moving.preemptionMs.max)} | ${milliseconds(moving.captureMs)} | ${milliseconds(moving.restoreMs)} | ${showBytes(moving.imageBytes)} | ${showBytes(moving.memoryBytes)} |`,
  )
  .join("\n")}
`;
}

export function browserPart(kernels: readonly BrowserFigures[], machine: Machine, command: string): string {
  const over = (way: "plain" | "migratable" | "renewed"): number[] =>
    kernels.flatMap((kernel) => (kernel[way] === null || kernel.optimised === null ? [] : [kernel[way] / kernel.optimised]));
  const mean = (way: "plain" | "migratable" | "renewed"): string => percent(geometricMean(over(way)) - 1);
  const worst = Math.max(...over("renewed"));
  const engines = Object.keys(kernels[0]?.warm ?? {});
  const share = (throughput: number | null): string => throughput?.toFixed(2) ?? "-";
  const worstName = kernels.find((kernel) => kernel.renewedOverOptimised === worst)?.name;
  return `${PARTS[2]}

${measuredBy(machine, command)}
In Chromium ${kernels[0]?.warm.Chromium?.version}, each time in a browser that has just started; medians. "Optimised" is plain WebAssembly compiled by the optimising compiler
alone, which no page can ask for; a page begins in code of the fast compiler. "Renewed" is what hosts run: the migratable program, which
leaves its code now and then to go on in better code.

| kernel | optimised | plain wasm | migratable | renewed | renewed over optimised | Node, plain | Node, migratable |
|---|---:|---:|---:|---:|---:|---:|---:|
${kernels
  .map(
    (kernel) =>
      `| ${kernel.name} | ${seconds(kernel.optimised)} | ${seconds(kernel.plain)} | ${seconds(kernel.migratable)} | ${seconds(kernel.renewed)} | ${percent(kernel.renewedOverOptimised === null ? null : kernel.renewedOverOptimised - 1)} | ${seconds(kernel.nodePlain)} | ${seconds(kernel.nodeMigratable)} |`,
  )
  .join("\n")}

Over optimised, geometric means: plain ${mean("plain")}, migratable ${mean("migratable")}, renewed ${mean("renewed")}, at worst ${percent(worst - 1)} (${worstName}).
"-": the stack of a browser's worker, about 1 MB, is too small for the program's recursion in that code.

**Throughput of a tab**, warm: the second process of the program in the same thread, as hosts run it, over the migratable program on Node, which is what a
headless agent does, in the same rounds. The goal is at least 0.90.

| kernel | ${engines.map((engine) => `${engine} ${kernels[0]?.warm[engine]?.version}`).join(" | ")} |
|---|${"---:|".repeat(engines.length)}
${kernels.map(({ name, warm }) => `| ${name} | ${engines.map((engine) => share(warm[engine]?.throughput ?? null)).join(" | ")} |`).join("\n")}
| **geometric mean** | ${engines.map((engine) => share(geometricMean(kernels.flatMap(({ warm }) => warm[engine]?.throughput ?? [])))).join(" | ")} |
`;
}

export function tabsPart(figures: readonly TabFigures[], machine: Machine, command: string): string {
  return `${PARTS[3]}

${measuredBy(machine, command)}

From the word in the page's thread until the page knows that the process in its worker has stopped; the goal is 250 ms. Three programs (a loop that counts,
deep recursion, much of the C library), stopped after 20 to 80 ms, again and again. Isolated, a page shares memory with its workers and sets
a flag; over plain http a process runs in slices, between which its worker hears.

| browser | page | stops | median | 99 % | worst |
|---|---|---:|---:|---:|---:|
${figures
  .map(
    ({ browser, version, isolated, samples, median, p99, max }) =>
      `| ${browser} ${version} | ${isolated ? "isolated" : "plain http"} | ${samples} | ${milliseconds(median)} | ${milliseconds(p99)} | ${milliseconds(max)} |`,
  )
  .join("\n")}
`;
}

export function ownerPart(figures: OwnerFigures, machine: Machine, command: string): string {
  const { foreground, slots, samples } = figures;
  const over = (seconds: number): string => percent(seconds / foreground.without - 1);
  const line = (what: string, { median, p99, max }: Spread): string =>
    `| ${what} | ${milliseconds(median)} | ${milliseconds(p99)} | ${milliseconds(max)} |`;
  return `${PARTS[4]}

${measuredBy(machine, command)}
Load of the machine by everything else when it began: ${figures.loadBefore.toFixed(2)}.

An agent in mode \`idle\` computes in ${slots} slots behind an X display of its own; ${samples} times, once it computes, the owner presses a key or
moves the mouse. The processor time of the threads that compute is read about once a millisecond until it stands still. The first row
holds everything: the hands (xdotool), the X server, the agent, the programs' polls and our reading.

| from, to | median | 99 % | worst |
|---|---:|---:|---:|
${line("the owner's input, no thread computes any more", figures.inputToStill)}
${line("the agent hears of it, its last process has said that it stopped", figures.signalToStopped)}

The owner's own program on all cores at ordinary priority, medians of ${foreground.rounds} interleaved rounds:

| agent | seconds | over none |
|---|---:|---:|
| none (stopped dead) | ${seconds(foreground.without)} | |
| paused, as the owner is here | ${seconds(foreground.paused)} | ${over(foreground.paused)} |
| computing in all slots (mode \`always\`) | ${seconds(foreground.computing)} | ${over(foreground.computing)} |

While paused, a minute after its processes have left, the agent (started once before, as its code is kept from then on) uses ${figures.pausedCpuPercent.toFixed(2)} % of one core, ${figures.pausedWithMouseCpuPercent.toFixed(2)} % while the mouse moves all the time, and ${showBytes(figures.pausedResidentBytes)} of memory.
`;
}

export function streamPart(figures: StreamFigures, machine: Machine, command: string): string {
  const { hosts, processes, clients, firstBytes, firstMs, changes, changeBytes, lastMs, changeCpuMs } = figures;
  const count = (value: number): string => value.toLocaleString("en");
  return `${PARTS[5]}

${measuredBy(machine, command)}
A coordinator with ${count(hosts)} made-up hosts and ${count(processes)} processes, read over HTTP by ${clients} clients in the same process.

| | |
|---|---:|
| first picture, each client | ${showBytes(firstBytes)} |
| until all ${clients} clients have it | ${milliseconds(firstMs)} |
| one change to one client | ${changeBytes.toFixed(0)} bytes |
| ${count(changes)} processes told to move at once, until all clients know | ${milliseconds(lastMs)} |
| CPU time of one change for all ${clients} clients, deciding, storing and their reading included | ${milliseconds(changeCpuMs)} |
`;
}
