import { describe, expect, test } from "vitest";
import { readJobFile } from "../protocol/job-file.ts";
import { bodyOf, draftOfFile, EMPTY, parameter, previewOf, withoutParameter, withPartForEach, withRenamed } from "./draft.ts";

describe("the preview", () => {
  test("counts the parts and shows the first command lines and the last one", () => {
    const draft = { ...EMPTY, args: "{n:02} 'two words'", parameters: [parameter("n", "1..9")] };
    expect(previewOf(draft, "a.c")).toMatchObject({
      ...{ parts: 9, problems: [] },
      lines: ["a.c 01 'two words'", "a.c 02 'two words'", "a.c 03 'two words'", "a.c 04 'two words'", "…", "a.c 09 'two words'"],
    });
  });

  test("of a job without parameters is its one command line, braces and all", () => {
    expect(previewOf({ ...EMPTY, args: "{x}" }, "a.c")).toMatchObject({
      parts: 1,
      lines: ["a.c {x}"],
      problems: [],
      sweep: null,
    });
  });

  test("tells of a bad name, bad values, and a parameter that nothing has", () => {
    const of = (...parameters: [string, string][]) =>
      previewOf({ ...EMPTY, args: "{n}", parameters: parameters.map((one) => parameter(...one)) }, "a.c").problems;
    expect(of(["1n", "1..2"])).toEqual([{ path: "1n", code: "form-name" }]);
    expect(of(["n", "1..2"], ["n", "1"])).toEqual([{ path: "n", code: "form-twice" }]);
    expect(of(["n", ""])).toEqual([{ path: "n", code: "form-values" }]);
    expect(of(["n", "1..2"], ["m", "1"])).toMatchObject([{ path: "args", message: expect.stringMatching(/\{m\}/) }]);
  });
});

test("a job file fills the form, and what is sent is what the file says", () => {
  const file = {
    ...{ program: "a.c", args: ["{n}", "x y", "{s}"], env: { A: "1=2" }, parameters: { n: "1..3" }, sets: [{ s: 1 }, { s: 2 }] },
    ...{
      memoryMiB: 64,
      cpuSeconds: 1.5,
      hosts: ["amun", "ipc256"],
      seed: 7,
      clock: "host",
      name: "mine",
      pin: true,
      show: "image",
    },
  };
  const draft = draftOfFile(readJobFile(JSON.stringify(file), "job.json"));
  expect(bodyOf(draft, previewOf(draft, "a.c"))).toEqual({
    ...{ args: ["{n}", "x y", "{s}"], env: { A: "1=2" }, clock: "host", hosts: ["amun", "ipc256"], name: "mine" },
    sweep: { parameters: { n: { from: 1, to: 3, step: 1 } }, sets: [{ s: "1" }, { s: "2" }] },
    ...{ memoryLimitBytes: 64 * 2 ** 20, cpuLimitMs: 1500, seed: 7, pin: true, show: "image" },
  });
});

test("an environment comes back as it was, lines and quotes in its values included", () => {
  const env = { PLAIN: "a=b c", LINES: "one\ntwo=2", QUOTED: '"x"', HALF: '"', EMPTY: "" };
  const draft = draftOfFile(readJobFile(JSON.stringify({ program: "a.c", env }), "job.json"));
  expect(previewOf(draft, "a.c").env).toEqual(env);
  expect(previewOf({ ...draft, env: 'A="open' }, "a.c").env).toEqual({ A: '"open' });
});

test("values that cannot be typed are kept as they are until others are typed", () => {
  const file = { program: "a.c", args: ["{n}"], parameters: { n: ["a,b", "1..3"] } };
  const draft = draftOfFile(readJobFile(JSON.stringify(file), "job.json"));
  expect(previewOf(draft, "a.c")).toMatchObject({ parts: 2, lines: ["a.c a,b", "a.c 1..3"] });
});

test("a part for each file: a parameter has their names, each part gets its own, and what speaks of the parameter follows it", () => {
  const draft = withPartForEach(withPartForEach({ ...EMPTY, args: "--fast" }, ["a.dat", "b, c.dat"]), ["d.dat", "a.dat"]);
  expect(draft.args).toBe("--fast {file}");
  const preview = previewOf(draft, "a.c", (source) => source !== "d.dat");
  expect(preview).toMatchObject({ parts: 3, sources: ["a.dat", "b, c.dat", "d.dat"] });
  expect(preview.problems).toMatchObject([{ code: "no-file", values: { part: 3, name: "d.dat" } }]);
  const files = { "a.dat": { hash: "a", size: 1 } };
  expect(bodyOf(draft, preview, files).sweep?.inputs).toEqual({ names: { "{file}": "{file}" }, files });
  expect(withRenamed(draft.inputs, "file", "scene")).toEqual({ "{scene}": "{scene}" });
  expect(withRenamed({ "{file:03}": "{files}" }, "file", "scene")).toEqual({ "{scene:03}": "{files}" });
  expect(withoutParameter(draft.inputs, "file")).toEqual({});
});
