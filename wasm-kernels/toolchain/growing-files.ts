// What the compiler's file tree lacks: a file that grows in place. The package copies the whole file at each write, and an object is written once for
// each relocation, so that tables of some ten thousand strings would take minutes. Its class of open files is given another write() as it is loaded.
import { registerHooks } from "node:module";
import type { commands, Exit } from "@yowasp/clang";

/** The write of the package's WriteStream, as its bundle has it. */
const COPYING = `    const newData = new Uint8Array(Math.max(this.file.data.length, offset + contents.length));
    newData.set(this.file.data);
    newData.subarray(offset).set(contents);
    this.file.data = newData;
`;
const GROWING = "    this.file.data = globalThis.nightshiftWritten(this.file.data, offset, contents);\n";

/** Buffers that written() has made: no other may have its end written to. */
const own = new WeakSet<ArrayBufferLike>();

/**
 * The file with `contents` at `offset`; between its end and there are zeros. It may lie in the same memory as before, so that many small writes
 * take the time of what they write.
 */
export function written(file: Uint8Array, offset: number, contents: Uint8Array): Uint8Array {
  const length = Math.max(file.length, offset + contents.length);
  let grown = file;
  if (!own.has(file.buffer) || length > file.buffer.byteLength) {
    grown = new Uint8Array(length * 2).subarray(0, length);
    own.add(grown.buffer);
    grown.set(file);
  } else if (length > file.length) {
    grown = new Uint8Array(file.buffer, 0, length);
    grown.fill(0, file.length); // a file that was cut leaves what it had
  }
  grown.set(contents, offset);
  return grown;
}

/** The package's bundle with files that grow; undefined when it is another than the one known here, which works all the same. */
export function withGrowingFiles(bundle: string): string | undefined {
  return bundle.includes(COPYING) ? bundle.replace(COPYING, () => GROWING) : undefined;
}

/** Loads the compiler, once in a thread. Node before 22.15 cannot change what it loads: there it is only slower. */
export async function loadTools(): Promise<{ Exit: typeof Exit; commands: typeof commands }> {
  if (typeof registerHooks !== "function") return import("@yowasp/clang");
  Object.assign(globalThis, { nightshiftWritten: written });
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.includes("/@yowasp/clang/") || loaded.source === undefined || loaded.source === null) return loaded;
      const bundle = typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
      return { ...loaded, source: withGrowingFiles(bundle) ?? loaded.source };
    },
  });
  try {
    return await import("@yowasp/clang");
  } finally {
    hooks.deregister();
  }
}
