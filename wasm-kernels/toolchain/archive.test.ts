import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { archiveMembers } from "./archive.ts";
import { addToArchive, compileObject } from "./index.ts";
import { scratch, sharedCacheDir } from "./testing.ts";

const member = (name: string, text: string, end = "`\n"): string =>
  `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"644".padEnd(8)}${String(text.length).padEnd(10)}${end}${text}${text.length % 2 ? "\n" : ""}`;
const archive = (...members: string[]): Uint8Array => Buffer.from(`!<arch>\n${members.join("")}`, "latin1");
const read = (bytes: Uint8Array) => archiveMembers(bytes).map((one) => [one.name, Buffer.from(one.bytes).toString()]);

test("members by short and long names, as GNU and BSD write them, without the index", () => {
  expect(read(archive())).toEqual([]);
  const long = "a-name-that-is-longer-than-a-header.o";
  const gnu = archive(
    member("/", "index"),
    member("//", `${long}/\nanother-quite-long-name.o/\n`),
    member("a.o/", "one"),
    member("/0", "two!"),
    member(`/${long.length + 2}`, ""),
  );
  expect(read(gnu)).toEqual([
    ["a.o", "one"],
    [long, "two!"],
    ["another-quite-long-name.o", ""],
  ]);
  const bsd = archive(
    member("__.SYMDEF", "index"),
    member("b.o", "odd"),
    member("#1/20", `${"long name.o".padEnd(20, "\0")}text`),
  );
  expect(read(bsd)).toEqual([
    ["b.o", "odd"],
    ["long name.o", "text"],
  ]);
});

test("what is no archive, or cut short anywhere, is said", () => {
  expect(() => archiveMembers(Buffer.from("\0asm"))).toThrow(/no archive/);
  const whole = archive(member("a.o/", "some text"), member("b.o/", "more"));
  const ends = new Set([8, 8 + 60 + 9, 8 + 60 + 10, whole.length]); // where a member may be the last one
  for (let length = 8; length <= whole.length; length++) {
    const cut = () => archiveMembers(whole.subarray(0, length));
    if (ends.has(length)) cut();
    else expect(cut, String(length)).toThrow(expect.objectContaining({ code: "NS_BAD_FILE" }));
  }
  expect(() => archiveMembers(archive(member("a.o/", "x", "??")))).toThrow(/damaged at byte 8/);
});

test("what is added to an archive takes the place of what has its name, and the rest stays", async () => {
  const folder = scratch({
    "one.c": "int one(void) { return 1; }",
    "two.c": "int two(void) { return 2; }",
    "again/one.c": "int one(void) { return 100; }",
  });
  const object = async (name: string): Promise<string> => {
    const path = join(folder, `${name}.o`);
    writeFileSync(path, (await compileObject({ sources: [join(folder, `${name}.c`)], cacheDir: sharedCacheDir })).object);
    return path;
  };
  const [one, two, again] = [await object("one"), await object("two"), await object("again/one")];
  const first = await addToArchive(await addToArchive(undefined, [one]), [two]);
  const second = await addToArchive(first, [again]);
  expect(archiveMembers(first).map(({ name }) => name)).toEqual(["one.o", "two.o"]);
  expect(archiveMembers(second).map(({ name }) => name)).toEqual(["one.o", "two.o"]);
  expect(Buffer.from(archiveMembers(second)[0]?.bytes ?? []).equals(readFileSync(again))).toBe(true);
});
