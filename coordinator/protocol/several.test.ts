import { expect, test } from "vitest";
import { severalAtOnce } from "./several.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("several are under way at once, each item once, and the next one begins when one has ended", async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = severalAtOnce(Array(20).keys(), (item) => {
    begun.push(item);
    return new Promise((resolve) => ends.push(resolve));
  });
  await settle();
  expect(begun).toEqual([...Array(8).keys()]);
  ends[3]?.();
  await settle();
  expect(begun).toHaveLength(9);
  for (let at = 0; at < ends.length; at++) {
    ends[at]?.();
    await settle();
  }
  await all;
  expect(begun).toEqual([...Array(20).keys()]);
});

test("after a failure nothing more begins", async () => {
  const begun: number[] = [];
  const all = severalAtOnce(Array(100).keys(), async (item) => {
    begun.push(item);
    await settle();
    if (item === 2) throw new Error("the third");
  });
  await expect(all).rejects.toThrow("the third");
  await settle();
  await settle();
  expect(begun.length).toBeLessThan(25);
});
