import { expect, test } from "vitest";
import { barsOf, lanesOf } from "./bars.ts";

const stay = (pid: number, at: number, host: string | null) => ({ pid, at, host });

test("a process is on each host until it is on the next one; only another host is a migration", () => {
  const stays = [
    stay(1, 0, "amun"),
    stay(1, 10, null),
    stay(1, 12, "ipc"),
    stay(2, 5, "amun"),
    stay(2, 6, null),
    stay(2, 8, "amun"),
  ];
  expect(barsOf(stays, 20)).toEqual([
    { pid: 1, host: "amun", from: 0, to: 10, moved: false },
    { pid: 1, host: "ipc", from: 12, to: 20, moved: true },
    { pid: 2, host: "amun", from: 5, to: 6, moved: false },
    { pid: 2, host: "amun", from: 8, to: 20, moved: false },
  ]);
});

test("a host has a lane for each process that it had at the same time, and hosts follow one another", () => {
  const stays = [stay(1, 0, "b"), stay(2, 1, "b"), stay(1, 5, null), stay(3, 6, "b"), stay(4, 2, "a")];
  const lines = lanesOf(barsOf(stays, 9), ["a", "b"]).map(({ pid, line }) => [pid, line]);
  expect(lines).toEqual([
    [4, 0],
    [1, 1],
    [2, 2],
    [3, 1],
  ]);
});
