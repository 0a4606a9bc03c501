// What the coordinator knows, as the HTTP API shows it: hosts, jobs and processes in plain JSON, sums over all of them, and samples of the
// sums over time. Reads only.
import type { ReasonCode } from "@nightshift/agent-app/policy";
import { type PartState, valuesOf } from "../protocol/index.ts";
import {
  type Core,
  capacity,
  computingOn,
  type Host,
  isDone,
  type Job,
  type Part,
  type ProcessRecord,
  takes,
  usable,
} from "../scheduler/index.ts";
import type { Coordinator } from "./coordinator.ts";
import type { Answer, HostState } from "./http/api.ts";
import type { HostPolicies } from "./policies.ts";
import type { HostReleases } from "./releases.ts";

export type HostView = Answer<"hosts">["hosts"][number];
export type JobView = Answer<"jobs">["jobs"][number];
export type PartView = Answer<"part">["part"];
export type ProcessView = Answer<"process">;
export type Sample = Answer<"cluster">["samples"][number];
/** A process in the change stream: pid, parent, job, state, number of its host or 0, migrations. */
export type ProcessRow = [number, number, number, ProcessRecord["state"], number, number];

const SAMPLE_MS = 5000;
/** An hour. */
const MAX_SAMPLES = 720;

/** When the person at the desk is why it pauses. */
const OWNER: ReadonlySet<string | null> = new Set<ReasonCode>([
  "owner-here",
  "owner-unknown",
  "not-locked",
  "remote-session",
  "other-user",
  "full-screen",
]);

export function hostState(host: Host): HostState {
  if (!host.online || host.silent) return "offline";
  if (host.paused !== null) return OWNER.has(host.pausedCode) ? "owner" : "paused";
  if (host.drained) return "clear";
  return host.running > 0 ? "computing" : "idle";
}

export function partState(core: Core, part: Part): PartState {
  if (part.state === "running") return core.processes.get(part.root)?.state === "queued" ? "queued" : "running";
  if (part.state === "cancelled") return "cancelled";
  return isDone(part) ? "done" : "failed";
}

export class Views {
  private readonly policies: HostPolicies;
  private readonly releases: HostReleases;
  readonly samples: Sample[] = [];
  /** As of the last sample. */
  lastTotals: Answer<"cluster">["totals"];
  private readonly coordinator: Coordinator;
  private readonly numbers = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private ended: number;

  constructor(coordinator: Coordinator, policies: HostPolicies, releases: HostReleases) {
    this.policies = policies;
    this.releases = releases;
    this.coordinator = coordinator;
    this.ended = this.endedProcesses();
    this.lastTotals = this.totals();
    this.timer = setInterval(() => this.sample(Date.now()), SAMPLE_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** A small number that stands for the host in the change stream; from 1, good as long as this coordinator runs. */
  numberOf(host: string): number {
    const number = this.numbers.get(host) ?? this.numbers.size + 1;
    this.numbers.set(host, number);
    return number;
  }

  host(host: Host): HostView {
    const {
      id,
      name,
      tags,
      drained,
      stay,
      block,
      info,
      paused,
      pausedCode,
      running,
      runnable,
      blocked,
      memoryFreeBytes,
      seenAt,
    } = host;
    const { os, arch, cpuModel, slots, memoryBytes } = info;
    const more = {
      os,
      arch,
      cpuModel,
      slots,
      memoryBytes,
      speed: host.speed,
      paused,
      pausedCode,
      running,
      runnable,
      blocked,
      memoryFreeBytes,
      policy: this.policy(host),
      version: info.app?.version ?? null,
      outOfDate: this.releases.isOutOfDate(host),
    };
    return {
      id,
      number: this.numberOf(id),
      name,
      tags: [...tags],
      drained,
      stay,
      block,
      state: hostState(host),
      ...more,
      seenAt,
    };
  }

  private policy(host: Host): HostView["policy"] {
    const { versions, problem } = this.policies.obeyedBy(host.id);
    const told = this.policies.toldTo(host).map(({ version }) => version);
    return { told, obeyed: versions && [...versions], problem };
  }

  hosts(): HostView[] {
    return [...this.coordinator.core.hosts.values()].map((host) => this.host(host));
  }

  job(job: Job): JobView {
    const { id, spec, state, report, processes, submittedAt, endedAt, migrations, restarts, stdoutBytes, stderrBytes } = job;
    const alive = this.coordinator.core.aliveOf(id);
    const sums = { processes, alive, migrations, restarts, stdoutBytes, stderrBytes, files: job.files };
    return {
      job: id,
      name: spec.name,
      by: job.by ?? "",
      state,
      report,
      submittedAt,
      endedAt,
      parts: { ...job.parts },
      since: { ...job.since },
      ...sums,
    };
  }

  part(part: Part): PartView {
    const { core } = this.coordinator;
    const { job, number, root, report, tries, endedAt, stdoutBytes, stderrBytes } = part;
    const process = core.processes.get(root);
    const { cpuMs = 0, migrations = 0, startedAt = 0, host = null } = process ?? {};
    const spec = core.jobs.get(job)?.spec;
    return {
      ...{ part: number, pid: root, state: partState(core, part), report, tries, values: valuesOf(spec?.sweep, number) },
      ...{ host: host === null ? null : this.nameOf(host), cpuMs, migrations, startedAt, endedAt },
      ...{ stdoutBytes, stderrBytes, files: Object.keys(part.files).length },
    };
  }

  process(process: ProcessRecord): ProcessView {
    const { pid, parent, job, part, state, host, cpuMs, memoryBytes, migrations, startedAt, report, waiting } = process;
    const where = host === null ? null : this.nameOf(host);
    const sums = { cpuMs, memoryBytes, migrations, startedAt, report };
    return { pid, parent, job, part, state, host: where, hostId: host, waiting: waiting?.call.call ?? null, ...sums };
  }

  row(process: ProcessRecord): ProcessRow {
    const { pid, parent, job, state, host, migrations } = process;
    return [pid, parent, job, state, host === null ? 0 : this.numberOf(host), migrations];
  }

  /** The name of a host, also of one that is gone. */
  nameOf(host: string): string {
    return this.coordinator.core.hosts.get(host)?.name ?? this.coordinator.store.device(host)?.name ?? host.slice(0, 8);
  }

  totals(): Answer<"cluster">["totals"] {
    const { core } = this.coordinator;
    const totals = {
      hosts: 0,
      online: 0,
      slots: 0,
      computing: 0,
      idle: 0,
      owners: 0,
      jobs: 0,
      processes: 0,
      queued: 0,
      balance: 1,
    };
    for (const host of core.hosts.values()) {
      totals.hosts++;
      if (!host.online || host.silent) continue;
      totals.online++;
      totals.slots += host.info.slots;
      totals.computing += Math.min(host.running, host.info.slots);
      if (takes(host)) totals.idle += Math.max(0, host.info.slots - host.running);
      if (hostState(host) === "owner") totals.owners++;
    }
    for (const job of core.jobs.values()) if (job.state === "running") totals.jobs++;
    for (const process of core.alive.values()) {
      totals.processes++;
      if (process.state === "queued") totals.queued++;
    }
    return { ...totals, balance: this.balance() };
  }

  /** Mean load of the usable hosts over the highest, from 0 to 1: openMosixView's measure. 1 when nothing computes. */
  private balance(): number {
    const { core } = this.coordinator;
    const computing = computingOn(core.alive.values());
    const loads = [...core.hosts.values()].filter(usable).map((host) => (computing.get(host.id)?.length ?? 0) / capacity(host));
    const highest = Math.max(0, ...loads);
    return highest === 0 ? 1 : loads.reduce((sum, load) => sum + load, 0) / loads.length / highest;
  }

  private endedProcesses(): number {
    const { processes, alive } = this.coordinator.core;
    return processes.size - alive.size;
  }

  private sample(at: number): void {
    this.lastTotals = this.totals();
    const { computing, idle, owners, processes, balance } = this.lastTotals;
    const ended = this.endedProcesses();
    this.samples.push({ at, computing, idle, owners, processes, ended: Math.max(0, ended - this.ended), balance });
    this.ended = ended;
    if (this.samples.length > MAX_SAMPLES) this.samples.shift();
    this.coordinator.show("sample/last");
  }
}
