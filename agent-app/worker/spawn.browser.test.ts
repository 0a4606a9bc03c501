import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { spawnBrowserWorker } from "./spawn.browser.ts";
import { startBrowserWorker } from "./start.browser.ts";

/** A browser's worker that does what the test says. */
class FakeWorker extends EventTarget {
  static readonly all: FakeWorker[] = [];
  terminated = false;
  readonly told: unknown[] = [];
  constructor() {
    super();
    FakeWorker.all.push(this);
  }
  postMessage(message: unknown): void {
    this.told.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
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
  const seen = { deaths, ended: 0, port: undefined as unknown as MessagePort, fail: (_: string): void => undefined };
  const on = { output: () => undefined, pipeClosed: () => undefined, died: ({ message }: Error) => void deaths.push(message) };
  const handle = spawnBrowserWorker(on, (port, fail) => {
    Object.assign(seen, { port, fail });
    return () => void seen.ended++;
  });
  return { handle, seen };
}
const delivered = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test("a worker that never begins is ended, and told once", () => {
  const { seen } = spawn();
  vi.advanceTimersByTime(29_000);
  expect([seen.deaths.length, seen.ended]).toEqual([0, 0]);
  vi.advanceTimersByTime(2_000);
  expect(seen.deaths).toEqual(["the worker did not begin within 30000 ms"]);
  seen.fail("it cannot go on");
  expect([seen.deaths.length, seen.ended]).toEqual([1, 1]);
});

test("one that has begun, or that was ended, is not waited for; what happens to it later is told", async () => {
  const { seen } = spawn();
  seen.port.postMessage({ nightshift: "begun" });
  const other = spawn();
  other.handle.terminate();
  await delivered();
  vi.advanceTimersByTime(100_000);
  expect([seen.deaths, seen.ended]).toEqual([[], 0]);
  expect([other.seen.deaths, other.seen.ended]).toEqual([[], 1]);
  seen.fail("it cannot go on");
  expect([seen.deaths, seen.ended]).toEqual([["it cannot go on"], 1]);
  for (const { port } of [seen, other.seen]) port.close();
});

test("a worker is started beside its renewer, knows where to find both sides, and is ended with it", () => {
  const [agent, failed] = [new MessageChannel().port1, vi.fn()];
  const end = startBrowserWorker(agent, failed);
  const [renewer, worker] = FakeWorker.all.sort(
    (a, b) => Number("agent" in (a.told[0] as object)) - Number("agent" in (b.told[0] as object)),
  );
  expect(FakeWorker.all).toHaveLength(2);
  expect(worker?.told).toEqual([{ agent, renewer: expect.any(MessagePort) }]);
  expect(renewer?.told).toEqual([expect.any(MessagePort)]);
  worker?.dispatchEvent(new Event("error"));
  expect(failed).toHaveBeenCalledWith("the worker could not be started");
  end();
  expect(FakeWorker.all.map(({ terminated }) => terminated)).toEqual([true, true]);
});
