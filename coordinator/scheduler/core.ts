// The coordinator's mind: what happens to jobs and processes. Events in; changed records, messages to hosts and news for clients out.
// Pure: no clock (now comes with each event), no I/O. The server stores the changed records before it sends any message, so whatever
// is acknowledged survives a crash.
//
//     queued -> leased -> running -> exited | failed | cancelled
//                 ^          |
//                 |          +-> migrating (released) -> leased (elsewhere)
//                 +-- lease expired, host lost: back to queued, from the last image
//
// Exactly once: a host speaks for a process only under the current epoch; output is accepted by offset; a home call is answered once
// per sequence number and told again when a process that went back asks again.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { exitStatus, Kernel, signalOfFault, signalStatus } from "@nightshift/wasm-kernels/process";
import type {
  ExitReport,
  FromAgent,
  HostInfo,
  ImageRef,
  JobSpec,
  ProcessSpec,
  Syscall,
  SyscallResult,
  ToAgent,
} from "../protocol/messages.ts";
import { computingOn, placeQueued, planMoves, usable } from "./placement.ts";
import { type Host, isEnded, type Job, type ProcessRecord, type Saved } from "./state.ts";

export interface CoreSettings {
  /** How long a host may be silent before its processes are started elsewhere. */
  leaseMs: number;
  /** How often hosts checkpoint at most. */
  checkpointMs: number;
  maxProcessesPerJob: number;
  /** false: processes stay where they are unless somebody moves them by hand. */
  balance: boolean;
}

export const DEFAULT_SETTINGS: CoreSettings = {
  leaseMs: 15_000,
  checkpointMs: 10_000,
  maxProcessesPerJob: 10_000,
  balance: true,
};

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
}

type AgentMessage<T extends FromAgent["type"]> = Extract<FromAgent, { type: T }>;

export class Core {
  readonly jobs = new Map<number, Job>();
  readonly processes = new Map<number, ProcessRecord>();
  readonly hosts = new Map<string, Host>();
  private readonly kernels = new Map<number, Kernel>();
  private readonly settings: CoreSettings;
  private nextJob = 1;
  private nextPid = 1;
  private readonly frozenAt = new Map<number, number>();
  private readonly queue = new Set<number>();
  private readonly ofJob = new Map<number, Set<number>>();

  // what the current event has brought
  private changedJobs = new Set<Job>();
  private changedProcesses = new Set<ProcessRecord>();
  private changedKernels = new Set<number>();
  private effects: Effect[] = [];

  constructor(settings: CoreSettings, saved: Iterable<Saved>, now: number) {
    this.settings = settings;
    for (const record of saved) {
      if (record.kind === "job") {
        this.jobs.set(record.value.id, record.value);
        this.nextJob = Math.max(this.nextJob, record.value.id + 1);
      } else if (record.kind === "kernel") this.kernels.set(record.job, Kernel.load(record.value));
      else {
        const process = record.value;
        this.index(process);
        this.nextPid = Math.max(this.nextPid, process.pid + 1);
        // Hosts that hold a lease get the time to come back.
        if (process.host !== null) process.leaseUntil = now + this.settings.leaseMs;
        if (process.state === "queued") this.queue.add(process.pid);
      }
    }
  }

  private index(process: ProcessRecord): void {
    this.processes.set(process.pid, process);
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
    const { effects } = this;
    this.changedJobs = new Set();
    this.changedProcesses = new Set();
    this.changedKernels = new Set();
    this.effects = [];
    return { changed, effects };
  }

  private send(host: string | null, message: ToAgent): void {
    if (host !== null && this.hosts.get(host)?.online) this.effects.push({ kind: "send", host, message });
  }

  // ---- jobs

  submit(spec: JobSpec, now: number): Job {
    const id = this.nextJob++;
    const pid = this.nextPid++;
    const job: Job = {
      id,
      spec,
      root: pid,
      state: "running",
      report: null,
      submittedAt: now,
      endedAt: null,
      stdoutBytes: 0,
      stderrBytes: 0,
      stdinBytes: 0,
      processes: 1,
      migrations: 0,
      migratedRunning: 0,
      migratedProcesses: 0,
      restarts: 0,
      freezesMs: [],
      migrationBytes: 0,
      migrationMessages: 0,
      files: {},
    };
    this.jobs.set(id, job);
    this.kernels.set(id, Kernel.start(pid, spec.stdin));
    this.index(this.newProcess(pid, 0, id, `${id}`, now));
    this.queue.add(pid);
    this.touch(job);
    this.changedKernels.add(id);
    this.place(now);
    return job;
  }

  private newProcess(pid: number, parent: number, job: number, seed: string, now: number): ProcessRecord {
    const process: ProcessRecord = {
      pid,
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
      startedAt: now,
      movedAt: 0,
      placedByHand: false,
      report: null,
    };
    this.changedProcesses.add(process);
    return process;
  }

  private touch(job: Job): void {
    this.changedJobs.add(job);
  }

  private job(id: number): Job {
    const job = this.jobs.get(id);
    if (!job) throw new NightshiftError("NS_NO_SUCH_JOB", `there is no job ${id}`);
    return job;
  }

  private process(pid: number): ProcessRecord {
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

  /** @returns how many bytes were taken; the rest is to be sent again when a `stdin` effect says that there is room. */
  stdin(jobId: number, offset: number, bytes: Uint8Array, end: boolean): number {
    const job = this.job(jobId);
    const kernel = this.kernels.get(jobId);
    if (!kernel || job.state !== "running") return bytes.length;
    const fresh = bytes.subarray(Math.max(0, job.stdinBytes - offset));
    const taken = offset > job.stdinBytes ? 0 : kernel.writeStdin(fresh);
    job.stdinBytes += taken;
    if (end && taken === fresh.length && offset <= job.stdinBytes) kernel.endStdin();
    this.touch(job);
    this.changedKernels.add(jobId);
    this.retryWaiting(jobId);
    return offset > job.stdinBytes ? 0 : bytes.length - fresh.length + taken;
  }

  /** @returns how many processes it ended */
  cancel(target: { pid: number } | { job: number }, now: number): number {
    const pids = "pid" in target ? [this.process(target.pid)] : this.processesOf(this.job(target.job).id);
    const alive = pids.filter((process) => !isEnded(process));
    if (alive.length === 0)
      throw new NightshiftError(
        "NS_NOT_RUNNING",
        "pid" in target ? `process ${target.pid} has ended already` : `job ${target.job} has ended already`,
      );
    for (const process of alive) this.end(process, { kind: "signal", signal: 15 }, "cancelled", now);
    this.place(now);
    return alive.length;
  }

  migrate(pid: number, hostName: string, now: number): { from: string | null; to: string } {
    const process = this.process(pid);
    const host = [...this.hosts.values()].find((candidate) => candidate.name === hostName || candidate.id === hostName);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${hostName}"`);
    if (!usable(host))
      throw new NightshiftError("NS_HOST_UNAVAILABLE", `${host.name} is ${host.online ? `paused (${host.paused})` : "offline"}`);
    if (isEnded(process)) throw new NightshiftError("NS_NOT_RUNNING", `process ${pid} has ended already`);
    process.placedByHand = true;
    this.changedProcesses.add(process);
    const from = process.host === null ? null : (this.hosts.get(process.host)?.name ?? process.host);
    if (process.host === host.id && process.destination === null) return { from, to: host.name };
    if (process.host === null) {
      process.destination = host.id;
      this.lease(process, host, now);
    } else this.release(process, host.id, "moved by hand");
    return { from, to: host.name };
  }

  // ---- hosts

  /** A host has connected. @returns leases it still believes in but has lost */
  hostConnected(
    id: string,
    info: HostInfo,
    held: readonly { pid: number; epoch: number }[],
    now: number,
  ): { pid: number; epoch: number }[] {
    this.hosts.set(id, {
      id,
      name: info.name,
      info,
      online: true,
      paused: null,
      speed: info.speed,
      running: 0,
      runnable: 0,
      blocked: 0,
      memoryFreeBytes: info.memoryBytes,
      seenAt: now,
      silent: false,
      releasing: new Set(),
    });
    const current = new Set<number>();
    const lost: { pid: number; epoch: number }[] = [];
    for (const { pid, epoch } of held) {
      const process = this.processes.get(pid);
      if (process && process.host === id && process.epoch === epoch && !isEnded(process)) {
        current.add(pid);
        process.leaseUntil = now + this.settings.leaseMs;
        // What was on its way when the connection broke is settled anew.
        if (process.state === "leased") this.setRunning(process);
        if (process.state === "migrating" && process.destination !== null)
          this.send(id, { type: "release", pid, epoch, reason: "moved" });
      } else lost.push({ pid, epoch });
    }
    for (const process of this.processes.values())
      if (process.host === id && !current.has(process.pid) && !isEnded(process)) this.requeue(process, now);
    this.place(now);
    return lost;
  }

  /** The connection is gone; the leases go on until they expire, as the host may come back. */
  hostDisconnected(id: string): void {
    const host = this.hosts.get(id);
    if (host) host.online = false;
  }

  /** The host is known to be gone for good (it said so, or its key was revoked). */
  hostLost(id: string, now: number): void {
    this.hostDisconnected(id);
    for (const process of this.processes.values()) if (process.host === id && !isEnded(process)) this.requeue(process, now);
    this.place(now);
  }

  private load(host: Host, message: AgentMessage<"load">, now: number): void {
    const wasUsable = usable(host);
    host.paused = message.paused;
    host.running = message.running;
    host.runnable = message.runnable;
    host.blocked = message.blocked;
    host.memoryFreeBytes = message.memoryFreeBytes;
    if (message.speed > 0) host.speed = message.speed;
    for (const { pid, epoch, cpuMs, memoryBytes } of message.held) {
      const process = this.processes.get(pid);
      if (process?.host !== host.id || process.epoch !== epoch || isEnded(process)) {
        // It was thought dead and is back, or the word to drop it was lost: it must not compute on for nothing.
        this.send(host.id, { type: "drop", pid, epoch });
        continue;
      }
      process.leaseUntil = now + this.settings.leaseMs;
      process.cpuMs = cpuMs;
      process.memoryBytes = memoryBytes;
    }
    if (wasUsable && !usable(host)) this.expel(host, now);
    this.place(now);
    this.balance(now);
  }

  /** The owner is back: everything that may run elsewhere goes elsewhere. */
  private expel(host: Host, now: number): void {
    for (const process of this.processes.values()) {
      if (process.host !== host.id || isEnded(process) || process.destination !== null) continue;
      const to = this.leastLoaded(host.id);
      if (to) this.release(process, to.id, "the owner is back");
    }
    this.place(now);
  }

  private leastLoaded(except: string): Host | undefined {
    const counts = computingOn(this.processes.values());
    let best: Host | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const host of this.hosts.values()) {
      if (host.id === except || !usable(host)) continue;
      const load = ((counts.get(host.id)?.length ?? 0) + 1) / (Math.max(1, host.info.slots) * (host.speed || 1));
      if (load < least) {
        best = host;
        least = load;
      }
    }
    return best;
  }

  // ---- leases and moves

  private lease(process: ProcessRecord, host: Host, now: number): void {
    process.state = "leased";
    process.host = host.id;
    process.destination = null;
    process.epoch++;
    process.leaseUntil = now + this.settings.leaseMs;
    this.queue.delete(process.pid);
    this.changedProcesses.add(process);
    const result = process.image ? (process.answers[process.image.syscalls] ?? null) : null;
    if (result) process.waiting = null;
    this.send(host.id, {
      type: "run",
      pid: process.pid,
      parent: process.parent,
      epoch: process.epoch,
      spec: this.specOf(process),
      image: process.image,
      result,
    });
  }

  private setRunning(process: ProcessRecord): void {
    process.state = "running";
    this.changedProcesses.add(process);
  }

  private release(process: ProcessRecord, destination: string, reason: string): void {
    process.destination = destination;
    process.state = "migrating";
    this.changedProcesses.add(process);
    if (process.host === null) return;
    this.hosts.get(process.host)?.releasing.add(process.pid);
    this.send(process.host, { type: "release", pid: process.pid, epoch: process.epoch, reason });
  }

  /** Back to the queue, to go on from its last image (or from the start). */
  private requeue(process: ProcessRecord, _now: number): void {
    if (process.host !== null) this.hosts.get(process.host)?.releasing.delete(process.pid);
    const job = this.jobs.get(process.job);
    if (job) {
      job.restarts++;
      this.touch(job);
    }
    process.host = null;
    process.destination = null;
    process.waiting = null;
    process.state = "queued";
    this.frozenAt.delete(process.pid);
    this.queue.add(process.pid);
    this.changedProcesses.add(process);
  }

  private place(now: number): void {
    if (this.queue.size === 0) return;
    const counts = new Map([...computingOn(this.processes.values())].map(([host, list]) => [host, list.length]));
    for (const pid of [...this.queue]) {
      const process = this.processes.get(pid);
      if (!process) continue;
      const host = this.startHost(process) ?? placeQueued(this.hosts.values(), counts, process.memoryBytes);
      if (!host) continue;
      counts.set(host.id, (counts.get(host.id) ?? 0) + 1);
      this.lease(process, host, now);
    }
  }

  /** The host a job asked to start on, for its first process before its first run. */
  private startHost(process: ProcessRecord): Host | undefined {
    const { startOn } = this.job(process.job).spec;
    if (startOn === null || process.epoch > 0 || process.parent !== 0) return undefined;
    return [...this.hosts.values()].find((host) => host.name === startOn && usable(host));
  }

  private balance(now: number): void {
    if (!this.settings.balance) return;
    const moves = planMoves(
      [...this.hosts.values()],
      computingOn(this.processes.values()),
      (process) => !process.placedByHand && !this.job(process.job).spec.stay,
      now,
    );
    for (const { pid, to } of moves) this.release(this.process(pid), to, "balancing");
  }

  /** Time has passed: leases may have expired. To be called every second or so. */
  tick(now: number): void {
    for (const host of this.hosts.values()) if (now - host.seenAt >= this.settings.leaseMs) host.silent = true;
    for (const process of this.processes.values()) {
      if (process.host === null || isEnded(process) || now < process.leaseUntil) continue;
      this.send(process.host, { type: "drop", pid: process.pid, epoch: process.epoch });
      this.requeue(process, now);
    }
    for (const host of this.hosts.values()) {
      if (host.paused !== null) this.expel(host, now);
    }
    this.place(now);
    this.balance(now);
  }

  // ---- what hosts say

  /** @throws nothing for a stale message: it is answered with `drop`, or passed over */
  agentMessage(hostId: string, message: FromAgent, now: number): void {
    const host = this.hosts.get(hostId);
    if (!host) return;
    host.seenAt = now;
    host.silent = false;
    if (message.type === "hello") return;
    if (message.type === "load") return this.load(host, message, now);
    const process = this.processes.get(message.pid);
    if (!process || process.host !== hostId || process.epoch !== message.epoch || isEnded(process)) {
      this.send(hostId, { type: "drop", pid: message.pid, epoch: message.epoch });
      return;
    }
    process.leaseUntil = now + this.settings.leaseMs;
    switch (message.type) {
      case "output":
        return this.output(process, message);
      case "syscall":
        return this.syscall(process, message, now);
      case "checkpoint":
        this.keepImage(process, message.image);
        return this.send(hostId, { type: "checkpointAck", pid: process.pid, epoch: process.epoch, hash: message.image.hash });
      case "frozen":
        this.frozenAt.set(process.pid, now);
        return;
      case "surrender":
        return this.surrender(process, host, message, now);
      case "started":
        return this.started(process, now);
      case "refused":
        return this.refused(process, message, now);
      case "exited":
        return this.exited(process, host, message, now);
    }
  }

  private output(process: ProcessRecord, message: AgentMessage<"output">): void {
    const seen = message.stream === 1 ? process.outputBytes : process.errorBytes;
    const job = this.job(process.job);
    if (message.offset <= seen) {
      const bytes = message.bytes.subarray(seen - message.offset);
      if (bytes.length > 0) {
        const offset = message.stream === 1 ? job.stdoutBytes : job.stderrBytes;
        if (message.stream === 1) {
          process.outputBytes += bytes.length;
          job.stdoutBytes += bytes.length;
        } else {
          process.errorBytes += bytes.length;
          job.stderrBytes += bytes.length;
        }
        this.effects.push({ kind: "output", job: job.id, pid: process.pid, stream: message.stream, offset, bytes });
        this.changedProcesses.add(process);
        this.touch(job);
      }
    }
    this.send(process.host, {
      type: "outputAck",
      pid: process.pid,
      stream: message.stream,
      offset: message.stream === 1 ? process.outputBytes : process.errorBytes,
    });
  }

  private keepImage(process: ProcessRecord, image: ImageRef): void {
    process.image = image;
    process.cpuMs = image.cpuMs;
    for (const seq of Object.keys(process.answers)) if (Number(seq) < image.syscalls) delete process.answers[Number(seq)];
    this.changedProcesses.add(process);
  }

  private surrender(process: ProcessRecord, from: Host, message: AgentMessage<"surrender">, now: number): void {
    this.keepImage(process, message.image);
    from.releasing.delete(process.pid);
    const job = this.job(process.job);
    if (process.migrations === 0) job.migratedProcesses++;
    process.migrations++;
    process.movedAt = now;
    job.migrations++;
    if (message.wasRunning) job.migratedRunning++;
    job.migrationBytes += message.image.sizeBytes;
    job.migrationMessages += 5; // release, frozen, surrender, run, started
    this.touch(job);
    this.send(from.id, { type: "drop", pid: process.pid, epoch: process.epoch });
    const wanted = process.destination === null ? undefined : this.hosts.get(process.destination);
    const to = wanted && usable(wanted) ? wanted : this.leastLoaded(from.id);
    process.host = null;
    if (to) this.lease(process, to, now);
    else {
      process.destination = null;
      process.state = "queued";
      this.queue.add(process.pid);
      this.changedProcesses.add(process);
      this.place(now);
    }
  }

  private started(process: ProcessRecord, now: number): void {
    const frozen = this.frozenAt.get(process.pid);
    if (frozen !== undefined) {
      this.frozenAt.delete(process.pid);
      const job = this.job(process.job);
      job.freezesMs.push(now - frozen);
      this.touch(job);
    }
    if (process.state === "leased") this.setRunning(process);
    this.balance(now);
  }

  private refused(process: ProcessRecord, message: AgentMessage<"refused">, now: number): void {
    if (message.code === "NS_HOST_UNAVAILABLE" || message.code === "NS_CONNECTION_LOST") return this.requeue(process, now);
    this.end(process, { kind: "fault", code: message.code, message: message.message, wasmStack: [] }, "failed", now);
    this.place(now);
  }

  private exited(process: ProcessRecord, host: Host, message: AgentMessage<"exited">, now: number): void {
    host.releasing.delete(process.pid);
    process.cpuMs = message.cpuMs;
    const job = this.job(process.job);
    for (const [path, file] of Object.entries(message.files)) {
      if (file) job.files[path] = file;
      else delete job.files[path];
    }
    this.end(process, message.report, message.report.kind === "exit" ? "exited" : "failed", now);
    this.place(now);
    this.balance(now);
  }

  /** The process is over, one way or another; tells its host to forget it, its parent, and those who wait. */
  private end(process: ProcessRecord, report: ExitReport, state: "exited" | "failed" | "cancelled", now: number): void {
    this.send(process.host, { type: "drop", pid: process.pid, epoch: process.epoch });
    if (process.host !== null) this.hosts.get(process.host)?.releasing.delete(process.pid);
    process.state = state;
    process.report = report;
    process.destination = null;
    process.waiting = null;
    process.answers = {};
    process.image = null;
    this.queue.delete(process.pid);
    this.frozenAt.delete(process.pid);
    this.changedProcesses.add(process);
    const job = this.job(process.job);
    this.effects.push({ kind: "ended", job: job.id, pid: process.pid, report });
    const kernel = this.kernels.get(job.id);
    if (!kernel) return;
    kernel.exit(process.pid, statusOf(report));
    if (process.pid === job.root) {
      job.report = report;
      this.touch(job);
    }
    if (kernel.alive === 0) {
      const root = this.process(job.root);
      job.state = root.state === "exited" || root.state === "failed" || root.state === "cancelled" ? root.state : "failed";
      job.endedAt = now;
      this.touch(job);
    }
    this.changedKernels.add(job.id);
    this.retryWaiting(job.id);
  }

  // ---- home calls

  private syscall(process: ProcessRecord, message: AgentMessage<"syscall">, now: number): void {
    const known = process.answers[message.seq];
    if (known)
      return this.send(process.host, {
        type: "syscallResult",
        pid: process.pid,
        epoch: process.epoch,
        seq: message.seq,
        result: known,
      });
    if (message.call.call === "fork") return this.fork(process, message.seq, message.call.image, now);
    const first = process.waiting?.seq !== message.seq;
    process.waiting = { seq: message.seq, call: message.call };
    if (first) this.changedProcesses.add(process);
    this.retryWaiting(process.job, process);
    if (process.waiting) this.place(now);
  }

  private fork(process: ProcessRecord, seq: number, image: string, now: number): void {
    const job = this.job(process.job);
    const kernel = this.kernels.get(job.id);
    if (!kernel || kernel.alive >= this.settings.maxProcessesPerJob) return this.answer(process, seq, { value: -6 }); // EAGAIN
    const pid = this.nextPid++;
    const child = this.newProcess(pid, process.pid, job.id, `${process.seed}.${process.forks++}`, now);
    this.index(child);
    kernel.fork(process.pid, pid);
    child.image = {
      hash: image,
      sizeBytes: 0,
      syscalls: seq,
      outputBytes: process.outputBytes,
      errorBytes: process.errorBytes,
      cpuMs: 0,
    };
    // The child's streams go on counting from where the parent's were: the image says so, and everything before it has arrived.
    child.outputBytes = process.outputBytes;
    child.errorBytes = process.errorBytes;
    child.answers = { [seq]: { value: 0 } };
    job.processes++;
    this.touch(job);
    this.changedKernels.add(job.id);
    // It begins where its parent is: the image need not travel, and balancing moves what is too much for one host.
    this.answer(process, seq, { value: pid });
    const host = process.host === null ? undefined : this.hosts.get(process.host);
    if (host && usable(host)) return this.lease(child, host, now);
    this.queue.add(pid);
    this.place(now);
  }

  private answer(process: ProcessRecord, seq: number, result: SyscallResult): void {
    process.answers[seq] = result;
    process.waiting = null;
    this.changedProcesses.add(process);
    this.send(process.host, { type: "syscallResult", pid: process.pid, epoch: process.epoch, seq, result });
  }

  /** Tries the calls in which processes of the job wait, until none can be answered any more. */
  private retryWaiting(jobId: number, only?: ProcessRecord): void {
    const kernel = this.kernels.get(jobId);
    if (!kernel) return;
    let pending: ProcessRecord[] = only ? [only] : this.processesOf(jobId);
    for (;;) {
      let answered = 0;
      for (const process of pending) {
        const { waiting } = process;
        if (!waiting || isEnded(process) || waiting.call.call === "fork") continue;
        const answer = kernel.call(process.pid, waiting.call as Exclude<Syscall, { call: "fork" }>);
        this.carryOut(kernel);
        if (answer.kind === "wait" || isEnded(process)) continue;
        if (answer.result.value >= 0) this.changedKernels.add(jobId);
        if (waiting.call.call === "read" && waiting.call.object === 0) this.effects.push({ kind: "stdin", job: jobId });
        this.answer(process, waiting.seq, answer.result);
        answered++;
      }
      if (answered === 0) return;
      pending = this.processesOf(jobId);
    }
  }

  /** Signals sent by the call just made. */
  private carryOut(kernel: Kernel): void {
    for (const effect of kernel.effects.splice(0)) {
      const target = this.processes.get(effect.pid);
      if (!target || isEnded(target)) continue;
      if (effect.kind === "terminate") this.end(target, { kind: "signal", signal: effect.signal }, "failed", target.startedAt);
      else
        this.send(target.host, {
          type: "signal",
          pid: target.pid,
          epoch: target.epoch,
          signal: effect.kind === "stop" ? 19 : 18,
        });
    }
  }
}

function statusOf(report: ExitReport): number {
  if (report.kind === "exit") return exitStatus(report.code);
  return signalStatus(report.kind === "signal" ? report.signal : signalOfFault(report.code, report.message));
}
