import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile, compileObject, link } from "./index.ts";
import { usesLongDouble } from "./long-double.ts";
import { sharedCacheDir as cacheDir, runPlain, scratch } from "./testing.ts";

const PRINTS = `#include <stdio.h>
int main(void) { long double third = 1.0L / 3, read = 0; int got = sscanf("2.25", "%Lf", &read); return printf("%.25Lf %Lg %d\\n", third, read, got) < 0; }`;
const STREAMS = `#include <iomanip>
#include <iostream>
#include <sstream>
int main() { long double read = 0; std::istringstream("2.25") >> read; std::cout << std::setprecision(25) << 1.0L / 3 << " " << read << std::endl; }`;
const SCANS = `#include <stdio.h>
#include <stdlib.h>
int main(void) { return printf("%d\\n", strtold("0.3", NULL) == 0.3L) < 0; }`;

describe("numbers of type long double", () => {
  test.each([
    ["printf and scanf", "main.c", PRINTS, "0.3333333333333333333333333 2.25 1\n"],
    ["streams", "main.cpp", STREAMS, "0.3333333333333333333333333 2.25\n"],
    ["strtold", "main.c", SCANS, "1\n"],
  ])("are printed and scanned by %s", async (_by, name, text, expected) => {
    const source = join(scratch({ [name]: text }), name);
    const { wasm } = await compile({ sources: [source], cacheDir });
    expect((await runPlain(wasm)).stdout).toBe(expected);
    const { object } = await compileObject({ sources: [source], cacheDir });
    writeFileSync(`${source}.o`, object);
    const linked = await link({ inputs: [`${source}.o`], cxx: false, cacheDir });
    expect((await runPlain(linked.wasm)).stdout).toBe(expected);
  });

  test("are nothing to programs that have none", async () => {
    const programs = {
      "main.c": '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { return printf("%f", strtod("2", NULL)) < 0; }',
      "main.cpp": '#include <iostream>\nint main() { double d; std::cin >> d; std::cout << "300% Long " << d; }',
    };
    for (const [name, text] of Object.entries(programs)) {
      const { wasm } = await compile({ sources: [join(scratch({ [name]: text }), name)], cacheDir });
      expect([name, usesLongDouble(wasm)]).toEqual([name, false]);
    }
  });
});
