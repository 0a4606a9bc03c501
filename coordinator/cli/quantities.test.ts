import { describe, expect, it } from "vitest";
import { parseBytes, parseCount, parseDurationMs, showAmount, showBytes, showDuration } from "./quantities.ts";

describe("durations", () => {
  it.each([
    ["90", 90_000],
    ["250ms", 250],
    ["60s", 60_000],
    ["1.5h", 5_400_000],
    ["1h30m", 5_400_000],
    ["7d", 604_800_000],
  ])("%s is read as %d ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it.each(["", "s", "-5s", "5 s", "5x", "5s5", "1h-2m", "1e3s", "5S"])("%j is refused as a duration", (text) =>
    expect(() => parseDurationMs(text)).toThrow(expect.objectContaining({ code: "NS_USAGE" })),
  );

  it.each([
    [420, "0.42 s"],
    [12_340, "12.3 s"],
    [245_000, "4:05"],
    [11_565_000, "3:12:45"],
  ])("%d ms is shown as %s", (ms, text) => expect(showDuration(ms)).toBe(text));
});

describe("sizes", () => {
  it.each([
    ["65536", 65_536],
    ["1GiB", 2 ** 30],
    ["1G", 2 ** 30],
    ["1.5MiB", 1_572_864],
    ["2GB", 2e9],
    ["64K", 65_536],
  ])("%s is read as %d bytes", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(["", "0", "-1", "1 gib x", "GiB", "1TiBs", "1e9", "99999999999G", "NaN"])("%j is refused as a size", (text) =>
    expect(() => parseBytes(text)).toThrow(expect.objectContaining({ code: "NS_USAGE" })),
  );

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [2 ** 30, "1.0 GiB"],
    [500 * 2 ** 20, "500 MiB"],
  ])("%d bytes are shown as %s", (bytes, text) => expect(showBytes(bytes)).toBe(text));
});

describe("amounts", () => {
  it.each([
    [0, "0.00"],
    [1234.567, "1234.57"],
    [0.125, "0.13"],
    [0.0423, "0.042"],
    [0.000_123_4, "0.00012"],
    [2.5e-9, "<0.000001"],
  ])("%d is shown as %s", (value, text) => expect(showAmount(value)).toBe(text));
});

it("a count outside of its bounds is refused by name", () => {
  expect(parseCount("4", "--runs", 1, 10)).toBe(4);
  for (const text of ["0", "11", "four", "1.5", "-1", ""])
    expect(() => parseCount(text, "--runs", 1, 10)).toThrow(/--runs .* 1 to 10/);
});
