// Runs a program's plain module (as the compiler made it, not migratable) in this thread, on the same WASI host: the baseline that the
// cost of being migratable is measured against. One process: it can use pipes but neither fork nor wait for anybody.
import { NightshiftError } from "../errors.ts";
import { Wasi } from "../wasi/index.ts";
import { Ending } from "./ending.ts";
import { Blocked, EMSCRIPTEN_FUNCTIONS, type HostFunction } from "./hostcalls.ts";
import { Kernel } from "./kernel.ts";
import type { Stop } from "./process.ts";

export interface PlainRunOptions {
  /** The plain module, compiled. */
  module: WebAssembly.Module;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  files?: ReadonlyMap<string, Uint8Array>;
  stdin?: Uint8Array;
  now(): number;
}

export interface PlainResult {
  stop: Extract<Stop, { kind: "exit" | "fault" }>;
  stdout: Uint8Array[];
  stderr: Uint8Array[];
  /** Written, or null: removed. */
  files: Map<string, Uint8Array | null>;
}

const PID = 1;

/** @throws NS_NOT_MIGRATABLE when the program forks or would have to wait for another process. */
export function runPlain(options: PlainRunOptions): PlainResult {
  let stdin = options.stdin ?? new Uint8Array(0);
  const kernel = Kernel.start(PID, stdin.length > 0);
  const output: { 1: Uint8Array[]; 2: Uint8Array[] } = { 1: [], 2: [] };
  const wasi = new Wasi({
    args: options.args,
    env: options.env ?? {},
    files: options.files ?? new Map(),
    clock: "virtual",
    seed: "1",
    now: options.now,
    cpuMs: () => 0,
    write: (stream, bytes) => void output[stream].push(bytes),
    mayWrite: () => true,
    pipeClosed: (pipe) => kernel.close(PID, pipe),
  });
  const answer = (blocked: Blocked): number => {
    if (blocked.reason.kind !== "home") return blocked.finish({ value: 0 });
    const { call } = blocked.reason;
    if (stdin.length > 0) {
      stdin = stdin.subarray(kernel.writeStdin(stdin));
      if (stdin.length === 0) kernel.endStdin();
    }
    const answered = call.call === "fork" ? { kind: "wait" as const } : kernel.call(PID, call);
    if (answered.kind === "wait")
      throw new NightshiftError("NS_NOT_MIGRATABLE", `a plain program has no other processes: it cannot ${call.call}`);
    return blocked.finish(answered.result);
  };
  const ending = new Ending();
  /** The result of a host function that may have to wait, and when it has waited perhaps for something else. */
  const finished = (work: () => number): number => {
    try {
      return work();
    } catch (thrown) {
      if (!(thrown instanceof Blocked)) throw thrown;
      return finished(() => answer(thrown));
    }
  };
  const orTrap = (work: () => number): number => {
    try {
      return finished(work);
    } catch (thrown) {
      return ending.leave(thrown);
    }
  };
  const wrap = (functions: Record<string, HostFunction>): WebAssembly.ModuleImports =>
    Object.fromEntries(
      Object.entries(functions).map(([name, host]) => [name, (...args: never[]) => orTrap(() => host(...args))]),
    );
  const instance = new WebAssembly.Instance(options.module, {
    wasi_snapshot_preview1: wrap(wasi.functions),
    nightshift: { ...wrap(wasi.processFunctions), getpid: () => PID, getppid: () => 0 },
    env: EMSCRIPTEN_FUNCTIONS,
  });
  wasi.attach(instance.exports.memory as WebAssembly.Memory);
  const result = (stop: PlainResult["stop"]): PlainResult => ({
    ...{ stop, stdout: output[1], stderr: output[2], files: wasi.changedFiles() },
  });
  try {
    (instance.exports._start as () => void)();
    return result({ kind: "exit", code: 0 });
  } catch (thrown) {
    return result(ending.of(thrown));
  }
}
