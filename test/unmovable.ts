// Programs that cannot be moved: any program with one thing added that no image can hold.
import { parseModule } from "@nightshift/wasm-kernels/instrument";

const GLOBAL_SECTION = 6;
/** A mutable global of type externref, null. */
const REFERENCE = [0x6f, 1, 0xd0, 0x6f, 0x0b];

/** @param module with fewer than 127 globals */
export function unmovable(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const section = parseModule(module).sections.find(({ id }) => id === GLOBAL_SECTION);
  if (!section) throw new Error("the module has no globals");
  const [count, ...globals] = module.subarray(section.start, section.end);
  const content = [count + 1, ...globals, ...REFERENCE];
  if (count > 126 || content.length > 127) throw new Error("too many globals for one byte");
  // Its id and size are one byte each as long as it is short.
  const before = module.subarray(0, section.start - 2);
  if (module[section.start - 2] !== GLOBAL_SECTION) throw new Error("the section's size takes more than one byte");
  return Uint8Array.from([...before, GLOBAL_SECTION, content.length, ...content, ...module.subarray(section.end)]);
}

/** A command whose structure is one of the engine's garbage-collected objects; it ends with 0 when that works. */
export function garbageCollected(): Uint8Array<ArrayBuffer> {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, bytes: number[]): number[] => [id, bytes.length, ...bytes];
  const STRUCT = [0x5f, 1, 0x7f, 1];
  const code = [
    ...[1, 1, 0x63, 0], // a local (ref null 0)
    ...[0x41, 3, 0xfb, 0, 0, 0x21, 0], // local = struct.new(3)
    ...[0x20, 0, 0x41, 4, 0xfb, 5, 0, 0], // struct.set(local, 4)
    ...[0x20, 0, 0xfb, 2, 0, 0, 0x41, 4, 0x47, 0x04, 0x40, 0x00, 0x0b, 0x0b], // if (struct.get(local) != 4) unreachable
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, ...STRUCT, 0x60, 0, 0]),
    ...section(3, [1, 1]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("_start"), 0, 0, ...name("memory"), 2, 0]),
    ...section(10, [1, code.length, ...code]),
  ]);
}
