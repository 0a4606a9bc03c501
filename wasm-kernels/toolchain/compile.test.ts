import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { NightshiftError } from "../errors.ts";
import { buildKey, readBuild, trimBuilds, writeBuild } from "./cache.ts";
import { compile, compileObject, compileToText, isWasm, link } from "./index.ts";
import { importsOf, runPlain, scratch, sharedCacheDir } from "./testing.ts";

const cacheDir = sharedCacheDir;

function failure(promise: Promise<unknown>): Promise<NightshiftError> {
  return promise.then(
    () => Promise.reject(new Error("it should have failed")),
    (error: unknown) => error as NightshiftError,
  );
}

describe("what a program becomes", () => {
  test("a C program becomes a WASI module that runs, with its function names and an 8 MiB stack below the data", async () => {
    const folder = scratch({
      "main.c":
        "#include <stdio.h>\nint shared;\n__attribute__((noinline)) int twice(int n) { return 2 * n; }\nint main(int c, char **v) { printf(\"%d %d\\n\", twice(c), (unsigned long)&shared >= 8388608); return v[1][0] - '0'; }",
    });
    const { wasm, diagnostics } = await compile({ sources: [join(folder, "main.c")], cacheDir });
    expect(diagnostics).toBe("");
    expect(isWasm(wasm)).toBe(true);
    const [names] = WebAssembly.Module.customSections(new WebAssembly.Module(new Uint8Array(wasm)), "name");
    expect(Buffer.from(names ?? new ArrayBuffer()).toString("latin1")).toContain("twice");
    expect(await runPlain(wasm, ["3"])).toEqual({ exitCode: 3, stdout: "4 1\n", stderr: "" });
  });

  test("a C++ program with iostream, a vector and a C file beside it works", async () => {
    const folder = scratch({
      "main.cpp":
        '#include <algorithm>\n#include <iostream>\n#include <vector>\nextern "C" int seven(void);\nint main() { std::vector<int> v{3, seven(), 5}; std::sort(v.begin(), v.end()); for (int n : v) std::cout << n << " "; std::cout << std::endl; }',
      "seven.c": "int seven(void) { int class = 7; return class; }",
    });
    const { wasm } = await compile({ sources: [join(folder, "main.cpp"), join(folder, "seven.c")], cacheDir });
    expect((await runPlain(wasm)).stdout).toBe("3 5 7 \n");
  });

  test("programs written for older compilers are warned of, not refused", async () => {
    const folder = scratch({
      "old.c":
        'main(argc, argv) char **argv; { char *name = 0; long place = name; write(1, "old\\n", 4); return twice(argc) + place; }\ntwice(n) int n; { return 2 * n; }',
      "older.c":
        "#include <stdio.h>\nvoid leave(int early) { if (early) return 0; }\nint main(void) { unsigned long n = 5; unsigned *m = &n; leave(0); return *m; }",
      "old.cpp":
        '#include <cstdio>\nint main(int argc, char **) { register int n = 7; double d = argc; int all[] = {n, d}; std::printf("%d\\n", all[0]); }',
    });
    const c = await compile({ sources: [join(folder, "old.c")], cacheDir });
    expect(c.diagnostics).toMatch(
      /warning: .*implicit-int[\s\S]*warning: .*int-conversion[\s\S]*warning: .*implicit-function-declaration/,
    );
    expect(await runPlain(c.wasm)).toEqual({ exitCode: 2, stdout: "old\n", stderr: "" });
    const older = await compile({ sources: [join(folder, "older.c")], cacheDir });
    expect(older.diagnostics).toMatch(/warning: .*return-mismatch[\s\S]*warning: .*incompatible-pointer-types/);
    expect((await runPlain(older.wasm)).exitCode).toBe(5);
    const cxx = await compile({ sources: [join(folder, "old.cpp")], cacheDir });
    expect(cxx.diagnostics).toMatch(/warning: .*register[\s\S]*warning: .*narrowing/);
    expect((await runPlain(cxx.wasm)).stdout).toBe("7\n");
  });

  test.each(["17", "20"])("what newer C++ has taken out of its library is there with -std=c++%s", async (standard) => {
    const folder = scratch({
      "old.cpp": `#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
int twice(int n) { return 2 * n; }
struct Less : std::binary_function<int, int, bool> { bool operator()(int a, int b) const { return a < b; } };
int main() {
  std::auto_ptr<int> three(new int(3));
  int all[] = {1, 2, 5};
  std::random_shuffle(all, all + 3);
  std::transform(all, all + 3, all, std::ptr_fun(twice));
  auto few = std::count_if(all, all + 3, std::bind2nd(Less(), *three)), odd = std::count_if(all, all + 3, std::not1(std::bind1st(std::equal_to<int>(), 4)));
  std::set_unexpected(nullptr);
  std::printf("%d %d %d", int(few), int(odd), std::uncaught_exception());
}`,
    });
    const extraArgs = ["-w", `-std=c++${standard}`];
    const { wasm } = await compile({ sources: [join(folder, "old.cpp")], cacheDir, extraArgs });
    expect((await runPlain(wasm)).stdout).toBe("1 2 0");
  });
  const COMMONS = {
    "shared.h": 'int shared, table[3];\nstatic const char *text = "= common global";\n',
    "main.c":
      '#include "shared.h"\n#include <stdio.h>\nvoid change(void);\nint main() { change(); printf("%d %d %s\\n", shared, table[2], text); return 0; }',
    "change.c": '#include "shared.h"\nvoid change(void) { shared++; table[2] = 7; }',
    "value.c": "int shared = 40;",
  };
  test("with -fcommon variables that several C sources define are one, with the value that one of them gives", async () => {
    const folder = scratch(COMMONS);
    const sources = ["main.c", "change.c", "value.c"].map((name) => join(folder, name));
    const { wasm, diagnostics } = await compile({ sources, cacheDir, extraArgs: ["-fcommon"] });
    expect(diagnostics).toBe("");
    expect((await runPlain(wasm)).stdout).toBe("41 7 = common global\n");
    const objects = [];
    for (const source of sources) {
      const { object } = await compileObject({ sources: [source], cacheDir, extraArgs: ["-fcommon", "-g"] });
      objects.push(`${source}.o`);
      writeFileSync(`${source}.o`, object);
    }
    expect((await runPlain((await link({ inputs: objects, cxx: false, cacheDir })).wasm)).stdout).toBe("41 7 = common global\n");
  });
  test("without it they are too many, and the message says what helps", async () => {
    const folder = scratch(COMMONS);
    const { message } = await failure(compile({ sources: [join(folder, "main.c"), join(folder, "change.c")], cacheDir }));
    expect(message).toMatch(/duplicate symbol: shared[\s\S]*note: .* -fcommon/);
  });

  test("megabytes of preprocessed text come as fast as they are compiled", async () => {
    const folder = scratch({ "large.cpp": "#include <functional>\n" });
    const { text } = await compileToText({ sources: [join(folder, "large.cpp")], cacheDir }, "-E");
    expect(text.length).toBeGreaterThan(2_000_000);
  });
  test("headers are found in the source's folder, in -I folders, through each other and through a macro; defines reach the source", async () => {
    const folder = scratch({
      "app/main.c":
        '#include <stdio.h>\n#include "near.h"\n#define CONFIG "config.h"\n#include CONFIG\n#include <far.h>\nint main(void) { printf("%d %s\\n", NEAR + CONFIGURED + FAR + DEEP + GIVEN, __FILE__); return 0; }',
      "app/near.h": "#define NEAR 1\n",
      "app/config.h": "#define CONFIGURED 10\n",
      "lib/far.h": '#include "deep/deep.h"\n#define FAR 100\n',
      "lib/deep/deep.h": "#define DEEP 1000\n",
    });
    const options = { includeDirs: [join(folder, "lib")], defines: { GIVEN: "10000" }, cacheDir };
    const { wasm } = await compile({ sources: [join(folder, "app/main.c")], ...options });
    expect((await runPlain(wasm)).stdout).toBe("11111 app/main.c\n");
  });

  test("headers whose names macros put together are found, also in each other and beside their includers", async () => {
    const folder = scratch({
      "main.cpp":
        '#include <stdio.h>\n#include <lib/choice.h>\n#include TEXT(lib/AUX(two).h)\nint main() { printf("%d\\n", ONE + TWO + THREE); return 0; }',
      "include/lib/choice.h":
        "#define TEXT(name) TEXT_OF(name)\n#define TEXT_OF(name) #name\n#define KIND gcc\n#define AUX(name) KIND/name\n#include TEXT(lib/AUX(one.h))\n",
      "include/lib/gcc/one.h": "#define ONE 1\n#define NEAR(name) TEXT(name.h)\n",
      "include/lib/gcc/two.h": "#define TWO 10\n#include NEAR(three)\n",
      "include/lib/gcc/three.h": "#define THREE 100\n",
    });
    const options = { sources: [join(folder, "main.cpp")], includeDirs: [join(folder, "include")], cacheDir };
    const { wasm } = await compile(options);
    expect((await runPlain(wasm)).stdout).toBe("111\n");
    const { reads } = await compileObject(options);
    expect(reads).toContain(join(folder, "include/lib/gcc/three.h"));
    const lost = scratch({ "main.c": "#define TEXT(name) #name\n#include TEXT(nowhere.h)\n" });
    expect((await failure(compile({ sources: [join(lost, "main.c")], cacheDir }))).message).toMatch(
      /'nowhere\.h' file not found/,
    );
  });

  test("a build's sources may include what lies beside their folders; a program that is just run may not", async () => {
    const folder = scratch({
      "lib/common/main.c":
        '#include <stdio.h>\n#include "../near.h"\nint main(void) { printf("%d %s\\n", NEAR, __FILE__); return 0; }',
      "lib/near.h": '#include "../far/far.h"\n#define NEAR FAR\n',
      "far/far.h": "#define FAR 5\n",
    });
    const options = { sources: [join(folder, "lib/common/main.c")], cacheDir };
    const { wasm } = await compile({ ...options, includeAnywhere: true });
    expect((await runPlain(wasm)).stdout).toBe("5 lib/common/main.c\n");
    expect((await failure(compile(options))).message).toMatch(/near\.h was not used: it lies outside/);
  });

  test("the same program in another folder gives the same bytes", async () => {
    const text = '#include "a.h"\nint main(void) { return A; }';
    const folders = [scratch({ "main.c": text, "a.h": "#define A 5" }), scratch({ "main.c": text, "a.h": "#define A 5" })];
    const [one, two] = await Promise.all(folders.map((folder) => compile({ sources: [join(folder, "main.c")] })));
    expect(Buffer.from(one?.wasm ?? []).equals(Buffer.from(two?.wasm ?? [1]))).toBe(true);
  });

  test("a WebAssembly module is passed through unchanged", async () => {
    const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const folder = scratch({ "any.wasm": bytes });
    expect((await compile({ sources: [join(folder, "any.wasm")] })).wasm).toEqual(bytes);
  });

  test("warnings are returned with the user's path", async () => {
    const source = join(scratch({ "main.c": "#warning mind the gap\nint main(void) { return 0; }" }), "main.c");
    const { diagnostics } = await compile({ sources: [source], cacheDir });
    expect(diagnostics).toContain(`${source}:1:2: warning: mind the gap`);
  });

  test("the caller's event loop stays alive while the compiler works", async () => {
    const source = join(scratch({ "main.c": `int main(void) { return ${Date.now() % 100}; }` }), "main.c");
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await compile({ sources: [source] });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(3);
  });
});

test("headers are found through parent folders, from sources and from headers, and strings that look like paths stay as they are", async () => {
  const folder = scratch({
    "app/main.c":
      '#include "../lib/one.h"\n#include <../lib/two.h>\n#define TEXT "../lib/one.h"\nint main(void) { return ONE + TWO + sizeof TEXT; }',
    "lib/one.h": '#pragma once\n#include "../lib/inner/three.h"\n#define ONE 1\nstatic int once;\n',
    "lib/two.h": '#include "one.h"\n#if __has_include("../app/main.c")\n#define TWO (2 + THREE + once)\n#endif\n',
    "lib/inner/three.h": '#include "../one.h"\n#define THREE 30\n',
    "lib/part.c": '#include "./../lib/inner/../one.h"\nint part(void) { return ONE; }',
  });
  const sources = ["app/main.c", "lib/part.c"].map((name) => join(folder, name));
  const { wasm, diagnostics } = await compile({
    sources,
    includeDirs: [join(folder, "app")],
    extraArgs: ["-Wno-unused"],
    cacheDir,
  });
  expect(diagnostics).toBe("");
  expect((await runPlain(wasm)).exitCode).toBe(33 + "../lib/one.h".length + 1);
});

describe("what a failure says", () => {
  test("an error in a source or a header names the user's own file and line", async () => {
    const folder = scratch({
      "main.c": '#include "bad.h"\nint main(void) {\n  return missing;\n}',
      "bad.h": "\nint broken = ;\n",
    });
    const error = await failure(compile({ sources: [join(folder, "main.c")], cacheDir }));
    expect(error.code).toBe("NS_COMPILE_FAILED");
    expect(error.details.diagnostics).toContain(`${join(folder, "main.c")}:3:10: error: use of undeclared identifier 'missing'`);
    expect(error.details.diagnostics).toContain(`${join(folder, "bad.h")}:2:14: error:`);
    expect(error.message).not.toContain("nightshift-source");
  });

  test("an undefined function is reported by its name", async () => {
    const folder = scratch({ "main.c": "int elsewhere(void);\nint main(void) { return elsewhere(); }" });
    const error = await failure(compile({ sources: [join(folder, "main.c")], cacheDir }));
    expect(error.code).toBe("NS_COMPILE_FAILED");
    expect(error.details.diagnostics).toContain("undefined symbol: elsewhere");
  });

  test("a missing source, a folder, a text file and an empty list each have their own answer", async () => {
    const folder = scratch({ "notes.txt": "hello" });
    expect((await failure(compile({ sources: [join(folder, "none.c")] }))).code).toBe("NS_SOURCE_NOT_FOUND");
    expect((await failure(compile({ sources: [folder] }))).code).toBe("NS_NOT_WASM");
    expect((await failure(compile({ sources: [join(folder, "notes.txt")] }))).code).toBe("NS_NOT_WASM");
    expect((await failure(compile({ sources: [] }))).code).toBe("NS_NOT_WASM");
  });

  test("a header that is a link to a file outside the source's folder is not read, and the message says so", async () => {
    const folder = scratch({
      "secret.h": "#define SECRET 1\n",
      "app/main.c": '#include "link.h"\nint main(void) { return SECRET; }',
    });
    symlinkSync(join(folder, "secret.h"), join(folder, "app/link.h"));
    const error = await failure(compile({ sources: [join(folder, "app/main.c")], cacheDir }));
    expect(error.details.diagnostics).toContain("'link.h' file not found");
    expect(error.details.diagnostics).toContain(`${join(folder, "app/link.h")} was not used`);
  });

  test("assembly in a source is for another processor", async () => {
    const constraint = 'int main(void) { unsigned low, high; __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)); return 0; }';
    const instruction = 'int main(void) { __asm__ volatile("cpuid"); return 0; }';
    for (const text of [constraint, instruction]) {
      const source = join(scratch({ "main.c": text }), "main.c");
      expect((await failure(compile({ sources: [source], cacheDir }))).message).toMatch(
        /note: assembly is for one kind of processor/,
      );
    }
  });

  test("an option that would not make a program is refused", async () => {
    const source = join(scratch({ "main.c": "int main(void) { return 0; }" }), "main.c");
    for (const arg of ["-c", "-o", "-S", "-oelse"]) {
      expect((await failure(compile({ sources: [source], extraArgs: [arg] }))).code).toBe("NS_USAGE");
    }
  });

  test("a compilation that takes too long is stopped, and the next one works", async () => {
    const endless =
      "constexpr long f(long n) { long s = 0; for (long i = 0; i < n; i++) s += i ^ (s << 1); return s; }\nconstexpr long x = f(1L << 30);\nint main() { return (int)x; }";
    const folder = scratch({ "slow.cpp": endless, "main.c": "int main(void) { return 0; }" });
    const slow = {
      sources: [join(folder, "slow.cpp")],
      extraArgs: ["-fconstexpr-steps=2147483647", "-std=c++20"],
      timeoutMs: 1500,
    };
    const error = await failure(compile(slow));
    expect([error.code, error.details.timeoutMs]).toEqual(["NS_COMPILE_FAILED", 1500]);
    expect(isWasm((await compile({ sources: [join(folder, "main.c")] })).wasm)).toBe(true);
  });
});

describe("the cache", () => {
  test("a result is taken from the cache until a header changes, and a damaged entry is made anew", async () => {
    const folder = scratch({ "main.c": '#include "a.h"\n#warning kept\nint main(void) { return A; }', "a.h": "#define A 5" });
    const own = { sources: [join(folder, "main.c")], cacheDir: join(folder, "cache") };
    const exit = async () => (await runPlain((await compile(own)).wasm)).exitCode;
    expect(await exit()).toBe(5);
    const [entry = ""] = readdirSync(own.cacheDir).filter((name) => !readFileSync(join(own.cacheDir, name)).includes("!<arch>"));

    const path = join(own.cacheDir, entry);
    const whole = readFileSync(path);
    const { ino } = statSync(path); // another one when it is written anew
    expect((await compile(own)).diagnostics).toContain("main.c:2:2: warning: kept");
    expect(statSync(path).ino).toBe(ino);

    truncateSync(path, whole.length - 10);
    expect(await exit()).toBe(5);
    expect(readFileSync(path).equals(whole)).toBe(true);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 20] = (flipped[whole.length - 20] ?? 0) ^ 1;
    writeFileSync(path, flipped);
    expect(await exit()).toBe(5);

    writeFileSync(join(folder, "a.h"), "#define A 6");
    expect(await exit()).toBe(6);
  });

  test("what has not been asked for for longest goes when a cache has become too large, and what a dead process left half written", async () => {
    const folder = scratch({ "other.txt": "not a build" });
    const keys = ["a", "b", "c", "d"].map((name) => buildKey([name]));
    for (const [at, key] of keys.entries()) {
      await writeBuild(folder, key, { bytes: new Uint8Array(1000), text: "" });
      utimesSync(join(folder, `${key}.build`), 1000 + at, 1000 + at);
    }
    const left = join(folder, `${keys[0]}.0b2a.tmp`);
    writeFileSync(left, "half");
    await readBuild(folder, keys[0] ?? ""); // the oldest is wanted again
    await trimBuilds(folder, 10_000);
    expect(readdirSync(folder)).toHaveLength(6);

    utimesSync(left, 1000, 1000);
    await trimBuilds(folder, 3500);
    expect(readdirSync(folder).sort()).toEqual([`${keys[0]}.build`, `${keys[3]}.build`, "other.txt"].sort());
    if (process.platform !== "win32") expect(statSync(join(folder, `${keys[3]}.build`)).mode & 0o777).toBe(0o600);
  });

  test("a cache that cannot be written does not fail the compilation", async () => {
    const folder = scratch({ "main.c": "int main(void) { return 0; }", cache: "a file, not a folder" });
    mkdirSync(join(folder, "other"));
    const { wasm } = await compile({ sources: [join(folder, "main.c")], cacheDir: join(folder, "cache") });
    expect(importsOf(wasm)).toContain("wasi_snapshot_preview1.proc_exit");
  });
});
