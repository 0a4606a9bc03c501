import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  commandOf,
  countParts,
  inputProblems,
  inputsOf,
  MAX_PART_FILES,
  MAX_PARTS,
  parseValues,
  requireInputs,
  requireSweep,
  sourcesOf,
  sweepProblems,
  textOfValues,
  valuesOf,
} from "./sweep.ts";

const job = (args: string[], parameters: Record<string, string | string[]>, sets: Record<string, string>[] = []) => ({
  args,
  env: {},
  sweep: {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, values]) => [name, typeof values === "string" ? parseValues(values) : values]),
    ),
    sets,
  },
});
const commands = (swept: ReturnType<typeof job>): string[] =>
  Array.from({ length: countParts(swept.sweep) }, (_, at) => commandOf(swept, at + 1).args.join(" "));

describe("values", () => {
  it.each([
    ["1..4", ["1", "2", "3", "4"]],
    ["3..1", ["3", "2", "1"]],
    ["0..1:0.25", ["0.00", "0.25", "0.50", "0.75", "1.00"]],
    ["0..0.3:0.1", ["0.0", "0.1", "0.2", "0.3"]],
    ["1..10:4", ["1", "5", "9"]],
    ["-2..2:2", ["-2", "0", "2"]],
    ["soft,hard", ["soft", "hard"]],
    ["1..3,10", ["1", "2", "3", "10"]],
    ["a..b", ["a..b"]],
  ])("%s", (text, values) => {
    expect(commands(job(["{x}"], { x: text }))).toEqual(values);
  });

  it.each(["", "1..5:-1", "1..5:0", `1..${MAX_PARTS + 1}`])("%j gives none, or too many", (text) => {
    expect(() => parseValues(text)).toThrow(expect.objectContaining({ code: "NS_BAD_JOB" }));
  });
});

describe("values as text", () => {
  it.each(["1..4", "3..1", "0..1:0.25", "soft,hard", "10,8,6"])("%s is read as it was written", (text) => {
    expect(textOfValues(parseValues(text))).toBe(text);
  });
  it.each([[["a,b"]], [["1..3"]], [[""]], [[" a"]]])("%j cannot be typed", (values) => {
    expect(textOfValues(values)).toBeUndefined();
  });
});

describe("parts", () => {
  test("are every combination, the last parameter varying fastest", () => {
    expect(commands(job(["{a}", "{b}"], { a: "1..2", b: ["x", "y"] }))).toEqual(["1 x", "1 y", "2 x", "2 y"]);
  });

  test("are each set of a table, with every combination of the parameters", () => {
    const sets = [
      { size: "10", name: "small" },
      { size: "99", name: "large" },
    ];
    expect(commands(job(["{name}={size}"], {}, sets))).toEqual(["small=10", "large=99"]);
    expect(commands(job(["{name}={size}", "{n}"], { n: "1..2" }, sets))).toEqual([
      "small=10 1",
      "small=10 2",
      "large=99 1",
      "large=99 2",
    ]);
  });

  test("are counted without being made, and any of them is made without the others", () => {
    void fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        (lists) => {
          const parameters = Object.fromEntries(lists.map((values, at) => [`p${at}`, values]));
          const swept = { parameters, sets: [] };
          let expected: string[][] = [[]];
          for (const values of lists) expected = expected.flatMap((before) => values.map((value) => [...before, value]));
          expect(countParts(swept)).toBe(expected.length);
          expected.forEach((values, at) => {
            const { part, ...found } = valuesOf(swept, at + 1);
            expect([part, Object.values(found)]).toEqual([String(at + 1), values]);
          });
        },
      ),
    );
  });

  test("a job without a sweep has one, with its arguments as they are written", () => {
    const plain = { args: ["{x}", "{{"], env: { A: "}" }, sweep: undefined };
    expect(countParts(undefined)).toBe(1);
    expect(commandOf(plain, 1)).toEqual({ args: ["{x}", "{{"], env: { A: "}" } });
    expect(sweepProblems(plain)).toEqual([]);
  });
});

describe("templates", () => {
  test("have values, zeros in front, the part's number and braces in them, also in the environment", () => {
    const swept = { ...job(["f{n:03}.ppm", "{{n}}", "{part}/{n}", "{n:3}"], { n: ["7", "-7"] }), env: { N: "<{n}>" } };
    expect(commandOf(swept, 1)).toEqual({ args: ["f007.ppm", "{n}", "1/7", "007"], env: { N: "<7>" } });
    expect(commandOf(swept, 2)).toEqual({ args: ["f-07.ppm", "{n}", "2/-7", "-07"], env: { N: "<-7>" } });
  });

  test("a value is put in as it is, not read again", () => {
    expect(commands(job(["{a}"], { a: ["{part}", "$&", "{{"] }))).toEqual(["{part}", "$&", "{{"]);
  });
});

describe("what is wrong is told with where it is and what to write", () => {
  it.each([
    ["an unknown parameter", job(["{a}", "{b}"], { a: "1..2" }), "args[1]", /no parameter b; write \{\{b\}\}/],
    ["a lone brace", job(["{a}", "x}"], { a: "1..2" }), "args[1]", /write \}\} for a \}/],
    ["a parameter that no argument has", job(["x"], { a: "1..2" }), "args", /no argument has \{a\}/],
    ["no parameter at all", job(["x"], {}), "parameters", /no parameter/],
    ["the reserved name", job(["{part}"], { part: "1..2" }), "parameters.part", /choose another name/],
    ["too many parts", job(["{a}{b}"], { a: "1..200", b: "1..200" }), "parameters", /40000 parts.* at most 10000/],
    ["sets with different parameters", job(["{a}"], {}, [{ a: "1" }, { b: "2" }]), "sets[1]", /same parameters \(a\)/],
    ["a set's parameter given twice", job(["{a}"], { a: "1..2" }, [{ a: "1" }]), "sets[0].a", /already/],
  ])("%s", (_, swept, path, message) => {
    expect(sweepProblems(swept)).toContainEqual(expect.objectContaining({ path, message: expect.stringMatching(message) }));
    expect(() => requireSweep(swept, "file.json")).toThrow(
      expect.objectContaining({ code: "NS_BAD_JOB", message: expect.stringMatching(/^file\.json: /) }),
    );
  });

  test("an argument that values would make too long", () => {
    const long = job(["{a}".repeat(20)], { a: ["x".repeat(4000)] });
    expect(sweepProblems(long)).toMatchObject([{ path: "args[0]", message: expect.stringMatching(/longer than 65536/) }]);
  });

  test("a range without values", () => {
    const swept = { ...job(["{a}"], {}), sweep: { parameters: { a: { from: 1, to: 5, step: 0 } }, sets: [] } };
    expect(sweepProblems(swept)).toMatchObject([{ path: "parameters.a", message: expect.stringMatching(/empty/) }]);
  });
});

describe("files that differ from part to part", () => {
  const ref = (size: number) => ({ hash: "a".repeat(64), size });
  const swept = (names: Record<string, string>, files: string[], n = ["a", "b"]) => ({
    ...{ parameters: { n }, sets: [] },
    inputs: { names, files: Object.fromEntries(files.map((name, at) => [name, ref(at)])) },
  });
  const codes = (...given: Parameters<typeof swept>): string[] => inputProblems(swept(...given)).map(({ code }) => code);

  test("each part gets its own, under a name that may differ, too", () => {
    const one = swept({ "input.dat": "inputs/{n}.dat", "{n}.txt": "inputs/{n}.dat" }, ["inputs/a.dat", "inputs/b.dat"]);
    expect(inputsOf(one, 1)).toEqual({ "input.dat": ref(0), "a.txt": ref(0) });
    expect(inputsOf(one, 2)).toEqual({ "input.dat": ref(1), "b.txt": ref(1) });
    expect([...sourcesOf(one)]).toEqual(["inputs/a.dat", "inputs/b.dat"]);
    expect([inputsOf(undefined, 1), inputProblems(undefined), inputProblems(one)]).toEqual([{}, [], []]);
  });

  test("a parameter may be in a file's name alone; one that is not there is told, and so is a stray brace", () => {
    const problems = (names: Record<string, string>) => sweepProblems({ args: [], env: {}, sweep: swept(names, []) });
    expect(problems({ "input.dat": "{n}" })).toEqual([]);
    expect(problems({ "input.dat": "{m}" })).toMatchObject([
      { path: "files.input.dat", code: "unknown-parameter" },
      { path: "args", code: "unused" },
    ]);
    expect(problems({ "{n": "x" })).toMatchObject([{ code: "brace" }, { code: "unused" }]);
  });

  test("a part whose file is not there is told with the file", () => {
    expect(inputProblems(swept({ x: "{n}" }, ["a"]))).toMatchObject([
      { path: "files.x", code: "no-file", message: "part 2: there is no file b" },
    ]);
    expect(() => requireInputs(swept({ x: "{n}" }, ["a"]))).toThrow(expect.objectContaining({ code: "NS_BAD_JOB" }));
  });

  test.each(["../a", "/a", "a/../b", "a//b", ".", "a\\b", "a\0"])("the name %j would lead elsewhere", (name) => {
    expect(codes({ "{n}": "x" }, ["x"], [name])).toEqual(["bad-file-name"]);
  });

  test("two files of a part by one name, and more of them than a job can hold", () => {
    expect(codes({ "{n}": "x", a: "x" }, ["x"])).toEqual(["same-file-name"]);
    const many = Array.from({ length: MAX_PART_FILES + 1 }, (_, at) => `f${at}`);
    expect(codes({ "{n}": "{n}" }, many, many)).toEqual(["too-many-files"]);
    expect(codes({ "{n}": "{n}" }, many.slice(1), many.slice(1))).toEqual([]);
    expect(codes({ x: "{n}" }, ["a".repeat(200_001)])).toEqual(["too-many-files"]);
    const names = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`f${at}`, "x"]));
    expect(codes(names, ["x"])).toEqual(["too-many-files"]);
  });
});
