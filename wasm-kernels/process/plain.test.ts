import { expect, test } from "vitest";
import { instrument } from "../instrument/index.ts";
import { programNamed } from "../programs/index.ts";
import { compile } from "../toolchain/index.ts";
import { sharedCacheDir } from "../toolchain/testing.ts";
import { Program, runLocally, runPlain } from "./index.ts";

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
