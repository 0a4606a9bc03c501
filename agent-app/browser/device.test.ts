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

test("a browser that knows who it is only reads, as what reads waits for nobody who reads too", async () => {
  const kept = { name: "browser-kept", key: {} };
  const modes: unknown[] = [];
  const answering = <T>(result: T) => {
    const request = Object.assign(new EventTarget(), { result });
    setTimeout(() => request.dispatchEvent(new Event("success")));
    return request;
  };
  const transaction = (_: string, mode: unknown) => {
    modes.push(mode);
    return { objectStore: () => ({ get: () => answering(kept) }) };
  };
  vi.resetModules(); // the one above has silenced the database for good
  vi.stubGlobal("indexedDB", { open: () => answering({ transaction, close: () => undefined }) });
  const asking = (await import("./device.ts")).loadDevice();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([await asking, modes]).toEqual([kept, ["readonly"]]);
});
