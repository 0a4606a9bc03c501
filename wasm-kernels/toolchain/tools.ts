// Where the compiler runs: in a thread of this process, or, for a command that is called once a file, in a process that serves all of them and stays
// warm (server.ts). What comes out is the same.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { lstat, mkdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ErrorCode, NightshiftError } from "../errors.ts";
import { Compilers, compilerVersion, type Request } from "./clang.ts";
import type { ToolReply } from "./clang-worker.ts";
import { Frames, frame } from "./frames.ts";

/** What a server answers. */
export type Answer =
  | { reply: ToolReply }
  | { error: { code: ErrorCode; message: string; details: Readonly<Record<string, unknown>> } };

const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));
/** For a server that was started to listen; it does before it loads the compiler. */
const START_MS = 10_000;
const RETRY_MS = 20;
/** A socket's path has no room for more. */
const MAX_PATH_BYTES = 100;

const own = new Compilers(1);
let folder: string | undefined;

/**
 * From now on requests of this process go to this user's compile server, which is started when there is none and ends a minute after the last. Not on
 * Windows, whose named pipes anybody may find: there nothing changes.
 * @param path of a folder, which is made, for this user only
 */
export function useCompileServer(path: string): void {
  if (process.platform !== "win32") folder = path;
}

/** As Compilers.run(). */
export async function runTools(request: Request, timeoutMs: number): Promise<ToolReply> {
  const socket = folder === undefined ? undefined : await serverIn(folder).catch(() => undefined);
  const answer = socket && (await ask(socket, request, timeoutMs));
  // Without a server it takes longer, and nothing else.
  if (!answer) return own.run(request, timeoutMs);
  if ("reply" in answer) return answer.reply;
  const { code, message, details } = answer.error;
  throw new NightshiftError(code, message, { details });
}

/** Where the server of this version listens: another one may be told otherwise. */
export const socketIn = (path: string): string => {
  const version = createHash("sha256").update([compilerVersion, process.version, SERVER].join("\n"));
  return join(path, `${version.digest("hex").slice(0, 12)}.sock`);
};

async function serverIn(path: string): Promise<Socket | undefined> {
  const at = socketIn(path);
  if (Buffer.byteLength(at) > MAX_PATH_BYTES) return undefined;
  await mkdir(path, { recursive: true, mode: 0o700 });
  // It is told what this user compiles and answers with what they will run.
  const { uid, mode } = await lstat(path);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined;
  const running = await connected(at);
  if (typeof running !== "string") return running;
  // One that was killed leaves it behind.
  if (running === "ECONNREFUSED") await rm(at, { force: true });
  spawn(process.execPath, [SERVER, at], { cwd: "/", detached: true, stdio: "ignore" }).unref();
  for (const deadline = performance.now() + START_MS; performance.now() < deadline; await delay(RETRY_MS)) {
    const started = await connected(at);
    if (typeof started !== "string") return started;
  }
  return undefined;
}

/** @returns why there is none */
const connected = (path: string): Promise<Socket | string> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket.removeAllListeners("error")));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });

/** @returns undefined when it goes away without an answer */
const ask = (socket: Socket, request: Request, timeoutMs: number): Promise<Answer | undefined> =>
  new Promise((resolve) => {
    const frames = new Frames();
    socket.on("data", (bytes) => {
      for (const answer of frames.add(bytes)) {
        resolve(answer as Answer);
        socket.destroy();
      }
    });
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(undefined));
    socket.write(frame({ request, timeoutMs }));
  });
