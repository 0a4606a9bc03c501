// What the processes of one job share: who is whose child, who has ended how, pipes and who holds their ends, signals. Pure: calls in,
// answers and effects out; no clock, no I/O. The coordinator keeps one per job (and makes it durable), a local run keeps one alone.
//
// Invariants: a pipe lives while a process holds an end of it or its bytes can still be read; an ended process is kept until its
// parent has waited for it, or its parent has ended.
import { ERRNO } from "../wasi/errno.ts";
import { type HomeCall, type HomeResult, type PipeEnd, READY } from "./hostcalls.ts";

/** Bytes a pipe holds before writers wait; writes up to PIPE_ATOMIC are never split (POSIX PIPE_BUF). */
export const PIPE_BYTES = 64 * 1024;
export const PIPE_ATOMIC = 4096;
/** The job's stdin: written from outside. */
export const STDIN = 0;
const MAX_PIPES = 4096;
const MIN_BUFFER_BYTES = 1024;

export interface KernelProcess {
  pid: number;
  /** 0 when it has none any more. */
  parent: number;
  /** Status word as waitpid() gives it, once ended. */
  status: number | null;
  /** Ends of pipes it holds, as "object:r" or "object:w". */
  ends: string[];
  stopped: boolean;
  /** Status word of the last stop or continuation that its parent has not been told of. */
  change?: number | undefined;
}

export interface Pipe {
  object: number;
  bytes: Uint8Array;
  /** stdin only: the outside has not closed it yet. */
  outsideWriter: boolean;
}

export interface KernelState {
  processes: KernelProcess[];
  pipes: Pipe[];
  nextPipe: number;
}

/** What a call makes necessary beside its answer. */
export type KernelEffect =
  | { kind: "terminate"; pid: number; signal: number }
  | { kind: "stop"; pid: number }
  | { kind: "continue"; pid: number };

export type Answer = { kind: "answer"; result: HomeResult } | { kind: "wait" };

const SIGNAL = { kill: 9, stop: 19, continue: 18, terminalStop: 20 } as const;
/** SIGCHLD, SIGURG, SIGWINCH: ignored by default. */
const IGNORED_SIGNALS: ReadonlySet<number> = new Set([17, 23, 28]);
const MAX_SIGNAL = 64;

const answer = (value: number, more: Partial<HomeResult> = {}): Answer => ({ kind: "answer", result: { value, ...more } });
const WAIT: Answer = { kind: "wait" };

export class Kernel {
  private readonly processes = new Map<number, KernelProcess>();
  private readonly pipes = new Map<number, Pipe>();
  private nextPipe = 1;
  /** Effects of the calls since they were last taken. */
  effects: KernelEffect[] = [];

  static start(root: number, stdinOpen: boolean): Kernel {
    const kernel = new Kernel();
    kernel.processes.set(root, { pid: root, parent: 0, status: null, ends: [`${STDIN}:r`], stopped: false });
    kernel.pipes.set(STDIN, { object: STDIN, bytes: new Uint8Array(0), outsideWriter: stdinOpen });
    return kernel;
  }

  static load(state: KernelState): Kernel {
    const kernel = new Kernel();
    for (const process of state.processes) kernel.processes.set(process.pid, { ...process, ends: [...process.ends] });
    for (const pipe of state.pipes) kernel.pipes.set(pipe.object, { ...pipe, bytes: new Uint8Array(pipe.bytes) });
    kernel.nextPipe = state.nextPipe;
    return kernel;
  }

  state(): KernelState {
    return { processes: [...this.processes.values()], pipes: [...this.pipes.values()], nextPipe: this.nextPipe };
  }

  /** Answers the call or says that it must wait; a call that waits is to be tried again after any later change. */
  call(pid: number, call: Exclude<HomeCall, { call: "fork" }>): Answer {
    const process = this.processes.get(pid);
    if (!process || process.status !== null) return answer(-ERRNO.ESRCH);
    switch (call.call) {
      case "wait":
        return this.wait(process, call);
      case "kill":
        return this.kill(process, call.target, call.signal);
      case "pipe": {
        if (this.pipes.size >= MAX_PIPES) return answer(-ERRNO.EMFILE);
        const object = this.nextPipe++;
        this.pipes.set(object, { object, bytes: new Uint8Array(0), outsideWriter: false });
        process.ends.push(`${object}:r`, `${object}:w`);
        return answer(object);
      }
      case "read":
        return call.noHang
          ? atOnce(this.read(process, call.object, call.maxBytes))
          : this.read(process, call.object, call.maxBytes);
      case "write":
        return call.noHang ? atOnce(this.write(process, call.object, call.bytes)) : this.write(process, call.object, call.bytes);
      case "poll":
        return this.poll(process, call.ends, call.noHang);
    }
  }

  /** The process holds no descriptor any more for this end. Without effect when that is known already. */
  close(pid: number, { object, end }: PipeEnd): void {
    const process = this.processes.get(pid);
    if (!process) return;
    process.ends = process.ends.filter((held) => held !== `${object}:${end === "read" ? "r" : "w"}`);
    this.dropUnused();
  }

  /** The child inherits every end its parent holds. */
  fork(parent: number, child: number): void {
    const process = this.processes.get(parent);
    this.processes.set(child, { pid: child, parent, status: null, ends: [...(process?.ends ?? [])], stopped: false });
  }

  /** @param status the status word: exit code << 8, or a signal number */
  exit(pid: number, status: number): void {
    const process = this.processes.get(pid);
    if (!process || process.status !== null) return;
    process.status = status;
    process.ends = [];
    for (const child of this.processes.values()) {
      if (child.parent !== pid) continue;
      child.parent = 0;
      if (child.status !== null) this.processes.delete(child.pid);
    }
    if (process.parent === 0) this.processes.delete(pid);
    this.dropUnused();
  }

  /** By SIGSTOP, and not continued yet. */
  isStopped(pid: number): boolean {
    return this.processes.get(pid)?.stopped ?? false;
  }

  get alive(): number {
    let count = 0;
    for (const process of this.processes.values()) if (process.status === null) count++;
    return count;
  }

  /** @returns how many of the bytes were taken; fewer when stdin is full. Taken and forgotten when nobody can read them any more. */
  writeStdin(bytes: Uint8Array): number {
    const pipe = this.pipes.get(STDIN);
    if (!pipe) return bytes.length;
    const taken = bytes.subarray(0, Math.max(0, PIPE_BYTES - pipe.bytes.length));
    pipe.bytes = appended(pipe.bytes, taken);
    return taken.length;
  }

  endStdin(): void {
    const pipe = this.pipes.get(STDIN);
    if (pipe) pipe.outsideWriter = false;
  }

  private holders(object: number, end: "r" | "w"): boolean {
    const wanted = `${object}:${end}`;
    for (const process of this.processes.values()) if (process.ends.includes(wanted)) return true;
    return false;
  }

  private dropUnused(): void {
    for (const object of this.pipes.keys())
      if (!this.holders(object, "r") && !this.holders(object, "w")) this.pipes.delete(object);
  }

  private wait(process: KernelProcess, call: Extract<HomeCall, { call: "wait" }>): Answer {
    const { target } = call;
    if (target < -1) return answer(-ERRNO.ECHILD);
    let children = 0;
    for (const child of this.processes.values()) {
      if (child.parent !== process.pid || (target > 0 && child.pid !== target)) continue;
      children++;
      if (child.status !== null) {
        this.processes.delete(child.pid);
        return answer(child.pid, { status: child.status });
      }
      const { change } = child;
      if (change === undefined || !(change === CONTINUED_STATUS ? call.continued : call.untraced)) continue;
      child.change = undefined;
      return answer(child.pid, { status: change });
    }
    if (children === 0) return answer(-ERRNO.ECHILD);
    return call.noHang ? answer(0) : WAIT;
  }

  private kill(sender: KernelProcess, target: number, signal: number): Answer {
    if (signal < 0 || signal > MAX_SIGNAL) return answer(-ERRNO.EINVAL);
    const targets =
      target === 0 ? [...this.processes.values()] : [this.processes.get(target)].filter((process) => process !== undefined);
    if (targets.length === 0) return answer(-ERRNO.ESRCH);
    if (signal === 0 || IGNORED_SIGNALS.has(signal)) return answer(0);
    for (const process of targets.filter((candidate) => candidate.status === null)) {
      if (signal === SIGNAL.stop || signal === SIGNAL.terminalStop) {
        if (!process.stopped) process.change = stoppedStatus(signal);
        process.stopped = true;
        this.effects.push({ kind: "stop", pid: process.pid });
      } else if (signal === SIGNAL.continue) {
        if (process.stopped) process.change = CONTINUED_STATUS;
        process.stopped = false;
        this.effects.push({ kind: "continue", pid: process.pid });
      } else this.effects.push({ kind: "terminate", pid: process.pid, signal });
    }
    // A process that has just killed itself never sees the answer.
    return sender.status === null ? answer(0) : WAIT;
  }

  private poll(process: KernelProcess, ends: readonly PipeEnd[], noHang: boolean): Answer {
    const bytes = new Uint8Array(4 * ends.length);
    const view = new DataView(bytes.buffer);
    let ready = 0;
    ends.forEach(({ object, end }, k) => {
      const bits = this.readiness(process, object, end === "read" ? "r" : "w");
      view.setUint32(4 * k, bits, true);
      if (bits >= READY.ready) ready++;
    });
    return ready > 0 || noHang ? answer(ready, { bytes }) : WAIT;
  }

  private readiness(process: KernelProcess, object: number, end: "r" | "w"): number {
    const pipe = this.pipes.get(object);
    // A call would say at once that this is not its pipe.
    if (!pipe || !process.ends.includes(`${object}:${end}`)) return READY.ready + READY.hangup;
    const closed = end === "r" ? !pipe.outsideWriter && !this.holders(object, "w") : !this.holders(object, "r");
    const count = end === "r" ? pipe.bytes.length : PIPE_BYTES - pipe.bytes.length;
    const ready = closed || count >= (end === "r" ? 1 : PIPE_ATOMIC);
    return (ready ? READY.ready : 0) + (closed ? READY.hangup : 0) + count;
  }

  private read(process: KernelProcess, object: number, maxBytes: number): Answer {
    const pipe = this.pipes.get(object);
    if (!pipe || !process.ends.includes(`${object}:r`)) return answer(-ERRNO.EBADF);
    if (pipe.bytes.length > 0) {
      const bytes = pipe.bytes.slice(0, maxBytes);
      pipe.bytes = pipe.bytes.subarray(bytes.length);
      return answer(bytes.length, { bytes });
    }
    return pipe.outsideWriter || this.holders(object, "w") ? WAIT : answer(0, { bytes: new Uint8Array(0) });
  }

  private write(process: KernelProcess, object: number, bytes: Uint8Array): Answer {
    const pipe = this.pipes.get(object);
    if (!pipe || !process.ends.includes(`${object}:w`)) return answer(-ERRNO.EBADF);
    if (!this.holders(object, "r")) return answer(-ERRNO.EPIPE);
    const room = PIPE_BYTES - pipe.bytes.length;
    if (room === 0 || (bytes.length <= PIPE_ATOMIC && bytes.length > room)) return WAIT;
    const taken = bytes.subarray(0, room);
    pipe.bytes = appended(pipe.bytes, taken);
    return answer(taken.length);
  }
}

/** For who does not want to wait. */
const atOnce = (answered: Answer): Answer => (answered.kind === "wait" ? answer(-ERRNO.EAGAIN) : answered);

/**
 * `more` behind the bytes, in their own buffer where that has room, which is nobody else's: each byte is copied about once, however small the pieces are.
 * What was there is not overwritten, so that a state() taken before stays what it was.
 */
function appended(bytes: Uint8Array, more: Uint8Array): Uint8Array {
  const length = bytes.length + more.length;
  let buffer = bytes;
  if (bytes.byteOffset + length > bytes.buffer.byteLength) {
    buffer = new Uint8Array(Math.max(MIN_BUFFER_BYTES, 2 * length));
    buffer.set(bytes);
  }
  const result = new Uint8Array(buffer.buffer, buffer.byteOffset, length);
  result.set(more, bytes.length);
  return result;
}

/** The status word of waitpid() for an exit code or a signal. */
export const exitStatus = (code: number): number => (code & 0xff) << 8;
export const signalStatus = (signal: number): number => signal & 0x7f;
/** Of a child that has not ended. */
const stoppedStatus = (signal: number): number => (signal << 8) | 0x7f;
const CONTINUED_STATUS = 0xffff;
