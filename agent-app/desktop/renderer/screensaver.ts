// The screensaver: this PC as a moon, the coordinator as a far star, and the processes that are here between them. Each comes from the
// star when it arrives and goes back when it leaves; those that compute glow. Nothing is drawn while nothing changes: ten pictures a
// second while something moves, else one when there is news. Any input ends it.
import type { AppState, ProcessState } from "../ipc/state.ts";
import { appWords } from "../words/catalogue.ts";
import { ask } from "./asking.ts";

const FRAME_MS = 100;
const MOVE_MS = 4_000;
/** A mouse that trembles is no input. */
const MOVED_PX = 8;
const STARS = 140;
const MAX_SHOWN = 64;
const NIGHT = "#0b1026";
const MOON = "#ffd76a";
const INK = "#a3adcf";

interface Body {
  process: ProcessState;
  /** Its place around the moon: every process keeps its own. */
  place: number;
  /** When it began to come or to go, on the page's clock. */
  movedAt: number;
  leaving: boolean;
}

const canvas = document.getElementById("sky") as HTMLCanvasElement;
const context = canvas.getContext("2d", { alpha: false });
const bodies = new Map<number, Body>();
let state: AppState | undefined;
let timer: number | undefined;
/** Pictures drawn, for who measures. */
let drawn = 0;
Object.defineProperty(globalThis, "drawn", { get: () => drawn });

/** The same sky each time: a small generator instead of chance. */
function sky(): { x: number; y: number; size: number }[] {
  let seed = 20_161_121;
  const next = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  return Array.from({ length: STARS }, () => ({ x: next(), y: next(), size: 0.4 + next() }));
}
const STARRY = sky();

function take(next: AppState): void {
  const now = performance.now();
  const before = JSON.stringify([state?.headline, state?.coordinator, state?.processes.map(({ pid, state: s }) => [pid, s])]);
  state = next;
  const here = new Map(next.processes.slice(0, MAX_SHOWN).map((process) => [process.pid, process]));
  for (const [pid, process] of here) {
    const body = bodies.get(pid);
    if (body && !body.leaving) body.process = process;
    else bodies.set(pid, { process, place: freePlace(), movedAt: now, leaving: false });
  }
  for (const [pid, body] of bodies)
    if (!here.has(pid) && !body.leaving) {
      body.leaving = true;
      body.movedAt = now;
    }
  const after = JSON.stringify([next.headline, next.coordinator, next.processes.map(({ pid, state: s }) => [pid, s])]);
  if (before !== after) frame();
}

function freePlace(): number {
  const taken = new Set([...bodies.values()].map(({ place }) => place));
  let place = 0;
  while (taken.has(place)) place++;
  return place;
}

/** Draws, and again soon while something moves. */
function frame(): void {
  clearTimeout(timer);
  const now = performance.now();
  for (const [pid, { leaving, movedAt }] of bodies) if (leaving && now - movedAt > MOVE_MS) bodies.delete(pid);
  draw(now);
  const moving = [...bodies.values()].some(({ movedAt }) => now - movedAt <= MOVE_MS);
  if (moving) timer = window.setTimeout(frame, FRAME_MS);
}

const ease = (t: number): number => (t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);

function draw(now: number): void {
  if (!context || !state) return;
  drawn++;
  const scale = Math.min(devicePixelRatio, 2);
  const [width, height] = [innerWidth, innerHeight];
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = NIGHT;
  context.fillRect(0, 0, width, height);
  context.fillStyle = INK;
  for (const { x, y, size } of STARRY) {
    context.globalAlpha = 0.25 + size / 3;
    context.fillRect(x * width, y * height, size, size);
  }
  context.globalAlpha = 1;
  const unit = Math.min(width, height);
  const moon = { x: width * 0.62, y: height * 0.52, r: unit * 0.1 };
  const star = { x: width * 0.16, y: height * 0.2 };
  drawMoon(context, moon, state.icon === "computing");
  if (state.coordinator) drawStar(context, star, state.coordinator.address, unit);
  for (const body of bodies.values()) {
    const ring = 1.7 + 0.62 * Math.floor(body.place / 14);
    const angle = (body.place % 14) * ((2 * Math.PI) / 14) - 2.4;
    const home = { x: moon.x + Math.cos(angle) * moon.r * ring, y: moon.y + Math.sin(angle) * moon.r * ring };
    const part = ease(Math.min(1, (now - body.movedAt) / MOVE_MS));
    const near = body.leaving ? 1 - part : part;
    const at = { x: star.x + (home.x - star.x) * near, y: star.y + (home.y - star.y) * near };
    drawProcess(context, at, body.process, unit, near === 1);
  }
  const words = appWords(state.language);
  context.textAlign = "left";
  context.font = `${Math.round(unit * 0.026)}px system-ui, sans-serif`;
  context.fillStyle = "#e8ebf7";
  context.fillText(state.headline, width * 0.06, height * 0.92);
  context.fillStyle = INK;
  context.font = `${Math.round(unit * 0.017)}px system-ui, sans-serif`;
  const [first] = state.processes;
  context.fillText(first ? first.command.slice(0, 80) : words.screensaverIdle, width * 0.06, height * 0.955);
  canvas.setAttribute("aria-label", state.headline);
}

type Point = { x: number; y: number };

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
  on.fillText(name, x, y + r * 4.5);
}

function drawProcess(on: CanvasRenderingContext2D, { x, y }: Point, process: ProcessState, unit: number, home: boolean): void {
  const computing = process.state === "running" && home;
  const r = unit * (computing ? 0.011 : 0.008);
  on.fillStyle = computing ? MOON : INK;
  on.beginPath();
  on.arc(x, y, r, 0, 2 * Math.PI);
  on.fill();
}

function end(): void {
  ask("closeScreensaver", null).catch(() => undefined);
}

let from: Point | undefined;
addEventListener("mousemove", ({ screenX: x, screenY: y }) => {
  from ??= { x, y };
  if (Math.hypot(x - from.x, y - from.y) > MOVED_PX) end();
});
for (const kind of ["keydown", "mousedown", "wheel", "touchstart"]) addEventListener(kind, end, { passive: true });
addEventListener("resize", frame);
window.nightshift.onState(take);
ask("state", null).then(take, () => undefined);
