import { expect, test } from "vitest";
import { withParts } from "./report.ts";

const experiment = "## The published experiment\n\nfigures\n\n### More\n";
const kernels = "## The kernels\n\nold\n\n### Stopping\n\nold too\n";

test("a part that was measured replaces its own in the report and leaves the other", () => {
  const report = withParts(undefined, [experiment, kernels]);
  expect(report).toMatch(/^# Performance\n/);
  expect(withParts(report, [])).toBe(report);
  const again = withParts(report, ["## The kernels\n\nnew\n"]);
  expect(again).toBe(report.replace(/## The kernels.*/s, "## The kernels\n\nnew\n"));
  expect(withParts(again, [kernels])).toBe(report);
});

test("what the owner notices comes last, and is kept when the others are measured", () => {
  const owner = "## The owner\n\nfigures\n";
  const report = withParts(withParts(undefined, [owner]), [kernels, experiment]);
  expect(report.indexOf(owner)).toBeGreaterThan(report.indexOf(kernels));
});

test("the experiment comes first, whichever was measured first", () => {
  const report = withParts(withParts(undefined, [kernels]), [experiment]);
  expect(report.indexOf(experiment)).toBeLessThan(report.indexOf(kernels));
});
