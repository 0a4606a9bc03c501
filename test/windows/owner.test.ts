// What Windows tells of the person at the desk: the program that says it and the source that reads it, under wine on a display of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Signals } from "@nightshift/agent-app/policy";
import { parseLine, watchScreen, watchWindows } from "@nightshift/agent-app/signals/testing";
import { Desktop, desktopMissing } from "@nightshift/coordinator/desktop";
import { compileForWindows } from "@nightshift/installer/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { Wine, withoutWindows } from "./wine.ts";

test("a line that is none says nothing", () => {
  expect(parseLine("input 250", 1000)).toEqual({ lastInputAtMs: 750 });
  expect(parseLine("ending 1", 0)).toEqual({ ending: true });
  expect(parseLine("screen locked=1 saver=0 off=1 full=0 remote=1 other=1", 0)).toEqual({
    ...{ locked: true, screensaver: false, displayOff: true, fullScreen: false, remoteSession: true, otherUser: true },
  });
  for (const line of ["", "input", "input -1", "input 99999999999", "input 1 2", "screen locked=2", "ending", "toString"])
    expect(parseLine(line, 0)).toBeUndefined();
});

/** What the source tells of a program that prints these lines and then nothing. */
function told(watchIt: typeof watchWindows, lines: readonly string[]) {
  const program = join(mkdtempSync(join(tmpdir(), "ns-owner-")), "owner");
  writeFileSync(program, ["#!/bin/sh", ...lines.map((line) => `echo '${line}'`), "exec cat", ""].join("\n"), { mode: 0o755 });
  const seen = { now: {} as Signals, times: 0, close: () => source.close() };
  const update = (signals: Signals): void => {
    Object.assign(seen.now, signals);
    seen.times++;
  };
  const watch = { update, now: () => 1000, log: () => undefined };
  const source = watchIt(watch, { ownerProgram: program, cleared: async () => undefined });
  return seen;
}
const FULL = "screen locked=1 saver=1 off=0 full=1 remote=1 other=1";

test("beside Electron only the screen counts, and input does not make it unknown", async () => {
  const seen = told(watchScreen, [
    FULL,
    "input 5",
    "ending 1",
    "input 7",
    "screen locked=0 saver=0 off=1 full=1 remote=0 other=0",
  ]);
  await until("it is told", () => seen.now.displayOff);
  expect([seen.now, seen.times]).toEqual([{ displayOff: true, fullScreen: true, remoteSession: false, otherUser: false }, 2]);
  seen.close();
});

test("of a program that hangs nothing is believed any more", async () => {
  const seen = told(watchWindows, [FULL, "input 5"]);
  await until("it is told", () => seen.now.lastInputAtMs === 995);
  await until("nothing is known", () => seen.now.lastInputAtMs === undefined && seen.now.locked === undefined);
  seen.close();
});

const what = "the owner on Windows";
describe.skipIf(withoutWindows(what) || (desktopMissing() !== undefined && !process.env.CI))(what, () => {
  let desktop: Desktop;
  let wine: Wine;
  /** Of what goes on outside its windows wine knows nothing, and without any its desktop ends. */
  let window: Awaited<ReturnType<typeof runWindow>> | undefined;
  beforeAll(async () => {
    desktop = await Desktop.start();
    wine = await Wine.start({ DISPLAY: desktop.display });
    compileForWindows("owner", join(wine.drive, "owner.exe"));
    compileForWindows(join(import.meta.dirname, "window"), join(wine.drive, "window.exe"));
    window = await runWindow("framed");
  });
  afterAll(async () => {
    await window?.close();
    wine?.close();
    await desktop?.close();
  });

  function watched(windowsOf?: number) {
    const seen = { now: {} as Signals, logged: [] as string[], cleared: 0, close: () => source.close() };
    const source = watchWindows(
      {
        update: (signals) => void Object.assign(seen.now, signals),
        now: () => performance.now(),
        log: (event, details) => void seen.logged.push(`${event} ${details?.message}`),
      },
      { ownerProgram: wine.script("C:\\owner.exe"), windowsOf, cleared: async () => void seen.cleared++ },
    );
    return seen;
  }
  const runWindow = async (how: string) => {
    const child = spawn(wine.script("C:\\window.exe"), [how], { stdio: ["pipe", "pipe", "ignore"] });
    const [told] = await once(child.stdout, "data");
    return { pid: Number(told), close: () => once(child.stdin.end() && child, "exit") };
  };

  test("input is known within a moment", async () => {
    const seen = watched();
    await until("it says when there was input", () => seen.now.lastInputAtMs);
    await until("it says how the screen is", () => seen.now.fullScreen === false);
    expect(seen.now).toMatchObject({
      locked: false,
      screensaver: false,
      displayOff: false,
      remoteSession: false,
      otherUser: false,
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = performance.now();
    await until("input is seen", async () => {
      await desktop.input("click", "1");
      return (seen.now.lastInputAtMs ?? 0) > before;
    });
    expect(seen.now.lastInputAtMs).toBeLessThanOrEqual(performance.now());
    seen.close();
    expect(seen.logged).toEqual([]);
  });

  test("the screensaver is a moon in the window that Windows' settings give it, and where the app cannot be seen", async () => {
    compileForWindows("screensaver", join(wine.drive, "Nightshift.scr"));
    compileForWindows(join(import.meta.dirname, "preview"), join(wine.drive, "preview.exe"));
    const said = await wine.run(["C:\\preview.exe C:\\Nightshift.scr"]);
    const [, night, moon, rest] = /^night (\d+) moon (\d+)\n(.*)$/s.exec(said) ?? [];
    expect([Number(night) > 50, Number(moon) > 3, rest], said).toEqual([true, true, "fills 152x112 ends 0\nstays\n"]);
  });

  test("a window that fills the screen: not one with a frame, nor our own", async () => {
    const seen = watched();
    await until("it says how the screen is", () => seen.now.fullScreen === false);
    const framed = await runWindow("framed");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(seen.now.fullScreen).toBe(false);
    await framed.close();
    const full = await runWindow("full");
    await until("full screen", () => seen.now.fullScreen === true);
    const ours = watched(full.pid);
    await until("it says how the screen is", () => ours.now.fullScreen !== undefined);
    expect(ours.now.fullScreen).toBe(false);
    await full.close();
    await until("no more", () => seen.now.fullScreen === false);
    for (const one of [seen, ours]) one.close();
  });

  test("disks and memory are to serve a process after all others: the process is found, whatever Windows grants", async () => {
    const window = await runWindow("framed");
    const lower = async (pid: number) => (await once(spawn(wine.script("C:\\owner.exe"), ["lower", String(pid)]), "exit"))[0];
    // Wine of today knows neither priority: 6.
    expect([0, 2, 4, 6]).toContain(await lower(window.pid));
    await window.close();
    expect(await lower(window.pid)).toBe(1);
  });

  test("the session's end waits until processes have left", async () => {
    const seen = watched();
    await until("it says how the screen is", () => seen.now.fullScreen !== undefined);
    const system = await runWindow("ends-session");
    await until("it is told", () => seen.now.ending === true && seen.cleared > 0);
    await system.close();
    seen.close();
  });

  test("a program that ends is told as that nothing is known, and said once", async () => {
    const seen = watched();
    await until("it says how the screen is", () => seen.now.fullScreen === false);
    process.kill(Number(readFileSync(`${wine.script("C:\\owner.exe")}.pid`)), "SIGKILL");
    await until("nothing is known", () => seen.now.fullScreen === undefined && "fullScreen" in seen.now);
    expect(seen.now).toMatchObject({ lastInputAtMs: undefined, locked: undefined });
    await until("it is said", () => seen.logged.length === 1);
    seen.close();
  });

  test("the agent as a single file brings the program along: it computes where nobody has touched anything for a while", async () => {
    const { agent } = await wine.putAgent(); // first: this thread hears nothing of a cluster meanwhile
    await using cluster = await Cluster.start();
    const policy = { version: 1, by: "IT", locked: { idleAfterSeconds: 5, startAfterSeconds: 0, busyAbovePercent: 100 } };
    wine.put("policy.json", JSON.stringify(policy));
    const log = join(wine.drive, "agent.txt");
    const words = ["--join", cluster.hostLink, "--home", "C:\\home", "--name", "pc", "--slots", "1", "--mode", "idle"];
    wine.startProgram([agent, ...words, "--policy", "C:\\policy.json", "--json"], log);
    const decided = (): unknown[] =>
      [...readFileSync(log, "utf8").matchAll(/"event":"decided".*"code":(null|"[^"]+")/g)].map(([, code]) =>
        JSON.parse(code ?? ""),
      );
    await until("it computes", () => decided().at(-1) === null).catch((thrown) => {
      throw new Error(`${(thrown as Error).message}\n${readFileSync(log, "utf8")}`);
    });
    expect(decided()).toEqual(["owner-unknown", null]); // until the program has said so
  });
});
