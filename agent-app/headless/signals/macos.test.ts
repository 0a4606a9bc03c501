import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { parseInput, parseIoreg, watchMacos } from "./macos.ts";
import type { Source } from "./source.ts";

let folder: string;
let source: Source | undefined;
const now: Signals = {};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ns-macos-"));
});
afterEach(() => {
  source?.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** What is seen where this is what `osascript` does. */
function watched(script: string): { logged: unknown[] } {
  const program = join(folder, "osascript");
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const logged: unknown[] = [];
  const update = (signals: Signals): void => void Object.assign(now, signals);
  const log = (_: string, details?: Readonly<Record<string, unknown>>): void => void logged.push(details?.message);
  source = watchMacos({ update, now: () => 100_000, log }, program);
  return { logged };
}

test("what the programs print", () => {
  expect(parseInput("input 250", 1000)).toEqual({ lastInputAtMs: 750 });
  for (const line of ["", "input", "input -1", "input 1 2", "input NaN", "input 9999999999999"])
    expect(parseInput(line, 0)).toBeUndefined();
  expect(parseIoreg('    | |   "HIDIdleTime" = 1234567890\n')).toBeCloseTo(1234.567);
  expect(parseIoreg("nothing")).toBeUndefined();
});

test("where it cannot look, another program is asked", async () => {
  writeFileSync(join(folder, "ioreg"), `#!/bin/sh\necho '"HIDIdleTime" = 5000000000'\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
  const { logged } = watched("echo no such thing; exit 1");
  await vi.waitFor(() => expect(now.lastInputAtMs).toBe(95_000), 20_000);
  expect(logged).toEqual([expect.stringContaining("ended with 1")]);
});

test("input is told as it is said, and unknown when the program has ended", async () => {
  const { logged } = watched("echo input 700; sleep 0.3; exit 3");
  await vi.waitFor(() => expect(now.lastInputAtMs).toBe(99_300), 20_000);
  await vi.waitFor(() => expect(now.lastInputAtMs).toBeUndefined(), 20_000);
  expect(logged).toEqual([expect.stringContaining("ended with 3")]);
});
