// A job run in one thread, without a cluster: its processes take turns. It stands for the coordinator towards the processes (fork,
// wait, pipes, signals) with the same kernel, and can move every process through an image at each stop, as a migration does.

import { joined } from "../bytes.ts";
import { seedOfFork } from "../wasi/index.ts";
import { signalOfFault } from "./fault.ts";
import type { HomeCall, HomeResult } from "./hostcalls.ts";
import { decodeImage, encodeImage, type Image } from "./image.ts";
import { exitStatus, Kernel, signalStatus } from "./kernel.ts";
import { acknowledgeOutput, Process, type ProcessOptions, type Stop } from "./process.ts";
import type { Program } from "./program.ts";

export interface LocalRunOptions {
  program: Program;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  files?: ReadonlyMap<string, Uint8Array>;
  /** See WasiOptions. */
  preopens?: Readonly<Record<string, string>>;
  stdin?: Uint8Array;
  memoryLimitBytes?: number;
  clock?: "virtual" | "host";
  cpuNow(): number;
  now(): number;
  /** A process is about to run: may arm something that calls requestStop on its control memory. */
  beforeRun?(control: SharedArrayBuffer): void;
  /** See ProcessOptions. */
  refuel?: (() => number) | undefined;
  /** Whether to carry the process through an image into a fresh instance at this stop. */
  moveAt?(stop: Stop): boolean;
  onOutput?(pid: number, stream: 1 | 2, bytes: Uint8Array): void;
}

export interface LocalResult {
  /** How the first process ended. */
  stop: Extract<Stop, { kind: "exit" | "fault" }> | { kind: "signal"; signal: number };
  stdout: Uint8Array;
  stderr: Uint8Array;
  files: Map<string, Uint8Array | null>;
  processes: number;
  moves: number;
  preemptions: number;
  /** Bytes of all images taken. */
  imageBytes: number;
}

interface Task {
  process: Process;
  options: ProcessOptions;
  /** Call it waits in, when that is the home's. */
  waiting: HomeCall | undefined;
  forks: number;
}

/** @throws NS_MEMORY_LIMIT, or NS_INTERNAL when all processes wait for each other. */
export function runLocally(run: LocalRunOptions): LocalResult {
  const kernel = Kernel.start(1, (run.stdin?.length ?? 0) > 0);
  const tasks = new Map<number, Task>();
  const output: { 1: Uint8Array[]; 2: Uint8Array[] } = { 1: [], 2: [] };
  const result: LocalResult = {
    stop: { kind: "exit", code: 0 },
    stdout: new Uint8Array(0),
    stderr: new Uint8Array(0),
    files: new Map(),
    processes: 1,
    moves: 0,
    preemptions: 0,
    imageBytes: 0,
  };
  let stdin = run.stdin ?? new Uint8Array(0);
  let nextPid = 2;

  const optionsFor = (pid: number, parentPid: number, seed: string): ProcessOptions => ({
    program: run.program,
    pid,
    parentPid,
    seed,
    args: run.args,
    env: run.env ?? {},
    files: run.files ?? new Map(),
    preopens: run.preopens,
    memoryLimitBytes: run.memoryLimitBytes ?? 2 ** 30,
    clock: run.clock ?? "virtual",
    now: run.now,
    cpuNow: run.cpuNow,
    refuel: run.refuel,
    onOutput: (stream, _offset, bytes) => {
      const control = tasks.get(pid)?.process.control;
      if (control) acknowledgeOutput(control, bytes.length);
      output[stream].push(bytes);
      run.onOutput?.(pid, stream, bytes);
    },
    onPipeClosed: (pipe) => kernel.close(pid, pipe),
  });
  const throughImage = (image: Image): Image => {
    const bytes = encodeImage(image);
    result.imageBytes += bytes.length;
    return decodeImage(bytes);
  };
  const ended = (pid: number, status: number, stop: LocalResult["stop"]): void => {
    if (pid === 1) {
      result.stop = stop;
      result.files = tasks.get(1)?.process.changedFiles() ?? new Map();
    }
    tasks.get(pid)?.process.leave();
    tasks.delete(pid);
    kernel.exit(pid, status);
  };
  const complete = (task: Task, answer: HomeResult): void => {
    task.waiting = undefined;
    task.process.complete(answer);
  };
  const fork = (task: Task): void => {
    const pid = nextPid++;
    const options = optionsFor(pid, task.process.pid, seedOfFork(task.options.seed, task.forks++));
    const child: Task = {
      process: Process.restore(options, throughImage(task.process.capture(false)), null),
      options,
      waiting: undefined,
      forks: 0,
    };
    kernel.fork(task.process.pid, pid);
    tasks.set(pid, child);
    result.processes++;
    complete(child, { value: 0 });
    complete(task, { value: pid });
  };
  /** Tries the call of a waiting process; true when it could go on. */
  const tryCall = (task: Task): boolean => {
    const { waiting } = task;
    if (!waiting) return true;
    if (waiting.call === "fork") {
      fork(task);
      return true;
    }
    if (stdin.length > 0) {
      stdin = stdin.subarray(kernel.writeStdin(stdin));
      if (stdin.length === 0) kernel.endStdin();
    }
    const answer = kernel.call(task.process.pid, waiting);
    for (const effect of kernel.effects.splice(0)) {
      if (effect.kind === "terminate") ended(effect.pid, signalStatus(effect.signal), { kind: "signal", signal: effect.signal });
    }
    if (answer.kind === "wait" || !tasks.has(task.process.pid)) return false;
    complete(task, answer.result);
    return true;
  };
  const step = (task: Task): void => {
    run.beforeRun?.(task.process.control);
    const stop = task.process.run();
    if (stop.kind === "exit") return ended(task.process.pid, exitStatus(stop.code), stop);
    if (stop.kind === "fault") return ended(task.process.pid, signalStatus(signalOfFault(stop.code, stop.message)), stop);
    if (stop.kind === "preempted") result.preemptions++;
    if (run.moveAt?.(stop)) {
      task.process = Process.restore(task.options, throughImage(task.process.capture(false)), null);
      result.moves++;
    }
    const reason = task.process.waitingFor;
    if (reason?.kind === "home") task.waiting = reason.call;
    else if (reason) task.process.complete({ value: 0 }); // time is virtual here: a sleep is over at once
  };

  const options = optionsFor(1, 0, "1");
  tasks.set(1, { process: Process.start(options), options, waiting: undefined, forks: 0 });
  while (tasks.size > 0) {
    let progress = false;
    for (const task of [...tasks.values()]) {
      if (!tasks.has(task.process.pid) || !tryCall(task)) continue;
      progress = true;
      if (tasks.has(task.process.pid)) step(task);
    }
    if (!progress) {
      for (const pid of [...tasks.keys()])
        ended(pid, signalStatus(9), {
          kind: "fault",
          code: "NS_INTERNAL",
          message: "deadlock: every process waits for another",
          wasmStack: [],
        });
    }
  }
  result.stdout = joined(output[1]);
  result.stderr = joined(output[2]);
  return result;
}
