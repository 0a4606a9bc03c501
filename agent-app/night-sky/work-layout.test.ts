import fc from "fast-check";
import { expect, test } from "vitest";
import { type Box, curveOf, linesIn, placesOn, rangeOf, tilesIn } from "./work-layout.ts";

const size = fc.integer({ min: 200, max: 8000 });
const isWithin = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x - 0.01 &&
  inner.y >= outer.y - 0.01 &&
  inner.x + inner.width <= outer.x + outer.width + 0.01 &&
  inner.y + inner.height <= outer.y + outer.height + 0.01;

test("property: on every screen the work is on it, clear of the moon and of the words below", () => {
  fc.assert(
    fc.property(size, size, (width, height) => {
      const { moon, work } = placesOn(width, height, true);
      if (!work) throw new Error("no place for the work");
      expect(isWithin(work, { x: 0, y: 0, width, height: height * 0.88 })).toBe(true);
      const near = {
        x: Math.min(Math.max(moon.x, work.x), work.x + work.width),
        y: Math.min(Math.max(moon.y, work.y), work.y + work.height),
      };
      expect(Math.hypot(near.x - moon.x, near.y - moon.y)).toBeGreaterThan(moon.r);
      expect(placesOn(width, height, false).work).toBeNull();
    }),
  );
});

test("property: tiles of any number and shape are in their box, apart, and in the order of reading", () => {
  fc.assert(
    fc.property(
      size,
      size,
      fc.integer({ min: 1, max: 64 }),
      fc.double({ min: 0.25, max: 4, noNaN: true }),
      (width, height, count, aspect) => {
        const box = { x: 10, y: 20, width, height };
        const tiles = tilesIn(box, count, aspect);
        expect(tiles).toHaveLength(count);
        for (const [at, tile] of tiles.entries()) {
          expect(isWithin(tile, box)).toBe(true);
          expect(tile.width / tile.height).toBeCloseTo(aspect);
          const next = tiles[at + 1];
          if (next) expect(next.y > tile.y || next.x >= tile.x + tile.width).toBe(true);
        }
      },
    ),
  );
});

test("16 parts stand as a picture that was cut into 4 x 4", () => {
  const tiles = tilesIn({ x: 0, y: 0, width: 400, height: 300 }, 16, 4 / 3);
  expect(new Set(tiles.slice(0, 4).map(({ y }) => y)).size).toBe(1);
  expect(tiles[4]?.x).toBe(tiles[0]?.x);
});

test("property: lines are in their box, the highest point of each included, from the top down", () => {
  fc.assert(
    fc.property(size, fc.integer({ min: 1, max: 64 }), (height, count) => {
      const lines = linesIn({ x: 0, y: 5, width: 100, height }, count);
      expect(lines).toHaveLength(count);
      for (const [at, line] of lines.entries()) {
        expect(line.ground - line.height).toBeGreaterThanOrEqual(5 - 0.01);
        expect(line.ground).toBeLessThanOrEqual(5 + height + 0.01);
        expect(line.ground).toBeGreaterThan(lines[at - 1]?.ground ?? 0);
      }
    }),
  );
});

test("a spectrum grows along its line and fills it when it is whole; bins without a value are passed over", () => {
  const bins = [1, null, 4, null, null];
  expect(curveOf(bins, false, 0, 4)).toEqual([
    { x: 0, y: 0.5 },
    { x: 0.5, y: 1 },
  ]);
  expect(curveOf(bins, true, 0, 4).at(-1)).toEqual({ x: 1, y: 1 });
  expect(curveOf([7], true, 7, 7)).toEqual([{ x: 0, y: 0 }]);
});

test("the ground is 0, or the lowest value where there are negative ones", () => {
  expect(rangeOf([[3, null, 9], [5]])).toEqual({ low: 0, high: 9 });
  expect(rangeOf([[-120, -60]])).toEqual({ low: -120, high: -60 });
  expect(rangeOf([[null]])).toBeNull();
});
