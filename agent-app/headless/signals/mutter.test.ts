import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { BusClient, sessionBus } from "./dbus-client.ts";
import { watchMutter } from "./mutter.ts";
import type { InputSource } from "./wayland.ts";

const run = promisify(execFile);
const NAME = "org.gnome.Mutter.IdleMonitor";
const PATH = "/org/gnome/Mutter/IdleMonitor/Core";

test("where the session's bus listens", () => {
  expect(sessionBus({})).toBeUndefined();
  expect(sessionBus({ XDG_RUNTIME_DIR: "/run/user/5" })).toBe("/run/user/5/bus");
  expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: "tcp:host=x;unix:guid=1,path=/tmp/a%2cb,x=1" })).toBe("/tmp/a,b");
  expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: "unix:abstract=/tmp/x" })).toBe("\0/tmp/x");
  expect(sessionBus({ DBUS_SESSION_BUS_ADDRESS: "autolaunch:" })).toBeUndefined();
});

describe("a bus that means ill", () => {
  test.each([
    ["does not let us in", "REJECTED EXTERNAL\r\n", /does not let us in: REJECTED/],
    ["sends a message without end", `OK 1\r\nl\x02\0\x01${"\xff".repeat(20)}`, /message of \d{7,} bytes/],
    [
      "sends a text longer than its message",
      `OK 1\r\nl\x02\0\x01\0\0\0\0\x01\0\0\0\x08\0\0\0\x01\x01o\0\xff\xff\0\0`,
      /longer than its message/,
    ],
  ])("it %s: the connection ends, and says why", async (_, says, why) => {
    const folder = mkdtempSync(join(tmpdir(), "ns-bus-"));
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once("data", () => socket.write(Buffer.from(says, "latin1")));
      socket.on("error", () => undefined);
    }).listen(join(folder, "bus"));
    await once(server, "listening");
    let ended = 0;
    await expect(
      BusClient.open(
        join(folder, "bus"),
        () => undefined,
        () => ended++,
      ),
    ).rejects.toThrow(why);
    expect(ended).toBe(1);
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
});

// Debian's python3 in its own place, as python3-dbusmock is installed for that one.
const PYTHON = "/usr/bin/python3";
const absent = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: "ignore" }).status !== 0;
const missing =
  absent("which", "dbus-daemon") || absent("which", "gdbus") || absent(PYTHON, "-c", "import dbusmock")
    ? "dbus-daemon, gdbus or dbusmock not found (Debian: apt install dbus libglib2.0-bin python3-dbusmock)"
    : undefined;
if (missing) console.log(`SKIPPED, Mutter's idle monitor over a real D-Bus: ${missing}`);

describe.skipIf(missing !== undefined && !process.env.CI)("over a real D-Bus, with a Mutter that does as it is told", () => {
  let bus: ChildProcess;
  let mutter: ChildProcess;
  let source: InputSource;
  let address: string;
  const seen: Signals = {};

  const call = async (method: string, ...args: string[]): Promise<string> => {
    const words = ["call", "--address", address, "-d", NAME, "-o", PATH, "-m", method, ...args];
    return (await run("gdbus", words)).stdout;
  };
  const mock = (method: string, ...args: string[]): Promise<string> => call(`org.freedesktop.DBus.Mock.${method}`, ...args);
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = performance.now() + 60_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 20)))
      if (performance.now() > end) throw new Error(`in vain: ${what}; ${JSON.stringify(seen)}`);
  };
  const method = (name: string, takes: string, gives: string, code: string): Promise<string> =>
    mock("AddMethod", NAME, name, takes, gives, code);
  const fires = (id: number): Promise<string> => mock("EmitSignal", NAME, "WatchFired", "u", `[<uint32 ${id}>]`);
  const idleFor = (ms: number): Promise<string> => method("GetIdletime", "", "t", `ret = ${ms}`);

  beforeAll(async () => {
    bus = spawn("dbus-daemon", ["--session", "--nofork", "--print-address"], { stdio: ["ignore", "pipe", "ignore"] });
    const [said] = await once(bus.stdout as NodeJS.ReadableStream, "data");
    address = String(said).trim();
    const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: address };
    mutter = spawn(PYTHON, ["-m", "dbusmock", NAME, PATH, NAME], { stdio: "ignore", env });
    await until("Mutter is up", () =>
      idleFor(30_000).then(
        () => true,
        () => false,
      ),
    );
    await method("AddIdleWatch", "t", "u", "ret = 7 if args[0] == 1000 else 0");
    await method("AddUserActiveWatch", "", "u", "self.watches = getattr(self, 'watches', 10) + 1; ret = self.watches");
    source = watchMutter(
      { update: (signals) => Object.assign(seen, signals), now: () => performance.now(), log: () => undefined },
      sessionBus({ DBUS_SESSION_BUS_ADDRESS: address }) ?? "",
    );
  });
  afterAll(async () => {
    source?.close();
    for (const child of [mutter, bus]) {
      child?.kill();
      if (child && child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  });

  test("away for half a minute, back, away again, and back while that was asked; unknown when Mutter is gone", async () => {
    await until("away", () => Math.abs(performance.now() - 30_000 - (seen.lastInputAtMs ?? 0)) < 20_000);
    expect(source.tells()).toBe(true);
    await fires(11);
    await until("back", () => seen.lastInputAtMs === Number.POSITIVE_INFINITY);
    await idleFor(1_000);
    await fires(7);
    await until("away again", () => Number.isFinite(seen.lastInputAtMs));
    await fires(11); // that of before
    await fires(99);
    await idleFor(3);
    expect(seen.lastInputAtMs).toBeLessThan(performance.now());
    await fires(7);
    await until("back meanwhile", () => seen.lastInputAtMs === Number.POSITIVE_INFINITY);
    mutter.kill();
    await until("unknown", () => seen.lastInputAtMs === undefined && !source.tells());
  });
});
