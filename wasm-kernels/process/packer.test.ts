import { expect, test } from "vitest";
import { loadZstdPacker } from "./packer.browser.ts";
import { zstdPacker } from "./packer.node.ts";

const browser = await loadZstdPacker();
const packers = { "Node's packer": zstdPacker, "the browser's packer": browser };
/** One of each width in which a frame writes its size. */
const SIZES = [0, 4096, 16 * 4096, 20 * 2 ** 20];

function bytesOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = at % 4096 < 900 ? Math.imul(at, 2654435761) >>> 24 : 0;
  return bytes;
}

test.each(Object.entries(packers))("what %s packs, both unpack", (_name, packer) => {
  for (const size of SIZES) {
    const bytes = bytesOf(size);
    const packed = packer.pack(bytes);
    for (const reader of Object.values(packers)) expect(Buffer.compare(reader.unpack(packed, size), bytes)).toBe(0);
  }
});

test("pages packed as more or fewer bytes than the image has, or damaged, are refused before memory is allocated for them", () => {
  const packed = browser.pack(bytesOf(16 * 4096));
  expect(() => browser.unpack(packed, 15 * 4096)).toThrow(/not packed as 61440 bytes/);
  expect(() => browser.unpack(packed, 17 * 4096)).toThrow(/not packed as/);
  expect(() => browser.unpack(new Uint8Array(3), 4096)).toThrow(/not packed as/);
  expect(() => browser.unpack(packed.slice(0, -5), 16 * 4096)).toThrow();
  const lying = packed.slice();
  lying.set([0xff, 0xff, 0xff, 0x7f], 5);
  expect(() => browser.unpack(lying, 16 * 4096)).toThrow(/not packed as/);
  expect(() => browser.unpack(packed, 2 ** 30)).toThrow(/too large for a browser/);
  expect(Buffer.compare(browser.unpack(packed, 16 * 4096), bytesOf(16 * 4096))).toBe(0);
});
