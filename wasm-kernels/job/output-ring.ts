// What a thread's processes write, on its way to the job: a ring in memory that both share. A message costs as much as writing a page, and
// programs that do not buffer write single bytes; so the thread sends one only when none is under way, and whoever gets it takes
// everything that has been written since. One thread puts, one takes.
import { joined } from "../bytes.ts";

/** Far more than is written while the job's thread does something else, so that processes hardly ever wait for it. */
const BYTES = 2 ** 20;
/** u32 each: whether the reader has been told, bytes put so far and bytes taken so far, both modulo 2^32. */
const TOLD = 0;
const PUT = 1;
const TAKEN = 2;
const HEADER_BYTES = 16;
/** Before the bytes of each write: u32 process, u32 stream, u32 bytes. */
const RECORD_WORDS = 3;
/** A larger write is several records. */
const MOST_IN_RECORD = BYTES / 4;

export interface Written {
  pid: number;
  stream: 1 | 2;
  bytes: Uint8Array<ArrayBuffer>;
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
  put(pid: number, stream: 1 | 2, bytes: Uint8Array, tell: () => void): void {
    for (let at = 0; at < bytes.length; at += MOST_IN_RECORD) {
      const part = bytes.subarray(at, at + MOST_IN_RECORD);
      const header = new Uint8Array(Uint32Array.of(pid, stream, part.length).buffer);
      const put = Atomics.load(this.words, PUT);
      this.waitForRoom(put, header.length + part.length);
      this.copyIn(put, header);
      this.copyIn(put + header.length, part);
      Atomics.store(this.words, PUT, put + header.length + part.length);
      if (Atomics.exchange(this.words, TOLD, 1) === 0) tell();
    }
  }

  /** All there is, in order; what one process wrote to one stream without another in between is one. */
  take(): Written[] {
    Atomics.store(this.words, TOLD, 0); // first: what is put from now on is told anew
    const end = Atomics.load(this.words, PUT);
    const written: { pid: number; stream: 1 | 2; parts: Uint8Array[] }[] = [];
    for (let at = Atomics.load(this.words, TAKEN); at !== end; ) {
      const header = this.copyOut(at, RECORD_WORDS * 4);
      const [pid = 0, stream, length = 0] = new Uint32Array(header.buffer);
      const bytes = this.copyOut(at + header.length, length);
      const last = written.at(-1);
      if (last?.pid === pid && last.stream === stream) last.parts.push(bytes);
      else written.push({ pid, stream: stream === 1 ? 1 : 2, parts: [bytes] });
      at = (at + header.length + length) | 0;
    }
    Atomics.store(this.words, TAKEN, end);
    Atomics.notify(this.words, TAKEN);
    return written.map(({ pid, stream, parts }) => ({ pid, stream, bytes: joined(parts) }));
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
