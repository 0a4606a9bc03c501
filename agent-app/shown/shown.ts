// What a screen may show of the job that is computed here: for each of its parts that was here meanwhile, what that has printed, as a small picture or as a
// spectrum. Made by shown-work.ts, drawn by night-sky/; this is what passes between them.
import type { Show } from "@nightshift/coordinator/protocol";
import type { Picture } from "./netpbm.ts";
import type { Bins } from "./spectrum.ts";

/** Parts that are shown at a time; of a job with more those among which the newest one here is. */
export const MAX_TILES = 64;

/** A part of the job. */
export interface Tile {
  part: number;
  /** It computes here, has ended here, or is elsewhere by now. */
  state: "here" | "ended" | "gone";
  /** null: it has printed nothing yet that can be shown. */
  content: { kind: "image"; picture: Picture } | { kind: "spectrum"; bins: Bins } | null;
}

export interface Shown {
  job: number;
  name: string;
  /** Who submitted it; "": not known. */
  by: string;
  kind: Show;
  /** Of the job. */
  parts: number;
  /** The first part that has a place on the screen, and how many have. */
  first: number;
  places: number;
  /** Of some of them, by part; the others are elsewhere, or wait. */
  tiles: readonly Tile[];
}

/** Which parts are shown when this one is. */
export function placesAround(part: number, parts: number): Pick<Shown, "first" | "places"> {
  const first = part - ((part - 1) % MAX_TILES);
  return { first, places: Math.max(1, Math.min(MAX_TILES, parts - first + 1)) };
}

/** What is shown now. @param news in which tiles that have not changed are left out */
export function withNews(before: Shown | null, news: Shown): Shown {
  if (before?.job !== news.job || before.first !== news.first || before.kind !== news.kind) return news;
  const tiles = new Map(before.tiles.map((tile) => [tile.part, tile]));
  for (const tile of news.tiles) tiles.set(tile.part, tile);
  return { ...news, tiles: [...tiles.values()].sort((one, other) => one.part - other.part) };
}
