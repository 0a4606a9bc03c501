// The waiting times between attempts to connect.
import { expect, test } from "vitest";
import { BACKOFF_CAP_MS, backoffMs } from "./backoff.ts";

test("the longest possible wait doubles with each failure up to the cap", () => {
  const longest = (attempt: number) => backoffMs(attempt, 1 - 2 ** -53);
  expect([0, 1, 2, 3, 6, 7, 50, 5000].map(longest)).toEqual([499, 999, 1999, 3999, 29_999, 29_999, 29_999, 29_999]);
});

test("the random number spreads the wait evenly from nothing to the longest", () => {
  expect([0, 0.25, 0.5, 0.75].map((random) => backoffMs(10, random))).toEqual(
    [0, 0.25, 0.5, 0.75].map((part) => part * BACKOFF_CAP_MS),
  );
});
