// The agent of a tab, in a worker of its own: timers of a page that is not looked at are slowed down, those of workers are not. Its page
// speaks to it by comlink.
import type { ToldPolicy } from "@nightshift/coordinator/protocol";
import * as Comlink from "comlink";
import { measureSpeed } from "../agent/calibrate.ts";
import { Agent, type AgentStatus, DEFAULT_AGENT_SETTINGS } from "../agent/index.ts";
import type { Shown } from "../shown/index.ts";
import { carryErrors } from "../worker/errors.ts";
import type { StartWorker } from "../worker/index.browser.ts";
import type { Device } from "./device.ts";
import { browserPorts, type Coordinator } from "./ports.ts";

carryErrors();

export interface TabStatus extends AgentStatus {
  name: string;
}

export interface StartOptions {
  /** The page has it already; looked for here, an answer that does not come would make a second host of this browser. */
  device: Device;
  coordinator: Coordinator;
  slots: number;
  /** Why it does not compute yet; null: it may begin at once. */
  paused: { reason: string; code: string } | null;
}

/** Who starts workers for the agent and ends them, by numbers of the agent's: the page. */
export interface WorkerStarter {
  start(number: number, port: MessagePort): void | Promise<void>;
  end(number: number): void | Promise<void>;
}

export class TabAgent {
  private readonly failed = new Map<number, (message: string) => void>();
  private workers = 0;
  private agent: Agent | undefined;
  private slots = 0;
  private memoryBytes = 0;

  /**
   * Joins.
   * @param onStatus called at every change
   * @param onPolicies obeys the coordinator's policies, or throws
   */
  async start(
    { device: { key, name }, coordinator, slots, paused }: StartOptions,
    onStatus: (status: TabStatus) => void,
    onPolicies: (policies: readonly ToldPolicy[]) => void | Promise<void>,
    starter: WorkerStarter,
  ): Promise<void> {
    this.agent?.stop();
    const ports = browserPorts({
      name,
      coordinator,
      key,
      slots,
      speed: measureSpeed(() => performance.now()),
      log: () => undefined,
      startWorker: (port, failed) => this.startWorker(starter, port, failed),
    });
    const agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots }, (status) => onStatus({ ...status, name }));
    this.agent = agent;
    this.slots = slots;
    this.memoryBytes = ports.hostInfo().memoryBytes;
    agent.onPolicies(onPolicies);
    if (paused !== null) agent.pause(paused.reason, 0, paused.code);
    agent.start();
  }

  /** @param keepMs how long processes stay before they go on elsewhere */
  pause(reason: string, keepMs: number, code: string): void {
    this.agent?.pause(reason, keepMs, code);
  }

  allow(coresPercent: number, memoryPercent: number): void {
    this.agent?.allow({
      slots: Math.max(1, Math.floor((this.slots * coresPercent) / 100)),
      memoryBytes: Math.floor((this.memoryBytes * memoryPercent) / 100),
    });
  }

  resume(): void {
    this.agent?.resume();
  }

  private startWorker(starter: WorkerStarter, ...[port, failed]: Parameters<StartWorker>): () => void {
    const number = ++this.workers;
    this.failed.set(number, failed);
    void starter.start(number, Comlink.transfer(port, [port]));
    return () => {
      if (this.failed.delete(number)) void starter.end(number);
    };
  }

  /** A worker that was started for this agent cannot go on. */
  workerFailed(number: number, message: string): void {
    this.failed.get(number)?.(message);
  }

  /** Whether somebody watches what the cluster does. */
  watch(on: boolean): void {
    this.agent?.watch(on);
  }

  /** See Agent.showWork(). */
  showWork(on: boolean): void {
    this.agent?.showWork(on);
  }

  /** See Agent.shownNews(). */
  shownNews(): Shown | null | undefined {
    return this.agent?.shownNews();
  }

  networkChanged(): void {
    this.agent?.networkChanged();
  }

  /** Ends everything at once; processes go on elsewhere from their last images. */
  stop(): void {
    this.agent?.stop();
    this.agent = undefined;
  }
}

Comlink.expose(new TabAgent());
