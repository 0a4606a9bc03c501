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

/** A command that makes arrays of 80 kB of the engine's garbage collector, each with a reference to the one before, without end. */
export function hoarding(): Uint8Array<ArrayBuffer> {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, bytes: number[]): number[] => [id, bytes.length, ...bytes];
  const types = [
    ...[0x5e, 0x7e, 1], // 0: an array of i64
    ...[0x5f, 2, 0x63, 1, 1, 0x63, 0, 1], // 1: a structure of the next one and an array
    ...[0x60, 0, 0],
  ];
  const code = [
    ...[1, 1, 0x63, 1], // a local (ref null 1)
    ...[0x03, 0x40, 0x20, 0, 0x41, 0x90, 0xce, 0, 0xfb, 7, 0, 0xfb, 0, 1, 0x21, 0, 0x0c, 0, 0x0b, 0x0b], // for (;;) local = struct.new(local, array.new_default(10000))
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [3, ...types]),
    ...section(3, [1, 2]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("_start"), 0, 0, ...name("memory"), 2, 0]),
    ...section(10, [1, code.length, ...code]),
  ]);
}
