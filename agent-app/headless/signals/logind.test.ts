import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { parseLine, signalsOf, watchLogind } from "./logind.ts";
import type { Source } from "./source.ts";

const run = promisify(execFile);
const PATH = "/org/freedesktop/login1";
const SESSION = `${PATH}/session/c1`;

test("lines of gdbus monitor", () => {
  expect(parseLine(`${PATH}: org.freedesktop.login1.Manager.PrepareForSleep (true,)`)).toEqual({ kind: "ending", ending: true });
  expect(parseLine(`${PATH}: org.freedesktop.login1.Manager.PrepareForShutdown (false,)`)).toEqual({
    kind: "ending",
    ending: false,
  });
  const changed = (what: string): string =>
    `${SESSION}: org.freedesktop.DBus.Properties.PropertiesChanged ('org.freedesktop.login1.Session', {${what}}, @as [])`;
  expect(parseLine(changed("'LockedHint': <true>, 'IdleHint': <true>"))).toEqual({ kind: "locked", locked: true });
  expect(parseLine(changed("'IdleHint': <false>"))).toEqual({ kind: "active" });
  expect(parseLine(changed("'IdleHint': <true>"))).toEqual({ kind: "sessions" });
  expect(parseLine(`${SESSION}: org.freedesktop.login1.Session.Unlock ()`)).toEqual({ kind: "locked", locked: false });
  expect(parseLine(`${PATH}: org.freedesktop.login1.Manager.SessionNew ('2', objectpath '/x')`)).toEqual({ kind: "sessions" });
  expect(parseLine("The name org.freedesktop.login1 is owned by :1.0")).toBeUndefined();
});

test("what several sessions say together", () => {
  const session = (more: string): string => `({'Class': <'user'>, 'State': <'active'>, 'Active': <true>, ${more}},)`;
  const desk = session(
    "'Type': <'x11'>, 'Remote': <false>, 'LockedHint': <true>, 'IdleHint': <true>, 'IdleSinceHint': <uint64 4000000>",
  );
  const far = session("'Type': <'tty'>, 'Remote': <true>, 'LockedHint': <false>, 'IdleHint': <false>");
  expect(signalsOf([desk], true, 100_000, 10_000)).toEqual({
    desktop: true,
    locked: true,
    remoteSession: false,
    otherUser: false,
    lastInputAtMs: 94_000,
  });
  expect(signalsOf([desk, far], false, 0, 0)).toEqual({ desktop: true, locked: true, remoteSession: true, otherUser: false });
  expect(signalsOf([desk.replace("'IdleHint': <true>", "'IdleHint': <false>")], true, 0, 0)).toMatchObject({
    lastInputAtMs: Number.POSITIVE_INFINITY,
  });
  expect(signalsOf([""], true, 0, 0)).toEqual({ remoteSession: false, otherUser: false });
});

test("somebody else's desktop in front of one's own, but not of a service's", () => {
  const desktop = (uid: number, active: boolean): string =>
    `({'Class': <'user'>, 'State': <'online'>, 'Type': <'wayland'>, 'Remote': <false>, 'Active': <${active}>, 'User': <(uint32 ${uid}, objectpath '/x')>},)`;
  const other = (uid: number, ...sessions: string[]): boolean | undefined => signalsOf(sessions, true, 0, 0, uid).otherUser;
  expect(other(1000, desktop(1000, false), desktop(1001, true))).toBe(true);
  expect(other(1001, desktop(1000, false), desktop(1001, true))).toBe(false);
  expect(other(1000, desktop(1000, false), desktop(1001, false))).toBe(false);
  expect(other(0, desktop(1001, true))).toBe(false);
});

// Debian's python3 in its own place, as python3-dbusmock is installed for that one.
const PYTHON = "/usr/bin/python3";
const absent = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: "ignore" }).status !== 0;
const missing =
  absent("which", "dbus-daemon") ||
  absent("which", "gdbus") ||
  absent("which", "systemd-inhibit") ||
  absent(PYTHON, "-c", "import dbusmock")
    ? "dbus-daemon, gdbus, systemd-inhibit or dbusmock not found (Debian: apt install dbus libglib2.0-bin systemd python3-dbusmock)"
    : undefined;
if (missing) console.log(`SKIPPED, the login manager over a real D-Bus: ${missing}`);

describe.skipIf(missing !== undefined && !process.env.CI)(
  "over a real D-Bus, with a login manager that does as it is told",
  () => {
    let bus: ChildProcess;
    let manager: ChildProcess;
    let source: Source;
    let clear: () => void = () => undefined;
    const before = process.env.DBUS_SYSTEM_BUS_ADDRESS;
    const seen: Signals = {};

    const call = async (path: string, method: string, ...args: string[]): Promise<string> =>
      (await run("gdbus", ["call", "--system", "-d", "org.freedesktop.login1", "-o", path, "-m", method, ...args])).stdout;
    const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
      for (const end = performance.now() + 120_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 20)))
        if (performance.now() > end) throw new Error(`in vain: ${what}; ${JSON.stringify(seen)}`);
    };
    const change = (what: string): Promise<string> =>
      call(SESSION, "org.freedesktop.DBus.Mock.UpdateProperties", "org.freedesktop.login1.Session", what);
    const sleep = (value: boolean): Promise<string> =>
      call(
        PATH,
        "org.freedesktop.DBus.Mock.EmitSignal",
        "org.freedesktop.login1.Manager",
        "PrepareForSleep",
        "b",
        `[<${value}>]`,
      );
    const locks = async (): Promise<boolean> =>
      /'Nightshift'/.test(await call(PATH, "org.freedesktop.login1.Manager.ListInhibitors"));

    beforeAll(async () => {
      bus = spawn("dbus-daemon", ["--session", "--nofork", "--print-address"], { stdio: ["ignore", "pipe", "ignore"] });
      const [address] = await once(bus.stdout as NodeJS.ReadableStream, "data");
      process.env.DBUS_SYSTEM_BUS_ADDRESS = String(address).trim();
      manager = spawn(PYTHON, ["-m", "dbusmock", "--system", "--template", "logind"], { stdio: "ignore" });
      await until("the manager is up", () =>
        call(PATH, "org.freedesktop.DBus.Mock.AddSession", "c1", "seat0", "1000", "joe", "true").then(
          () => true,
          () => false,
        ),
      );
      await change("{'Type': <'wayland'>}");
      source = watchLogind(
        { update: (signals) => Object.assign(seen, signals), now: () => performance.now(), log: () => undefined },
        { idleHint: () => true, cleared: () => new Promise((resolve) => (clear = resolve)) },
      );
      await until("the first look", () => seen.desktop === true && seen.locked === false);
    });
    afterAll(async () => {
      source?.close();
      for (const child of [manager, bus]) {
        child?.kill();
        if (child) await once(child, "exit");
      }
      if (before === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
      else process.env.DBUS_SYSTEM_BUS_ADDRESS = before;
    });

    test("the desktop is seen with its lock and its idle hint as they change", async () => {
      expect(seen).toMatchObject({ remoteSession: false, lastInputAtMs: Number.POSITIVE_INFINITY });
      await change("{'LockedHint': <true>}");
      await until("locked", () => seen.locked === true);
      await change(`{'IdleHint': <true>, 'IdleSinceHint': <uint64 ${(Date.now() - 60_000) * 1000}>}`);
      await until("idle for a minute", () => Math.abs(performance.now() - 60_000 - (seen.lastInputAtMs ?? 0)) < 20_000);
      await change("{'IdleHint': <false>}");
      await until("active", () => seen.lastInputAtMs === Number.POSITIVE_INFINITY);
      await change("{'LockedHint': <false>}");
      await until("unlocked", () => seen.locked === false);
    });

    test("sleep is held up until the processes have left, and again the next time", async () => {
      for (let time = 1; time <= 2; time++) {
        await until("sleep waits for us", locks);
        await sleep(true);
        await until("it is told", () => seen.ending === true);
        expect(await locks()).toBe(true);
        clear();
        await until("sleep may go on", async () => !(await locks()));
        await sleep(false);
        await until("awake", () => seen.ending === false);
      }
    });

    test("a session from elsewhere is seen", async () => {
      await change("{'Remote': <true>}");
      await until("remote", () => seen.remoteSession === true);
    });
  },
);
