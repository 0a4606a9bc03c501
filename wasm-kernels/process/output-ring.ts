// What a thread's processes write, on its way to whoever started the thread: a ring in memory that both share. A message costs as much as writing a page, and
// programs that do not buffer write single bytes; so the thread sends one only when none is under way, and whoever gets it takes
// everything that has been written since. One thread puts, one takes.
import { joined } from "../bytes.ts";

/** Far more than is written while the reader does something else, so that processes hardly ever wait for it. */
const BYTES = 2 ** 20;
/** u32 each: whether the reader has been told, bytes put so far and bytes taken so far, both modulo 2^32. */
const TOLD = 0;
const PUT = 1;
const TAKEN = 2;
const HEADER_BYTES = 16;
/** Before the bytes of each write: f64 writer, stream, offset, bytes. */
const RECORD_NUMBERS = 4;
/** A larger write is several records. */
const MOST_IN_RECORD = BYTES / 4;

export interface Written {
  /** The number of the process, as both sides count. */
  writer: number;
  stream: 1 | 2;
  /** Bytes of the stream before these. */
  offset: number;
  bytes: Uint8Array;
}

/** What one process wrote to one stream, with nothing else in between, is one. */
export function merged(writes: readonly Written[]): Written[] {
  const runs: { first: Written; end: number; parts: Uint8Array[] }[] = [];
  for (const write of writes) {
    const { writer, stream, offset, bytes } = write;
    const run = runs.at(-1);
    if (run?.first.writer === writer && run.first.stream === stream && run.end === offset) {
      run.parts.push(bytes);
      run.end += bytes.length;
    } else runs.push({ first: write, end: offset + bytes.length, parts: [bytes] });
  }
  return runs.map(({ first, parts }) => ({ ...first, bytes: joined(parts) }));
}

export class OutputRing {
  readonly memory: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly data: Uint8Array;

  /** @param memory of the other side's ring; a new one without it */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(HEADER_BYTES + BYTES)) {
    this.memory = memory;
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.data = new Uint8Array(memory, HEADER_BYTES);
  }

  /**
   * Waits while the ring is full.
   * @param tell is to have the reader call take(), after the messages that were sent before
   */
  put({ writer, stream, offset, bytes }: Written, tell: () => void): void {
    for (let at = 0; at < bytes.length; at += MOST_IN_RECORD) {
      const part = bytes.subarray(at, at + MOST_IN_RECORD);
      const header = new Uint8Array(Float64Array.of(writer, stream, offset + at, part.length).buffer);
      const put = Atomics.load(this.words, PUT);
      this.waitForRoom(put, header.length + part.length);
      this.copyIn(put, header);
      this.copyIn(put + header.length, part);
      Atomics.store(this.words, PUT, put + header.length + part.length);
      if (Atomics.exchange(this.words, TOLD, 1) === 0) tell();
    }
  }

  /** All there is, in order and merged. */
  take(): Written[] {
    Atomics.store(this.words, TOLD, 0); // first: what is put from now on is told anew
    const end = Atomics.load(this.words, PUT);
    const written: Written[] = [];
    for (let at = Atomics.load(this.words, TAKEN); at !== end; ) {
      const header = this.copyOut(at, RECORD_NUMBERS * 8);
      const [writer = 0, stream, offset = 0, length = 0] = new Float64Array(header.buffer);
      const bytes = this.copyOut(at + header.length, length);
      written.push({ writer, stream: stream === 1 ? 1 : 2, offset, bytes });
      at = (at + header.length + length) | 0;
    }
    Atomics.store(this.words, TAKEN, end);
    Atomics.notify(this.words, TAKEN);
    return merged(written);
  }

  private waitForRoom(put: number, bytes: number): void {
    for (;;) {
      const taken = Atomics.load(this.words, TAKEN);
      if (((put - taken) | 0) + bytes <= BYTES) return;
      Atomics.wait(this.words, TAKEN, taken);
    }
  }

  private copyIn(position: number, bytes: Uint8Array): void {
    const at = (position >>> 0) % BYTES;
    const before = bytes.subarray(0, BYTES - at);
    this.data.set(before, at);
    this.data.set(bytes.subarray(before.length), 0);
  }

  private copyOut(position: number, length: number): Uint8Array<ArrayBuffer> {
    const at = (position >>> 0) % BYTES;
    const bytes = new Uint8Array(length);
    const before = this.data.subarray(at, at + length);
    bytes.set(before);
    bytes.set(this.data.subarray(0, length - before.length), before.length);
    return bytes;
  }
}
