// The coordinator's records in memory, which of them the current event has changed, and what is to be done once those are stored. Holds
// and finds; decides nothing.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Kernel } from "@nightshift/wasm-kernels/process";
import type { ExitReport, ProcessSpec, ToAgent } from "../protocol/messages.ts";
import { type Forgotten, type Host, isEnded, type Job, type ProcessRecord, type Saved } from "./state.ts";

/** Things to do once the changed records are stored. */
export type Effect =
  | { kind: "send"; host: string; message: ToAgent }
  | {
      kind: "output";
      job: number;
      pid: number;
      stream: 1 | 2 /** Offset in the job's stream of the first byte. */;
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
  /** Ids of hosts of which something changed that is worth showing; hosts are not stored. */
  hosts: string[];
}

export class Records {
  /** Milliseconds since 1970, as the current event says. */
  now = 0;
  readonly jobs = new Map<number, Job>();
  /** All processes, ended ones too. */
  readonly processes = new Map<number, ProcessRecord>();
  /** Those that have not ended. */
  readonly alive = new Map<number, ProcessRecord>();
  readonly hosts = new Map<string, Host>();
  readonly kernels = new Map<number, Kernel>();
  /** Processes that wait for a host. */
  readonly queue = new Set<number>();
  private readonly ofJob = new Map<number, Set<number>>();
  private nextJob = 1;
  private nextPid = 1;
  private changedJobs = new Set<Job>();
  private changedProcesses = new Set<ProcessRecord>();
  private changedKernels = new Set<number>();
  private changedHosts = new Set<string>();
  private effects: Effect[] = [];
  private forgotten: Forgotten = { jobs: [], pids: [] };

  constructor(saved: Iterable<Saved>) {
    for (const record of saved) {
      if (record.kind === "job") {
        this.jobs.set(record.value.id, record.value);
        this.nextJob = Math.max(this.nextJob, record.value.id + 1);
      } else if (record.kind === "kernel") this.kernels.set(record.job, Kernel.load(record.value));
      else {
        this.index(record.value);
        this.nextPid = Math.max(this.nextPid, record.value.pid + 1);
        if (record.value.state === "queued") this.queue.add(record.value.pid);
      }
    }
  }

  private index(process: ProcessRecord): void {
    this.processes.set(process.pid, process);
    if (!isEnded(process)) this.alive.set(process.pid, process);
    const pids = this.ofJob.get(process.job);
    if (pids) pids.add(process.pid);
    else this.ofJob.set(process.job, new Set([process.pid]));
  }

  /** Ends an event: what is to be stored and then done. */
  take(): Outcome {
    const changed: Saved[] = [];
    for (const value of this.changedJobs) changed.push({ kind: "job", value });
    for (const value of this.changedProcesses) changed.push({ kind: "process", value });
    for (const job of this.changedKernels) {
      const kernel = this.kernels.get(job);
      if (kernel) changed.push({ kind: "kernel", job, value: kernel.state() });
    }
    const { effects, forgotten } = this;
    const hosts = [...this.changedHosts];
    this.changedHosts = new Set();
    this.changedJobs = new Set();
    this.changedProcesses = new Set();
    this.changedKernels = new Set();
    this.effects = [];
    this.forgotten = { jobs: [], pids: [] };
    return { changed, effects, forgotten, hosts };
  }

  /** Of a job that has ended nothing is known any more. */
  forget(job: Job): void {
    const pids = [...(this.ofJob.get(job.id) ?? [])];
    for (const pid of pids) this.processes.delete(pid);
    this.ofJob.delete(job.id);
    this.jobs.delete(job.id);
    this.kernels.delete(job.id);
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

  /** Adds a process in state `queued`, not in the queue yet. */
  newProcess(parent: number, job: number, seed: string): ProcessRecord {
    const process: ProcessRecord = {
      pid: this.nextPid++,
      parent,
      job,
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

  changed(process: ProcessRecord): void {
    this.changedProcesses.add(process);
  }

  changedKernel(job: number): void {
    this.changedKernels.add(job);
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

  processesOf(job: number): ProcessRecord[] {
    return [...(this.ofJob.get(job) ?? [])].flatMap((pid) => this.processes.get(pid) ?? []);
  }

  specOf(process: ProcessRecord): ProcessSpec {
    const { spec } = this.job(process.job);
    return {
      program: spec.program,
      args: spec.args,
      env: spec.env,
      files: spec.files,
      memoryLimitBytes: spec.memoryLimitBytes,
      cpuLimitMs: spec.cpuLimitMs,
      clock: spec.clock,
      seed: process.seed,
    };
  }
}
