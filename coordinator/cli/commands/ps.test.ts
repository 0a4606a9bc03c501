import { expect, test } from "vitest";
import { folded, type ProcessRow } from "./ps.ts";

const row = (job: number, part: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  ...{ pid: 100 * job + part, parent: 0, job, part, parts: 50, name: "a", state: "queued", host: null, cpuMs: 0 },
  ...{ memoryBytes: 0, migrations: 0, startedAt: 0, report: null, waiting: null, pinned: false },
  ...more,
});

test("of parts that wait ten of each job are shown and the others counted; what has run, or is no part, is shown", () => {
  const many = (job: number, count: number) => Array.from({ length: count }, (_, at) => row(job, at + 1));
  const others = [row(3, 1, { parts: 1 }), row(1, 49, { state: "running" }), row(1, 50, { memoryBytes: 1 })];
  const { shown, more } = folded([...many(1, 40), ...many(2, 10), ...others]);
  expect(shown.filter(({ job, state }) => job === 1 && state === "queued")).toHaveLength(11);
  expect(shown).toHaveLength(10 + 10 + 3);
  expect([...more]).toEqual([[1, 30]]);
});
