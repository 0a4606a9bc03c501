// The living map: hosts as tiles, processes as dots that travel when they migrate. Drawn on a canvas, as a hundred thousand elements would
// be too many for a page; the keyboard walks over the tiles, and a selected host is shown beside it in ordinary elements.
import { useEffect, useRef, useState } from "react";
import { type Dot, type Host, processesByHost, useLive } from "./live.ts";
import { layOut, type Mark, placeOf, type Tile } from "./map-layout.ts";
import { hostStateName } from "./names.ts";
import { t } from "./words.tsx";

/** A journey from host to host. */
const TRAVEL_MS = 900;

interface Props {
  groups: readonly (readonly [string, readonly Host[]])[];
  selected: number;
  onSelect(host: Host | undefined): void;
  /** Undefined: this person may move nothing. */
  onMove?: ((dot: Dot, to: Host) => void) | undefined;
}

interface Journey {
  fromX: number;
  fromY: number;
  began: number;
}

export function ClusterMap({ groups, selected, onSelect, onMove }: Props) {
  const { version } = useLive();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [cursor, setCursor] = useState(-1);
  const marks = useRef(new Map<number, Mark>());
  const journeys = useRef(new Map<number, Journey>());
  const dragged = useRef<{ dot: Dot; x: number; y: number } | undefined>(undefined);
  const over = useRef<Tile | undefined>(undefined);
  const titled = groups.some(([name]) => name !== "");
  const layout = layOut(groups, Math.max(width, 200), titled);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (canvas.current?.parentElement) observer.observe(canvas.current.parentElement);
    return () => observer.disconnect();
  }, []);

  // drawn anew for what the stream changes, and for what is chosen
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = devicePixelRatio || 1;
    element.width = width * ratio;
    element.height = layout.height * ratio;
    place(layout.tiles, marks.current, journeys.current);
    let frame = 0;
    const draw = (): void => {
      const style = getComputedStyle(element);
      const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, layout.height);
      context.textBaseline = "middle";
      context.font = `600 13px ${style.fontFamily}`;
      context.fillStyle = colour("muted");
      for (const { name, x, y } of layout.groups) context.fillText(name === "" ? t("untagged") : name, x + 2, y + 14);
      layout.tiles.forEach((tile, at) => {
        const chosen = tile.host.number === selected;
        drawTile(
          context,
          tile,
          colour,
          chosen || tile === over.current,
          at === cursor && document.activeElement === element,
          style.fontFamily,
        );
      });
      const moving = drawMarks(context, marks.current, journeys.current, colour);
      if (dragged.current) drawDragged(context, dragged.current, colour);
      if (moving || dragged.current) frame = requestAnimationFrame(draw);
    };
    draw();
    redraw.current = () => {
      cancelAnimationFrame(frame);
      draw();
    };
    return () => cancelAnimationFrame(frame);
  }, [version, width, selected, cursor, groups, layout.height]);
  const redraw = useRef<() => void>(() => {});

  const tileAt = (x: number, y: number): Tile | undefined =>
    layout.tiles.find((tile) => x >= tile.x && x < tile.x + tile.width && y >= tile.y && y < tile.y + tile.height);
  const where = (event: { clientX: number; clientY: number }): { x: number; y: number } => {
    const box = canvas.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const markAt = (x: number, y: number): Mark | undefined => {
    for (const mark of marks.current.values())
      if (Math.hypot(mark.x - x, mark.y - y) <= Math.max(5, mark.radius + 2)) return mark;
    return undefined;
  };
  const chosen = layout.tiles[cursor];

  return (
    <div className="map">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it is walked over by arrow keys, as applications are */}
      <canvas
        ref={canvas}
        role="application"
        tabIndex={0}
        aria-label={t("mapLabel", { hosts: layout.tiles.length })}
        aria-describedby="map-cursor"
        style={{ height: layout.height }}
        onPointerDown={(event) => {
          const { x, y } = where(event);
          const mark = onMove && markAt(x, y);
          if (!mark) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          dragged.current = { dot: mark.dot, x, y };
          redraw.current();
        }}
        onPointerMove={(event) => {
          const { x, y } = where(event);
          const mark = markAt(x, y);
          event.currentTarget.style.cursor = dragged.current
            ? "grabbing"
            : mark && onMove
              ? "grab"
              : tileAt(x, y)
                ? "pointer"
                : "";
          event.currentTarget.title = mark ? t("processOf", { pid: String(mark.dot.pid), job: `j${mark.dot.job}` }) : "";
          if (!dragged.current) return;
          Object.assign(dragged.current, { x, y });
          over.current = tileAt(x, y);
        }}
        onPointerUp={(event) => {
          const { x, y } = where(event);
          const tile = tileAt(x, y);
          const { dot } = dragged.current ?? {};
          dragged.current = undefined;
          over.current = undefined;
          if (dot && tile && tile.host.number !== dot.host) onMove?.(dot, tile.host);
          else onSelect(tile?.host);
          redraw.current();
        }}
        onPointerCancel={() => {
          dragged.current = undefined;
          redraw.current();
        }}
        onKeyDown={(event) => {
          const last = layout.tiles.length - 1;
          const to = nextTile(layout.tiles, Math.max(0, cursor), event.key);
          if (to !== undefined) {
            event.preventDefault();
            setCursor(cursor < 0 ? 0 : Math.min(last, to));
          } else if (event.key === "Enter" && chosen) onSelect(chosen.host);
          else if (event.key === "Escape") onSelect(undefined);
        }}
      />
      <p id="map-cursor" className="hidden" aria-live="polite">
        {chosen
          ? t("mapHost", {
              name: chosen.host.name,
              state: hostStateName(chosen.host),
              running: chosen.host.running,
              slots: chosen.host.slots,
            })
          : t("mapHelp")}
      </p>
    </div>
  );
}

/** The tile an arrow key leads to: the nearest in that direction. */
function nextTile(tiles: readonly Tile[], at: number, key: string): number | undefined {
  const from = tiles[at];
  if (!from) return undefined;
  if (key === "Home") return 0;
  if (key === "End") return tiles.length - 1;
  if (key === "ArrowRight") return at + 1;
  if (key === "ArrowLeft") return Math.max(0, at - 1);
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const sign = key === "ArrowDown" ? 1 : -1;
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  tiles.forEach((tile, index) => {
    const down = (tile.y - from.y) * sign;
    const distance = down * 4 + Math.abs(tile.x - from.x);
    if (down > 0 && distance < least) {
      best = index;
      least = distance;
    }
  });
  return best ?? at;
}

/** Gives every process its place; one that has changed hosts sets out from where it was. */
function place(tiles: readonly Tile[], marks: Map<number, Mark>, journeys: Map<number, Journey>): void {
  const now = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const byHost = processesByHost();
  const seen = new Set<number>();
  for (const tile of tiles) {
    const dots = byHost.get(tile.host.number) ?? [];
    dots.forEach((dot, at) => {
      const next: Mark = { dot, ...placeOf(tile, at, dots.length) };
      const before = marks.get(dot.pid);
      if (before && before.dot.host !== dot.host && !still) {
        const from = position(before, journeys.get(dot.pid), now);
        journeys.set(dot.pid, { fromX: from.x, fromY: from.y, began: now });
      }
      marks.set(dot.pid, next);
      seen.add(dot.pid);
    });
  }
  for (const pid of marks.keys()) if (!seen.has(pid)) marks.delete(pid);
}

function position(mark: Mark, journey: Journey | undefined, now: number): { x: number; y: number } {
  if (!journey) return mark;
  const part = Math.min(1, (now - journey.began) / TRAVEL_MS);
  const eased = part < 0.5 ? 4 * part ** 3 : 1 - (-2 * part + 2) ** 3 / 2;
  return { x: journey.fromX + (mark.x - journey.fromX) * eased, y: journey.fromY + (mark.y - journey.fromY) * eased };
}

type Colour = (name: string) => string;

function drawTile(
  context: CanvasRenderingContext2D,
  tile: Tile,
  colour: Colour,
  chosen: boolean,
  focused: boolean,
  font: string,
): void {
  const { host, x, y, width, height } = tile;
  const round = Math.min(10, height / 6);
  context.globalAlpha = host.state === "offline" ? 0.45 : 1;
  context.beginPath();
  context.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, round);
  context.fillStyle = colour(`tile-${host.state}`);
  context.fill();
  context.setLineDash(host.state === "owner" || host.state === "paused" || host.state === "clear" ? [4, 3] : []);
  context.lineWidth = chosen || focused ? 2.5 : 1;
  context.strokeStyle = chosen ? colour("moon") : focused ? colour("focus") : colour("tile-line");
  context.stroke();
  context.setLineDash([]);
  if (height >= 48) {
    context.font = `600 12px ${font}`;
    context.fillStyle = colour(host.state === "computing" ? "tile-ink-on" : "tile-ink");
    const free = `${host.running}/${host.slots}`;
    const right = context.measureText(free).width;
    context.fillText(free, x + width - 8 - right, y + 13);
    let name = host.name;
    while (name.length > 2 && context.measureText(name).width > width - right - 24) name = `${name.slice(0, -2)}…`;
    context.fillText(name, x + 8, y + 13);
  }
  context.globalAlpha = 1;
}

/** @returns whether any is still on its way */
function drawMarks(
  context: CanvasRenderingContext2D,
  marks: Map<number, Mark>,
  journeys: Map<number, Journey>,
  colour: Colour,
): boolean {
  const now = performance.now();
  context.fillStyle = colour("moon");
  for (const [pid, mark] of marks) {
    if (journeys.has(pid)) continue;
    const { x, y, radius } = mark;
    if (radius < 2) context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    else {
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.fill();
    }
  }
  for (const [pid, journey] of journeys) {
    const mark = marks.get(pid);
    if (!mark || now - journey.began > TRAVEL_MS) {
      journeys.delete(pid);
      continue;
    }
    const { x, y } = position(mark, journey, now);
    context.strokeStyle = colour("moon");
    context.globalAlpha = 0.35;
    context.lineWidth = Math.max(1.5, mark.radius);
    context.beginPath();
    context.moveTo(journey.fromX, journey.fromY);
    context.lineTo(x, y);
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, y, Math.max(3, mark.radius * 1.25), 0, 7);
    context.fill();
  }
  return journeys.size > 0;
}

function drawDragged(context: CanvasRenderingContext2D, { x, y }: { x: number; y: number }, colour: Colour): void {
  context.beginPath();
  context.arc(x, y, 9, 0, 7);
  context.fillStyle = colour("moon");
  context.fill();
  context.lineWidth = 3;
  context.strokeStyle = colour("focus");
  context.stroke();
}
