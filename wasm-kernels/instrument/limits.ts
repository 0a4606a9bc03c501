// How far memories and tables of a module may grow, set in the module itself before the engine gets it: what is beyond it, memory.grow and table.grow
// refuse. Works on sections alone, so that it serves modules that the pass cannot read.
import { NightshiftError } from "../errors.ts";
import { Reader, Writer } from "./binary.ts";
import { SECTION, type Section, sectionsOf } from "./module.ts";

const WASM_PAGE_BYTES = 65_536;
/** Entries of all tables of a program together: they are in the heap of the thread, which ends the whole agent when it is full. */
export const MAX_TABLE_ENTRIES = 2 ** 20;

interface Limits {
  flags: number;
  min: number;
  max: number | undefined;
}

/**
 * The module, with memories that cannot grow beyond the limit together; what they do not begin with, several share equally.
 * @throws NS_MEMORY_LIMIT when it begins with more, NS_BAD_MODULE for memories of 64 bits
 */
export function withMemoryLimit<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
  limitBytes: number,
): Uint8Array<B | ArrayBuffer> {
  return withLimits(
    bytes,
    SECTION.memory,
    () => undefined,
    Math.floor(limitBytes / WASM_PAGE_BYTES),
    (began) => {
      const size = `${began * WASM_PAGE_BYTES} bytes of memory`;
      return new NightshiftError("NS_MEMORY_LIMIT", `the program begins with ${size}; its limit is ${limitBytes}`);
    },
  );
}

/**
 * The module, with tables that cannot grow beyond MAX_TABLE_ENTRIES together.
 * @throws NS_BAD_MODULE when they begin with more
 */
export function withTableLimit<B extends ArrayBufferLike>(bytes: Uint8Array<B>): Uint8Array<B | ArrayBuffer> {
  return withLimits(bytes, SECTION.table, skipReferenceType, MAX_TABLE_ENTRIES, (began) => {
    const most = `all tables together may have ${MAX_TABLE_ENTRIES}`;
    return new NightshiftError("NS_BAD_MODULE", `the module's tables begin with ${began} entries; ${most}`);
  });
}

/** @param skipType passes over what stands before the limits of each */
function withLimits<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
  id: number,
  skipType: (r: Reader) => void,
  most: number,
  tooMany: (began: number) => NightshiftError,
): Uint8Array<B | ArrayBuffer> {
  const section = sectionsOf(bytes).find((candidate) => candidate.id === id);
  if (!section) return bytes;
  const r = new Reader(bytes, section.start, section.end);
  const all = r.vector(() => {
    const start = r.offset;
    skipType(r);
    return { type: bytes.subarray(start, r.offset), ...readLimits(r) };
  });
  const began = all.reduce((sum, { min }) => sum + min, 0);
  if (began > most) throw tooMany(began);
  const more = Math.floor((most - began) / all.length);
  if (all.every(({ min, max }) => max !== undefined && max <= min + more)) return bytes;
  const content = new Writer().u32(all.length);
  for (const { type, flags, min, max } of all)
    content
      .bytes(type)
      .byte(flags | HAS_MAX)
      .u32(min)
      .u32(Math.min(max ?? min + more, min + more));
  return replaced(bytes, section, content);
}

function replaced(bytes: Uint8Array, section: Section, content: Writer): Uint8Array<ArrayBuffer> {
  const out = new Writer(bytes.length + 64).bytes(bytes.subarray(0, section.header));
  return out.byte(section.id).sized(content).bytes(bytes.subarray(section.end)).finish();
}

const HAS_MAX = 1;
/** A maximum, shared. */
const KNOWN_FLAGS = 3;

function readLimits(r: Reader): Limits {
  const flags = r.byte();
  if (flags > KNOWN_FLAGS)
    throw new NightshiftError("NS_BAD_MODULE", `a memory or table of 64 bits or an unknown kind at byte ${r.offset}`);
  return { flags, min: r.u32(), max: flags & HAS_MAX ? r.u32() : undefined };
}

const REF = 0x64;
const REF_NULL = 0x63;
const WITH_INITIAL_VALUE = 0x40;

function skipReferenceType(r: Reader): void {
  const type = r.byte();
  if (type === WITH_INITIAL_VALUE) throw new NightshiftError("NS_BAD_MODULE", "a table has an initial value");
  if (type === REF || type === REF_NULL) r.skipLeb();
}
