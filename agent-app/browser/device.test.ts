import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadDevice } from "./device.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a browser that keeps nothing, or never answers what it keeps, still is somebody", async () => {
  const none = await loadDevice(); // no IndexedDB at all
  expect(none.name).toMatch(/^browser-/);
  const open = vi.fn(() => new EventTarget());
  vi.stubGlobal("indexedDB", { open });
  const asking = loadDevice();
  await vi.advanceTimersByTimeAsync(19_000);
  expect(await Promise.race([asking, "asking"])).toBe("asking");
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await asking).name).not.toBe(none.name);
  // It is not asked again, which would take as long each time.
  expect((await loadDevice()).name).toMatch(/^browser-/);
  expect(open).toHaveBeenCalledTimes(1);
});
