// The pages of a process's memory: which differ from what is known elsewhere, and putting them back. Pages are 4 KiB, finer than
// WebAssembly's 64 KiB, because that is what programs change at a time.
import type { PageScan } from "./page-scan.ts";

export const PAGE_BYTES = 4096;
export const WASM_PAGE_BYTES = 65536;
const WORDS = PAGE_BYTES / 4;

/** Contents by page number; a page that is missing is all zeros. */
export type Pages = Map<number, Uint8Array>;

/** Copies of the pages that differ from `known` (pages beyond it count as zeros), in ascending order. */
export function changedPages(memory: WebAssembly.Memory, scan: PageScan, known: Pages): Pages {
  const bytes = new Uint8Array(memory.buffer);
  const count = bytes.length / PAGE_BYTES;
  const numbers: number[] = [];
  let cleared = false;
  for (let page = scan(0, count); page < count; page = scan(page + 1, count)) {
    const before = known.get(page);
    if (!before || differs(bytes, page, before)) numbers.push(page);
  }
  for (const [page, before] of known) {
    // Those that are not zero now have been looked at.
    if (page >= count || scan(page, page + 1) === page || !differs(bytes, page, before)) continue;
    numbers.push(page);
    cleared = true;
  }
  if (cleared) numbers.sort((a, b) => a - b);
  return new Map(numbers.map((page) => [page, bytes.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)]));
}

function differs(bytes: Uint8Array, page: number, before: Uint8Array): boolean {
  const now = new Int32Array(bytes.buffer, bytes.byteOffset + page * PAGE_BYTES, WORDS);
  const old = new Int32Array(before.buffer, before.byteOffset, WORDS);
  for (let i = 0; i < WORDS; i++) if (now[i] !== old[i]) return true;
  return false;
}

export function writePages(memory: WebAssembly.Memory, pages: Pages): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const [page, content] of pages) bytes.set(content, page * PAGE_BYTES);
}

/** Everything to zero; pages that are zero are not touched. */
export function clearPages(memory: WebAssembly.Memory, scan: PageScan): void {
  const bytes = new Uint8Array(memory.buffer);
  const count = bytes.length / PAGE_BYTES;
  for (let page = scan(0, count); page < count; page = scan(page + 1, count))
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
}
