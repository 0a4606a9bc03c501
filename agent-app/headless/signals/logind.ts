// Signals of systemd's login manager: sleep and shutdown, locked screens, remote sessions, and the desktop's own idle hint where nothing
// better is at hand (a compositor that tells nobody of input, other users' desktops). It is heard through `gdbus monitor`, which is part of GLib and so of every Linux
// desktop: no small D-Bus package is well kept, and one process that sleeps is cheaper than a protocol of our own. A delay lock, held by
// `systemd-inhibit`, gives processes the time to leave before the machine sleeps.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Source, Watch } from "./source.ts";

const run = promisify(execFile);

const LOGIND = "org.freedesktop.login1";
const ROOT_PATH = "/org/freedesktop/login1";
const GRAPHICAL = new Set(["x11", "wayland", "mir"]);
const ASK_TIMEOUT_MS = 5_000;
/** Several changes come at once, and are looked at once. */
const SETTLE_MS = 100;
const RETRY_MS = 10_000;
/** Sleep is held up no longer; systemd itself waits five seconds at most. */
const DELAY_MS = 4_000;
/** More sessions than this are not looked at. */
const MAX_SESSIONS = 64;

export interface LogindOptions {
  /** There is no better source for the owner's input. */
  idleHint(): boolean;
  /** Resolves when nothing is left here that should leave before the machine sleeps. */
  cleared(): Promise<void>;
}

/** One line of `gdbus monitor`, as far as it matters. */
export type Told =
  | { kind: "ending"; ending: boolean }
  | { kind: "locked"; locked: boolean }
  | { kind: "active" }
  | { kind: "sessions" };

export function parseLine(line: string): Told | undefined {
  const ending = /: org\.freedesktop\.login1\.Manager\.PrepareFor(?:Sleep|Shutdown) \((true|false),\)$/.exec(line);
  if (ending) return { kind: "ending", ending: ending[1] === "true" };
  if (/: org\.freedesktop\.login1\.Manager\.Session(?:New|Removed) \(/.test(line)) return { kind: "sessions" };
  if (/: org\.freedesktop\.login1\.Session\.Lock \(/.test(line)) return { kind: "locked", locked: true };
  if (/: org\.freedesktop\.login1\.Session\.Unlock \(/.test(line)) return { kind: "locked", locked: false };
  if (!/PropertiesChanged \('org\.freedesktop\.login1\.Session'/.test(line)) return undefined;
  const locked = property(line, "LockedHint");
  if (locked !== undefined) return { kind: "locked", locked: locked === "true" };
  // That the owner is active is worth an immediate word; the rest is asked for.
  return property(line, "IdleHint") === "false" ? { kind: "active" } : { kind: "sessions" };
}

/** A property's value in the text of GVariant, as gdbus prints it: `'Name': <'x'>`, `<true>`, `<uint64 5>`. */
export function property(text: string, name: string): string | undefined {
  const found = new RegExp(`'${name}': <(?:uint64 |uint32 )?('?)([^'>]*)\\1>`).exec(text);
  return found?.[2];
}

/** @returns a source at once; when this machine has no login manager it stays silent */
export function watchLogind(watch: Watch, options: LogindOptions): Source {
  let monitor: ChildProcess | undefined;
  let lock: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let settle: NodeJS.Timeout | undefined;
  let closed = false;
  let missing = false;

  const hold = (): void => {
    if (closed || lock) return;
    const args = ["--what=sleep:shutdown", "--mode=delay", "--who=Nightshift", "--why=Processes leave this computer", "cat"];
    // `cat` ends, and the lock with it, when its input does: also when this agent is killed.
    const child = spawn("systemd-inhibit", args, { stdio: ["pipe", "ignore", "ignore"] });
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    child.once("exit", () => {
      if (lock === child) lock = undefined;
    });
    lock = child;
  };
  const letGo = (): void => {
    lock?.stdin?.end();
    lock = undefined;
  };

  const hear = (told: Told): void => {
    if (told.kind === "ending") {
      watch.update({ ending: told.ending });
      if (!told.ending) return hold();
      void Promise.race([options.cleared(), new Promise((resolve) => setTimeout(resolve, DELAY_MS))]).then(letGo);
      return;
    }
    if (told.kind === "locked") watch.update({ locked: told.locked });
    if (told.kind === "active" && options.idleHint()) watch.update({ lastInputAtMs: Number.POSITIVE_INFINITY });
    clearTimeout(settle);
    settle = setTimeout(() => void look(), SETTLE_MS);
  };

  const look = async (): Promise<void> => {
    try {
      const sessions = await readSessions();
      if (!closed) watch.update(signalsOf(sessions, options.idleHint(), watch.now(), Date.now()));
    } catch (thrown) {
      if (!missing) watch.log("signals-missing", { source: "logind", message: (thrown as Error).message.split("\n")[0] });
      missing = true;
    }
  };

  const start = (): void => {
    const child = spawn("gdbus", ["monitor", "--system", "--dest", LOGIND], { stdio: ["ignore", "pipe", "ignore"] });
    monitor = child;
    let ended = false;
    const end = (): void => {
      if (ended || closed) return;
      ended = true;
      watch.update({
        locked: undefined,
        remoteSession: undefined,
        otherUser: undefined,
        ...(options.idleHint() ? { lastInputAtMs: undefined } : {}),
      });
      timer = setTimeout(start, RETRY_MS);
    };
    child.once("error", end);
    child.once("exit", end);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const told = parseLine(line);
      if (told && !closed) hear(told);
    });
    hold();
    void look();
  };
  start();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      clearTimeout(settle);
      monitor?.kill();
      letGo();
    },
  };
}

async function call(path: string, method: string, ...args: readonly string[]): Promise<string> {
  const words = ["call", "--system", "--dest", LOGIND, "--object-path", path, "--method", method, ...args];
  const { stdout } = await run("gdbus", words, { timeout: ASK_TIMEOUT_MS, maxBuffer: 1 << 20 });
  return stdout;
}

/** Every session with its properties, as text. */
async function readSessions(): Promise<string[]> {
  const list = await call(ROOT_PATH, `${LOGIND}.Manager.ListSessions`);
  const paths = [...list.matchAll(/objectpath '([\w/]+)'|, '(\/org\/freedesktop\/login1\/session\/\w+)'\)/g)];
  const found: string[] = [];
  for (const path of paths.slice(0, MAX_SESSIONS)) {
    const args = [path[1] ?? path[2] ?? "", "org.freedesktop.DBus.Properties.GetAll", `${LOGIND}.Session`] as const;
    // One that has ended meanwhile is none.
    found.push(await call(...args).catch(() => ""));
  }
  return found;
}

const uidOf = (text: string): number => Number(/'User': <\(uint32 (\d+),/.exec(text)?.[1] ?? Number.NaN);

/** What sessions, as gdbus prints their properties, say together. */
export function signalsOf(
  sessions: readonly string[],
  idleHint: boolean,
  nowMs: number,
  wallMs: number,
  uid = process.getuid?.(),
): Parameters<Watch["update"]>[0] {
  const people = sessions.filter((text) => property(text, "Class") === "user" && property(text, "State") !== "closing");
  const isRemote = (text: string): boolean => property(text, "Remote") === "true";
  const desktops = people.filter((text) => GRAPHICAL.has(property(text, "Type") ?? "") && !isRemote(text));
  const shown = desktops.filter((text) => property(text, "Active") === "true");
  const isOwn = (text: string): boolean => uidOf(text) === uid;
  const isIdle = (text: string): boolean => property(text, "IdleHint") === "true";
  const since = Math.max(...desktops.map((text) => Number(property(text, "IdleSinceHint") ?? 0) / 1000));
  return {
    ...(desktops.length > 0 ? { desktop: true, locked: shown.every((text) => property(text, "LockedHint") === "true") } : {}),
    remoteSession: people.some(isRemote),
    // Whoever has no desktop of his own, as a service, goes by everybody's.
    otherUser: desktops.some(isOwn) && shown.length > 0 && !shown.some(isOwn),
    ...(idleHint && desktops.length > 0
      ? { lastInputAtMs: desktops.every(isIdle) ? nowMs - Math.max(0, wallMs - since) : Number.POSITIVE_INFINITY }
      : {}),
  };
}
