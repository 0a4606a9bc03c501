import { expect, it } from "vitest";
import { parseJob, parsePid, parseTarget } from "./targets.ts";

it("a plain number is a process, one with j or job: is a job", () => {
  expect(parseTarget("12")).toEqual({ pid: 12, job: null });
  expect(parseTarget("j3")).toEqual({ pid: null, job: 3 });
  expect(parseTarget("job:3")).toEqual({ pid: null, job: 3 });
  expect(parseJob("3")).toBe(3);
  expect(parseJob("j3")).toBe(3);
});

it.each(["", "0", "-1", "j", "j0", "x3", "3j", "1.5", "99999999999"])("%j names neither", (text) =>
  expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: "NS_USAGE" })),
);

it("a job is no process", () => expect(() => parsePid("j3")).toThrow(/j3 is a job/));
