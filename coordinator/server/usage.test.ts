import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Host } from "../scheduler/index.ts";
import type { HourOfHost } from "../store/index.ts";
import { addedUp, sharesOf, UsageWatch } from "./usage.ts";

const HOUR_MS = 3600_000;
const host = (more: Partial<Host> = {}): Host => ({
  ...{
    id: "a",
    name: "a",
    tags: [],
    drained: false,
    stay: false,
    block: false,
    online: true,
    silent: false,
    paused: null,
    pausedCode: null,
    keepUntil: 0,
  },
  ...{ speed: 1, running: 0, runnable: 0, blocked: 0, memoryFreeBytes: 0, seenAt: 0, releasing: new Set<number>() },
  programs: new Map(),
  info: { name: "a", os: "", arch: "", cpuModel: "", slots: 4, memoryBytes: 0, speed: 1 },
  ...more,
});

test("a host computes with the share of its cores that do; it is its owner's, paused, or not there as a whole", () => {
  const none = { computing: 0, idle: 0, owner: 0, paused: 0 };
  expect(sharesOf(host({ running: 1 }))).toEqual({ ...none, computing: 0.25, idle: 0.75 });
  expect(sharesOf(host({ running: 9 }))).toEqual({ ...none, computing: 1 });
  expect(sharesOf(host())).toEqual({ ...none, idle: 1 });
  expect(sharesOf(host({ paused: "you are here", pausedCode: "owner-here" }))).toEqual({ ...none, owner: 1 });
  expect(sharesOf(host({ paused: "on battery", pausedCode: "battery" }))).toEqual({ ...none, paused: 1 });
  expect(sharesOf(host({ drained: true }))).toEqual({ ...none, paused: 1 });
  expect(sharesOf(host({ online: false }))).toBeUndefined();
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("times are summed up by the hour, and stored every few minutes and at the end", () => {
  const stored: HourOfHost[][] = [];
  let now = 10 * HOUR_MS - 20_000;
  let hosts = [host({ running: 2 })];
  const watch = new UsageWatch({ hosts: () => hosts, store: (hours) => stored.push([...hours]), now: () => now });
  const pass = (ms: number): void => {
    now += ms;
    watch.look();
  };
  pass(10_000);
  hosts = [host()];
  pass(20_000); // over the hour
  expect(addedUp(watch.recent("a"))).toEqual([
    { host: "a", at: 9 * HOUR_MS, computing: 5000, idle: 5000, owner: 0, paused: 0 },
    { host: "a", at: 10 * HOUR_MS, computing: 0, idle: 20_000, owner: 0, paused: 0 },
  ]);
  watch.store();
  expect(watch.recent("a")).toEqual([]);
  pass(8 * HOUR_MS); // this machine slept
  hosts = [];
  pass(10_000);
  expect(watch.recent("a")).toEqual([]);
  watch.close();
  expect(stored.map((hours) => hours.length)).toEqual([2]);
});

test("what is stored and what is not yet are added up", () => {
  const hour = (at: number, idle: number): HourOfHost => ({ host: "a", at, computing: 0, idle, owner: 1, paused: 0 });
  expect(addedUp([hour(2, 5), hour(1, 1), hour(2, 7)])).toEqual([
    { ...hour(1, 1), owner: 1 },
    { ...hour(2, 12), owner: 2 },
  ]);
});
