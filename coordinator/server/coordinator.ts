// The scheduler's core made durable and connected: every event goes through here. Events of one turn of the event loop share one
// transaction (group commit); only when it is on the disk are messages sent, requests answered and news told. What tells nobody
// anything waits for the next such transaction, as most of the cost of one is that of the disk.
import type { ClientEvent, ToAgent } from "../protocol/index.ts";
import { Core, type CoreSettings, type Effect, type Saved } from "../scheduler/index.ts";
import type { OutputChunk, Store } from "../store/index.ts";

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
  }

  /** Applies an event. What it changes is stored, and its effects happen, at the end of this turn; without effects a little later. */
  apply<T>(event: (core: Core, now: number) => T): T {
    const result = event(this.core, Date.now());
    const { changed, effects } = this.core.take();
    for (const saved of changed) this.pendingSaves.set(keyOf(saved), saved);
    for (const effect of effects) this.pendingEffects.push(effect);
    if (effects.length > 0) this.schedule();
    else if (changed.length > 0) this.quietTimer ??= setTimeout(() => this.flush(), QUIET_MS);
    return result;
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
    this.pendingSaves = new Map();
    this.pendingEffects = [];
    this.afterCommit = [];
    try {
      const output = effects.filter((effect) => effect.kind === "output") as OutputChunk[];
      if (saved.length > 0 || output.length > 0) this.store.commit({ saved, output });
    } catch (thrown) {
      this.onFailure(thrown);
      return;
    }
    for (const effect of effects) this.carryOut(effect);
    for (const work of after) work();
  }

  private carryOut(effect: Effect): void {
    if (effect.kind === "send") return this.senders.get(effect.host)?.(effect.message);
    const job = this.core.jobs.get(effect.job);
    if (effect.kind === "output")
      this.tell(effect.job, {
        event: "output",
        pid: effect.pid,
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

  /** Who carries messages to this host; the last connection counts. */
  connectHost(host: string, send: (message: ToAgent) => void): () => void {
    this.senders.set(host, send);
    return () => {
      if (this.senders.get(host) !== send) return;
      this.senders.delete(host);
      this.apply((core) => core.hostDisconnected(host));
    };
  }

  /** Blobs that something still needs: programs, images of living processes, files of jobs. */
  blobsInUse(): { roots: Set<string>; images: Set<string> } {
    const roots = new Set(this.store.programs());
    const images = new Set<string>();
    for (const process of this.core.processes.values()) if (process.image) images.add(process.image.hash);
    for (const job of this.core.jobs.values()) {
      roots.add(job.spec.program);
      for (const file of [...Object.values(job.files), ...Object.values(job.spec.files)]) roots.add(file.hash);
    }
    return { roots, images };
  }
}

const keyOf = (saved: Saved): string =>
  `${saved.kind}/${saved.kind === "kernel" ? saved.job : saved.kind === "job" ? saved.value.id : saved.value.pid}`;
