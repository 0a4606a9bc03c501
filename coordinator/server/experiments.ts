// The published overhead experiment on two chosen hosts: the same processes on each alone, then on both, run by run, as ordinary jobs that
// may be on those hosts only. One at a time. What is measured is in the store as soon as it is known; an experiment that the coordinator did
// not live to see the end of is told as interrupted.
//
// Hosts run no native code, so all three times are of migratable programs: the overhead is the cluster's, not that of WebAssembly.

import { readFile } from "node:fs/promises";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import { fill } from "../protocol/deed-details.ts";
import type { ExperimentOrder, ExperimentView } from "../protocol/index.ts";
import { type Host, type Job, partKey, takes, whyNot } from "../scheduler/index.ts";
import { type Experiment, type ExperimentRun, PARTS } from "../store/index.ts";
import type { Actions } from "./actions.ts";
import type { Compiler } from "./compiler.ts";
import type { Coordinator } from "./coordinator.ts";
import { expectedOutput, median, overhead } from "./experiment-figures.ts";

const PROGRAM = "fork-fibonacci";
/** Processes for each core: 32 on two, as published. With fewer, one that is left over at the end would count as overhead. */
const PROCESSES_PER_SLOT = 16;
const MIN_FORKS = 5;
/** As many as the program makes; so many cores then have four processes each. */
const MAX_FORKS = 8;
const MAX_SLOTS = 2 ** MAX_FORKS / 4;
/** Before it counts, each host has fetched and compiled the program; with this n at most. */
const WARMING_N = 30;
/** How often the hosts are looked at: whether they still compute, and for whom else. */
const LOOK_MS = 250;
/** More than the program prints: 256 lines. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** One that is under way. */
interface Underway {
  experiment: Experiment;
  /** Why it is to end before its time. */
  ending: { state: "failed"; error: NightshiftError } | { state: "cancelled" } | undefined;
}

export class OverheadExperiments {
  private readonly coordinator: Coordinator;
  private readonly actions: Actions;
  private readonly compiler: Compiler;
  private underway: Underway | undefined;
  private looking: NodeJS.Timeout | undefined;
  private closed = false;

  /** What an earlier coordinator left under way ends here. */
  constructor(coordinator: Coordinator, actions: Actions, compiler: Compiler) {
    this.coordinator = coordinator;
    this.actions = actions;
    this.compiler = compiler;
    for (const experiment of coordinator.store.experiments.list(Number.MAX_SAFE_INTEGER, 1)) {
      if (experiment.state !== "running") continue;
      this.cancelJob(experiment);
      this.write(experiment, { state: "interrupted", step: null, job: null, endedAt: Date.now() });
    }
  }

  /** The one under way stays as it is in the store: the next start says that it was interrupted. */
  close(): void {
    this.closed = true;
    clearInterval(this.looking);
  }

  /** @throws NS_ALREADY_RUNNING, NS_NO_SUCH_HOST, NS_USAGE, NS_HOST_UNAVAILABLE, NS_HOST_BUSY, NS_LIMIT (too many cores) */
  start({ hosts: [first, second], runs, n }: ExperimentOrder, who: string): ExperimentView {
    if (this.underway) {
      const { id } = this.underway.experiment;
      throw new NightshiftError("NS_ALREADY_RUNNING", `experiment ${id} is under way, and there is one at a time`);
    }
    const hosts = [this.actions.host(first), this.actions.host(second)];
    if (hosts[0] === hosts[1]) throw new NightshiftError("NS_USAGE", "the experiment needs two different hosts");
    for (const host of hosts) {
      const problem = unfit(host);
      if (problem !== null) throw new NightshiftError("NS_HOST_UNAVAILABLE", `${host.name} ${problem}`);
      if (this.others([host.id], null))
        throw new NightshiftError("NS_HOST_BUSY", `${host.name} computes for others, whom the experiment would disturb`);
    }
    const slots = hosts.reduce((sum, { info }) => sum + info.slots, 0);
    const experiment = this.coordinator.store.experiments.add({
      ...{ who, state: "running", failure: null, startedAt: Date.now(), endedAt: null, n, runs },
      processes: 2 ** forksFor(slots),
      ...{ hosts: hosts.map(described), results: [], step: "preparing", job: null },
    });
    const names = { first: hosts[0].name, second: hosts[1].name };
    const details = fill("{first} and {second}, {runs} runs of fib({n})", { ...names, runs, n });
    this.coordinator.note({ who, what: "experiment-started", target: `experiment ${experiment.id}`, details });
    const underway: Underway = { experiment, ending: undefined };
    this.underway = underway;
    this.looking = setInterval(() => this.look(underway), LOOK_MS);
    void this.measure(underway).then(
      () => this.end(underway),
      (thrown: unknown) => this.end(underway, asNightshiftError(thrown)),
    );
    return viewOf(experiment);
  }

  /** Its own, unless by an administrator. @throws NS_NOT_FOUND, NS_NOT_RUNNING, NS_FORBIDDEN */
  cancel(id: number, who: string, isAdministrator: boolean): void {
    const experiment = this.find(id);
    if (!isAdministrator && experiment.who !== who)
      throw new NightshiftError("NS_FORBIDDEN", `experiment ${id} is somebody else's`);
    if (this.underway?.experiment.id !== id) throw new NightshiftError("NS_NOT_RUNNING", `experiment ${id} has ended already`);
    this.stop(this.underway, { state: "cancelled" });
  }

  /** Newest first. @param before only older ones than this id */
  list(before: number, limit: number): ExperimentView[] {
    return this.coordinator.store.experiments.list(before, limit).map(viewOf);
  }

  /** @throws NS_NOT_FOUND */
  one(id: number): ExperimentView {
    return viewOf(this.find(id));
  }

  private find(id: number): Experiment {
    const found = this.coordinator.store.experiments.one(id);
    if (!found) throw new NightshiftError("NS_NOT_FOUND", `there is no experiment ${id}`);
    return found;
  }

  private write(experiment: Experiment, change: Partial<Experiment>): void {
    this.coordinator.store.experiments.save(Object.assign(experiment, change));
  }

  /** Whether any other job than this one has processes on one of the hosts, or on the way there. */
  private others(hosts: readonly (string | null)[], job: number | null): boolean {
    for (const process of this.coordinator.core.alive.values())
      if (process.job !== job && (hosts.includes(process.host) || hosts.includes(process.destination ?? ""))) return true;
    return false;
  }

  private look(underway: Underway): void {
    const { experiment, ending } = underway;
    if (ending) return;
    const { core } = this.coordinator;
    for (const { id, name } of experiment.hosts) {
      const host = core.hosts.get(id);
      const problem = host ? unfit(host) : "is no longer in the cluster";
      if (problem === null) continue;
      const error = new NightshiftError("NS_HOST_UNAVAILABLE", `${name} ${problem}`);
      return this.stop(underway, { state: "failed", error });
    }
    const run = experiment.results.at(-1);
    const hosts = experiment.hosts.map(({ id }) => id);
    if (run && !run.disturbed && experiment.job !== null && this.others(hosts, experiment.job)) {
      run.disturbed = true;
      this.write(experiment, {});
    }
  }

  /** Its hosts are free at once; what follows is settled when its job has ended. */
  private stop(underway: Underway, ending: NonNullable<Underway["ending"]>): void {
    underway.ending ??= ending;
    this.cancelJob(underway.experiment);
  }

  private cancelJob({ job }: Experiment): void {
    if (job === null || this.coordinator.core.jobs.get(job)?.state !== "running") return;
    this.coordinator.apply((core, now) => core.cancel({ job }, now));
  }

  private end({ experiment, ending }: Underway, error?: NightshiftError): void {
    if (this.closed) return;
    clearInterval(this.looking);
    this.underway = undefined;
    const why = ending?.state === "cancelled" ? undefined : ending ? ending.error : error;
    const state = ending?.state ?? (error ? "failed" : "done");
    this.cancelJob(experiment);
    const failure = why ? { code: why.code, message: why.message } : null;
    this.write(experiment, { state, failure, step: null, job: null, endedAt: Date.now() });
    this.coordinator.note({
      who: "coordinator",
      what: "experiment-ended",
      target: `experiment ${experiment.id}`,
      details: why ? fill("{state}: {why}", { state, why: why.message }) : state,
    });
  }

  private async measure(underway: Underway): Promise<void> {
    const { experiment } = underway;
    const { n, runs } = experiment;
    const [a, b] = experiment.hosts.map(({ id }) => id) as [string, string];
    const { source } = programNamed(PROGRAM);
    const { program } = await this.compiler.program(`${PROGRAM}.c`, await readFile(source), false);
    const on = (hosts: readonly string[], size: number, began?: (job: number) => void) =>
      this.together(underway, program, hosts, size, began);
    for (const hosts of [[a], [b], [a, b]]) await on(hosts, Math.min(n, WARMING_N));
    const where = { ta: [a], ti: [b], tb: [a, b] };
    for (let at = 0; at < runs; at++) {
      const run: ExperimentRun = {
        ...{ ta: null, ti: null, tb: null, jobs: {} },
        ...{ migrations: 0, migratedProcesses: 0, freezesMs: [], disturbed: false },
      };
      experiment.results.push(run);
      for (const part of PARTS) {
        experiment.step = part;
        const { seconds, job } = await on(where[part], n, (id) => {
          run.jobs[part] = id;
        });
        run[part] = seconds;
        if (part === "tb") {
          const { migrations, migratedProcesses, freezesMs } = job;
          Object.assign(run, { migrations, migratedProcesses, freezesMs: [...freezesMs] });
        }
        this.write(experiment, {});
      }
    }
  }

  /** All processes on these hosts: from the submission to the news of the end, which is when all is on the disk. */
  private async together(
    underway: Underway,
    program: string,
    hosts: readonly string[],
    n: number,
    began: ((job: number) => void) | undefined,
  ): Promise<{ seconds: number; job: Job }> {
    this.goOn(underway);
    const { coordinator } = this;
    const { experiment } = underway;
    const forks = Math.log2(experiment.processes);
    const start = performance.now();
    const job = this.actions.submit(
      {
        ...{ name: PROGRAM, program, args: [PROGRAM, String(n), String(forks)], env: {}, files: {}, clock: "virtual" },
        ...{ memoryLimitBytes: 2 ** 30, cpuLimitMs: 0, startOn: hosts[0] ?? null, stay: false, stdin: false },
        onlyOn: [...hosts],
      },
      experiment.who,
    );
    began?.(job.id);
    this.write(experiment, { job: job.id });
    await new Promise<void>((resolve) => {
      const leave = coordinator.follow(job.id, (news) => {
        if (news.event !== "ended") return;
        leave();
        resolve();
      });
    });
    const seconds = (performance.now() - start) / 1000;
    this.goOn(underway);
    this.look(underway);
    this.goOn(underway);
    if (job.state === "cancelled") throw new NightshiftError("NS_CANCELLED", `its job j${job.id} was cancelled`);
    const { chunks } = coordinator.store.output(partKey(job.id, 1), 1, 0, MAX_OUTPUT_BYTES, null);
    if (Buffer.concat(chunks.map(({ bytes }) => bytes)).toString() !== expectedOutput(n, forks))
      throw new NightshiftError("NS_INTERNAL", `j${job.id} has not printed what the program must print`);
    return { seconds, job };
  }

  /** @throws what it ends with, when it is to end */
  private goOn({ ending }: Underway): void {
    if (this.closed) throw new NightshiftError("NS_CANCELLED", "the coordinator ends");
    if (ending) throw ending.state === "failed" ? ending.error : new NightshiftError("NS_CANCELLED", "cancelled");
  }
}

/** @throws NS_LIMIT */
export function forksFor(slots: number): number {
  if (slots > MAX_SLOTS)
    throw new NightshiftError("NS_LIMIT", `the hosts have ${slots} cores together; the program makes processes for ${MAX_SLOTS}`);
  return Math.min(MAX_FORKS, Math.max(MIN_FORKS, Math.ceil(Math.log2(PROCESSES_PER_SLOT * slots))));
}

/** Why a host cannot take part; null: it can. */
function unfit(host: Host): string | null {
  if (!takes(host)) return `is ${whyNot(host)}`;
  return host.stay ? "keeps its processes (stay), so they would not spread" : null;
}

const described = ({ id, name, info: { os, cpuModel, slots } }: Host): Experiment["hosts"][number] => ({
  ...{ id, name, os, cpuModel, slots },
});

type Times = NonNullable<ExperimentView["figures"]>["mean"];

/** With what can be reckoned from the times. */
export function viewOf({ job: _, ...experiment }: Experiment): ExperimentView {
  const results = experiment.results.map((run) => {
    const { ta, ti, tb } = run;
    return { ...run, overhead: ta === null || ti === null || tb === null ? null : overhead(ta, ti, tb) };
  });
  const complete = results.filter((run) => run.overhead !== null) as unknown as Times[];
  if (complete.length === 0) return { ...experiment, results, figures: null };
  const each = (figure: (values: number[]) => number): Omit<Times, "overhead"> => {
    const of = (part: (typeof PARTS)[number]): number => figure(complete.map((run) => run[part]));
    return { ta: of("ta"), ti: of("ti"), tb: of("tb") };
  };
  const mean = each((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const figures = {
    runs: complete.length,
    mean: { ...mean, overhead: overhead(mean.ta, mean.ti, mean.tb) },
    median: { ...each(median), overhead: median(complete.map((run) => run.overhead)) },
  };
  return { ...experiment, results, figures };
}
