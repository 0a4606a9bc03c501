// Watches what hosts do and sums it up by the hour, for the picture of the week on a host's page. Looks on only.
import type { Host } from "../scheduler/index.ts";
import { HOUR_MS, type HourOfHost, type Usage } from "../store/index.ts";
import { hostState } from "./views.ts";

const LOOK_MS = 10_000;
const STORE_MS = 5 * 60_000;
/** A longer time between two looks is one in which this machine slept: nobody knows what hosts did. */
const MAX_GAP_MS = 60_000;

/** What a host does now, as shares of it; nothing when it is not there. */
export function sharesOf(host: Host): Usage | undefined {
  const none = { computing: 0, idle: 0, owner: 0, paused: 0 };
  const state = hostState(host);
  if (state === "offline") return undefined;
  if (state === "owner") return { ...none, owner: 1 };
  if (state === "paused" || state === "clear") return { ...none, paused: 1 };
  const computing = host.info.slots === 0 ? 0 : Math.min(1, host.running / host.info.slots);
  return { ...none, computing, idle: 1 - computing };
}

export interface UsagePorts {
  hosts(): Iterable<Host>;
  store(hours: readonly HourOfHost[], now: number): void;
  now(): number;
}

export class UsageWatch {
  private readonly ports: UsagePorts;
  private readonly hours = new Map<string, HourOfHost>();
  private readonly looking: NodeJS.Timeout;
  private readonly storing: NodeJS.Timeout;
  private lookedAt: number;

  constructor(ports: UsagePorts) {
    this.ports = ports;
    this.lookedAt = ports.now();
    this.looking = setInterval(() => this.look(), LOOK_MS);
    this.storing = setInterval(() => this.store(), STORE_MS);
  }

  close(): void {
    clearInterval(this.looking);
    clearInterval(this.storing);
    this.look();
    this.store();
  }

  /** What hosts do now they are taken to have done since the last look. */
  look(): void {
    const now = this.ports.now();
    const ms = now - this.lookedAt;
    this.lookedAt = now;
    if (ms <= 0 || ms > MAX_GAP_MS) return;
    const at = now - (now % HOUR_MS);
    for (const host of this.ports.hosts()) {
      const shares = sharesOf(host);
      if (!shares) continue;
      const key = `${host.id} ${at}`;
      const hour = this.hours.get(key) ?? { host: host.id, at, computing: 0, idle: 0, owner: 0, paused: 0 };
      for (const kind of ["computing", "idle", "owner", "paused"] as const) hour[kind] += Math.round(ms * shares[kind]);
      this.hours.set(key, hour);
    }
  }

  /** Of one host, not stored yet. */
  recent(host: string): HourOfHost[] {
    return [...this.hours.values()].filter((hour) => hour.host === host);
  }

  store(): void {
    if (this.hours.size === 0) return;
    this.ports.store([...this.hours.values()], this.ports.now());
    this.hours.clear();
  }
}

/** The same hours added up, oldest first. */
export function addedUp(hours: readonly HourOfHost[]): HourOfHost[] {
  const sums = new Map<number, HourOfHost>();
  for (const hour of hours) {
    const sum = sums.get(hour.at);
    if (!sum) sums.set(hour.at, { ...hour });
    else for (const kind of ["computing", "idle", "owner", "paused"] as const) sum[kind] += hour[kind];
  }
  return [...sums.values()].sort((a, b) => a.at - b.at);
}
