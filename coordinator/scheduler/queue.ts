// Processes that wait for a host, and whose turn it is. Pure. Between submitters the one who is served least is next, and between the jobs
// of one submitter likewise, so that ten thousand parts of one job make nobody else wait; within a job it is first come, first served.

/** A job with processes that wait. */
export interface Waiting {
  job: number;
  by: string;
  pids: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

export class Queue {
  private readonly jobs = new Map<number, Set<number>>();
  private readonly jobOf = new Map<number, number>();

  get size(): number {
    return this.jobOf.size;
  }

  add({ pid, job }: { pid: number; job: number }): void {
    this.delete(pid);
    this.jobOf.set(pid, job);
    const pids = this.jobs.get(job);
    if (pids) pids.add(pid);
    else this.jobs.set(job, new Set([pid]));
  }

  delete(pid: number): void {
    const job = this.jobOf.get(pid);
    if (job === undefined) return;
    this.jobOf.delete(pid);
    const pids = this.jobs.get(job);
    pids?.delete(pid);
    if (pids?.size === 0) this.jobs.delete(job);
  }

  /** Of one job. */
  of(job: number): ReadonlySet<number> {
    return this.jobs.get(job) ?? NONE;
  }

  /** Processes of each job, in the order in which they came. */
  entries(): Iterable<readonly [number, ReadonlySet<number>]> {
    return this.jobs;
  }
}

/** When each submitter and each job last had a turn, so that among equals it goes round. Forgotten when the coordinator restarts. */
export class Turns {
  private count = 0;
  private readonly byWhom = new Map<string, number>();
  private readonly byJob = new Map<number, number>();

  take(by: string, job: number): void {
    this.count++;
    this.byWhom.set(by, this.count);
    this.byJob.set(job, this.count);
  }

  ended(job: number): void {
    this.byJob.delete(job);
  }

  /** How much earlier the turn of a's submitter was. */
  between(a: Waiting, b: Waiting): number {
    return (this.byWhom.get(a.by) ?? 0) - (this.byWhom.get(b.by) ?? 0);
  }

  betweenJobs(a: Waiting, b: Waiting): number {
    return (this.byJob.get(a.job) ?? 0) - (this.byJob.get(b.job) ?? 0);
  }
}

/** How many processes of each submitter and each job have a host; counted on as places are given away. */
export class Served {
  private readonly turns: Turns;
  private readonly byWhom = new Map<string, number>();
  private readonly byJob = new Map<number, number>();

  constructor(turns: Turns) {
    this.turns = turns;
  }

  add(by: string, job: number): void {
    this.byWhom.set(by, (this.byWhom.get(by) ?? 0) + 1);
    this.byJob.set(job, (this.byJob.get(job) ?? 0) + 1);
  }

  /** Whether any process of this submitter has a host. */
  serves(by: string): boolean {
    return this.byWhom.has(by);
  }

  /**
   * Of those that wait, the job whose turn it is: of the submitter with fewest processes on hosts, then the job with fewest; among equals who
   * has waited longest for a turn, then the older job.
   */
  next(waiting: Iterable<Waiting>): Waiting | undefined {
    let best: Waiting | undefined;
    for (const one of waiting) if (best === undefined || this.before(one, best)) best = one;
    return best;
  }

  private before(a: Waiting, b: Waiting): boolean {
    const order =
      (this.byWhom.get(a.by) ?? 0) - (this.byWhom.get(b.by) ?? 0) ||
      this.turns.between(a, b) ||
      (this.byJob.get(a.job) ?? 0) - (this.byJob.get(b.job) ?? 0) ||
      this.turns.betweenJobs(a, b) ||
      a.job - b.job;
    return order < 0;
  }
}
