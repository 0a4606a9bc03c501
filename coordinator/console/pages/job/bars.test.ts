import { expect, test } from "vitest";
import { barsOf, lanesOf } from "./bars.ts";

const stay = (pid: number, at: number, host: string | null, again = false) => ({ pid, at, host, again });

test("a process is on each host until it is on the next one; only another host is a migration, and only if nothing was lost", () => {
  const stays = [
    stay(1, 0, "amun"),
    stay(1, 10, null),
    stay(1, 12, "ipc"),
    stay(2, 5, "amun"),
    stay(2, 6, null),
    stay(2, 8, "amun"),
    stay(2, 9, null, true),
    stay(2, 10, "ipc", true),
    stay(3, 1, "ipc"),
    stay(3, 2, "ipc", true),
  ];
  expect(barsOf(stays, 20)).toEqual([
    { pid: 1, host: "amun", from: 0, to: 10, by: "start" },
    { pid: 1, host: "ipc", from: 12, to: 20, by: "move" },
    { pid: 2, host: "amun", from: 5, to: 6, by: "start" },
    { pid: 2, host: "amun", from: 8, to: 9, by: null },
    { pid: 2, host: "ipc", from: 10, to: 20, by: "restart" },
    { pid: 3, host: "ipc", from: 1, to: 2, by: "start" },
    { pid: 3, host: "ipc", from: 2, to: 20, by: "restart" },
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
