import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileName, newReleaseKey, type SignedRelease, signRelease } from "@nightshift/coordinator/protocol";
import { describe, expect, test } from "vitest";
import { replacing } from "./replacing.ts";
import { VariablePort } from "./testing.ts";
import { ARRIVE_MS, AWAY_S, Updates } from "./updates.ts";

const ours = newReleaseKey();
let signedAt = 1000;

/** Its Setup.exe is its version as text. */
function release(version: string, { withdraws = [] as string[], secret = ours.secret, at = ++signedAt } = {}): SignedRelease {
  const bytes = Buffer.from(version);
  const hash = (algorithm: string) => createHash(algorithm).update(bytes);
  const hashes = { sha256: hash("sha256").digest("hex"), sha512: hash("sha512").digest("base64") };
  const file = { name: fileName("setup", version), kind: "setup" as const, sizeBytes: bytes.length, ...hashes };
  return signRelease({ version, signedAt: at, withdraws, files: [file] }, secret);
}
const OLD = release("0.1.0");

interface Said {
  version: string;
  step: string;
  problem: string | null;
}

/** A PC at which nobody is, with the app in that version. */
function pc(version = "0.1.0", directory = mkdtempSync(join(tmpdir(), "ns-updates-")), keys = [ours.key]) {
  const port = new VariablePort({ idleSeconds: AWAY_S });
  port.version = version;
  const said: Said[] = [];
  const state = { wanted: true, lookedAt: false, left: 0, broken: false };
  const updates = new Updates(
    port,
    { directory, keys },
    {
      fetch: async (hash, path) => {
        const text = ["0.1.0", "0.2.0", "0.3.0"].find((one) => createHash("sha256").update(one).digest("hex") === hash);
        writeFileSync(path, state.broken ? "half" : (text ?? ""));
      },
      say: (of, step, problem) => void said.push({ version: of, step, problem }),
      wanted: () => state.wanted,
      lookedAt: () => state.lookedAt,
      leave: () => void state.left++,
      log: () => undefined,
    },
  );
  const steps = () => said.map(({ step }) => step);
  return { port, updates, said, steps, state, directory };
}

test("a release is fetched with the way back, and handed to the installer as soon as nobody is there", async () => {
  const { port, updates, said, directory } = pc();
  port.variables.idleSeconds = 0;
  await updates.offered(release("0.2.0"), OLD);
  expect(said).toEqual([{ version: "0.2.0", step: "ready", problem: null }]);
  expect(readdirSync(join(directory, "updates"))).toEqual([fileName("setup", "0.1.0"), fileName("setup", "0.2.0")]);
  port.time.pass(3600_000);
  expect(port.replaced).toEqual([]);
  port.variables.idleSeconds = AWAY_S;
  port.openWindows.add("main");
  port.time.pass(60_000);
  expect(port.replaced).toEqual([]);
  port.openWindows.clear();
  port.time.pass(60_000);
  const path = join(directory, "updates", fileName("setup", "0.2.0"));
  expect(port.replaced).toEqual([{ path, older: false, restart: true }]);
  expect(said.at(-1)).toEqual({ version: "0.2.0", step: "installing", problem: null });
  expect(pc("0.2.0", directory).updates.isToRunAgain).toBe(true);
});

test("a film or a talk, watched without any input, is not disturbed", async () => {
  const { port, updates, state } = pc();
  state.lookedAt = true;
  await updates.offered(release("0.2.0"), OLD);
  port.time.pass(3600_000);
  expect(port.replaced).toEqual([]);
  state.lookedAt = false;
  port.time.pass(60_000);
  expect(port.replaced).toHaveLength(1);
});

test("files that are for nothing any more are removed", async () => {
  const { port, updates, directory } = pc();
  port.variables.idleSeconds = 0;
  await updates.offered(release("0.2.0"), OLD);
  await updates.offered(release("0.3.0"), OLD);
  expect(readdirSync(join(directory, "updates"))).toEqual([fileName("setup", "0.1.0"), fileName("setup", "0.3.0")]);
  const next = pc("0.1.0", directory);
  next.updates.start();
  expect(existsSync(join(directory, "updates"))).toBe(false);
  await updates.offered(release("0.3.0"), OLD);
  await updates.offered(null, null);
  expect(existsSync(join(directory, "updates"))).toBe(false);
});

test("no file name and no account of this PC is told to the coordinator", async () => {
  for (const error of [
    (folder: string) => new Error(`spawn ${join(folder, "updates", "Nightshift-Setup-0.2.0.exe")} EACCES`),
    () => new Error("EACCES: permission denied, copyfile '/tmp/x' -> '/home/anna/Apps/Nightshift.AppImage.new'"),
    () => new Error("EPERM: operation not permitted, open 'C:\\Users\\anna\\x'"),
  ]) {
    const { port, updates, said, directory } = pc();
    await updates.offered(release("0.2.0"), OLD);
    port.time.pass(60_000);
    port.replaceFailed(error(directory));
    expect(said.at(-1)).toMatchObject({ step: "failed", problem: expect.stringMatching(/EACCES|EPERM/) });
    expect(said.at(-1)?.problem).not.toMatch(/anna|tmp|updates/);
  }
});

test("a disk that is full keeps the app neither from starting nor from going on", async () => {
  const { again, directory } = await tried();
  mkdirSync(join(directory, "update.json.new"));
  const { port, updates } = again("0.2.0");
  updates.start();
  updates.connected();
  port.time.pass(ARRIVE_MS);
  expect(port.replaced).toEqual([]);
  const old = pc("0.1.0", directory);
  old.updates.start();
  await old.updates.offered(release("0.3.0"), OLD);
  old.port.time.pass(60_000);
  expect([old.port.replaced, old.steps().at(-1)]).toEqual([[], "failed"]);
});

test("the owner ends the app: it is installed then, and not started again", async () => {
  const { port, updates } = pc();
  port.variables.idleSeconds = 0;
  updates.quitting();
  await updates.offered(release("0.2.0"), OLD);
  updates.quitting();
  expect(port.replaced).toMatchObject([{ restart: false }]);
  expect(updates.isToRunAgain).toBe(false);
});

test("taken back before it is installed, or no longer wanted, nothing is done", async () => {
  const one = pc();
  one.port.variables.idleSeconds = 0;
  await one.updates.offered(release("0.2.0"), OLD);
  await one.updates.offered(null, null);
  one.port.variables.idleSeconds = AWAY_S;
  one.port.time.pass(60_000);
  one.updates.quitting();
  const other = pc();
  other.port.variables.idleSeconds = 0;
  await other.updates.offered(release("0.2.0"), OLD);
  other.state.wanted = false;
  other.port.time.pass(60_000);
  other.updates.quitting();
  await other.updates.offered(release("0.2.0"), OLD);
  expect([...one.port.replaced, ...other.port.replaced]).toEqual([]);
  expect(other.steps()).toEqual(["ready", "declined", "declined"]);
});

describe("refused, and said why:", () => {
  const refusals: [string, () => [SignedRelease, SignedRelease | null], RegExp][] = [
    ["signed by another key", () => [release("0.2.0", { secret: newReleaseKey().secret }), OLD], /not a release key here/],
    ["changed after it was signed", () => [{ ...release("0.2.0"), text: release("0.3.0").text }, OLD], /signature/],
    ["the version there is", () => [release("0.1.0"), OLD], /not newer than 0\.1\.0/],
    ["an older one", () => [release("0.0.9", { withdraws: ["0.2.0"] }), OLD], /not newer/],
    ["no way back", () => [release("0.2.0"), null], /no way back/],
    ["a way back to something else", () => [release("0.3.0"), release("0.2.0")], /no way back/],
    [
      "a way back that another key has signed",
      () => [release("0.2.0"), release("0.1.0", { secret: newReleaseKey().secret })],
      /release key/,
    ],
  ];
  test.each(refusals)("%s", async (_, given, why) => {
    const { updates, port, said } = pc();
    await updates.offered(...given());
    port.time.pass(60_000);
    expect(said).toEqual([{ version: expect.any(String), step: "failed", problem: expect.stringMatching(why) }]);
    expect(port.replaced).toEqual([]);
  });

  test("a file that does not arrive whole, or is changed before it is installed", async () => {
    const { updates, port, said, state, directory } = pc();
    state.broken = true;
    await updates.offered(release("0.2.0"), OLD);
    expect(said.at(-1)).toMatchObject({ step: "failed", problem: expect.stringMatching(/did not arrive whole/) });
    state.broken = false;
    port.variables.idleSeconds = 0;
    await updates.offered(release("0.2.0"), OLD);
    writeFileSync(join(directory, "updates", fileName("setup", "0.2.0")), "0.2.1");
    port.variables.idleSeconds = AWAY_S;
    port.time.pass(60_000);
    expect(said.at(-1)).toMatchObject({ step: "failed", problem: expect.stringMatching(/has changed/) });
    expect(port.replaced).toEqual([]);
  });

  test("without a release key the app says that it takes nothing", () => {
    expect(pc("0.1.0", undefined, []).updates.takes).toBe(null);
    expect(pc().updates.takes).toBe("setup");
  });
});

/** The same PC after its installer has put that version in place. */
async function tried(to: SignedRelease = release("0.2.0")) {
  const before = pc();
  await before.updates.offered(to, OLD);
  before.port.time.pass(60_000);
  return { to, again: (version: string) => pc(version, before.directory), directory: before.directory };
}

test("a new version that reaches the coordinator stays, and nothing signed before it is taken any more", async () => {
  const earlier = release("0.3.0");
  const { again, directory } = await tried();
  const { port, updates, said } = again("0.2.0");
  updates.start();
  port.time.pass(ARRIVE_MS - 1000);
  updates.connected();
  port.time.pass(ARRIVE_MS);
  expect([port.replaced, said]).toEqual([[], []]);
  expect(existsSync(join(directory, "updates"))).toBe(false);
  await updates.offered(earlier, release("0.2.0"));
  expect(said.at(-1)?.problem).toMatch(/signed before/);
});

test("one that does not reach it goes back to the old one, which tells, and does not try that release again", async () => {
  const { again, to, directory } = await tried();
  const { port, updates } = again("0.2.0");
  updates.start();
  port.time.pass(ARRIVE_MS - 1);
  expect(port.replaced).toEqual([]);
  port.time.pass(1);
  const back = join(directory, "updates", fileName("setup", "0.1.0"));
  expect(port.replaced).toEqual([{ path: back, older: true, restart: true }]);
  updates.connected();
  await updates.offered(release("0.3.0"), to);
  expect(existsSync(back)).toBe(true);
  port.replaceFailed(new Error("spawn EACCES"));
  const next = again("0.2.0");
  next.updates.start();
  next.port.time.pass(ARRIVE_MS);
  expect(next.port.replaced).toHaveLength(1); // tried again
  const old = again("0.1.0");
  old.updates.start();
  old.updates.connected();
  expect(old.said).toEqual([
    { version: "0.2.0", step: "failed", problem: expect.stringMatching(/did not reach the coordinator/) },
  ]);
  await old.updates.offered(to, OLD);
  expect(old.said.at(-1)?.problem).toMatch(/tried this release/);
  old.port.variables.idleSeconds = 0;
  const signedAnew = release("0.2.0");
  await old.updates.offered(signedAnew, OLD);
  expect(old.steps().at(-1)).toBe("ready");
  // Told once.
  const later = again("0.1.0");
  later.updates.start();
  later.updates.connected();
  expect(later.said).toEqual([]);
});

test("so does one that crashes whenever it is started", async () => {
  const { again } = await tried();
  for (let start = 1; start <= 3; start++) {
    const { port, updates } = again("0.2.0");
    updates.start();
    expect(port.replaced).toEqual([]);
  }
  const { port, updates } = again("0.2.0");
  updates.start();
  expect(port.replaced).toMatchObject([{ older: true }]);
});

test("an installer that left the old version in place, as when the power went, has failed, and may be tried again", async () => {
  const { again, to } = await tried();
  const { updates, said } = again("0.1.0");
  updates.start();
  updates.connected();
  expect(said).toEqual([{ version: "0.2.0", step: "failed", problem: "the installer did not put it in place" }]);
  await updates.offered(to, OLD);
  expect(said.map(({ step }) => step)).toEqual(["failed", "ready", "installing"]);
});

test("an installer that cannot be started is told at once, and the app goes on as it is", async () => {
  const { port, updates, said, directory } = pc();
  await updates.offered(release("0.2.0"), OLD);
  port.time.pass(60_000);
  port.replaceFailed(new Error("spawn EACCES"));
  expect(said.at(-1)).toEqual({ version: "0.2.0", step: "failed", problem: "spawn EACCES" });
  expect(JSON.parse(readFileSync(join(directory, "update.json"), "utf8")).trying).toBe(null);
});

test("a release that takes back just this version is taken, though it is older", async () => {
  const { port, updates } = pc("0.2.0");
  await updates.offered(release("0.1.0", { withdraws: ["0.2.0"] }), release("0.2.0"));
  port.time.pass(60_000);
  expect(port.replaced).toMatchObject([{ older: true, restart: true }]);
});

test("an AppImage is replaced whole and starts again; what others have installed is left alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-appimage-"));
  const [running, next] = [join(folder, "Nightshift.AppImage"), join(folder, "next")];
  writeFileSync(running, "old", { mode: 0o755 });
  writeFileSync(next, "new");
  const started: string[] = [];
  const fail = (error: Error): void => {
    throw error;
  };
  const common = { installed: null, relaunch: (path: string) => void started.push(path) };
  const port = replacing({ ...common, platform: "linux", appImage: running });
  expect(port.takes).toBe("appimage");
  expect(port.replace(next, { older: false, restart: false }, fail)).toEqual({ ends: true });
  expect([readFileSync(running, "utf8"), statSync(running).mode & 0o777, started]).toEqual(["new", 0o755, []]);
  port.replace(next, { older: false, restart: true }, fail);
  expect(started).toEqual([running]);
  expect(readdirSync(folder)).toEqual(["Nightshift.AppImage", "next"]);
  expect(() => port.replace(join(folder, "none"), { older: false, restart: true }, fail)).toThrow(/ENOENT/);
  expect(readFileSync(running, "utf8")).toBe("new");

  const told = { join: null, pool: null, mode: null, screensaver: false, tray: true, byInstaller: true };
  for (const [platform, installed] of [
    ["linux", null],
    ["darwin", null],
    ["win32", null],
    ["win32", { ...told, bySetupForOneUser: false }],
  ] as const)
    expect(replacing({ ...common, platform, installed, appImage: undefined }).takes).toBe(null);
  const own = { ...told, bySetupForOneUser: true };
  expect(replacing({ ...common, platform: "win32", installed: own, appImage: undefined }).takes).toBe("setup");
});
