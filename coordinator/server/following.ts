// One client that follows a job's output, one part's or one process's: from where it says, first what is stored, then what comes, and at
// last how it ended. Of several parts it is sent the first one's output to its end, then the next one's: what it reads is the same at every run.
// Sends no faster than the client reads; everything comes from the store, so nothing is held in memory for a slow one.
import { type ClientEvent, type ExitReport, MAX_DATA_BYTES } from "../protocol/index.ts";
import { type Job, type Part, type ProcessRecord, partKey } from "../scheduler/index.ts";
import type { Coordinator } from "./coordinator.ts";

export interface FollowingPorts {
  event(event: ClientEvent): void;
  /** Bytes that wait to be sent to the client. */
  backlogBytes(): number;
  ended(): void;
}

/** An offset in the output of a part. */
export interface Place {
  part: number;
  offset: number;
}

/** With more than this underway the client is given time to read. */
const MAX_BACKLOG_BYTES = 4 * 2 ** 20;
const PAUSE_MS = 20;

export class Following {
  private readonly coordinator: Coordinator;
  private readonly job: Job;
  private readonly process: ProcessRecord | undefined;
  private readonly only: Part | undefined;
  private readonly next: { 1: Place; 2: Place };
  private readonly follow: boolean;
  private readonly ports: FollowingPorts;
  private unfollow: () => void = () => {};
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  /** @param what a job, and what of it alone @param next where to begin @param follow false: only what there is now */
  constructor(
    coordinator: Coordinator,
    what: { job: Job; part: Part | undefined; process: ProcessRecord | undefined },
    next: { 1: Place; 2: Place },
    follow: boolean,
    ports: FollowingPorts,
  ) {
    this.coordinator = coordinator;
    this.job = what.job;
    this.process = what.process;
    this.only = what.part;
    this.next = { 1: { ...next[1] }, 2: { ...next[2] } };
    this.follow = follow;
    this.ports = ports;
  }

  begin(): void {
    if (this.over) return;
    this.unfollow = this.coordinator.follow(this.job.id, (news) => {
      if (news.event !== "stdin") this.goOn();
    });
    this.goOn();
  }

  stop(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.unfollow();
    this.ports.ended();
  }

  /** Sends what the client can take; when all of it is sent and nothing more can come, says how it ended. */
  private goOn(): void {
    if (this.over || this.timer) return;
    // The end is looked at before the output: what is stored then is all there will be.
    const report = this.endedReport();
    if (!this.sendStored()) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.goOn();
      }, PAUSE_MS);
      return;
    }
    if (!report && this.follow) return;
    this.ports.event({ event: "ended", report: report ?? { kind: "exit", code: 0 } });
    this.stop();
  }

  private endedReport(): ExitReport | undefined {
    if (this.process) return this.process.report ?? undefined;
    const { state, report } = this.only ?? this.job;
    return state === "running" ? undefined : (report ?? { kind: "signal", signal: 9 });
  }

  /** @returns false when the client must read first */
  private sendStored(): boolean {
    return this.sendStream(1) && this.sendStream(2);
  }

  private sendStream(stream: 1 | 2): boolean {
    const { core } = this.coordinator;
    const next = this.next[stream];
    const last = this.only?.number ?? this.job.parts.total;
    while (next.part <= last) {
      // Looked at before its output: then all of it is there.
      const part = core.part(this.job.id, next.part);
      const ended = part.state !== "running";
      const bytes = stream === 1 ? part.stdoutBytes : part.stderrBytes;
      if (next.offset < bytes && !this.sendPart(stream, next)) return false;
      if (next.part === last || (!ended && this.follow)) return true;
      next.part++;
      next.offset = 0;
    }
    return true;
  }

  private sendPart(stream: 1 | 2, next: Place): boolean {
    const key = partKey(this.job.id, next.part);
    const { store } = this.coordinator;
    for (;;) {
      if (this.ports.backlogBytes() > MAX_BACKLOG_BYTES) return false;
      const { chunks } = store.output(key, stream, next.offset, MAX_DATA_BYTES, this.process?.pid ?? null);
      if (chunks.length === 0) return true;
      for (const { pid, offset, bytes } of chunks) {
        next.offset = offset + bytes.length;
        for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
          const piece = bytes.subarray(at, at + MAX_DATA_BYTES);
          const end = offset + at + piece.length;
          this.ports.event({ event: "output", pid, part: next.part, stream, end, bytes: piece });
        }
      }
    }
  }
}
