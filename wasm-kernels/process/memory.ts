// The pages of a process's memory: which differ from what is known elsewhere, and putting them back. Pages are 4 KiB, finer than
// WebAssembly's 64 KiB, because that is what programs change at a time.
export const PAGE_BYTES = 4096;
export const WASM_PAGE_BYTES = 65536;
const WORDS = PAGE_BYTES / 4;

/** Contents by page number; a page that is missing is all zeros. */
export type Pages = Map<number, Uint8Array>;

/** All pages that are not zero, copied. */
export function nonZeroPages(memory: Uint8Array): Pages {
  return changedPages(memory, new Map());
}

/** Copies of the pages that differ from `known` (pages beyond it count as zeros), in ascending order. */
export function changedPages(memory: Uint8Array, known: Pages): Pages {
  const words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
  const changed: Pages = new Map();
  const count = memory.byteLength / PAGE_BYTES;
  for (let page = 0; page < count; page++) {
    const before = known.get(page);
    if (before ? differs(words, page * WORDS, before) : !isZero(words, page * WORDS)) {
      changed.set(page, memory.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
    }
  }
  return changed;
}

function isZero(words: Int32Array, from: number): boolean {
  for (let i = from, end = from + WORDS; i < end; i += 4)
    if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3]) !== 0) return false;
  return true;
}

function differs(words: Int32Array, from: number, before: Uint8Array): boolean {
  const old = new Int32Array(before.buffer, before.byteOffset, WORDS);
  for (let i = 0; i < WORDS; i++) if (words[from + i] !== old[i]) return true;
  return false;
}

export function writePages(memory: Uint8Array, pages: Pages): void {
  for (const [page, bytes] of pages) memory.set(bytes, page * PAGE_BYTES);
}
