// The compiler's threads, in a process of their own as people have them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

test("machine code is never collected while the compiler runs: the engine may abort then", () => {
  const folder = mkdtempSync(join(tmpdir(), "clang-"));
  try {
    const path = join(folder, "sum.c");
    writeFileSync(path, `#include <stdio.h>\nint main(void) { return printf("${folder}"); }`);
    // Only what the threads do: Node has read this module's TypeScript before.
    const script = `import { compile } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
      import { setFlagsFromString } from "node:v8";
      for (const flag of ["--trace-wasm-code-gc", "--stress-wasm-code-gc"]) setFlagsFromString(flag);
      const { wasm } = await compile({ sources: [${JSON.stringify(path)}], cacheDir: ${JSON.stringify(folder)} });
      console.log(wasm.length > 1000);`;
    const said = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
    expect(said).toContain("true\n");
    expect(said).not.toContain("Starting GC");
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
