// The work of this computer and of the cluster as a picture: the computer as a moon, the coordinator as a far star, and the processes that are here
// between them. Each comes from the star when it arrives and goes back when it leaves; those that compute glow. Behind them the other hosts as a
// constellation, those that compute in gold, and a spark for each process that goes from one to another. Nothing is drawn while nothing changes: ten
// pictures a second while something moves, else one when there is news. Where the submitter wants it, the work itself is beside the moon (work-picture.ts).
import type { Shown } from "../shown/index.ts";
import { type Box, type Point, placesOn } from "./work-layout.ts";
import { WorkPicture } from "./work-picture.ts";

/** What there is to show. */
export interface Scene {
  /** "Paused: you are here" */
  headline: string;
  /** Beneath it. */
  line: string;
  computing: boolean;
  /** Its address; null: none. */
  coordinator: string | null;
  processes: readonly { pid: number; computing: boolean }[];
  /** The whole, this computer among it; null: not known. */
  cluster: Cluster | null;
  /** What of the work here may be seen; null: nothing. `version` changes with it. */
  work: { shown: Shown; version: number; words: string } | null;
}

/** Numbers of hosts, and of moves between them since some time. Which hosts they are is told to nobody. */
export interface Cluster {
  online: number;
  computing: number;
  owners: number;
  moves: number;
  /** The same in words. */
  words: string;
}

const FRAME_MS = 100;
const MOVE_MS = 4_000;
const STARS = 140;
const MAX_SHOWN = 64;
/** Of a larger cluster each star stands for several hosts. */
const MAX_HOSTS = 240;
const SPARK_MS = 3_000;
/** News of moves comes so often; their sparks are spread over that time. */
const NEWS_MS = 5_000;
const MAX_SPARKS = 12;
const NIGHT = "#0b1026";
const MOON = "#ffd76a";
const INK = "#a3adcf";

interface Body {
  computing: boolean;
  /** Its place around the moon: every process keeps its own. */
  place: number;
  /** When it began to come or to go, on the page's clock. */
  movedAt: number;
  leaving: boolean;
}

/** The same sky each time: a small generator instead of chance. */
function generator(): () => number {
  let seed = 20_161_121;
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}
const next = generator();
const STARRY = Array.from({ length: STARS }, () => ({ x: next(), y: next(), size: 0.4 + next() }));

/** Roberts' R2 sequence, of the plastic number: points that fill a square evenly however many there are. */
const PLASTIC = 1.324_717_957_244_746;
/** So far are they moved from there, as it looks planted otherwise. */
const SCATTER = 0.05;

/** Where hosts are on the screen. @param isFree not where the moon is with its processes, say */
function hostPlaces(count: number, width: number, height: number, isFree: (place: Point) => boolean): Point[] {
  const chance = generator();
  const places: Point[] = [];
  for (let at = 0; places.length < count && at < 4 * MAX_HOSTS; at++) {
    const x = ((0.5 + at / PLASTIC) % 1) + SCATTER * (chance() - 0.5);
    const y = ((0.5 + at / PLASTIC ** 2) % 1) + SCATTER * (chance() - 0.5);
    const place = { x: width * (0.05 + 0.9 * x), y: height * (0.06 + 0.77 * y) };
    if (isFree(place)) places.push(place);
  }
  return places;
}

interface Spark {
  from: number;
  to: number;
  beginsAt: number;
}

export class NightSky {
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D | null;
  private readonly bodies = new Map<number, Body>();
  private sparks: Spark[] = [];
  private scene: Scene | undefined;
  private timer: number | undefined;
  private readonly work = new WorkPicture(NIGHT);
  /** Whoever wants nothing to move is shown where things are. */
  private readonly calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** Pictures drawn, for who measures. */
  drawn = 0;

  /** @param canvas as large as the window */
  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    addEventListener("resize", this.frame);
  }

  close(): void {
    removeEventListener("resize", this.frame);
    clearTimeout(this.timer);
  }

  show(next: Scene): void {
    const now = performance.now();
    const changed = keyOf(this.scene) !== keyOf(next);
    this.light(this.scene?.cluster?.moves, next.cluster, now);
    this.scene = next;
    const began = this.calm.matches ? now - MOVE_MS - 1 : now;
    const here = new Map(next.processes.slice(0, MAX_SHOWN).map((process) => [process.pid, process]));
    for (const [pid, { computing }] of here) {
      const body = this.bodies.get(pid);
      if (body && !body.leaving) body.computing = computing;
      else this.bodies.set(pid, { computing, place: this.freePlace(), movedAt: began, leaving: false });
    }
    for (const [pid, body] of this.bodies)
      if (!here.has(pid) && !body.leaving) {
        body.leaving = true;
        body.movedAt = began;
      }
    if (changed) this.frame();
  }

  private light(before: number | undefined, cluster: Cluster | null, now: number): void {
    const hosts = starsOf(cluster).length;
    if (before === undefined || cluster === null || hosts < 2 || this.calm.matches) return;
    const count = Math.min(MAX_SPARKS, cluster.moves - before);
    for (let at = 0; at < count; at++) {
      const from = Math.floor(Math.random() * hosts);
      const to = (from + 1 + Math.floor(Math.random() * (hosts - 1))) % hosts;
      this.sparks.push({ from, to, beginsAt: now + (at * NEWS_MS) / count });
    }
  }

  private freePlace(): number {
    const taken = new Set([...this.bodies.values()].map(({ place }) => place));
    let place = 0;
    while (taken.has(place)) place++;
    return place;
  }

  /** Draws, and again soon while something moves. */
  private readonly frame = (): void => {
    clearTimeout(this.timer);
    const now = performance.now();
    for (const [pid, { leaving, movedAt }] of this.bodies) if (leaving && now - movedAt > MOVE_MS) this.bodies.delete(pid);
    this.sparks = this.sparks.filter(({ beginsAt }) => now - beginsAt <= SPARK_MS);
    if (this.context && this.scene) this.draw(this.context, this.scene, now);
    const moving = this.sparks.length > 0 || [...this.bodies.values()].some(({ movedAt }) => now - movedAt <= MOVE_MS);
    if (moving) this.timer = window.setTimeout(this.frame, FRAME_MS);
  };

  private draw(on: CanvasRenderingContext2D, scene: Scene, now: number): void {
    const { canvas } = this;
    this.drawn++;
    const scale = Math.min(devicePixelRatio, 2);
    const [width, height] = [innerWidth, innerHeight];
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    on.setTransform(scale, 0, 0, scale, 0, 0);
    on.fillStyle = NIGHT;
    on.fillRect(0, 0, width, height);
    on.fillStyle = INK;
    for (const { x, y, size } of STARRY) {
      on.globalAlpha = 0.25 + size / 3;
      on.fillRect(x * width, y * height, size, size);
    }
    on.globalAlpha = 1;
    const unit = Math.min(width, height);
    const { moon, star, work } = placesOn(width, height, scene.work !== null);
    const hosts = starsOf(scene.cluster);
    const far = (one: Point, other: Point, by: number): boolean => Math.hypot(one.x - other.x, one.y - other.y) > by;
    const isFree = (place: Point): boolean =>
      far(place, moon, moon.r * 2.2) && far(place, star, unit * 0.1) && (work === null || !isIn(place, work, unit * 0.02));
    const places = hostPlaces(hosts.length, width, height, isFree);
    for (const [host, place] of places.entries()) drawHost(on, place, hosts[host] ?? "idle", unit);
    for (const { from, to, beginsAt } of this.sparks) {
      const [begin, end] = [places[from], places[to]];
      if (begin && end && now >= beginsAt) drawSpark(on, begin, end, (now - beginsAt) / SPARK_MS, unit);
    }
    if (work && scene.work) this.work.draw(on, work, scene.work.shown);
    drawMoon(on, moon, scene.computing);
    if (scene.coordinator !== null) drawStar(on, star, scene.coordinator, unit);
    for (const body of this.bodies.values()) {
      const ring = 1.7 + 0.62 * Math.floor(body.place / 14);
      const angle = (body.place % 14) * ((2 * Math.PI) / 14) - 2.4;
      const home = { x: moon.x + Math.cos(angle) * moon.r * ring, y: moon.y + Math.sin(angle) * moon.r * ring };
      const part = ease(Math.min(1, (now - body.movedAt) / MOVE_MS));
      const near = body.leaving ? 1 - part : part;
      const at = { x: star.x + (home.x - star.x) * near, y: star.y + (home.y - star.y) * near };
      drawProcess(on, at, body.computing && near === 1, unit);
    }
    on.textAlign = "left";
    on.font = `${Math.round(unit * 0.026)}px system-ui, sans-serif`;
    on.fillStyle = "#e8ebf7";
    on.fillText(scene.headline, width * 0.06, height * 0.92);
    on.fillStyle = INK;
    on.font = `${Math.round(unit * 0.017)}px system-ui, sans-serif`;
    on.fillText(scene.line, width * 0.06, height * 0.955);
    on.textAlign = "right";
    const together = scene.cluster?.words ?? "";
    // On a narrow screen it has a line of its own.
    const isNarrow = on.measureText(scene.line).width + on.measureText(together).width > width * 0.86;
    on.fillText(together, width * 0.94, height * (isNarrow ? 0.985 : 0.955));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", [scene.headline, scene.work?.words, scene.cluster?.words].filter(Boolean).join(". "));
  }
}

/** What a picture is of: another one is drawn when it is another. */
const keyOf = (scene: Scene | undefined): string =>
  JSON.stringify({ ...scene, work: scene?.work && { ...scene.work, shown: null } });

/** @param by it may be so far outside */
const isIn = ({ x, y }: Point, box: Box, by: number): boolean =>
  x > box.x - by && x < box.x + box.width + by && y > box.y - by && y < box.y + box.height + by;

type Kind = "computing" | "idle" | "owner";

/** A star for each other host, or of many for several together. */
function starsOf(cluster: Cluster | null): Kind[] {
  if (cluster === null) return [];
  const others = Math.max(0, cluster.online - 1);
  const each = Math.max(1, others / MAX_HOSTS);
  const shown = Math.round(others / each);
  const computing = Math.min(shown, Math.round(cluster.computing / each));
  const owners = Math.min(shown - computing, Math.round(cluster.owners / each));
  return Array.from({ length: shown }, (_, at) => (at < computing ? "computing" : at < shown - owners ? "idle" : "owner"));
}

/** A mouse that trembles is no input. */
const MOVED_PX = 8;

/** Any input calls it. @returns ends that */
export function onInput(call: () => void): () => void {
  const end = new AbortController();
  const { signal } = end;
  let from: Point | undefined;
  addEventListener(
    "mousemove",
    ({ screenX: x, screenY: y }) => {
      from ??= { x, y };
      if (Math.hypot(x - from.x, y - from.y) > MOVED_PX) call();
    },
    { signal },
  );
  for (const kind of ["keydown", "mousedown", "wheel", "touchstart"]) addEventListener(kind, call, { passive: true, signal });
  return () => end.abort();
}

const ease = (t: number): number => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);

function drawMoon(on: CanvasRenderingContext2D, { x, y, r }: Point & { r: number }, full: boolean): void {
  const glow = on.createRadialGradient(x, y, r * 0.8, x, y, r * 2.6);
  glow.addColorStop(0, full ? "rgba(255, 215, 106, 0.22)" : "rgba(255, 215, 106, 0.07)");
  glow.addColorStop(1, "rgba(255, 215, 106, 0)");
  on.fillStyle = glow;
  on.fillRect(x - r * 3, y - r * 3, r * 6, r * 6);
  on.fillStyle = MOON;
  on.beginPath();
  on.arc(x, y, r, 0, 2 * Math.PI);
  on.fill();
  if (full) return;
  on.fillStyle = NIGHT;
  on.beginPath();
  on.arc(x + r * 0.42, y - r * 0.26, r * 0.88, 0, 2 * Math.PI);
  on.fill();
}

function drawStar(on: CanvasRenderingContext2D, { x, y }: Point, name: string, unit: number): void {
  const r = unit * 0.008;
  on.fillStyle = "#ffffff";
  on.beginPath();
  on.arc(x, y, r, 0, 2 * Math.PI);
  on.fill();
  on.fillStyle = INK;
  on.textAlign = "center";
  on.font = `${Math.round(unit * 0.016)}px system-ui, sans-serif`;
  on.fillText(name, x, y - r * 2.5); // what comes and goes passes below
}

function drawProcess(on: CanvasRenderingContext2D, { x, y }: Point, computing: boolean, unit: number): void {
  const r = unit * (computing ? 0.011 : 0.008);
  on.fillStyle = computing ? MOON : INK;
  on.beginPath();
  on.arc(x, y, r, 0, 2 * Math.PI);
  on.fill();
}

function drawHost(on: CanvasRenderingContext2D, { x, y }: Point, kind: Kind, unit: number): void {
  const r = unit * 0.004;
  on.globalAlpha = kind === "owner" ? 0.45 : 0.9;
  on.fillStyle = on.strokeStyle = kind === "computing" ? MOON : INK;
  on.lineWidth = r / 2;
  on.beginPath();
  on.arc(x, y, r, 0, 2 * Math.PI);
  if (kind === "owner") on.stroke();
  else on.fill();
  on.globalAlpha = 1;
}

/** @param part of the way, 0 to 1 */
function drawSpark(on: CanvasRenderingContext2D, from: Point, to: Point, part: number, unit: number): void {
  const along = (at: number): Point => {
    const eased = ease(Math.max(0, at));
    // A bow beside the straight line.
    const bow = 0.12 * Math.sin(Math.PI * eased);
    return {
      x: from.x + (to.x - from.x) * eased - (to.y - from.y) * bow,
      y: from.y + (to.y - from.y) * eased + (to.x - from.x) * bow,
    };
  };
  on.fillStyle = MOON;
  for (let behind = 0; behind < 6; behind++) {
    const { x, y } = along(part - behind * 0.012);
    on.globalAlpha = 0.85 - behind * 0.14;
    on.beginPath();
    on.arc(x, y, unit * 0.0035 * (1 - behind * 0.1), 0, 2 * Math.PI);
    on.fill();
  }
  on.globalAlpha = 1;
}
