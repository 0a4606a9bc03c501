// Keeps the process that computes alive: starts it, watches that it is heard, ends it when it is not, and starts it again, sooner or
// later. What it computed goes on from its checkpoint, here or elsewhere; the app itself notices no more than a message.
import type { SignedRelease, UpgradeStep } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { ControlAnswer } from "../../headless/control.ts";
import type { Shown } from "../../shown/index.ts";
import type { Begin, FromAgentProcess, ProcessStatus, ToldSignals } from "../agent/protocol.ts";
import type { AgentHandle, DesktopPort } from "./port.ts";

/** It says something every second; so long without is a hang. Starting takes longer. */
export const SILENT_MS = 15_000;
/** Sleep is no hang: a look that comes this late says that we slept too. */
const LOOK_MS = 1_000;
const LATE_MS = 5_000;
export const MIN_RESTART_MS = 1_000;
const MAX_RESTART_MS = 5 * 60_000;
/** Having lived so long, it begins again from the shortest wait. */
const SETTLED_MS = 60_000;
const ORDER_TIMEOUT_MS = 10_000;

export interface AgentEvents {
  started(): void;
  status(status: ProcessStatus): void;
  /** As the process tells it: without the tiles that have not changed. */
  shown(news: Shown | null): void;
  log(event: string, details: Readonly<Record<string, unknown>>): void;
  upgrade(release: SignedRelease | null, back: SignedRelease | null): void;
  /** It ended; it starts again in so many milliseconds. */
  ended(problem: { code: string; message: string }, restartMs: number): void;
}

type Failure = { code: string; message: string } | null;
type Waiting = { resolve(answer: ControlAnswer): void; cancel(): void };

export class AgentProcess {
  private readonly port: Pick<DesktopPort, "startAgent" | "now" | "after">;
  private readonly on: AgentEvents;
  private begin: Begin | undefined;
  private handle: AgentHandle | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly fetching = new Map<number, (failure: Failure) => void>();
  private lastId = 0;
  private heardAt = 0;
  private startedAt = 0;
  private failures = 0;
  private failed: { code: string; message: string } | undefined;
  private timer: (() => void) | undefined;
  restarts = 0;

  constructor(port: AgentProcess["port"], on: AgentEvents) {
    this.port = port;
    this.on = on;
  }

  /** Starts it, ending the one there is. */
  start(begin: Begin): void {
    this.stop();
    this.begin = begin;
    this.failures = 0;
    this.run();
  }

  stop(): void {
    this.timer?.();
    this.begin = undefined;
    const { handle } = this;
    this.handle = undefined;
    this.giveUpOrders();
    if (!handle) return;
    handle.send({ type: "end" });
    this.port.after(1_000, () => handle.kill());
  }

  signals(signals: ToldSignals): void {
    this.handle?.send({ type: "signals", signals });
  }

  /** @throws the agent's refusal, or NS_UNREACHABLE when there is none or it does not answer */
  async order(order: object): Promise<Extract<ControlAnswer, { ok: true }>> {
    const { handle } = this;
    if (!handle) throw new NightshiftError("NS_UNREACHABLE", "this computer has not joined a coordinator, or is just starting");
    const id = ++this.lastId;
    const answer = await new Promise<ControlAnswer>((resolve) => {
      const cancel = this.port.after(ORDER_TIMEOUT_MS, () => this.answered(id, NO_ANSWER));
      this.waiting.set(id, { resolve, cancel });
      handle.send({ type: "order", id, order });
    });
    if (!answer.ok) throw new NightshiftError(answer.code as "NS_UNREACHABLE", answer.message);
    return answer;
  }

  /** Whether somebody watches what the cluster does. */
  watchCluster(on: boolean): void {
    this.handle?.send({ type: "watch", on });
  }

  /** What it has is to go elsewhere before it is stopped. */
  leaving(): void {
    this.handle?.send({ type: "leaving" });
  }

  /** Has a blob of the coordinator's in a file, however long that takes. @throws NS_NOT_FOUND..., NS_UNREACHABLE when it ends meanwhile */
  async fetch(hash: string, path: string): Promise<void> {
    const { handle } = this;
    const id = ++this.lastId;
    const failure = await new Promise<Failure>((resolve) => {
      if (!handle) return resolve(NO_ANSWER);
      this.fetching.set(id, resolve);
      handle.send({ type: "fetch", id, hash, path });
    });
    if (failure) throw new NightshiftError(failure.code as "NS_UNREACHABLE", failure.message);
  }

  sayUpgrade(version: string, step: UpgradeStep, problem: string | null): void {
    this.handle?.send({ type: "upgrade", version, step, problem });
  }

  private run(): void {
    const { port } = this;
    const begin = this.begin;
    if (!begin) return;
    this.failed = undefined;
    this.startedAt = this.heardAt = port.now();
    const handle = port.startAgent({
      message: (message) => this.handle === handle && this.heard(message),
      exited: (code) => this.handle === handle && this.ended(code),
    });
    this.handle = handle;
    handle.send({ type: "begin", begin });
    this.on.started();
    this.watch(port.now());
  }

  /** The watchdog. */
  private watch(lookedAt: number): void {
    this.timer = this.port.after(LOOK_MS, () => {
      const now = this.port.now();
      if (now - lookedAt > LATE_MS) this.heardAt = now;
      if (now - this.heardAt > SILENT_MS) {
        this.on.log("hangs", { ms: now - this.heardAt });
        this.handle?.kill(); // and then `exited` is told
        this.heardAt = now;
      }
      this.watch(now);
    });
  }

  private heard(message: FromAgentProcess): void {
    this.heardAt = this.port.now();
    switch (message.type) {
      case "status":
        return this.on.status(message.status);
      case "shown":
        return this.on.shown(message.shown);
      case "log":
        return this.on.log(message.event, message.details);
      case "answer":
        return this.answered(message.id, message.answer);
      case "upgrade":
        return this.on.upgrade(message.release, message.back);
      case "fetched":
        this.fetching.get(message.id)?.(message.failure);
        this.fetching.delete(message.id);
        return;
      case "failed":
        this.failed = message;
    }
  }

  private answered(id: number, answer: ControlAnswer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.cancel();
    waiting?.resolve(answer);
  }

  private ended(code: number | null): void {
    const { port } = this;
    this.handle = undefined;
    this.timer?.();
    this.giveUpOrders();
    if (port.now() - this.startedAt > SETTLED_MS) this.failures = 0;
    const restartMs = Math.min(MAX_RESTART_MS, MIN_RESTART_MS * 2 ** this.failures++);
    this.restarts++;
    this.on.ended(this.failed ?? { code: "NS_INTERNAL", message: `the computing process ended with code ${code}` }, restartMs);
    this.timer = port.after(restartMs, () => this.run());
  }

  private giveUpOrders(): void {
    for (const id of [...this.waiting.keys()]) this.answered(id, NO_ANSWER);
    for (const tell of this.fetching.values()) tell(NO_ANSWER);
    this.fetching.clear();
  }
}

const NO_ANSWER: Extract<ControlAnswer, { ok: false }> = {
  ok: false,
  code: "NS_UNREACHABLE",
  message: "the computing process does not answer",
};
