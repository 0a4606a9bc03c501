// One process on this host, from the order to run it until the coordinator lets us forget it. Its life is one loop that looks at what
// is wanted of it and does the next thing; everything that changes what is wanted wakes the loop.
//
//     load -> [ready <-> computing] -> ended --(drop)--> gone
//               ^   \-> waiting (home call, sleep, output) -/
//               \---> surrendered --(drop)--> gone
//
// A pinned one (wasm-kernels/process/pinned.ts) has a thread of its own. It cannot be stopped while it computes: what would stop another for a
// moment is passed over, and when it has to leave, its thread is ended at once and it begins anew elsewhere.
import {
  type ExitReport,
  type FromAgent,
  type ImageRef,
  type ProcessSpec,
  type SyscallResult,
  severalAtOnce,
  type Work,
} from "@nightshift/coordinator/protocol";
import { asNightshiftError, must, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { imageParent, type PipeEnd } from "@nightshift/wasm-kernels/process";
import type { ProcessControl } from "./control.ts";
import { Outbox } from "./outbox.ts";
import type { AgentConnection, Ports, ProcessStatus, RunEnd, WorkerApi } from "./ports.ts";
import type { LoadedProgram } from "./program.ts";
import type { Contender, Slots } from "./slots.ts";
import { type Inhabitant, ProcessThread } from "./thread.ts";

export interface ResidentOrder {
  pid: number;
  parent: number;
  epoch: number;
  spec: ProcessSpec;
  work?: Work | undefined;
  image: ImageRef | null;
  /** Answer to the call the image waits in. */
  result: SyscallResult | null;
}

/** What a resident needs of its agent. */
export interface Surroundings {
  readonly ports: Ports;
  readonly slots: Slots;
  readonly threads: readonly ProcessThread[];
  readonly settings: { quantumMs: number; checkpointMs: number; stopDeadlineMs: number; mtbfMs: number };
  /** undefined while there is no connection. */
  connection(): AgentConnection | undefined;
  load(hash: string): Promise<LoadedProgram>;
  /** The bytes are the caller's. */
  blob(hash: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The image of a fork: the child, if it begins here, need not fetch it. */
  keepBlob(hash: string, bytes: Uint8Array<ArrayBuffer>): void;
  changed(): void;
  gone(resident: Resident): void;
  /** It has printed something, of which the first byte is at this offset of its standard output. */
  printed(resident: Resident, offset: number, bytes: Uint8Array): void;
  /** It has ended and written these files; null: removed. */
  wrote(resident: Resident, files: readonly (Uint8Array | null)[]): void;
  /** The host computes nothing at the moment: nothing begins either. */
  paused(): boolean;
  /** Moreover its owner has just come back and may leave again: processes stay as they are and cost nothing. */
  resting(): boolean;
}

/** A chain of delta images is at most this long; then a full one is taken. */
const MAX_DELTAS = 8;
/** How often an upload looks whether there is a connection again. */
const RETRY_MS = 250;
/** A thread that was told to stop and has used less processor time than this since is not stuck: it waits for the processor. */
const STOP_CPU_MS = 20;
/** But so many deadlines are enough for any. */
const MAX_DEADLINES = 20;
/** Characters of a command that a status tells. */
const MAX_COMMAND = 200;

const NO_BYTES = new Uint8Array(0);

let lastKey = 0;

export class Resident implements Contender, Inhabitant {
  readonly key: number;
  /** How the program was called. */
  readonly command: string;
  /** Whose it is, if its coordinator tells. */
  readonly work: Work | null;
  readonly pid: number;
  readonly epoch: number;
  private readonly order: ResidentOrder;
  private readonly around: Surroundings;
  private readonly outbox = new Outbox();
  /** Index of the thread (and slot) that holds the process; -1: its own does. */
  home = 0;
  /** Of a pinned process. */
  private own: ProcessThread | undefined;
  private control: ProcessControl | undefined;
  readonly programHash: string;
  private program: LoadedProgram | undefined;
  private readonly files = new Map<string, Uint8Array>();
  private status: ProcessStatus = { waiting: null, cpuMs: 0, memoryBytes: 0, syscalls: 0, outputBytes: 0, errorBytes: 0 };
  private wake: (() => void) | undefined;
  private woken = false;
  // what is wanted
  private dropped = false;
  private releaseReason: string | undefined;
  private stoppedBySignal = false;
  // where it is
  /** The slot that is ours at the moment, or -1. */
  private slot = -1;
  private computing = false;
  /** When this turn began. */
  private threadCpuBefore: number | undefined;
  /** Counts its turns at computing. */
  private turn = 0;
  private loaded = false;
  private surrendered: Extract<FromAgent, { type: "surrender" }> | undefined;
  private ended: Extract<FromAgent, { type: "exited" }> | undefined;
  private answer: { seq: number; result: SyscallResult } | undefined;
  private askedSeq = -1;
  private sleepUntil: number | undefined;
  private lastImageAt: number;
  private ranSinceImage = false;
  private deltas = 0;
  private checkpointRunning = false;
  /** How long the last image took to be taken and stored: both cost this machine and the coordinator. */
  private imageMs = 20;
  private computedHere = false;
  /** Ends of pipes the process has closed since its last call was answered: the coordinator may not have heard of these. */
  private readonly closedPipes: PipeEnd[] = [];

  constructor(order: ResidentOrder, around: Surroundings) {
    this.order = order;
    this.pid = order.pid;
    this.epoch = order.epoch;
    this.key = ++lastKey;
    this.programHash = order.spec.program;
    this.command = order.spec.args.join(" ").slice(0, MAX_COMMAND);
    this.work = order.work ?? null;
    this.around = around;
    this.lastImageAt = around.ports.now();
    void this.live();
  }

  // ---- for the agent

  get state(): "running" | "runnable" | "blocked" | "migrating" {
    if (this.surrendered || this.releaseReason !== undefined) return "migrating";
    if (this.computing) return "running";
    return this.loaded && this.status.waiting === null && !this.ended && !this.stoppedBySignal ? "runnable" : "blocked";
  }
  /** While it computes as far as the platform tells that of its thread, else up to its last stop. */
  get cpuMs(): number {
    const before = this.computing ? this.threadCpuBefore : undefined;
    const now = before === undefined ? undefined : this.thread.cpuMs();
    return this.status.cpuMs + (before === undefined || now === undefined ? 0 : Math.max(0, now - before));
  }
  get memoryBytes(): number {
    return this.status.memoryBytes;
  }

  get hasEnded(): boolean {
    return this.ended !== undefined;
  }
  unacknowledged(): Iterable<{ offset: number; bytes: Uint8Array }> {
    return this.outbox.unacknowledged;
  }

  granted(slot: number): void {
    this.slot = slot;
    this.poke();
  }

  /** The host is paused, or has fewer slots. */
  evicted(deadlineMs: number): void {
    this.stopWithin(deadlineMs);
  }

  /** What the host allows has changed. */
  hostChanged(): void {
    this.poke();
  }

  /** Computing must stop (somebody else's turn has come, or something is to be done). It goes on when it gets a slot again. */
  preempt(): void {
    if (this.computing && this.control) this.control.stop();
    // It may have a slot and not compute, as while an image is taken: it must not begin now.
    else if (this.slot >= 0) this.leaveSlot();
  }

  release(reason: string): void {
    this.releaseReason = reason;
    this.stopWithin(this.around.settings.stopDeadlineMs);
    this.poke();
  }

  drop(): void {
    this.dropped = true;
    this.stopWithin(this.around.settings.stopDeadlineMs);
    this.poke();
  }

  /** The agent ends. */
  endOwnThread(): void {
    this.own?.terminate();
  }

  signal(signal: number): void {
    this.stoppedBySignal = signal === 19;
    this.preempt();
    this.poke();
  }

  answered(seq: number, result: SyscallResult): void {
    this.answer = { seq, result };
    this.closedPipes.length = 0; // said before the call that is answered now
    this.poke();
  }

  outputAcknowledged(stream: 1 | 2, offset: number): void {
    this.outbox.acknowledged(stream, offset, this.control);
    if (this.status.waiting?.kind === "output") this.poke();
  }

  output(stream: 1 | 2, offset: number, bytes: Uint8Array): void {
    if (this.dropped) return;
    this.outbox.add(stream, offset, bytes);
    if (stream === 1) this.around.printed(this, offset, bytes);
    this.flush();
  }

  pipeClosed(pipe: PipeEnd): void {
    if (this.dropped) return;
    this.closedPipes.push(pipe);
    this.sayClosed(pipe);
  }

  private sayClosed(pipe: PipeEnd): void {
    this.send({ type: "pipeClosed", pid: this.pid, epoch: this.epoch, ...pipe });
  }

  /** The connection is new: say again what may not have arrived. */
  reconnected(): void {
    this.outbox.rewind();
    this.flush();
    for (const pipe of this.closedPipes) this.sayClosed(pipe);
    this.askedSeq = -1;
    if (this.ended) this.send(this.ended);
    if (this.surrendered) this.send(this.surrendered);
    this.poke();
  }

  threadDied(error: Error): void {
    this.around.ports.log("process-abandoned", { pid: this.pid, message: error.message });
    this.abandon("NS_HOST_UNAVAILABLE", `its worker thread ended: ${error.message}`);
  }

  // ---- the life

  private poke(): void {
    this.woken = true;
    this.wake?.();
  }

  /** Until something may have changed. */
  private async change(): Promise<void> {
    if (!this.woken) await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
    this.woken = false;
  }

  private async live(): Promise<void> {
    try {
      await this.loadProcess();
      while (!this.dropped) await this.next();
    } catch (thrown) {
      if (!this.dropped) {
        const error = asNightshiftError(thrown);
        this.around.ports.log("process-abandoned", { pid: this.pid, code: error.code, message: error.message });
        this.send({ type: "refused", pid: this.pid, epoch: this.epoch, code: error.code, message: error.message });
      }
      this.dropped = true;
    }
    this.leaveSlot();
    this.endOwnThread();
    if (!this.own) this.thread.leave(this);
    this.around.gone(this);
  }

  private async next(): Promise<void> {
    if (this.ended || this.surrendered) return this.change();
    if (this.releaseReason !== undefined) return this.surrender(this.releaseReason);
    if (this.around.resting()) {
      this.leaveSlot();
      return this.change();
    }
    if (this.checkpointDue()) await this.checkpoint();
    if (this.stoppedBySignal) {
      this.leaveSlot();
      return this.change();
    }
    if (this.status.waiting) {
      this.leaveSlot();
      return this.wait();
    }
    if (this.slot >= 0) return this.own || this.slot === this.home ? this.compute() : this.changeThread(this.slot);
    this.around.slots.ask(this);
    if (this.slot < 0) await this.change();
  }

  /** A paused host begins nothing. Who is to leave it before having begun goes as it came. */
  private async untilOpen(): Promise<void> {
    while (this.around.paused() && !this.dropped) {
      if (this.releaseReason !== undefined) throw new NightshiftError("NS_NOT_BEGUN", "the host is paused");
      await this.change();
    }
  }

  /** As long as it has not begun it can leave as it came: a thread of idle priority is long in starting when others keep the processor busy. */
  private async unlessReleased<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
      this.poke();
    });
    done.catch(() => undefined); // when nobody waits for it any more
    while (!settled) {
      if (this.dropped || this.releaseReason !== undefined)
        throw new NightshiftError("NS_NOT_BEGUN", "it was to leave before it had begun");
      await this.change();
    }
    return done;
  }

  private async loadProcess(): Promise<void> {
    const { order, around } = this;
    await this.untilOpen();
    const images: Uint8Array<ArrayBuffer>[] = [];
    for (let hash = order.image?.hash ?? null; hash !== null; ) {
      const bytes = await around.blob(hash);
      images.unshift(bytes);
      hash = imageParent(bytes);
      if (images.length > MAX_DELTAS + 1) throw new NightshiftError("NS_BAD_IMAGE", "the chain of images is too long");
    }
    this.deltas = images.length > 0 ? images.length - 1 : 0;
    this.program = await this.unlessReleased(around.load(order.spec.program));
    for (const path of Object.keys(order.spec.files)) this.files.set(path, NO_BYTES); // in their order
    await severalAtOnce(Object.entries(order.spec.files), async ([path, { hash }]) => {
      this.files.set(path, await around.blob(hash));
    });
    await this.untilOpen();
    if (this.dropped) return;
    if (!this.program.module) this.own = new ProcessThread(around.ports);
    this.home = this.own ? -1 : leastPopulated(around.threads);
    const started = await this.unlessReleased(this.enterThread(images, order.image?.hash ?? null));
    this.control = started.control;
    this.status = started.status;
    if (order.result && this.status.waiting?.kind === "home")
      this.status = await this.call((api) => api.complete(this.key, order.result as SyscallResult));
    this.loaded = true;
    this.send({ type: "started", pid: this.pid, epoch: this.epoch });
    around.changed();
  }

  private get thread(): ProcessThread {
    return this.own ?? this.around.threads[this.home];
  }

  private call<T>(work: (api: WorkerApi) => Promise<T>): Promise<T> {
    return this.thread.call(work);
  }

  private enterThread(images: Uint8Array<ArrayBuffer>[], imageHash: string | null): ReturnType<ProcessThread["start"]> {
    const { order } = this;
    const program = must(this.program, "the program");
    this.thread.enter(this);
    return this.thread.start({
      key: this.key,
      pid: order.pid,
      parentPid: order.parent,
      programHash: order.spec.program,
      programBytes: program.bytes,
      module: program.module,
      spec: order.spec,
      files: this.files,
      images,
      imageHash,
    });
  }

  /** Our own thread is taken and another stands idle: over to that one, through an image. */
  private async changeThread(slot: number): Promise<void> {
    if (this.checkpointRunning) return this.change();
    const { bytes } = await this.call((api) => api.capture(this.key, false));
    if (this.dropped) return;
    this.control = undefined; // it may serve another process from now on
    this.thread.leave(this);
    this.home = slot;
    const started = await this.enterThread([bytes], null);
    this.deltas = MAX_DELTAS; // the coordinator does not have this image: the next one it gets is a full one
    this.control = started.control;
    this.status = started.status;
  }

  private leaveSlot(): void {
    this.slot = -1;
    this.around.slots.leave(this);
  }

  // ---- computing

  private async compute(): Promise<void> {
    const { ports } = this.around;
    this.computing = true;
    this.threadCpuBefore = this.thread.cpuMs();
    this.turn++;
    this.ranSinceImage = true;
    this.computedHere = true;
    this.around.changed();
    const cancelTimers = [
      this.everyQuantum(),
      ports.after(Math.max(50, this.checkpointInterval() - (ports.now() - this.lastImageAt)), () => this.preempt()),
    ];
    const limit = this.order.spec.cpuLimitMs;
    const timedOut = Promise.withResolvers<{ end: RunEnd; status: ProcessStatus }>();
    if (limit > 0)
      cancelTimers.push(
        this.afterComputing(limit - this.status.cpuMs, () => {
          if (!this.own) return this.preempt();
          this.own.kill(this, new Error("its time is over"));
          timedOut.resolve({ end: { kind: "preempted" }, status: { ...this.status, cpuMs: limit } });
        }),
      );
    let end: RunEnd;
    try {
      const computed = this.thread.compute(this.key, must(this.control, "the control memory"));
      const result = await Promise.race([computed, timedOut.promise]);
      end = result.end;
      this.status = result.status;
    } finally {
      this.computing = false;
      for (const cancel of cancelTimers) cancel();
    }
    if (this.dropped) return;
    if (end.kind === "preempted" && limit > 0 && this.status.cpuMs >= limit) {
      end = {
        kind: "fault",
        code: "NS_TIMEOUT",
        message: `the program used its ${limit / 1000} s of processor time`,
        wasmStack: [],
      };
    }
    if (end.kind === "exit" || end.kind === "fault") await this.finish(end);
    else if (end.kind === "preempted") this.leaveSlot(); // to the end of the queue
    this.around.changed();
  }

  /** Calls when the thread has used so much processor time from now on; where that cannot be told, after so much time. @returns what cancels it */
  private afterComputing(ms: number, call: () => void): () => void {
    const { thread } = this;
    const before = thread.cpuMs();
    let cancel = (): void => {};
    const look = (afterMs: number): void => {
      cancel = this.around.ports.after(afterMs, () => {
        const now = thread.cpuMs();
        const left = before === undefined || now === undefined ? 0 : ms - (now - before);
        if (left > 0) look(left + 1);
        else call();
      });
    };
    look(Math.max(0, ms) + 1);
    return () => cancel();
  }

  /** At the end of each quantum gives way if somebody waits. */
  private everyQuantum(): () => void {
    let cancel = (): void => {};
    const turn = (): void => {
      if (this.around.slots.contended) this.preempt();
      cancel = this.around.ports.after(this.around.settings.quantumMs, turn);
    };
    cancel = this.around.ports.after(this.around.settings.quantumMs, turn);
    return () => cancel();
  }

  /** A process that does not reach a poll in time is given up here: it goes on elsewhere from its last image. */
  private stopWithin(deadlineMs: number): void {
    const { turn } = this;
    const isComputing = (): boolean => this.computing && this.turn === turn;
    if (this.own && this.computing) return this.abandon("NS_HOST_UNAVAILABLE", "its program is pinned and its host is needed");
    const cpuMs = this.thread.cpuMs();
    const lookAgain = (deadlines: number): void => {
      this.around.ports.after(deadlineMs, () => {
        if (!isComputing()) return;
        const used = (this.thread.cpuMs() ?? Number.POSITIVE_INFINITY) - (cpuMs ?? 0);
        if (used < STOP_CPU_MS && deadlines < MAX_DEADLINES) lookAgain(deadlines + 1);
        else this.abandon("NS_HOST_UNAVAILABLE", "it did not stop in time");
      });
    };
    this.preempt();
    if (isComputing()) lookAgain(1);
  }

  private abandon(code: string, message: string): void {
    if (this.computing) this.thread.kill(this, new Error(message));
    this.computing = false;
    if (!this.dropped) this.send({ type: "refused", pid: this.pid, epoch: this.epoch, code, message });
    this.dropped = true;
    this.leaveSlot();
    this.around.gone(this);
    this.poke();
  }

  private async finish(end: Extract<RunEnd, { kind: "exit" | "fault" }>): Promise<void> {
    this.leaveSlot();
    const report: ExitReport =
      end.kind === "exit"
        ? { kind: "exit", code: end.code }
        : { kind: "fault", code: end.code, message: end.message, wasmStack: end.wasmStack };
    const files: Extract<FromAgent, { type: "exited" }>["files"] = {};
    // What a pinned process had written went with its thread when its time was over.
    const written = this.thread.holds(this) ? await this.call((api) => api.changedFiles(this.key)) : new Map();
    this.around.wrote(this, [...written.values()]);
    await severalAtOnce(written, async ([path, bytes]) => {
      files[path] = bytes && { hash: await this.upload(bytes), size: bytes.length };
    });
    const { cpuMs, outputBytes, errorBytes } = this.status;
    this.ended = { type: "exited", pid: this.pid, epoch: this.epoch, report, cpuMs, outputBytes, errorBytes, files };
    this.flush();
    this.send(this.ended);
  }

  // ---- waiting

  private async wait(): Promise<void> {
    const { waiting } = this.status;
    const { ports } = this.around;
    if (waiting?.kind === "sleep") {
      this.sleepUntil ??= ports.now() + waiting.ms;
      const left = this.sleepUntil - ports.now();
      if (left <= 0) return this.goOn();
      const cancel = ports.after(left, () => this.poke());
      await this.change();
      cancel();
    } else if (waiting?.kind === "yield") return this.goOn();
    else if (waiting?.kind === "output") {
      this.flush();
      if (this.outbox.empty) return this.goOn();
      await this.change();
    } else await this.homeCall();
  }

  private async goOn(): Promise<void> {
    this.sleepUntil = undefined;
    this.status = await this.call((api) => api.complete(this.key, { value: 0 }));
  }

  private async homeCall(): Promise<void> {
    const { waiting, syscalls: seq } = this.status;
    if (waiting?.kind !== "home") return;
    if (this.answer?.seq === seq) {
      const { result } = this.answer;
      this.answer = undefined;
      this.status = await this.call((api) => api.complete(this.key, result));
      return;
    }
    const forking = waiting.call.call === "fork";
    // One image at a time: a checkpoint on its way must be stored before the fork's image is taken.
    if (this.askedSeq !== seq && this.around.connection() && !(forking && this.checkpointRunning)) {
      this.askedSeq = seq;
      this.flush();
      if (forking) {
        const captured = await this.call((api) => api.capture(this.key, false));
        const hash = await this.upload(captured.bytes);
        this.around.keepBlob(hash, captured.bytes);
        // Not a base for our own deltas: nobody refers to it once the child has an image of its own, and then it is swept away.
        this.send({ type: "syscall", pid: this.pid, epoch: this.epoch, seq, call: { call: "fork", image: hash } });
      } else if (waiting.call.call !== "fork")
        this.send({ type: "syscall", pid: this.pid, epoch: this.epoch, seq, call: waiting.call });
      return;
    }
    this.around.changed();
    await this.change();
  }

  // ---- images

  /**
   * Time between checkpoints: sqrt(2 * cost * MTBF) (Young 1974, Daly 2006), where the cost is the time the last image took to be taken
   * and stored, and at most what the coordinator asks for.
   */
  private checkpointInterval(): number {
    const { checkpointMs, mtbfMs } = this.around.settings;
    return Math.min(checkpointMs, Math.max(500, Math.sqrt(2 * this.imageMs * mtbfMs)));
  }

  private checkpointDue(): boolean {
    return (
      this.loaded &&
      !this.own &&
      this.ranSinceImage &&
      !this.checkpointRunning &&
      this.around.connection() !== undefined &&
      this.around.ports.now() - this.lastImageAt >= this.checkpointInterval()
    );
  }

  /** Takes an image now and stores it while the process goes on. */
  private async checkpoint(): Promise<void> {
    this.checkpointRunning = true;
    const began = this.around.ports.now();
    const captured = await this.call((api) => api.capture(this.key, this.deltas < MAX_DELTAS));
    this.lastImageAt = this.around.ports.now();
    this.ranSinceImage = false;
    const store = async (): Promise<void> => {
      try {
        this.flush();
        const hash = await this.upload(captured.bytes);
        this.imageMs = this.around.ports.now() - began;
        if (this.dropped || this.surrendered) return;
        await this.markStored(hash, captured.isDelta);
        this.send({
          type: "checkpoint",
          pid: this.pid,
          epoch: this.epoch,
          image: { ...captured.image, hash, sizeBytes: captured.bytes.length },
        });
      } catch (thrown) {
        this.around.ports.log("checkpoint-failed", { pid: this.pid, message: asNightshiftError(thrown).message });
      } finally {
        this.checkpointRunning = false;
        this.poke();
      }
    };
    void store();
  }

  private async markStored(hash: string, isDelta: boolean): Promise<void> {
    this.deltas = isDelta ? this.deltas + 1 : 0;
    await this.call((api) => api.stored(this.key, hash));
  }

  private async surrender(reason: string): Promise<void> {
    if (this.own) return this.abandon("NS_HOST_UNAVAILABLE", `its program is pinned, and ${reason}`);
    if (!this.around.connection() || this.checkpointRunning) return this.change();
    const wasRunning = this.computedHere;
    this.leaveSlot();
    this.send({ type: "frozen", pid: this.pid, epoch: this.epoch });
    const captured = await this.call((api) => api.capture(this.key, this.deltas < MAX_DELTAS));
    this.flush();
    try {
      const hash = await this.upload(captured.bytes);
      if (this.dropped) return;
      this.surrendered = {
        type: "surrender",
        pid: this.pid,
        epoch: this.epoch,
        image: { ...captured.image, hash, sizeBytes: captured.bytes.length },
        wasRunning,
        reason,
      };
      this.send(this.surrendered);
    } catch (thrown) {
      // The connection broke: the process is still ours, and the coordinator asks again when it is back.
      this.around.ports.log("surrender-failed", { pid: this.pid, message: asNightshiftError(thrown).message });
      this.releaseReason = undefined;
    }
  }

  private async upload(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const hash = await this.around.ports.hash(bytes);
    for (;;) {
      const connection = this.around.connection();
      if (connection) {
        try {
          await connection.putBlob(hash, bytes);
          return hash;
        } catch (thrown) {
          if (asNightshiftError(thrown).code !== "NS_CONNECTION_LOST" || this.dropped) throw thrown;
        }
      }
      if (this.dropped) throw new NightshiftError("NS_CONNECTION_LOST", "the process was dropped");
      await new Promise<void>((resolve) => this.around.ports.after(RETRY_MS, resolve));
    }
  }

  private flush(): void {
    if (!this.around.connection()) return;
    this.outbox.flush((chunk) => this.send({ type: "output", pid: this.pid, epoch: this.epoch, ...chunk }));
  }

  private send(message: FromAgent): void {
    this.around.connection()?.send(message);
  }
}

function leastPopulated(threads: readonly ProcessThread[]): number {
  let least = 0;
  threads.forEach((thread, index) => {
    if (thread.population < threads[least].population) least = index;
  });
  return least;
}
