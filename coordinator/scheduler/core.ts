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
import { BACKOFF_CAP_MS } from "../protocol/backoff.ts";
import type { ExitReport, FromAgent, HostInfo, ImageRef, JobSpec } from "../protocol/messages.ts";
import { countParts } from "../protocol/sweep.ts";
import { earned } from "./credit.ts";
import { HomeCalls, statusOf } from "./home-calls.ts";
import { computingOn, fits, mayBeOn, planMoves, takes, usable } from "./placement.ts";
import { Placing } from "./placing.ts";
import { type Outcome, Records } from "./records.ts";
import {
  type Host,
  type HostSettings,
  isDone,
  isEnded,
  type Job,
  MAX_FREEZES,
  type Part,
  type ProcessRecord,
  partKey,
  type Saved,
} from "./state.ts";
import { type WaitReason, whyWaiting } from "./waiting.ts";

export interface CoreSettings {
  /** How long a host may be silent before its processes are started elsewhere. */
  leaseMs: number;
  /** How often hosts checkpoint at most. */
  checkpointMs: number;
  maxProcessesPerJob: number;
  /** Most bytes of answers that are kept for a pinned process, until its end, as it asks again when it begins anew; four times that for all. */
  maxKeptBytes: number;
  /** false: processes stay where they are unless somebody moves them by hand. */
  balance: boolean;
}

export const DEFAULT_SETTINGS: CoreSettings = {
  leaseMs: 15_000,
  checkpointMs: 10_000,
  maxProcessesPerJob: 10_000,
  maxKeptBytes: 256 * 2 ** 20,
  balance: true,
};

/** Others wait while they are removed. */
const FORGOTTEN_AT_ONCE = 100;

/** A tick that comes so long after the one before is late. */
const LATE_MS = 1000;
/** Programs of a host that are remembered as ready there. */
const MAX_KNOWN_PROGRAMS = 200;

/** Of a host of which administrators have said nothing. */
const NOTHING_SAID = { tags: [], drained: false, stay: false, block: false } as const;

type AgentMessage<T extends FromAgent["type"]> = Extract<FromAgent, { type: T }>;

export class Core {
  private readonly records: Records;
  private readonly homeCalls: HomeCalls;
  private readonly settings: CoreSettings;
  /** When processes on their way stopped. */
  private readonly frozenAt = new Map<number, number>();
  /** Processes for whose stack or parts a browser was too little. Forgotten when the coordinator restarts: then it costs them another try. */
  private readonly deep = new Set<number>();
  private readonly placing: Placing;
  private tickedAt: number;

  constructor(settings: CoreSettings, saved: Iterable<Saved>, now: number) {
    this.settings = settings;
    this.tickedAt = now;
    this.records = new Records(saved);
    // Hosts that hold a lease get the time to come back: while we were away they tried less and less often.
    const back = now + BACKOFF_CAP_MS + settings.leaseMs;
    for (const process of this.records.alive.values()) if (process.host !== null) process.leaseUntil = back;
    this.placing = new Placing(
      this.records,
      (process) => this.keepsOffBrowsers(process),
      (process, host, at) => this.lease(process, host, at),
    );
    this.homeCalls = new HomeCalls(
      this.records,
      {
        lease: (process, host) => this.lease(process, host, this.records.now),
        place: () => this.placing.place(this.records.now),
        end: (process, report, state) => this.end(process, report, state, this.records.now),
      },
      settings,
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
  processesOfPart(job: number, part: number): ProcessRecord[] {
    return this.records.processesOfPart(partKey(job, part));
  }
  /** @throws NS_NO_SUCH_JOB, NS_NO_SUCH_PART */
  part(job: number, number: number): Part {
    return this.records.part(job, number);
  }
  /** All parts of a job, by number. */
  partsOf(job: number): Part[] {
    const { parts } = this.records.job(job);
    return Array.from({ length: parts.total }, (_, at) => this.records.part(job, at + 1));
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
    const total = countParts(spec.sweep);
    const job: Job = {
      id,
      spec,
      root: 0,
      state: "running",
      report: null,
      submittedAt: now,
      endedAt: null,
      stdoutBytes: 0,
      stderrBytes: 0,
      stdinBytes: 0,
      processes: 0,
      migrations: 0,
      migratedRunning: 0,
      migratedProcesses: 0,
      restarts: 0,
      freezesMs: [],
      migrationBytes: 0,
      migrationMessages: 0,
      parts: { total, done: 0, failed: 0 },
      since: { at: now, ended: 0 },
      files: 0,
      by,
    };
    this.records.newJob(job);
    for (let number = 1; number <= total; number++) {
      const part: Part = {
        ...{ job: id, number, root: 0, state: "running", report: null, tries: 0, endedAt: null },
        ...{ stdoutBytes: 0, stderrBytes: 0, files: {} },
      };
      this.begin(job, part);
      this.records.newPart(part);
      if (number === 1) job.root = part.root;
    }
    this.placing.place(now);
    return job;
  }

  /** The part's first process, from the start. Its random is that of every other try: with the same input it does the same. */
  private begin(job: Job, part: Part): void {
    const seed = `${job.spec.seed ?? job.id}`;
    const process = this.records.newProcess(0, job.id, part.number, job.spec.sweep ? `${seed}/${part.number}` : seed);
    part.root = process.pid;
    part.state = "running";
    part.tries++;
    job.processes++;
    this.records.queue.add(process);
  }

  /**
   * Parts that have ended, but not well, begin anew. What they wrote before is forgotten.
   * @param parts null: all such parts; otherwise these, which must be such @returns how many
   * @throws NS_NO_SUCH_JOB, NS_NO_SUCH_PART, NS_NOTHING_TO_RETRY, NS_INPUT_GONE
   */
  retry(id: number, parts: readonly number[] | null, now: number): number {
    this.records.now = now;
    const job = this.records.job(id);
    if (job.stdinBytes > 0) throw new NightshiftError("NS_INPUT_GONE", `job ${id} was sent standard input, which is not kept`);
    const named = parts === null ? this.partsOf(id) : [...new Set(parts)].map((number) => this.records.part(id, number));
    const failed = named.filter((part) => part.state !== "running" && !isDone(part));
    const other = named.find((part) => !failed.includes(part));
    if (parts !== null && other)
      throw new NightshiftError(
        "NS_NOTHING_TO_RETRY",
        `part ${other.number} of job ${id} has ${other.state === "running" ? "not ended" : "succeeded"}`,
      );
    if (failed.length === 0) throw new NightshiftError("NS_NOTHING_TO_RETRY", `no part of job ${id} has failed`);
    for (const part of failed) {
      job.stdoutBytes -= part.stdoutBytes;
      job.stderrBytes -= part.stderrBytes;
      job.files -= Object.keys(part.files).length;
      job.parts.failed--;
      Object.assign(part, { report: null, endedAt: null, stdoutBytes: 0, stderrBytes: 0, files: {} });
      this.records.forgetOutput(part);
      this.begin(job, part);
      this.records.changedPart(part);
      if (part.number === 1) job.root = part.root;
    }
    const since = { at: now, ended: job.parts.done + job.parts.failed };
    Object.assign(job, { state: "running", report: null, endedAt: null, since });
    this.records.changedJob(job);
    this.placing.place(now);
    return failed.length;
  }

  /** @returns how many bytes were taken; the rest is to be sent again when a `stdin` effect says that there is room. */
  stdin(job: number, offset: number, bytes: Uint8Array, end: boolean): number {
    return this.homeCalls.stdin(job, offset, bytes, end);
  }

  /** @returns how many processes it ended */
  cancel(target: { pid: number } | { job: number; part?: number }, now: number): number {
    this.records.now = now;
    const alive = this.targets(target).filter((process) => !isEnded(process));
    if (alive.length === 0) {
      const what = "pid" in target ? `process ${target.pid}` : `${target.part ? `part ${target.part} of ` : ""}job ${target.job}`;
      throw new NightshiftError("NS_NOT_RUNNING", `${what} has ended already`);
    }
    for (const process of alive) this.end(process, { kind: "signal", signal: 15 }, "cancelled", now);
    this.placing.place(now);
    return alive.length;
  }

  private targets(target: { pid: number } | { job: number; part?: number }): ProcessRecord[] {
    if ("pid" in target) return [this.records.process(target.pid)];
    const { id } = this.records.job(target.job);
    if (target.part === undefined) return this.records.processesOf(id);
    return this.records.processesOfPart(partKey(id, this.records.part(id, target.part).number));
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
    if (!takes(host)) throw new NightshiftError("NS_HOST_UNAVAILABLE", `${host.name} is ${whyNot(host)}`);
    if (isEnded(process)) throw new NightshiftError("NS_NOT_RUNNING", `process ${pid} has ended already`);
    if (!fits(host, this.keepsOffBrowsers(process)))
      throw new NightshiftError("NS_HOST_UNAVAILABLE", `process ${pid} cannot run in a browser, which ${host.name} is`);
    if (!mayBeOn(this.placing.specOf(process), host))
      throw new NightshiftError("NS_HOST_UNAVAILABLE", `process ${pid} is of a job that is for certain other hosts only`);
    const { pinned } = this.placing.specOf(process);
    if (pinned !== undefined && process.host !== null && process.host !== host.id)
      throw new NightshiftError("NS_NOT_MIGRATABLE", `process ${pid} is pinned to its host: ${pinned}`);
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

  /** Why processes of the job wait for a host; undefined when none does. */
  waiting(id: number): WaitReason | undefined {
    const [pid] = this.records.queue.of(id);
    if (pid === undefined) return undefined;
    const process = this.records.process(pid);
    return whyWaiting(this.records.hosts.values(), this.records.job(id), process, this.keepsOffBrowsers(process));
  }

  /** Processes of the job that have not ended. */
  aliveOf(job: number): number {
    return this.records.aliveOf(job);
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
    this.placing.place(now);
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
    const known = this.records.hosts.get(id) ?? { name: info.name, ...NOTHING_SAID };
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
        if (process.state === "migrating") this.records.send(id, { type: "release", pid, epoch, reason: "moved" });
      } else lost.push({ pid, epoch });
    }
    for (const process of this.records.alive.values())
      if (process.host === id && !current.has(process.pid) && !isEnded(process)) this.requeue(process);
    this.placing.place(now);
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
    for (const process of this.records.alive.values()) if (process.host === id && !isEnded(process)) this.requeue(process);
    this.placing.place(now);
  }

  /** The host is gone for good: its key was revoked. */
  hostRemoved(id: string, now: number): void {
    this.hostLeft(id, now);
    this.records.hosts.delete(id);
  }

  private load(host: Host, message: AgentMessage<"load">, now: number): void {
    if (worthShowing(host, message)) this.records.changedHost(host.id);
    host.info = { ...host.info, slots: message.slots };
    const pauses = host.paused === null && message.paused !== null;
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
    if (pauses && message.keepMs > 0) this.lookAhead(host);
    this.expel(host, now);
    this.placing.place(now);
    this.balance(now);
  }

  /** The owner is back, and may leave again: where processes will go if not is told of their programs, so that they go on at once there. */
  private lookAhead(host: Host): void {
    for (const process of this.records.alive.values())
      if (process.host === host.id && !isEnded(process)) this.prepared(this.leastLoaded(process, host.id), process);
  }

  /**
   * The host is to be kept clear, or the owner is back and has stayed for the time that the host keeps its processes: they go elsewhere. Where
   * nobody can take them, as when all the office is at work, they compute on in the first case; in the second they wait here as images, as
   * the memory they would stand in is the owner's.
   */
  private expel(host: Host, now: number): void {
    const ownerStays = host.paused !== null && now >= host.keepUntil;
    if (!host.drained && !ownerStays) return;
    const reason = host.drained ? "the host is to be kept clear" : "the owner is back";
    for (const process of this.records.alive.values()) {
      if (process.host !== host.id || isEnded(process) || process.state === "migrating") continue;
      const to = this.leastLoaded(process, host.id)?.id ?? null;
      if (to !== null || ownerStays) this.release(process, to, reason);
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
    process.earnedAt = now;
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
      work: this.records.workOf(process),
      image: process.image,
      result,
    });
    this.homeCalls.repeatStop(process, true);
  }

  private setRunning(process: ProcessRecord): void {
    process.state = "running";
    this.records.changed(process);
  }

  /** @param destination null: whoever can take it by then, or nobody for the time being */
  private release(process: ProcessRecord, destination: string | null, reason: string): void {
    process.destination = destination;
    process.state = "migrating";
    this.records.changed(process);
    if (process.host === null) return;
    this.records.hosts.get(process.host)?.releasing.add(process.pid);
    if (destination !== null) this.prepared(this.records.hosts.get(destination), process);
    this.records.send(process.host, { type: "release", pid: process.pid, epoch: process.epoch, reason });
  }

  /** Back to the queue, to go on from its last image (or from the start). @param began whether it did anything there, to be done again */
  private requeue(process: ProcessRecord, began = process.state !== "leased"): void {
    if (process.host !== null) this.records.hosts.get(process.host)?.releasing.delete(process.pid);
    const job = this.records.jobs.get(process.job);
    if (job && began) {
      process.lost = true;
      job.restarts++;
      this.records.changedJob(job);
    }
    process.host = null;
    process.destination = null;
    process.waiting = null;
    process.state = "queued";
    this.frozenAt.delete(process.pid);
    this.records.queue.add(process);
    this.records.changed(process);
  }

  /**
   * Pinned ones do, as tabs are closed at any time, and Firefox 153 sometimes loses the whole tab in which a program waits the way they do
   * (wasm-kernels/process/pinned.ts).
   */
  private keepsOffBrowsers(process: ProcessRecord): boolean {
    return this.deep.has(process.pid) || this.placing.specOf(process).pinned !== undefined;
  }

  private suits(host: Host, process: ProcessRecord): boolean {
    return fits(host, this.keepsOffBrowsers(process)) && mayBeOn(this.placing.specOf(process), host);
  }

  private balance(now: number): void {
    if (!this.settings.balance) return;
    const moves = planMoves(
      [...this.records.hosts.values()],
      computingOn(this.records.alive.values()),
      (process) => !process.placedByHand && !this.deep.has(process.pid) && !keeps(this.placing.specOf(process)),
      now,
      (process, host) => mayBeOn(this.placing.specOf(process), host),
      this.records.queue.size > 0,
    );
    for (const { pid, to } of moves) {
      const process = this.records.process(pid);
      if (this.prepared(this.records.hosts.get(to), process)) this.release(process, to, "balancing");
    }
  }

  /**
   * Whether the process would find its program there. If not, the host is told to fetch and compile it, seconds for megabytes of code: who
   * moves for the sake of speed computes on until then, and who has to leave does so meanwhile.
   */
  private prepared(host: Host | undefined, process: ProcessRecord): boolean {
    if (!host?.info.prepares) return true;
    const { program } = this.placing.specOf(process);
    const known = host.programs.get(program);
    if (known) return known === "ready";
    remember(host, program, "told");
    this.records.send(host.id, { type: "prepare", program });
    return false;
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
      this.requeue(process);
    }
    for (const host of this.records.hosts.values()) this.expel(host, now);
    this.placing.place(now);
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
    if (message.type === "load") return this.load(host, message, now);
    if (message.type === "prepared" && host.programs.has(message.program)) {
      host.programs.set(message.program, "ready");
      return this.balance(now);
    }
    if (!("pid" in message)) return; // not about a process
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
        this.keepImage(process, host, message.image);
        return this.records.send(hostId, {
          type: "checkpointAck",
          pid: process.pid,
          epoch: process.epoch,
          hash: message.image.hash,
        });
      case "askPrinted":
        return; // answered from the store (server/printed.ts)
      case "frozen":
        this.frozenAt.set(process.pid, now);
        return;
      case "surrender":
        return this.surrender(process, host, message, now);
      case "started":
        return this.started(process, host, now);
      case "refused":
        return this.refused(process, host, message, now);
      case "exited":
        return this.exited(process, host, message, now);
    }
  }

  private output(process: ProcessRecord, message: AgentMessage<"output">): void {
    const seen = message.stream === 1 ? process.outputBytes : process.errorBytes;
    const job = this.records.job(process.job);
    const part = this.records.partOf(process);
    if (message.offset <= seen) {
      const bytes = message.bytes.subarray(seen - message.offset);
      if (bytes.length > 0) {
        const { pid } = process;
        const { stream } = message;
        const offset = stream === 1 ? part.stdoutBytes : part.stderrBytes;
        if (stream === 1) {
          process.outputBytes += bytes.length;
          part.stdoutBytes += bytes.length;
          job.stdoutBytes += bytes.length;
        } else {
          process.errorBytes += bytes.length;
          part.stderrBytes += bytes.length;
          job.stderrBytes += bytes.length;
        }
        this.records.effect({ kind: "output", job: job.id, part: part.number, pid, stream, offset, bytes });
        this.records.changed(process);
        this.records.changedPart(part);
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

  private keepImage(process: ProcessRecord, host: Host, image: ImageRef): void {
    this.earn(process, host, image.cpuMs);
    process.image = image;
    process.cpuMs = image.cpuMs;
    this.records.forgetAnswers(process, image.syscalls);
    this.records.changed(process);
  }

  /** What the process computed since it was last kept is about to be kept with this processor time. */
  private earn(process: ProcessRecord, host: Host, cpuMs: number): void {
    const { now } = this.records;
    const gain = earned(host, cpuMs, process.image?.cpuMs ?? 0, now - (process.earnedAt ?? process.startedAt));
    process.earnedAt = now;
    if (gain) this.records.earn(gain);
  }

  private surrender(process: ProcessRecord, from: Host, message: AgentMessage<"surrender">, now: number): void {
    this.keepImage(process, from, message.image);
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
      this.frozenAt.delete(process.pid); // it waits for a host, as before its first: no part of a move
      this.records.queue.add(process);
      this.records.changed(process);
      this.placing.place(now);
    }
  }

  private started(process: ProcessRecord, host: Host, now: number): void {
    remember(host, this.placing.specOf(process).program, "ready");
    const frozen = this.frozenAt.get(process.pid);
    if (frozen !== undefined) {
      this.frozenAt.delete(process.pid);
      const job = this.records.job(process.job);
      job.freezesMs.push(now - frozen);
      if (job.freezesMs.length > MAX_FREEZES) job.freezesMs.shift();
      this.records.changedJob(job);
    }
    if (process.state === "leased") this.setRunning(process);
    delete process.lost;
    this.balance(now);
  }

  private refused(process: ProcessRecord, host: Host, message: AgentMessage<"refused">, now: number): void {
    if (message.code === "NS_NOT_BEGUN") {
      const wanted = process.destination === null ? undefined : this.records.hosts.get(process.destination);
      this.requeue(process, false);
      return wanted && usable(wanted) ? this.lease(process, wanted, now) : this.placing.place(now);
    }
    if (message.code === "NS_HOST_UNAVAILABLE" || message.code === "NS_CONNECTION_LOST") return this.requeue(process);
    if (message.code === "NS_ENGINE_LACKS" && this.elsewhere(process, host, now)) return;
    this.end(process, { kind: "fault", code: message.code, message: message.message, wasmStack: [] }, "failed", now);
    this.placing.place(now);
  }

  private exited(process: ProcessRecord, host: Host, message: AgentMessage<"exited">, now: number): void {
    host.releasing.delete(process.pid);
    process.cpuMs = message.cpuMs;
    if (message.report.kind === "fault" && message.report.code === "NS_STACK_OVERFLOW" && this.elsewhere(process, host, now))
      return;
    this.earn(process, host, message.cpuMs);
    this.keepFiles(this.records.partOf(process), message.files);
    this.end(process, message.report, message.report.kind === "exit" ? "exited" : "failed", now);
    this.placing.place(now);
    this.balance(now);
  }

  private keepFiles(part: Part, written: AgentMessage<"exited">["files"]): void {
    const before = Object.keys(part.files).length;
    for (const [path, file] of Object.entries(written)) {
      if (file) part.files[path] = file;
      else delete part.files[path];
    }
    this.records.changedPart(part);
    const job = this.records.job(part.job);
    job.files += Object.keys(part.files).length - before;
    this.records.changedJob(job);
  }

  /**
   * It may be the browser's stack that was too small, not the program that has no end, or the browser that does not know what the program is made of:
   * if there is a host that is none, the process goes on there, and from then on keeps to such hosts.
   */
  private elsewhere(process: ProcessRecord, host: Host, now: number): boolean {
    if (!host.info.smallStack) return false;
    if (![...this.placing.hostsFor(process)].some(({ online, info }) => online && !info.smallStack)) return false;
    this.deep.add(process.pid);
    this.records.send(host.id, { type: "drop", pid: process.pid, epoch: process.epoch });
    this.requeue(process);
    this.placing.place(now);
    return true;
  }

  /** The process is over, one way or another; tells its host to forget it, its parent, and those who wait. */
  private end(process: ProcessRecord, report: ExitReport, state: "exited" | "failed" | "cancelled", now: number): void {
    this.records.send(process.host, { type: "drop", pid: process.pid, epoch: process.epoch });
    if (process.host !== null) this.records.hosts.get(process.host)?.releasing.delete(process.pid);
    process.state = state;
    process.report = report;
    process.destination = null;
    process.waiting = null;
    this.records.forgetAnswers(process, Number.MAX_SAFE_INTEGER);
    this.homeCalls.ended(process);
    process.image = null;
    this.records.dead(process);
    this.deep.delete(process.pid);
    this.frozenAt.delete(process.pid);
    this.records.changed(process);
    this.records.effect({ kind: "ended", job: process.job, pid: process.pid, report });
    const part = this.records.partOf(process);
    const key = partKey(part.job, part.number);
    const kernel = this.records.kernel(key);
    if (!kernel) return;
    kernel.exit(process.pid, statusOf(report));
    if (process.pid === part.root) {
      part.report = report;
      this.records.changedPart(part);
    }
    if (kernel.alive === 0) return this.endPart(part, now);
    this.records.changedKernel(key);
    this.homeCalls.retryWaiting(key);
  }

  /** All processes of the part have ended. */
  private endPart(part: Part, now: number): void {
    const root = this.records.process(part.root);
    part.state = root.state === "exited" || root.state === "cancelled" ? root.state : "failed";
    part.endedAt = now;
    this.records.changedPart(part);
    this.records.forgetKernel(partKey(part.job, part.number));
    const job = this.records.job(part.job);
    if (isDone(part)) job.parts.done++;
    else job.parts.failed++;
    this.records.changedJob(job);
    if (job.parts.done + job.parts.failed < job.parts.total) return;
    job.endedAt = now;
    this.placing.ended(job.id);
    const parts = this.partsOf(job.id);
    const first = parts.find((one) => !isDone(one)) ?? part;
    job.report = first.report;
    if (parts.length === 1) job.state = part.state;
    else if (parts.some(({ state }) => state === "cancelled")) job.state = "cancelled";
    else job.state = isDone(first) ? "exited" : "failed";
  }
}

function remember({ programs }: Host, program: string, how: "told" | "ready"): void {
  if (programs.size >= MAX_KNOWN_PROGRAMS) programs.clear();
  programs.set(program, how);
}

/** Whether balancing leaves its processes where they are. */
const keeps = ({ stay, pinned }: JobSpec): boolean => stay || pinned !== undefined;

const asConnected = (id: string, settings: HostSettings, info: HostInfo, now: number): Host => ({
  id,
  ...{ name: settings.name, tags: settings.tags, drained: settings.drained, stay: settings.stay, block: settings.block },
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
  programs: new Map(),
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

/** Why a host takes no processes. */
export const whyNot = (host: Host): string =>
  !host.online || host.silent
    ? "offline"
    : host.drained
      ? "kept clear"
      : host.paused !== null
        ? `paused (${host.paused})`
        : "blocked: it takes nothing new";
