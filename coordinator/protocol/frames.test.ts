// Frames and CBOR against hostile bytes: what does not come from encodeControl or encodeBulk is refused with the stable code.
import { Encoder, Tag } from "cbor-x";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeBulk, encodeBulk, MAX_BULK_DATA_BYTES } from "./bulk.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ControlAssembler, decodeMessage, encodeControl, FRAME, MAX_FRAME_BYTES, MAX_PIECE_BYTES } from "./frames.ts";
import { MAX_MESSAGE_BYTES } from "./messages.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const hash = "ab".repeat(32);

describe("CBOR", () => {
  test.each([
    ["numbers", [0, -1, 23, 24, 255, 65_536, 4_294_967_295, -4_294_967_296, 2 ** 40, Number.MAX_SAFE_INTEGER, 1.5, -0.25]],
    ["text", ["", "a", "grün 🌙", "x".repeat(70_000)]],
    ["simple values", [true, false, null, undefined]],
    ["nesting", { a: { b: [{ c: [] }, {}] } }],
    ["dangerous names", { constructor: 1, prototype: 2, toString: 3 }],
  ])("%s come back as they went", (_what, value) => expect(decodeCbor(encodeCbor(value))).toEqual(value));

  test("bytes travel as an untagged byte string and come back as Uint8Arrays with memory of their own", () => {
    const encoded = encodeCbor(Uint8Array.of(1, 2, 3));
    expect(encoded).toEqual(Uint8Array.of(0x43, 1, 2, 3));
    const back = decodeCbor(encoded) as Uint8Array;
    expect(Object.getPrototypeOf(back)).toBe(Uint8Array.prototype);
    expect(back.buffer.byteLength).toBe(3);
  });

  const refused: [string, number[]][] = [
    ["nothing", []],
    ["bytes after the end", [0x01, 0x01]],
    ["a truncated number", [0x19, 0x01]],
    ["a truncated string", [0x65, 0x61]],
    ["a string of 4 GiB", [0x7a, 0xff, 0xff, 0xff, 0xff]],
    ["an array of 2^64 - 1", [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["a map of 4 billion", [0xba, 0xff, 0xff, 0xff, 0xff, 0x61, 0x61, 0x01]],
    ["an indefinite array", [0x9f, 0x01, 0xff]],
    ["an indefinite string", [0x7f, 0x61, 0x61, 0xff]],
    ["a lone break", [0xff]],
    ["a reserved length", [0x1c]],
    ["a 64-bit integer", [0x1b, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["an unassigned simple value", [0xf8, 0x20]],
    ["a date tag", [0xc1, 0x01]],
    ["a big number tag", [0xc2, 0x41, 0x01]],
    ["a record definition", [0xd9, 0xdf, 0xff, 0x83, 0x01, 0x81, 0x61, 0x61, 0x01]],
    ["a shared reference", [0xd8, 0x1c, 0x81, 0xd8, 0x1d, 0x00]],
    ["a number as a key", [0xa1, 0x01, 0x01]],
    ["an array as a key", [0xa1, 0x80, 0x01]],
    ["the key __proto__", [0xa1, 0x69, ...new TextEncoder().encode("__proto__"), 0xa1, 0x61, 0x78, 0x01]],
    ["deep nesting", [...Array.from({ length: 100_000 }, () => 0x81), 0x01]],
  ];
  test.each(refused)("%s is a bad frame", (_what, bytes) => {
    expect(() => decodeCbor(Uint8Array.from(bytes))).toThrow(code("NS_BAD_FRAME"));
  });

  test("what cbor-x writes for records, tags, maps and sets is refused, and cannot change how later messages are read", () => {
    const records = new Encoder({ useRecords: true });
    for (const value of [{ a: 1 }, new Tag(1, 40_000), new Map([[1, 2]]), new Set([1]), new Date(0), 2n ** 70n]) {
      expect(() => decodeCbor(new Uint8Array(records.encode(value)))).toThrow(code("NS_BAD_FRAME"));
    }
    expect(decodeCbor(encodeCbor({ a: 1 }))).toEqual({ a: 1 });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("every truncation of a message and 20,000 altered ones are either plain data or a bad frame", () => {
    const whole = encodeCbor({
      type: "output",
      pid: 7,
      bytes: new Uint8Array(20),
      list: ["a", { b: null }, 1.5, -3],
      text: "grün",
    });
    const attempt = (bytes: Uint8Array) => {
      try {
        decodeCbor(bytes);
      } catch (error) {
        expect(error).toEqual(code("NS_BAD_FRAME"));
      }
    };
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeCbor(whole.slice(0, length))).toThrow(code("NS_BAD_FRAME"));
    }
    // A linear congruential generator (Numerical Recipes), so that a failure repeats.
    let seed = 1;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let round = 0; round < 20_000; round++) {
      const altered = whole.slice();
      for (let change = 0; change <= next(4); change++) altered[next(altered.length)] = next(256);
      attempt(altered);
    }
  });
});

describe("control frames", () => {
  const put = (frames: Uint8Array[]) => {
    const assembler = new ControlAssembler();
    return frames.map((frame) => assembler.push(frame));
  };

  test("a message is split into full frames and a last one, and put together again", () => {
    const message = { bytes: new Uint8Array(3 * MAX_PIECE_BYTES).fill(5) };
    const frames = encodeControl(message);
    expect(frames.map((frame) => [frame[0], frame.length])).toEqual([
      [FRAME.control, MAX_FRAME_BYTES],
      [FRAME.control, MAX_FRAME_BYTES],
      [FRAME.control, MAX_FRAME_BYTES],
      [FRAME.lastControl, expect.any(Number)],
    ]);
    const whole = put(frames).at(-1) ?? new Uint8Array();
    expect(decodeCbor(whole)).toEqual(message);
  });

  test("a message that fills its frames exactly needs no empty last one", () => {
    // 5 bytes: the head of a byte string of that size.
    expect(encodeControl(new Uint8Array(2 * MAX_PIECE_BYTES - 5)).map((frame) => frame.length)).toEqual([
      MAX_FRAME_BYTES,
      MAX_FRAME_BYTES,
    ]);
  });

  test("the largest message passes, one byte more is refused on both sides", () => {
    const largest = encodeControl(new Uint8Array(MAX_MESSAGE_BYTES - 5));
    expect(put(largest).at(-1)).toHaveLength(MAX_MESSAGE_BYTES);
    expect(() => encodeControl(new Uint8Array(MAX_MESSAGE_BYTES - 4))).toThrow(code("NS_FRAME_TOO_LARGE"));
    const full = new Uint8Array(MAX_FRAME_BYTES).fill(FRAME.control);
    expect(() => put(Array.from({ length: 17 }, () => full))).toThrow(code("NS_FRAME_TOO_LARGE"));
  });

  test("a frame that goes on but is not full is refused", () => {
    expect(() => put([Uint8Array.of(FRAME.control)])).toThrow(code("NS_BAD_FRAME"));
  });

  test("garbage is a bad frame, another shape a bad message that says where", () => {
    const schema = z.object({ pid: z.number() });
    expect(decodeMessage(schema, encodeCbor({ pid: 1 }))).toEqual({ pid: 1 });
    expect(() => decodeMessage(schema, Uint8Array.of(0xff))).toThrow(code("NS_BAD_FRAME"));
    expect(() => decodeMessage(schema, encodeCbor({ pid: "1" }))).toThrow(
      expect.objectContaining({ code: "NS_BAD_MESSAGE", message: expect.stringContaining("pid") }),
    );
  });
});

describe("bulk frames", () => {
  test.each([
    { op: "get", id: 0, hash, maxBytes: 2 ** 40 },
    { op: "put", id: 2 ** 32 - 1, hash, size: 0 },
    { op: "data", id: 7, bytes: new Uint8Array(MAX_BULK_DATA_BYTES).fill(1) },
    { op: "size", id: 7, size: 12 },
    { op: "send", id: 7 },
    { op: "done", id: 7 },
    { op: "error", id: 7, code: "NS_NOT_FOUND", message: "no" },
  ] as const)("$op comes back as it went and fits a frame", (frame) => {
    const encoded = encodeBulk(frame);
    expect(encoded.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(decodeBulk(encoded)).toEqual(frame);
  });

  test.each([
    ["too short", [3, 1, 0, 0, 0]],
    ["an unknown op", [3, 99, 0, 0, 0, 1]],
    ["a get without a hash", [3, 1, 0, 0, 0, 1, 1, 2, 3]],
    ["a put with too much", [3, 2, 0, 0, 0, 1, ...new Uint8Array(41)]],
    ["a size beyond 2^53", [3, 4, 0, 0, 0, 1, ...new Uint8Array(8).fill(255)]],
    ["data without bytes", [3, 3, 0, 0, 0, 1]],
    ["send with something behind", [3, 5, 0, 0, 0, 1, 0]],
    ["an error that is not CBOR", [3, 7, 0, 0, 0, 1, 0xff]],
  ])("%s is a bad frame", (_what, bytes) => {
    expect(() => decodeBulk(Uint8Array.from(bytes))).toThrow(code("NS_BAD_FRAME"));
  });

  test("a name that is not a hash is refused before it is sent", () => {
    expect(() => encodeBulk({ op: "get", id: 1, hash: "zz", maxBytes: 1 })).toThrow(code("NS_BAD_MESSAGE"));
  });
});
