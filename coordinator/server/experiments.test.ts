import { expect, test } from "vitest";
import type { Experiment, ExperimentRun } from "../store/index.ts";
import { forksFor, viewOf } from "./experiments.ts";

const run = (ta: number | null, ti: number | null, tb: number | null): ExperimentRun => ({
  ...{ ta, ti, tb, jobs: {} },
  ...{ migrations: 0, migratedProcesses: 0, freezesMs: [], disturbed: false },
});
const experiment = (results: ExperimentRun[]): Experiment => ({
  ...{ id: 1, who: "ada", state: "running", failure: null, startedAt: 0, endedAt: null, hosts: [] },
  ...{ n: 30, runs: 4, processes: 32, results, step: "tb", job: 7 },
});

test("the mean's overhead is of the mean times, as published; the median's is of the runs' own", () => {
  const { figures, results } = viewOf(experiment([run(10, 10, 5), run(10, 10, 6), run(40, 10, 10)]));
  expect(results.map(({ overhead }) => overhead?.toFixed(3))).toEqual(["0.000", "0.200", "0.250"]);
  expect(figures?.runs).toBe(3);
  expect(figures?.median).toEqual({ ta: 10, ti: 10, tb: 6, overhead: expect.closeTo(0.2) });
  expect(figures?.mean).toEqual({ ta: 20, ti: 10, tb: 7, overhead: expect.closeTo(7 / 20 + 7 / 10 - 1) });
});

test("a run that is not complete counts for nothing, and without a complete one there are no figures", () => {
  expect(viewOf(experiment([run(10, 10, 5), run(99, null, null)])).figures).toMatchObject({ runs: 1, mean: { ta: 10 } });
  expect(viewOf(experiment([run(10, 10, null)]))).toMatchObject({ figures: null, results: [{ ta: 10, overhead: null }] });
  expect(viewOf(experiment([]))).not.toHaveProperty("job");
});

test("there are 16 processes for each core, at least the published 32, and no figures where there would be too few", () => {
  expect([1, 2, 3, 6, 16, 64].map((slots) => 2 ** forksFor(slots))).toEqual([32, 32, 64, 128, 256, 256]);
  expect(() => forksFor(65)).toThrow(expect.objectContaining({ code: "NS_LIMIT" }));
});
