import { expect, test } from "vitest";
import type { Host } from "./live.ts";
import { grouped, layOut, placeOf } from "./map-layout.ts";

const host = (name: string, slots: number, tags: string[] = [], state = "idle"): Host =>
  ({ name, slots, tags, state, os: "linux", cpuModel: "x" }) as unknown as Host;

test("tiles do not overlap, stay on the map, and are larger with more cores", () => {
  const hosts = Array.from({ length: 1000 }, (_, at) => host(`pc${at}`, 1 + (at % 16)));
  const { tiles, height } = layOut([["", hosts]], 1200, false);
  expect(tiles).toHaveLength(1000);
  for (const tile of tiles) {
    expect(tile.x).toBeGreaterThanOrEqual(0);
    expect(tile.x + tile.width).toBeLessThanOrEqual(1200);
    expect(tile.y + tile.height).toBeLessThanOrEqual(height);
  }
  const overlapping = tiles.filter((a, at) =>
    tiles.slice(at + 1).some((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height),
  );
  expect(overlapping).toEqual([]);
  expect(tiles[15]?.width).toBeGreaterThan(tiles[0]?.width ?? 0);
});

test("however many processes a host has, all have their places inside its tile", () => {
  const [tile] = layOut([["", [host("amun", 4)]]], 800, false).tiles;
  if (!tile) throw new Error("no tile");
  for (const count of [1, 7, 60, 5000]) {
    const places = Array.from({ length: count }, (_, at) => placeOf(tile, at, count));
    for (const { x, y } of places) {
      expect(x > tile.x && x < tile.x + tile.width && y > tile.y && y <= tile.y + tile.height).toBe(true);
    }
    expect(new Set(places.map(({ x, y }) => `${x.toFixed(3)} ${y.toFixed(3)}`)).size).toBe(count);
  }
});

test("hosts are found by any of their words and state, and grouped by their first tag, numbers in order", () => {
  const hosts = [host("pc10", 1, ["lab"]), host("pc9", 1, ["lab", "old"]), host("amun", 1), host("ra", 1, ["attic"], "offline")];
  const names = (words: string, state = "") =>
    grouped(hosts, words, state).map(([tag, list]) => [tag, list.map(({ name }) => name)]);
  expect(names("")).toEqual([
    ["attic", ["ra"]],
    ["lab", ["pc9", "pc10"]],
    ["", ["amun"]],
  ]);
  expect(names("PC old")).toEqual([["lab", ["pc9"]]]);
  expect(names("", "offline")).toEqual([["attic", ["ra"]]]);
});
