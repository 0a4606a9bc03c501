import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PolicyFile } from "./policy-files.ts";

/** For the system to tell of a change, on a machine that has much else to do. */
const SOON = { timeout: 120_000, interval: 20 };

let folder: string;
let path: string;
let file: PolicyFile<number>;
let changes: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-policy-"));
  path = join(folder, "agents", "amun", "settings.json");
  changes = 0;
});
afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true });
});

const parse = (text: string): number => {
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`${text} is no number`);
  return value;
};
function open(): void {
  file = new PolicyFile({ path, parse, none: 0 });
  file.watch(() => changes++);
}
const replace = (text: string): void => {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
};
const says = (value: number): Promise<void> => vi.waitFor(() => expect(file.value).toBe(value), SOON);

test("a file that comes, with the folders above it, is replaced again and again, and goes, counts as it is", async () => {
  open();
  expect(file.value).toBe(0);
  mkdirSync(join(folder, "agents", "amun"), { recursive: true });
  writeFileSync(path, "1");
  await says(1);
  for (const value of [2, 3, 4]) {
    replace(String(value));
    await says(value);
  }
  rmSync(path);
  await says(0);
  rmSync(join(folder, "agents"), { recursive: true });
  mkdirSync(join(folder, "agents", "amun"), { recursive: true });
  writeFileSync(path, "5");
  await says(5);
});

test("a damaged file changes nothing and is told once, until it is mended or written anew", async () => {
  mkdirSync(join(folder, "agents", "amun"), { recursive: true });
  writeFileSync(path, "1");
  open();
  replace("much");
  await vi.waitFor(() => expect(file.problem).toBe("much is no number"), SOON);
  expect([file.value, changes]).toEqual([1, 1]);
  replace("1");
  await vi.waitFor(() => expect(file.problem).toBeNull(), SOON);
  expect([file.value, changes]).toEqual([1, 2]);
  replace("more");
  await vi.waitFor(() => expect(file.problem).toBe("more is no number"), SOON);
  file.set(9);
  file.save(String);
  expect([file.value, file.problem, readFileSync(path, "utf8")]).toEqual([9, null, "9"]);
});

test("what could not be written counts until the file says something new", async () => {
  mkdirSync(join(folder, "agents", "amun"), { recursive: true });
  writeFileSync(path, "1");
  open();
  mkdirSync(`${path}.new`); // in the way of a new file
  file.set(2);
  expect(() => file.save(String)).toThrow(expect.objectContaining({ code: "NS_HOME_UNUSABLE" }));
  // The same again: nobody has changed anything.
  replace("1");
  const looked = changes;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([file.value, changes]).toEqual([2, looked]);
  replace("3");
  await says(3);
});
