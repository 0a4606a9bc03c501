import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withGrowingFiles, written } from "./growing-files.ts";
import { compile } from "./index.ts";
import { runPlain, scratch } from "./testing.ts";

describe("files of the compiler's tree", () => {
  test("grow, are written over and keep zeros where nothing was written", () => {
    let file = written(new Uint8Array([1, 2, 3]), 1, new Uint8Array([9]));
    expect([...file]).toEqual([1, 9, 3]);
    file = written(file, 5, new Uint8Array([7]));
    expect([...file]).toEqual([1, 9, 3, 0, 0, 7]);
    file = written(file.subarray(0, 2), 4, new Uint8Array([8]));
    expect([...file]).toEqual([1, 9, 0, 0, 8]);
  });

  test("a file that somebody else made is never written to", () => {
    const given = new Uint8Array(8).subarray(0, 4);
    written(given, 0, new Uint8Array([1]));
    written(given, 4, new Uint8Array([1]));
    expect([...new Uint8Array(given.buffer)]).toEqual(new Array(8).fill(0));
  });

  test("what is replaced is in the package as it is installed", () => {
    const bundle = readFileSync(createRequire(import.meta.url).resolve("@yowasp/clang"), "utf8");
    expect(withGrowingFiles(bundle)).toContain("nightshiftWritten");
  });

  // Ten seconds; with a copy at each write it was minutes, and the test's time was over.
  test("a table of twenty thousand strings, each with a relocation, compiles in seconds", { timeout: 90_000 }, async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `{ ${at}, "row ${at}" },`);
    const text = `struct row { int number; const char *name; } rows[] = {\n${rows.join("\n")}\n};
#include <stdio.h>
int main(int count, char **names) { (void)names; return puts(rows[19998 + count].name) < 0; }`;
    const { wasm } = await compile({ sources: [join(scratch({ "main.c": text }), "main.c")] });
    expect((await runPlain(wasm)).stdout).toBe("row 19999\n");
  });
});
