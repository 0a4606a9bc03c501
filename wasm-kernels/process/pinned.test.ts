import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { withMemoryLimit } from "../instrument/index.ts";
import { assemble, command, expectLikePlain } from "../instrument/testing.ts";
import { compile } from "../toolchain/index.ts";
import { sharedCacheDir } from "../toolchain/testing.ts";
import { Kernel, PinnedProcess, pinnedBecause, preparedProgram, type Stop } from "./index.ts";
import { makesObjects, pin } from "./pinned-module.ts";

const BECAUSE = "it holds a reference";

/** A program that holds a reference while it calls, which no image can hold. */
const holding = (code: string, more = ""): Uint8Array<ArrayBuffer> =>
  assemble(
    command(
      `(func $hold (param $held externref) (result i32) (call $yield) (ref.is_null (local.get $held)))
       (func (export "_start") (drop (call $hold (ref.null extern))) ${code})`,
      more,
    ),
  );

function pinned(module: Uint8Array<ArrayBuffer>, limit = 2 ** 30): WebAssembly.Module {
  const { wasm, pinned: because } = preparedProgram(module, true);
  expect(because).toMatch(/across a call/);
  return new WebAssembly.Module(withMemoryLimit(wasm, limit));
}

/** Drives it to its end, as an agent does. */
async function run(module: WebAssembly.Module, args: string[] = [], stdin: readonly string[] = []) {
  let text = "";
  const kernel = Kernel.start(1, true);
  const process = new PinnedProcess({
    ...{ module, pid: 1, parentPid: 0, args: ["p", ...args], env: {}, files: new Map(), clock: "virtual", seed: "1" },
    now: () => 0,
    cpuNow: () => performance.now(),
    onOutput: (_stream, _offset, bytes) => {
      text += Buffer.from(bytes);
    },
    onPipeClosed: (pipe) => kernel.close(1, pipe),
  });
  const waits: string[] = [];
  const input = [...stdin];
  for (;;) {
    const stop = await process.run();
    if (stop.kind !== "waiting") return { stop, text, waits, process };
    waits.push(stop.reason.kind);
    if (stop.reason.kind === "home") {
      if (stop.reason.call.call === "fork") throw new Error("a fork is the process's own affair");
      const next = input.shift();
      if (next === undefined) kernel.endStdin();
      else kernel.writeStdin(Buffer.from(next));
      const answer = kernel.call(1, stop.reason.call);
      if (answer.kind === "wait") throw new Error(`it waits for ever in ${stop.reason.call.call}`);
      process.complete(answer.result);
    } else process.complete({ value: 0 });
  }
}

test("a program that cannot be moved runs, waits and goes on where it was", async () => {
  const module = holding("(call $say (i32.const 17)) (call $yield) (call $say (i32.const 18))");
  expect(() => preparedProgram(module, false)).toThrow(expect.objectContaining({ code: "NS_NOT_MIGRATABLE" }));
  const { stop, text, waits } = await run(pinned(module));
  expect({ stop, text, waits }).toEqual({
    stop: { kind: "exit", code: 0 },
    text: "AAAAAABB\nAAAAAABC\n",
    waits: ["yield", "yield"],
  });
});

test("its exit and its faults are those of any process, and no handler in it catches them", async () => {
  const exits = `(func $exit (call $proc_exit (i32.const 7)))`;
  const more = `(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))`;
  const source = (code: string): string =>
    command(
      `(func $hold (param $held externref) (result i32) (call $yield) (ref.is_null (local.get $held)))
       (func (export "_start") (drop (call $hold (ref.null extern)))
         (try (do ${code}) (catch_all (call $say (i32.const 1)))))`,
    ).replace('(memory (export "memory")', `${more} (memory (export "memory")`);
  const ended = async (code: string, functions = ""): Promise<{ stop: Stop; text: string }> => {
    const { stop, text } = await run(pinned(assemble(source(code).replace("(func $hold", `${functions} (func $hold`))));
    return { stop, text };
  };
  expect(await ended("(call $exit)", exits)).toEqual({ stop: { kind: "exit", code: 7 }, text: "" });
  expect(await ended("(unreachable)")).toMatchObject({
    stop: { kind: "fault", code: "NS_TRAP", message: "trap: unreachable" },
    text: "",
  });
  const endless = "(func $deeper (result i32) (i32.add (i32.const 1) (call $deeper)))";
  expect(await ended("(drop (call $deeper))", endless)).toMatchObject({ stop: { kind: "fault", code: "NS_STACK_OVERFLOW" } });
});

test("its start function is part of it, and may wait", async () => {
  const { text } = await run(
    pinned(holding("(call $say (i32.const 2))", "(start $first) (func $first (call $yield) (call $say (i32.const 1)))")),
  );
  expect(text).toBe("AAAAAAAB\nAAAAAAAC\n");
});

test("it gets no more memory than its limit, and none to begin with more", async () => {
  const grow = "(call $say (memory.grow (i32.const 3))) (call $say (memory.grow (i32.const 3)))";
  const { text, process } = await run(pinned(holding(grow), 5 * 65_536 + 100));
  expect(text).toBe("AAAAAAAB\nPPPPPPPP\n");
  expect(process.memoryBytes).toBe(4 * 65_536);
  expect(() => pinned(holding(""), 65_535)).toThrow(expect.objectContaining({ code: "NS_MEMORY_LIMIT" }));
});

test("Emscripten's word that memory has grown is heard: plain, where a process moves, and pinned", async () => {
  const imported = '(import "env" "emscripten_notify_memory_growth" (func $grown (param i32))) (memory (export "memory")';
  const code =
    "(drop (memory.grow (i32.const 2))) (call $grown (i32.const 0)) (call $yield) (call $yield) (call $say (memory.size))";
  const growing = (wat: string): string => wat.replace('(memory (export "memory")', imported);
  expectLikePlain(growing(command(`(func (export "_start") ${code})`)));
  const hold = "(func $hold (param $held externref) (result i32) (call $yield) (ref.is_null (local.get $held)))";
  const start = `(func (export "_start") (drop (call $hold (ref.null extern))) ${code})`;
  expect((await run(pinned(assemble(growing(command(`${hold} ${start}`)))))).text).toBe("AAAAAAAD\n");
});

test("objects of the engine's garbage collector are told by the types", () => {
  const types = (...bytes: number[]): Uint8Array => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, bytes.length, ...bytes]);
  const simple = [0x60, 2, 0x7f, 0x6f, 1, 0x7e];
  expect(makesObjects(types(2, ...simple, 0x60, 0, 0))).toBe(false);
  // A function that takes (ref null func).
  expect(makesObjects(types(2, 0x60, 1, 0x63, 0x70, 0, ...simple))).toBe(false);
  for (const made of [
    [0x5f, 0], // a structure
    [0x5e, 0x7f, 0], // an array
    [0x4e, 1, 0x5f, 0], // a group
    [0x50, 0, 0x5f, 0], // with subtypes
  ])
    expect(makesObjects(types(2, ...simple, ...made))).toBe(true);
});

test("C: stdin and its own pipe as elsewhere; fork fails by name", async () => {
  const source = fileURLToPath(new URL("../toolchain/test-programs/pinned.c", import.meta.url));
  const { wasm } = await compile({ sources: [source], cacheDir: sharedCacheDir });
  // Any module can be pinned; this one could be moved.
  const module = mark(new Uint8Array(wasm));
  const { stop, text } = await run(module, [], ["some ", "words\n", "and more"]);
  expect(text).toBe("read 19 bytes\npipe: hello\nfork: Not supported\n");
  expect(stop).toEqual({ kind: "exit", code: 3 });
});

function mark(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const bytes = pin(wasm, BECAUSE);
  expect([pinnedBecause(bytes), pinnedBecause(wasm), pinnedBecause(new Uint8Array(3))]).toEqual([BECAUSE, undefined, undefined]);
  return new WebAssembly.Module(bytes);
}
