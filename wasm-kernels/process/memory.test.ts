import { describe, expect, test } from "vitest";
import { changedPages, clearPages, KnownMemory, PAGE_BYTES, type Pages, writePages } from "./memory.ts";
import { pageScan } from "./page-scan.ts";

const memory = (): { memory: WebAssembly.Memory; bytes: Uint8Array; scan: ReturnType<typeof pageScan> } => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  return { memory, bytes: new Uint8Array(memory.buffer), scan: pageScan(memory) };
};
const PAGES = (4 * 65536) / PAGE_BYTES;

describe("pages of a memory", () => {
  test("a single byte is found wherever it lies in its page", () => {
    const { bytes, scan } = memory();
    for (const at of [0, 1, 255, 256, 4095, 4096, 12345, 63 * PAGE_BYTES, PAGES * PAGE_BYTES - 1]) {
      bytes[at] = 0x80;
      const page = Math.floor(at / PAGE_BYTES);
      expect(scan(0, PAGES)).toBe(page);
      expect(scan(page, page + 1)).toBe(page);
      expect(scan(page + 1, PAGES)).toBe(PAGES);
      expect(scan(0, page)).toBe(page);
      bytes[at] = 0;
    }
    expect(scan(0, PAGES)).toBe(PAGES);
    expect(scan(PAGES, PAGES)).toBe(PAGES);
  });

  test("changed are those that differ from what is known, also where they have become zero, in ascending order", () => {
    const { memory: it, bytes, scan } = memory();
    bytes[5] = 1;
    bytes[3 * PAGE_BYTES] = 2;
    bytes[9 * PAGE_BYTES + 7] = 3;
    const known = changedPages(it, scan, new Map());
    expect([...known.keys()]).toEqual([0, 3, 9]);
    expect(changedPages(it, scan, known).size).toBe(0);
    bytes[3 * PAGE_BYTES] = 0;
    bytes[9 * PAGE_BYTES + 4095] = 1;
    bytes[20 * PAGE_BYTES] = 1;
    const changed = changedPages(it, scan, known);
    expect([...changed.keys()]).toEqual([3, 9, 20]);
    expect(changed.get(3)?.every((byte) => byte === 0)).toBe(true);
    // A page of zeros that is known as such has not changed.
    const after: Pages = new Map([...known, ...changed]);
    expect(changedPages(it, scan, after).size).toBe(0);
  });

  test.each([
    ["few", 4],
    ["so many that they are kept in a memory of their own", 40],
  ])("what is known of %s pages grows with every update, and with the memory", (_, wasmPages) => {
    const it = new WebAssembly.Memory({ initial: wasmPages });
    const write = (page: number, byte: number): void =>
      void new Uint8Array(it.buffer).fill(byte, page * PAGE_BYTES, page * PAGE_BYTES + 1);
    const scan = pageScan(it);
    for (let page = 0; page < wasmPages * 16; page++) write(page, 1 + (page % 7));
    const known = new KnownMemory(it, scan, new Map());
    const all = known.changed();
    expect(all.size).toBe(wasmPages * 16);
    known.update(all);
    expect(known.changed().size).toBe(0);
    write(3, 0);
    write(17, 99);
    it.grow(1);
    write(wasmPages * 16 + 5, 7);
    const changed = known.changed();
    expect([...changed.keys()]).toEqual([3, 17, wasmPages * 16 + 5]);
    expect(changed.get(17)?.[0]).toBe(99);
    // The copies are of that time, whatever becomes of the memory before they are stored.
    write(17, 100);
    known.update(changed);
    expect([...known.changed().keys()]).toEqual([17]);
    write(17, 99);
    expect(known.changed().size).toBe(0);
  });

  test("many pages that are known from the beginning are compared as well as those that come later", () => {
    const it = new WebAssembly.Memory({ initial: 40 });
    const bytes = new Uint8Array(it.buffer);
    for (let page = 0; page < 640; page++) bytes[page * PAGE_BYTES] = 1 + (page % 7);
    const scan = pageScan(it);
    const known = new KnownMemory(it, scan, changedPages(it, scan, new Map()));
    expect(known.changed().size).toBe(0);
    bytes[5 * PAGE_BYTES] = 0;
    bytes[600 * PAGE_BYTES + 77] = 3;
    const changed = known.changed();
    expect([...changed.keys()]).toEqual([5, 600]);
    known.update(changed);
    expect(known.changed().size).toBe(0);
    bytes[5 * PAGE_BYTES] = 1;
    expect([...known.changed().keys()]).toEqual([5]);
  });

  test("a memory that grows is looked through to its new end", () => {
    const { memory: it, scan } = memory();
    it.grow(1);
    new Uint8Array(it.buffer)[PAGES * PAGE_BYTES + 1] = 1;
    expect([...changedPages(it, scan, new Map()).keys()]).toEqual([PAGES]);
  });

  test("cleared and written again, the memory is as it was", () => {
    const { memory: it, bytes, scan } = memory();
    for (let i = 0; i < bytes.length; i += 5003) bytes[i] = i;
    const before = bytes.slice();
    const pages = changedPages(it, scan, new Map());
    clearPages(it, scan);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    writePages(it, pages);
    expect(bytes).toEqual(before);
  });
});
