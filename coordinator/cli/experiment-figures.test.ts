import { describe, expect, it } from "vitest";
import { expectedOutput, median, overhead, PUBLISHED } from "../server/experiment-figures.ts";
import { figuresOf, type Run, renderFigures, sizeFor } from "./experiment-figures.ts";
import { paintFor } from "./terminal.ts";

const run = (ta: number | null, ti: number | null, tb: number, freezesMs: number[] = []): Run => ({
  ...{ ta, ti, tb, freezesMs },
  ...{ taPlainWasm: 10, tiPlainWasm: 20, migrations: 3, migratedProcesses: 2, migrationBytes: 100, migrationMessages: 30 },
});

it("the formula gives the published overhead for the published times", () => {
  const found = overhead(PUBLISHED.ta, PUBLISHED.ti, PUBLISHED.tb);
  // 2.016 %, printed there as 2.01 %.
  expect(Math.floor(found * 1e4) / 1e4).toBe(PUBLISHED.overhead);
});

it("two equal hosts that need half the time lose nothing, and the whole time loses everything", () => {
  expect(overhead(10, 10, 5)).toBeCloseTo(0);
  expect(overhead(10, 10, 10)).toBeCloseTo(1);
});

describe("the figures of several runs", () => {
  it("are computed from the means of the times, not as the mean of the overheads", () => {
    const figures = figuresOf([run(10, 20, 6), run(14, 20, 8)], 30, 32);
    expect(figures).toMatchObject({ ta: 12, ti: 20, tb: 7, runs: 2, native: true, migrations: 3 });
    expect(figures.overhead).toBeCloseTo(7 / 12 + 7 / 20 - 1);
    expect(figures.overheadPlainWasm).toBeCloseTo(7 / 10 + 7 / 20 - 1);
  });

  it("have the median of the runs' overheads, which one disturbed run does not change", () => {
    const figures = figuresOf([run(10, 10, 5), run(10, 10, 5.1), run(10, 10, 50)], 30, 32);
    expect(figures.medianOverhead).toBeCloseTo(0.02);
    expect(figures.medianOverheadPlainWasm).toBeCloseTo(overhead(10, 20, 5.1));
    expect(renderFigures(figures, paintFor({}))).toMatch(/median of the runs .*2\.00 %/);
  });

  it("have the median and the worst freeze of all runs together", () => {
    expect(figuresOf([run(1, 1, 1, [5, 100]), run(1, 1, 1, [7])], 30, 32).freezeMs).toEqual({ median: 7, max: 100 });
    expect(figuresOf([run(1, 1, 1)], 30, 32).freezeMs).toEqual({ median: 0, max: 0 });
  });

  it("say so when there is no native compiler, and stand alone on WebAssembly", () => {
    const figures = figuresOf([run(null, null, 6)], 30, 32);
    expect(figures).toMatchObject({ ta: null, ti: null, overhead: null, native: false });
    const text = renderFigures(figures, paintFor({}));
    expect(text).toMatch(/native on amun .*no C compiler here/);
    expect(text).not.toMatch(/NaN|null/);
  });
});

it("the median of an even number of values lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9])).toBe(9);
});

it("what the program must print is the sequence from each process's seeds, modulo 2^64", () => {
  expect(expectedOutput(10, 1)).toBe("process 00 seeds 1 1 fib(10) = 89\nprocess 01 seeds 2 3 fib(10) = 233\n");
  expect(expectedOutput(0, 0)).toBe("process 00 seeds 1 1 fib(0) = 1\n");
  expect(expectedOutput(60, 5).trimEnd().split("\n")).toHaveLength(32);
});

it("the size is the largest whose work fits the budget, within bounds", () => {
  // One process takes 0.1 s at 36: 32 take 3.2 s, two steps more 8.4 s, three 13.6 s.
  expect(sizeFor(12, 32, 36, 0.1)).toBe(38);
  expect(sizeFor(12, 32, 36, 1000)).toBe(28);
  expect(sizeFor(12, 32, 36, 1e-9)).toBe(44);
});
