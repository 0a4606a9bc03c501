// What the journal says, said again: every sentence is found by what it was filled in to.
import { expect, test } from "vitest";
import { DETAILS, type Detail, fill, retell, several } from "./deed-details.ts";
import type { Deed } from "./deeds.ts";

const values = new Proxy({}, { get: (_, name) => `${String(name)}-1.2[x]` }) as Record<string, string>;

test.each(Object.entries(DETAILS))("%s: each of its sentences is told from the others", (deed, sentences) => {
  for (const sentence of sentences as readonly Detail[]) {
    const text = fill(sentence, values as never);
    const told = retell(deed as Deed, text, (found, filled) => {
      expect(found).toBe(sentence);
      for (const [name, value] of Object.entries(filled)) expect(value).toBe(values[name]);
      return "said";
    });
    expect(told, text).toBe("said");
  }
});

test("several things that one deed did, in one line", () => {
  const text = several([
    fill("{before} is now {after}", { before: "amun", after: "ra" }),
    fill("no tags", {}),
    fill("kept clear", {}),
  ]);
  expect(text).toBe("amun is now ra; no tags; kept clear");
  expect(retell("host-changed", text, (sentence, { after = "" }) => `<${sentence.slice(0, 4)}${after}>`)).toBe(
    "<{befra>; <no t>; <kept>",
  );
});

test("what is none of them stays as it is", () => {
  expect(retell("job-submitted", "a name", () => "wrong")).toBeUndefined();
  expect(retell("job-retried", "1 part and more", () => "wrong")).toBeUndefined();
  expect(retell("host-changed", "kept clear; dances", () => "wrong")).toBeUndefined();
  expect(retell("signed-out", "", () => "wrong")).toBeUndefined();
});
