import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatLink } from "@nightshift/coordinator/protocol";
import { must } from "@nightshift/wasm-kernels/errors";
import { describe, expect, test } from "vitest";
import { installedFrom } from "../../headless/installed.ts";
import { effective, type Reason } from "../../policy/index.ts";
import type { Begin, ProcessStatus } from "../agent/protocol.ts";
import { REQUESTS } from "../ipc/requests.ts";
import { appWords } from "../words/catalogue.ts";
import { saidIn } from "../words/refusals.ts";
import { answerRequest } from "./answering.ts";
import { App, type AppOptions } from "./app.ts";
import { parseCommandLine, type StartedAs } from "./command-line.ts";
import { loadDeviceKey } from "./device-key.ts";
import { History } from "./history.ts";
import { readUnpacked } from "./portable.ts";
import { VariablePort, type Variables } from "./testing.ts";
import { fileFor, isOurs, WEB_PREFERENCES } from "./window-rules.ts";

const LINK = formatLink({
  host: "moon.example",
  port: 7433,
  tls: false,
  coordinatorKey: new Uint8Array(32).fill(7),
  token: new Uint8Array(32).fill(9),
});
/** Installed for all users. */
const OF_ALL = { byInstaller: true, bySetupForOneUser: false };
const HERE: Reason = { code: "owner-here", values: {}, by: null };
const OURS = { url: "app://nightshift/index.html#now", isTop: true };
const HIDDEN: StartedAs = { kind: "app", link: null, hidden: true };
const SHOWN: StartedAs = { kind: "app", link: null, hidden: false };

const status = (more: Partial<ProcessStatus> = {}): ProcessStatus => ({
  connected: true,
  hostId: "h1",
  pending: false,
  paused: null,
  running: 0,
  runnable: 0,
  blocked: 0,
  processes: [],
  refused: null,
  credit: null,
  cluster: null,
  words: "",
  reasons: [],
  pause: null,
  runUntilMs: null,
  fullScreen: null,
  slots: 4,
  ...effective({}, []),
  policies: [],
  policyProblem: null,
  cpuMs: 0,
  ...more,
});

function started(
  variables: Partial<Variables> = {},
  as: StartedAs = SHOWN,
  home = mkdtempSync(join(tmpdir(), "ns-app-")),
  more: Partial<AppOptions> = {},
) {
  const port = new VariablePort(variables);
  const app = new App(port, { home, host: "amun", slots: 4, ...more });
  app.start(as);
  port.time.pass(200);
  const say = (more: Partial<ProcessStatus> = {}): void => {
    port.agent.say({ type: "status", status: status(more) });
    port.time.pass(200);
  };
  const ask = (name: string, value: unknown = null) => answerRequest(app, OURS, name, value);
  return { port, app, home, folder: join(home, "agents", "amun"), say, ask };
}

const begun = (port: VariablePort): Begin => {
  const [first] = port.agent.sent;
  if (first?.type !== "begin") throw new Error("it was not begun");
  return first.begin;
};

test("new, it shows where to join; a link says whom before anything is done", async () => {
  const { port, ask } = started();
  expect([port.page, port.icon, port.tooltip]).toEqual(["join", "offline", "Nightshift: Not joined to anybody"]);
  const described = await ask("describeLink", LINK);
  expect(described).toMatchObject({ ok: true, value: { address: "moon.example:7433", encryptedTwice: false } });
  expect(port.agents).toEqual([]);
  expect(await ask("join", "nightshift://moon.example/#half")).toMatchObject({ ok: false, code: "NS_BAD_LINK" });
  expect(await ask("join", LINK)).toEqual({ ok: true, value: null });
  expect(begun(port)).toMatchObject({ name: "amun", slots: 4, told: true, coordinator: { host: "moon.example", port: 7433 } });
  expect(begun(port).token).toEqual(new Uint8Array(32).fill(9));
});

test("the token is kept sealed until the device is enrolled, then not at all; started again, the key is the same", async () => {
  const first = started();
  await first.ask("join", LINK);
  const text = (): string => readFileSync(join(first.folder, "desktop.json"), "utf8");
  expect(text()).not.toContain(LINK.split(".").at(-1));
  expect(JSON.parse(text()).coordinator).toMatchObject({ tokenSealed: true });
  expect(readdirSync(first.folder)).toContain("key.sealed");
  expect(readdirSync(first.folder)).not.toContain("key");
  first.say();
  expect(JSON.parse(text()).coordinator).toMatchObject({ token: null });
  const again = started({}, SHOWN, first.home);
  expect(begun(again.port)).toMatchObject({ token: null, privateKey: begun(first.port).privateKey });
});

test("without safe storage the key is in a file of the user's own, and is sealed when there is storage", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-key-"));
  const port = new VariablePort({ safeStorage: false });
  const plain = loadDeviceKey(folder, port.secrets);
  expect([plain.sealed, readdirSync(folder)]).toEqual([false, ["key"]]);
  port.variables.safeStorage = true;
  expect(loadDeviceKey(folder, port.secrets)).toEqual({ privateKey: plain.privateKey, sealed: true });
  expect(readdirSync(folder)).toEqual(["key.sealed"]);
  writeFileSync(join(folder, "key.sealed"), "of another account");
  expect(() => loadDeviceKey(folder, port.secrets)).toThrow(expect.objectContaining({ code: "NS_HOME_UNUSABLE" }));
});

test("who does not want it at log-in has it back after it was replaced while it ran, and not at the next log-in", async () => {
  const first = started();
  await first.ask("join", LINK);
  await first.ask("setApp", { openAtLogin: false });
  const back = { name: "Nightshift-Setup-0.0.9.exe", kind: "setup", sizeBytes: 1 };
  const hashes = { sha256: "ab".repeat(32), sha512: `${"A".repeat(86)}==` };
  const trying = {
    from: "0.0.9",
    to: "0.1.0",
    signedAt: 1,
    back: { ...back, ...hashes },
    starts: 0,
    goingBack: null,
    again: true,
  };
  const kept = { version: 1, lastSignedAt: 0, trying, refused: [], tell: null };
  writeFileSync(join(first.folder, "update.json"), JSON.stringify(kept));
  const replaced = started({}, HIDDEN, first.home);
  expect([replaced.port.hasQuit, replaced.port.agents.length]).toEqual([false, 1]);
  const atLogin = started({}, HIDDEN, first.home);
  expect([atLogin.port.hasQuit, atLogin.port.agents.length]).toEqual([true, 0]);
});

test("a full disk, or a folder that cannot be written, ends nothing and hides nothing", async () => {
  const { port, ask, say, app, folder } = started();
  await ask("join", LINK);
  for (const name of ["desktop.json.new", "history.json.new"]) mkdirSync(join(folder, name));
  say({ running: 1 });
  expect([port.icon, app.state().problem]).toEqual(["computing", null]);
  expect(app.log().at(-1)?.text).toMatch(/desktop\.json cannot be written/);
  expect(await ask("setApp", { notifications: true })).toMatchObject({ ok: false, code: "NS_HOME_UNUSABLE" });
});

test("a file that is there and cannot be read is not written over", async () => {
  const first = started();
  await first.ask("join", LINK);
  const path = join(first.folder, "desktop.json");
  renameSync(path, `${path}.there`);
  mkdirSync(path); // reading it fails with EISDIR, as with EBUSY while a scanner holds it
  const again = started({}, SHOWN, first.home);
  expect([again.port.icon, again.app.state().problem?.code]).toEqual(["attention", "NS_HOME_UNUSABLE"]);
  expect(await again.ask("setApp", { notifications: true })).toMatchObject({ ok: false });
  rmSync(path, { recursive: true });
  renameSync(`${path}.there`, path);
  again.port.time.pass(31_000);
  expect([again.app.state().problem, begun(again.port).coordinator.host]).toEqual([null, "moon.example"]);
});

test("what happens to a process is told in words, in the reader's language", async () => {
  for (const [locale, about, cut] of [
    ["en-GB", /^Process 7 could not be saved: the disk is full$/, /^No connection: nobody answers$/],
    ["zh-CN", /^进程 7 .*：the disk is full$/, /^未连接：.*\p{Script=Han}.* nobody answers$/u],
  ] as const) {
    const { port, ask, app } = started({ locale });
    await ask("join", LINK);
    const log = (event: string, details: object): void => port.agent.say({ type: "log", event, details: { ...details } });
    log("checkpoint-failed", { pid: 7, message: "the disk is full" });
    log("disconnected", { code: "NS_UNREACHABLE", message: "nobody answers", retryInMs: 100 });
    expect(
      app
        .log()
        .map(({ text }) => text)
        .slice(-2),
    ).toEqual([expect.stringMatching(about), expect.stringMatching(cut)]);
  }
});

test("safe storage that fails is as good as none; a key that is sealed leaves no open one behind, as when the power went between", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-key-"));
  const { secrets } = new VariablePort();
  const fails = () => {
    throw new Error("the keyring is locked");
  };
  const plain = loadDeviceKey(folder, { ...secrets, seal: fails });
  expect([plain.sealed, readdirSync(folder)]).toEqual([false, ["key"]]);
  const text = readFileSync(join(folder, "key"));
  expect(loadDeviceKey(folder, secrets).sealed).toBe(true);
  writeFileSync(join(folder, "key"), text);
  expect(loadDeviceKey(folder, secrets)).toEqual({ privateKey: plain.privateKey, sealed: true });
  expect(readdirSync(folder)).toEqual(["key.sealed"]);
});

test("a key whose safe storage is not there yet, as before the keyring is unlocked, is waited for; nobody is told twice", async () => {
  const first = started();
  await first.ask("join", LINK);
  await first.ask("setApp", { notifications: true });
  const { port, app } = started({ safeStorage: false }, HIDDEN, first.home);
  port.time.pass(300_000);
  expect([port.agents.length, port.notified.length]).toEqual([0, 1]);
  expect(app.state().problem).toMatchObject({ code: "NS_HOME_UNUSABLE", message: expect.stringMatching(/safe storage.*unlock/) });
  port.variables.safeStorage = true;
  port.time.pass(31_000);
  expect([begun(port).privateKey, app.state().problem]).toEqual([begun(first.port).privateKey, null]);
});

test("whoever leaves a coordinator has left it, even where that cannot be written", async () => {
  const { port, ask, say, app, folder } = started();
  await ask("join", LINK);
  say({ running: 1 });
  mkdirSync(join(folder, "desktop.json.new"));
  expect(await ask("leave")).toMatchObject({ ok: false, code: "NS_HOME_UNUSABLE" });
  port.time.pass(60_000);
  expect([app.state().coordinator, port.icon, port.agents.length]).toEqual([null, "offline", 1]);
});

test("the tray says what it does: computing, waiting, paused, offline, attention", async () => {
  const { port, ask, say } = started();
  await ask("join", LINK);
  const shown = (): unknown[] => [port.icon, port.told?.headline];
  say({ running: 1 });
  expect(shown()).toEqual(["computing", "Computing"]);
  say();
  expect(shown()).toEqual(["waiting", "Ready: waiting for work"]);
  say({ reasons: [HERE], paused: "you are here" });
  expect(shown()).toEqual(["paused", "Paused: you are here"]);
  say({ connected: false, pending: true });
  expect(shown()).toEqual(["offline", "Waits until an administrator lets this PC in"]);
  say({ connected: false });
  expect(shown()).toEqual(["offline", "No connection to the coordinator"]);
  say({ connected: false, refused: { code: "NS_REVOKED", message: "this device was revoked" } });
  expect(shown()).toEqual(["attention", "Needs your attention"]);
  expect(port.told?.problem).toMatchObject({ code: "NS_REVOKED" });
  expect(port.notified).toEqual([]); // nobody asked for it
});

test("the menu pauses for an hour, until tomorrow, until resumed, and resumes", async () => {
  const { port, ask, say } = started();
  await ask("join", LINK);
  say({ running: 1, processes: [{ pid: 3, state: "running", cpuMs: 1, memoryBytes: 1, command: "render a&b.pov", work: null }] });
  expect(port.menu.map(({ label }) => label)).toEqual(
    expect.arrayContaining(["Computing", "Running for moon.example:7433:", "  render a&b.pov"]),
  );
  const work = { job: 7, name: "render", part: 3, parts: 100, by: "anna" };
  say({ running: 1, processes: [{ pid: 3, state: "running", cpuMs: 1, memoryBytes: 1, command: "render a&b.pov", work }] });
  expect(port.menu.map(({ label }) => label)).toContain("  job 7, render, part 3 of 100, for anna");
  const orders = (): unknown[] => port.agent.sent.flatMap((message) => (message.type === "order" ? [message.order] : []));
  port.choose("Pause for 1 hour");
  port.choose("Pause until tomorrow");
  port.choose("Pause until resumed");
  expect(orders()).toEqual([
    { command: "pause", forMs: 3_600_000 },
    { command: "pause", until: "tomorrow" },
    { command: "pause" },
  ]);
  const untilMs = port.wallNow() + 60_000;
  say({ pause: { untilMs, words: null }, reasons: [{ code: "by-hand-until", values: { untilMs }, by: null }] });
  port.choose("Resume");
  expect(orders().at(-1)).toEqual({ command: "resume" });
  port.time.pass(61_000); // over: the file may still have it
  say({ pause: { untilMs, words: null } });
  expect(port.menu.map(({ label }) => label)).toContain("Pause for 1 hour");
});

test("long texts are cut in the menu and over the icon, and no letter of them in two", async () => {
  const { port, ask, say } = started();
  await ask("join", LINK);
  const words = "🌙".repeat(150);
  const command = `x${"🌙".repeat(80)}`;
  say({
    reasons: [{ code: "by-hand-words", values: { words }, by: null }],
    processes: [{ pid: 3, state: "running", cpuMs: 1, memoryBytes: 1, command, work: null }],
  });
  const labels = port.menu.flatMap(({ label }) => label ?? []);
  for (const text of [...labels, port.tooltip]) {
    expect([...text].length).toBeLessThanOrEqual(64);
    expect(text.isWellFormed()).toBe(true);
  }
  expect(labels).toContainEqual(expect.stringMatching(/^ {2}x🌙+…$/u));
  expect(port.tooltip.length).toBeLessThan(128); // as much as Windows shows
});

test("the menu runs now while it is paused by a rule, and goes back to the rules", async () => {
  const { port, ask, say } = started();
  await ask("join", LINK);
  const labels = (): unknown[] => port.menu.map(({ label }) => label);
  const orders = (): unknown[] => port.agent.sent.flatMap((message) => (message.type === "order" ? [message.order] : []));
  say({ reasons: [] });
  expect(labels()).not.toContain("Run now, for 1 hour");
  say({ reasons: [HERE] });
  port.choose("Run now, for 1 hour");
  expect(orders().at(-1)).toEqual({ command: "runNow", forMs: 3_600_000 });
  say({ reasons: [], runUntilMs: port.wallNow() + 3_600_000 });
  expect(labels()).toContain("Pause for 1 hour");
  port.choose("Run only when idle again");
  expect(orders().at(-1)).toEqual({ command: "resume" });
});

test("it speaks the system's language, or the one chosen", async () => {
  const { port, ask, say } = started({ locale: "zh-Hans-CN" });
  await ask("join", LINK);
  say({ reasons: [HERE] });
  expect(port.tooltip).toBe("Nightshift: 已暂停：您正在使用电脑");
  await ask("setApp", { language: "en" });
  port.time.pass(200);
  expect(port.tooltip).toBe("Nightshift: Paused: you are here");
});

test("every text of one language is in the other, of the same kind, and none is empty", () => {
  const [en, zh] = [appWords("en"), appWords("zh-CN")] as unknown as Record<string, unknown>[];
  expect(Object.keys(zh ?? {}).sort()).toEqual(Object.keys(en ?? {}).sort());
  for (const [name, text] of Object.entries(zh ?? {})) {
    const other = en?.[name];
    expect(typeof text).toBe(typeof other);
    if (Array.isArray(text)) expect(text).toHaveLength((other as unknown[]).length);
    else if (typeof text === "function") {
      // What is put in appears in both.
      const given = Array.from({ length: text.length }, (_, at) => `<${at}>`);
      for (const one of given) for (const make of [text, other as typeof text]) expect(make(...given)).toContain(one);
    } else expect(text).not.toBe("");
  }
});

test("what needs attention is said in the reader's language, with the sentence behind it", () => {
  const message = "this device was revoked";
  expect(saidIn("en", "NS_REVOKED", message)).toEqual({ title: message, more: expect.stringContaining("Enrol again") });
  expect(saidIn("zh-CN", "NS_REVOKED", message)).toEqual({ title: expect.stringMatching(/已被撤销/), more: message });
  for (const language of ["en", "zh-CN"] as const)
    expect(saidIn(language, "toString", message)).toEqual({ title: message, more: "" }); // from a newer coordinator, say
});

test("the log has each decision once, whatever its figures, and calls nothing computing that only might", async () => {
  const { port, ask, say, app } = started();
  await ask("join", LINK);
  const decided = (code: Reason["code"] | null, values: Reason["values"] = {}): void => {
    say({ connected: false, reasons: code === null ? [] : [{ code, values, by: null }] });
    port.agent.say({ type: "log", event: "decided", details: { compute: code === null, code, words: "" } });
  };
  decided("owner-here");
  for (let percent = 40; percent < 99; percent++) decided("busy", { percent });
  decided(null);
  decided("by-hand-words", { words: "lunch" });
  decided("by-hand-words", { words: "a talk" });
  expect(
    app
      .log()
      .map(({ text }) => text)
      .slice(-5),
  ).toEqual([
    "Paused: you are here",
    "Paused: other programs are busy, 40 %",
    "Nothing stands against computing",
    "Paused: lunch",
    "Paused: a talk",
  ]);
});

test("what fails unexpectedly in the app itself is told, and ends nothing", async () => {
  const { port, ask, app } = started();
  await ask("join", LINK);
  app.defect(new TypeError("x is not a function"));
  port.time.pass(200);
  expect([port.icon, app.state().problem, port.hasQuit]).toMatchObject(["attention", { code: "NS_INTERNAL" }, false]);
});

test("a crash of the computing process is a message, not the end of the app", async () => {
  const { port, ask, say, app } = started();
  await ask("join", LINK);
  await ask("setApp", { notifications: true });
  say({ running: 1 });
  port.agent.on.exited(139);
  port.time.pass(200);
  expect([port.icon, port.notified.length, port.hasQuit]).toEqual(["attention", 1, false]);
  port.time.pass(1_000);
  expect(port.agents.length).toBe(2);
  say({ running: 1 });
  expect([port.icon, app.state().restarts, app.state().problem]).toEqual(["computing", 1, null]);
});

test("shutdown is held until no process is here, but no longer than the system waits", async () => {
  for (const leaves of [true, false]) {
    const { port, ask, say } = started();
    await ask("join", LINK);
    say({ processes: [{ pid: 3, state: "runnable", cpuMs: 1, memoryBytes: 1, command: "x", work: null }] });
    let held = 0;
    let released = 0;
    port.happen({
      kind: "shutdown",
      hold: () => {
        held++;
        return () => {
          released++;
        };
      },
    });
    expect([held, released]).toEqual([1, 0]);
    if (leaves) say();
    for (let step = 0; step < (leaves ? 4 : 90); step++) {
      port.time.pass(50);
      await Promise.resolve();
    }
    expect(released).toBe(1);
  }
});

test("signals go to the agent's process while it may compute every 50 ms, and it does not see more than it needs", async () => {
  const { port, ask, say } = started({ idleSeconds: 500 });
  await ask("join", LINK);
  say({ running: 1 });
  const signals = () => port.agent.sent.flatMap((message) => (message.type === "signals" ? [message.signals] : []));
  const before = signals().length;
  port.variables.idleSeconds = 0;
  port.time.pass(50);
  expect(signals().length).toBeGreaterThan(before);
  expect(signals().at(-1)).toMatchObject({ inputAgoMs: 0 });
});

test("on Linux the agent sees input itself, and nothing is polled", async () => {
  const { port, ask } = started({ platform: "linux" });
  await ask("join", LINK);
  port.time.pass(5_000);
  expect(begun(port).told).toBe(false);
  expect(port.agent.sent.some(({ type }) => type === "signals")).toBe(false);
});

test("the screensaver comes after the minutes asked for and goes with input", async () => {
  const { port, ask } = started({ idleSeconds: 200 });
  port.time.pass(5_000);
  expect(port.openWindows.has("screensaver")).toBe(false);
  await ask("setApp", { screensaverAfterMinutes: 3 });
  port.time.pass(1_000);
  expect(port.openWindows.has("screensaver")).toBe(true);
  port.variables.idleSeconds = 0;
  port.time.pass(1_000);
  expect(port.openWindows.has("screensaver")).toBe(false);
});

test("the screensaver that somebody chooses stays, though the mouse was just used", async () => {
  const { port, ask, app } = started({ idleSeconds: 0 });
  await ask("join", LINK);
  await ask("showScreensaver");
  port.time.pass(1_500);
  expect(port.openWindows.has("screensaver")).toBe(true);
  port.variables.idleSeconds = 2;
  port.time.pass(3_000);
  expect(port.openWindows.has("screensaver")).toBe(true);
  port.variables.idleSeconds = 0;
  port.time.pass(1_000);
  expect(port.openWindows.has("screensaver")).toBe(false);
  app.showScreensaver();
  port.happen({ kind: "unlock" });
  expect(port.openWindows.has("screensaver")).toBe(false);
});

test("the screensaver comes over no film and no talk, whether these pause or not", async () => {
  const { port, ask } = started({ idleSeconds: 600 });
  await ask("join", LINK);
  await ask("setApp", { screensaverAfterMinutes: 3 });
  const after = (told: Partial<ProcessStatus>): boolean => {
    port.windows.close("screensaver");
    port.agent.say({ type: "status", status: status(told) });
    port.time.pass(1_000);
    return port.openWindows.has("screensaver");
  };
  const because = (code: "full-screen" | "exclusive-program" | "busy") => ({ reasons: [{ code, values: {}, by: null }] });
  expect(after({ fullScreen: true })).toBe(false);
  expect(after(because("full-screen"))).toBe(false);
  expect(after(because("exclusive-program"))).toBe(false);
  expect(after(because("busy"))).toBe(true);
  expect(after({})).toBe(true);
});

test("what the cluster does is asked for while the screensaver is shown, also by an agent that has started anew", async () => {
  const { port, app, ask } = started({ idleSeconds: 200 });
  await ask("join", LINK);
  const asked = () => port.agent.sent.flatMap((message) => (message.type === "watch" ? [message.on] : []));
  app.showScreensaver();
  const cluster = { hosts: 3, online: 2, computing: 1, owners: 1, processes: 4, moves: 5 };
  port.agent.say({ type: "status", status: status({ cluster }) });
  expect([asked(), app.state().cluster]).toEqual([[true], cluster]);
  port.agent.kill();
  port.time.pass(2_000);
  expect([port.agents.length, asked()]).toEqual([2, [true]]);
  app.closeScreensaver();
  expect(asked()).toEqual([true, false]);
});

test("Windows' screensaver arguments, links and other arguments are understood", () => {
  const cases: [string[], StartedAs][] = [
    [["/s"], { kind: "screensaver" }],
    [["/S"], { kind: "screensaver" }],
    [["-s"], { kind: "screensaver" }],
    [["/p", "65552"], { kind: "preview", window: "65552" }],
    [["/p:65552"], { kind: "preview", window: "65552" }],
    [["/p", "calc.exe"], { kind: "settings" }],
    [["/c:1234"], { kind: "settings" }],
    [["/c"], { kind: "settings" }],
    [[LINK], { kind: "app", link: LINK, hidden: false }],
    [["--hidden"], { kind: "app", link: null, hidden: true }],
    [[], { kind: "app", link: null, hidden: false }],
  ];
  for (const [argv, as] of cases) expect(parseCommandLine(argv)).toEqual(as);
});

test("a link opened from outside is shown and joins nothing by itself; declined, it is gone", async () => {
  const { port, app, ask } = started({}, { kind: "app", link: LINK, hidden: false });
  expect([port.page, app.state().invitation?.address, port.agents.length]).toEqual(["join", "moon.example:7433", 0]);
  await ask("declineInvitation");
  expect(app.state().invitation).toBeNull();
});

test("a link opened from outside that is none is said where it would be joined, until there is another; it makes no alarm of what runs", async () => {
  const { port, app, ask, say } = started();
  await ask("join", LINK);
  say({ running: 1 });
  const open = (link: string): void => app.launched({ kind: "app", link, hidden: false });
  open("nightshift://evil/#x");
  say({ running: 1 });
  expect(app.state()).toMatchObject({ invitation: null, problem: null, icon: "computing", badLink: { code: "NS_BAD_LINK" } });
  expect(port.page).toBe("join");
  open(LINK);
  expect(app.state()).toMatchObject({ invitation: { address: "moon.example:7433" }, badLink: null });
  open("nightshift://evil/#x");
  await ask("declineInvitation");
  expect(app.state()).toMatchObject({ invitation: null, badLink: null });
});

test("started at log-in it opens no window; started again it does", () => {
  const { port, app } = started({}, { kind: "app", link: null, hidden: true });
  expect([port.openWindows.size, port.openAtLogin]).toEqual([0, true]);
  app.launched(SHOWN);
  expect(port.openWindows.has("main")).toBe(true);
});

describe("installed by an installer", () => {
  const installed = must(installedFrom({ Join: LINK, Mode: "locked" }), "an installation");
  const OTHER = LINK.replace("moon.example", "sun.example");
  const address = (port: VariablePort): string | undefined => port.told?.coordinator?.address;

  test("it joins the link that was given, once; who leaves stays away until there is another link", async () => {
    const first = started({}, HIDDEN, undefined, { installed });
    expect([address(first.port), begun(first.port).installedMode]).toEqual(["moon.example:7433", "locked"]);
    await first.ask("leave");
    const again = started({}, SHOWN, first.home, { installed });
    expect([again.port.agents, again.port.page]).toEqual([[], "join"]);
    expect(address(started({}, SHOWN, first.home, { installed: { ...installed, join: OTHER } }).port)).toBe("sun.example:7433");
    expect(address(started({}, SHOWN, first.home, { installed: { ...installed, join: OTHER } }).port)).toBe("sun.example:7433");
  });

  test("a damaged link is told, and does not keep it from starting", () => {
    const { port } = started({}, HIDDEN, undefined, { installed: { ...installed, join: LINK.slice(0, 40) } });
    expect(port.told?.problem).toMatchObject({ code: "NS_BAD_LINK" });
  });

  test("without tray there is none; the log-in is the installer's; the screensaver is chosen once", () => {
    const given = installedFrom({ Mode: "screensaver", Tray: "0" });
    expect(given).toEqual({ join: null, pool: null, mode: "locked", screensaver: true, tray: false, ...OF_ALL });
    const { port, home } = started({}, HIDDEN, undefined, { installed: given });
    expect([port.icon, port.openAtLogin, port.chosenScreensavers]).toEqual([undefined, undefined, 1]);
    expect(started({}, HIDDEN, home, { installed: given }).port.chosenScreensavers).toBe(0);
  });

  test("group policy says which link is joined and whether there is a tray, before the installer, also where none was", () => {
    const policies = [
      { Join: OTHER, By: "IT" },
      { Join: LINK, Tray: 0, Mode: "always" },
    ];
    const given = installedFrom({ Join: LINK, Mode: "idle", Tray: "1" }, policies);
    expect(given).toEqual({ join: OTHER, pool: null, mode: "idle", screensaver: false, tray: false, ...OF_ALL });
    const { port } = started({}, HIDDEN, undefined, { installed: installedFrom(undefined, policies) });
    expect([address(port), port.icon, port.openAtLogin]).toEqual(["sun.example:7433", undefined, true]);
    expect(installedFrom(undefined, [undefined, { By: "IT" }])).toBeNull();
  });

  test("unpacked instead: what stands beside the program says where it keeps everything and which link is joined", () => {
    const folder = mkdtempSync(join(tmpdir(), "ns-unpacked-"));
    expect(readUnpacked(folder, null)).toEqual({ home: null, told: null });
    writeFileSync(join(folder, "portable"), "");
    writeFileSync(join(folder, "join.txt"), `\ufeff${LINK}\r\n`);
    const { home, told } = readUnpacked(folder, null);
    expect([home, told?.join, told?.byInstaller]).toEqual([join(folder, "data"), LINK, false]);
    const { port } = started({}, HIDDEN, home ?? "", { installed: told });
    expect([address(port), readdirSync(folder).toSorted()]).toEqual(["moon.example:7433", ["data", "join.txt", "portable"]]);
    // Group policy and installers know better.
    const policy = installedFrom(undefined, [{ Join: OTHER, Tray: 0 }]);
    expect(readUnpacked(folder, policy).told).toMatchObject({ join: OTHER, tray: false });
    expect(readUnpacked(folder, installedFrom({ Mode: "idle" })).told?.join).toBeNull();
    writeFileSync(join(folder, "join.txt"), " \n");
    expect(readUnpacked(folder, null).told).toBeNull();
  });

  test("started for everybody at log-in, it ends at once for who does not want that", async () => {
    const first = started({}, HIDDEN, undefined, { installed });
    expect(first.port.hasQuit).toBe(false);
    const now = first.app.state().app;
    await first.ask("setApp", { ...now, openAtLogin: false });
    expect(started({}, HIDDEN, first.home, { installed }).port.hasQuit).toBe(true);
    expect(started({}, SHOWN, first.home, { installed }).port.hasQuit).toBe(false);
  });
});

test("asked to leave by an installer, it clears the PC as at a shutdown, then ends; an old request means nothing", async () => {
  const leaveFile = join(mkdtempSync(join(tmpdir(), "ns-leave-")), "leave");
  const { port, ask, say, home } = started({}, SHOWN, undefined, { leaveFile });
  await ask("join", LINK);
  const process = { pid: 3, state: "running", cpuMs: 1, memoryBytes: 1, command: "x", work: null } as const;
  say({ running: 1, processes: [process] });
  port.time.pass(2_000);
  expect(port.hasQuit).toBe(false);
  const at = (ms: number): void => {
    writeFileSync(leaveFile, "");
    utimesSync(leaveFile, new Date(port.wallNow() + ms), new Date(port.wallNow() + ms));
  };
  at(-3_600_000);
  port.time.pass(2_000);
  expect(port.hasQuit).toBe(false);
  at(0);
  port.time.pass(1_000);
  expect(port.agent.sent.at(-1)).toMatchObject({ type: "signals", signals: { ending: true } });
  expect(port.hasQuit).toBe(false);
  say();
  await new Promise(setImmediate);
  expect(port.hasQuit).toBe(true);
  expect(started({}, HIDDEN, home, { leaveFile }).port.hasQuit).toBe(true);
});

test("once it has quit nothing goes on in it", async () => {
  const { app, port, ask, say } = started();
  await ask("join", LINK);
  say({ running: 1 });
  app.quit();
  port.time.pass(60_000);
  expect(port.time.waiting).toBe(0);
});

test("while its own screensaver is shown the screen counts as saved", async () => {
  const { port, ask } = started();
  await ask("join", LINK);
  const told = (): unknown => port.agent.sent.findLast((message) => message.type === "signals")?.signals.screensaver;
  await ask("showScreensaver");
  port.variables.idleSeconds = 600;
  port.time.pass(2_000);
  expect(told()).toBe(true);
  await ask("closeScreensaver");
  expect(told()).toBe(false);
});

test("leaving ends the agent and forgets the coordinator", async () => {
  const { port, ask, folder } = started();
  await ask("join", LINK);
  await ask("leave");
  expect(port.agent.sent.at(-1)).toEqual({ type: "end" });
  expect(JSON.parse(readFileSync(join(folder, "desktop.json"), "utf8")).coordinator).toBeNull();
});

test("a damaged file of the app's own is put aside and told", () => {
  const first = started();
  mkdirSync(first.folder, { recursive: true });
  for (const text of ["{", '{"version":2}', '{"version":1,"coordinator":{"host":7}}']) {
    writeFileSync(join(first.folder, "desktop.json"), text);
    const { app, folder } = started({}, SHOWN, first.home);
    expect(app.state().coordinator).toBeNull();
    expect(app.log()[0]?.text).toContain("put aside");
    expect(readdirSync(folder)).toContain("desktop.json.damaged");
  }
});

test("only our own top frame may ask, only what there is, only so much", async () => {
  const { app, ask } = started();
  for (const frame of [
    null,
    { url: "app://nightshift/index.html", isTop: false },
    { url: "https://example.com/index.html", isTop: true },
    { url: "app://nightshift.example/index.html", isTop: true },
    { url: "app://other/index.html", isTop: true },
    { url: "file:///index.html", isTop: true },
    { url: "app://nightshift/../x", isTop: true },
  ])
    expect(await answerRequest(app, frame, "state", null)).toMatchObject({ ok: false, code: "NS_FORBIDDEN" });
  const bad: [unknown, unknown][] = [
    ["constructor", null],
    ["toString", null],
    [7, null],
    ["pause", { forMs: -1, untilTomorrow: false }],
    ["pause", { forMs: null, untilTomorrow: false, more: 1 }],
    ["setApp", { language: "tlh" }],
    ["setApp", { screensaverAfterMinutes: 1e9 }],
    ["describeLink", "x".repeat(501)],
    ["setPolicy", { mode: "x".repeat(70_000) }],
    ["state", { anything: 1 }],
  ];
  for (const [name, value] of bad)
    expect(await answerRequest(app, OURS, name, value), JSON.stringify(name)).toMatchObject({ ok: false, code: "NS_USAGE" });
  for (const name of Object.keys(REQUESTS))
    expect(await ask(name, { unknown: () => 1 }), name).not.toMatchObject({ code: "NS_INTERNAL" });
});

test("windows load nothing but the files of the list, and have no Node", () => {
  expect(fileFor("app://nightshift/index.html#join")).toMatchObject({ path: "/index.html" });
  for (const url of [
    "app://nightshift/",
    "app://nightshift/main.js",
    "app://nightshift/../main.js",
    "app://nightshift/%2e%2e/main.js",
    "app://nightshift/constructor",
    "https://nightshift/index.html",
    "nonsense",
  ])
    expect(fileFor(url), url).toBeNull();
  expect(isOurs({ url: "app://nightshift/screensaver.html", isTop: true })).toBe(true);
  expect(WEB_PREFERENCES).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true });
});

test("history counts what was offered and used, not sleep and not a restart, and survives one", () => {
  const path = join(mkdtempSync(join(tmpdir(), "ns-history-")), "history.json");
  const history = new History(path);
  let wall = new Date(2026, 10, 16, 12).getTime();
  const today = () => history.days(wall).at(-1);
  const after = (ms: number, slots: number, cpuMs: number): void => {
    wall += ms;
    history.note(wall, slots, cpuMs);
  };
  history.note(wall, 2, 0);
  for (let second = 1; second <= 60; second++) after(1000, 2, second * 1500);
  expect(today()).toMatchObject({ date: "2026-11-16", offeredMs: 120_000, usedMs: 90_000 });
  after(3_600_000, 2, 90_000 + 5); // slept
  history.restarted();
  after(1000, 2, 0);
  after(1000, 0, 800); // paused: what the agent needs itself
  expect(today()).toMatchObject({ offeredMs: 120_000, usedMs: 90_000 });
  history.write(wall);
  const again = new History(path);
  expect(again.days(wall).at(-1)).toMatchObject({ offeredMs: 120_000, usedMs: 90_000 });
  expect(again.days(wall + 6 * 86_400_000)[0]).toMatchObject({ date: "2026-11-16", usedMs: 90_000 });
  expect(again.days(wall + 7 * 86_400_000).every(({ usedMs }) => usedMs === 0)).toBe(true);
  for (const text of ["", "{}", '{"version":1,"hours":[[1,-5,2]]}', "x".repeat(100_000)]) {
    writeFileSync(path, text);
    expect(new History(path).days(wall).every(({ offeredMs }) => offeredMs === 0)).toBe(true);
  }
});

test("a clock that was set back does not keep the history from being written", () => {
  const path = join(mkdtempSync(join(tmpdir(), "ns-history-")), "history.json");
  const history = new History(path);
  const wall = Date.UTC(2026, 10, 16, 12);
  history.write(wall + 86_400_000);
  for (let at = 0; at < 3; at++) history.note(wall + at * 1_000, 2, at * 1_000);
  expect(new History(path).days(wall).at(-1)?.offeredMs).toBeGreaterThan(0);
});

test("what is offered beside the owner, or after a policy took some, is as much as may be used", async () => {
  const { port, ask, say, app } = started();
  await ask("join", LINK);
  for (let second = 0; second < 10; second++) {
    port.time.pass(800);
    say({ slots: 2 });
  }
  expect(app.state().today.offeredMs).toBe(9 * 1_000 * 2);
});

test("after a month the history's file is as small as after eight days", () => {
  const path = join(mkdtempSync(join(tmpdir(), "ns-history-")), "history.json");
  const history = new History(path);
  const wall = Date.UTC(2026, 0, 1);
  for (let hour = 0; hour < 24 * 30; hour++)
    for (const at of [0, 5_000, 9_000]) history.note(wall + hour * 3_600_000 + at, 1024, hour * 1e6 + at * 1000);
  history.write(wall + 30 * 86_400_000);
  expect(readFileSync(path).length).toBeLessThan(10_000);
  expect(JSON.parse(readFileSync(path, "utf8")).hours.length).toBeLessThanOrEqual(192);
});
