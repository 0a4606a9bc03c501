// The cluster as the change stream tells it: hosts, jobs and processes that live, and the last hour's samples. One for the whole console.
import { useSyncExternalStore } from "react";
import type { Change } from "../server/http/stream.ts";
import { type Answer, ask, askUnanswered } from "./client.ts";

export type Host = Answer<"hosts">["hosts"][number];
export type Job = Answer<"jobs">["jobs"][number];
export type Sample = Answer<"cluster">["samples"][number];
export type Totals = Answer<"cluster">["totals"];
export interface Dot {
  pid: number;
  job: number;
  /** Number of its host; 0: none. */
  host: number;
  state: string;
}

const MAX_SAMPLES = 720;
const RETRY_MS = 3000;
/** The coordinator says something every ten seconds at least: without a word for so long the connection is dead, though nobody has said so. */
const SILENT_MS = 25_000;
const ENDED = new Set(["exited", "failed", "cancelled"]);

class Live {
  readonly hosts = new Map<number, Host>();
  readonly jobs = new Map<number, Job>();
  readonly processes = new Map<number, Dot>();
  samples: Sample[] = [];
  totals: Totals | undefined;
  state: "connecting" | "live" | "lost" = "connecting";
  /** Counts what has changed, for those who look on. */
  version = 0;
  private source: EventSource | undefined;
  private readonly watchers = new Set<() => void>();
  private frame = 0;
  private silent: number | undefined;

  start(): void {
    if (this.source) return;
    const source = new EventSource("/api/changes");
    this.source = source;
    this.expect();
    void ask("cluster").then(
      ({ samples, totals }) => {
        this.samples = [...samples];
        this.totals = totals;
        this.changed();
      },
      () => undefined,
    );
    source.addEventListener("change", ({ data }) => {
      this.expect();
      this.apply(JSON.parse(data));
    });
    source.addEventListener("beat", () => this.expect());
    source.addEventListener("error", () => {
      this.lost();
      // The browser tries again by itself, unless it was refused.
      if (source.readyState !== EventSource.CLOSED) return;
      this.stop();
      setTimeout(
        () =>
          void ask("cluster").then(
            () => this.start(),
            () => this.start(),
          ),
        RETRY_MS,
      );
    });
  }

  private expect(): void {
    clearTimeout(this.silent);
    this.silent = window.setTimeout(() => {
      this.lost();
      this.stop();
      this.start();
    }, SILENT_MS);
  }

  private lost(): void {
    this.state = "lost";
    this.changed();
  }

  stop(): void {
    clearTimeout(this.silent);
    this.source?.close();
    this.source = undefined;
  }

  private apply(change: Change): void {
    if (change.reset) for (const map of [this.hosts, this.jobs, this.processes]) map.clear();
    for (const host of change.hosts ?? []) this.hosts.set(host.number, host);
    for (const id of change.gone ?? [])
      for (const host of this.hosts.values()) if (host.id === id) this.hosts.delete(host.number);
    for (const job of change.jobs ?? []) this.jobs.set(job.job, job);
    for (const [pid, , job, state, host] of change.processes ?? []) {
      if (ENDED.has(state)) this.processes.delete(pid);
      else this.processes.set(pid, { pid, job, state, host });
    }
    if (change.sample) this.samples = [...this.samples.slice(1 - MAX_SAMPLES), change.sample];
    if (change.totals) this.totals = change.totals;
    if (!change.more && this.state !== "live") {
      this.state = "live";
      askUnanswered();
    }
    this.changed();
  }

  private changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.version++;
      for (const watcher of this.watchers) watcher();
    });
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
}

export const live: Live = new Live();
/** Renders again with every change. */
export function useLive(): Live {
  useSyncExternalStore(live.watch, () => live.version);
  return live;
}

export function processesByHost(): Map<number, Dot[]> {
  const found = new Map<number, Dot[]>();
  for (const dot of live.processes.values()) {
    const list = found.get(dot.host);
    if (list) list.push(dot);
    else found.set(dot.host, [dot]);
  }
  return found;
}
