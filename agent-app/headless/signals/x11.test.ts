import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Desktop, desktopMissing } from "@nightshift/coordinator/desktop";
import { must } from "@nightshift/wasm-kernels/errors";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { watchX11 } from "./x11.ts";
import { cookieOf, displaySocket, findCookie, localDisplay, words, X11Client } from "./x11-client.ts";

const scratch = mkdtempSync(join(tmpdir(), "nightshift-x11-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** An entry of the file of secrets, as xauth writes it. */
function entry(number: string, name: string, data: Buffer): Buffer {
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  return Buffer.concat([Buffer.from([1, 0]), ...["host", number, name].map((text) => field(Buffer.from(text))), field(data)]);
}

test("only a display of this machine is watched", () => {
  expect([":0", ":12.1", "unix:3"].map((name) => localDisplay(name))).toEqual([0, 12, 3]);
  expect(["host:0", "localhost:10.0", "", ":", ":x", undefined].map((name) => localDisplay(name))).toEqual(
    Array(6).fill(undefined),
  );
});

test("the secret of a display is found among others, and whatever bytes the file holds are read without harm", () => {
  const secret = Buffer.alloc(16, 7);
  const file = Buffer.concat([
    entry("1", "MIT-MAGIC-COOKIE-1", Buffer.alloc(16, 1)),
    entry("5", "XDM-AUTHORIZATION-1", Buffer.alloc(16, 2)),
    entry("5", "MIT-MAGIC-COOKIE-1", secret),
  ]);
  expect(findCookie(file, 5)).toEqual(secret);
  expect(findCookie(file, 6)).toBeUndefined();
  expect(findCookie(file.subarray(0, file.length - 1), 5)).toBeUndefined();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void findCookie(Buffer.from(bytes), 0)));
});

describe("a display that misbehaves ends the connection, and nothing else", () => {
  const greeting = (): Buffer => {
    const packet = Buffer.alloc(8 + 4 * 10);
    packet[0] = 1;
    packet.writeUInt16LE(10, 6); // no vendor, no formats: the screens begin at 40
    packet.writeUInt32LE(99, 40);
    return packet;
  };
  const oversized = Buffer.alloc(32);
  oversized[0] = 1;
  oversized.writeUInt32LE(0x3fffffff, 4);
  const failed = Buffer.from([0, 2, 11, 0, 0, 0, 1, 0, 110, 111, 0, 0]);
  const truncated = greeting();
  truncated.writeUInt16LE(0xffff, 24); // the vendor's name is said to be longer than all

  async function against(answer: (socket: Socket) => void): Promise<{ opened: boolean; ended: boolean; error: string }> {
    const path = join(scratch, `x${Math.random()}`);
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    let error = "";
    const end = Promise.withResolvers<void>();
    const client = await X11Client.open(path, undefined, () => undefined, end.resolve).catch((thrown: Error) => {
      error = thrown.message;
      return undefined;
    });
    const asked = client?.atom("X").catch((thrown: Error) => {
      error = thrown.message;
    });
    await Promise.all([end.promise, asked]);
    server.close();
    return { opened: client !== undefined, ended: true, error };
  }

  test.each<[string, boolean, RegExp, (socket: Socket) => void]>([
    ["refuses", false, /lets nobody watch: no/, (socket) => socket.write(failed)],
    ["greets with lengths beyond its greeting", false, /lets nobody watch/, (socket) => socket.write(truncated)],
    ["hangs up", false, /closed the connection/, (socket) => socket.end()],
    [
      "announces a packet of 4 GB",
      true,
      /closed the connection/,
      (socket) => {
        socket.write(greeting());
        setTimeout(() => socket.write(oversized), 20);
      },
    ],
  ])("it %s", async (_, opened, error, answer) => {
    expect(await against(answer)).toEqual({ opened, ended: true, error: expect.stringMatching(error) });
  });
});

const missing = desktopMissing();
if (missing) console.log(`SKIPPED, signals of a real X display: ${missing}`);

describe.skipIf(missing !== undefined && !process.env.CI)("a real display", () => {
  let desktop: Desktop;
  beforeAll(async () => {
    desktop = await Desktop.start();
  });
  afterAll(() => desktop?.close());

  /** What the source has told, and how often. */
  function watched(display: string, windowsOf?: number): { now: Signals; times: number; logged: string[]; close(): void } {
    const seen = { now: {} as Signals, times: 0, logged: [] as string[], close: () => source?.close() };
    const source = watchX11(
      {
        update: (signals) => {
          Object.assign(seen.now, signals);
          seen.times++;
        },
        now: () => performance.now(),
        log: (event, details) => seen.logged.push(`${event} ${details?.message}`),
      },
      windowsOf,
      display,
    );
    return seen;
  }
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (const end = performance.now() + 120_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 20)))
      if (performance.now() > end) throw new Error(`in vain: ${what}`);
  };

  test.each([
    ["key", "a"],
    ["click", "1"],
    ["mousemove_relative", "2", "2"],
  ])("tells of input at once: %s %s", async (...words) => {
    const seen = watched(desktop.display);
    await until("first look", () => seen.now.lastInputAtMs !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 600)); // an earlier input's rest is over
    const before = performance.now();
    expect(seen.now.lastInputAtMs).toBeLessThan(before);
    await desktop.input(...words);
    await until("input", () => (seen.now.lastInputAtMs ?? 0) >= before);
    seen.close();
  });

  test("an owner who goes on is looked at seldom, and the last input is known all the same", async () => {
    const seen = watched(desktop.display);
    await until("first look", () => seen.times > 0);
    seen.times = 0;
    const hands = desktop.hands();
    for (let at = 0; at < 100; at++) hands.input("mousemove_relative 1 1\nmousemove_relative -- -1 -1");
    await desktop.input("click", "1");
    const last = performance.now();
    await until("the rest is over", () => (seen.now.lastInputAtMs ?? 0) > last - 1000 && seen.times >= 2);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(seen.times).toBeLessThan(20);
    hands.close();
    seen.close();
  });

  test("a window that fills the screen, and the screen saver", async () => {
    const seen = watched(desktop.display);
    await until("first look", () => seen.now.fullScreen === false);
    const number = must(localDisplay(desktop.display), "the display's number");
    const other = await X11Client.open(
      displaySocket(number),
      undefined,
      () => undefined,
      () => undefined,
    );
    /** ChangeProperty: this window's property is now this one number. */
    const change = async (name: string, type: number, value: number): Promise<void> =>
      void other.tell(18, 0, words(other.root, await other.atom(name), type, 32, 1, value));
    // The root window plays the window, as there is no window manager.
    await change("_NET_WM_STATE", 4, await other.atom("_NET_WM_STATE_FULLSCREEN"));
    await change("_NET_ACTIVE_WINDOW", 33, other.root);
    await until("full screen", () => seen.now.fullScreen === true);
    // Not where it is our own screensaver.
    await change("_NET_WM_PID", 6, 4711);
    const ours = watched(desktop.display, 4711);
    await until("a look", () => ours.now.lastInputAtMs !== undefined);
    expect([ours.now.fullScreen, seen.now.fullScreen]).toEqual([false, true]);
    ours.close();
    await change("_NET_ACTIVE_WINDOW", 33, 0);
    await until("no more", () => seen.now.fullScreen === false);
    other.tell(115, 1, Buffer.alloc(0)); // ForceScreenSaver
    await until("screen saver", () => seen.now.screensaver === true);
    await desktop.input("key", "a");
    await until("no screen saver", () => seen.now.screensaver === false);
    other.close();
    seen.close();
  });

  test("when the display goes away nothing is known, and when it is back it is watched again", async () => {
    const other = await Desktop.start();
    const seen = watched(other.display);
    await until("first look", () => seen.now.lastInputAtMs !== undefined);
    await other.close();
    await until("unknown", () => seen.now.lastInputAtMs === undefined && seen.now.screensaver === undefined);
    const again = spawn("Xvfb", [other.display, "-nolisten", "tcp"], { stdio: "ignore" });
    await until("back", () => seen.now.lastInputAtMs !== undefined);
    seen.close();
    again.kill();
    await once(again, "exit");
  });

  test("a display with a secret lets in who knows it", async () => {
    const secret = Buffer.from("0123456789abcdef");
    const file = join(scratch, "secrets");
    writeFileSync(file, entry("", "MIT-MAGIC-COOKIE-1", secret));
    const server = spawn("Xvfb", ["-displayfd", "3", "-auth", file, "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const [line] = await once(server.stdio[3] as NodeJS.ReadableStream, "data");
    const path = displaySocket(Number(line));
    const open = (cookie: Buffer | undefined) =>
      X11Client.open(
        path,
        cookie,
        () => undefined,
        () => undefined,
      );
    await expect(open(undefined)).rejects.toThrow(/lets nobody watch/);
    const before = process.env.XAUTHORITY;
    process.env.XAUTHORITY = file;
    const client = await open(cookieOf(Number(line)));
    if (before === undefined) delete process.env.XAUTHORITY;
    else process.env.XAUTHORITY = before;
    expect(client.root).toBeGreaterThan(0);
    client.close();
    server.kill();
    await once(server, "exit");
  });
});
