// For engines whose threads may not share memory (a browser on a page that is not isolated): there nobody can set the flag of a program that
// computes. So its polls burn fuel, and where there is none left they ask the host, in the same thread, whether to go on.
//
// Every poll is replaced by a call as long as itself, and what is added stands behind all else. So functions and sites keep their places, and
// images are the same as those of the program without fuel.
import { Writer } from "./binary.ts";
import type { Body } from "./body.ts";
import { MigratableModule } from "./continuation.ts";
import { FACTS_SECTION } from "./facts.ts";
import { CONTROL, exportName } from "./layout.ts";
import { EXTERNAL, extended, SECTION, type WasmModule, withSections } from "./module.ts";
import { accessors, withoutControl } from "./one-memory.ts";
import { FUNCREF, I32, Op } from "./opcodes.ts";

/** What a poll begins with, before its `if`: i32.const 0, i32.load. */
const POLL_BYTES = 6;

/**
 * The program with fuel in exportName.fuel. When it has burnt, polls call what the host puts into the table exportName.functions behind the
 * program's functions: () -> i32, not zero to leave, as with the flag.
 * @param bytes a migratable module
 * @param oneMemory for an engine whose modules have one memory only: without the control memory (one-memory.ts)
 * @throws NS_BAD_MODULE when it is none
 */
export function withFuel(bytes: Uint8Array, oneMemory = false): Uint8Array<ArrayBuffer> {
  const migratable = new MigratableModule(bytes);
  const module: WasmModule = { ...migratable.module, bytes: bytes.slice() };
  const burn = module.functionTypes.length;
  const call = callOf(burn);
  for (const func of new Set(migratable.facts.sites.map((site) => site.func)))
    for (const poll of pollsIn(migratable.body(func), module.memories.length - 1)) module.bytes.set(call, poll);
  const [type, fuel, host] = [module.types.length, module.globals.length, burn + 1];
  const types = [Uint8Array.of(0x60, 0, 1, I32), ...(oneMemory ? accessors.map((accessor) => accessor.type) : [])];
  const code = [burnBody(module, type, fuel, host)];
  const exported = new Writer().name(exportName.fuel).byte(EXTERNAL.global).u32(fuel).finish();
  const replaced = new Map<number, Writer>([
    [SECTION.type, extended(module, SECTION.type, types)],
    [SECTION.function, extended(module, SECTION.function, [new Writer().u32(type).finish()])],
    [SECTION.table, tables(module, burn, types.length)],
    [SECTION.global, extended(module, SECTION.global, [Uint8Array.of(I32, 1, Op.i32Const, 0, Op.end)])],
    [SECTION.export, extended(module, SECTION.export, [exported])],
    [SECTION.element, extended(module, SECTION.element, [element(module, burn)])],
    [SECTION.code, extended(module, SECTION.code, code)],
  ]);
  if (oneMemory) {
    const rest = withoutControl(module, type + 1, host + 1);
    replaced.set(SECTION.memory, rest.memories);
    replaced.set(SECTION.export, rest.exports(exported));
    replaced.set(SECTION.code, rest.code(code));
  }
  return withSections(module, replaced, ["name", FACTS_SECTION]).finish();
}

/** Where in the module the function's polls begin. */
function* pollsIn(body: Body, control: number): Generator<number> {
  for (let i = 0; i + 2 < body.count; i++) {
    const [first, load] = [body.start[i], body.end[i + 1]];
    // The program's own code knows only the first memory, and nothing but a poll reads the flag.
    if (body.op[i] !== Op.i32Const || body.op[i + 1] !== Op.i32Load || body.op[i + 2] !== Op.if) continue;
    if (body.arg[i + 1] === control && body.bytes[load - 1] === CONTROL.flag && load - first === POLL_BYTES) yield first;
  }
}

/** A call in POLL_BYTES. */
function callOf(func: number): Uint8Array {
  const bytes: number[] = [Op.call];
  for (let k = 0; k < 4; k++) bytes.push(((func >>> (7 * k)) & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, func >>> 28]);
}

/** The table section with places in its last table, exportName.functions, for burn and for as many functions of the host's. */
function tables(module: WasmModule, functions: number, ofHost: number): Writer {
  const section = extended(module, SECTION.table, []);
  const entry = (size: number): Writer => new Writer().byte(FUNCREF).byte(1).u32(size).u32(size);
  const kept = section.view().subarray(0, section.length - entry(functions).length);
  return new Writer().bytes(kept).bytes(entry(functions + 1 + ofHost).view());
}

/** Puts burn into that table, for continuations. */
function element(module: WasmModule, burn: number): Uint8Array {
  const w = new Writer().u32(2).u32(module.tables.length - 1); // active, in that table
  return w.byte(Op.i32Const).s32(burn).byte(Op.end).byte(0).u32(1).u32(burn).finish();
}

/** () -> i32: one unit less; not zero when none was left and the host says to leave. */
function burnBody(module: WasmModule, type: number, fuel: number, host: number): Uint8Array {
  const w = new Writer().u32(1).u32(1).byte(I32);
  w.byte(Op.globalGet).u32(fuel).byte(Op.i32Const).s32(1).byte(Op.i32Sub).byte(Op.localTee).u32(0);
  w.byte(Op.globalSet).u32(fuel).byte(Op.localGet).u32(0).byte(Op.i32Const).s32(0).byte(Op.i32LtS);
  w.byte(Op.if).byte(I32).byte(Op.i32Const).s32(host);
  w.byte(Op.callIndirect)
    .u32(type)
    .u32(module.tables.length - 1);
  w.byte(Op.else).byte(Op.i32Const).s32(0).byte(Op.end).byte(Op.end);
  return new Writer().sized(w).finish();
}
