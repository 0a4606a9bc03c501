// Programs built file by file, as make, configure and CMake do it, with the command itself.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILDS } from "../cluster.ts";

const MAIN = join(fileURLToPath(new URL("../..", import.meta.url)), "coordinator/cli/main.ts");

const FILES = {
  "twice.h": "int twice(int);\n",
  "main.c": '#include "twice.h"\n#include <stdio.h>\nint main(int c, char **v) { printf("%d\\n", twice(c)); return 0; }\n',
  "twice.c": '#include "twice.h"\nint twice(int n) { return 2 * n; }\n',
  "thrown.cpp": `#include <stdexcept>
#include <string>
extern "C" int twice(int n) {
  try { throw std::runtime_error(std::string(n, 'x')); } catch (const std::exception &e) { return 2 * std::string(e.what()).size(); }
}
`,
};

describe("a build of several steps", () => {
  let folder: string;
  const run = (...args: string[]) => runWith("", ...args);
  const runWith = (stdin: string, ...args: string[]) => started(stdin, process.execPath, MAIN, ...args);
  const started = async (stdin: string, file: string, ...args: string[]) => {
    const env = { ...process.env, NIGHTSHIFT_HOME: join(folder, "home") };
    const child = spawn(file, args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined).end(stdin); // most read none
    const [stdout, stderr, status] = await Promise.all([
      child.stdout.setEncoding("utf8").toArray(),
      child.stderr.setEncoding("utf8").toArray(),
      new Promise<number | null>((resolve) => child.once("close", resolve)),
    ]);
    return { status, stdout: stdout.join(""), stderr: stderr.join("") };
  };
  const read = (name: string) => readFile(join(folder, name), "utf8");
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nightshift-builds-"));
    // What the compiler has made for other tests it need not make again.
    await Promise.all([mkdir(join(folder, "home")), mkdir(BUILDS, { recursive: true })]);
    await symlink(BUILDS, join(folder, "home/cache"), "junction");
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("objects, their make rules, an archive, and a program of them that runs", async () => {
    expect(await run("cc", "-c", "-O2", "-Wall", "-std=c11", "-MMD", "-MP", "main.c", "twice.c")).toMatchObject({ status: 0 });
    expect(await read("main.d")).toBe("main.o: main.c \\\n  twice.h\ntwice.h:\n");
    expect(await run("ar", "rcs", "libtwice.a", "twice.o")).toMatchObject({ status: 0 });
    expect(await run("ar", "-rcs", "libtwice.a", "twice.o")).toMatchObject({ status: 0, stderr: "" });
    expect(await run("ranlib", "-t", "libtwice.a", "libtwice.a")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await run("ar", "t", "libtwice.a")).toMatchObject({ status: 0, stdout: "twice.o\n" });
    const object = await readFile(join(folder, "twice.o"));
    await rename(join(folder, "twice.o"), join(folder, "before.o"));
    expect(await run("ar", "x", "libtwice.a", "other.o")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NS_SOURCE_NOT_FOUND: There is no other\.o in libtwice\.a/),
    });
    expect(await run("ar", "x", "libtwice.a")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(object.equals(await readFile(join(folder, "twice.o")))).toBe(true);
    expect(await run("ranlib", "libtwice.a")).toMatchObject({ status: 0 });
    expect(await run("cc", "main.o", "-L.", "-ltwice", "-lm", "-o", "prog.wasm")).toMatchObject({ status: 0, stderr: "" });
    expect(await run("exec", "prog.wasm", "a", "b")).toMatchObject({ status: 0, stdout: "6\n" });
  });

  test("a source and an object of C++ that throws, linked by either name of the compiler", async () => {
    expect(await run("c++", "-c", "thrown.cpp")).toMatchObject({ status: 0, stderr: "" });
    for (const compiler of ["cc", "c++"]) {
      expect(await run(compiler, "main.c", "thrown.o")).toMatchObject({ status: 0, stderr: "" });
      expect(await run("exec", "a.out", "a", "b", "c")).toMatchObject({ status: 0, stdout: "8\n" });
    }
  });

  test("what a build looks for first: the version, and the preprocessor", async () => {
    expect((await run("cc", "--version")).stdout).toMatch(/^clang version \d+\.\d+/);
    expect((await run("cc", "-E", "main.c")).stdout).toMatch(/int twice\(int\);[\s\S]*int main\(/);
  });

  test("the commands are there in one word too, for builds whose compiler can be no two", async () => {
    const word = (name: string, ...args: string[]) =>
      started("", process.execPath, join(MAIN, `../nightshift-${name}.mjs`), ...args);
    expect(await word("cc", "-c", "twice.c", "-o", "word.o")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await word("ar", "rcs", "libword.a", "word.o")).toMatchObject({ status: 0 });
    expect(await word("ranlib", "libword.a")).toMatchObject({ status: 0 });
    expect(await word("c++", "-dumpmachine")).toMatchObject({ status: 0, stdout: "wasm32-unknown-wasi\n" });
    const { bin } = JSON.parse(await readFile(join(MAIN, "../../package.json"), "utf8")) as { bin: Record<string, string> };
    expect(Object.keys(bin)).toEqual(["nightshift", ...["ar", "c++", "cc", "ranlib"].map((name) => `nightshift-${name}`)]);
  });

  test("what else builds ask: its machine, rules alone, assembly, a check, other names and standard input, files of arguments", async () => {
    expect(await run("cc", "-dumpmachine")).toEqual({ status: 0, stdout: "wasm32-unknown-wasi\n", stderr: "" });
    expect(await run("cc", "-v")).toMatchObject({ status: 0, stderr: expect.stringMatching(/^clang version/) });
    expect((await run("cc", "-MM", "main.c", "twice.c")).stdout).toBe(
      "main.o: main.c \\\n  twice.h\ntwice.o: twice.c \\\n  twice.h\n",
    );
    expect((await run("cc", "-S", "twice.c", "-o", "-")).stdout).toMatch(/twice:[\s\S]*i32\.shl/);
    expect(await run("cc", "-fsyntax-only", "twice.c")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect((await runWith("int main(void) { retrun 0; }", "cc", "-fsyntax-only", "-")).stderr).toMatch(
      /\n-:1:18: error: .*retrun/,
    );
    expect((await runWith("NAME\n", "cc", "-E", "-P", "-DNAME=dark", "-")).stdout).toBe("dark\n");
    expect((await run("cc", "-x", "c", "-E", "-dM", "/dev/null")).stdout).toMatch(/#define __wasm__ 1/);
    expect((await run("cc", "-E", "main.c", "-o", "main.i")).status).toBe(0);
    expect(await read("main.i")).toMatch(/^# 1 "main\.c"/);
    await writeFile(join(folder, "words"), "-c -x c 'twice.txt' -include \"twice.h\" -o twice.o");
    await writeFile(join(folder, "twice.txt"), "int twice(int n) { return 20 * n; }");
    expect(await run("cc", "@words")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await run("cc", "main.i", "twice.o", "-o", "prog.wasm")).toMatchObject({ status: 0, stderr: "" });
    expect(await run("exec", "prog.wasm")).toMatchObject({ stdout: "20\n" });
    await writeFile(join(folder, "cpu.s"), "");
    expect(await run("cc", "-c", "cpu.s")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NS_NOT_WASM: cpu\.s is assembly/),
    });
  });

  test.skipIf(process.platform === "win32")(
    "a program that the shell runs reads and writes where it is, and is a program for every command",
    async () => {
      await writeFile(
        join(folder, "generate.c"),
        '#include <stdio.h>\nint main(int c, char **v) { char line[9]; fgets(line, 9, fopen("seed", "r")); FILE *f = fopen(v[1], "w"); fprintf(f, "%s %s", v[0], line); puts(fgets(line, 9, stdin)); return 3; }',
      );
      await writeFile(join(folder, "seed"), "42");
      expect(await run("cc", "--runnable", "generate.c", "-o", "generate")).toMatchObject({ status: 0, stderr: "" });
      expect(await started("in\n", join(folder, "generate"), "it's a table")).toEqual({
        status: 3,
        stdout: "in\n\n",
        stderr: "",
      });
      expect(await read("it's a table")).toBe("generate 42");
      expect(await runWith("x\n", "exec", "--dir", ".", "generate", "t")).toMatchObject({ status: 3, stdout: "x\n\n" });
      expect((await run("inspect", "generate")).stdout).toMatch(/^plain module/);
    },
  );

  test("what cannot be is said, and nothing is written", async () => {
    await writeFile(join(folder, "alien.o"), "\x7fELF");
    const said = async (...args: string[]) => {
      const { status, stderr } = await run(...args);
      return [status, stderr.split("\n")[0]];
    };
    expect(await said("cc", "alien.o", "-o", "no.wasm")).toEqual([
      1,
      "nightshift: NS_NOT_WASM: alien.o is no object of WebAssembly's: was it compiled by another compiler?",
    ]);
    expect(await said("cc", "main.c", "-lgone", "-o", "no.wasm")).toEqual([
      1,
      "nightshift: NS_SOURCE_NOT_FOUND: There is no library libgone.a in the folders given by -L",
    ]);
    expect((await run("cc", "main.c", "alien.c", "-c", "-o", "no.wasm")).status).toBe(2);
    const undefinedSymbol = await run("cc", "-c", "main.c", "-o", "only.o").then(() => run("cc", "only.o", "-o", "no.wasm"));
    expect(undefinedSymbol.stderr).toMatch(/NS_COMPILE_FAILED[\s\S]*only\.o: undefined symbol: twice/);
    await expect(read("no.wasm")).rejects.toThrow(/ENOENT/);
  });
});
