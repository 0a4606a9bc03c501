// Where hosts and their processes lie on the map: tiles as large as their hosts have cores, in groups, a place in its tile for every process,
// and which tiles are in sight or under a point. Pure.
import type { Host } from "./live.ts";

export interface Tile {
  /** As it was when it was laid out. */
  host: Host;
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Group {
  name: string;
  x: number;
  y: number;
  /** Room for the name. */
  width: number;
}
export interface Layout {
  tiles: Tile[];
  groups: Group[];
  height: number;
  /** Of the page's text to what the map's measures are for. */
  scale: number;
}
export type Groups = readonly (readonly [string, readonly Host[]])[];

const TITLE = 30;
/** Room for the host's name in its tile, and how high a tile has to be for it. */
const NAME = 22;
const NAMED = 48;
/** Side of a core's tile: the largest with which all hosts are in sight at once, ... */
const UNITS = [120, 96, 72, 60, 50, 44, 38, 32, 26, 22, 18, 15, 12, 10, 8, 6];
/** ... but where that would be smaller than this, what is in sight in some screens, one after the other. */
const READABLE = 26;
const SCREENS = 3;
/** So small a tile can still be hit, and its state be seen. */
const LEAST = 10;

/** Side of a host's tile: its area goes with its cores, so that the map shows where the power is. */
const sideOf = (host: Host, unit: number): number =>
  Math.max(LEAST, Math.round(unit * Math.sqrt(Math.min(256, Math.max(1, host.slots)))));
/** Between tiles: closer where they are small. */
const gapOf = (unit: number): number => (unit >= 32 ? 8 : unit >= 12 ? 4 : 2);

/**
 * @param width of the map in pixels @param titled whether groups have titles
 * @param view height in sight at once, in pixels @param scale of the page's text: 1 as on a desk, more on a wall
 */
export function layOut(groups: Groups, width: number, titled: boolean, view = 720, scale = 1): Layout {
  let laid: Layout | undefined;
  for (const step of UNITS) {
    const unit = step * scale;
    const most = step > READABLE ? view : SCREENS * view;
    if (step !== UNITS.at(-1) && areaOf(groups, unit) > most * width) continue;
    laid = layOutBy(unit, groups, width, titled, scale);
    if (laid.height <= most) break;
  }
  return laid ?? { tiles: [], groups: [], height: 0, scale };
}

function areaOf(groups: Groups, unit: number): number {
  let area = 0;
  for (const [, hosts] of groups) for (const host of hosts) area += 1.35 * sideOf(host, unit) ** 2;
  return area;
}

function layOutBy(unit: number, groups: Groups, width: number, titled: boolean, scale: number): Layout {
  const gap = gapOf(unit / scale) * scale;
  const widthOf = (host: Host): number => Math.min(width, Math.round(sideOf(host, unit) * 1.35));
  const title = titled ? TITLE * scale : 0;
  const tiles: Tile[] = [];
  const titles: Group[] = [];
  // Groups stand beside each other while they fit, as blocks; the widest wrap their tiles.
  let left = 0;
  let top = 0;
  let bottom = 0;
  for (const [name, hosts] of groups) {
    const whole = hosts.reduce((sum, host) => sum + widthOf(host) + gap, -gap);
    if (left > 0 && left + whole > width) {
      left = 0;
      top = bottom + 2 * gap;
    }
    // Room for a name also above a single small tile.
    const block = Math.max(whole, titled ? 96 * scale : 0);
    if (titled) titles.push({ name, x: left, y: top, width: Math.min(block, width - left) });
    let x = left;
    let y = top + title;
    let rowHeight = 0;
    for (const host of hosts) {
      const height = sideOf(host, unit);
      const tileWidth = widthOf(host);
      if (x > left && x + tileWidth > width) {
        x = left;
        y += rowHeight + gap;
        rowHeight = 0;
      }
      tiles.push({ host, x, y, width: tileWidth, height });
      x += tileWidth + gap;
      rowHeight = Math.max(rowHeight, height);
    }
    bottom = Math.max(bottom, y + rowHeight);
    left = whole > width ? width : left + block + 3 * gap;
  }
  return { tiles, groups: titles, height: Math.ceil(bottom + gap), scale };
}

/** Whether a tile shows its host's name and figures. */
export const isNamed = ({ height }: Pick<Tile, "height">, scale = 1): boolean => height >= NAMED * scale;

/** Places of so many processes in a tile. */
export interface Places {
  radius: number;
  /** The middle of the n-th. */
  at(index: number): { x: number; y: number };
  /** The one nearest to a point. */
  nearest(x: number, y: number): number;
}

export function placesIn(tile: Tile, count: number, scale = 1): Places {
  const named = isNamed(tile, scale);
  const side = Math.min(6 * scale, tile.width / 8);
  const above = named ? NAME * scale : Math.min(3, tile.height / 8);
  const width = tile.width - 2 * side;
  const height = tile.height - above - (named ? 8 * scale : above);
  const step = Math.min(36 * scale, Math.sqrt((width * height) / Math.max(1, count)));
  const columns = Math.max(1, Math.floor(width / step));
  const rows = Math.max(1, Math.ceil(count / columns));
  const down = Math.min(step, height / rows);
  const [left, top] = [tile.x + side, tile.y + above];
  const clamp = (value: number, end: number): number => Math.max(0, Math.min(end - 1, Math.floor(value)));
  return {
    radius: Math.max(0.8, Math.min(11 * scale, Math.min(step, down) * 0.36)),
    at: (index) => ({
      x: left + (index % columns) * step + step / 2,
      y: top + Math.floor(index / columns) * down + down / 2,
    }),
    nearest: (x, y) => Math.min(count - 1, clamp((y - top) / down, rows) * columns + clamp((x - left) / step, columns)),
  };
}

/** Height of the bands by which tiles are found. */
const BAND = 64;

/** Tiles by their place and by their host. */
export class TileIndex {
  readonly layout: Layout;
  private readonly bands: Tile[][] = [];
  private readonly byHost = new Map<number, Tile>();

  constructor(layout: Layout) {
    this.layout = layout;
    for (const tile of layout.tiles) {
      this.byHost.set(tile.host.number, tile);
      for (let band = Math.floor(tile.y / BAND); band * BAND < tile.y + tile.height; band++) {
        const tiles = this.bands[band] ?? [];
        tiles.push(tile);
        this.bands[band] = tiles;
      }
    }
  }

  of = (host: number): Tile | undefined => this.byHost.get(host);

  at(x: number, y: number): Tile | undefined {
    const band = this.bands[Math.floor(y / BAND)] ?? [];
    return band.find((tile) => x >= tile.x && x < tile.x + tile.width && y >= tile.y && y < tile.y + tile.height);
  }

  /** Those of which something is between two heights. */
  between(top: number, bottom: number): Set<Tile> {
    const found = new Set<Tile>();
    for (let band = Math.max(0, Math.floor(top / BAND)); band * BAND < bottom; band++)
      for (const tile of this.bands[band] ?? []) if (tile.y < bottom && tile.y + tile.height > top) found.add(tile);
    return found;
  }
}

/** Grouping of the map: by the first tag, not at all, or by the first tag that begins like this ("site:"). */
export const UNGROUPED = "none";

/** The beginnings of tags up to their colon, by which hosts can be grouped. */
export function prefixesOf(hosts: Iterable<Host>): string[] {
  const found = new Set<string>();
  for (const { tags } of hosts)
    for (const tag of tags) {
      const colon = tag.indexOf(":");
      if (colon > 0 && colon < tag.length - 1) found.add(tag.slice(0, colon + 1));
    }
  return [...found].sort();
}

const collate = new Intl.Collator(undefined, { numeric: true }).compare;

/** Hosts that match the words, in groups, each group by name; those without a tag last. @param by "" or UNGROUPED or a beginning of tags */
export function grouped(hosts: Iterable<Host>, words: string, state: string, by = ""): [string, Host[]][] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Host[]>();
  for (const host of hosts) {
    if (!matches(host, wanted) || (state !== "" && host.state !== state)) continue;
    const name = by === UNGROUPED ? "" : (host.tags.find((tag) => tag.startsWith(by)) ?? "");
    const list = groups.get(name);
    if (list) list.push(host);
    else groups.set(name, [host]);
  }
  for (const list of groups.values()) list.sort(byName);
  return [...groups].sort(([a], [b]) => Number(a === "") - Number(b === "") || collate(a, b));
}

export const byName = (a: Host, b: Host): number => collate(a.name, b.name);

/** @param wanted in small letters */
export function matches(host: Host, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true;
  const text = `${host.name} ${host.tags.join(" ")} ${host.os} ${host.cpuModel}`.toLowerCase();
  return wanted.every((word) => text.includes(word));
}
