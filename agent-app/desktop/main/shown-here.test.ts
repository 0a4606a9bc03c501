import { expect, test } from "vitest";
import type { Shown, Tile } from "../../shown/index.ts";
import { ShownHere } from "./shown-here.ts";

const tile = (part: number, state: Tile["state"] = "here"): Tile => ({ part, state, content: null });
const job = (tiles: Tile[], more: Partial<Shown> = {}): Shown => ({
  ...{ job: 1, name: "dawn", by: "ada", kind: "image", parts: 4, first: 1, places: 4, tiles },
  ...more,
});

test("a window is given what is new to it, and everything when it has just opened", () => {
  const here = new ShownHere();
  expect([here.version, here.since(0).shown]).toEqual([0, null]);
  here.take(job([tile(1), tile(2)]));
  const { version } = here;
  here.take(job([tile(2, "ended"), tile(3)]));
  expect(here.version).toBeGreaterThan(version);
  expect(here.since(version).shown?.tiles).toEqual([tile(2, "ended"), tile(3)]);
  expect(here.since(0).shown?.tiles).toEqual([tile(1), tile(2, "ended"), tile(3)]);
  expect(here.since(here.version).shown?.tiles).toEqual([]);
});

test("another job takes the place of the one before, whatever a window has had; then there is nothing", () => {
  const here = new ShownHere();
  here.take(job([tile(1), tile(2)]));
  const { version } = here;
  here.take(job([tile(1)], { job: 2 }));
  expect(here.since(version).shown).toMatchObject({ job: 2, tiles: [tile(1)] });
  here.take(null);
  expect([here.version, here.since(version)]).toEqual([0, { version: 0, shown: null }]);
});
