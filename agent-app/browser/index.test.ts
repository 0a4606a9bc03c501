import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openTab } from "./index.ts";

interface Asked {
  id: string;
  path: string[];
  argumentList: { value: unknown }[];
}

/** A browser's worker that answers when the test says. */
class FakeWorker extends EventTarget {
  static readonly all: FakeWorker[] = [];
  terminated = false;
  readonly asked: Asked[] = [];
  constructor() {
    super();
    FakeWorker.all.push(this);
  }
  postMessage(message: Asked): void {
    this.asked.push(message);
  }
  terminate(): void {
    this.terminated = true;
  }
  answer(): void {
    for (const { id } of this.asked.splice(0))
      this.dispatchEvent(new MessageEvent("message", { data: { id, type: "RAW", value: undefined } }));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all.length = 0;
  vi.stubGlobal("Worker", FakeWorker);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const options = { device: { name: "browser-xyz" } as never, coordinator: {} as never, slots: 1, paused: null };
const tab = () =>
  openTab(
    () => undefined,
    () => undefined,
  );

test("an agent that never begins is ended and begun anew, and is told what has been decided meanwhile", async () => {
  const one = tab();
  const started = one.start(options);
  await vi.advanceTimersByTimeAsync(20_000);
  void one.pause("you are here", 20_000, "owner-here");
  await vi.advanceTimersByTimeAsync(11_000);
  const [lost, next] = FakeWorker.all;
  expect([FakeWorker.all.length, lost?.terminated, next?.terminated]).toEqual([2, true, false]);
  expect(next?.asked[0]).toMatchObject({
    path: ["start"],
    argumentList: [
      { value: { device: { name: "browser-xyz" }, slots: 1, paused: { reason: "you are here", code: "owner-here" } } },
      {},
      {},
      {},
    ],
  });
  next?.answer();
  await started;
  await vi.advanceTimersByTimeAsync(100_000);
  expect(FakeWorker.all).toHaveLength(2);
});

test("one that was closed is not begun again", async () => {
  const one = tab();
  const started = one.start(options);
  one.close();
  await vi.advanceTimersByTimeAsync(31_000);
  await started;
  expect(FakeWorker.all.map(({ terminated }) => terminated)).toEqual([true]);
});
