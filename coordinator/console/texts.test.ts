import { expect, test } from "vitest";
import { type Key, texts } from "./texts.ts";
import { joinWords, splitWords } from "./words-of-arguments.ts";

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).sort();

test("both languages have the same sentences with the same placeholders, none empty", () => {
  expect(Object.keys(texts.zh)).toEqual(Object.keys(texts.en));
  for (const key of Object.keys(texts.en) as Key[]) {
    expect([key, placeholders(texts.zh[key])]).toEqual([key, placeholders(texts.en[key])]);
    expect(texts.zh[key]).not.toBe("");
  }
});

test("arguments are split as a shell splits them", () => {
  expect(splitWords("  1000 'two words' a\"b c\"d \\'x '' ")).toEqual(["1000", "two words", "ab cd", "'x", ""]);
  expect(splitWords("")).toEqual([]);
  expect(splitWords("'open quote")).toEqual(["open quote"]);
});

test("words become a line that is split into the same words", () => {
  for (const words of [[], ["a", "b c"], ["it's", '"', "\\", ""], ["{frame:03}", "--x=1"]])
    expect(splitWords(joinWords(words))).toEqual(words);
  expect(joinWords(["{frame:03}", "two words"])).toBe("{frame:03} 'two words'");
});
