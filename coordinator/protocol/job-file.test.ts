import { describe, expect, it, test } from "vitest";
import { readJobFile } from "./job-file.ts";
import { commandOf, countParts } from "./sweep.ts";

test("a job file becomes a job: numbers as text, values as ranges and lists, tables of sets", () => {
  const job = readJobFile(
    JSON.stringify({
      program: "render.c",
      args: ["{frame:03}", "{light}", 8],
      env: { QUALITY: 9 },
      parameters: { frame: "1..3", light: ["soft", 2] },
      memoryMiB: 512,
      hosts: ["amun"],
    }),
    "job.json",
  );
  expect(job).toMatchObject({ program: "render.c", env: { QUALITY: "9" }, memoryMiB: 512, hosts: ["amun"] });
  expect(countParts(job.sweep)).toBe(6);
  expect(commandOf(job, 6).args).toEqual(["003", "2", "8"]);
});

test("without parameters it is a job of one part, and braces mean nothing", () => {
  const job = readJobFile('{ "program": "a.c", "args": ["{x}"] }', "job.json");
  expect([job.sweep, commandOf(job, 1).args]).toEqual([undefined, ["{x}"]]);
});

it.each([
  ["no JSON, with what stands there", '{\n  "program": oops\n}', /^job\.json: this is not JSON: .*"program": oops/],
  [
    "JSON that ends too early, with line and column",
    '{\n  "program": "a.c"\n',
    /^job\.json: this is not JSON: .*line 3 column 1/,
  ],
  ["no object", "[]", /^job\.json: .*expected object/],
  ["a field that there is not", '{ "program": "a.c", "argz": [] }', /argz/],
  ["a field of another type", '{ "program": "a.c", "args": [1, true] }', /^job\.json: args\[1\]: /],
  ["a value that is none", '{ "program": "a.c", "sets": [{ "a": 1 }, { "a": null }] }', /^job\.json: sets\[1\]\.a: /],
  ["a way to be shown that there is not", '{ "program": "a.c", "show": "film" }', /^job\.json: show: .*image.*spectrum/],
  ["a name that is none", '{ "program": "a.c", "parameters": { "1a": [1] } }', /^job\.json: parameters\.1a: .*letter/],
  [
    "values that are none",
    '{ "program": "a.c", "args": ["{a}"], "parameters": { "a": "1..5:0" } }',
    /parameters\.a: "1\.\.5:0" gives no/,
  ],
  [
    "a parameter that nothing has",
    '{ "program": "a.c", "parameters": { "a": "1..5" } }',
    /^job\.json: args: no argument has \{a\}/,
  ],
])("refused: %s", (_, text, message) => {
  expect(() => readJobFile(text, "job.json")).toThrow(
    expect.objectContaining({ code: "NS_BAD_JOB", message: expect.stringMatching(message) }),
  );
});

describe("files of parts", () => {
  const found = ["scenes/a.txt", "scenes/b.txt"];
  const read = (more: object) =>
    readJobFile(JSON.stringify({ program: "a.c", ...more }), "job.json", (pattern) => (pattern === "scenes/*.txt" ? found : []));
  const parameters = { scene: { files: "scenes/*.txt" } };

  test("a pattern makes a part for each file, which comes along by its name", () => {
    const { sweep, files } = read({ parameters });
    expect(sweep?.parameters).toEqual({ scene: found });
    expect([sweep?.inputs?.names, files]).toEqual([{ "{scene}": "{scene}" }, undefined]);
  });

  test("unless a path among the files speaks of it; files without a value go to every part", () => {
    const { sweep, files } = read({ parameters, files: { "scene.txt": "{scene}", "palette.txt": "common/palette.txt" } });
    expect([sweep?.inputs?.names, files]).toEqual([{ "scene.txt": "{scene}" }, { "palette.txt": "common/palette.txt" }]);
  });

  test("values make paths; without a sweep braces mean nothing", () => {
    const made = read({ parameters: { n: "1..3" }, files: { "in.dat": "inputs/{n:02}.dat" } });
    expect(made.sweep?.inputs?.names).toEqual({ "in.dat": "inputs/{n:02}.dat" });
    expect(read({ files: { "{a}": "{b}" } })).toMatchObject({ sweep: undefined, files: { "{a}": "{b}" } });
  });

  test("a pattern that matches nothing is refused with where it is", () => {
    expect(() => read({ parameters: { scene: { files: "none/*" } } })).toThrow(
      "job.json: parameters.scene: no file matches none/*",
    );
  });
});
