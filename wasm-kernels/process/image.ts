// The image: a stopped process as bytes, for another machine. Layout (all numbers little-endian):
//
//     "NSIM" | u32 version | u32 header bytes | header (CBOR) | u32 packed bytes | pages, packed
//
// The header holds everything but memory; `pages` lists the numbers of the 4 KiB pages that follow, concatenated and packed with the
// algorithm the header names. A delta image names its parent: it holds the pages that changed since, the rest is the parent's.
// Nothing in an image depends on the machine that wrote it.
import { Decoder, Encoder } from "cbor-x";
import { asNightshiftError, NightshiftError } from "../errors.ts";
import type { WasiState } from "../wasi/index.ts";
import { PAGE_BYTES, type Pages } from "./memory.ts";

const MAGIC = 0x4d49534e; // "NSIM"
export const IMAGE_VERSION = 3;
/** Most pages an image may hold: 4 GiB of memory. */
const MAX_PAGES = 1 << 20;

export interface ImageHeader {
  program: string;
  /** The image this one is a delta of; null for a full image. */
  parent: string | null;
  memoryBytes: number;
  /** Mutable globals but references, one after the other in index order. */
  globals: Uint8Array;
  /** Mutable references by global, and the tables the program may change: each function's index, or -1 for null. */
  references: Record<number, number>;
  tables: Record<number, number[]>;
  /** false: the program has not begun; there are no frames. */
  started: boolean;
  /** Saved frames, innermost first: site and its values. */
  frames: { site: number; data: Uint8Array }[];
  /** The host call the process is stopped in, or null when it was stopped at a poll. */
  pending: { module: string; name: string; args: (number | bigint)[] } | null;
  /** i32 result of a call that is answered but whose caller has not gone on yet. */
  answer: number | null;
  /** Home calls answered so far. */
  syscalls: number;
  /** Bytes written to stdout and stderr so far. */
  outputBytes: number;
  errorBytes: number;
  cpuMs: number;
  wasi: WasiState;
}

export interface Image {
  header: ImageHeader;
  pages: Pages;
}

/** Compression, injected because engines differ in what they have built in. `name` goes into the image. */
export interface Packer {
  readonly name: string;
  pack(bytes: Uint8Array): Uint8Array;
  /** @param size exact size of the result; more or less is an error */
  unpack(bytes: Uint8Array, size: number): Uint8Array;
}

export const noPacker: Packer = { name: "none", pack: (bytes) => bytes, unpack: (bytes) => bytes };

const encoder = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false, mapsAsObjects: true });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true, int64AsNumber: false } as ConstructorParameters<
  typeof Decoder
>[0]);

export function encodeImage(image: Image, packer: Packer = noPacker): Uint8Array<ArrayBuffer> {
  const numbers = [...image.pages.keys()];
  const packed = packer.pack(oneAfterTheOther([...image.pages.values()]));
  const header = encoder.encode({ ...image.header, packer: packer.name, pages: runs(numbers) });
  const out = new Uint8Array(16 + header.length + packed.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, IMAGE_VERSION, true);
  view.setUint32(8, header.length, true);
  out.set(header, 12);
  view.setUint32(12 + header.length, packed.length, true);
  out.set(packed, 16 + header.length);
  return out;
}

/** Pages as one array: that which they are parts of, if they lie in it like that, as they mostly do. */
function oneAfterTheOther(pages: readonly Uint8Array[]): Uint8Array {
  const first = pages[0] ?? new Uint8Array(0);
  const { buffer, byteOffset } = first;
  if (pages.every((page, k) => page.buffer === buffer && page.byteOffset === byteOffset + k * PAGE_BYTES))
    return new Uint8Array(buffer, byteOffset, pages.length * PAGE_BYTES);
  const all = new Uint8Array(pages.length * PAGE_BYTES);
  pages.forEach((page, k) => {
    all.set(page, k * PAGE_BYTES);
  });
  return all;
}

const bad = (why: string, cause?: unknown): NightshiftError =>
  new NightshiftError("NS_BAD_IMAGE", `the image cannot be read: ${why}`, cause === undefined ? {} : { cause });

type StoredHeader = ImageHeader & { packer: string; pages: number[] };

function readHeader(bytes: Uint8Array): { header: StoredHeader; packed: Uint8Array } {
  if (bytes.length < 16) throw bad("it is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw bad("it does not begin with NSIM");
  const version = view.getUint32(4, true);
  if (version !== IMAGE_VERSION) throw bad(`it is of version ${version}, not ${IMAGE_VERSION}`);
  const headerBytes = view.getUint32(8, true);
  if (headerBytes > bytes.length - 16) throw bad("its header is cut off");
  const packedBytes = view.getUint32(12 + headerBytes, true);
  if (packedBytes !== bytes.length - 16 - headerBytes) throw bad("its pages are cut off");
  try {
    return {
      header: decoder.decode(bytes.subarray(12, 12 + headerBytes)) as StoredHeader,
      packed: bytes.subarray(16 + headerBytes),
    };
  } catch (thrown) {
    throw bad("its header is damaged", thrown);
  }
}

export const isImage = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC;

/**
 * @param mostBytes of memory the process may have: an image of more is not unpacked
 * @throws NS_BAD_IMAGE for anything that is not a whole image of this version.
 */
export function decodeImage(
  bytes: Uint8Array,
  packers: readonly Packer[] = [noPacker],
  mostBytes = MAX_PAGES * PAGE_BYTES,
): Image {
  const { header: stored, packed } = readHeader(bytes);
  const { packer: packerName, pages: pageRuns, ...header } = stored;
  const packer = packers.find((candidate) => candidate.name === packerName);
  if (!packer) throw bad(`it is packed with "${packerName}"`);
  try {
    const numbers = fromRuns(pageRuns);
    if (!(header.memoryBytes <= mostBytes)) throw bad(`it has ${header.memoryBytes} bytes of memory, more than its limit`);
    const outside = numbers.find((page) => !(page >= 0 && (page + 1) * PAGE_BYTES <= header.memoryBytes));
    if (outside !== undefined) throw bad(`page ${outside} lies outside its memory`);
    if (new Set(numbers).size !== numbers.length) throw bad("it lists a page twice");
    const unpacked = packer.unpack(packed, numbers.length * PAGE_BYTES);
    // Pages are read in words, and what the image was read from is somebody else's.
    const contents = unpacked.buffer === bytes.buffer ? unpacked.slice() : unpacked;
    if (contents.length !== numbers.length * PAGE_BYTES) throw bad("its pages are not whole");
    const pages: Pages = new Map();
    numbers.forEach((page, k) => {
      pages.set(page, contents.subarray(k * PAGE_BYTES, (k + 1) * PAGE_BYTES));
    });
    return { header, pages };
  } catch (thrown) {
    const error = asNightshiftError(thrown);
    throw error.code === "NS_BAD_IMAGE" ? error : bad(error.message, thrown);
  }
}

/** Hash of the image this one is a delta of, or null. @throws NS_BAD_IMAGE */
export function imageParent(bytes: Uint8Array): string | null {
  return readHeader(bytes).header.parent;
}

/** Ascending numbers as [first, count, first, count, ...]. */
function runs(numbers: readonly number[]): number[] {
  const result: number[] = [];
  for (const number of numbers) {
    const last = result.length - 2;
    if (last >= 0 && result[last] + result[last + 1] === number) result[last + 1]++;
    else result.push(number, 1);
  }
  return result;
}

function fromRuns(pairs: readonly number[]): number[] {
  const numbers: number[] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (numbers.length + pairs[i + 1] > MAX_PAGES)
      throw new NightshiftError("NS_BAD_IMAGE", "the image lists more pages than a memory can have");
    for (let k = 0; k < pairs[i + 1]; k++) numbers.push(pairs[i] + k);
  }
  return numbers;
}

/** A full image from a chain of them, oldest (full) first; the last one's header, all pages. */
export function mergeImages(chain: readonly Image[]): Image {
  const [full, ...deltas] = chain;
  if (!full || full.header.parent !== null)
    throw new NightshiftError("NS_BAD_IMAGE", "the chain of images does not begin with a full one");
  const pages: Pages = new Map(full.pages);
  let header = full.header;
  for (const delta of deltas) {
    for (const [number, page] of delta.pages) pages.set(number, page);
    header = delta.header;
  }
  return { header: { ...header, parent: null }, pages };
}
