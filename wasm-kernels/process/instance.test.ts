import { expect, test } from "vitest";
import initWabt from "wabt";
import { instrument } from "../instrument/index.ts";
import { Program } from "./program.ts";

async function program(): Promise<Program> {
  const wabt = await initWabt();
  const module = wabt.parseWat(
    "test.wat",
    `(module (memory (export "memory") 2) (global $g (mut i64) (i64.const 7)) (data (i32.const 100) "begin")
      (func (export "_start") (global.set $g (i64.const 9)) (memory.fill (i32.const 50) (i32.const 0xaa) (i32.const 70000))))`,
    { bulk_memory: true },
  );
  return new Program("test", instrument(new Uint8Array(module.toBinary({}).buffer)).wasm);
}
const bytes = (memory: WebAssembly.Memory): Uint8Array => new Uint8Array(memory.buffer).slice();

test("an instance given back is as a new one for the next process: memory, control memory and globals", async () => {
  const it = await program();
  const first = it.obtain();
  const [memory, control] = [bytes(first.memory), bytes(first.control)];
  (first.exports._start as () => void)();
  new Uint8Array(first.control.buffer).fill(1);
  expect(bytes(first.memory)).not.toEqual(memory);
  it.giveBack(first);
  const second = it.obtain();
  expect(second).toBe(first);
  expect(bytes(second.memory)).toEqual(memory);
  expect(bytes(second.control)).toEqual(control);
  expect(new BigInt64Array(second.readGlobals().slice().buffer)).toEqual(new BigInt64Array([7n]));
});

test("one that has grown is not used again, and none is kept when nobody needs any", async () => {
  const it = await program();
  const grown = it.obtain();
  grown.memory.grow(1);
  it.giveBack(grown);
  const next = it.obtain();
  expect(next).not.toBe(grown);
  it.giveBack(next);
  it.dropSpare();
  expect(it.obtain()).not.toBe(next);
});
