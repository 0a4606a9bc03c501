// The map as it is drawn: of all tiles only those in sight, on a canvas as large as the view, and of those only what has changed since the last
// frame; what moves is on a second canvas above. At most one drawing for each frame of the screen. Owns both canvases and follows the stream.
import { type Dot, type Host, live, type Observer, processesOf, takesProcesses } from "./live.ts";
import { type Layout, type Places, placesIn, type Tile, TileIndex } from "./map-layout.ts";
import { drawDot, drawDots, drawTile, fitting, onTheme, type Palette, paletteOf } from "./map-paint.ts";
import { t } from "./words.tsx";

/** A journey from host to host. */
const TRAVEL_MS = 900;
/** Nobody follows more of them at once; others are there at once. */
const MAX_JOURNEYS = 500;
/** Browsers draw nothing on a canvas that is larger than they can; none has so large a view. */
const MAX_SIDE_PX = 8192;
/** A dragged process so near to the edge scrolls the map, by so much each frame. */
const EDGE = 32;
const EDGE_STEP = 10;
/** How far from a dot it is hit, by a mouse and by a finger; a finger cannot aim at dots smaller than FINGER_RADIUS. */
const MOUSE_REACH = 5;
const FINGER_REACH = 12;
const FINGER_RADIUS = 4;

interface Journey {
  fromX: number;
  fromY: number;
  to: number;
  began: number;
}
/** What is emphasised, by the numbers of hosts; 0: none. */
export interface Marked {
  selected: number;
  cursor: number;
}
interface Drag {
  dot: Dot;
  pointer: number;
  x: number;
  y: number;
}
const NONE: ReadonlySet<number> = new Set();

/** Points are as the view shows them, from its upper left corner, in pixels. */
export class MapScene implements Observer {
  /** What is dragged. */
  drag: Drag | undefined;
  private readonly base: HTMLCanvasElement;
  private readonly above: HTMLCanvasElement;
  private readonly box: HTMLElement;
  private readonly endTheme: () => void;
  private palette: Palette | undefined;
  private index = new TileIndex({ tiles: [], groups: [], height: 0, scale: 1 });
  private width = 0;
  private height = 0;
  private ratio = 1;
  private marked: Marked = { selected: 0, cursor: 0 };
  /** Where what is dragged can be let go. */
  private target: Tile | undefined;
  private readonly dirty = new Set<number>();
  private all = true;
  private readonly journeys = new Map<number, Journey>();
  private aboveIsClear = true;
  private frame = 0;

  /** @param box what scrolls */
  constructor(base: HTMLCanvasElement, above: HTMLCanvasElement, box: HTMLElement) {
    this.base = base;
    this.above = above;
    this.box = box;
    this.endTheme = onTheme(this.themed);
    live.observers.add(this);
  }

  close(): void {
    live.observers.delete(this);
    this.endTheme();
    cancelAnimationFrame(this.frame);
  }

  show(layout: Layout, width: number, height: number): void {
    if (layout.scale !== this.index.layout.scale) this.palette = undefined;
    this.index = new TileIndex(layout);
    [this.width, this.height] = [width, height];
    this.redraw();
  }

  mark(marked: Marked): void {
    for (const one of [this.marked, marked]) for (const host of [one.selected, one.cursor]) this.dirty.add(host);
    this.marked = marked;
    this.request();
  }

  /** Scrolls so far that a host is in sight. */
  reveal(host: number): void {
    const tile = this.index.of(host);
    if (!tile) return;
    const { scrollTop } = this.box;
    if (tile.y < scrollTop) this.box.scrollTop = tile.y;
    else if (tile.y + tile.height > scrollTop + this.height) this.box.scrollTop = tile.y + tile.height - this.height;
  }

  redraw = (): void => {
    this.all = true;
    if (this.drag) this.dragTo(this.drag.x, this.drag.y);
    this.request();
  };

  private readonly themed = (): void => {
    this.palette = undefined;
    this.redraw();
  };

  touched(host: number): void {
    this.dirty.add(host);
    this.request();
  }

  moves({ pid, host }: Dot, to: number): void {
    const from = this.index.of(host);
    const onto = this.index.of(to);
    if (!from || !onto || !(this.inSight(from) || this.inSight(onto))) return;
    if (this.journeys.size >= MAX_JOURNEYS || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const now = performance.now();
    const before = this.journeys.get(pid);
    const { x, y } = before ? this.position(pid, before, now) : this.placeOf(pid, from);
    this.journeys.set(pid, { fromX: x, fromY: y, to, began: now });
    if (before) this.dirty.add(before.to);
  }

  tileAt = (x: number, y: number): Tile | undefined => this.index.at(x, y + this.box.scrollTop);

  /** @param finger whether it is one that points */
  dotAt(x: number, y: number, finger = false): Dot | undefined {
    const tile = this.tileAt(x, y);
    if (!tile) return undefined;
    const dots = processesOf(tile.host.number);
    if (dots.size === 0) return undefined;
    const { radius, at, nearest } = this.placesIn(tile);
    if (finger && radius < FINGER_RADIUS) return undefined;
    const index = nearest(x, y + this.box.scrollTop);
    const place = at(index);
    const reach = Math.max(finger ? FINGER_REACH : MOUSE_REACH, radius + 2);
    if (Math.hypot(place.x - x, place.y - y - this.box.scrollTop) > reach) return undefined;
    return [...dots.values()][index];
  }

  /** @returns where it could be let go */
  dragTo(x: number, y: number): Tile | undefined {
    if (!this.drag) return undefined;
    Object.assign(this.drag, { x, y });
    const under = this.tileAt(x, y);
    const host = under && live.hosts.get(under.host.number);
    const target = host && host.number !== this.drag.dot.host && takesProcesses(host) ? under : undefined;
    if (target !== this.target) for (const tile of [target, this.target]) if (tile) this.dirty.add(tile.host.number);
    this.target = target;
    this.request();
    return target;
  }

  drop(): void {
    this.drag = undefined;
    if (this.target) this.dirty.add(this.target.host.number);
    this.target = undefined;
    this.request();
  }

  private request(): void {
    this.frame ||= requestAnimationFrame(this.draw);
  }

  private inSight({ y, height }: Tile): boolean {
    const top = this.box.scrollTop;
    return y < top + this.height && y + height > top;
  }

  private readonly placesIn = (tile: Tile): Places => placesIn(tile, processesOf(tile.host.number).size, this.index.layout.scale);

  private placeOf(pid: number, tile: Tile): { x: number; y: number } {
    let index = 0;
    for (const one of processesOf(tile.host.number).keys()) {
      if (one === pid) break;
      index++;
    }
    return this.placesIn(tile).at(index);
  }

  private position(pid: number, { fromX, fromY, to, began }: Journey, now: number): { x: number; y: number } {
    const tile = this.index.of(to);
    if (!tile) return { x: fromX, y: fromY };
    const { x, y } = this.placeOf(pid, tile);
    const part = Math.min(1, (now - began) / TRAVEL_MS);
    const eased = part < 0.5 ? 4 * part ** 3 : 1 - (-2 * part + 2) ** 3 / 2;
    return { x: fromX + (x - fromX) * eased, y: fromY + (y - fromY) * eased };
  }

  private readonly draw = (): void => {
    this.frame = 0;
    const base = this.base.getContext("2d");
    const above = this.above.getContext("2d");
    if (!base || !above || this.width === 0 || this.height === 0) return;
    this.palette ??= paletteOf(this.box);
    this.fit();
    this.scrollAtEdge();
    // whole pixels of the screen, so that tiles are as sharp as at the top
    const top = Math.round(this.box.scrollTop * this.ratio) / this.ratio;
    const now = performance.now();
    for (const [pid, { to, began }] of this.journeys) {
      const arrived = now - began > TRAVEL_MS || live.processes.get(pid)?.host !== to;
      if (arrived && this.journeys.delete(pid)) this.dirty.add(to);
    }
    for (const context of [base, above]) context.setTransform(this.ratio, 0, 0, this.ratio, 0, -top * this.ratio);
    this.drawTiles(base, top);
    this.drawAbove(above, top, now);
    if (this.journeys.size > 0) this.request();
  };

  /** A canvas is emptied when it gets its size. */
  private fit(): void {
    const most = MAX_SIDE_PX / Math.max(this.width, this.height);
    this.ratio = Math.min(devicePixelRatio || 1, most);
    const [width, height] = [Math.floor(this.width * this.ratio), Math.floor(this.height * this.ratio)];
    if (this.base.width === width && this.base.height === height) return;
    for (const canvas of [this.base, this.above]) Object.assign(canvas, { width, height });
    this.all = true;
  }

  private drawTiles(context: CanvasRenderingContext2D, top: number): void {
    const { layout } = this.index;
    const palette = this.palette;
    if (!palette) return;
    const { scale, colour, font } = palette;
    context.textBaseline = "middle";
    const tiles = this.all
      ? this.index.between(top, top + this.height)
      : [...this.dirty].map(this.index.of).filter((tile): tile is Tile => tile !== undefined && this.inSight(tile));
    if (this.all) {
      context.clearRect(0, top, this.width, this.height);
      context.font = `600 ${13 * scale}px ${font}`;
      context.fillStyle = colour("muted");
      for (const { name, x, y, width } of layout.groups)
        if (y < top + this.height && y + 30 * scale > top)
          context.fillText(fitting(context, name === "" ? t("untagged") : name, width - 4), x + 2, y + 14 * scale);
    }
    this.all = false;
    this.dirty.clear();
    const arriving = this.arriving();
    for (const tile of tiles) {
      const host: Host = live.hosts.get(tile.host.number) ?? tile.host;
      context.clearRect(tile.x - scale, tile.y - scale, tile.width + 2 * scale, tile.height + 2 * scale);
      const chosen = host.number === this.marked.selected || tile === this.target;
      drawTile(context, tile, host, palette, { chosen, focused: host.number === this.marked.cursor });
      const count = processesOf(host.number).size;
      if (count > 0) drawDots(context, this.placesIn(tile), count, arriving.get(host.number) ?? NONE, palette, this.ratio);
    }
  }

  /** Places that are to be left free, by host: who is to rest there is on the way. */
  private arriving(): Map<number, Set<number>> {
    const found = new Map<number, Set<number>>();
    for (const { to } of this.journeys.values()) found.set(to, new Set());
    for (const [host, places] of found) {
      let index = 0;
      for (const pid of processesOf(host).keys()) {
        if (this.journeys.has(pid)) places.add(index);
        index++;
      }
    }
    return found;
  }

  private drawAbove(context: CanvasRenderingContext2D, top: number, now: number): void {
    const palette = this.palette;
    if (!palette || (this.aboveIsClear && this.journeys.size === 0 && !this.drag)) return;
    const { colour, scale } = palette;
    context.clearRect(0, top, this.width, this.height);
    this.aboveIsClear = this.journeys.size === 0 && !this.drag;
    for (const [pid, journey] of this.journeys) {
      const tile = this.index.of(journey.to);
      if (!tile) continue;
      const { x, y } = this.position(pid, journey, now);
      const { radius } = this.placesIn(tile);
      context.strokeStyle = colour("moon-line");
      context.globalAlpha = 0.5;
      context.lineWidth = Math.max(1.5, radius);
      context.beginPath();
      context.moveTo(journey.fromX, journey.fromY);
      context.lineTo(x, y);
      context.stroke();
      context.globalAlpha = 1;
      drawDot(context, x, y, Math.max(3, radius * 1.25), colour, 1);
    }
    if (!this.drag) return;
    drawDot(context, this.drag.x, this.drag.y + top, 9 * scale, (name) => colour(name === "moon" ? name : "focus"), 3 * scale);
  }

  private scrollAtEdge(): void {
    if (!this.drag) return;
    const { y } = this.drag;
    const step = y < EDGE ? -EDGE_STEP : y > this.height - EDGE ? EDGE_STEP : 0;
    const before = this.box.scrollTop;
    if (step !== 0) this.box.scrollTop += step;
    if (this.box.scrollTop !== before) this.redraw();
  }
}
