// A whole job on this machine: its processes in worker threads, as many at a time as there are threads. Stands for the coordinator
// towards them (fork, wait, pipes, signals, stdin) with the same kernel, and can be saved at any moment: checkpoint() and suspend() stop
// all processes, each at its next poll, so that what is saved is one state of all of them. Pure but for its ports.
//
//     ready -> running -> ready                      preempted: a time slice, a move, a checkpoint
//       ^         |-----> waiting (home call, sleep, output) -> ready
//       |         `-----> gone
//
// A process lies in one thread's memory (its seat) or is an image. It changes seats only while another would be idle, or by migrate().
import { asNightshiftError, type ErrorCode, must, NightshiftError } from "../errors.ts";
import {
  acknowledgeOutput,
  exitStatus,
  type HomeCall,
  type HomeResult,
  Kernel,
  pinnedBecause,
  requestStop,
  type Stop,
  signalOfFault,
  signalStatus,
} from "../process/index.ts";
import { STDIN } from "../process/kernel.ts";
import { ERRNO, seedOfFork } from "../wasi/index.ts";
import type { Checkpoint, JobSpec } from "./checkpoint.ts";
import type { Files, SpawnThread, Thread, ThreadListener, ThreadSetup, Told } from "./thread-protocol.ts";

export type JobReport =
  | Extract<Stop, { kind: "exit" }>
  | (Omit<Extract<Stop, { kind: "fault" }>, "code"> & { code: ErrorCode })
  | { kind: "signal"; signal: number };

export interface JobEnd {
  /** How the first process ended. */
  report: JobReport;
  /** Files that processes changed, null for removed ones; what the last to end left counts. */
  written: Files;
  processes: number;
  moves: number;
  cpuMs: number;
}

export interface JobPorts {
  spawn: SpawnThread;
  /** The program, compiled. */
  module: WebAssembly.Module;
  /** Processes that may compute at the same time. */
  threads: number;
  /** Takes output. false: enough for now; its process waits until `flushed`. */
  write(stream: 1 | 2, bytes: Uint8Array, pid: number): boolean;
  /** Resolves when all output so far has gone out. */
  flushed(): Promise<void>;
  /** The next bytes of stdin, null at its end. Asked only when a process waits for them. */
  stdin(): Promise<Uint8Array | null>;
  /** Calls back after so many milliseconds, unless cancelled by what it returns. */
  after(ms: number, call: () => void): () => void;
  now(): number;
}

interface Seat {
  thread: Thread;
  /** Requests under way, with what is to be done about their replies. */
  busy: number;
  running: Task | null;
  /** Above 0, it is being emptied: nothing is to be run here. */
  held: number;
}

interface Task {
  pid: number;
  parentPid: number;
  seed: string;
  forks: number;
  state: "ready" | "running" | "waiting";
  seat: Seat | null;
  /** While it has no seat; null when it has not begun. */
  image: Uint8Array | null;
  /** The home call it waits for. */
  call: HomeCall | null;
  /** To what it waited for, not handed over yet. */
  answer: HomeResult | null;
  killedBy: number | null;
  cpuMs: number;
  control: SharedArrayBuffer | null;
  /** It was to be stopped before its control memory was known. */
  stopAtOnce: boolean;
  /** Bytes of output it has not been told of that they are out. */
  underway: number;
}

const FIRST_PID = 1;
/** How long a process computes while others of its thread could. */
const QUANTUM_MS = 100;
/** More than a program that goes wrong should have, fewer than a machine cannot bear. */
const MAX_PROCESSES = 1024;
const NONE = new Uint8Array(0);

export class Job implements ThreadListener {
  /** Rejects when the job cannot go on: NS_BAD_IMAGE, NS_MEMORY_LIMIT (it begins with too much), NS_INTERNAL. Never after suspend() or stop(). */
  readonly ended: Promise<JobEnd>;
  private readonly spec: JobSpec;
  private readonly pinned: boolean;
  private readonly ports: JobPorts;
  private readonly setup: ThreadSetup;
  private readonly seats: Seat[] = [];
  private readonly tasks = new Map<number, Task>();
  private readonly kernel: Kernel;
  private readonly written: Files;
  private readonly outputBytes: { 1: number; 2: number };
  private readonly stdin: { position: number; ended: boolean; rest: Uint8Array; asked: boolean };
  private nextPid: number;
  private report: JobReport | null;
  private processes: number;
  private moves: number;
  private cpuMs: number;
  private over = false;
  private settling = false;
  private unsettled = false;
  /** Above 0: nothing is to be run. */
  private pauses = 0;
  private slice: (() => void) | null = null;
  private waiters: (() => void)[] = [];
  private exclusive: Promise<unknown> = Promise.resolve();
  private spare: Thread | null = null;
  private finish: (end: JobEnd) => void = () => undefined;
  private fail: (error: NightshiftError) => void = () => undefined;

  private constructor(spec: JobSpec, ports: JobPorts, from: Checkpoint | null) {
    this.spec = spec;
    this.pinned = pinnedBecause(spec.program) !== undefined;
    this.ports = ports;
    this.kernel = from ? Kernel.load(from.kernel) : Kernel.start(FIRST_PID, true);
    this.written = new Map(from?.written);
    this.outputBytes = from ? { ...from.output } : { 1: 0, 2: 0 };
    this.stdin = { ...(from?.stdin ?? { position: 0, ended: false, rest: NONE }), asked: false };
    this.nextPid = from?.nextPid ?? FIRST_PID + 1;
    this.report = from?.report ?? null;
    this.processes = from?.processesSoFar ?? 1;
    this.moves = from?.moves ?? 0;
    this.cpuMs = from?.cpuMs ?? 0;
    const { hash, program, args, env, files, clock, memoryLimitBytes } = spec;
    this.setup = {
      hash,
      program,
      module: ports.module,
      args,
      env,
      clock,
      memoryLimitBytes,
      files: new Map([...files].map(([path, bytes]) => [path, shared(bytes)])),
    };
    this.ended = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    for (const known of from?.processes ?? [
      { pid: FIRST_PID, parentPid: 0, seed: "1", forks: 0, cpuMs: 0, answer: null, image: null },
    ])
      this.tasks.set(known.pid, newTask(known));
    for (let n = 0; n < ports.threads; n++) this.seats.push({ thread: this.spawn(), busy: 0, running: null, held: 0 });
    this.schedule();
  }

  static start(spec: JobSpec, ports: JobPorts): Job {
    return new Job(spec, ports, null);
  }

  /** Goes on where the checkpoint was taken. Bad images are found when they are first run: see `ended`. */
  static resume(checkpoint: Checkpoint, ports: JobPorts): Job {
    return new Job(checkpoint.job, ports, checkpoint);
  }

  // ---- from outside

  /** The job as it is at one moment; it goes on after. Null when it has ended. */
  checkpoint(): Promise<Checkpoint | null> {
    return this.alone(async () => {
      await this.pause();
      const state = await this.state();
      this.goOn();
      return state;
    });
  }

  /** As checkpoint(), but it does not go on; `goOn` lets it, should the checkpoint not be kept. */
  suspend(): Promise<{ checkpoint: Checkpoint; goOn(): void } | null> {
    return this.alone(async () => {
      await this.pause();
      const checkpoint = await this.state();
      return checkpoint && { checkpoint, goOn: () => this.goOn() };
    });
  }

  /**
   * The processes of one thread, a computing one where there is one, go on in a fresh thread from their images. They stop when that thread
   * has started, which takes longer than moving. Resolves when they compute again, so that who moves them over and over lets them get on.
   * @param random which; from 0 to below 1
   */
  migrate(random: number): Promise<void> {
    return this.alone(async () => {
      this.spare ??= this.spawn();
      await this.spare.ready; // the processes compute on until then
      if (this.over) return;
      const taken = this.seats.filter((seat) => [...this.tasks.values()].some((task) => task.seat === seat));
      const computing = taken.filter(({ running }) => running);
      const seats = computing.length > 0 ? computing : taken;
      const seat = seats[Math.floor(random * seats.length)];
      if (!seat) return;
      seat.held++;
      const { spare } = this;
      this.stopRunning(seat);
      await this.occupyNext(seat, async () => {
        for (const task of this.tasks.values()) if (task.seat === seat) await this.unseat(task, seat);
        if (this.over) return;
        seat.thread.terminate();
        seat.thread = spare;
        this.spare = null;
        seat.held--;
      });
      while (!this.over && seat.running && !seat.running.control) await this.wake();
    });
  }

  /** Ends the threads at once; nothing is told any more. */
  stop(): void {
    this.over = true;
    this.slice?.();
    for (const { thread } of this.seats) thread.terminate();
    this.spare?.terminate();
    this.wakeAll();
  }

  /**
   * One after the other: each of these stops and moves processes.
   * @throws NS_NOT_MIGRATABLE
   */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.pinned) throw new NightshiftError("NS_NOT_MIGRATABLE", "the program is pinned: it can be neither moved nor saved");
    const done = this.exclusive.then(work);
    this.exclusive = done.catch(() => undefined);
    return done;
  }

  private async pause(): Promise<void> {
    this.pauses++;
    for (const seat of this.seats) this.stopRunning(seat);
    await this.idle(this.seats);
  }

  private goOn(): void {
    this.pauses--;
    this.schedule();
  }

  /**
   * While paused: images first, as they take time and cannot change, then at once all that events from outside (stdin, time) might
   * change meanwhile.
   */
  private async state(): Promise<Checkpoint | null> {
    const images = new Map<number, Uint8Array | null>();
    await Promise.all(
      [...this.tasks.values()].map(async (task) =>
        images.set(task.pid, task.seat ? await this.capture(task, task.seat, false) : task.image),
      ),
    );
    if (this.over || this.tasks.size === 0) return null;
    const { position, ended, rest } = this.stdin;
    return {
      job: this.spec,
      savedAtMs: this.ports.now(),
      kernel: structuredClone(this.kernel.state()),
      processes: [...this.tasks.values()]
        .filter(({ pid }) => images.has(pid))
        .map(({ pid, parentPid, seed, forks, cpuMs, answer }) => ({
          pid,
          parentPid,
          seed,
          forks,
          cpuMs,
          answer,
          image: images.get(pid) ?? null,
        })),
      nextPid: this.nextPid,
      report: this.report,
      processesSoFar: this.processes,
      moves: this.moves,
      cpuMs: this.cpuMs,
      stdin: { position, ended, rest },
      output: { ...this.outputBytes },
      written: new Map(this.written),
    };
  }

  // ---- what the threads tell

  told(event: Exclude<Told, { kind: "ready" }>): void {
    const task = this.tasks.get(event.pid);
    if (this.over || !task) return;
    if (event.kind === "output") return this.output(task, event.stream, event.bytes);
    if (event.kind === "closed") {
      this.kernel.close(event.pid, event.pipe);
      return this.settle();
    }
    task.control = event.control;
    this.wakeAll();
    if (task.stopAtOnce || task.killedBy !== null || this.pauses > 0 || task.seat?.held || this.kernel.isStopped(task.pid))
      requestStop(event.control);
    task.stopAtOnce = false;
  }

  died(error: Error): void {
    this.failed(new NightshiftError("NS_INTERNAL", `a thread of the job ended: ${error.message}`, { cause: error }));
  }

  private failed(error: NightshiftError): void {
    if (this.over) return;
    this.stop();
    this.fail(error);
  }

  private output(task: Task, stream: 1 | 2, bytes: Uint8Array): void {
    this.outputBytes[stream] += bytes.length;
    task.underway += bytes.length;
    if (this.ports.write(stream, bytes, task.pid)) this.outputTaken(task);
    else void this.ports.flushed().then(() => this.outputTaken(task));
  }

  private outputTaken(task: Task): void {
    if (task.control) acknowledgeOutput(task.control, task.underway);
    task.underway = 0;
  }

  // ---- threads

  private spawn(): Thread {
    return this.ports.spawn(this.setup, this);
  }

  /** Work that a thread has a part in: while it lasts, the seat is busy. */
  private async occupy(seat: Seat, work: () => Promise<void>): Promise<void> {
    seat.busy++;
    try {
      await work();
    } catch (thrown) {
      this.failed(asNightshiftError(thrown));
    }
    seat.busy--;
    this.wakeAll();
    this.schedule();
  }

  /** As soon as the seat is idle: of those that wait for that, each finds it as the one before has left it. */
  private async occupyNext(seat: Seat, work: () => Promise<void>): Promise<void> {
    while (!this.over && seat.busy > 0) await this.wake();
    if (!this.over) await this.occupy(seat, work);
  }

  private wakeAll(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }

  private async idle(seats: readonly Seat[]): Promise<void> {
    while (!this.over && seats.some(({ busy }) => busy > 0)) await this.wake();
  }

  /** Until a thread has come to rest, or has begun. */
  private wake(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private stopRunning(seat: Seat): void {
    const { running } = seat;
    if (running?.control) requestStop(running.control);
    else if (running) running.stopAtOnce = true; // its thread is only just starting
  }

  private async capture(task: Task, seat: Seat, leave: boolean): Promise<Uint8Array<ArrayBuffer>> {
    const reply = await seat.thread.ask({ kind: "capture", pid: task.pid, leave });
    if (reply.kind === "captured") return reply.image;
    const error = reply.kind === "failed" ? new NightshiftError(reply.code, reply.message) : undefined;
    throw error ?? new NightshiftError("NS_INTERNAL", "a thread answered another request");
  }

  private async unseat(task: Task, seat: Seat): Promise<void> {
    task.image = await this.capture(task, seat, true);
    task.seat = null;
    task.control = null;
    task.underway = 0; // a restored process counts all it has written as taken
    this.moves++;
  }

  // ---- who runs

  private ready(task: Task): boolean {
    return task.state === "ready" && !this.kernel.isStopped(task.pid);
  }

  private schedule(): void {
    if (this.over || this.pauses > 0) return;
    const free = this.seats.filter((seat) => seat.busy === 0 && seat.held === 0);
    const waiting = [...this.tasks.values()].filter((task) => this.ready(task));
    for (const seat of free) {
      const at = waiting.findIndex((task) => task.seat === null || task.seat === seat);
      const [task] = at < 0 ? [] : waiting.splice(at, 1);
      if (task) void this.occupy(seat, () => this.run(task, seat));
    }
    // Those left lie in threads that are busy. While others are idle, they are taken out of those that go on computing something else.
    const idle = free.filter((seat) => seat.busy === 0).length;
    const elsewhere = waiting.filter(({ seat }) => seat?.running);
    for (const task of elsewhere.slice(0, idle)) if (task.seat) void this.takeOut(task, task.seat);
    if (waiting.length > 0) this.slice ??= this.ports.after(QUANTUM_MS, () => this.nextSlice());
  }

  private nextSlice(): void {
    this.slice = null;
    const waiting = [...this.tasks.values()].filter((task) => this.ready(task));
    for (const seat of this.seats) if (waiting.some((task) => task.seat === null || task.seat === seat)) this.stopRunning(seat);
    this.schedule();
  }

  private async takeOut(task: Task, seat: Seat): Promise<void> {
    if (seat.held > 0) return;
    seat.held++;
    this.stopRunning(seat);
    await this.occupyNext(seat, async () => {
      if (task.seat === seat && this.tasks.has(task.pid) && this.pauses === 0) await this.unseat(task, seat);
      seat.held--;
    });
  }

  private async run(task: Task, seat: Seat): Promise<void> {
    const { pid, parentPid, seed, image, answer } = task;
    const origin = task.seat ? null : { parentPid, seed, image };
    task.state = "running";
    task.seat = seat;
    task.image = null;
    task.answer = null;
    seat.running = task;
    const limit = this.spec.cpuLimitMs;
    const left = Math.max(0, limit - task.cpuMs) + 1;
    const cancel = limit > 0 ? this.inTime(task, seat, left) : undefined;
    const reply = await seat.thread.ask({ kind: "run", pid, origin, answer });
    cancel?.();
    seat.running = null;
    if (this.over) return;
    if (reply.kind === "failed") throw new NightshiftError(reply.code, reply.message);
    if (reply.kind !== "stopped") throw new NightshiftError("NS_INTERNAL", "a thread answered another request");
    this.cpuMs += reply.cpuMs - task.cpuMs;
    task.cpuMs = reply.cpuMs;
    const { stop } = reply;
    if (stop.kind === "exit" || stop.kind === "fault") {
      for (const [path, bytes] of reply.files ?? []) this.written.set(path, bytes);
      return this.gone(task, stop);
    }
    task.state = "ready";
    this.tasks.delete(pid); // behind the others that are ready
    this.tasks.set(pid, task);
    if (task.killedBy !== null) return this.end(task, { kind: "signal", signal: task.killedBy });
    if (stop.kind === "waiting") this.wait(task, stop.reason);
    else if (limit > 0 && task.cpuMs >= limit) return this.end(task, timedOut(limit));
    this.settle();
  }

  /** Ends or stops the process when its thread has computed for so many milliseconds more. @returns what cancels that */
  private inTime(task: Task, seat: Seat, ms: number): () => void {
    if (!this.pinned) return this.ports.after(ms, () => this.stopRunning(seat));
    // It can only be ended with its thread, in which it is alone: not before it has had its time, on however busy a machine.
    const before = seat.thread.cpuMs();
    let cancel = (): void => undefined;
    const look = (afterMs: number): void => {
      cancel = this.ports.after(afterMs, () => void lookAgain());
    };
    const lookAgain = async (): Promise<void> => {
      const left = ms - ((await seat.thread.cpuMs()) - (await before));
      if (this.over || seat.running !== task) return;
      if (left > 0) return look(left);
      seat.thread.terminate();
      this.gone(task, timedOut(this.spec.cpuLimitMs));
    };
    look(ms);
    return () => cancel();
  }

  private wait(task: Task, reason: Extract<Stop, { kind: "waiting" }>["reason"]): void {
    const goOn = (): void => {
      task.state = "ready";
      task.answer = { value: 0 };
      this.schedule();
    };
    task.state = "waiting";
    if (reason.kind === "home") task.call = reason.call;
    else if (reason.kind === "sleep") this.ports.after(reason.ms, goOn);
    else if (reason.kind === "output") void this.ports.flushed().then(goOn);
    else goOn();
  }

  /** A process that is not running ends by something else than its own doing. */
  private end(task: Task, report: JobReport): void {
    const { seat, pid } = task;
    // One that is just being taken out is not there any more, which is as well.
    if (seat) void this.occupyNext(seat, async () => void (await seat.thread.ask({ kind: "forget", pid })));
    this.gone(task, report);
  }

  private gone(task: Task, report: JobReport): void {
    this.tasks.delete(task.pid);
    if (task.pid === FIRST_PID) this.report = report;
    const signal =
      report.kind === "signal" ? report.signal : report.kind === "fault" ? signalOfFault(report.code, report.message) : null;
    this.kernel.exit(task.pid, report.kind === "exit" ? exitStatus(report.code) : signalStatus(signal ?? 0));
    if (this.tasks.size > 0) return this.settle();
    this.stop();
    const { written, processes, moves, cpuMs } = this;
    this.finish({ report: must(this.report, "the first process's end"), written, processes, moves, cpuMs });
  }

  // ---- calls between processes

  /** Answers whoever can be answered now, until nobody can. */
  private settle(): void {
    if (this.settling) {
      this.unsettled = true;
      return;
    }
    this.settling = true;
    do {
      this.unsettled = false;
      this.feedStdin();
      for (const task of [...this.tasks.values()]) this.tryCall(task);
    } while (this.unsettled);
    this.settling = false;
    this.schedule();
  }

  private tryCall(task: Task): void {
    const { call, pid } = task;
    if (!call || !this.tasks.has(pid)) return;
    if (call.call === "fork") {
      task.call = null;
      this.fork(task);
      return;
    }
    const answer = this.kernel.call(pid, call);
    if (answer.kind === "answer") {
      task.call = null;
      task.answer = answer.result;
      task.state = "ready";
      this.unsettled = true;
    }
    const wantsStdin =
      call.call === "read" ? call.object === STDIN : call.call === "poll" && call.ends.some(({ object }) => object === STDIN);
    // One that does not wait finds the bytes when it asks again.
    if (wantsStdin && (answer.kind === "wait" || answer.result.value <= 0)) this.askStdin();
    for (const effect of this.kernel.effects.splice(0)) {
      const target = this.tasks.get(effect.pid);
      if (!target) continue;
      if (effect.kind === "terminate") {
        if (target.state !== "running") this.end(target, { kind: "signal", signal: effect.signal });
        else target.killedBy = effect.signal;
      }
      if (effect.kind !== "continue" && target.state === "running" && target.control) requestStop(target.control);
    }
  }

  private fork(parent: Task): void {
    if (this.tasks.size >= MAX_PROCESSES) {
      parent.answer = { value: -ERRNO.EAGAIN };
      parent.state = "ready";
      return;
    }
    const seat = must(parent.seat, "the seat of the process that forks");
    void this.occupy(seat, async () => {
      const image = await this.capture(parent, seat, false);
      if (this.over || !this.tasks.has(parent.pid)) return;
      const pid = this.nextPid++;
      const seed = seedOfFork(parent.seed, parent.forks++);
      this.tasks.set(
        pid,
        newTask({ pid, parentPid: parent.pid, seed, forks: 0, cpuMs: parent.cpuMs, answer: { value: 0 }, image }),
      );
      this.kernel.fork(parent.pid, pid);
      this.processes++;
      parent.answer = { value: pid };
      parent.state = "ready";
    });
  }

  private feedStdin(): void {
    const { stdin } = this;
    if (stdin.rest.length > 0) stdin.rest = stdin.rest.subarray(this.kernel.writeStdin(stdin.rest));
    if (stdin.ended && stdin.rest.length === 0) this.kernel.endStdin();
  }

  private askStdin(): void {
    const { stdin } = this;
    if (stdin.asked || stdin.ended || stdin.rest.length > 0) return;
    stdin.asked = true;
    void this.ports.stdin().then((bytes) => {
      stdin.asked = false;
      if (this.over) return;
      if (bytes) {
        stdin.rest = bytes;
        stdin.position += bytes.length;
      } else stdin.ended = true;
      this.settle();
    });
  }
}

const timedOut = (limitMs: number): JobReport => ({
  ...{ kind: "fault", code: "NS_TIMEOUT", message: `the program used its ${limitMs / 1000} s of processor time`, wasmStack: [] },
});

function newTask(known: Checkpoint["processes"][number]): Task {
  return { ...known, state: "ready", seat: null, call: null, killedBy: null, control: null, stopAtOnce: false, underway: 0 };
}

/** A copy that threads share instead of having one each. */
function shared(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
