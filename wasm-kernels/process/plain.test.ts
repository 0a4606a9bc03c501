import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { instrument } from "../instrument/index.ts";
import { programNamed } from "../programs/index.ts";
import { compile } from "../toolchain/index.ts";
import { sharedCacheDir } from "../toolchain/testing.ts";
import { Kernel, Program, runLocally, runPlain } from "./index.ts";

const times = { now: () => 0, cpuNow: () => 0 };

test("a plain module gives the bytes of the migratable one, its own pipe included, and cannot fork", async () => {
  const { source } = programNamed("fork-fibonacci");
  const { wasm } = await compile({ sources: [source], cacheDir: sharedCacheDir });
  const bytes = new Uint8Array(wasm);
  const plain = (...args: string[]) => runPlain({ module: new WebAssembly.Module(bytes), args: ["f", ...args], ...times });
  const program = new Program("f", instrument(bytes).wasm);
  const migratable = runLocally({ program, args: ["f", "12", "0"], ...times });
  expect(plain("12", "0")).toMatchObject({ stop: { kind: "exit", code: 0 }, stdout: [migratable.stdout] });
  expect(() => plain("12", "1")).toThrow(expect.objectContaining({ code: "NS_NOT_MIGRATABLE" }));
});

test("stdin comes by the pipe-full, however little the program reads at a time, unless it has a buffer of its own", async () => {
  const source = fileURLToPath(new URL("../toolchain/test-programs/stdin.c", import.meta.url));
  const { wasm } = await compile({ sources: [source], cacheDir: sharedCacheDir });
  const program = new Program("s", instrument(new Uint8Array(wasm)).wasm);
  const stdin = Uint8Array.from({ length: 99 * 3500 }, (_, at) => (at % 37 === 0 ? 10 : 33 + ((at * at) % 90)));
  let sum = 0;
  for (const byte of stdin) sum = (Math.imul(sum, 31) + byte) >>> 0;
  const calls = vi.spyOn(Kernel.prototype, "call");
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  for (const [args, atMost] of [
    [[], 20],
    [["own"], 200],
  ] as const) {
    calls.mockClear();
    const { stdout, stop } = runLocally({ program, args: ["s", ...args], stdin, moveAt: () => true, ...times });
    expect([text(stdout), stop]).toEqual([`${stdin.length} bytes, ${sum}, end 1, error 0\n`, { kind: "exit", code: 0 }]);
    expect(calls.mock.calls.filter(([, { call }]) => call === "read").length).toBeLessThan(atMost);
    expect(calls.mock.calls.filter(([, { call }]) => call === "read").length).toBeGreaterThan(atMost / 4);
  }
});
