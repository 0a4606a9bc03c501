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
  const run = async (...args: string[]) => {
    const env = { ...process.env, NIGHTSHIFT_HOME: join(folder, "home") };
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
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
    expect(await read("main.d")).toMatch(/^main\.o: \S+main\.c \\\n {2}\S+twice\.h\n\S+twice\.h:\n$/);
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
