import { describe, expect, test } from "vitest";
import { MAX_RELEASING, MOVE_REST_MS, planMoves } from "./placement.ts";
import type { Host, ProcessRecord } from "./state.ts";

const NOW = 1_000_000;

function host(id: string, speed = 100, slots = 1): Host {
  return {
    ...{
      id,
      name: id,
      online: true,
      paused: null,
      pausedCode: null,
      keepUntil: 0,
      speed,
      running: 0,
      runnable: 0,
      blocked: 0,
      memoryFreeBytes: 2 ** 30,
    },
    ...{ seenAt: NOW, silent: false, tags: [], drained: false, stay: false, block: false, releasing: new Set<number>() },
    programs: new Map(),
    info: { name: id, os: "", arch: "", cpuModel: "", slots, memoryBytes: 2 ** 30, speed },
  };
}

/** Processes on a host as balancing sees them; those with the higher number have computed more. */
const running = (count: number, first = 1): ProcessRecord[] =>
  Array.from(
    { length: count },
    (_, at) => ({ pid: first + at, state: "running", destination: null, movedAt: 0, cpuMs: at }) as ProcessRecord,
  );

const moves = (a: number, b: number, left = host("a"), right = host("b")): string[] =>
  planMoves(
    [left, right],
    new Map([
      ["a", running(a)],
      ["b", running(b, 1000)],
    ]),
    () => true,
    NOW,
  ).map(({ pid, to }) => `${pid}>${to}`);

describe("balancing", () => {
  test("moves the processes that have computed least to the host that has less to do, a few at a time", () => {
    expect(moves(2, 0)).toEqual(["1>b"]);
    expect(moves(7, 5)).toEqual(["1>b"]);
    expect(moves(0, 4)).toEqual(["1000>a", "1001>a"]);
    expect(moves(40, 0)).toHaveLength(MAX_RELEASING);
  });

  test("leaves alone what would even out little: the next process to end may be on the other side", () => {
    expect(moves(2, 1)).toEqual([]);
    expect(moves(16, 15)).toEqual([]);
    expect(moves(14, 12)).toEqual([]);
    // Speeds are measured and never quite the same.
    expect(moves(9, 8, host("a", 100), host("b", 101))).toEqual([]);
  });

  test("an imbalance of more than a tenth is evened out however many there are", () => {
    expect(moves(18, 14)).toEqual(["1>b"]);
    expect(moves(400, 300)).toHaveLength(MAX_RELEASING);
  });

  test("where each process has a slot of its own, only a much faster idle host is worth a move", () => {
    expect(moves(1, 0, host("a", 100), host("b", 120))).toEqual([]);
    expect(moves(1, 0, host("a", 100), host("b", 200))).toEqual(["1>b"]);
  });

  test("while others wait for a slot nobody leaves one to come on top of those on a faster host; what is too much still moves", () => {
    const plan = (on: number, others: boolean) => {
      const processes = new Map([
        ["slow", running(on)],
        ["fast", running(1, 1000)],
      ]);
      return planMoves(
        [host("slow", 10), host("fast", 100)],
        processes,
        () => true,
        NOW,
        () => true,
        others,
      ).length;
    };
    expect([plan(1, false), plan(1, true)]).toEqual([1, 0]);
    expect(plan(4, true)).toBe(3);
  });

  test("who has just moved rests", () => {
    const just = running(3).map((process) => ({ ...process, movedAt: NOW - MOVE_REST_MS + 1 }));
    expect(planMoves([host("a"), host("b")], new Map([["a", just]]), () => true, NOW)).toEqual([]);
  });

  test("a process that may not go to the idle host leaves that to one that may", () => {
    const [a, b] = [host("a"), host("b")];
    const plan = (only: number[]) =>
      planMoves(
        [a, b],
        new Map([["a", running(4)]]),
        () => true,
        NOW,
        ({ pid }, to) => to !== b || only.includes(pid),
      );
    expect(plan([3]).map(({ pid }) => pid)).toEqual([3]);
    expect(plan([])).toEqual([]);
  });
});
