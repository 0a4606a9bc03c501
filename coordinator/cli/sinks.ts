// Where a followed job's output goes: the same bytes to stdout and stderr, or JSON lines. Both hold the coordinator back when nobody
// reads.
import type { Sink } from "./follow.ts";
import { byteStream } from "./pipe-writer.ts";
import { flush } from "./terminal.ts";

/** More than this waiting to be read means that the reader is slow. */
const MAX_WAITING_BYTES = 4 * 2 ** 20;

/** The bytes as they came. */
export function terminalSink(): Sink & { event(value: unknown): void } {
  const streams = { 1: byteStream(1), 2: byteStream(2) };
  return {
    write: (stream, bytes) => {
      streams[stream].write(bytes);
      return streams[1].writableLength + streams[2].writableLength < MAX_WAITING_BYTES;
    },
    ready: flush,
    event: () => undefined,
  };
}

/** One JSON object a line. Bytes that are UTF-8 are given as text, others in base64. */
export function jsonSink(): Sink & { event(value: unknown): void } {
  const out = byteStream(1);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const event = (value: unknown): void => void out.write(`${JSON.stringify(value)}\n`);
  return {
    write: (stream, bytes, pid, part) => {
      const where = { event: "output", stream: stream === 1 ? "stdout" : "stderr", pid, part };
      try {
        event({ ...where, text: decoder.decode(bytes) });
      } catch {
        event({ ...where, base64: Buffer.from(bytes).toString("base64") });
      }
      return out.writableLength < MAX_WAITING_BYTES;
    },
    ready: flush,
    event,
  };
}
