import { expect, test } from "vitest";
import type { ReleaseManifest } from "../protocol/index.ts";
import type { Progress } from "../store/index.ts";
import { FETCH_MS, MAX_FETCHING, nextSteps, RETURN_MS, type RolloutHost } from "./rollout.ts";

const MANIFEST = { version: "0.2.0", withdraws: [], files: [{ kind: "setup" }] } as unknown as ReleaseManifest;
const NOW = 10_000_000_000;
const RING = { state: "ring", toAllAt: null } as const;
const ALL = { state: "all", toAllAt: null } as const;

let made = 0;
function host(state?: Progress, more: Partial<RolloutHost> & { at?: number } = {}): RolloutHost {
  const { at = NOW, ...rest } = more;
  const id = `h${made++}`;
  const progress = state && { host: id, state, at, problem: null };
  const version = state === "back" ? "0.2.0" : "0.1.0";
  return { id, online: true, app: { version, takes: "setup" }, inRing: false, progress, ...rest };
}
const hosts = (count: number, ...given: Parameters<typeof host>): RolloutHost[] =>
  Array.from({ length: count }, () => host(...given));
const kinds = (...given: Parameters<typeof nextSteps>) => nextSteps(...given).map((step) => step.do);

test("the ring takes it first, some at a time; others when it is for all", () => {
  const ring = hosts(MAX_FETCHING + 2, undefined, { inRing: true });
  const others = hosts(3);
  const told = nextSteps(RING, MANIFEST, [...others, ...ring], NOW);
  expect(told).toEqual(ring.slice(0, MAX_FETCHING).map(({ id }) => ({ do: "offer", host: id })));
  expect(kinds(RING, MANIFEST, [...hosts(3, "offered"), ...ring], NOW)).toEqual(["offer"]);
  expect(kinds(ALL, MANIFEST, others, NOW)).toEqual(["offer", "offer", "offer"]);
  expect(kinds({ state: "halted", toAllAt: null }, MANIFEST, others, NOW)).toEqual([]);
});

test("hosts that fetch for very long, or never answer, keep no others waiting", () => {
  const slow = hosts(MAX_FETCHING, "offered", { at: NOW - FETCH_MS });
  expect(kinds(ALL, MANIFEST, [...slow, ...hosts(1)], NOW)).toEqual([]);
  expect(kinds(ALL, MANIFEST, [...slow, ...hosts(1)], NOW + 1)).toEqual(["offer"]);
});

test("who cannot take it is not told: offline, of that version or newer, without a file for it, or of no version", () => {
  const app = { version: "0.1.0", takes: "setup" } as const;
  const unable = [
    host(undefined, { online: false }),
    host(undefined, { app: undefined }),
    ...["0.2.0", "0.3.0"].map((version) => host(undefined, { app: { ...app, version } })),
    ...([null, "appimage"] as const).map((takes) => host(undefined, { app: { ...app, takes } })),
  ];
  expect(kinds(ALL, MANIFEST, unable, NOW)).toEqual([]);
  const withdrawal = { ...MANIFEST, withdraws: ["0.3.0"] };
  expect(kinds(ALL, withdrawal, unable, NOW)).toEqual(["offer"]);
});

test("one failure in the ring halts it, also a host that does not come back", () => {
  const ring = [...hosts(20, "back"), host("installing", { at: NOW - RETURN_MS })];
  expect(kinds(RING, MANIFEST, ring, NOW)).toEqual([]);
  expect(nextSteps(RING, MANIFEST, ring, NOW + 1)).toEqual([
    { do: "lost", host: ring.at(-1)?.id },
    { do: "halt", reason: "1 of 21 hosts that took it failed or did not come back" },
  ]);
  expect(kinds(RING, MANIFEST, [host("failed"), host(undefined, { inRing: true })], NOW)).toEqual(["halt"]);
});

test("for all, it halts from two failures and one in twenty on", () => {
  expect(kinds(ALL, MANIFEST, [host("failed")], NOW)).toEqual([]);
  expect(kinds(ALL, MANIFEST, hosts(2, "failed"), NOW)).toEqual(["halt"]);
  expect(kinds(ALL, MANIFEST, [...hosts(2, "failed"), ...hosts(38, "back")], NOW)).toEqual([]);
  expect(kinds(ALL, MANIFEST, [...hosts(2, "lost"), ...hosts(37, "back")], NOW)).toEqual(["halt"]);
});

test("it goes to all by itself after its time, if somebody in the ring is back with it", () => {
  const timed = { state: "ring", toAllAt: NOW } as const;
  expect(kinds(timed, MANIFEST, [], NOW)).toEqual([]);
  expect(kinds(timed, MANIFEST, [host("back")], NOW - 1)).toEqual([]);
  expect(kinds(timed, MANIFEST, [host("back")], NOW)).toEqual(["toAll"]);
  expect(kinds(timed, MANIFEST, [host("back"), host("failed")], NOW)).toEqual(["halt"]);
  expect(kinds(RING, MANIFEST, [host("back")], NOW)).toEqual([]);
});

test("a host is back when it says so with that version, however late; one that goes before it installs is told again", () => {
  const app = { version: "0.2.0", takes: "setup" } as const;
  expect(kinds(ALL, MANIFEST, [host("installing", { app }), host("lost", { app })], NOW)).toEqual(["back", "back"]);
  expect(kinds(ALL, MANIFEST, [host("installing", { app, online: false })], NOW)).toEqual([]);
  expect(kinds(ALL, MANIFEST, [host("offered", { online: false }), host("ready", { online: false })], NOW)).toEqual([
    "forget",
    "forget",
  ]);
});
