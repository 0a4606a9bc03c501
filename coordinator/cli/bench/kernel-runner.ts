// A program of its own, started confined to one core with V8's optimising tier: times one kernel natively, as plain and as migratable
// WebAssembly, in turns, and prints the seconds of every round as JSON. Compiling is not counted; starting an instance is, and for the
// native program starting its process. A program that does not end well is refused: failing takes another time than the work. Usage:
// kernel-runner.ts JSON (a KernelTask)
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { asNightshiftError, type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Program, runLocally, runPlain } from "@nightshift/wasm-kernels/process";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";
import { type InputPaths, readInput } from "./input.ts";

optimiseWasm();

export interface KernelTask {
  plain: string;
  migratable: string;
  native: string | null;
  args: string[];
  input: InputPaths;
  rounds: number;
}

export interface KernelTimes {
  plain: number[];
  migratable: number[];
  native: number[];
}

/** In place of the times. */
export interface Refused {
  refused: { code: ErrorCode; message: string };
}

const task = JSON.parse(process.argv[2] ?? "") as KernelTask;
const module = new WebAssembly.Module(readFileSync(task.plain));
const program = new Program("0".repeat(64), new Uint8Array(readFileSync(task.migratable)));
const args = ["program", ...task.args];
const { stdin, files } = await readInput(task.input);
const now = (): number => Date.now();
const times: KernelTimes = { plain: [], migratable: [], native: [] };

function timed<T>(into: number[], work: () => T): T {
  const began = performance.now();
  const result = work();
  into.push((performance.now() - began) / 1000);
  return result;
}

function mustSucceed(stop: { kind: "exit"; code: number } | { kind: "fault"; code: ErrorCode; message: string }): void {
  if (stop.kind === "fault") throw new NightshiftError(stop.code, stop.message);
  if (stop.code !== 0) throw new NightshiftError("NS_USAGE", `it exits with ${stop.code}`);
}

function round(): void {
  const plain = timed(times.plain, () => runPlain({ module, args, now, stdin, files }));
  mustSucceed(plain.stop);
  const migratable = timed(times.migratable, () => runLocally({ program, args, now, cpuNow: () => 0, stdin, files }));
  if (!Buffer.concat(plain.stdout).equals(migratable.stdout) || !isDeepStrictEqual(plain.files, migratable.files))
    throw new Error("plain and migratable WebAssembly give different output");
  const { native } = task;
  if (native === null) return;
  // It writes where it is, so each run is in a copy.
  const cwd = mkdtempSync(join(tmpdir(), "nightshift-native-"));
  try {
    if (task.input.folder !== null) cpSync(task.input.folder, cwd, { recursive: true });
    const { status, signal } = timed(times.native, () =>
      spawnSync(native, task.args, { cwd, maxBuffer: 2 ** 28, input: Buffer.from(stdin) }),
    );
    if (status !== 0) throw new NightshiftError("NS_USAGE", `natively it ends with ${signal ?? status}`);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

try {
  for (let turn = 0; turn < task.rounds; turn++) round();
  console.log(JSON.stringify(times));
} catch (thrown) {
  const { code, message } = asNightshiftError(thrown);
  if (code === "NS_INTERNAL") throw thrown;
  console.log(JSON.stringify({ refused: { code, message } } satisfies Refused));
}
