// A page's side of the agent in its tab.
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
  pause(reason: string, keepMs: number): Promise<void>;
  resume(): Promise<void>;
  /** Ends it at once; processes go on elsewhere from their last images. */
  close(): void;
}

/** @param onStatus called at every change */
export function openTab(onStatus: (status: TabStatus) => void): Tab {
  carryErrors();
  const worker = new Worker(new URL("./agent.worker.ts", import.meta.url), { type: "module" });
  const agent = Comlink.wrap<TabAgent>(worker);
  return {
    start: (options) => agent.start(options, Comlink.proxy(onStatus)),
    pause: (reason, keepMs) => agent.pause(reason, keepMs),
    resume: () => agent.resume(),
    close: () => worker.terminate(),
  };
}
