import { expect, test } from "vitest";
import { decodeImage, encodeImage, type Image, type Packer } from "./image.ts";
import { PAGE_BYTES } from "./memory.ts";

const image = (memoryBytes: number, pages: readonly number[]): Image => ({
  header: {
    ...{ program: "p", parent: null, memoryBytes, globals: new Uint8Array([1, 2]), references: {}, tables: {}, started: true },
    frames: [{ site: 3, data: new Uint8Array([4, 5]) }],
    ...{ pending: null, answer: null, syscalls: 1, outputBytes: 2, errorBytes: 3, cpuMs: 4.5 },
    wasi: {} as Image["header"]["wasi"],
  },
  pages: new Map(pages.map((page) => [page, new Uint8Array(PAGE_BYTES).fill(page + 1)])),
});
const badImage = (message: RegExp) => expect.objectContaining({ code: "NS_BAD_IMAGE", message: expect.stringMatching(message) });

test("what is written is read: header and pages", () => {
  const given = image(65536, [0, 2, 3, 15]);
  const { header, pages } = decodeImage(encodeImage(given));
  expect({ ...header, globals: [...header.globals] }).toMatchObject({
    program: "p",
    memoryBytes: 65536,
    globals: [1, 2],
    cpuMs: 4.5,
  });
  expect([...pages]).toEqual([...given.pages]);
});

test("pages are written in their order, however they lie in memory, and what is read is its own", () => {
  const all = Uint8Array.from({ length: 4 * PAGE_BYTES }, (_, at) => at >> 7);
  const part = (page: number): Uint8Array => all.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  for (const order of [
    [1, 2, 3],
    [2, 1, 3],
    [0, 2, 3],
  ]) {
    const given = { ...image(65536, []), pages: new Map(order.map((page, k) => [k, part(page)])) };
    const written = encodeImage(given);
    const { pages } = decodeImage(written);
    written.fill(0);
    expect([...pages.values()].map((page) => page[0])).toEqual(order.map((page) => part(page)[0]));
    for (const page of pages.values()) expect(page.byteOffset % 4).toBe(0);
  }
});

test("cut off anywhere it is no image", () => {
  const whole = encodeImage(image(65536, [1]));
  for (let length = 0; length < whole.length; length += 13)
    expect(() => decodeImage(whole.slice(0, length))).toThrow(badImage(/cannot be read/));
});

test("more memory than allowed, or pages outside it or listed twice: refused before anything is unpacked", () => {
  const careful: Packer = {
    name: "careful",
    pack: (bytes) => bytes,
    unpack: () => {
      throw new Error("it was unpacked");
    },
  };
  const refuses = (given: Image, message: RegExp): void =>
    expect(() => decodeImage(encodeImage(given, careful), [careful], 2 * 65536)).toThrow(badImage(message));
  refuses(image(3 * 65536, [1]), /more than its limit/);
  refuses(image(Number.NaN, [1]), /more than its limit/);
  refuses(image(65536, [0, 16]), /page 16 lies outside/);
  refuses(image(65536, [-1]), /page -1 lies outside/);
});
