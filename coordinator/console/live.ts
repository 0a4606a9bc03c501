// The cluster as the change stream tells it: hosts, jobs and processes that live, and the last hour's samples. One for the whole console.
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Change } from "../server/http/stream.ts";
import { type Answer, type Asked, ask, askUnanswered, useAsk } from "./client.ts";

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

/** Told of what changes before the page is drawn again. */
export interface Observer {
  /** A host, or what runs on it. */
  touched(host: number): void;
  /** A process goes from its host to another one; it is still where it was. */
  moves(dot: Dot, to: number): void;
}

const MAX_SAMPLES = 720;
const RETRY_MS = 3000;
/** The coordinator says something every ten seconds at least: without a word for so long the connection is dead, though nobody has said so. */
const SILENT_MS = 25_000;
const ENDED = new Set(["exited", "failed", "cancelled"]);

/** What decides where a host lies on the map, and which words find it. */
const shapeOf = ({ name, tags, slots, os, cpuModel }: Host): string => `${name}\n${slots}\n${os}\n${cpuModel}\n${tags.join(" ")}`;

class Live {
  readonly hosts = new Map<number, Host>();
  readonly jobs = new Map<number, Job>();
  readonly processes = new Map<number, Dot>();
  /** The same by their host's number. */
  readonly byHost = new Map<number, Map<number, Dot>>();
  readonly observers = new Set<Observer>();
  samples: Sample[] = [];
  totals: Totals | undefined;
  /** Another number when lists that are asked for may be new. */
  lists = 0;
  state: "connecting" | "live" | "lost" = "connecting";
  /** Counts what has changed, for those who look on. */
  version = 0;
  /** The same for what hosts are (name, tags, cores, system), which of them there are, and for the states they are in. */
  shapes = 0;
  states = 0;
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
    if (change.reset) {
      for (const map of [this.hosts, this.jobs, this.processes, this.byHost]) map.clear();
      this.shapes++;
    }
    for (const host of change.hosts ?? []) {
      const before = this.hosts.get(host.number);
      this.hosts.set(host.number, host);
      if (!before || shapeOf(before) !== shapeOf(host)) this.shapes++;
      if (before?.state !== host.state || before.block !== host.block) this.states++;
      this.touched(host.number);
    }
    for (const id of change.gone ?? [])
      for (const host of this.hosts.values())
        if (host.id === id) {
          this.hosts.delete(host.number);
          this.shapes++;
        }
    for (const job of change.jobs ?? []) this.jobs.set(job.job, job);
    for (const [pid, , job, state, host] of change.processes ?? []) this.place({ pid, job, state, host });
    if (change.sample) this.samples = [...this.samples.slice(1 - MAX_SAMPLES), change.sample];
    if (change.totals) this.totals = change.totals;
    if (change.lists !== undefined) this.lists = change.lists;
    if (!change.more && this.state !== "live") {
      this.state = "live";
      askUnanswered();
    }
    this.changed();
  }

  private place(dot: Dot): void {
    const before = this.processes.get(dot.pid);
    const ended = ENDED.has(dot.state);
    if (before && (ended || before.host !== dot.host)) {
      if (!ended) for (const observer of this.observers) observer.moves(before, dot.host);
      this.byHost.get(before.host)?.delete(dot.pid);
      this.touched(before.host);
    }
    if (ended) this.processes.delete(dot.pid);
    else {
      this.processes.set(dot.pid, dot);
      const there = this.byHost.get(dot.host) ?? new Map<number, Dot>();
      if (!there.has(dot.pid)) this.touched(dot.host);
      this.byHost.set(dot.host, there.set(dot.pid, dot));
    }
  }

  private touched(host: number): void {
    for (const observer of this.observers) observer.touched(host);
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

/** As changes come many at a time, what they make new is asked for so seldom. */
const FOLLOW_MS = 1000;

/** As useAsk(), and asks again when the coordinator says that lists have changed. */
export function useFollowed<T>(key: string, work: () => Promise<T>): Asked<T> {
  const asked = useAsk(key, work);
  const lists = useSyncExternalStore(live.watch, () => live.lists);
  const { again } = asked;
  const seen = useRef(lists);
  const askedAt = useRef(performance.now());
  useEffect(() => {
    if (seen.current === lists) return;
    const wait = Math.max(0, askedAt.current + FOLLOW_MS - performance.now());
    const timer = setTimeout(() => {
      seen.current = lists;
      askedAt.current = performance.now();
      again();
    }, wait);
    return () => clearTimeout(timer);
  }, [lists, again]);
  return asked;
}

/** What runs on a host, the longest there first. @param host its number */
export const processesOf = (host: number): ReadonlyMap<number, Dot> => live.byHost.get(host) ?? NOTHING;
const NOTHING: ReadonlyMap<number, Dot> = new Map();

/** Whether processes can be moved there now. */
export const takesProcesses = ({ state, block }: Pick<Host, "state" | "block">): boolean =>
  (state === "computing" || state === "idle") && !block;
