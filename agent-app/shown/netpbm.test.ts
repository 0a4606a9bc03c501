import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NetpbmReader } from "./netpbm.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const joined = (...pieces: Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((piece) => [...piece]));
const read = (bytes: Uint8Array, maxPixels = 100, piece = bytes.length): NetpbmReader => {
  const reader = new NetpbmReader(maxPixels, 1e6);
  for (let at = 0; at < bytes.length; at += piece) reader.take(bytes.subarray(at, at + piece));
  return reader;
};
/** Red, green, then blue, white. */
const FOUR = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

describe("what small programs print", () => {
  test.each([
    ["P6", joined(text("P6\n2 2\n255\n"), Uint8Array.from(FOUR))],
    ["P6 with comments", joined(text("P6 # made by hand\n2# wide\n# and\n2 255\n"), Uint8Array.from(FOUR))],
    ["P6 of two bytes a value", joined(text("P6 2 2 65535 "), Uint8Array.from(FOUR.flatMap((value) => [value, value])))],
    ["P3", text(`P3\n2 2\n255\n${FOUR.join(" ")}\n`)],
    ["P3 of another greatest value, with a comment", text(`P3 2 2 5 ${FOUR.map((value) => value / 51).join("\n")} # the end\n`)],
  ])("%s", (_, bytes) => {
    const { picture } = read(bytes);
    expect(picture).toEqual({ width: 2, height: 2, rows: 2, pixels: Uint8Array.from(FOUR) });
    expect(read(bytes, 100, 1).picture).toEqual(picture);
  });

  test.each([
    ["P5", joined(text("P5 3 1 255\n"), Uint8Array.from([0, 100, 255]))],
    ["P2", text("P2 3 1 255\n0 100 255\n")],
  ])("grey: %s", (_, bytes) => {
    expect([...(read(bytes).picture?.pixels ?? [])]).toEqual([0, 0, 0, 100, 100, 100, 255, 255, 255]);
  });
});

test("rows are seen as they come, and those of the next picture take their place", () => {
  const reader = new NetpbmReader(100, 1e6);
  const header = text("P6 2 2 255\n");
  reader.take(header);
  expect(reader.picture).toBeUndefined();
  reader.take(Uint8Array.from(FOUR.slice(0, 7)));
  expect(reader.picture).toMatchObject({ rows: 1, pixels: Uint8Array.from([...FOUR.slice(0, 6), 0, 0, 0, 0, 0, 0]) });
  reader.take(Uint8Array.from(FOUR.slice(7)));
  reader.take(joined(text("\n"), header, Uint8Array.from([9, 9, 9, 9, 9, 9])));
  expect(reader.picture).toMatchObject({ rows: 2, pixels: Uint8Array.from([9, 9, 9, 9, 9, 9, ...FOUR.slice(6)]) });
});

test("of many pictures a second the first two are looked at; who prints thousands is looked at no more", () => {
  const picture = (value: number): Uint8Array => joined(text("P5 1 1 255\n"), Uint8Array.from([value]));
  const reader = read(joined(...[1, 2, 3, 4].map(picture)));
  expect(reader.picture?.pixels[0]).toBe(2);
  reader.refill();
  reader.take(picture(5));
  expect(reader.picture?.pixels[0]).toBe(5);
  reader.take(joined(...Array.from({ length: 1000 }, () => picture(6))));
  expect([reader.isOver, reader.picture?.pixels[0]]).toEqual([true, 6]);
});

test("a large picture becomes a small one of the same shape, each point the mean of those it stands for", () => {
  const [width, height] = [60, 30];
  const points = Uint8Array.from({ length: width * height * 3 }, (_, at) => (Math.floor(at / 3) % 2 === 0 ? 0 : 200));
  const { picture } = read(joined(text(`P6 ${width} ${height} 255\n`), points), 450);
  expect([picture?.width, picture?.height, picture?.rows]).toEqual([30, 15, 15]);
  expect(new Set(picture?.pixels)).toEqual(new Set([100]));
});

test("the largest picture is read in little memory and time: of its rows only those that are shown", () => {
  const reader = new NetpbmReader(10_000, 1e6);
  reader.take(text("P6 65535 65535 65535\n"));
  const piece = new Uint8Array(1 << 20).fill(77);
  const began = process.cpuUsage();
  for (let bytes = 0; bytes < 65_535 * 6 * 2000; bytes += piece.length) reader.take(piece);
  const { user } = process.cpuUsage(began);
  expect(reader.picture).toMatchObject({ width: 100, height: 100, rows: 3 });
  expect(reader.picture?.pixels[0]).toBe(77);
  // 786 MB.
  expect(user / 1000).toBeLessThan(1_000);
});

test("of text so many bytes a second are read; who prints more is looked at no more, and what was seen stays", () => {
  const reader = new NetpbmReader(100, 8);
  const row = text("1 2 3 4\n");
  reader.take(text("P2 4 9 4\n"));
  for (let second = 0; second < 3; second++) {
    reader.take(row);
    reader.refill();
  }
  expect([reader.isOver, reader.picture?.rows]).toEqual([false, 3]);
  reader.take(joined(row, row));
  expect([reader.isOver, reader.picture?.rows]).toEqual([true, 4]);
  // An endless picture without any row that is wanted: it costs no more than that.
  const endless = new NetpbmReader(100, 1 << 20);
  endless.take(text("P3 65535 65535 255\n"));
  const piece = new Uint8Array(1 << 20).fill(32);
  const began = process.cpuUsage();
  for (let at = 0; at < 1000; at++) endless.take(piece);
  expect(endless.isOver).toBe(true);
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(500);
});

test("property: a whole picture of any size is whole when it is small, too, and each of its points lies between those it stands for", () => {
  const size = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 4000 }), (width, height, maxPixels) => {
      const points = Uint8Array.from({ length: width * height }, (_, at) => 10 + Math.floor(at / width));
      const { picture } = read(joined(text(`P5 ${width} ${height} 255\n`), points), maxPixels);
      const { rows = 0, height: small = 1, pixels = [] } = picture ?? {};
      expect([rows, pixels.length]).toEqual([small, (picture?.width ?? 0) * small * 3]);
      for (let row = 0; row < small; row++) {
        const value = pixels[row * (picture?.width ?? 0) * 3] ?? 0;
        expect(value).toBeGreaterThanOrEqual(10 + Math.floor((row * height) / small));
        expect(value).toBeLessThanOrEqual(10 + Math.ceil(((row + 1) * height) / small));
      }
    }),
  );
});

describe("what is no picture is left alone", () => {
  test.each([
    "hello",
    "P7 2 2 255 ",
    "P4 2 2 ",
    "P6 0 2 255 ",
    "P6 2 65536 255 ",
    "P6 99999999999 2 255 ",
    "P6 2 2 99999 ",
    "P6 -2 2 255 ",
    "P3 2 2 255 a",
    "P3 1 1 255 99999999 ",
    `P6 #${"x".repeat(5000)}`,
    " ".repeat(5000),
  ])("%#", (bytes) => {
    const reader = read(text(bytes));
    expect([reader.isOver, reader.picture]).toEqual([true, undefined]);
  });

  test("something else behind a picture leaves the picture", () => {
    const reader = read(joined(text("P5 1 1 255\n"), Uint8Array.from([7]), text("\ndone in 3 s\n")));
    expect([reader.isOver, [...(reader.picture?.pixels ?? [])]]).toEqual([true, [7, 7, 7]]);
  });
});

test("property: whatever is printed in whatever pieces, it never throws, stays small, and reads the same as in one piece", () => {
  const header = fc
    .tuple(fc.constantFrom("P2", "P3", "P5", "P6"), fc.nat(70_000), fc.nat(70_000), fc.nat(70_000))
    .map(([magic, ...numbers]) => text(`${magic}\n${numbers.join(" ")}\n`));
  const small = fc
    .tuple(fc.constantFrom("P2", "P3", "P5", "P6"), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
    .map(([magic, width, height]) => text(`${magic} ${width} ${height} 255\n`));
  const bytes = fc
    .array(fc.oneof(header, small, fc.uint8Array({ maxLength: 300 }), fc.string().map(text), fc.constant(text("12 200 7\n"))), {
      maxLength: 8,
    })
    .map((pieces) => joined(...pieces));
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 50 }), (printed, maxPixels, piece) => {
      const whole = read(printed, maxPixels);
      expect(read(printed, maxPixels, piece).picture).toEqual(whole.picture);
      const { width = 1, height = 1, pixels, rows = 0 } = whole.picture ?? {};
      expect(width * height).toBeLessThanOrEqual(Math.max(maxPixels, 2048));
      expect(rows).toBeLessThanOrEqual(height);
      if (pixels) expect(pixels.length).toBe(width * height * 3);
    }),
    { numRuns: 300 },
  );
});
