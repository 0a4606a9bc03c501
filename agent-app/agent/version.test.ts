import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { VERSION } from "./version.ts";

test.each(["package.json", "agent-app/package.json", "coordinator/package.json", "installer/package.json"])(
  "the version is that of %s",
  (path) => {
    const file = new URL(`../../${path}`, import.meta.url);
    expect(JSON.parse(readFileSync(file, "utf8")).version).toBe(VERSION);
  },
);
