// Reading and writing the primitive encodings of the WebAssembly binary format: bytes, LEB128 numbers, names, vectors.
// Knows nothing of sections or instructions.
import { NightshiftError } from "../errors.ts";

/** A cursor over bytes. Every read past the end is NS_BAD_MODULE, so no caller checks lengths. */
export class Reader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }

  byte(): number {
    if (this.offset >= this.end) throw truncated(this.offset);
    return this.bytes[this.offset++];
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let result = first & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      const next = this.byte();
      result |= (next & 0x7f) << shift;
      if (next < 0x80) return result >>> 0;
    }
    throw new NightshiftError("NS_BAD_MODULE", `number too long at byte ${this.offset}`);
  }

  /** Signed LEB128 that fits a JavaScript number: block types (s33) and i32 constants. */
  s33(): number {
    let result = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const next = this.byte();
      if (shift < 28) result |= (next & 0x7f) << shift;
      else result += ((next & 0x40 ? (next & 0x7f) - 0x80 : next & 0x7f) as number) * 2 ** 28;
      if (next < 0x80) {
        if (shift < 28 && next & 0x40) result |= -1 << (shift + 7);
        return result;
      }
    }
    throw new NightshiftError("NS_BAD_MODULE", `number too long at byte ${this.offset}`);
  }

  /** Passes over a LEB128 number of any length up to 10 bytes (64 bits). */
  skipLeb(): void {
    for (let i = 0; i < 10; i++) if (this.byte() < 0x80) return;
    throw new NightshiftError("NS_BAD_MODULE", `number too long at byte ${this.offset}`);
  }

  skip(count: number): void {
    if (count > this.end - this.offset) throw truncated(this.offset);
    this.offset += count;
  }

  take(count: number): Uint8Array {
    const start = this.offset;
    this.skip(count);
    return this.bytes.subarray(start, this.offset);
  }

  name(): string {
    return decoder.decode(this.take(this.u32()));
  }

  vector<T>(read: (index: number) => T): T[] {
    const count = this.u32();
    if (count > this.end - this.offset) throw truncated(this.offset);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(i));
    return items;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: false });
const encoder = new TextEncoder();

function truncated(offset: number): NightshiftError {
  return new NightshiftError("NS_BAD_MODULE", `the module ends in the middle of something at byte ${offset}`);
}

/** A growing byte buffer. Methods return `this` so that an instruction sequence reads as one line. */
export class Writer {
  private buffer: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }

  byte(value: number): this {
    this.reserve(1);
    this.buffer[this.length++] = value;
    return this;
  }

  bytes(values: ArrayLike<number>): this {
    this.reserve(values.length);
    this.buffer.set(values, this.length);
    this.length += values.length;
    return this;
  }

  u32(value: number): this {
    this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  s32(value: number): this {
    this.reserve(5);
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) {
        this.buffer[this.length++] = low;
        return this;
      }
      this.buffer[this.length++] = low | 0x80;
    }
  }

  name(value: string): this {
    const bytes = encoder.encode(value);
    return this.u32(bytes.length).bytes(bytes);
  }

  /** The part, preceded by its length in bytes. */
  sized(part: Writer): this {
    return this.u32(part.length).bytes(part.view());
  }

  /** A view of what was written; valid until the next write. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length) as Uint8Array<ArrayBuffer>;
  }
}
