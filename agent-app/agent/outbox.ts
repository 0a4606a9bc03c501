// Output of one process on its way to the coordinator: kept until acknowledged, sent again after a broken connection, small writes
// gathered into larger messages.
import type { ProcessControl } from "./control.ts";

interface Chunk {
  stream: 1 | 2;
  offset: number;
  bytes: Uint8Array;
}

/** Most bytes in one message, well below the protocol's limit. */
const MESSAGE_BYTES = 128 * 1024;

export class Outbox {
  private kept: Chunk[] = [];
  /** Index of the first chunk not sent on this connection yet. */
  private sent = 0;

  get empty(): boolean {
    return this.kept.length === 0;
  }

  add(stream: 1 | 2, offset: number, bytes: Uint8Array): void {
    const last = this.kept[this.kept.length - 1];
    if (last && this.kept.length > this.sent && last.stream === stream && last.bytes.length + bytes.length <= MESSAGE_BYTES) {
      const joined = new Uint8Array(last.bytes.length + bytes.length);
      joined.set(last.bytes);
      joined.set(bytes, last.bytes.length);
      last.bytes = joined;
      return;
    }
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES)
      this.kept.push({ stream, offset: offset + at, bytes: bytes.subarray(at, at + MESSAGE_BYTES) });
  }

  /** What has been printed and not acknowledged, in order. */
  get unacknowledged(): readonly Chunk[] {
    return this.kept.filter(({ stream }) => stream === 1);
  }

  flush(send: (chunk: Chunk) => void): void {
    for (; this.sent < this.kept.length; this.sent++) send(this.kept[this.sent]);
  }

  /** A new connection: everything not acknowledged goes out again. */
  rewind(): void {
    this.sent = 0;
  }

  /** The coordinator has everything of the stream before the offset. */
  acknowledged(stream: 1 | 2, offset: number, control: ProcessControl | undefined): void {
    const rest: Chunk[] = [];
    let sent = 0;
    this.kept.forEach((chunk, index) => {
      if (chunk.stream === stream && chunk.offset + chunk.bytes.length <= offset) {
        control?.outputTaken(chunk.bytes.length);
        return;
      }
      if (index < this.sent) sent++;
      rest.push(chunk);
    });
    this.kept = rest;
    this.sent = sent;
  }
}
