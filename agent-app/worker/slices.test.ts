import { expect, test } from "vitest";
import { Slices } from "./slices.ts";

/** How long after its beginning a slice of polls that take `pollMs` each is over, and the longest time between two looks at the clock. */
function slice(slices: Slices, time: { now: number }, pollMs: (at: number) => number): { took: number; longest: number } {
  const began = time.now;
  let longest = 0;
  slices.begin();
  for (let polls = slices.refuel(); polls > 0; polls = slices.refuel()) {
    const ms = polls * pollMs(time.now - began);
    longest = Math.max(longest, ms);
    time.now += ms;
  }
  return { took: time.now - began, longest };
}

test("a slice lasts about 20 ms, however long the program takes from poll to poll", () => {
  for (const pollMs of [0.000_001, 0.001, 0.01, 0.3, 5]) {
    const time = { now: 1000 };
    const slices = new Slices(() => time.now);
    slice(slices, time, () => pollMs);
    const { took, longest } = slice(slices, time, () => pollMs);
    expect(took).toBeGreaterThanOrEqual(20);
    expect(took).toBeLessThan(21 + Math.max(2, pollMs));
    expect(longest).toBeLessThanOrEqual(Math.max(2, pollMs));
  }
});

test("when quick turns become slow ones it is heard of within a quarter of a second", () => {
  const time = { now: 0 };
  const slices = new Slices(() => time.now);
  for (let k = 0; k < 5; k++) slice(slices, time, () => 0.000_001);
  expect(slice(slices, time, (at) => (at < 10 ? 0.000_001 : 0.005)).took).toBeLessThan(250);
});

test("a clock of coarse steps does not stop it", () => {
  const time = { now: 0 };
  const slices = new Slices(() => Math.floor(time.now * 10) / 10);
  expect(slice(slices, time, () => 0.000_01).took).toBeLessThan(22);
});
