// The pages of a process's memory: which differ from what is known elsewhere, and putting them back. Pages are 4 KiB, finer than
// WebAssembly's 64 KiB, because that is what programs change at a time.
import { severalMemories } from "./engine.ts";
import { type PageScan, pageDifference } from "./page-scan.ts";

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
  return copies(bytes, numbers);
}

function copies(bytes: Uint8Array, numbers: readonly number[]): Pages {
  const all = new Uint8Array(numbers.length * PAGE_BYTES);
  return new Map(
    numbers.map((page, at) => {
      const copy = all.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
      copy.set(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
      return [page, copy];
    }),
  );
}

/**
 * From so many known pages on (2 MiB) they are kept in a memory of their own, where they are compared at the speed of the machine, if the engine
 * lets a module have two. Not those that it begins with: they are in memory already, and a process that has just come should go on at once.
 */
const SHADOW_PAGES = severalMemories ? 512 : Number.POSITIVE_INFINITY;

/** What a process's memory was at some time, to find what has changed since. Only grows more known. */
export class KnownMemory {
  private pages: Pages;
  private shadow: { memory: WebAssembly.Memory; differs: PageScan } | undefined;
  private readonly memory: WebAssembly.Memory;
  private readonly scan: PageScan;

  constructor(memory: WebAssembly.Memory, scan: PageScan, pages: Pages) {
    this.memory = memory;
    this.scan = scan;
    this.pages = pages;
  }

  /** Copies of the pages that have changed, in ascending order. */
  changed(): Pages {
    const { shadow } = this;
    if (!shadow) return changedPages(this.memory, this.scan, this.pages);
    this.growShadow(shadow.memory);
    const count = this.memory.buffer.byteLength / PAGE_BYTES;
    const numbers: number[] = [];
    for (let page = shadow.differs(0, count); page < count; page = shadow.differs(page + 1, count)) numbers.push(page);
    return copies(new Uint8Array(this.memory.buffer), numbers);
  }

  /** These pages are known to be so from now on. */
  update(pages: Pages): void {
    if (!this.shadow && this.pages.size + pages.size > SHADOW_PAGES) {
      const memory = new WebAssembly.Memory({ initial: this.memory.buffer.byteLength / WASM_PAGE_BYTES });
      this.shadow = { memory, differs: pageDifference(this.memory, memory) };
      writePages(memory, this.pages);
      this.pages = new Map();
    }
    if (this.shadow) {
      this.growShadow(this.shadow.memory);
      writePages(this.shadow.memory, pages);
    } else this.pages = new Map([...this.pages, ...pages]);
  }

  private growShadow(shadow: WebAssembly.Memory): void {
    const missing = (this.memory.buffer.byteLength - shadow.buffer.byteLength) / WASM_PAGE_BYTES;
    if (missing > 0) shadow.grow(missing);
  }
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
