import { expect, test } from "vitest";
import type { Host } from "./live.ts";
import { grouped, layOut, placesIn, prefixesOf, TileIndex, UNGROUPED } from "./map-layout.ts";

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
    const { at: place } = placesIn(tile, count);
    const places = Array.from({ length: count }, (_, at) => place(at));
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

test("hosts are grouped by a beginning of their tags, by the first tag or not at all", () => {
  const hosts = [host("a", 1, ["lab", "site:b"]), host("b", 1, ["site:a", "site:b"]), host("c", 1, ["lab"])];
  const groups = (by: string) => grouped(hosts, "", "", by).map(([tag, list]) => [tag, list.map(({ name }) => name).join("")]);
  expect(prefixesOf([...hosts, host("d", 1, [":x", "y:", "os:z"])])).toEqual(["os:", "site:"]);
  expect(groups("site:")).toEqual([
    ["site:a", "b"],
    ["site:b", "a"],
    ["", "c"],
  ]);
  expect(groups(UNGROUPED)).toEqual([["", "abc"]]);
});

test("all hosts are in sight where their tiles can be as large as is readable; more of them take some screens", () => {
  const of = (count: number, width: number, scale = 1) =>
    layOut([["", Array.from({ length: count }, (_, at) => host(`pc${at}`, 8))]], width, false, 700, scale);
  expect(of(40, 1100).height).toBeLessThanOrEqual(700);
  expect(of(1000, 1100).height).toBeLessThanOrEqual(2100);
  expect(of(10_000, 1100).tiles.every(({ width, height }) => width >= 10 && height >= 10)).toBe(true);
  expect(of(2, 3400, 1.5).tiles[0]?.height).toBe(Math.round(120 * 1.5 * Math.sqrt(8)));
});

test("tiles are found by point, by host and by height, as if all were looked at", () => {
  const hosts = Array.from({ length: 500 }, (_, at) => ({ ...host(`pc${at}`, 1 + (at % 40)), number: at + 1 }));
  const layout = layOut(
    [
      ["a", hosts.slice(0, 70)],
      ["b", hosts.slice(70)],
    ],
    900,
    true,
  );
  const index = new TileIndex(layout);
  for (let at = 0; at < 2000; at++) {
    const [x, y] = [(at * 7.7) % 920, (at * 13.3) % layout.height];
    const found = layout.tiles.find((tile) => x >= tile.x && x < tile.x + tile.width && y >= tile.y && y < tile.y + tile.height);
    expect(index.at(x, y)).toBe(found);
  }
  const within = layout.tiles.filter(({ y, height }) => y < 500 && y + height > 300);
  expect(new Set(index.between(300, 500))).toEqual(new Set(within));
  expect(index.of(123)?.host.name).toBe("pc122");
});

test("the process nearest to a point is the one whose place is nearest", () => {
  const [tile] = layOut([["", [host("amun", 4)]]], 800, false).tiles;
  if (!tile) throw new Error("no tile");
  for (const count of [1, 2, 33]) {
    const places = placesIn(tile, count);
    for (let index = 0; index < count; index++) {
      const { x, y } = places.at(index);
      expect(places.nearest(x + 1, y - 1)).toBe(index);
    }
  }
});
