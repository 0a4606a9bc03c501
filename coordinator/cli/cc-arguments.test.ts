import { describe, expect, test } from "vitest";
import { libraryFile, makeRule, plainLevels, readCcArguments } from "./cc-arguments.ts";

describe("what a build gives its compiler", () => {
  test("options with values of their own keep them; folders of headers and libraries are told apart; order stays", () => {
    const line = "-Wall -isystem inc main.o -x c -L. -Llib part.a -lm -l foo -Wl,--export-all -g";
    expect(readCcArguments(line.split(" "))).toEqual({
      inputs: ["main.o", "part.a", "-lm", "-lfoo"],
      flags: ["-Wall", "-x", "c", "-Wl,--export-all", "-g"],
      includeDirs: ["inc"],
      libraryDirs: [".", "lib"],
      rule: undefined,
    });
  });
  test("what has no meaning here is passed over", () => {
    const line =
      "-fPIC -pthread -march=native -static -fopenmp a.c -fopenmp=libgomp -lgomp -fcf-protection -mfpmath=sse -mno-avx -static-libstdc++";
    expect(readCcArguments(line.split(" "))).toMatchObject({ inputs: ["a.c"], flags: [] });
  });
  test("what is said to the linker for machines that load libraries or mark pages is passed over, the rest goes to it in order", () => {
    const line =
      "a.o -Wl,--as-needed,-s -Wl,-z,relro -Wl,-z,now -Wl,--start-group b.a -Wl,--end-group -Wl,-rpath,/usr/lib -Wl,--version-script=a.map -Xlinker --hash-style=gnu -rpath /usr/lib -Xlinker -rpath -Xlinker /usr/lib -Wl,-O1 -Wl,-z,stack-size=65536 -Xlinker --export=f -u main -z noexecstack -Wl,-soname,x,--trace";
    expect(readCcArguments(line.split(" "))).toMatchObject({
      inputs: ["a.o", "b.a"],
      flags: ["-Wl,-O1", "-Wl,-z,stack-size=65536", "-Wl,--export=f", "-Wl,-u,main", "-Wl,--trace"],
    });
  });
  test("a library may be named by its file", () => {
    expect(readCcArguments(["-l:libx.a", "-lm"]).inputs.map(libraryFile)).toEqual(["libx.a", "libm.a"]);
  });
  test("a make rule is asked for in several ways", () => {
    expect(readCcArguments(["-MMD"]).rule).toEqual({ file: undefined, targets: [], phony: false });
    expect(readCcArguments(["-MD", "-MP", "-MT", "x.o", "-MF", "x.d"]).rule).toEqual({
      file: "x.d",
      targets: ["x.o"],
      phony: true,
    });
  });
  test("a shared library cannot be made", () => {
    expect(() => readCcArguments(["-shared", "a.o"])).toThrow(/-shared: .*--disable-shared/);
  });
  test("a value that is missing is said", () => {
    expect(() => readCcArguments(["-MF"])).toThrow(expect.objectContaining({ code: "NS_USAGE", message: "-MF needs a value" }));
  });
  test("levels without a number get one", () => {
    expect(plainLevels(["cc", "-O", "a.c", "-Og", "-Ofast", "-O2", "-O9"])).toEqual([
      "cc",
      "-O1",
      "a.c",
      "-O1",
      "-O3",
      "-O2",
      "-O3",
    ]);
  });
  test("rules escape what make would read otherwise", () => {
    expect(makeRule(["a b.o"], ["/x/a$.c", "/x/h#.h"], true)).toBe("a\\ b.o: /x/a$$.c \\\n  /x/h\\#.h\n/x/h\\#.h:\n");
  });
});
