import { describe, expect, test } from "vitest";
import { answerTo, libraryFile, makeRule, plainLevels, readCcArguments, withResponseFiles } from "./cc-arguments.ts";

describe("what a build gives its compiler", () => {
  test("options with values of their own keep them; folders of headers and libraries are told apart; order stays", () => {
    const line =
      "-Wall -isystem inc main.o -x c part -x none -L. -Llib part.a -lm -l foo -include config.h -imacros m.h -Wl,--export-all -g -";
    expect(readCcArguments(line.split(" "))).toEqual({
      inputs: ["main.o", "part", "part.a", "-lm", "-lfoo", "-"],
      languages: new Map([
        ["part", "c"],
        ["-", "c"],
      ]),
      before: [
        ["-include", "config.h"],
        ["-imacros", "m.h"],
      ],
      instead: undefined,
      flags: ["-Wall", "-Wl,--export-all", "-g"],
      includeDirs: ["inc"],
      libraryDirs: [".", "lib"],
      rule: undefined,
    });
  });
  test("what has no meaning here is passed over", () => {
    const line =
      "-fPIC -pthread -march=native -static -fopenmp a.c -fopenmp=libgomp -lgomp -fcf-protection -mfpmath=sse -mno-avx -static-libstdc++ -msse4.2 -mavx2 -m32 -fuse-ld=gold --param inline=3 -isysroot /x -traditional";
    expect(readCcArguments(line.split(" "))).toMatchObject({ inputs: ["a.c"], flags: [] });
  });
  test("what is said to the linker for machines that load libraries or mark pages is passed over, the rest goes to it in order", () => {
    const line =
      "a.o -Wl,--as-needed,-s -Wl,-z,relro -Wl,-z,now -Wl,--start-group b.a -Wl,--end-group -Wl,-rpath,/usr/lib -Wl,-rpath -Wl,/usr/local/lib -Wl,-soname -Xlinker x -Xlinker -z -Wl,now -Wl,--version-script=a.map -Xlinker --hash-style=gnu -rpath /usr/lib -Xlinker -rpath -Xlinker /usr/lib -Wl,-O1 -Wl,-z,stack-size=65536 -Xlinker --export=f -u main -z noexecstack -Wl,-soname,x,--trace";
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
  test("a rule alone, assembly and a check are asked for in the place of an object; -Wp is one way to ask for a rule", () => {
    expect(readCcArguments(["-MM", "-MG", "a.c"])).toMatchObject({ instead: "-M", inputs: ["a.c"], flags: [] });
    expect(readCcArguments(["-S", "-xc++", "a"])).toMatchObject({ instead: "-S", languages: new Map([["a", "c++"]]) });
    expect(readCcArguments(["-fsyntax-only", "a.c"]).instead).toBe("-fsyntax-only");
    expect(readCcArguments(["-Wp,-MMD,x.d", "-Wp,-DX", "a.c"])).toMatchObject({ rule: { file: "x.d" }, flags: ["-Wp,-DX"] });
  });
  test("files of arguments are read in their place, in each other too; one that is not there is a word", () => {
    const files: Record<string, string> = {
      objects: `a.o "b c.o" 'd "e".o'\nf\\ g.o -DNAME=\\"x\\" -DS="a \\"b\\"" @more\n`,
      more: "h.o",
      itself: "@itself",
    };
    expect(withResponseFiles(["cc", "@objects", "@gone", "-o", "x"], (path) => files[path])).toEqual([
      "cc",
      "a.o",
      "b c.o",
      'd "e".o',
      "f g.o",
      '-DNAME="x"',
      '-DS=a "b"',
      "h.o",
      "@gone",
      "-o",
      "x",
    ]);
    expect(withResponseFiles(["@itself"], (path) => files[path])).toEqual(["@itself"]);
  });
  test("what builds ask of the compiler is answered; other options are no questions", () => {
    const asked = [
      "-dumpmachine",
      "-dumpversion",
      "-print-prog-name=ld",
      "--print-file-name=libc.a",
      "-print-multi-os-directory",
      "-print-sysroot",
    ];
    expect(asked.map((option) => answerTo(option, "22.0.0"))).toEqual(["wasm32-unknown-wasi", "22.0.0", "ld", "libc.a", ".", ""]);
    expect(["-O2", "a.c", "-dM", "-pipe", "-"].map((option) => answerTo(option, "22.0.0"))).toEqual(Array(5).fill(undefined));
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
