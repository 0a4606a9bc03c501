// The scheduler's core made durable and connected: every event goes through here. Events of one turn of the event loop share one
// transaction (group commit); only when it is on the disk are messages sent, requests answered and news told. What tells nobody
// anything waits for the next such transaction, as most of the cost of one is that of the disk.
import { fill } from "../protocol/deed-details.ts";
import type { ClientEvent, ToAgent } from "../protocol/index.ts";
import {
  Core,
  type CoreSettings,
  type Effect,
  type Forgotten,
  isEnded,
  type ProcessRecord,
  type Saved,
  savedKey,
} from "../scheduler/index.ts";
import type { EarnedThen, NewEvent, OutputChunk, Stay, Store } from "../store/index.ts";
import { Feed } from "./feed.ts";

/** How long changes that nobody is told of may wait for others to be stored with. */
const QUIET_MS = 50;

/** News about a job, for clients that follow it. */
export type JobNews = ClientEvent | { event: "stdin" } | { event: "processEnded"; pid: number };

export class Coordinator {
  readonly core: Core;
  readonly store: Store;
  readonly settings: CoreSettings;
  private readonly senders = new Map<string, (message: ToAgent) => void>();
  private readonly followers = new Map<number, Set<(news: JobNews) => void>>();
  private pendingSaves = new Map<string, Saved>();
  private pendingEffects: Effect[] = [];
  private pendingHosts = new Set<string>();
  private pendingEvents: NewEvent[] = [];
  private pendingStays: Stay[] = [];
  private pendingEarned: EarnedThen[] = [];
  private forgotten: Forgotten[] = [];
  /** Where each process that has not ended is, as last written down. */
  private readonly places = new Map<number, string | null>();
  /** How often processes have gone from one host to another since the start. */
  moves = 0;
  private readonly runningJobs = new Set<number>();
  private readonly watchers = new Set<() => void>();
  /** What has changed, of what is stored. */
  readonly feed: Feed = new Feed();
  /** Begins so that no number comes again after a restart. */
  private listsAt = Date.now();
  private afterCommit: (() => void)[] = [];
  private scheduled = false;
  private quietTimer: NodeJS.Timeout | undefined;
  private readonly onFailure: (error: unknown) => void;

  /** @param onFailure the store failed: nothing can be acknowledged any more, the coordinator must end */
  constructor(store: Store, settings: CoreSettings, onFailure: (error: unknown) => void) {
    this.store = store;
    this.settings = settings;
    this.core = new Core(settings, store.load(), Date.now());
    this.onFailure = onFailure;
    for (const job of this.core.jobs.values()) {
      if (job.state !== "running") continue;
      this.runningJobs.add(job.id);
      this.feed.touch(`job/${job.id}`);
    }
    for (const process of this.core.alive.values()) {
      this.places.set(process.pid, process.host);
      this.feed.touch(`process/${process.pid}`);
    }
  }

  /** Applies an event. What it changes is stored, and its effects happen, at the end of this turn; without effects a little later. */
  apply<T>(event: (core: Core, now: number) => T): T {
    const now = Date.now();
    const result = event(this.core, now);
    const { changed, effects, forgotten, earned, hosts } = this.core.take();
    const forgets = Object.values(forgotten).some((list) => list.length > 0);
    if (forgets) this.forgotten.push(forgotten);
    for (const saved of changed) {
      this.pendingSaves.set(savedKey(saved), saved);
      if (saved.kind === "process") this.writeStay(saved.value, now);
      else if (saved.kind === "job") this.writeEnd(saved.value.id, now);
    }
    for (const gain of earned) this.pendingEarned.push({ at: now, ...gain });
    for (const host of hosts) this.pendingHosts.add(host);
    for (const effect of effects) this.pendingEffects.push(effect);
    if (effects.length > 0 || forgets) this.schedule();
    else if (changed.length > 0 || hosts.length > 0) this.quietTimer ??= setTimeout(() => this.flush(), QUIET_MS);
    return result;
  }

  /** Writes down what happened, with the changes it belongs to. */
  note(event: Omit<NewEvent, "at">): void {
    this.pendingEvents.push({ at: Date.now(), ...event });
    this.quietTimer ??= setTimeout(() => this.flush(), QUIET_MS);
  }

  private writeStay(process: ProcessRecord, at: number): void {
    const { pid, job } = process;
    const ended = isEnded(process);
    const known = this.places.get(pid);
    if (known === undefined ? ended : !ended && known === process.host) return;
    const again = process.lost === true;
    if (known && process.host && !ended && !again) this.moves++;
    if (ended) this.places.delete(pid);
    else this.places.set(pid, process.host);
    this.pendingStays.push({ job, pid, at, host: ended ? null : process.host, ended, again });
  }

  private writeEnd(id: number, at: number): void {
    const job = this.core.jobs.get(id);
    if (!job || job.state === "running") return void this.runningJobs.add(id);
    if (!this.runningJobs.delete(id)) return;
    const { report } = job;
    const { state } = job;
    const details =
      report?.kind === "exit"
        ? fill("{state} exit status {status}", { state, status: report.code })
        : report?.kind === "fault"
          ? fill("{state} {code}", { state, code: report.code })
          : state;
    this.pendingEvents.push({
      at,
      who: "coordinator",
      what: "job-ended",
      target: `j${id}`,
      details,
    });
  }

  /** Resolves when everything applied and noted so far is on the disk. */
  stored(): Promise<void> {
    return new Promise((resolve) => this.whenStored(resolve));
  }

  /** Told, with nothing said, whenever the feed has grown. @returns what ends that */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /**
   * Counts the changes of what is not told by itself, as it is short and seldom changes: events, people, policies, links, releases, hosts that wait to
   * be let in. Each of them is in the journal, or listsChanged() says so.
   */
  get lists(): number {
    return this.listsAt;
  }

  listsChanged(): void {
    this.listsAt++;
    this.show("lists/last");
  }

  /** A thing that is not stored has changed, or has come. */
  show(key: "sample/last" | "lists/last" | `host/${string}`): void {
    this.feed.touch(key);
    for (const watcher of this.watchers) watcher();
  }

  private feedChanges(saved: readonly Saved[], hosts: ReadonlySet<string>): void {
    for (const one of saved) {
      if (one.kind !== "job" && one.kind !== "process") continue;
      const over = one.kind === "job" ? one.value.state !== "running" : isEnded(one.value);
      const key = one.kind === "job" ? (`job/${one.value.id}` as const) : (`process/${one.value.pid}` as const);
      if (over) this.feed.end(key);
      else this.feed.touch(key);
    }
    for (const host of hosts) {
      if (this.core.hosts.has(host)) this.feed.touch(`host/${host}`);
      else this.feed.end(`host/${host}`);
    }
    if (saved.length > 0 || hosts.size > 0) for (const watcher of this.watchers) watcher();
  }

  /** Runs the work once everything applied so far is on the disk. */
  whenStored(work: () => void): void {
    this.afterCommit.push(work);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.scheduled = false;
    clearTimeout(this.quietTimer);
    this.quietTimer = undefined;
    const saved = [...this.pendingSaves.values()];
    const effects = this.pendingEffects;
    const after = this.afterCommit;
    const events = this.pendingEvents;
    const stays = this.pendingStays;
    const hosts = this.pendingHosts;
    this.pendingEvents = [];
    this.pendingStays = [];
    const earned = this.pendingEarned;
    this.pendingEarned = [];
    const { forgotten } = this;
    this.forgotten = [];
    this.pendingHosts = new Set();
    this.pendingSaves = new Map();
    this.pendingEffects = [];
    this.afterCommit = [];
    try {
      const output = effects.filter((effect) => effect.kind === "output") as OutputChunk[];
      if (saved.length + output.length + events.length + forgotten.length > 0)
        this.store.commit({ saved, output, events, stays, earned, forgotten });
    } catch (thrown) {
      this.onFailure(thrown);
      return;
    }
    for (const effect of effects) this.carryOut(effect);
    this.feedChanges(saved, hosts);
    if (events.length > 0) this.listsChanged();
    for (const work of after) work();
  }

  private carryOut(effect: Effect): void {
    if (effect.kind === "send") return this.senders.get(effect.host)?.(effect.message);
    const job = this.core.jobs.get(effect.job);
    if (effect.kind === "output")
      this.tell(effect.job, {
        event: "output",
        pid: effect.pid,
        part: effect.part,
        stream: effect.stream,
        end: effect.offset + effect.bytes.length,
        bytes: effect.bytes,
      });
    else if (effect.kind === "stdin") this.tell(effect.job, { event: "stdin" });
    else {
      this.tell(effect.job, { event: "processEnded", pid: effect.pid });
      if (job && job.state !== "running" && job.report) this.tell(effect.job, { event: "ended", report: job.report });
    }
  }

  private tell(job: number, news: JobNews): void {
    for (const follower of [...(this.followers.get(job) ?? [])]) follower(news);
  }

  /** @returns what ends the following */
  follow(job: number, follower: (news: JobNews) => void): () => void {
    const set = this.followers.get(job) ?? new Set();
    this.followers.set(job, set);
    set.add(follower);
    return () => {
      set.delete(follower);
      if (set.size === 0) this.followers.delete(job);
    };
  }

  /** At once: for what is on the disk already. Lost when the host is not connected. */
  send(host: string, message: ToAgent): void {
    this.senders.get(host)?.(message);
  }

  /** Who carries messages to this host; the last connection counts. */
  connectHost(host: string, send: (message: ToAgent) => void): (saidGoodbye: boolean) => void {
    this.senders.set(host, send);
    return (saidGoodbye) => {
      if (this.senders.get(host) !== send) return;
      this.senders.delete(host);
      this.apply((core, now) => (saidGoodbye ? core.hostLeft(host, now) : core.hostDisconnected(host)));
    };
  }

  /** Blobs that something still needs: programs, images of living processes, files of jobs. */
  blobsInUse(): { roots: Set<string>; images: Set<string> } {
    const roots = new Set(this.store.programs());
    const images = new Set<string>();
    for (const process of this.core.processes.values()) if (process.image) images.add(process.image.hash);
    for (const job of this.core.jobs.values()) {
      roots.add(job.spec.program);
      const { files, sweep } = job.spec;
      for (const file of [...Object.values(files), ...Object.values(sweep?.inputs?.files ?? {})]) roots.add(file.hash);
      for (const part of this.core.partsOf(job.id)) for (const file of Object.values(part.files)) roots.add(file.hash);
    }
    return { roots, images };
  }
}
