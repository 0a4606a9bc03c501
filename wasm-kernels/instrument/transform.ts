// Plain module in, migratable module out. Rewrites the functions and puts the module together again around them; what is added
// (control memory, unwind tag, savers) is in additions.ts. See docs/MIGRATION.md for the idea.
import { asNightshiftError, NightshiftError } from "../errors.ts";
import { Additions } from "./additions.ts";
import { Reader, Writer } from "./binary.ts";
import { type Body, decodeBody } from "./body.ts";
import { analyseCalls } from "./callgraph.ts";
import { SITES_SECTION, type Site, writeSites } from "./facts.ts";
import { plainHandlers } from "./handlers.ts";
import { exportName, PREFIX } from "./layout.ts";
import { EXTERNAL, functionName, parseModule, type WasmModule } from "./module.ts";
import { FUNCREF, Op, typeName } from "./opcodes.ts";
import { planSites } from "./plan.ts";
import { rewriteFunction } from "./rewrite.ts";
import { unrollRecursion } from "./unroll.ts";

/**
 * Raised whenever the same module becomes another program than before, so that nobody goes on with programs made by an older version.
 * A test notices when that is forgotten.
 */
export const INSTRUMENT_VERSION = 4;

export interface Instrumented {
  wasm: Uint8Array<ArrayBuffer>;
  functions: number;
  /** Functions that can be on the stack when the process stops. */
  suspendable: number;
  sites: number;
}

/**
 * @throws NS_NOT_WASM, NS_BAD_MODULE, or NS_NOT_MIGRATABLE naming the feature and the function. The caller validates the input
 * with the engine first; this pass relies on well-typed code.
 */
export function instrument(bytes: Uint8Array): Instrumented {
  try {
    return transform(bytes);
  } catch (thrown) {
    if (thrown instanceof NightshiftError) throw thrown;
    throw new NightshiftError("NS_BAD_MODULE", `the module cannot be read: ${asNightshiftError(thrown).message}`, {
      cause: thrown,
    });
  }
}

function transform(bytes: Uint8Array): Instrumented {
  const module = parseModule(bytes);
  refuseUnsupported(module);
  const imported = module.importedFunctions.length;
  const additions = new Additions(module);
  const bodies = module.bodies.map((range, index) => {
    const func = imported + index;
    const type = module.types[module.functionTypes[func]];
    return inFunction(module, func, () => {
      const body = decodeBody(module.bytes, type.params, range);
      const better = plainHandlers(module, body, additions.typeIndex) ?? unrollRecursion(func, type, body);
      return better ? decodeBody(better, type.params, { start: 0, end: better.length }) : body;
    });
  });
  bodies.forEach((body, index) => {
    refuseUnsupportedCode(module, imported + index, body);
  });
  const calls = analyseCalls(module, bodies);
  const sites: Site[] = [];
  let suspendable = 0;
  const rewritten = bodies.map((body, index) => {
    const func = imported + index;
    const planned = planSites(module, func, body, calls, sites.length);
    if (planned.length === 0 && !growsMemory(body) && !catches(body)) return undefined;
    if (planned.length > 0) suspendable++;
    const result = inFunction(module, func, () => rewriteFunction(module, func, body, planned, additions));
    sites.push(...result.sites.sort((a, b) => a.id - b.id));
    return result.body;
  });
  return {
    wasm: assemble(module, rewritten, additions, sites),
    functions: bodies.length,
    suspendable,
    sites: sites.length,
  };
}

/** Has handlers, which must let the exception pass with which the program ends (handlers.ts). */
function catches(body: Body): boolean {
  for (let i = 0; i < body.count; i++) if (body.op[i] === Op.try) return true;
  return false;
}

function growsMemory(body: Body): boolean {
  for (let i = 0; i < body.count; i++) if (body.op[i] === Op.memoryGrow) return true;
  return false;
}

/** Adds the function's name to an error from inside. */
function inFunction<T>(module: WasmModule, func: number, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof NightshiftError)) throw thrown;
    if (thrown.message.includes(functionName(module, func))) throw thrown;
    throw new NightshiftError(thrown.code, `${thrown.message} (in ${functionName(module, func)})`, { cause: thrown });
  }
}

function refuseUnsupported(module: WasmModule): void {
  const refuse = (what: string): never => {
    throw new NightshiftError("NS_NOT_MIGRATABLE", `the module ${what}`);
  };
  // First, as a migratable module has a second memory and a tag too, which would be the less helpful thing to say.
  for (const { name } of module.exports)
    if (name.startsWith(PREFIX)) refuse(`exports "${name}", a name kept for Nightshift: is it migratable already?`);
  if (module.memories.length > 1) refuse("has more than one memory");
  if (module.memories.some((memory) => memory.shared)) refuse("has a shared memory (threads)");
  if (module.start !== undefined) refuse("has a start function");
  for (const global of module.globals) {
    if (global.mutable && (global.type === 0x70 || global.type === 0x6f || global.type === 0x69))
      refuse(`has a mutable global of type ${typeName(global.type)}`);
  }
}

const TABLE_CHANGES = new Map<number, string>([
  [Op.tableSet, "table.set"],
  [Op.tableGrow, "table.grow"],
  [Op.tableFill, "table.fill"],
  [Op.tableCopy, "table.copy"],
  [Op.tableInit, "table.init"],
  [Op.memoryInit, "memory.init"],
  [Op.dataDrop, "data.drop"],
  [Op.elemDrop, "elem.drop"],
  [Op.tryTable, "try_table"],
  [Op.throwRef, "throw_ref"],
]);

function refuseUnsupportedCode(module: WasmModule, func: number, body: Body): void {
  for (let i = 0; i < body.count; i++) {
    const what = TABLE_CHANGES.get(body.op[i]);
    if (what)
      throw new NightshiftError("NS_NOT_MIGRATABLE", `${functionName(module, func)} uses ${what}, which cannot be moved yet`);
  }
}

const SECTION = { type: 1, function: 3, table: 4, memory: 5, tag: 13, export: 7, element: 9, code: 10 } as const;
/** The order in which sections must stand; custom sections (0) may stand anywhere and keep their place. */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

function assemble(
  module: WasmModule,
  rewritten: readonly (Uint8Array | undefined)[],
  additions: Additions,
  sites: readonly Site[],
): Uint8Array<ArrayBuffer> {
  const out = new Writer(module.bytes.length * 2);
  out.bytes(module.bytes.subarray(0, 8));
  const code = codeSection(module, rewritten, additions); // first: it decides what is added to the other sections
  const functions = module.bodies.length + additions.bodies.length;
  const replaced = new Map<number, Writer>([
    [SECTION.type, extended(module, SECTION.type, additions.types)],
    [SECTION.function, extended(module, SECTION.function, additions.functions)],
    [SECTION.table, extended(module, SECTION.table, [functionTable(functions)])],
    [SECTION.memory, extended(module, SECTION.memory, additions.memories)],
    [SECTION.tag, extended(module, SECTION.tag, additions.tags)],
    [SECTION.export, extended(module, SECTION.export, exportsFor(module, additions))],
    [SECTION.element, extended(module, SECTION.element, [functionElements(module, functions)])],
    [SECTION.code, code],
  ]);
  const raw = new Map(module.sections.filter((section) => section.id !== 0).map((section) => [section.id, section]));
  for (const id of ORDER) {
    const replacement = replaced.get(id);
    const section = raw.get(id);
    if (replacement) out.byte(id).sized(replacement);
    else if (section)
      out
        .byte(id)
        .u32(section.end - section.start)
        .bytes(module.bytes.subarray(section.start, section.end));
  }
  for (const section of module.sections) {
    // Of the custom sections only the function names stay true.
    if (section.id === 0 && section.name === "name")
      out
        .byte(0)
        .u32(section.end - section.start)
        .bytes(module.bytes.subarray(section.start, section.end));
  }
  out.byte(0).sized(new Writer().name(SITES_SECTION).bytes(writeSites(sites)));
  return out.finish();
}

/** The section's entries followed by more of them. */
function extended(module: WasmModule, id: number, more: readonly Uint8Array[]): Writer {
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

function codeSection(module: WasmModule, rewritten: readonly (Uint8Array | undefined)[], additions: Additions): Writer {
  const writer = new Writer(module.bytes.length * 2);
  writer.u32(module.bodies.length + additions.bodies.length);
  module.bodies.forEach((range, index) => {
    const body = rewritten[index] ?? module.bytes.subarray(range.start, range.end);
    writer.u32(body.length).bytes(body);
  });
  for (const body of additions.bodies) writer.u32(body.length).bytes(body);
  return writer;
}

/** See exportName.functions. */
const functionTable = (functions: number): Uint8Array =>
  new Writer().byte(FUNCREF).byte(1).u32(functions).u32(functions).finish();

function functionElements(module: WasmModule, functions: number): Uint8Array {
  const first = module.importedFunctions.length;
  const w = new Writer().u32(2).u32(module.tables.length); // active, in that table
  w.byte(Op.i32Const).s32(0).byte(Op.end).byte(0).u32(functions);
  for (let index = 0; index < functions; index++) w.u32(first + index);
  return w.finish();
}

function exportsFor(module: WasmModule, additions: Additions): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const add = (name: string, kind: number, index: number): void =>
    void entries.push(new Writer().name(name).byte(kind).u32(index).finish());
  add(exportName.control, EXTERNAL.memory, additions.control);
  add(exportName.unwind, EXTERNAL.tag, additions.unwindTag);
  add(exportName.functions, EXTERNAL.table, module.tables.length);
  module.globals.forEach((_, index) => {
    add(exportName.global(index), EXTERNAL.global, index);
  });
  module.tables.forEach((_, index) => {
    add(exportName.table(index), EXTERNAL.table, index);
  });
  module.tags.forEach((_, index) => {
    add(exportName.tag(index), EXTERNAL.tag, index);
  });
  module.memories.forEach((_, index) => {
    add(exportName.memory(index), EXTERNAL.memory, index);
  });
  return entries;
}
