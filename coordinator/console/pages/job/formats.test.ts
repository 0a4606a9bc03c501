import { describe, expect, test } from "vitest";
import { isPicture, MAX_ROWS_SHOWN, pictureOf, tableOf } from "./formats.ts";

describe("tables", () => {
  test("have fields between commas, semicolons or tabs; quotes hold separators, line ends and quotes", () => {
    expect(tableOf("a,b\r\n1,2\n")).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
    expect(tableOf("a;b,c\n;")).toEqual([
      ["a", "b,c"],
      ["", ""],
    ]);
    expect(tableOf('a\tb\n"x\t""y""\nz"\t')).toEqual([
      ["a", "b"],
      ['x\t"y"\nz', ""],
    ]);
  });

  test("text without a separator is none; of a long one the beginning is shown", () => {
    expect(tableOf("just text\nmore, text")).toBeUndefined();
    expect(tableOf("a,b\n".repeat(1000))).toHaveLength(MAX_ROWS_SHOWN);
  });
});

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

describe("pixmaps", () => {
  test("are read as colours and as greys, binary and as text, with comments and fewer levels", () => {
    const colours = Uint8Array.from([...ascii("P6\n# made by hand\n2 1\n255\n"), 255, 0, 0, 1, 2, 3]);
    expect(pictureOf(colours)).toEqual({ width: 2, height: 1, pixels: Uint8ClampedArray.of(255, 0, 0, 255, 1, 2, 3, 255) });
    const greys = Uint8Array.from([...ascii("P5 1 2 15\n"), 15, 5]);
    expect(pictureOf(greys)?.pixels).toEqual(Uint8ClampedArray.of(255, 255, 255, 255, 85, 85, 85, 255));
    expect(pictureOf(Uint8Array.from(ascii("P3 1 1 1 1 0 1")))?.pixels).toEqual(Uint8ClampedArray.of(255, 0, 255, 255));
    expect(pictureOf(Uint8Array.from(ascii("P2 1 1 255 7")))?.pixels).toEqual(Uint8ClampedArray.of(7, 7, 7, 255));
  });

  test("one that is cut short is black where nothing is; what is none, or too large, is not shown", () => {
    expect(pictureOf(Uint8Array.from([...ascii("P5 2 1 255\n"), 9]))?.pixels.at(4)).toBe(0);
    for (const text of ["", "P7 1 1 255 ", "P6 0 1 255 ", "P6 99999 99999 255 ", "P6 1 1 65535 ", "P6 -1 1 255 ", "hello"])
      expect(pictureOf(Uint8Array.from(ascii(text)))).toBeUndefined();
    expect([isPicture("P6\n1 1"), isPicture("P6x"), isPicture("P4 1")]).toEqual([true, false, false]);
  });
});
