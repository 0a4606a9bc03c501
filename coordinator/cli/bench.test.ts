// `nightshift bench kernels` as people use it: the real command on a program of theirs.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const REPORT = fileURLToPath(new URL("../../docs/PERFORMANCE.md", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "nightshift-bench-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Figures of the native program are there only where it can be built. */
const hasCompiler = spawnSync("cc", ["--version"]).status === 0;

interface Ended {
  status: unknown;
  out: string;
  err: string;
}
function nightshift(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const env = { ...process.env, NIGHTSHIFT_HOME: join(scratch, "home"), NIGHTSHIFT_COORDINATOR: "", ...more };
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], { env, cwd: scratch }, (error, out, err) =>
      resolve({ status: error?.code ?? 0, out, err }),
    ),
  );
}
const bench = (args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> => nightshift(["bench", ...args], more);

const PROGRAM = `#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  if (argc != 3) return 7;
  volatile unsigned x = 1;
  for (long turn = 0; turn < atol(argv[1]) * 1000000; turn++) x = x * 1664525u + 1013904223u;
  printf("%u %s\\n", x, argv[2]);
  return 0;
}
`;
writeFileSync(join(scratch, "own.c"), PROGRAM);

test("a program of one's own is measured natively, as plain and as migratable WebAssembly, and the report of the bundled ones left alone", async () => {
  const before = readFileSync(REPORT, "utf8");
  const { status, out, err } = await bench(["kernels", "--program", "own.c", "--rounds", "2", "--json", "--", "20", "--x"]);
  expect([status, err.includes("NS_")]).toEqual([0, false]);
  const { kernels } = JSON.parse(out);
  expect(kernels).toHaveLength(1);
  const [{ name, native, plainWasm, migratable, migratableOverPlain }] = kernels;
  expect([name, native > 0, plainWasm > 0]).toEqual(["own.c", hasCompiler, true]);
  expect(migratableOverPlain).toBeCloseTo(migratable / plainWasm - 1, 9);
  expect(readFileSync(REPORT, "utf8")).toBe(before);
  // Without a compiler, and without a source, there is no native column; the report goes where it is told.
  const made = await bench(["kernels", "--program", "own.c", "--quick", "-o", "own.md", "--", "5", "y"], { CC: "no-such-cc" });
  expect(made).toMatchObject({ status: 0, out: expect.stringMatching(/^KERNEL +NATIVE +PLAIN +MIGRATABLE/) });
  expect(made.out).toMatch(/^own\.c +- +\d/m);
  expect(readFileSync(join(scratch, "own.md"), "utf8")).toMatch(/## The kernels[\s\S]*\| own\.c \| - \| /);
  expect((await nightshift(["cc", "own.c", "-o", "own.wasm"])).status).toBe(0);
  const ofModule = JSON.parse((await bench(["kernels", "--program", "own.wasm", "--quick", "--json", "--", "5", "y"])).out);
  expect(ofModule.kernels).toMatchObject([{ name: "own.wasm", native: null, plainOverNative: null }]);
  expect(readFileSync(REPORT, "utf8")).toBe(before);
});

const READER = `#include <stdio.h>
int main(int argc, char **argv) {
  char line[100];
  FILE *in = fopen(argv[1], "r"), *out = fopen("out.txt", "w");
  if (!in || !out || !fgets(line, sizeof line, in)) return 3;
  fprintf(out, "%s", line);
  volatile unsigned sum = 0;
  for (int byte; (byte = getchar()) != EOF;) for (int turn = 0; turn < 100; turn++) sum += byte;
  printf("%u\\n", sum);
  return sum == 0 ? 4 : 0;
}
`;

test("a program gets the files and the stdin that it needs, natively too, and what it writes is compared and left nowhere", async () => {
  writeFileSync(join(scratch, "reader.c"), READER);
  mkdirSync(join(scratch, "files/below"), { recursive: true });
  writeFileSync(join(scratch, "files/below/in.txt"), "a line\n");
  writeFileSync(join(scratch, "long.txt"), "x".repeat(200_000));
  const given = ["kernels", "--program", "reader.c", "--quick", "--json", "--dir", "files", "--stdin", "long.txt"];
  const { status, out, err } = await bench([...given, "--", "below/in.txt"]);
  expect([status, err]).toEqual([0, expect.not.stringContaining("NS_")]);
  expect(JSON.parse(out).kernels).toMatchObject([{ name: "reader.c", migratable: expect.any(Number) }]);
  expect(readdirSync(join(scratch, "files"))).toEqual(["below"]);
  // Another native program than its source is measured instead.
  if (hasCompiler) {
    const native = ["--native", process.execPath];
    expect((await bench([...given, ...native, "--", "below/in.txt"])).err).toContain("natively it ends with 1");
  }
  expect((await bench(["kernels", "--program", "reader.c", "--dir", "none"])).err).toContain(
    "NS_SOURCE_NOT_FOUND: There is no none",
  );
  expect((await bench(["kernels", "--dir", "files"])).err).toContain("NS_USAGE: --dir is for a program of yours");
});

test("what fails, forks or is not asked for rightly is refused with the reason", async () => {
  const failing = await bench(["kernels", "--program", "own.c", "--quick"]);
  expect(failing).toMatchObject({ status: 2, out: "", err: expect.stringContaining("NS_USAGE: own.c: it exits with 7") });
  expect(failing.err).toContain("the files of --dir and what --stdin names");
  const forking = await bench(["kernels", "--program", "fork-fibonacci", "--quick", "--", "10"]);
  expect(forking).toMatchObject({ status: 1, err: expect.stringMatching(/NS_NOT_MIGRATABLE: fork-fibonacci: .*cannot fork/) });
  expect((await bench(["kernels", "--program", "none.c"])).err).toContain("NS_SOURCE_NOT_FOUND");
  expect((await bench(["owner", "--program", "own.c"])).err).toContain("NS_USAGE: --program is for");
  expect((await bench(["kernels", "own.c"])).err).toContain("name one with --program");
  expect(existsSync(join(scratch, "docs"))).toBe(false);
});
