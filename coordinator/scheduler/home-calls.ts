// Calls that only the home of a process can answer: fork, wait, kill and pipes, stdin among them. Each is answered once per sequence number
// and process; the kernel of the job says what the answer is, this says to whom and when.
import { exitStatus, type Kernel, type PipeEnd, signalOfFault, signalStatus } from "@nightshift/wasm-kernels/process";
import { seedOfFork } from "@nightshift/wasm-kernels/wasi";
import type { ExitReport, FromAgent, Syscall, SyscallResult } from "../protocol/messages.ts";
import { usable } from "./placement.ts";
import type { Records } from "./records.ts";
import { type Host, isEnded, type PartKey, type ProcessRecord, partKey } from "./state.ts";

/** WASI errno EAGAIN, negated: too many processes. */
const TOO_MANY = -6;
/** Of an answer that is kept, beside the bytes in it. */
const ROW_BYTES = 64;
/** All pinned processes together may have this many times what one may. */
const ALL_KEPT = 4;
const SIGNAL = { stop: 19, continue: 18 } as const;

/** What only the core can do. */
export interface Lifecycle {
  lease(process: ProcessRecord, host: Host): void;
  place(): void;
  end(process: ProcessRecord, report: ExitReport, state: "failed"): void;
}

/** See CoreSettings. */
type Limits = Readonly<Record<"maxProcessesPerJob" | "maxKeptBytes", number>>;

export class HomeCalls {
  private readonly records: Records;
  private readonly lifecycle: Lifecycle;
  private readonly limits: Limits;
  /** Of answers to pinned processes, by pid, and all together. */
  private readonly keptBytes = new Map<number, number>();
  private allKeptBytes = 0;

  constructor(records: Records, lifecycle: Lifecycle, limits: Limits) {
    this.records = records;
    this.lifecycle = lifecycle;
    this.limits = limits;
    for (const process of records.alive.values())
      if (this.isPinned(process)) this.keep(process, sum(Object.values(process.answers).map(sizeOf)));
  }

  private isPinned({ job }: ProcessRecord): boolean {
    return this.records.job(job).spec.pinned !== undefined;
  }

  /** @returns how much is kept for it now */
  private keep({ pid }: ProcessRecord, bytes: number): number {
    const kept = (this.keptBytes.get(pid) ?? 0) + bytes;
    this.keptBytes.set(pid, kept);
    this.allKeptBytes += bytes;
    return kept;
  }

  /** The process is over. */
  ended({ pid }: ProcessRecord): void {
    this.allKeptBytes -= this.keptBytes.get(pid) ?? 0;
    this.keptBytes.delete(pid);
  }

  /** @returns how many bytes were taken; the rest is to be sent again when a `stdin` effect says that there is room. */
  stdin(jobId: number, offset: number, bytes: Uint8Array, end: boolean): number {
    const job = this.records.job(jobId);
    const key = partKey(jobId, 1);
    const kernel = this.records.kernel(key);
    if (!kernel || job.parts.total > 1) return bytes.length;
    const fresh = bytes.subarray(Math.max(0, job.stdinBytes - offset));
    const taken = offset > job.stdinBytes ? 0 : kernel.writeStdin(fresh);
    job.stdinBytes += taken;
    if (end && taken === fresh.length && offset <= job.stdinBytes) kernel.endStdin();
    this.records.changedJob(job);
    this.records.changedKernel(key);
    this.retryWaiting(key);
    return offset > job.stdinBytes ? 0 : bytes.length - fresh.length + taken;
  }

  syscall(process: ProcessRecord, message: Extract<FromAgent, { type: "syscall" }>): void {
    const known = process.answers[message.seq];
    if (known)
      return this.records.send(process.host, {
        type: "syscallResult",
        pid: process.pid,
        epoch: process.epoch,
        seq: message.seq,
        result: known,
      });
    if (message.call.call === "fork") return this.fork(process, message.seq, message.call.image);
    const first = process.waiting?.seq !== message.seq;
    process.waiting = { seq: message.seq, call: message.call };
    if (first) this.records.changed(process);
    this.retryWaiting(keyOf(process), process);
    if (process.waiting) this.lifecycle.place();
  }

  pipeClosed(process: ProcessRecord, end: PipeEnd): void {
    const key = keyOf(process);
    this.records.kernel(key)?.close(process.pid, end);
    this.records.changedKernel(key);
    this.retryWaiting(key);
  }

  private fork(process: ProcessRecord, seq: number, image: string): void {
    const job = this.records.job(process.job);
    const key = keyOf(process);
    const kernel = this.records.kernel(key);
    // Each part may have as many as a job of one part, but not all parts at once.
    const most = this.limits.maxProcessesPerJob;
    if (!kernel || kernel.alive >= most || this.records.aliveOf(job.id) >= most + job.parts.total - 1)
      return this.answer(process, seq, { value: TOO_MANY });
    const child = this.records.newProcess(process.pid, job.id, process.part, seedOfFork(process.seed, process.forks++));
    const { pid } = child;
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
    this.records.answered(child, seq, { value: 0 });
    job.processes++;
    this.records.changedJob(job);
    this.records.changedKernel(key);
    // It begins where its parent is: the image need not travel, and balancing moves what is too much for one host.
    this.answer(process, seq, { value: pid });
    const host = process.host === null ? undefined : this.records.hosts.get(process.host);
    if (host && usable(host)) return this.lifecycle.lease(child, host);
    this.records.queue.add(child);
    this.lifecycle.place();
  }

  private answer(process: ProcessRecord, seq: number, result: SyscallResult): void {
    this.records.answered(process, seq, result);
    process.waiting = null;
    this.records.changed(process);
    if (this.mayKeep(process, result))
      this.records.send(process.host, { type: "syscallResult", pid: process.pid, epoch: process.epoch, seq, result });
  }

  /** Whether the answer, just kept, is not one too many; if it is, the process is ended. */
  private mayKeep(process: ProcessRecord, result: SyscallResult): boolean {
    if (!this.isPinned(process)) return true;
    const most = this.limits.maxKeptBytes;
    const kept = this.keep(process, sizeOf(result));
    const all = this.allKeptBytes;
    if (kept <= most && all <= most * ALL_KEPT) return true;
    const limit =
      kept > most ? `it has read more than ${mib(most)}` : `all such processes have read more than ${mib(most * ALL_KEPT)}`;
    const message = `it is pinned, and ${limit} from stdin and pipes, which are kept for it to begin anew`;
    this.lifecycle.end(process, { kind: "fault", code: "NS_LIMIT", message, wasmStack: [] }, "failed");
    return false;
  }

  /** Tries the calls in which processes of the part wait, until none can be answered any more. */
  retryWaiting(key: PartKey, only?: ProcessRecord): void {
    const kernel = this.records.kernel(key);
    if (!kernel) return;
    let pending: ProcessRecord[] = only ? [only] : this.records.processesOfPart(key);
    for (;;) {
      let answered = 0;
      for (const process of pending) {
        const { waiting } = process;
        if (!waiting || isEnded(process) || waiting.call.call === "fork") continue;
        const answer = kernel.call(process.pid, waiting.call as Exclude<Syscall, { call: "fork" }>);
        this.carryOut(kernel);
        if (answer.kind === "wait" || isEnded(process)) continue;
        if (answer.result.value >= 0) this.records.changedKernel(key);
        if (waiting.call.call === "read" && waiting.call.object === 0) this.records.effect({ kind: "stdin", job: process.job });
        this.answer(process, waiting.seq, answer.result);
        answered++;
      }
      if (answered === 0) return;
      pending = this.records.processesOfPart(key);
    }
  }

  /** Tells the process's host anew whether it is stopped: a new host cannot know, and a signal may have been lost with a connection. */
  repeatStop(process: ProcessRecord, onlyIfStopped: boolean): void {
    const stopped = this.records.kernel(keyOf(process))?.isStopped(process.pid) ?? false;
    if (stopped || !onlyIfStopped) this.signal(process, stopped ? "stop" : "continue");
  }

  private signal(process: ProcessRecord, kind: keyof typeof SIGNAL): void {
    const { pid, epoch } = process;
    this.records.send(process.host, { type: "signal", pid, epoch, signal: SIGNAL[kind] });
  }

  /** Signals sent by the call just made. */
  private carryOut(kernel: Kernel): void {
    for (const effect of kernel.effects.splice(0)) {
      const target = this.records.processes.get(effect.pid);
      if (!target || isEnded(target)) continue;
      if (effect.kind === "terminate") this.lifecycle.end(target, { kind: "signal", signal: effect.signal }, "failed");
      else this.signal(target, effect.kind);
    }
  }
}

const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
const sizeOf = ({ bytes }: SyscallResult): number => ROW_BYTES + (bytes?.length ?? 0);
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const keyOf = ({ job, part }: ProcessRecord): PartKey => partKey(job, part);

/** The status word of waitpid() for how a process ended. */
export function statusOf(report: ExitReport): number {
  if (report.kind === "exit") return exitStatus(report.code);
  return signalStatus(report.kind === "signal" ? report.signal : signalOfFault(report.code, report.message));
}
