// The local control of a headless agent: one JSON line in, one JSON line out, over a Unix socket (a named pipe on Windows) that only
// this user can open. Its path stands in control.json of the agent's folder.
import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Decision } from "../policy/index.ts";
import { MAX_RUN_NOW_MS, type Owner, type OwnerStatus } from "./owner.ts";
import { writeWhole } from "./policy-files.ts";

const MAX_LINE_BYTES = 16 * 1024;
const MAX_WORDS = 200;
/** Longer is until it is resumed. */
const MAX_PAUSE_MS = 366 * 86_400_000;
/** Unix socket paths are limited to about 100 bytes; a longer one goes to the temporary folder. */
const MAX_PATH_BYTES = 90;
/** One that was told to end has done so by then. */
const OTHER_ENDS_MS = 2_000;
const OTHER_LOOK_MS = 50;

/** `preview`: what would be decided now under other settings. */
export type ControlAnswer = { ok: true; status: OwnerStatus; preview?: Decision } | { ok: false; code: string; message: string };

/**
 * Two agents in one folder would be one host to the coordinator, and whoever pauses "the agent" would pause one of them: so there is one.
 * @returns what ends it @throws NS_ALREADY_RUNNING
 */
export async function serveControl(owner: Owner, directory: string): Promise<() => void> {
  const file = join(directory, "control.json");
  for (let waitedMs = 0; await isServed(file); waitedMs += OTHER_LOOK_MS) {
    if (waitedMs >= OTHER_ENDS_MS) throw new NightshiftError("NS_ALREADY_RUNNING", `another agent already runs in ${directory}`);
    await new Promise((resolve) => setTimeout(resolve, OTHER_LOOK_MS));
  }
  const inFolder = join(directory, "control.sock");
  const name = `nightshift-${randomBytes(8).toString("hex")}`;
  const path =
    process.platform === "win32"
      ? `\\\\.\\pipe\\${name}`
      : Buffer.byteLength(inFolder) <= MAX_PATH_BYTES
        ? inFolder
        : join(tmpdir(), `${name}.sock`);
  if (process.platform !== "win32") rmSync(path, { force: true });
  const server = createServer((socket) => converse(owner, socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  if (process.platform !== "win32") chmodSync(path, 0o600);
  writeWhole(file, `${JSON.stringify({ path, pid: process.pid })}\n`);
  return () => {
    server.close();
    rmSync(file, { force: true });
    if (process.platform !== "win32") rmSync(path, { force: true });
  };
}

/** One that was killed leaves its file behind, but nobody answers there. */
function isServed(file: string): Promise<boolean> {
  let path: unknown;
  try {
    ({ path } = JSON.parse(readFileSync(file, "utf8")) as { path?: unknown });
  } catch {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const socket = connect(String(path));
    const tell = (is: boolean) => (): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", tell(true));
    socket.once("error", tell(false));
  });
}

function converse(owner: Owner, socket: Socket): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => socket.destroy());
  socket.on("data", (part: string) => {
    text += part;
    if (text.length > MAX_LINE_BYTES) {
      socket.destroy();
      return;
    }
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      socket.write(`${JSON.stringify(answer(owner, line))}\n`);
    }
  });
}

/** Carries an order out, given as a JSON line. Never throws. */
export function answer(owner: Owner, line: string): ControlAnswer {
  try {
    const preview = order(owner, line);
    return { ok: true, status: owner.status(), ...(preview ? { preview } : {}) };
  } catch (thrown) {
    const { code, message } = asNightshiftError(thrown);
    return { ok: false, code, message };
  }
}

/** @throws NS_USAGE, NS_BAD_POLICY, NS_HOME_UNUSABLE */
function order(owner: Owner, line: string): Decision | undefined {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    throw new NightshiftError("NS_USAGE", "not a JSON line");
  }
  const { command, reason, forMs, until, settings } = (given ?? {}) as Record<string, unknown>;
  switch (command) {
    case "pause": {
      const words = typeof reason === "string" && reason !== "" ? reason.slice(0, MAX_WORDS) : null;
      if (until === "tomorrow") {
        owner.pauseUntilTomorrow(words);
        return;
      }
      if (forMs !== undefined && !(typeof forMs === "number" && forMs > 0 && forMs <= MAX_PAUSE_MS))
        throw new NightshiftError("NS_USAGE", `forMs must be a number above 0, at most ${MAX_PAUSE_MS}`);
      owner.pause(forMs ?? null, words);
      return;
    }
    case "runNow":
      if (!(typeof forMs === "number" && forMs > 0 && forMs <= MAX_RUN_NOW_MS))
        throw new NightshiftError("NS_USAGE", `forMs must be a number above 0, at most ${MAX_RUN_NOW_MS}`);
      owner.runNow(forMs);
      return;
    case "resume":
      owner.resume();
      return;
    case "set":
      owner.set(settings);
      return;
    case "preview":
      return owner.preview(settings);
    case "status":
      return;
    default:
      throw new NightshiftError("NS_USAGE", "command must be pause, runNow, resume, set, preview or status");
  }
}
