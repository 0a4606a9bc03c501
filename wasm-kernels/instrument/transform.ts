// Plain module in, migratable module out. Rewrites the functions and puts the module together again around them; what is added
// (control memory, unwind tag, savers) is in additions.ts. See docs/MIGRATION.md for the idea.
import { asNightshiftError, NightshiftError } from "../errors.ts";
import { Additions } from "./additions.ts";
import { Writer } from "./binary.ts";
import { type Body, decodeBody } from "./body.ts";
import { analyseCalls } from "./callgraph.ts";
import { DOORS_FROM, withDoors } from "./doors.ts";
import { olderExceptions } from "./exnref.ts";
import { type Doors, FACTS_SECTION, type Facts, type Site, writeFacts } from "./facts.ts";
import { plainHandlers } from "./handlers.ts";
import { exportName, PREFIX } from "./layout.ts";
import { withTableLimit } from "./limits.ts";
import { EXTERNAL, extended, functionName, parseModule, SECTION, type WasmModule, withSections } from "./module.ts";
import { EXNREF, EXTERNREF, FUNCREF, Op, typeName } from "./opcodes.ts";
import { planSites } from "./plan.ts";
import { rewriteFunction } from "./rewrite.ts";
import { startInside } from "./start.ts";
import { unrollRecursion } from "./unroll.ts";

/**
 * Raised whenever the same module becomes another program than before, so that nobody goes on with programs made by an older version.
 * A test notices when that is forgotten.
 */
export const INSTRUMENT_VERSION = 13;

export interface Instrumented {
  wasm: Uint8Array<ArrayBuffer>;
  functions: number;
  /** Functions that can be on the stack when the process stops. */
  suspendable: number;
  sites: number;
}

/**
 * @param doorsFrom bytes of code from which on a function gets doors (doors.ts)
 * @throws NS_NOT_WASM, NS_BAD_MODULE, or NS_NOT_MIGRATABLE naming the feature and the function. The caller validates the input
 * with the engine first; this pass relies on well-typed code.
 */
export function instrument(bytes: Uint8Array, doorsFrom = DOORS_FROM): Instrumented {
  try {
    return transform(bytes, doorsFrom);
  } catch (thrown) {
    if (thrown instanceof NightshiftError) throw thrown;
    throw new NightshiftError("NS_BAD_MODULE", `the module cannot be read: ${asNightshiftError(thrown).message}`, {
      cause: thrown,
    });
  }
}

function transform(bytes: Uint8Array, doorsFrom: number): Instrumented {
  const module = olderExceptions(startInside(parseModule(withTableLimit(bytes))));
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
  const calls = analyseCalls(module, bodies);
  const sites: Site[] = [];
  const doors = new Map<number, Doors>();
  let suspendable = 0;
  const rewritten = bodies.map((plain, index) => {
    const func = imported + index;
    const entrance = calls.maySuspend[func] ? withDoors(module, plain, additions, doorsFrom) : undefined;
    const body = entrance?.body ?? plain;
    const planned = planSites(module, func, body, calls, sites.length);
    if (planned.length === 0 && !body.op.subarray(0, body.count).some((op) => NOTED.has(op))) return undefined;
    if (planned.length > 0) suspendable++;
    const result = inFunction(module, func, () => rewriteFunction(module, func, body, planned, additions, entrance?.loops));
    if (entrance) doors.set(func, { loops: result.marks, handed: entrance.handed });
    sites.push(...result.sites.sort((a, b) => a.id - b.id));
    return result.body;
  });
  return {
    wasm: assemble(module, rewritten, additions, {
      ...{ sites, doors },
      ...{ tables: changedTables(bodies), drops: additions.globals.length > 0 },
    }),
    functions: bodies.length,
    suspendable,
    sites: sites.length,
  };
}

/**
 * Instructions for which a function is rewritten even if it is never left: what a limit or an image must know of, and handlers, which must
 * let the exception pass with which the program ends (handlers.ts).
 */
const NOTED: ReadonlySet<number> = new Set([Op.memoryGrow, Op.dataDrop, Op.elemDrop, Op.try]);

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
  for (const global of module.globals) {
    if (global.mutable && (global.type === EXTERNREF || global.type === EXNREF))
      refuse(`has a mutable global of type ${typeName(global.type)}`);
  }
}

function changedTables(bodies: readonly Body[]): number[] {
  const changed = new Set<number>();
  for (const body of bodies)
    for (let i = 0; i < body.count; i++) {
      const op = body.op[i];
      if (op === Op.tableInit) changed.add(body.arg2[i]);
      else if (op === Op.tableSet || op === Op.tableGrow || op === Op.tableFill || op === Op.tableCopy) changed.add(body.arg[i]);
    }
  return [...changed];
}

function assemble(
  module: WasmModule,
  rewritten: readonly (Uint8Array | undefined)[],
  additions: Additions,
  facts: Facts,
): Uint8Array<ArrayBuffer> {
  const globals = additions.globalFunctions();
  const code = codeSection(module, rewritten, additions);
  const functions = module.functionTypes.length + additions.bodies.length;
  const replaced = new Map<number, Writer>([
    [SECTION.type, extended(module, SECTION.type, additions.types)],
    [SECTION.function, extended(module, SECTION.function, additions.functions)],
    [SECTION.table, extended(module, SECTION.table, [functionTable(functions)])],
    [SECTION.memory, extended(module, SECTION.memory, additions.memories)],
    [SECTION.tag, extended(module, SECTION.tag, additions.tags)],
    [SECTION.global, extended(module, SECTION.global, additions.globals)],
    [SECTION.export, extended(module, SECTION.export, exportsFor(module, additions, globals))],
    [SECTION.element, extended(module, SECTION.element, [functionElements(module, functions)])],
    [SECTION.code, code],
  ]);
  // Of the custom sections only the function names stay true.
  const out = withSections(module, replaced, ["name"]);
  out.byte(0).sized(new Writer().name(FACTS_SECTION).bytes(writeFacts(facts)));
  return out.finish();
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
  const w = new Writer().u32(2).u32(module.tables.length); // active, in that table
  w.byte(Op.i32Const).s32(0).byte(Op.end).byte(0).u32(functions);
  for (let index = 0; index < functions; index++) w.u32(index);
  return w.finish();
}

function exportsFor(module: WasmModule, additions: Additions, { save, load }: { save: number; load: number }): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const add = (name: string, kind: number, index: number): void =>
    void entries.push(new Writer().name(name).byte(kind).u32(index).finish());
  add(exportName.control, EXTERNAL.memory, additions.control);
  add(exportName.unwind, EXTERNAL.tag, additions.unwindTag);
  add(exportName.functions, EXTERNAL.table, module.tables.length);
  add(exportName.saveGlobals, EXTERNAL.function, save);
  add(exportName.loadGlobals, EXTERNAL.function, load);
  for (let index = 0; index < module.globals.length + additions.globals.length; index++)
    add(exportName.global(index), EXTERNAL.global, index);
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
