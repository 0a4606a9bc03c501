// One client that follows a job's output, or one process's: from the offsets it names, first what is stored, then what comes, and at last
// how it ended. Sends no faster than the client reads; everything comes from the store, so nothing is held in memory for a slow one.
import { type ClientEvent, type ExitReport, MAX_DATA_BYTES } from "../protocol/index.ts";
import type { Job, ProcessRecord } from "../scheduler/index.ts";
import type { Coordinator } from "./coordinator.ts";

export interface FollowingPorts {
  event(event: ClientEvent): void;
  /** Bytes that wait to be sent to the client. */
  backlogBytes(): number;
  ended(): void;
}

/** With more than this underway the client is given time to read. */
const MAX_BACKLOG_BYTES = 4 * 2 ** 20;
const PAUSE_MS = 20;

export class Following {
  private readonly coordinator: Coordinator;
  private readonly job: Job;
  private readonly process: ProcessRecord | undefined;
  private readonly next: { 1: number; 2: number };
  private readonly follow: boolean;
  private readonly ports: FollowingPorts;
  private unfollow: () => void = () => {};
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  /** @param next offsets in the job's streams to begin at @param follow false: only what there is now */
  constructor(
    coordinator: Coordinator,
    job: Job,
    process: ProcessRecord | undefined,
    next: { 1: number; 2: number },
    follow: boolean,
    ports: FollowingPorts,
  ) {
    this.coordinator = coordinator;
    this.job = job;
    this.process = process;
    this.next = next;
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
    return this.job.state === "running" ? undefined : (this.job.report ?? { kind: "signal", signal: 9 });
  }

  /** @returns false when the client must read first */
  private sendStored(): boolean {
    for (const stream of [1, 2] as const) {
      for (;;) {
        if (this.ports.backlogBytes() > MAX_BACKLOG_BYTES) return false;
        const { chunks } = this.coordinator.store.output(
          this.job.id,
          stream,
          this.next[stream],
          MAX_DATA_BYTES,
          this.process?.pid ?? null,
        );
        if (chunks.length === 0) break;
        for (const { pid, offset, bytes } of chunks) {
          this.next[stream] = offset + bytes.length;
          for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
            const part = bytes.subarray(at, at + MAX_DATA_BYTES);
            this.ports.event({ event: "output", pid, stream, end: offset + at + part.length, bytes: part });
          }
        }
      }
    }
    return true;
  }
}
