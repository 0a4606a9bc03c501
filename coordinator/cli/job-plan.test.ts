import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planOf } from "./job-plan.ts";

test("more arguments than a program on the cluster has are refused with what to do instead", async () => {
  const files = Array.from({ length: 4096 }, (_, at) => `${at}.png`);
  expect((await planOf("hello", files.slice(1), {})).args).toHaveLength(4095);
  await expect(planOf("hello", files, {})).rejects.toThrow(
    expect.objectContaining({
      code: "NS_LIMIT",
      message: expect.stringMatching(/at most 4095 arguments, not 4096; .*--sweep-files/),
    }),
  );
});

test("what may be seen of it is said by the job file, or else by the option, or nothing is", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "plan-")), "job.json");
  writeFileSync(file, '{ "program": "render", "show": "image" }');
  const shows = await Promise.all([
    planOf(file, [], {}),
    planOf(file, [], { show: "spectrum" }),
    planOf("render", [], { show: "image" }),
    planOf("render", [], {}),
  ]);
  expect(shows.map(({ show }) => show)).toEqual(["image", "spectrum", "image", undefined]);
});
