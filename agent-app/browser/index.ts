// A page's side of the agent in its tab.

import type { ToldPolicy } from "@nightshift/coordinator/protocol";
import * as Comlink from "comlink";
import { carryErrors } from "../worker/errors.ts";
import type { StartOptions, TabAgent, TabStatus } from "./agent.worker.ts";

export type { Coordinator } from "./ports.ts";
export { keepProgram, keptProgram } from "./programs.ts";
export type { StartOptions, TabStatus };

export interface Tab {
  /** Joins. */
  start(options: StartOptions): Promise<void>;
  /** @param keepMs how long processes stay before they go on elsewhere */
  pause(reason: string, keepMs: number, code: string): Promise<void>;
  /** How much of the slots and of the tab's memory may be computed with while it is not paused, in percent. */
  allow(coresPercent: number, memoryPercent: number): Promise<void>;
  resume(): Promise<void>;
  /** Says goodbye, as far as there is time: the page is about to go. */
  leave(): void;
  /** Ends it at once; processes go on elsewhere from their last images. */
  close(): void;
}

/** An agent that has not joined by then, on however busy a computer, never will: browsers lose a worker now and then. */
const START_MS = 30_000;

/**
 * @param onStatus called at every change
 * @param onPolicies obeys the coordinator's policies, or throws
 */
export function openTab(onStatus: (status: TabStatus) => void, onPolicies: (policies: readonly ToldPolicy[]) => void): Tab {
  carryErrors();
  let worker = startWorker();
  let agent = Comlink.wrap<TabAgent>(worker);
  let paused: StartOptions["paused"] = null;
  let closed = false;
  return {
    async start(options) {
      paused = options.paused;
      for (;;) {
        const joining = agent.start({ ...options, paused }, Comlink.proxy(onStatus), Comlink.proxy(onPolicies));
        const joined = await Promise.race([
          joining.then(() => true),
          new Promise<false>((resolve) => setTimeout(() => resolve(false), START_MS)),
        ]);
        if (joined || closed) return;
        worker.terminate();
        worker = startWorker();
        agent = Comlink.wrap<TabAgent>(worker);
      }
    },
    pause(reason, keepMs, code) {
      paused = { reason, code };
      return agent.pause(reason, keepMs, code);
    },
    allow: (coresPercent, memoryPercent) => agent.allow(coresPercent, memoryPercent),
    resume() {
      paused = null;
      return agent.resume();
    },
    leave: () => void agent.stop().catch(() => undefined),
    close() {
      closed = true;
      worker.terminate();
    },
  };
}

const startWorker = (): Worker => new Worker(new URL("./agent.worker.ts", import.meta.url), { type: "module" });
