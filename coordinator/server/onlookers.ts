// Hosts at which somebody watches the screensaver: they are told the whole cluster in a few numbers, again and again, as long as they watch. No names,
// no owners, no jobs: nothing that is anybody's.
import type { ToAgent } from "../protocol/index.ts";
import type { Coordinator } from "./coordinator.ts";
import { hostState } from "./views.ts";

type ClusterGlance = Extract<ToAgent, { type: "cluster" }>;

interface Teller {
  send(message: ToAgent): void;
}

const TELL_EVERY_MS = 5_000;

export class Onlookers {
  private readonly coordinator: Coordinator;
  private readonly watching = new Set<Teller>();
  private timer: NodeJS.Timeout | undefined;

  constructor(coordinator: Coordinator) {
    this.coordinator = coordinator;
  }

  /** @param host the connection to it */
  watch(host: Teller, on: boolean): void {
    if (!on) {
      this.watching.delete(host);
      if (this.watching.size === 0) this.close();
      return;
    }
    if (this.watching.has(host)) return;
    this.watching.add(host);
    this.timer ??= setInterval(() => this.tell(), TELL_EVERY_MS);
    host.send(this.glance());
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tell(): void {
    const glance = this.glance();
    for (const host of this.watching) host.send(glance);
  }

  private glance(): ClusterGlance {
    const { core, moves } = this.coordinator;
    const glance = { hosts: 0, online: 0, computing: 0, owners: 0, processes: core.alive.size, moves };
    for (const host of core.hosts.values()) {
      const state = hostState(host);
      glance.hosts++;
      if (state !== "offline") glance.online++;
      if (state === "computing") glance.computing++;
      if (state === "owner") glance.owners++;
    }
    return { type: "cluster", ...glance };
  }
}
