// For tests only: hand-written modules, run undisturbed, as plain modules, and stopped and moved as often as possible.
import { expect } from "vitest";
import initWabt from "wabt";
import { Program, requestStop, runLocally, runPlain } from "../process/index.ts";
import { instrument } from "./index.ts";

const wabt = await initWabt();

export function assemble(wat: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat("test.wat", wat, {
    simd: true,
    multi_value: true,
    tail_call: true,
    reference_types: true,
    bulk_memory: true,
    exceptions: true,
    threads: true,
    ...{ multi_memory: true }, // which its types do not know yet
  });
  return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
}

/**
 * A command with helpers: $yield stops the process; $say writes a decimal-ish record of an i32 and a newline. Its loop has a jump table, so
 * it polls at every turn.
 */
export const command = (code: string, more = ""): string => `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ${more}
  (func $yield (drop (call $sched_yield)))
  (func $say (param $n i32) (local $i i32)
    (local.set $i (i32.const 8))
    (block $done (loop $next
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (i32.store8 (i32.add (i32.const 64) (local.get $i)) (i32.add (i32.const 65) (i32.and (local.get $n) (i32.const 15))))
      (local.set $n (i32.shr_u (local.get $n) (i32.const 4)))
      (br_table $done $next (local.get $i))))
    (i32.store8 (i32.const 72) (i32.const 10))
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 9))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  ${code})`;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function outputs(
  wat: string,
  doorsFrom?: number,
): { plain: string; undisturbed: string; moved: string; moves: number; stop: unknown } {
  const module = assemble(wat);
  const program = new Program("test", instrument(module, doorsFrom).wasm);
  const plain = runPlain({ module: new WebAssembly.Module(module), args: ["test"], now: () => 0 });
  const base = { program, args: ["test"], cpuNow: () => 0, now: () => 0 };
  const undisturbed = runLocally(base);
  let control: SharedArrayBuffer | undefined;
  const moved = runLocally({
    ...base,
    beforeRun: (current) => {
      control = current;
    },
    // Every line of output makes the process stop at its next poll.
    onOutput: () => control && requestStop(control),
    moveAt: () => true,
  });
  return {
    plain: text(Buffer.concat(plain.stdout)),
    undisturbed: text(undisturbed.stdout),
    moved: text(moved.stdout),
    moves: moved.moves,
    stop: moved.stop,
  };
}

/** The program ends well, and stopped and moved, or not, it gives the output of its plain module. */
export function expectLikePlain(wat: string, doorsFrom?: number): void {
  const { plain, undisturbed, moved, moves, stop } = outputs(wat, doorsFrom);
  expect(stop).toEqual({ kind: "exit", code: 0 });
  expect(plain.length).toBeGreaterThan(0);
  expect(undisturbed).toBe(plain);
  expect(moved).toBe(plain);
  expect(moves).toBeGreaterThan(1);
}
