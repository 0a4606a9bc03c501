// How hosts and processes look on the map, and in its legend: every state has its own figure beside its colour, so that it is told by those who
// do not tell colours. Draws on a context it is given; where things lie is map-layout.ts's.
import type { Host } from "./live.ts";
import { isNamed, type Places, type Tile } from "./map-layout.ts";

const COLOURS = [
  ...["moon", "moon-line", "muted", "focus", "bad", "tile-computing", "tile-idle", "tile-owner", "tile-paused"],
  ...["tile-clear", "tile-offline", "tile-line", "tile-ink", "tile-ink-on"],
] as const;

/** The colours of the page's theme, and pictures of dots in them. */
export interface Palette {
  colour(name: string): string;
  font: string;
  /** Of the page's text to what the map's measures are for. */
  scale: number;
  dots: Map<number, HTMLCanvasElement>;
}

/** Size of the page's text for which the map's measures are. */
const TEXT_PX = 15;

/** Asks the style once, which is slow. @param beside an element of the page with its theme and text */
export function paletteOf(beside: HTMLElement): Palette {
  const probe = document.createElement("span");
  beside.append(probe);
  const style = getComputedStyle(probe);
  const found = new Map<string, string>();
  for (const name of COLOURS) {
    probe.style.color = `var(--${name})`;
    found.set(name, style.color);
  }
  const { fontFamily, fontSize } = style;
  const palette = { font: fontFamily, scale: Number.parseFloat(fontSize) / TEXT_PX || 1, dots: new Map() };
  probe.remove();
  return { ...palette, colour: (name) => found.get(name) ?? "gray" };
}

/** Calls when the theme changes, by choice or with the system. @returns how to end it */
export function onTheme(call: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(call);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  dark.addEventListener("change", call);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", call);
  };
}

export type Shown = Pick<Host, "name" | "state" | "block" | "running" | "slots">;
export interface Emphasis {
  chosen: boolean;
  focused: boolean;
}

const DASHES: Partial<Record<Host["state"], number[]>> = { paused: [4, 3], clear: [4, 3], offline: [1, 3] };

export function drawTile(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Omit<Tile, "host">,
  host: Shown,
  { colour, font, scale }: Palette,
  { chosen, focused }: Emphasis,
): void {
  const named = host.name !== "" && isNamed({ height }, scale);
  context.beginPath();
  context.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, Math.min(10 * scale, height / 6));
  context.fillStyle = colour(`tile-${host.state}`);
  context.fill();
  if (host.state === "clear") hatch(context, { x, y, width, height }, named ? 22 * scale : 0, colour("muted"));
  context.setLineDash(chosen || focused ? [] : (DASHES[host.state] ?? []));
  context.lineWidth = chosen || focused ? 2.5 * scale : scale;
  context.strokeStyle = colour(chosen ? "moon-line" : focused ? "focus" : host.state === "offline" ? "muted" : "tile-line");
  context.stroke();
  context.setLineDash([]);
  const top = named ? 22 * scale : 0;
  const size = Math.min(30 * scale, 0.62 * Math.min(width, height - top));
  drawFigure(context, host.state, x + width / 2, y + top + (height - top) / 2, size, colour("muted"));
  if (host.block) {
    const sign = Math.min(18 * scale, 0.8 * Math.min(width, height));
    const small = sign < 18 * scale;
    const [middleX, middleY] = small ? [x + width / 2, y + height / 2] : [x + width - sign * 0.8, y + height - sign * 0.8];
    noEntry(context, middleX, middleY, sign / 2, colour("bad"), colour("tile-owner"));
  }
  if (!named) return;
  context.font = `600 ${12 * scale}px ${font}`;
  context.fillStyle = colour(host.state === "computing" ? "tile-ink-on" : host.state === "offline" ? "muted" : "tile-ink");
  const free = `${host.running}/${host.slots}`;
  const right = context.measureText(free).width;
  context.fillText(free, x + width - 8 * scale - right, y + 13 * scale);
  context.fillText(fitting(context, host.name, width - right - 24 * scale), x + 8 * scale, y + 13 * scale);
}

/** As much of a text as there is room for. */
export function fitting(context: CanvasRenderingContext2D, text: string, width: number): string {
  let shown = text;
  while (shown.length > 2 && context.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  return shown;
}

/** Kept clear: nothing is to be there. Clipped by the tile that is the path. */
function hatch(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Omit<Tile, "host">,
  above: number,
  colour: string,
): void {
  const step = Math.max(3, Math.min(8, height / 4));
  context.save();
  context.clip();
  const path = new Path2D();
  for (let at = x - height; at < x + width; at += step) {
    path.moveTo(at, y + height);
    path.lineTo(at + height - above, y + above);
  }
  context.lineWidth = step / 4;
  context.strokeStyle = colour;
  context.stroke(path);
  context.restore();
}

/** A person at the desk, two bars, a cross; where it computes or could, nothing. */
function drawFigure(
  context: CanvasRenderingContext2D,
  state: Host["state"],
  x: number,
  y: number,
  size: number,
  colour: string,
): void {
  const half = size / 2;
  const path = new Path2D();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1, size / 8);
  if (state === "owner") {
    path.arc(x, y - half * 0.45, half * 0.45, 0, 7);
    path.moveTo(x - half * 0.85, y + half);
    path.ellipse(x, y + half, half * 0.85, half * 0.85, 0, Math.PI, 0);
    context.fill(path);
  } else if (state === "paused") {
    path.rect(x - half * 0.7, y - half * 0.8, half * 0.5, size * 0.8);
    path.rect(x + half * 0.2, y - half * 0.8, half * 0.5, size * 0.8);
    context.fill(path);
  } else if (state === "offline") {
    path.moveTo(x - half * 0.6, y - half * 0.6);
    path.lineTo(x + half * 0.6, y + half * 0.6);
    path.moveTo(x + half * 0.6, y - half * 0.6);
    path.lineTo(x - half * 0.6, y + half * 0.6);
    context.stroke(path);
  }
}

function noEntry(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string, ground: string): void {
  const line = Math.max(1.2, radius / 4);
  const inner = radius - line / 2;
  context.beginPath();
  context.arc(x, y, inner, 0, 7);
  context.fillStyle = ground;
  context.fill();
  context.moveTo(x - inner * 0.7, y + inner * 0.7);
  context.lineTo(x + inner * 0.7, y - inner * 0.7);
  context.lineWidth = line;
  context.strokeStyle = colour;
  context.stroke();
}

/** @param hidden those that are not there yet, by their place */
export function drawDots(
  context: CanvasRenderingContext2D,
  { radius, at }: Places,
  count: number,
  hidden: ReadonlySet<number>,
  palette: Palette,
  ratio: number,
): void {
  const picture = radius < SQUARE_BELOW ? undefined : dotPicture(radius, palette, ratio);
  const size = picture ? picture.width / ratio : 2 * radius;
  context.fillStyle = palette.colour("moon");
  for (let index = 0; index < count; index++) {
    if (hidden.has(index)) continue;
    const { x, y } = at(index);
    if (picture) context.drawImage(picture, x - size / 2, y - size / 2, size, size);
    else context.fillRect(x - radius, y - radius, size, size);
  }
}
/** Nobody sees corners of so small dots, which are drawn faster. */
const SQUARE_BELOW = 2;

/** Circles are slow to draw by the thousand. */
function dotPicture(radius: number, { colour, dots }: Palette, ratio: number): HTMLCanvasElement {
  const key = Math.round(radius * 10) * 100 + Math.round(ratio * 10);
  const known = dots.get(key);
  if (known) return known;
  const picture = document.createElement("canvas");
  picture.width = picture.height = Math.ceil((2 * radius + 2) * ratio);
  const context = picture.getContext("2d");
  if (context) drawDot(context, picture.width / 2, picture.width / 2, radius * ratio, colour, ratio);
  dots.set(key, picture);
  return picture;
}

export function drawDot(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  colour: Palette["colour"],
  line: number,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = colour("moon");
  context.fill();
  context.lineWidth = line;
  context.strokeStyle = colour("moon-line");
  context.stroke();
}
