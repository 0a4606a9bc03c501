// Follows a job while it runs: its output exactly once and in order over any number of connections, and stdin the same way towards
// it. Owns the offsets; where bytes come from and go to is the caller's.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { ExitReport } from "../protocol/index.ts";
import type { Session } from "./session.ts";

export interface Sink {
  /** Takes the bytes. false: enough for now; nothing more is sent until `ready`. */
  write(stream: 1 | 2, bytes: Uint8Array, pid: number, part?: number): boolean;
  ready(): Promise<void>;
}

/** What is followed: a job's output (part after part), that of one part, or one process's alone. */
export interface Followed {
  job: number | null;
  part?: number;
  pid: number | null;
  /** false: only what there is already. */
  follow: boolean;
}

/** Resolves with how it ended, when all output has been given to the sink. */
export async function followOutput(session: Session, followed: Followed, sink: Sink): Promise<ExitReport> {
  /** Part, and offset in its stream, of the first byte that the sink does not have. */
  const next = { 1: { part: 1, offset: 0 }, 2: { part: 1, offset: 0 } };
  for (;;) {
    let full = false;
    try {
      return await session.run(async (client) => {
        full = false;
        let stop = (): void => undefined;
        const attachment = await client.attach({ ...followed, stdout: next[1], stderr: next[2] }, (event) => {
          if (event.event !== "output" || full) return;
          const { stream, end, bytes, pid, part } = event;
          const missing = end - (part === next[stream].part ? next[stream].offset : 0);
          if (missing <= 0 || part < next[stream].part) return;
          // Of one process alone the offsets have gaps: other processes' output lies between.
          next[stream] = { part, offset: end };
          if (!sink.write(stream, missing < bytes.length ? bytes.subarray(bytes.length - missing) : bytes, pid, part)) {
            full = true;
            stop();
          }
        });
        stop = attachment.stop;
        if (full) stop();
        const report = await attachment.ended;
        // It may have ended before it could be stopped, and then what came after `full` was not taken.
        if (full) throw new NightshiftError("NS_CANCELLED", "Following was stopped");
        return report;
      });
    } catch (thrown) {
      // Stopped by ourselves: the reader is slower than the job. Output waits at the coordinator, which keeps it anyway.
      if (!full || !(thrown instanceof NightshiftError) || thrown.code !== "NS_CANCELLED") throw thrown;
      await sink.ready();
    }
  }
}

/** A pipe's capacity at home; more would only be sent to be refused. */
const STDIN_CHUNK_BYTES = 64 * 1024;
const POLL_MIN_MS = 5;
const POLL_MAX_MS = 250;

/** Sends the input to the job as it takes it, then its end. Returns early when the job is gone. */
export async function pumpStdin(
  session: Session,
  job: number,
  input: AsyncIterable<Uint8Array>,
  wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): Promise<void> {
  let offset = 0;
  const send = (bytes: Uint8Array, end: boolean): Promise<number> =>
    session.run(async (client) => (await client.request("stdin", { job, offset, bytes, end })).accepted);
  try {
    for await (const chunk of input) {
      let delayMs = POLL_MIN_MS;
      for (let at = 0; at < chunk.length; ) {
        const accepted = await send(chunk.subarray(at, at + STDIN_CHUNK_BYTES), false);
        at += accepted;
        offset += accepted;
        delayMs = accepted > 0 ? POLL_MIN_MS : Math.min(POLL_MAX_MS, delayMs * 2);
        if (accepted === 0) await wait(delayMs);
      }
    }
    await send(new Uint8Array(0), true);
  } catch (thrown) {
    // The job does not need its input any more; how it ended is told by its output.
    if (!(thrown instanceof NightshiftError) || thrown.code !== "NS_NO_SUCH_JOB") throw thrown;
  }
}
