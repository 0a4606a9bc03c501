import { execFileSync } from "node:child_process";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { programs } from "@nightshift/wasm-kernels/programs";
import { compileNative } from "@nightshift/wasm-kernels/toolchain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, local, sourceOf } from "../cluster.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
});
afterAll(() => cluster?.close());

/** The program's output natively, or undefined where there is no compiler. */
async function native(name: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { path } = await compileNative({ sources: [sourceOf(name)] });
    return execFileSync(path, args, { encoding: "utf8" });
  } catch (thrown) {
    if (asNightshiftError(thrown).code === "NS_NO_NATIVE_COMPILER") return undefined;
    throw thrown;
  }
}

/** What fork-fibonacci prints, by arithmetic: the sequence from a, b is fib(n-1) a + fib(n) b, modulo 2^64. */
function fibonacciLines(n: number, forks: number): string {
  let [before, now] = [1n, 0n]; // fib(-1), fib(0)
  for (let at = 0; at < n; at++) [before, now] = [now, before + now];
  return Array.from({ length: 2 ** forks }, (_, id) => {
    const [a, b] = [id + 1, 2 * id + 1];
    const value = BigInt.asUintN(64, before * BigInt(a) + now * BigInt(b));
    return `process ${String(id).padStart(2, "0")} seeds ${a} ${b} fib(${n}) = ${value}\n`;
  }).join("");
}

test("the 32 processes of fork-fibonacci spread over two hosts and print what the native program prints", async () => {
  const args = ["31", "5"];
  const expected = (await native("fork-fibonacci", args)) ?? fibonacciLines(31, 5);
  expect(expected).toBe(fibonacciLines(31, 5));
  const ended = await cluster.run("fork-fibonacci", args, { startOn: "amun" });
  expect(ended).toMatchObject({ stdout: expected, stderr: "", report: { kind: "exit", code: 0 } });
  expect(ended.info.processes).toBe(32);
  expect(ended.info.migratedProcesses).toBeGreaterThan(0);
  expect(ended.info.migrations).toBeGreaterThanOrEqual(ended.info.migratedProcesses);
  expect((await cluster.ps(ended.job)).map((process) => process.state)).toEqual(Array.from({ length: 32 }, () => "exited"));
});

test.each(programs.filter((program) => program.name !== "fork-fibonacci"))(
  "$name gives the same output and exit status on the cluster as in one thread here",
  async ({ name, quickArgs }) => {
    const here = await local(name, quickArgs);
    expect(await cluster.run(name, quickArgs)).toMatchObject({ stdout: here.out, stderr: here.err, report: here.stop });
  },
);
