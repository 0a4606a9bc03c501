// Programs that cannot be moved and are to run all the same (`--pin`): the plain module with a mark that says why. Works on sections alone, as
// the pass (instrument/) cannot read such modules.
import { NightshiftError } from "../errors.ts";
import { Reader, Writer } from "../instrument/binary.ts";
import { isWasm } from "../instrument/index.ts";
import { PREFIX } from "../instrument/layout.ts";
import { withMemoryLimit, withTableLimit } from "../instrument/limits.ts";
import { EXTERNAL, SECTION, sectionsOf } from "../instrument/module.ts";
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
export function pin(given: Uint8Array<ArrayBuffer>, because: string): Uint8Array<ArrayBuffer> {
  check(given);
  const bytes = withTableLimit(given);
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

/** Whether there are objects of the engine's garbage collector in it: a heap that they fill ends the whole agent, and no limit holds against that. */
export function makesObjects(bytes: Uint8Array): boolean {
  const section = sectionsOf(bytes).find(({ id }) => id === SECTION.type);
  if (!section) return false;
  const r = new Reader(bytes, section.start, section.end);
  const skipValueType = (): void => {
    const type = r.byte();
    if (type === REF || type === REF_NULL) r.skipLeb();
  };
  for (let left = r.u32(); left > 0; left--) {
    if (r.byte() !== FUNCTION_TYPE) return true;
    r.vector(skipValueType);
    r.vector(skipValueType);
  }
  return false;
}

const FUNCTION_TYPE = 0x60;
const REF = 0x64;
const REF_NULL = 0x63;
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
  // WASI preview1 has addresses of 32 bits.
  withMemoryLimit(bytes, 2 ** 32);
  const kept = exports.find(({ name }) => name.startsWith(PREFIX));
  if (kept) throw new NightshiftError("NS_BAD_MODULE", `the module exports "${kept.name}", a name kept for Nightshift`);
  if (makesObjects(bytes))
    throw new NightshiftError(
      "NS_BAD_MODULE",
      "it makes objects of the engine's garbage collector, and nobody could limit how much memory they take",
    );
}
