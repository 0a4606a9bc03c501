// The agent of a tab, in a worker of its own: timers of a page that is not looked at are slowed down, those of workers are not. Its page
// speaks to it by comlink.
import type { ToldPolicy } from "@nightshift/coordinator/protocol";
import * as Comlink from "comlink";
import { measureSpeed } from "../agent/calibrate.ts";
import { Agent, type AgentStatus, DEFAULT_AGENT_SETTINGS } from "../agent/index.ts";
import { carryErrors } from "../worker/errors.ts";
import { loadDevice } from "./device.ts";
import { browserPorts, type Coordinator } from "./ports.ts";

carryErrors();

export interface TabStatus extends AgentStatus {
  name: string;
}

export interface StartOptions {
  coordinator: Coordinator;
  slots: number;
  /** Why it does not compute yet; null: it may begin at once. */
  paused: { reason: string; code: string } | null;
}

export class TabAgent {
  private agent: Agent | undefined;
  private slots = 0;
  private memoryBytes = 0;

  /**
   * Joins.
   * @param onStatus called at every change
   * @param onPolicies obeys the coordinator's policies, or throws
   */
  async start(
    { coordinator, slots, paused }: StartOptions,
    onStatus: (status: TabStatus) => void,
    onPolicies: (policies: readonly ToldPolicy[]) => void | Promise<void>,
  ): Promise<void> {
    const { key, name } = await loadDevice();
    this.agent?.stop();
    const ports = browserPorts({
      name,
      coordinator,
      key,
      slots,
      speed: measureSpeed(() => performance.now()),
      log: () => undefined,
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

  /** Ends everything at once; processes go on elsewhere from their last images. */
  stop(): void {
    this.agent?.stop();
    this.agent = undefined;
  }
}

Comlink.expose(new TabAgent());
