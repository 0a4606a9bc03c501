import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { endianness, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { type InputSource, watchWayland, waylandSocket } from "./wayland.ts";

const run = promisify(execFile);
const HERE = Number.POSITIVE_INFINITY;

/** What a source has told, and when it was unable to. */
class Told {
  readonly signals: Signals = {};
  readonly logged: unknown[] = [];
  unable = false;
  readonly source: InputSource;

  constructor(path: string) {
    const watch = {
      update: (signals: Signals) => Object.assign(this.signals, signals),
      now: () => performance.now(),
      log: (_: string, details?: Readonly<Record<string, unknown>>) => this.logged.push(details?.message),
    };
    this.source = watchWayland(watch, path, () => {
      this.unable = true;
    });
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (const end = performance.now() + 60_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 10)))
      if (performance.now() > end) throw new Error(`in vain: ${what}; ${JSON.stringify([this.signals, this.logged])}`);
  }

  isIdle(): boolean {
    return Number.isFinite(this.signals.lastInputAtMs);
  }
}

test("where the compositor listens", () => {
  expect(waylandSocket({})).toBeUndefined();
  expect(waylandSocket({ WAYLAND_DISPLAY: "/run/w" })).toBe("/run/w");
  expect(waylandSocket({ WAYLAND_DISPLAY: "wayland-1", XDG_RUNTIME_DIR: "/run/user/5" })).toBe("/run/user/5/wayland-1");
  expect(waylandSocket({ XDG_SESSION_TYPE: "wayland", XDG_RUNTIME_DIR: "/run/user/5" })).toBe("/run/user/5/wayland-0");
  expect(waylandSocket({ WAYLAND_DISPLAY: "wayland-1" })).toBeUndefined();
});

describe("a compositor played by hand", () => {
  let folder: string;
  let server: Server;
  let client: Socket | undefined;
  let requests: { object: number; opcode: number; words: number[] }[] = [];
  let told: Told;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "ns-wayland-"));
    requests = [];
    server = createServer((socket) => {
      client = socket;
      socket.on("data", (bytes: Buffer) => {
        for (let at = 0; at < bytes.length; ) {
          const size = read(bytes, at + 4) >>> 16;
          const words = Array.from({ length: size / 4 - 2 }, (_, word) => read(bytes, at + 8 + 4 * word));
          requests.push({ object: read(bytes, at), opcode: read(bytes, at + 4) & 0xffff, words });
          at += size;
        }
      });
    }).listen(join(folder, "wayland-0"));
    await once(server, "listening");
    told = new Told(join(folder, "wayland-0"));
    await told.until("it asks what there is", () => requests.length === 2);
  });
  afterEach(() => {
    told.source.close();
    client?.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const LITTLE = endianness() === "LE";
  const read = (bytes: Buffer, at: number): number => (LITTLE ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  function send(object: number, opcode: number, ...values: (number | string)[]): void {
    const body = values.map((value) => {
      const made = Buffer.alloc(typeof value === "string" ? 4 + ((value.length + 4) & ~3) : 4);
      const number = typeof value === "string" ? value.length + 1 : value;
      if (LITTLE) made.writeUInt32LE(number);
      else made.writeUInt32BE(number);
      if (typeof value === "string") made.write(value, 4);
      return made;
    });
    const head = Buffer.alloc(8);
    const size = 8 + body.reduce((sum, { length }) => sum + length, 0);
    for (const [at, value] of [object, ((size << 16) | opcode) >>> 0].entries()) {
      if (LITTLE) head.writeUInt32LE(value, 4 * at);
      else head.writeUInt32BE(value, 4 * at);
    }
    client?.write(Buffer.concat([head, ...body]));
  }
  /** Ids of what it was asked for: [object of the idle protocol, its request's words]. */
  const asked = (): number[][] => requests.filter(({ object }) => object > 3).map(({ words }) => words);
  const [REGISTRY, SYNC] = [2, 3];

  test("two seats: the owner is away when both are idle, and back with either; a seat that is gone counts no more", async () => {
    send(REGISTRY, 0, 1, "wl_seat", 7);
    send(REGISTRY, 0, 2, "ext_idle_notifier_v1", 1);
    send(REGISTRY, 0, 3, "org_kde_kwin_idle", 1);
    send(REGISTRY, 0, 4, "wl_seat", 7);
    send(SYNC, 0, 0);
    await told.until("it watches both", () => asked().length === 2);
    expect(told.source.tells()).toBe(true);
    expect(told.signals).toEqual({ lastInputAtMs: HERE });
    const [first = [], second = []] = asked();
    expect(first[1]).toBe(1000);
    send(first[0] ?? 0, 0);
    send(REGISTRY, 0, 9, "wl_output", 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told.signals).toEqual({ lastInputAtMs: HERE });
    const before = performance.now();
    send(second[0] ?? 0, 0);
    await told.until("away", () => told.isIdle());
    expect(told.signals.lastInputAtMs).toBeGreaterThanOrEqual(before - 1000);
    expect(told.signals.lastInputAtMs).toBeLessThanOrEqual(performance.now() - 1000);
    send(second[0] ?? 0, 1);
    await told.until("back", () => !told.isIdle());
    send(REGISTRY, 1, 4);
    await told.until("the first alone", () => told.isIdle());
    send(REGISTRY, 1, 1);
    await told.until("nobody could be here", () => told.signals.lastInputAtMs === undefined);
    expect(told.source.tells()).toBe(false);
    send(REGISTRY, 0, 5, "wl_seat", 7);
    await told.until("a new seat", () => told.signals.lastInputAtMs === HERE);
  });

  test("without a protocol it says that it is unable; the owner is then another source's", async () => {
    send(REGISTRY, 0, 1, "wl_seat", 7);
    send(SYNC, 0, 0);
    await told.until("unable", () => told.unable);
    expect(told.source.tells()).toBe(false);
    expect(told.signals).toEqual({});
  });

  test.each([
    ["an error", () => send(1, 0, 5, 0, "no such object"), "the compositor says: no such object"],
    ["no message", () => client?.write(Buffer.alloc(8)), "the compositor sends what is no message"],
    ["a text that is longer than its message", () => send(REGISTRY, 0, 1), /out of range|outside buffer/],
    ["the end", () => client?.end(), "the compositor has closed the connection"],
  ])("%s ends it: nothing is known of the owner any more", async (_, happens, why) => {
    send(REGISTRY, 0, 1, "wl_seat", 7);
    send(REGISTRY, 0, 2, "org_kde_kwin_idle", 1);
    send(SYNC, 0, 0);
    await told.until("it watches", () => asked().length === 1);
    expect(asked()[0]?.[2]).toBe(1000);
    happens();
    await told.until("unknown", () => told.signals.lastInputAtMs === undefined);
    expect(told.source.tells()).toBe(false);
    expect(told.logged).toEqual([expect.stringMatching(why)]);
  });
});

const absent = (program: string): boolean => spawnSync("which", [program], { stdio: "ignore" }).status !== 0;
const missing =
  absent("sway") || absent("wtype") || absent("setpriv")
    ? "sway, wtype or setpriv not found (Debian: apt install sway wtype util-linux)"
    : undefined;
if (missing) console.log(`SKIPPED, input at a real Wayland compositor: ${missing}`);

describe.skipIf(missing !== undefined && !process.env.CI)("Sway, and keys pressed in it", () => {
  let folder: string;
  let sway: ChildProcess;
  let told: Told;

  beforeAll(async () => {
    // Sway does not run as root, and nobody else may enter the tests' own folder.
    folder = mkdtempSync("/tmp/ns-sway-");
    const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
    if (asNobody.length > 0) chownSync(folder, 65534, 65534);
    const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: folder, WLR_BACKENDS: "headless", WLR_RENDERER: "pixman" };
    const [command = "", ...args] = [...asNobody, "sway", "-c", "/dev/null"];
    sway = spawn(command, args, { env: { ...env, WLR_LIBINPUT_NO_DEVICES: "1" }, stdio: "ignore" });
    const path = join(folder, "wayland-1");
    for (let tries = 0; !existsSync(path) && tries < 3000; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    told = new Told(path);
  });
  afterAll(async () => {
    told?.source.close();
    sway.kill();
    if (sway.exitCode === null && sway.signalCode === null) await once(sway, "exit");
    rmSync(folder, { recursive: true });
  });

  test("the owner is away after a second, and back with each key at once", async () => {
    const env = { ...process.env, XDG_RUNTIME_DIR: folder, WAYLAND_DISPLAY: "wayland-1" };
    for (let time = 0; time < 2; time++) {
      await told.until("away", () => told.isIdle());
      expect(told.source.tells()).toBe(true);
      await run("wtype", ["a"], { env });
      await told.until("back", () => !told.isIdle());
    }
  });
});
