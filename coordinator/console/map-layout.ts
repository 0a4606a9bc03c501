// Where hosts and their processes lie on the map: tiles as large as their hosts have cores, in groups, and a place in its tile for every
// process. Pure.
import type { Dot, Host } from "./live.ts";

export interface Tile {
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
}
export interface Layout {
  tiles: Tile[];
  groups: Group[];
  height: number;
}

const GAP = 8;
const TITLE = 30;
/** Room for the host's name in its tile. */
const NAME = 22;

/** Side of a host's tile: its area goes with its cores, so that the map shows where the power is. */
const sideOf = (host: Host, unit: number): number => Math.round(unit * Math.sqrt(Math.min(256, Math.max(1, host.slots))));

/** @param width of the map in pixels @param titled whether groups have titles */
export function layOut(groups: readonly (readonly [string, readonly Host[]])[], width: number, titled: boolean): Layout {
  const count = groups.reduce((sum, [, hosts]) => sum + hosts.length, 0);
  // Few hosts get large tiles, a thousand small ones.
  const unit = count <= 12 ? 120 : count <= 60 ? 72 : count <= 300 ? 44 : 26;
  const widthOf = (host: Host): number => Math.min(width, Math.round(sideOf(host, unit) * 1.35));
  const tiles: Tile[] = [];
  const titles: Group[] = [];
  // Groups stand beside each other while they fit, as blocks; the widest wrap their tiles.
  let left = 0;
  let top = 0;
  let bottom = 0;
  for (const [name, hosts] of groups) {
    const whole = hosts.reduce((sum, host) => sum + widthOf(host) + GAP, -GAP);
    if (left > 0 && left + whole > width) {
      left = 0;
      top = bottom + 2 * GAP;
    }
    if (titled) titles.push({ name, x: left, y: top });
    let x = left;
    let y = top + (titled ? TITLE : 0);
    let rowHeight = 0;
    for (const host of hosts) {
      const height = sideOf(host, unit);
      const tileWidth = widthOf(host);
      if (x > left && x + tileWidth > width) {
        x = left;
        y += rowHeight + GAP;
        rowHeight = 0;
      }
      tiles.push({ host, x, y, width: tileWidth, height });
      x += tileWidth + GAP;
      rowHeight = Math.max(rowHeight, height);
    }
    bottom = Math.max(bottom, y + rowHeight);
    left = whole > width ? width : left + whole + 3 * GAP;
  }
  return { tiles, groups: titles, height: bottom + GAP };
}

/** The middle of the n-th of `count` processes in a tile, and the radius that lets all of them fit. */
export function placeOf(tile: Tile, at: number, count: number): { x: number; y: number; radius: number } {
  const named = tile.height >= 48;
  const top = tile.y + (named ? NAME : 3);
  const width = tile.width - 12;
  const height = tile.height - (named ? NAME + 8 : 6);
  const step = Math.min(36, Math.sqrt((width * height) / Math.max(1, count)));
  const columns = Math.max(1, Math.floor(width / step));
  const rows = Math.max(1, Math.ceil(count / columns));
  const down = Math.min(step, height / rows);
  return {
    x: tile.x + 6 + (at % columns) * step + step / 2,
    y: top + Math.floor(at / columns) * down + down / 2,
    radius: Math.max(0.8, Math.min(11, Math.min(step, down) * 0.36)),
  };
}

/** Hosts that match the words, by their first tag, each group by name; those without a tag last. */
export function grouped(hosts: Iterable<Host>, words: string, state: string): [string, Host[]][] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, Host[]>();
  for (const host of hosts) {
    const text = `${host.name} ${host.tags.join(" ")} ${host.os} ${host.cpuModel}`.toLowerCase();
    if (!wanted.every((word) => text.includes(word)) || (state !== "" && host.state !== state)) continue;
    const name = host.tags[0] ?? "";
    const list = groups.get(name);
    if (list) list.push(host);
    else groups.set(name, [host]);
  }
  const collate = new Intl.Collator(undefined, { numeric: true }).compare;
  for (const list of groups.values()) list.sort((a, b) => collate(a.name, b.name));
  return [...groups].sort(([a], [b]) => Number(a === "") - Number(b === "") || collate(a, b));
}

export interface Mark {
  dot: Dot;
  x: number;
  y: number;
  radius: number;
}
