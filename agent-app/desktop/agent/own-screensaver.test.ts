import { expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { OwnScreensaver } from "./own-screensaver.ts";

test("the app's own screensaver counts as one of the system's, until input, whatever that one does", () => {
  let now = 10_000;
  let known: Signals = {};
  const own = new OwnScreensaver();
  const sources = own.over({
    update: (signals) => {
      known = { ...known, ...signals };
    },
    now: () => now,
    log: () => undefined,
  });
  sources.update({ screensaver: false, lastInputAtMs: 9_000 });
  expect(known).toEqual({ screensaver: false, lastInputAtMs: 9_000 });
  own.shown(true);
  expect(known.screensaver).toBe(true);
  // The mouse with which it was chosen; and the system says again that its own is off.
  sources.update({ lastInputAtMs: 11_000 });
  sources.update({ screensaver: false });
  expect(known.screensaver).toBe(true);
  now = 20_000;
  sources.update({ lastInputAtMs: 20_000 });
  expect(known).toEqual({ screensaver: false, lastInputAtMs: 20_000 });
  own.shown(false);
  sources.update({ screensaver: true });
  own.shown(true);
  own.shown(false);
  expect(known.screensaver).toBe(true);
});
