// The caller's side of the compiler: threads that are started when first needed, kept warm (a cold start costs 2 s, a warm compile 0.1 s)
// and let go when idle. Each runs one request after the other. Knows nothing of programs, flags or caches.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { NightshiftError } from "../errors.ts";
import { keepWasmCode } from "../process/index.node.ts";
import type { ToolReply, ToolRequest } from "./clang-worker.ts";

/** A thread holds about 300 MB: long enough for the next file of the same person, short enough not to be in the way. */
const IDLE_MS = 15_000;

export type Request = Omit<ToolRequest, "id">;

interface Pending {
  readonly request: Request;
  readonly timeoutMs: number;
  readonly resolve: (reply: ToolReply) => void;
  readonly reject: (error: Error) => void;
}

/** The version of the compiler, a part of every cache key. */
export const compilerVersion: string = (() => {
  const entry = createRequire(import.meta.url).resolve("@yowasp/clang");
  const { version } = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8")) as { version: string };
  return version;
})();

export class Compilers {
  private readonly max: number;
  private readonly idleMs: number;
  private readonly queue: Pending[] = [];
  private readonly threads = new Set<Thread>();

  /**
   * @param max so many threads at most
   * @param idleMs for so long one is kept that has nothing to do
   */
  constructor(max: number, idleMs = IDLE_MS) {
    this.max = max;
    this.idleMs = idleMs;
  }

  /**
   * Runs the commands in a thread.
   * @param timeoutMs from the start of the commands, not counting the wait for others
   * @param signal aborted when nobody wants the result any more
   * @throws NightshiftError NS_COMPILE_FAILED when the time is over, NS_INTERNAL when the thread dies, NS_CANCELLED
   */
  run(request: Request, timeoutMs: number, signal?: AbortSignal): Promise<ToolReply> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { request, timeoutMs, resolve, reject };
      this.queue.push(pending);
      signal?.addEventListener("abort", () => this.giveUp(pending), { once: true });
      this.next();
    });
  }

  private next(): void {
    if (this.queue.length === 0) return;
    let thread = [...this.threads].find(({ isFree }) => isFree);
    if (!thread) {
      if (this.threads.size >= this.max) return;
      const begun = new Thread(
        this.idleMs,
        () => this.next(),
        () => this.threads.delete(begun),
      );
      thread = begun;
      this.threads.add(begun);
    }
    const pending = this.queue.shift();
    if (pending) thread.take(pending);
  }

  private giveUp(pending: Pending): void {
    const at = this.queue.indexOf(pending);
    if (at >= 0) this.queue.splice(at, 1);
    for (const thread of this.threads) if (thread.works(pending)) thread.end();
    pending.reject(new NightshiftError("NS_CANCELLED", "Nobody waits for this compilation any more"));
    this.next();
  }
}

class Thread {
  private readonly worker: Worker;
  private readonly idleMs: number;
  private readonly onFree: () => void;
  private readonly onEnd: () => void;
  private current: Pending | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  private lastId = 0;
  private hasEnded = false;

  /**
   * @param onFree it can take another request
   * @param onEnd it cannot any more
   */
  constructor(idleMs: number, onFree: () => void, onEnd: () => void) {
    this.idleMs = idleMs;
    this.onFree = onFree;
    this.onEnd = onEnd;
    keepWasmCode();
    this.worker = new Worker(new URL("./clang-worker.ts", import.meta.url), { execArgv: [] });
    this.worker.on("message", (reply: ToolReply) => {
      if (reply.id === this.lastId) this.finish((pending) => pending.resolve(reply));
    });
    const died = (cause: unknown): void => {
      if (this.hasEnded) return;
      this.end();
      const message = `The compiler's thread ended unexpectedly: ${String(cause)}`;
      this.finish((pending) => pending.reject(new NightshiftError("NS_INTERNAL", message, { cause })));
    };
    this.worker.on("error", died);
    this.worker.on("exit", (code) => died(`exit code ${code}`));
  }

  get isFree(): boolean {
    return this.current === undefined && !this.hasEnded;
  }

  works(pending: Pending): boolean {
    return this.current === pending;
  }

  take(pending: Pending): void {
    clearTimeout(this.idle);
    this.current = pending;
    const { request, timeoutMs } = pending;
    this.worker.ref();
    this.lastId++;
    this.worker.postMessage({ ...request, id: this.lastId } satisfies ToolRequest);
    this.deadline = setTimeout(() => {
      const message = `The compiler took longer than ${timeoutMs / 1000} s and was stopped`;
      const details = { timeoutMs, diagnostics: message };
      this.end();
      this.finish(({ reject }) => reject(new NightshiftError("NS_COMPILE_FAILED", message, { details })));
    }, timeoutMs);
  }

  /** Whoever it works for hears nothing. */
  end(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.idle);
    this.hasEnded = true;
    void this.worker.terminate();
    this.onEnd();
  }

  private finish(settle: (pending: Pending) => void): void {
    clearTimeout(this.deadline);
    const finished = this.current;
    this.current = undefined;
    if (!this.hasEnded) {
      this.worker.unref();
      this.idle = setTimeout(() => this.end(), this.idleMs).unref();
    }
    if (finished) settle(finished);
    this.onFree();
  }
}
