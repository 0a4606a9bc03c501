import { expect, test, vi } from "vitest";
import initWabt from "wabt";
import { instrument } from "../instrument/index.ts";
import { Process, requestRenewal, requestStop } from "./process.ts";
import { Program } from "./program.ts";

/** Exits with the sum of 1 to 100000, modulo 100, which it computes in one loop. */
async function summing(): Promise<{ process: Process; program: Program }> {
  const wabt = await initWabt();
  const module = wabt.parseWat(
    "test.wat",
    `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
      (func (export "_start") (local $n i32) (local $sum i32)
        (loop $l
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (local.set $sum (i32.add (local.get $sum) (local.get $n)))
          (br_if $l (i32.lt_u (local.get $n) (i32.const 100000))))
        (call $exit (i32.rem_u (local.get $sum) (i32.const 100)))))`,
  );
  const program = new Program("test", instrument(new Uint8Array(module.toBinary({}).buffer)).wasm);
  const process = Process.start({
    ...{ program, pid: 1, parentPid: 0, seed: "1", args: [], env: {}, files: new Map(), clock: "virtual" },
    memoryLimitBytes: 2 ** 20,
    now: () => 0,
    cpuNow: () => 0,
    onOutput: () => undefined,
    onPipeClosed: () => undefined,
  });
  return { process, program };
}
const END = { kind: "exit", code: (5000050000 % 2 ** 32) % 100 };

test("a renewed process goes on by itself, in a continuation", async () => {
  const { process, program } = await summing();
  const continuation = vi.spyOn(program, "continuation");
  requestRenewal(process.control);
  expect(process.run()).toEqual(END);
  expect(continuation).toHaveBeenCalledTimes(1);
});

test("whoever asks a process to stop gets it stopped, also when it was to be renewed", async () => {
  for (const requests of [
    [requestRenewal, requestStop],
    [requestStop, requestRenewal],
  ]) {
    const { process } = await summing();
    for (const request of requests) request(process.control);
    expect(process.run()).toEqual({ kind: "preempted" });
    expect(process.run()).toEqual(END);
  }
});

test("what has been prepared compiles nothing when it goes on", async () => {
  const { process } = await summing();
  requestStop(process.control);
  expect(process.run()).toEqual({ kind: "preempted" });
  await process.prepare();
  const compiling = vi.spyOn(WebAssembly, "Module");
  expect(process.run()).toEqual(END);
  expect(compiling).not.toHaveBeenCalled();
  compiling.mockRestore();
});
