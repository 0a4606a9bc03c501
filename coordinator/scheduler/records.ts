// The coordinator's records in memory, which of them the current event has changed, and what is to be done once those are stored. Holds
// and finds; decides nothing.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Kernel } from "@nightshift/wasm-kernels/process";
import {
  type ExitReport,
  type JobSpec,
  MAX_WHO,
  type ProcessSpec,
  type SyscallResult,
  type ToAgent,
  type Work,
} from "../protocol/messages.ts";
import { commandOf, inputsOf } from "../protocol/sweep.ts";
import type { Earned } from "./credit.ts";
import { Queue } from "./queue.ts";
import {
  type Forgotten,
  type Host,
  isEnded,
  type Job,
  type Part,
  type PartKey,
  type ProcessRecord,
  partKey,
  type Saved,
} from "./state.ts";

/** Things to do once the changed records are stored. */
export type Effect =
  | { kind: "send"; host: string; message: ToAgent }
  | {
      kind: "output";
      job: number;
      part: number;
      pid: number;
      stream: 1 | 2 /** Offset in the part's stream of the first byte. */;
      offset: number;
      bytes: Uint8Array;
    }
  | { kind: "ended"; job: number; pid: number; report: ExitReport }
  /** stdin has room again. */
  | { kind: "stdin"; job: number };

export interface Outcome {
  changed: Saved[];
  effects: Effect[];
  /** What is to be stored no more. */
  forgotten: Forgotten;
  /** What hosts have earned by what is stored. */
  earned: Earned[];
  /** Ids of hosts of which something changed that is worth showing; hosts are not stored. */
  hosts: string[];
}

export class Records {
  /** Milliseconds since 1970, as the current event says. */
  now = 0;
  readonly jobs = new Map<number, Job>();
  readonly parts = new Map<PartKey, Part>();
  /** All processes, ended ones too. */
  readonly processes = new Map<number, ProcessRecord>();
  /** Those that have not ended. */
  readonly alive = new Map<number, ProcessRecord>();
  readonly hosts = new Map<string, Host>();
  /** Processes that wait for a host. */
  readonly queue: Queue = new Queue();
  /** Those that have been asked for and whose part has not ended. */
  private readonly kernels = new Map<PartKey, Kernel>();
  private readonly ofJob = new Map<number, Set<number>>();
  private readonly ofPart = new Map<PartKey, Set<number>>();
  private readonly aliveOfJob = new Map<number, number>();
  private nextJob = 1;
  private nextPid = 1;
  private changedJobs = new Set<Job>();
  private changedProcesses = new Set<ProcessRecord>();
  private newSpecs: { job: number; value: JobSpec }[] = [];
  private newAnswers: Extract<Saved, { kind: "answer" }>[] = [];
  private changedParts = new Set<Part>();
  private changedKernels = new Set<PartKey>();
  private changedHosts = new Set<string>();
  private effects: Effect[] = [];
  private forgotten: Forgotten = nothing();
  private earned: Earned[] = [];

  constructor(saved: Iterable<Saved>) {
    for (const record of saved) {
      if (record.kind === "job") {
        this.jobs.set(record.value.id, record.value);
        this.nextJob = Math.max(this.nextJob, record.value.id + 1);
      } else if (record.kind === "spec") {
        const job = this.jobs.get(record.job);
        if (job) job.spec = record.value;
      } else if (record.kind === "kernel") this.kernels.set(record.part, Kernel.load(record.value));
      else if (record.kind === "part") this.parts.set(partKey(record.value.job, record.value.number), record.value);
      else if (record.kind === "answer") {
        const process = this.processes.get(record.pid);
        if (process) process.answers[record.seq] = record.value;
      } else {
        record.value.answers = {};
        this.index(record.value);
        this.nextPid = Math.max(this.nextPid, record.value.pid + 1);
        if (record.value.state === "queued") this.queue.add(record.value);
      }
    }
  }

  private index(process: ProcessRecord): void {
    this.processes.set(process.pid, process);
    if (!isEnded(process)) {
      this.alive.set(process.pid, process);
      this.aliveOfJob.set(process.job, this.aliveOf(process.job) + 1);
    }
    const key = partKey(process.job, process.part);
    const [ofJob, ofPart] = [this.ofJob.get(process.job), this.ofPart.get(key)];
    if (ofJob) ofJob.add(process.pid);
    else this.ofJob.set(process.job, new Set([process.pid]));
    if (ofPart) ofPart.add(process.pid);
    else this.ofPart.set(key, new Set([process.pid]));
  }

  /** Processes of the job that have not ended. */
  aliveOf(job: number): number {
    return this.aliveOfJob.get(job) ?? 0;
  }

  /** The process has ended. */
  dead({ pid, job }: ProcessRecord): void {
    this.queue.delete(pid);
    if (this.alive.delete(pid)) this.aliveOfJob.set(job, this.aliveOf(job) - 1);
  }

  /** Ends an event: what is to be stored and then done. */
  take(): Outcome {
    const changed: Saved[] = [];
    for (const value of this.changedJobs) changed.push({ kind: "job", value });
    for (const { job, value } of this.newSpecs) changed.push({ kind: "spec", job, value });
    for (const value of this.changedParts) changed.push({ kind: "part", value });
    for (const value of this.changedProcesses) changed.push({ kind: "process", value });
    changed.push(...this.newAnswers);
    for (const part of this.changedKernels) {
      const kernel = this.kernels.get(part);
      if (kernel) changed.push({ kind: "kernel", part, value: kernel.state() });
    }
    const { effects, forgotten, earned } = this;
    const hosts = [...this.changedHosts];
    this.changedHosts = new Set();
    this.changedJobs = new Set();
    this.newSpecs = [];
    this.newAnswers = [];
    this.changedParts = new Set();
    this.changedProcesses = new Set();
    this.changedKernels = new Set();
    this.effects = [];
    this.forgotten = nothing();
    this.earned = [];
    return { changed, effects, forgotten, earned, hosts };
  }

  /** Of a job that has ended nothing is known any more. */
  forget(job: Job): void {
    const pids = [...(this.ofJob.get(job.id) ?? [])];
    for (const pid of pids) this.processes.delete(pid);
    this.ofJob.delete(job.id);
    this.aliveOfJob.delete(job.id);
    this.jobs.delete(job.id);
    for (let number = 1; number <= job.parts.total; number++) {
      const key = partKey(job.id, number);
      this.parts.delete(key);
      this.ofPart.delete(key);
      this.kernels.delete(key);
    }
    this.forgotten.jobs.push(job.id);
    this.forgotten.pids.push(...pids);
  }

  /** The newest job, and that of the newest process: their numbers say which are free after a restart. */
  get newest(): readonly (number | undefined)[] {
    return [this.nextJob - 1, this.processes.get(this.nextPid - 1)?.job];
  }

  newJobId(): number {
    return this.nextJob++;
  }

  newJob(job: Job): void {
    this.jobs.set(job.id, job);
    this.newSpecs.push({ job: job.id, value: job.spec });
    this.changedJob(job);
  }

  newPart(part: Part): void {
    this.parts.set(partKey(part.job, part.number), part);
    this.changedPart(part);
  }

  /** The part begins anew: of what it wrote nothing is known any more. */
  forgetOutput({ job, number }: Part): void {
    this.forgotten.outputs.push({ job, part: number });
  }

  /** What the processes of a part share; undefined when it has ended. As it was at the beginning it need not be stored. */
  kernel(key: PartKey): Kernel | undefined {
    const part = this.parts.get(key);
    if (part?.state !== "running") return undefined;
    let kernel = this.kernels.get(key);
    if (!kernel) {
      const { spec, parts } = this.job(part.job);
      kernel = Kernel.start(part.root, spec.stdin && parts.total === 1 && part.tries === 1);
      this.kernels.set(key, kernel);
    }
    return kernel;
  }

  forgetKernel(key: PartKey): void {
    this.kernels.delete(key);
    this.changedKernels.delete(key);
    this.forgotten.kernels.push(key);
  }

  /** Adds a process in state `queued`, not in the queue yet. */
  newProcess(parent: number, job: number, part: number, seed: string): ProcessRecord {
    const process: ProcessRecord = {
      pid: this.nextPid++,
      parent,
      job,
      part,
      state: "queued",
      host: null,
      epoch: 0,
      leaseUntil: 0,
      destination: null,
      image: null,
      answers: {},
      waiting: null,
      seed,
      forks: 0,
      outputBytes: 0,
      errorBytes: 0,
      cpuMs: 0,
      memoryBytes: 0,
      migrations: 0,
      startedAt: this.now,
      movedAt: 0,
      placedByHand: false,
      report: null,
    };
    this.index(process);
    this.changed(process);
    return process;
  }

  /** What the process is told, now and whenever it asks again. */
  answered(process: ProcessRecord, seq: number, value: SyscallResult): void {
    process.answers[seq] = value;
    this.newAnswers.push({ kind: "answer", pid: process.pid, seq, value });
  }

  /** It will not ask again what it asked before the call with this number. */
  forgetAnswers({ pid, answers }: ProcessRecord, before: number): void {
    const old = Object.keys(answers).filter((seq) => Number(seq) < before);
    if (old.length === 0) return;
    for (const seq of old) delete answers[Number(seq)];
    this.forgotten.answers.push({ pid, before });
  }

  earn(earned: Earned): void {
    this.earned.push(earned);
  }

  changed(process: ProcessRecord): void {
    this.changedProcesses.add(process);
  }

  changedKernel(key: PartKey): void {
    this.changedKernels.add(key);
  }

  changedPart(part: Part): void {
    this.changedParts.add(part);
  }

  changedHost(id: string): void {
    this.changedHosts.add(id);
  }

  changedJob(job: Job): void {
    this.changedJobs.add(job);
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }

  send(host: string | null, message: ToAgent): void {
    if (host !== null && this.hosts.get(host)?.online) this.effects.push({ kind: "send", host, message });
  }

  job(id: number): Job {
    const job = this.jobs.get(id);
    if (!job) throw new NightshiftError("NS_NO_SUCH_JOB", `there is no job ${id}`);
    return job;
  }

  process(pid: number): ProcessRecord {
    const process = this.processes.get(pid);
    if (!process) throw new NightshiftError("NS_NO_SUCH_PROCESS", `there is no process ${pid}`);
    return process;
  }

  part(job: number, number: number): Part {
    const part = this.parts.get(partKey(job, number));
    if (part) return part;
    const { total } = this.job(job).parts;
    throw new NightshiftError(
      "NS_NO_SUCH_PART",
      `job ${job} has no part ${number}, only ${total === 1 ? "one part" : `1 to ${total}`}`,
    );
  }

  partOf({ job, part }: ProcessRecord): Part {
    return this.part(job, part);
  }

  processesOf(job: number): ProcessRecord[] {
    return [...(this.ofJob.get(job) ?? [])].flatMap((pid) => this.processes.get(pid) ?? []);
  }

  processesOfPart(key: PartKey): ProcessRecord[] {
    return [...(this.ofPart.get(key) ?? [])].flatMap((pid) => this.processes.get(pid) ?? []);
  }

  specOf(process: ProcessRecord): ProcessSpec {
    const { spec } = this.job(process.job);
    return {
      program: spec.program,
      ...commandOf(spec, process.part),
      files: { ...spec.files, ...inputsOf(spec.sweep, process.part) },
      memoryLimitBytes: spec.memoryLimitBytes,
      cpuLimitMs: spec.cpuLimitMs,
      clock: spec.clock,
      seed: process.seed,
    };
  }

  workOf({ job, part }: ProcessRecord): Work {
    const { spec, parts, by } = this.job(job);
    const { name, show } = spec;
    return { job, name, part, parts: parts.total, by: (by ?? "").slice(0, MAX_WHO), ...(show && { show }) };
  }
}

const nothing = (): Forgotten => ({ jobs: [], pids: [], kernels: [], outputs: [], answers: [] });
