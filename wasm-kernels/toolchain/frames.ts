// What the compile server and those that ask it send: the length of a message in four bytes, little-endian, and the message as V8 serialises it.
// Both are the same version of the same program of the same user.
import { deserialize, serialize } from "node:v8";
import { NightshiftError } from "../errors.ts";

/** Sources with all their headers, or the objects of a large program. */
const MAX_BYTES = 1024 ** 3;

export function frame(message: unknown): Buffer {
  const body = serialize(message);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** Makes messages of bytes as they come. */
export class Frames {
  private chunks: Buffer[] = [];
  private length = 0;

  /** @returns what is complete now. @throws NS_FRAME_TOO_LARGE, NS_BAD_FRAME */
  add(bytes: Buffer): unknown[] {
    this.chunks.push(bytes);
    this.length += bytes.length;
    const messages: unknown[] = [];
    for (;;) {
      const size = this.length < 4 ? Number.POSITIVE_INFINITY : this.whole(4).readUInt32LE();
      if (size !== Number.POSITIVE_INFINITY && size > MAX_BYTES)
        throw new NightshiftError("NS_FRAME_TOO_LARGE", `A message of ${size} bytes is longer than ${MAX_BYTES}`);
      if (this.length < 4 + size) return messages;
      const all = this.whole(this.length);
      try {
        messages.push(deserialize(all.subarray(4, 4 + size)));
      } catch (cause) {
        throw new NightshiftError("NS_BAD_FRAME", "The message is damaged", { cause });
      }
      this.chunks = [all.subarray(4 + size)];
      this.length -= 4 + size;
    }
  }

  /** What has come, with at least its first bytes in one piece. */
  private whole(least: number): Buffer {
    if ((this.chunks[0]?.length ?? 0) < least) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] ?? Buffer.alloc(0);
  }
}
