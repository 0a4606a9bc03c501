// The module as sections and index spaces: what the pass needs to know of types, functions, globals, tables, memories, tags and
// exports. Sections that the pass does not change stay raw bytes. Refuses what cannot be transformed, with the reason.
import { NightshiftError } from "../errors.ts";
import { Reader, Writer } from "./binary.ts";
import type { ValueType } from "./opcodes.ts";

export interface FuncType {
  params: ValueType[];
  results: ValueType[];
}

export interface Import {
  module: string;
  name: string;
  /** 0 function, 1 table, 2 memory, 3 global, 4 tag */
  kind: number;
  /** Type index of a function or tag; value type of a global; reference type of a table; 0 for a memory. */
  type: number;
  mutable: boolean;
}

export interface Export {
  name: string;
  kind: number;
  index: number;
}

export interface Section {
  id: number;
  /** Where its id stands. */
  header: number;
  /** Of the content, without id and size. */
  start: number;
  end: number;
  /** Custom sections only. */
  name: string;
}

export interface WasmModule {
  bytes: Uint8Array;
  sections: Section[];
  types: FuncType[];
  imports: Import[];
  importedFunctions: Import[];
  /** Type index of every function, imported ones first. */
  functionTypes: number[];
  globals: { type: ValueType; mutable: boolean; imported: boolean }[];
  tables: { type: ValueType; imported: boolean }[];
  memories: { minPages: number; maxPages: number | undefined; shared: boolean; imported: boolean }[];
  /** Type index of every tag. */
  tags: number[];
  exports: Export[];
  start: number | undefined;
  /** Byte range of every defined function's body (local declarations and code), by index among the defined ones. */
  bodies: { start: number; end: number }[];
  /** Functions whose address may be taken: in an element segment, a ref.func of a global, or exported. */
  addressTaken: Set<number>;
  /** Function index -> name from the name section. */
  names: Map<number, string>;
}

export const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

/** For people: what a module calls it may be anything, of any length. */
export function functionName(module: WasmModule, index: number): string {
  return nameOf(module, index)
    .replace(/\p{Cc}/gu, "?")
    .slice(0, MAX_NAME);
}

const MAX_NAME = 300;

function nameOf(module: WasmModule, index: number): string {
  const name = module.names.get(index);
  if (name !== undefined) return name;
  const imported = module.importedFunctions[index];
  if (imported) return `${imported.module}.${imported.name}`;
  return module.exports.find((e) => e.kind === EXTERNAL.function && e.index === index)?.name ?? `function ${index}`;
}

export const isWasm = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;

/** @throws NS_NOT_WASM, NS_BAD_MODULE, NS_NOT_MIGRATABLE (garbage-collected types, 64-bit memories). */
export function parseModule(bytes: Uint8Array): WasmModule {
  if (!isWasm(bytes))
    throw new NightshiftError("NS_NOT_WASM", "the file is not a WebAssembly module (it does not begin with \\0asm)");
  const version = bytes[4] | (bytes[5] << 8) | (bytes[6] << 16) | (bytes[7] << 24);
  if (version !== 1)
    throw new NightshiftError("NS_BAD_MODULE", `the module is of binary version ${version}, not 1 (a component is not a module)`);
  const module: WasmModule = {
    bytes,
    sections: [],
    types: [],
    imports: [],
    importedFunctions: [],
    functionTypes: [],
    globals: [],
    tables: [],
    memories: [],
    tags: [],
    exports: [],
    start: undefined,
    bodies: [],
    addressTaken: new Set(),
    names: new Map(),
  };
  module.sections = sectionsOf(bytes);
  for (const section of module.sections) readSection(module, section, new Reader(bytes, section.start, section.end));
  for (const { kind, index } of module.exports) if (kind === EXTERNAL.function) module.addressTaken.add(index);
  return module;
}

/** @throws NS_BAD_MODULE */
export function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  const reader = new Reader(bytes, 8);
  while (!reader.done) {
    const header = reader.offset;
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.offset;
    reader.skip(size);
    const end = reader.offset;
    sections.push({ id, header, start, end, name: id === 0 ? new Reader(bytes, start, end).name() : "" });
  }
  return sections;
}

function readSection(module: WasmModule, section: Section, r: Reader): void {
  switch (section.id) {
    case 0:
      if (section.name !== "name") break;
      r.name();
      readNames(module, r);
      break;
    case 1:
      module.types = r.vector(() => readFuncType(r));
      break;
    case 2:
      r.vector(() => readImport(module, r));
      break;
    case 3:
      r.vector(() => module.functionTypes.push(r.u32()));
      break;
    case 4:
      r.vector(() => {
        const type = r.byte();
        if (type === 0x40) throw unsupported("a table with an initial value");
        module.tables.push({ type: checkValueType(type), imported: false });
        readLimits(r);
      });
      break;
    case 5:
      r.vector(() => module.memories.push({ ...readLimits(r), imported: false }));
      break;
    case 13:
      r.vector(() => {
        r.byte();
        module.tags.push(r.u32());
      });
      break;
    case 6:
      r.vector(() => {
        const type = checkValueType(r.byte());
        module.globals.push({ type, mutable: r.byte() === 1, imported: false });
        skipConstant(module, r);
      });
      break;
    case 7:
      module.exports = r.vector(() => ({ name: r.name(), kind: r.byte(), index: r.u32() }));
      break;
    case 8:
      module.start = r.u32();
      break;
    case 9:
      r.vector(() => readElement(module, r));
      break;
    case 10:
      module.bodies = r.vector(() => {
        const size = r.u32();
        const start = r.offset;
        r.skip(size);
        return { start, end: r.offset };
      });
      break;
    default: // 11 data, 12 data count: never changed
      if (section.id > 13) throw new NightshiftError("NS_BAD_MODULE", `unknown section ${section.id} at byte ${section.start}`);
  }
}

function unsupported(what: string): NightshiftError {
  return new NightshiftError("NS_NOT_MIGRATABLE", `the module uses ${what}`);
}

function checkValueType(type: number): ValueType {
  if ((type >= 0x7b && type <= 0x7f) || type === 0x70 || type === 0x6f || type === 0x69) return type;
  throw unsupported(`the value type 0x${type.toString(16)} (garbage-collected or typed references)`);
}

function readFuncType(r: Reader): FuncType {
  const form = r.byte();
  if (form !== 0x60) throw unsupported(`the type form 0x${form.toString(16)} (garbage-collected types)`);
  return { params: r.vector(() => checkValueType(r.byte())), results: r.vector(() => checkValueType(r.byte())) };
}

function readLimits(r: Reader): { minPages: number; maxPages: number | undefined; shared: boolean } {
  const flags = r.byte();
  if (flags & 4) throw unsupported("a 64-bit memory or table");
  const minPages = r.u32();
  return { minPages, maxPages: flags & 1 ? r.u32() : undefined, shared: (flags & 2) !== 0 };
}

function readImport(module: WasmModule, r: Reader): void {
  const item: Import = { module: r.name(), name: r.name(), kind: r.byte(), type: 0, mutable: false };
  if (item.kind === EXTERNAL.function) {
    item.type = r.u32();
    module.importedFunctions.push(item);
    module.functionTypes.push(item.type);
  } else if (item.kind === EXTERNAL.table) {
    item.type = checkValueType(r.byte());
    readLimits(r);
    module.tables.push({ type: item.type, imported: true });
  } else if (item.kind === EXTERNAL.memory) {
    module.memories.push({ ...readLimits(r), imported: true });
  } else if (item.kind === EXTERNAL.global) {
    item.type = checkValueType(r.byte());
    item.mutable = r.byte() === 1;
    module.globals.push({ type: item.type, mutable: item.mutable, imported: true });
  } else if (item.kind === EXTERNAL.tag) {
    r.byte();
    item.type = r.u32();
    module.tags.push(item.type);
  } else {
    throw new NightshiftError("NS_BAD_MODULE", `import ${item.module}.${item.name} is of unknown kind ${item.kind}`);
  }
  module.imports.push(item);
}

/** Passes over a constant expression, noting functions it refers to. */
function skipConstant(module: WasmModule, r: Reader): void {
  for (;;) {
    const op = r.byte();
    if (op === 0x0b) return;
    if (op === 0x41 || op === 0x42) r.skipLeb();
    else if (op === 0x43) r.skip(4);
    else if (op === 0x44) r.skip(8);
    else if (op === 0x23) r.u32();
    else if (op === 0xd0) r.skipLeb();
    else if (op === 0xd2) module.addressTaken.add(r.u32());
    else if (op === 0xfd) {
      r.u32();
      r.skip(16);
    } else if (!(op >= 0x6a && op <= 0x6c) && !(op >= 0x7c && op <= 0x7e))
      throw new NightshiftError("NS_BAD_MODULE", `opcode 0x${op.toString(16)} in a constant at byte ${r.offset}`);
  }
}

function readElement(module: WasmModule, r: Reader): void {
  const flags = r.u32();
  if ((flags & 1) === 0) {
    if (flags & 2) r.u32();
    skipConstant(module, r);
  }
  if (flags & 3) r.byte(); // element kind or reference type
  if (flags & 4) r.vector(() => skipConstant(module, r));
  else r.vector(() => module.addressTaken.add(r.u32()));
}

function readNames(module: WasmModule, r: Reader): void {
  while (!r.done) {
    const id = r.byte();
    const size = r.u32();
    const end = r.offset + size;
    if (id === 1) r.vector(() => module.names.set(r.u32(), r.name()));
    else r.skip(size);
    if (r.offset !== end) return; // a damaged name section harms nobody
  }
}

// ---- writing

// biome-ignore format: a table
export const SECTION = { type: 1, function: 3, table: 4, memory: 5, tag: 13, global: 6, export: 7, start: 8, element: 9, code: 10 } as const;
/** The order in which sections must stand; custom sections (0) may stand anywhere. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** A section's entries followed by more of them. */
export function extended(module: WasmModule, id: number, more: readonly Uint8Array[]): Writer {
  const section = module.sections.find((candidate) => candidate.id === id);
  const writer = new Writer();
  if (!section) writer.u32(more.length);
  else {
    const reader = new Reader(module.bytes, section.start, section.end);
    writer.u32(reader.u32() + more.length).bytes(module.bytes.subarray(reader.offset, section.end));
  }
  for (const entry of more) writer.bytes(entry);
  return writer;
}

/**
 * The module with some sections' contents replaced (or left out: undefined), and of its custom sections only those named.
 * @returns a writer, to which custom sections may be added
 */
export function withSections(
  module: WasmModule,
  replaced: ReadonlyMap<number, Writer | undefined>,
  custom: readonly string[],
): Writer {
  const out = new Writer(module.bytes.length * 2).bytes(module.bytes.subarray(0, 8));
  const keep = (section: Section): void =>
    void out
      .byte(section.id)
      .u32(section.end - section.start)
      .bytes(module.bytes.subarray(section.start, section.end));
  for (const id of ORDER) {
    const replacement = replaced.get(id);
    const section = module.sections.find((candidate) => candidate.id === id);
    if (replacement) out.byte(id).sized(replacement);
    else if (section && !replaced.has(id)) keep(section);
  }
  for (const section of module.sections) if (section.id === 0 && custom.includes(section.name)) keep(section);
  return out;
}
