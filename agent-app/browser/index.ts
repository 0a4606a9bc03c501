// A page's side of the agent in its tab.

import type { ToldPolicy } from "@nightshift/coordinator/protocol";
import * as Comlink from "comlink";
import type { Shown } from "../shown/index.ts";
import { carryErrors } from "../worker/errors.ts";
import { startBrowserWorker } from "../worker/start.browser.ts";
import type { StartOptions, TabAgent, TabStatus, WorkerStarter } from "./agent.worker.ts";

export { type Device, loadDevice } from "./device.ts";
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
  /** The connection is made anew at once, as nothing may pass over the old one any more. */
  networkChanged(): Promise<void>;
  /** Whether somebody watches what the cluster does. */
  watch(on: boolean): Promise<void>;
  /** See Agent.showWork(). */
  showWork(on: boolean): Promise<void>;
  /** See Agent.shownNews(). */
  shownNews(): Promise<Shown | null | undefined>;
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
  let worker = startAgent();
  let paused: StartOptions["paused"] = null;
  let closed = false;
  return {
    async start(options) {
      paused = options.paused;
      for (;;) {
        const { agent, starter } = worker;
        const told = [Comlink.proxy(onStatus), Comlink.proxy(onPolicies), Comlink.proxy(starter)] as const;
        const joining = agent.start({ ...options, paused }, ...told);
        const joined = await Promise.race([
          joining.then(() => true),
          new Promise<false>((resolve) => setTimeout(() => resolve(false), START_MS)),
        ]);
        if (joined || closed) return;
        worker.end();
        worker = startAgent();
      }
    },
    pause(reason, keepMs, code) {
      paused = { reason, code };
      return worker.agent.pause(reason, keepMs, code);
    },
    allow: (coresPercent, memoryPercent) => worker.agent.allow(coresPercent, memoryPercent),
    resume() {
      paused = null;
      return worker.agent.resume();
    },
    networkChanged: () => worker.agent.networkChanged(),
    watch: (on) => worker.agent.watch(on),
    showWork: (on) => worker.agent.showWork(on),
    shownNews: () => worker.agent.shownNews(),
    leave: () => void worker.agent.stop().catch(() => undefined),
    close() {
      closed = true;
      worker.end();
    },
  };
}

interface AgentWorker {
  agent: Comlink.Remote<TabAgent>;
  starter: WorkerStarter;
  /** At once, with all that was started for it. */
  end(): void;
}

function startAgent(): AgentWorker {
  const worker = new Worker(new URL("./agent.worker.ts", import.meta.url), { type: "module" });
  const agent = Comlink.wrap<TabAgent>(worker);
  const enders = new Map<number, () => void>();
  let over = false;
  return {
    agent,
    starter: {
      start(number, port) {
        // What it asked for before it was ended may still come.
        if (!over)
          enders.set(
            number,
            startBrowserWorker(port, (message) => void agent.workerFailed(number, message)),
          );
      },
      end(number) {
        enders.get(number)?.();
        enders.delete(number);
      },
    },
    end() {
      over = true;
      worker.terminate();
      for (const end of enders.values()) end();
      enders.clear();
    },
  };
}
