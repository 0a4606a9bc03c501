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
import { Kernel } from "@nightshift/wasm-kernels/process";
import { BACKOFF_CAP_MS } from "../protocol/backoff.ts";
import type { ExitReport, FromAgent, HostInfo, ImageRef, JobSpec } from "../protocol/messages.ts";
import { HomeCalls, statusOf } from "./home-calls.ts";
import { computingOn, fits, mayBeOn, placeQueued, planMoves, usable } from "./placement.ts";
import { type Outcome, Records } from "./records.ts";
import { type Host, type HostSettings, isEnded, type Job, type ProcessRecord, type Saved } from "./state.ts";

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

/** Others wait while they are removed. */
const FORGOTTEN_AT_ONCE = 100;

/** A tick that comes so long after the one before is late. */
const LATE_MS = 1000;

type AgentMessage<T extends FromAgent["type"]> = Extract<FromAgent, { type: T }>;

export class Core {
  private readonly records: Records;
  private readonly homeCalls: HomeCalls;
  private readonly settings: CoreSettings;
  /** When processes on their way stopped. */
  private readonly frozenAt = new Map<number, number>();
  /**
   * Processes that have found a host's stack too small. Forgotten when the coordinator restarts: then it costs them another try.
   */
  private readonly deep = new Set<number>();
  private tickedAt: number;

  constructor(settings: CoreSettings, saved: Iterable<Saved>, now: number) {
    this.settings = settings;
    this.tickedAt = now;
    this.records = new Records(saved);
    // Hosts that hold a lease get the time to come back: while we were away they tried less and less often.
    const back = now + BACKOFF_CAP_MS + settings.leaseMs;
    for (const process of this.records.alive.values()) if (process.host !== null) process.leaseUntil = back;
    this.homeCalls = new HomeCalls(
      this.records,
      {
        lease: (process, host) => this.lease(process, host, this.records.now),
        place: () => this.place(this.records.now),
        end: (process, report, state) => this.end(process, report, state, this.records.now),
      },
      settings.maxProcessesPerJob,
    );
  }

  get jobs(): ReadonlyMap<number, Job> {
    return this.records.jobs;
  }
  get processes(): ReadonlyMap<number, ProcessRecord> {
    return this.records.processes;
  }
  /** Those that have not ended. */
  get alive(): ReadonlyMap<number, ProcessRecord> {
    return this.records.alive;
  }
  get hosts(): ReadonlyMap<string, Host> {
    return this.records.hosts;
  }
  processesOf(job: number): ProcessRecord[] {
    return this.records.processesOf(job);
  }

  /** Ends an event: what is to be stored and then done. */
  take(): Outcome {
    return this.records.take();
  }

  // ---- jobs

  /** @param by who submits it, for people to read */
  submit(spec: JobSpec, now: number, by = ""): Job {
    this.records.now = now;
    const id = this.records.newJobId();
    const { pid } = this.records.newProcess(0, id, `${id}`);
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
      by,
    };
    this.records.jobs.set(id, job);
    this.records.kernels.set(id, Kernel.start(pid, spec.stdin));
    this.records.queue.add(pid);
    this.records.changedJob(job);
    this.records.changedKernel(id);
    this.place(now);
    return job;
  }

  /** @returns how many bytes were taken; the rest is to be sent again when a `stdin` effect says that there is room. */
  stdin(job: number, offset: number, bytes: Uint8Array, end: boolean): number {
    return this.homeCalls.stdin(job, offset, bytes, end);
  }

  /** @returns how many processes it ended */
  cancel(target: { pid: number } | { job: number }, now: number): number {
    this.records.now = now;
    const pids = "pid" in target ? [this.records.process(target.pid)] : this.records.processesOf(this.records.job(target.job).id);
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

  /** Forgets jobs that ended before that time, a bounded number at once. @returns how many */
  forgetEnded(before: number): number {
    const kept = new Set(this.records.newest);
    let forgotten = 0;
    for (const job of this.records.jobs.values()) {
      if (job.endedAt === null || job.endedAt >= before || kept.has(job.id)) continue;
      this.records.forget(job);
      if (++forgotten >= FORGOTTEN_AT_ONCE) break;
    }
    return forgotten;
  }

  migrate(pid: number, hostName: string, now: number): { from: string | null; to: string } {
    this.records.now = now;
    const process = this.records.process(pid);
    const host = [...this.records.hosts.values()].find((candidate) => candidate.name === hostName || candidate.id === hostName);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${hostName}"`);
    if (!usable(host)) throw new NightshiftError("NS_HOST_UNAVAILABLE", `${host.name} is ${whyNot(host)}`);
    if (isEnded(process)) throw new NightshiftError("NS_NOT_RUNNING", `process ${pid} has ended already`);
    if (!fits(host, this.deep.has(pid)))
      throw new NightshiftError("NS_HOST_UNAVAILABLE", `process ${pid} recurses too deeply for the stack that ${host.name} has`);
    if (!mayBeOn(this.specOf(process), host))
      throw new NightshiftError("NS_HOST_UNAVAILABLE", `process ${pid} is of a job that is for certain other hosts only`);
    process.placedByHand = true;
    this.records.changed(process);
    const from = process.host === null ? null : (this.records.hosts.get(process.host)?.name ?? process.host);
    if (process.host === host.id && process.destination === null) return { from, to: host.name };
    if (process.host === null) {
      process.destination = host.id;
      this.lease(process, host, now);
    } else this.release(process, host.id, "moved by hand");
    return { from, to: host.name };
  }

  /** Processes of the job that have not ended. */
  aliveOf(job: number): number {
    return this.records.kernels.get(job)?.alive ?? 0;
  }

  // ---- hosts

  /** A host that is enrolled but not connected, or what is said of it before it connects. */
  hostKnown(id: string, settings: HostSettings, info: HostInfo, now: number): void {
    this.records.hosts.set(id, asConnected(id, settings, info, now));
    this.records.changedHost(id);
  }

  /** An administrator says something else of a host. A drained one is cleared at once. */
  setHost(id: string, settings: HostSettings, now: number): void {
    this.records.now = now;
    const host = this.records.hosts.get(id);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${id}"`);
    const wasUsable = usable(host);
    Object.assign(host, settings);
    this.records.changedHost(id);
    if (wasUsable && !usable(host)) this.expel(host, now);
    this.place(now);
    this.balance(now);
  }

  /** A host has connected. @returns leases it still believes in but has lost */
  hostConnected(
    id: string,
    info: HostInfo,
    held: readonly { pid: number; epoch: number }[],
    now: number,
  ): { pid: number; epoch: number }[] {
    this.records.now = now;
    const known = this.records.hosts.get(id) ?? { name: info.name, tags: [], drained: false };
    this.records.hosts.set(id, { ...asConnected(id, known, info, now), online: true });
    this.records.changedHost(id);
    const current = new Set<number>();
    const lost: { pid: number; epoch: number }[] = [];
    for (const { pid, epoch } of held) {
      const process = this.records.processes.get(pid);
      if (process && process.host === id && process.epoch === epoch && !isEnded(process)) {
        current.add(pid);
        process.leaseUntil = now + this.settings.leaseMs;
        // What was on its way when the connection broke is settled anew.
        if (process.state === "leased") this.setRunning(process);
        this.homeCalls.repeatStop(process, false);
        if (process.state === "migrating" && process.destination !== null)
          this.records.send(id, { type: "release", pid, epoch, reason: "moved" });
      } else lost.push({ pid, epoch });
    }
    for (const process of this.records.alive.values())
      if (process.host === id && !current.has(process.pid) && !isEnded(process)) this.requeue(process, now);
    this.place(now);
    return lost;
  }

  /** The connection is gone; the leases go on until they expire, as the host may come back. */
  hostDisconnected(id: string): void {
    const host = this.records.hosts.get(id);
    if (!host) return;
    host.online = false;
    this.records.changedHost(id);
  }

  /** The host has said goodbye: it has nothing any more, and its processes need not wait for it. */
  hostLeft(id: string, now: number): void {
    this.records.now = now;
    this.hostDisconnected(id);
    for (const process of this.records.alive.values()) if (process.host === id && !isEnded(process)) this.requeue(process, now);
    this.place(now);
  }

  /** The host is gone for good: its key was revoked. */
  hostRemoved(id: string, now: number): void {
    this.hostLeft(id, now);
    this.records.hosts.delete(id);
  }

  private load(host: Host, message: AgentMessage<"load">, now: number): void {
    if (worthShowing(host, message)) this.records.changedHost(host.id);
    host.info = { ...host.info, slots: message.slots };
    host.paused = message.paused;
    host.pausedCode = message.pausedCode;
    host.keepUntil = now + message.keepMs;
    host.running = message.running;
    host.runnable = message.runnable;
    host.blocked = message.blocked;
    host.memoryFreeBytes = message.memoryFreeBytes;
    if (message.speed > 0) host.speed = message.speed;
    for (const { pid, epoch, cpuMs, memoryBytes } of message.held) {
      const process = this.records.processes.get(pid);
      if (process?.host !== host.id || process.epoch !== epoch || isEnded(process)) {
        // It was thought dead and is back, or the word to drop it was lost: it must not compute on for nothing.
        this.records.send(host.id, { type: "drop", pid, epoch });
        continue;
      }
      process.leaseUntil = now + this.settings.leaseMs;
      process.cpuMs = cpuMs;
      process.memoryBytes = memoryBytes;
    }
    this.expel(host, now);
    this.place(now);
    this.balance(now);
  }

  /** The host is to be kept clear, or the owner is back and has stayed for the time that the host keeps its processes: they go elsewhere. */
  private expel(host: Host, now: number): void {
    if (!host.drained && (host.paused === null || now < host.keepUntil)) return;
    const reason = host.drained ? "the host is to be kept clear" : "the owner is back";
    for (const process of this.records.alive.values()) {
      if (process.host !== host.id || isEnded(process) || process.destination !== null) continue;
      const to = this.leastLoaded(process, host.id);
      if (to) this.release(process, to.id, reason);
    }
  }

  private leastLoaded(process: ProcessRecord, except: string): Host | undefined {
    const counts = computingOn(this.records.alive.values());
    let best: Host | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const host of this.records.hosts.values()) {
      if (host.id === except || !this.suits(host, process)) continue;
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
    this.records.queue.delete(process.pid);
    this.records.changed(process);
    const result = process.image ? (process.answers[process.image.syscalls] ?? null) : null;
    if (result) process.waiting = null;
    this.records.send(host.id, {
      type: "run",
      pid: process.pid,
      parent: process.parent,
      epoch: process.epoch,
      spec: this.records.specOf(process),
      image: process.image,
      result,
    });
    this.homeCalls.repeatStop(process, true);
  }

  private setRunning(process: ProcessRecord): void {
    process.state = "running";
    this.records.changed(process);
  }

  private release(process: ProcessRecord, destination: string, reason: string): void {
    process.destination = destination;
    process.state = "migrating";
    this.records.changed(process);
    if (process.host === null) return;
    this.records.hosts.get(process.host)?.releasing.add(process.pid);
    this.records.send(process.host, { type: "release", pid: process.pid, epoch: process.epoch, reason });
  }

  /** Back to the queue, to go on from its last image (or from the start). */
  private requeue(process: ProcessRecord, _now: number): void {
    if (process.host !== null) this.records.hosts.get(process.host)?.releasing.delete(process.pid);
    const job = this.records.jobs.get(process.job);
    // One that never began there has nothing to do again.
    if (job && process.state !== "leased") {
      job.restarts++;
      this.records.changedJob(job);
    }
    process.host = null;
    process.destination = null;
    process.waiting = null;
    process.state = "queued";
    this.frozenAt.delete(process.pid);
    this.records.queue.add(process.pid);
    this.records.changed(process);
  }

  private place(now: number): void {
    if (this.records.queue.size === 0) return;
    const counts = new Map([...computingOn(this.records.alive.values())].map(([host, list]) => [host, list.length]));
    for (const pid of [...this.records.queue]) {
      const process = this.records.processes.get(pid);
      if (!process) continue;
      const hosts = this.hostsFor(process);
      const host = this.startHost(process) ?? placeQueued(hosts, counts, process.memoryBytes, this.deep.has(pid));
      if (!host) continue;
      counts.set(host.id, (counts.get(host.id) ?? 0) + 1);
      this.lease(process, host, now);
    }
  }

  /** The host a job asked to start on, for its first process before its first run. */
  private startHost(process: ProcessRecord): Host | undefined {
    const { startOn } = this.specOf(process);
    if (startOn === null || process.epoch > 0 || process.parent !== 0) return undefined;
    return [...this.hostsFor(process)].find((host) => (host.name === startOn || host.id === startOn) && usable(host));
  }

  private specOf(process: ProcessRecord): JobSpec {
    return this.records.job(process.job).spec;
  }

  /** Those that its job may be on. */
  private hostsFor(process: ProcessRecord): Iterable<Host> {
    const { onlyOn } = this.specOf(process);
    if (onlyOn === undefined) return this.records.hosts.values();
    return onlyOn.flatMap((id) => this.records.hosts.get(id) ?? []);
  }

  private suits(host: Host, process: ProcessRecord): boolean {
    return fits(host, this.deep.has(process.pid)) && mayBeOn(this.specOf(process), host);
  }

  private balance(now: number): void {
    if (!this.settings.balance) return;
    const moves = planMoves(
      [...this.records.hosts.values()],
      computingOn(this.records.alive.values()),
      (process) => !process.placedByHand && !this.deep.has(process.pid) && !this.specOf(process).stay,
      now,
      (process, host) => mayBeOn(this.specOf(process), host),
    );
    for (const { pid, to } of moves) this.release(this.records.process(pid), to, "balancing");
  }

  /** This machine was asleep or busy, so that what hosts said is still to be read, or its clock was set: no host's fault. */
  private forgive(sinceTickMs: number): void {
    // Only what is beyond the ordinary, so that leases end on a coordinator that is always late, too.
    const ms = Math.min(sinceTickMs, 0) + Math.max(sinceTickMs - LATE_MS, 0);
    if (ms === 0) return;
    for (const host of this.records.hosts.values()) host.seenAt += ms;
    for (const process of this.records.alive.values()) process.leaseUntil += ms;
  }

  /** Time has passed: leases may have expired. To be called several times a second. */
  tick(now: number): void {
    this.records.now = now;
    this.forgive(now - this.tickedAt);
    this.tickedAt = now;
    for (const host of this.records.hosts.values())
      if (!host.silent && now - host.seenAt >= this.settings.leaseMs) {
        host.silent = true;
        this.records.changedHost(host.id);
      }
    for (const process of this.records.alive.values()) {
      if (process.host === null || isEnded(process) || now < process.leaseUntil) continue;
      this.records.send(process.host, { type: "drop", pid: process.pid, epoch: process.epoch });
      this.requeue(process, now);
    }
    for (const host of this.records.hosts.values()) this.expel(host, now);
    this.place(now);
    this.balance(now);
  }

  // ---- what hosts say

  /** @throws nothing for a stale message: it is answered with `drop`, or passed over */
  agentMessage(hostId: string, message: FromAgent, now: number): void {
    this.records.now = now;
    const host = this.records.hosts.get(hostId);
    if (!host) return;
    host.seenAt = now;
    if (host.silent) this.records.changedHost(hostId);
    host.silent = false;
    if (message.type === "hello" || message.type === "policyObeyed") return;
    if (message.type === "load") return this.load(host, message, now);
    const process = this.records.processes.get(message.pid);
    if (!process || process.host !== hostId || process.epoch !== message.epoch || isEnded(process)) {
      this.records.send(hostId, { type: "drop", pid: message.pid, epoch: message.epoch });
      return;
    }
    process.leaseUntil = now + this.settings.leaseMs;
    switch (message.type) {
      case "output":
        return this.output(process, message);
      case "pipeClosed":
        return this.homeCalls.pipeClosed(process, message);
      case "syscall":
        return this.homeCalls.syscall(process, message);
      case "checkpoint":
        this.keepImage(process, message.image);
        return this.records.send(hostId, {
          type: "checkpointAck",
          pid: process.pid,
          epoch: process.epoch,
          hash: message.image.hash,
        });
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
    const job = this.records.job(process.job);
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
        this.records.effect({ kind: "output", job: job.id, pid: process.pid, stream: message.stream, offset, bytes });
        this.records.changed(process);
        this.records.changedJob(job);
      }
    }
    this.records.send(process.host, {
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
    this.records.changed(process);
  }

  private surrender(process: ProcessRecord, from: Host, message: AgentMessage<"surrender">, now: number): void {
    this.keepImage(process, message.image);
    from.releasing.delete(process.pid);
    const job = this.records.job(process.job);
    if (process.migrations === 0) job.migratedProcesses++;
    process.migrations++;
    process.movedAt = now;
    job.migrations++;
    if (message.wasRunning) job.migratedRunning++;
    job.migrationBytes += message.image.sizeBytes;
    job.migrationMessages += 5; // release, frozen, surrender, run, started
    this.records.changedJob(job);
    this.records.send(from.id, { type: "drop", pid: process.pid, epoch: process.epoch });
    const wanted = process.destination === null ? undefined : this.records.hosts.get(process.destination);
    const to = wanted && usable(wanted) ? wanted : this.leastLoaded(process, from.id);
    process.host = null;
    if (to) this.lease(process, to, now);
    else {
      process.destination = null;
      process.state = "queued";
      this.records.queue.add(process.pid);
      this.records.changed(process);
      this.place(now);
    }
  }

  private started(process: ProcessRecord, now: number): void {
    const frozen = this.frozenAt.get(process.pid);
    if (frozen !== undefined) {
      this.frozenAt.delete(process.pid);
      const job = this.records.job(process.job);
      job.freezesMs.push(now - frozen);
      this.records.changedJob(job);
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
    if (this.mayGoDeeper(process, host, message.report)) {
      this.deep.add(process.pid);
      this.records.send(host.id, { type: "drop", pid: process.pid, epoch: process.epoch });
      this.requeue(process, now);
      return this.place(now);
    }
    const job = this.records.job(process.job);
    for (const [path, file] of Object.entries(message.files)) {
      if (file) job.files[path] = file;
      else delete job.files[path];
    }
    this.end(process, message.report, message.report.kind === "exit" ? "exited" : "failed", now);
    this.place(now);
    this.balance(now);
  }

  /** It was the host's stack that was too small, not the program that has no end; and there is a host with more. */
  private mayGoDeeper(process: ProcessRecord, host: Host, report: ExitReport): boolean {
    if (!host.info.smallStack || report.kind !== "fault" || report.code !== "NS_STACK_OVERFLOW") return false;
    return [...this.hostsFor(process)].some(({ online, info }) => online && !info.smallStack);
  }

  /** The process is over, one way or another; tells its host to forget it, its parent, and those who wait. */
  private end(process: ProcessRecord, report: ExitReport, state: "exited" | "failed" | "cancelled", now: number): void {
    this.records.send(process.host, { type: "drop", pid: process.pid, epoch: process.epoch });
    if (process.host !== null) this.records.hosts.get(process.host)?.releasing.delete(process.pid);
    process.state = state;
    process.report = report;
    process.destination = null;
    process.waiting = null;
    process.answers = {};
    process.image = null;
    this.records.queue.delete(process.pid);
    this.records.alive.delete(process.pid);
    this.deep.delete(process.pid);
    this.frozenAt.delete(process.pid);
    this.records.changed(process);
    const job = this.records.job(process.job);
    this.records.effect({ kind: "ended", job: job.id, pid: process.pid, report });
    const kernel = this.records.kernels.get(job.id);
    if (!kernel) return;
    kernel.exit(process.pid, statusOf(report));
    if (process.pid === job.root) {
      job.report = report;
      this.records.changedJob(job);
    }
    if (kernel.alive === 0) {
      const root = this.records.process(job.root);
      job.state = root.state === "exited" || root.state === "failed" || root.state === "cancelled" ? root.state : "failed";
      job.endedAt = now;
      this.records.changedJob(job);
    }
    this.records.changedKernel(job.id);
    this.homeCalls.retryWaiting(job.id);
  }
}

const asConnected = (id: string, { name, tags, drained }: HostSettings, info: HostInfo, now: number): Host => ({
  id,
  name,
  tags,
  drained,
  info,
  online: false,
  paused: null,
  pausedCode: null,
  keepUntil: 0,
  speed: info.speed,
  running: 0,
  runnable: 0,
  blocked: 0,
  memoryFreeBytes: info.memoryBytes,
  seenAt: now,
  silent: false,
  releasing: new Set(),
});

/** Free memory and speed change with every message; less than a fiftieth is no news. */
const worthShowing = (host: Host, message: AgentMessage<"load">): boolean =>
  host.paused !== message.paused ||
  host.running !== message.running ||
  host.runnable !== message.runnable ||
  host.blocked !== message.blocked ||
  host.info.slots !== message.slots ||
  Math.abs(host.memoryFreeBytes - message.memoryFreeBytes) * 50 > host.info.memoryBytes ||
  Math.abs(host.speed - message.speed) * 50 > host.speed;

/** Why a host that is not usable is not. */
export const whyNot = (host: Host): string =>
  !host.online || host.silent ? "offline" : host.drained ? "kept clear" : `paused (${host.paused})`;
