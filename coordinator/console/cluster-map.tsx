// The living map: hosts as tiles, processes as dots that travel when they migrate. Drawn on a canvas, as a hundred thousand elements would
// be too many for a page (map-scene.ts); the keyboard walks over the tiles, and a selected host is shown beside it in ordinary elements.
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { type Dot, type Host, live, useLive } from "./live.ts";
import { type Groups, isNamed, layOut, type Tile } from "./map-layout.ts";
import { drawTile, onTheme, paletteOf } from "./map-paint.ts";
import { MapScene } from "./map-scene.ts";
import { hostStateName, orderNames } from "./names.ts";
import { t } from "./words.tsx";

interface Props {
  groups: Groups;
  selected: number;
  onSelect(host: Host | undefined): void;
  /** Undefined: this person may move nothing. */
  onMove?: ((dot: Dot, to: Host) => void) | undefined;
}

export function ClusterMap({ groups, selected, onSelect, onMove }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const scene = useRef<MapScene>(undefined);
  const [room, setRoom] = useState({ width: 0, view: 0, scale: 1 });
  const [cursor, setCursor] = useState(0);
  const [focused, setFocused] = useState(false);
  const [pointed, setPointed] = useState(0);
  const titled = groups.some(([name]) => name !== "");
  const layout = useMemo(() => layOut(groups, Math.max(room.width, 200), titled, room.view, room.scale), [groups, room, titled]);
  const height = Math.min(layout.height, room.view);
  const unnamed = useMemo(() => layout.tiles.some((tile) => !isNamed(tile, layout.scale)), [layout]);

  useEffect(() => {
    const [view, canvas, upper] = [box.current, base.current, above.current];
    if (!view || !canvas || !upper) return;
    const made = new MapScene(canvas, upper, view);
    scene.current = made;
    const measure = (): void => {
      const { maxHeight, fontSize } = getComputedStyle(view);
      const now = { width: view.clientWidth, view: Number.parseFloat(maxHeight), scale: Number.parseFloat(fontSize) / 15 };
      setRoom((before) =>
        Object.entries(now).every(([key, value]) => before[key as keyof typeof now] === value) ? before : now,
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(view);
    addEventListener("resize", measure);
    // A finger on a process moves it, elsewhere it scrolls: the browser asks when it is put down, and only here.
    const touch = (event: TouchEvent): void => {
      if (made.drag) event.preventDefault();
    };
    canvas.addEventListener("touchstart", touch, { passive: false });
    return () => {
      canvas.removeEventListener("touchstart", touch);
      removeEventListener("resize", measure);
      observer.disconnect();
      made.close();
    };
  }, []);

  useEffect(() => scene.current?.show(layout, room.width, height), [layout, room.width, height]);
  useEffect(() => scene.current?.mark({ selected, cursor: focused ? cursor : 0 }), [selected, cursor, focused]);
  // with the panel beside it, the map is narrower and the selected one elsewhere
  useEffect(() => scene.current?.reveal(selected), [selected, room.width]);
  useEffect(() => scene.current?.reveal(cursor), [cursor]);

  const where = (event: PointerEvent): { x: number; y: number } => {
    const corner = base.current?.getBoundingClientRect();
    return { x: event.clientX - (corner?.left ?? 0), y: event.clientY - (corner?.top ?? 0) };
  };
  const lookAt = (event: PointerEvent<HTMLCanvasElement>): void => {
    const { x, y } = where(event);
    const made = scene.current;
    const tile = made?.tileAt(x, y);
    const dot = made?.dotAt(x, y);
    setPointed(tile?.host.number ?? 0);
    const { style } = event.currentTarget;
    const dragging = made?.drag?.pointer === event.pointerId;
    if (dragging)
      style.cursor = made?.dragTo(x, y) || !tile || tile.host.number === made?.drag?.dot.host ? "grabbing" : "no-drop";
    else style.cursor = dot && onMove ? "grab" : tile ? "pointer" : "";
    event.currentTarget.title = dot
      ? t("processOf", { pid: String(dot.pid), job: `j${dot.job}` })
      : tile && !isNamed(tile, layout.scale)
        ? wordsOf(tile)
        : "";
  };
  const at = layout.tiles.findIndex(({ host }) => host.number === cursor);
  const chosen = layout.tiles[at];
  const told = layout.tiles.length > 0 ? pointed || cursor : 0;

  return (
    <div className="map">
      <div className="map-view" ref={box} onScroll={() => scene.current?.redraw()}>
        <div style={{ height: layout.height }}>
          <div className="map-window" style={{ height }}>
            {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it is walked over by arrow keys, as applications are */}
            <canvas
              ref={base}
              role="application"
              tabIndex={0}
              aria-label={t("mapLabel", { hosts: layout.tiles.length })}
              aria-describedby="map-cursor"
              onFocus={() => setFocused(true)}
              onBlur={() => setFocused(false)}
              onPointerDown={(event) => {
                const { x, y } = where(event);
                const made = scene.current;
                const dot = onMove && !made?.drag ? made?.dotAt(x, y, event.pointerType === "touch") : undefined;
                if (!made || !dot) return;
                event.currentTarget.setPointerCapture(event.pointerId);
                made.drag = { dot, pointer: event.pointerId, x, y };
                made.dragTo(x, y);
              }}
              onPointerMove={lookAt}
              onPointerLeave={() => setPointed(0)}
              onPointerUp={(event) => {
                const { x, y } = where(event);
                const made = scene.current;
                const tile = made?.tileAt(x, y);
                const host = tile && (live.hosts.get(tile.host.number) ?? tile.host);
                const dot = made?.drag?.pointer === event.pointerId ? made.drag.dot : undefined;
                if (dot) made?.drop();
                if (dot && host && host.number !== dot.host) onMove?.(dot, host);
                else onSelect(host);
              }}
              onPointerCancel={() => scene.current?.drop()}
              onKeyDown={(event) => {
                const to = nextTile(layout.tiles, Math.max(0, at), event.key);
                if (to !== undefined) {
                  event.preventDefault();
                  setCursor(
                    layout.tiles[at < 0 && event.key !== "End" ? 0 : Math.min(layout.tiles.length - 1, to)]?.host.number ?? 0,
                  );
                } else if (event.key === "Enter" && chosen) onSelect(live.hosts.get(cursor));
                else if (event.key === "Escape") onSelect(undefined);
              }}
            />
            <div className="above" aria-hidden="true">
              <canvas ref={above} />
            </div>
          </div>
        </div>
      </div>
      {unnamed && (
        <p className="map-status" aria-hidden="true">
          {told === 0 ? t("mapSmall") : <Words tile={layout.tiles.find(({ host }) => host.number === told)} />}
        </p>
      )}
      <p id="map-cursor" className="hidden" aria-live="polite">
        {chosen ? <Words tile={chosen} /> : t("mapHelp")}
      </p>
    </div>
  );
}

/** As the host is now. */
function wordsOf(tile: Tile): string {
  const host = live.hosts.get(tile.host.number) ?? tile.host;
  const words = t("mapHost", { name: host.name, state: hostStateName(host), running: host.running, slots: host.slots });
  return [words, ...orderNames(host)].join(" · ");
}
function Words({ tile }: { tile: Tile | undefined }) {
  useLive();
  return tile && wordsOf(tile);
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

const KEY = { x: 0, y: 0, width: 26, height: 20 };

/** How hosts in a state look on the map, for its legend. */
export function TileKey({ state, block = false }: Pick<Host, "state"> & { block?: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const draw = (): void => {
      const element = canvas.current;
      const context = element?.getContext("2d");
      if (!element?.parentElement || !context) return;
      const palette = paletteOf(element.parentElement);
      const scale = palette.scale * (devicePixelRatio || 1);
      Object.assign(element, { width: KEY.width * scale, height: KEY.height * scale });
      Object.assign(element.style, { width: `${KEY.width * palette.scale}px`, height: `${KEY.height * palette.scale}px` });
      context.setTransform(scale, 0, 0, scale, 0, 0);
      const host = { name: "", state, block, running: 0, slots: 1 };
      drawTile(context, KEY, host, { ...palette, scale: 1 }, { chosen: false, focused: false });
    };
    draw();
    return onTheme(draw);
  }, [state, block]);
  return (
    <i className="key-tile" aria-hidden="true">
      <canvas ref={canvas} />
    </i>
  );
}
