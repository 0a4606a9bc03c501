// The compile server as a program: `server.ts SOCKET`. Compiles for all commands of one user with compilers that are warm (tools.ts starts it and asks),
// several at once, and ends when nobody has asked for a minute or its socket is gone. Reads and writes no files.
import { rmSync, statSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { availableParallelism, freemem } from "node:os";
import { asNightshiftError } from "../errors.ts";
import { Compilers, type Request } from "./clang.ts";
import { Frames, frame } from "./frames.ts";
import type { Answer } from "./tools.ts";

const IDLE_MS = 60_000;
const LOOK_MS = 2_000;
/** Of one compiler, about. */
const COMPILER_BYTES = 512 * 1024 * 1024;

const path = process.argv[2] ?? "";
const most = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / COMPILER_BYTES)));
const compilers = new Compilers(most, IDLE_MS);
let asking = 0;
let lastAt = performance.now();

async function answer(socket: Socket, { request, timeoutMs }: { request: Request; timeoutMs: number }): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  const answer: Answer = await compilers.run(request, timeoutMs, gone.signal).then(
    (reply) => ({ reply }),
    (thrown: unknown) => {
      const { code, message, details } = asNightshiftError(thrown);
      return { error: { code, message, details } };
    },
  );
  socket.end(frame(answer));
}

const server = createServer((socket) => {
  asking++;
  const frames = new Frames();
  socket.on("data", (bytes) => {
    try {
      for (const message of frames.add(bytes)) void answer(socket, message as Parameters<typeof answer>[1]);
    } catch {
      socket.destroy();
    }
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    asking--;
    lastAt = performance.now();
  });
});
// Another one was quicker.
server.on("error", () => process.exit(1));
server.listen(path, () => {
  const { ino } = statSync(path);
  const isOurs = (): boolean => statSync(path, { throwIfNoEntry: false })?.ino === ino;
  setInterval(() => {
    if (asking > 0 || (isOurs() && performance.now() - lastAt < IDLE_MS)) return;
    if (isOurs()) rmSync(path);
    process.exit();
  }, LOOK_MS);
});
