// The caller's side of the compiler: one worker thread, started when first needed, kept warm (a cold start costs 2 s, a warm
// compile 0.1 s) and let go when idle. Requests run one after the other. Knows nothing of programs, flags or caches.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { NightshiftError } from "../errors.ts";
import type { ToolReply, ToolRequest } from "./clang-worker.ts";

/** The worker holds about 300 MB: long enough for the next file of the same person, short enough not to be in the way. */
const IDLE_MS = 15_000;

interface Pending {
  readonly request: Omit<ToolRequest, "id">;
  readonly timeoutMs: number;
  readonly resolve: (reply: ToolReply) => void;
  readonly reject: (error: Error) => void;
}

const queue: Pending[] = [];
let worker: Worker | undefined;
let current: Pending | undefined;
let deadline: NodeJS.Timeout | undefined;
let idle: NodeJS.Timeout | undefined;
let lastId = 0;

/** The version of the compiler, a part of every cache key. */
export const compilerVersion: string = (() => {
  const entry = createRequire(import.meta.url).resolve("@yowasp/clang");
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8")) as { version: string };
  return version;
})();

/**
 * Runs the commands in the worker.
 * @param timeoutMs from the start of the commands, not counting the wait for others
 * @throws NightshiftError NS_COMPILE_FAILED when the time is over, NS_INTERNAL when the worker dies
 */
export function runTools(request: Omit<ToolRequest, "id">, timeoutMs: number): Promise<ToolReply> {
  return new Promise((resolve, reject) => {
    queue.push({ request, timeoutMs, resolve, reject });
    next();
  });
}

function next(): void {
  if (current !== undefined) return;
  current = queue.shift();
  if (current === undefined) {
    worker?.unref();
    idle = setTimeout(() => drop(), IDLE_MS).unref();
    return;
  }
  clearTimeout(idle);
  const { request, timeoutMs } = current;
  worker ??= start();
  worker.ref();
  lastId++;
  worker.postMessage({ ...request, id: lastId } satisfies ToolRequest);
  deadline = setTimeout(() => {
    const message = `The compiler took longer than ${timeoutMs / 1000} s and was stopped`;
    drop();
    finish((pending) =>
      pending.reject(new NightshiftError("NS_COMPILE_FAILED", message, { details: { timeoutMs, diagnostics: message } })),
    );
  }, timeoutMs);
}

function start(): Worker {
  const started = new Worker(new URL("./clang-worker.ts", import.meta.url), { execArgv: [] });
  started.on("message", (reply: ToolReply) => {
    if (started === worker && reply.id === lastId) finish((pending) => pending.resolve(reply));
  });
  const died = (cause: unknown) => {
    if (started !== worker) return;
    worker = undefined;
    finish((pending) =>
      pending.reject(new NightshiftError("NS_INTERNAL", `The compiler's thread ended unexpectedly: ${String(cause)}`, { cause })),
    );
  };
  started.on("error", died);
  started.on("exit", (code) => died(`exit code ${code}`));
  return started;
}

/** Lets the worker go; the next request starts another. */
function drop(): void {
  const dropped = worker;
  worker = undefined;
  void dropped?.terminate();
}

function finish(settle: (pending: Pending) => void): void {
  clearTimeout(deadline);
  const finished = current;
  current = undefined;
  if (finished !== undefined) settle(finished);
  next();
}
