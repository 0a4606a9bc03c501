import fc from "fast-check";
import { expect, test } from "vitest";
import { BINS, Spectrum } from "./spectrum.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const read = (printed: string, piece = printed.length): Spectrum => {
  const spectrum = new Spectrum();
  const bytes = text(printed);
  for (let at = 0; at < bytes.length; at += piece) spectrum.take(bytes.subarray(at, at + piece));
  return spectrum;
};
const known = (spectrum: Spectrum): (number | null)[] => {
  const curve = [...(spectrum.curve ?? [])];
  return curve.slice(0, curve.findLastIndex((value) => value !== null) + 1);
};

test("numbers, one a line, are places in their order; other lines are passed over", () => {
  expect(new Spectrum().curve).toBeUndefined();
  expect(known(read("1\n2.5\n-3e1\n"))).toEqual([1, 2.5, -30]);
  expect(known(read("# power\n7\nbad line\n8\n\n9\n"))).toEqual([7, 8, 9]);
  expect(known(read("5\n6"))).toEqual([5]); // the last line is not over
});

test("a place and its value: blank, comma, semicolon or tab between them", () => {
  expect(known(read("1420.0 3\n1420.5,4\n1421.0;5\n1421.5\t6\n"))).toEqual([3, 4, 5, 6]);
  expect(known(read("10 1\n8 2\n6 3\n")).filter((value) => value !== null)).toEqual([3, 2, 1]);
});

test("more numbers than bins: each bin keeps its highest", () => {
  const count = 4 * BINS;
  const curve = known(read(Array.from({ length: count }, (_, at) => `${at === 777 ? 50 : at % 2}\n`).join("")));
  expect(curve).toHaveLength(BINS);
  expect(curve.indexOf(50)).toBe(Math.floor(777 / 4));
  expect(curve.filter((value) => value === 1)).toHaveLength(BINS - 1);
});

test("what was printed before is not known: the rest of its line is passed over", () => {
  const spectrum = new Spectrum();
  spectrum.skipLine();
  spectrum.take(text("999\n4\n5\n"));
  expect(known(spectrum)).toEqual([4, 5]);
});

test("a program that prints more than a computer should read is only counted, and read again a second later", () => {
  const spectrum = new Spectrum();
  const lines = 600_000;
  spectrum.take(text("1\n".repeat(lines)));
  spectrum.take(text("1000\n99"));
  expect(Math.max(...known(spectrum).map(Number))).toBe(1);
  spectrum.refill();
  // The rest of a line of which the beginning was not read, and one that is in its place behind all the others.
  spectrum.take(text("999\n7\n"));
  expect([Math.max(...known(spectrum).map(Number)), known(spectrum).at(-1)]).toEqual([7, 7]);
  spectrum.take(text(`${2 * lines} 8\n`));
  expect(known(spectrum).indexOf(7) / (known(spectrum).length - 1)).toBeCloseTo(0.5, 1);
});

test("property: whatever is printed in whatever pieces, it never throws, has its bins, and the highest value is the highest printed", () => {
  const line = fc.oneof(
    fc.double({ noNaN: true }).map((value) => `${value}`),
    fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })).map((pair) => pair.join(" ")),
    fc.tuple(fc.integer(), fc.integer()).map((pair) => pair.join(",")),
    fc.string(),
    fc.constant("9".repeat(300)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (lines, piece) => {
      const printed = lines.map((one) => `${one}\n`).join("");
      const curve = read(printed).curve;
      expect(read(printed, piece).curve).toEqual(curve);
      if (curve === undefined) return;
      expect(curve).toHaveLength(BINS);
      const values = curve.filter((value) => value !== null);
      expect(values.length).toBeGreaterThan(0);
      expect(values.every((value) => Math.abs(value) <= 1e15)).toBe(true);
      const pairs = printed
        .split("\n")
        .filter((one) => /^-?[\d.e+-]+[ ,]-?[\d.e+-]+$/.test(one))
        .map((one) => one.split(/[ ,]/).map(Number));
      for (const [place, value] of pairs)
        if (Math.abs(place ?? Number.NaN) <= 1e15 && Math.abs(value ?? Number.NaN) <= 1e15)
          expect(Math.max(...values)).toBeGreaterThanOrEqual(value ?? 0);
    }),
    { numRuns: 300 },
  );
});
