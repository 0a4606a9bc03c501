// Programs that cannot be moved and are to run all the same (`--pin`): the plain module with a mark that says why. Works on sections alone, as
// the pass (instrument/) cannot read such modules.
import { must, NightshiftError } from "../errors.ts";
import { Reader, Writer } from "../instrument/binary.ts";
import { isWasm } from "../instrument/index.ts";
import { PREFIX } from "../instrument/layout.ts";
import { EXTERNAL, SECTION } from "../instrument/module.ts";
import { WASM_PAGE_BYTES } from "./memory.ts";
import { checkInterface } from "./program.ts";

/** The first section of a pinned program. */
const MARK = "nightshift.pinned";
/** Exported by a pinned program whose module has a start function: what would run while the instance is made runs as part of the process. */
export const START_EXPORT = `${PREFIX}start`;

/**
 * The module as a pinned program.
 * @param because why it cannot be moved, for people
 * @throws NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT
 */
export function pin(bytes: Uint8Array<ArrayBuffer>, because: string): Uint8Array<ArrayBuffer> {
  check(bytes);
  const out = new Writer(bytes.length + 256).bytes(bytes.subarray(0, 8));
  out.byte(0).sized(new Writer().name(MARK).name(because));
  const sections = sectionsOf(bytes);
  const start = sections.find(({ id }) => id === SECTION.start);
  for (const section of sections) {
    if (section.id === SECTION.start) continue;
    const content = bytes.subarray(section.start, section.end);
    if (start && section.id === SECTION.export) {
      const exports = new Reader(content);
      const count = exports.u32();
      const first = new Reader(bytes, start.start, start.end).u32();
      const one = new Writer().name(START_EXPORT).byte(EXTERNAL.function).u32(first);
      out.byte(section.id).sized(
        new Writer(content.length + 64)
          .u32(count + 1)
          .bytes(one.view())
          .bytes(content.subarray(exports.offset)),
      );
    } else out.byte(section.id).u32(content.length).bytes(content);
  }
  return out.finish();
}

/** Why the program cannot be moved; undefined for one that can (or is no program). */
export function pinnedBecause(bytes: Uint8Array): string | undefined {
  if (!isWasm(bytes) || bytes[8] !== 0) return undefined;
  const reader = new Reader(bytes, 9);
  const content = new Reader(reader.take(reader.u32()));
  return content.name() === MARK ? content.name() : undefined;
}

/**
 * The module with memories that cannot grow beyond the limit; what they do not begin with, several share equally.
 * @throws NS_MEMORY_LIMIT when it begins with more
 */
export function withMemoryLimit(bytes: Uint8Array<ArrayBuffer>, limitBytes: number): Uint8Array<ArrayBuffer> {
  const section = sectionsOf(bytes).find(({ id }) => id === SECTION.memory);
  if (!section) return bytes;
  const memories = new Reader(bytes, section.start, section.end);
  const limits = memories.vector(() => readLimits(memories));
  const began = limits.reduce((sum, { min }) => sum + min, 0);
  const most = Math.floor(limitBytes / WASM_PAGE_BYTES);
  if (began > most)
    throw new NightshiftError(
      "NS_MEMORY_LIMIT",
      `the program begins with ${began * WASM_PAGE_BYTES} bytes of memory; its limit is ${limitBytes}`,
    );
  const more = Math.floor((most - began) / limits.length);
  const content = new Writer().u32(limits.length);
  for (const { flags, min, max } of limits)
    content
      .byte(flags | HAS_MAX)
      .u32(min)
      .u32(Math.min(max ?? min + more, min + more));
  const head = bytes.subarray(0, section.header);
  return new Writer(bytes.length + 16)
    .bytes(head)
    .byte(SECTION.memory)
    .sized(content)
    .bytes(bytes.subarray(section.end))
    .finish();
}

const HAS_MAX = 1;
const IS_64 = 4;
/** A maximum, shared, 64 bits. */
const KNOWN_FLAGS = 7;

function readLimits(r: Reader): { flags: number; min: number; max: number | undefined } {
  const flags = r.byte();
  if (flags > KNOWN_FLAGS) throw new NightshiftError("NS_BAD_MODULE", `a memory of an unknown kind at byte ${r.offset}`);
  const min = readPages(r);
  return { flags, min, max: flags & HAS_MAX ? readPages(r) : undefined };
}

/** Unsigned LEB128 of up to 64 bits; exact as far as any memory can be large. */
function readPages(r: Reader): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = r.byte();
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}

/** @throws NS_NOT_WASM, NS_BAD_MODULE, NS_UNKNOWN_IMPORT */
function check(bytes: Uint8Array<ArrayBuffer>): void {
  if (!isWasm(bytes)) throw new NightshiftError("NS_NOT_WASM", "the file is not a WebAssembly module");
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    throw new NightshiftError("NS_BAD_MODULE", `the module does not validate: ${(error as Error).message}`, { cause: error });
  }
  const exports = WebAssembly.Module.exports(module);
  checkInterface(WebAssembly.Module.imports(module), exports);
  const kept = exports.find(({ name }) => name.startsWith(PREFIX));
  if (kept) throw new NightshiftError("NS_BAD_MODULE", `the module exports "${kept.name}", a name kept for Nightshift`);
  const memories = must(
    sectionsOf(bytes).find(({ id }) => id === SECTION.memory),
    "the memory that the module exports",
  );
  const reader = new Reader(bytes, memories.start, memories.end);
  if (reader.vector(() => readLimits(reader)).some(({ flags }) => flags & IS_64))
    throw new NightshiftError("NS_BAD_MODULE", "the module has a 64-bit memory, which WASI preview1 has no addresses for");
}

/** `header` is where a section's id stands, `start` and `end` enclose its content. */
function sectionsOf(bytes: Uint8Array): { id: number; header: number; start: number; end: number }[] {
  const reader = new Reader(bytes, 8);
  const sections = [];
  while (!reader.done) {
    const header = reader.offset;
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.offset;
    reader.skip(size);
    sections.push({ id, header, start, end: reader.offset });
  }
  return sections;
}
