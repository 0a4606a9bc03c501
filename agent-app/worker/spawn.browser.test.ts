import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spawnBrowserWorker } from "./spawn.browser.ts";

/** A browser's worker that does what the test says. */
class FakeWorker extends EventTarget {
  static readonly all: FakeWorker[] = [];
  terminated = false;
  constructor() {
    super();
    FakeWorker.all.push(this);
  }
  postMessage(): void {}
  terminate(): void {
    this.terminated = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all.length = 0;
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("crossOriginIsolated", true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function spawn() {
  const deaths: string[] = [];
  const handle = spawnBrowserWorker({
    output: () => undefined,
    pipeClosed: () => undefined,
    died: ({ message }) => void deaths.push(message),
  });
  return { handle, deaths, workers: FakeWorker.all };
}

test("a worker that never begins is ended with its renewer, and told once", () => {
  const { deaths, workers } = spawn();
  expect(workers).toHaveLength(2);
  vi.advanceTimersByTime(29_000);
  expect([deaths.length, workers.some(({ terminated }) => terminated)]).toEqual([0, false]);
  vi.advanceTimersByTime(2_000);
  expect(deaths).toEqual(["the worker did not begin within 30000 ms"]);
  expect(workers.every(({ terminated }) => terminated)).toBe(true);
  workers[0]?.dispatchEvent(new MessageEvent("messageerror"));
  expect(deaths).toHaveLength(1);
});

test("one that has begun, or that was ended, is not waited for", () => {
  const { deaths, workers } = spawn();
  workers[0]?.dispatchEvent(new MessageEvent("message", { data: { nightshift: "begun" } }));
  spawn().handle.terminate();
  vi.advanceTimersByTime(100_000);
  expect(deaths).toEqual([]);
  expect(workers.map(({ terminated }) => terminated)).toEqual([false, false, true, true]);
});
