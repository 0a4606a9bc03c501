// C++ exceptions and longjmp in processes that are stopped again and again, on the way of an exception too: each stop goes through an
// image into a fresh instance, and the bytes are those of the plain module.
import { fileURLToPath } from "node:url";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { Program, requestStop, runLocally, runPlain, type Stop } from "@nightshift/wasm-kernels/process";
import { acceptNewerExceptions } from "@nightshift/wasm-kernels/process/node";
import { compile } from "@nightshift/wasm-kernels/toolchain";
import { expect, test } from "vitest";
import { BUILDS, sha256, text } from "./cluster.ts";

const MOST_MOVES = 300;
const sources = (names: readonly string[]): string[] =>
  names.map((name) => fileURLToPath(new URL(`../wasm-kernels/toolchain/test-programs/${name}`, import.meta.url)));

acceptNewerExceptions();

test.each([
  ["exceptions of every kind", ["exceptions.cpp"]],
  ["what the standard library throws", ["library-throws.cpp"]],
  ["setjmp and longjmp", ["setjmp.c"]],
  ["setjmp and longjmp in the newer form of exceptions", ["setjmp.c"], ["-mllvm", "-wasm-use-legacy-eh=false"]],
  ["both, through C and C++ frames", ["mixed.cpp", "mixed.c"]],
])("%s: moved at every line and at the first polls", async (_what, names, extraArgs: string[] = []) => {
  const { wasm } = await compile({ sources: sources(names), extraArgs, cacheDir: BUILDS });
  const module = new Uint8Array(wasm);
  const times = { now: () => 0, cpuNow: () => 0 };
  const plain = runPlain({ module: await WebAssembly.compile(module), args: ["test"], ...times });
  const made = instrument(module).wasm;
  let control: SharedArrayBuffer | undefined;
  let moves = 0;
  const moved = runLocally({
    ...{ program: new Program(sha256(made), made), args: ["test"], ...times },
    beforeRun: (current) => {
      control = current;
      if (moves < MOST_MOVES) requestStop(current);
    },
    onOutput: () => control && requestStop(control),
    moveAt: () => moves++ < MOST_MOVES,
  });
  const how = (stop: Stop | { kind: "signal" }): object => ({ ...stop, wasmStack: [] });
  expect(text(moved.stdout)).toBe(text(Buffer.concat(plain.stdout)));
  expect(text(moved.stderr)).toBe(text(Buffer.concat(plain.stderr)));
  expect(how(moved.stop)).toEqual(how(plain.stop));
  expect(moved.stdout.length).toBeGreaterThan(50);
  expect(moved.moves).toBeGreaterThan(MOST_MOVES - 10);
});
