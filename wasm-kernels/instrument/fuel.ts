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
import { FUNCREF, I32, Op } from "./opcodes.ts";

/** What a poll begins with, before its `if`: i32.const 0, i32.load. */
const POLL_BYTES = 6;

/**
 * The program with fuel in CONTROL.fuel. When it has burnt, polls call what the host has put into the last place of the table
 * exportName.functions: () -> i32, not zero to leave, as with the flag. In the place before that the host puts exportName.burn, for continuations.
 * @param bytes a migratable module
 * @throws NS_BAD_MODULE when it is none
 */
export function withFuel(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const migratable = new MigratableModule(bytes);
  const module: WasmModule = { ...migratable.module, bytes: bytes.slice() };
  const burn = module.functionTypes.length;
  const call = callOf(burn);
  for (const func of new Set(migratable.facts.sites.map((site) => site.func)))
    for (const poll of pollsIn(migratable.body(func), module.memories.length - 1)) module.bytes.set(call, poll);
  const type = module.types.length;
  const replaced = new Map([
    [SECTION.type, extended(module, SECTION.type, [Uint8Array.of(0x60, 0, 1, I32)])],
    [SECTION.function, extended(module, SECTION.function, [new Writer().u32(type).finish()])],
    [SECTION.table, tables(module, burn)],
    [
      SECTION.export,
      extended(module, SECTION.export, [new Writer().name(exportName.burn).byte(EXTERNAL.function).u32(burn).finish()]),
    ],
    [SECTION.code, extended(module, SECTION.code, [burnBody(module, type, burn + 1)])],
  ]);
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

/** The table section with two places more in its last table, exportName.functions. */
function tables(module: WasmModule, functions: number): Writer {
  const section = extended(module, SECTION.table, []);
  const entry = (size: number): Writer => new Writer().byte(FUNCREF).byte(1).u32(size).u32(size);
  const kept = section.view().subarray(0, section.length - entry(functions).length);
  return new Writer().bytes(kept).bytes(entry(functions + 2).view());
}

/** () -> i32: one unit less; not zero when none was left and the host says to leave. */
function burnBody(module: WasmModule, type: number, host: number): Uint8Array {
  const w = new Writer().u32(1).u32(1).byte(I32);
  const fuel = (op: number): Writer =>
    w
      .byte(op)
      .u32(0x42)
      .u32(module.memories.length - 1)
      .u32(CONTROL.fuel);
  w.byte(Op.i32Const).s32(0).byte(Op.i32Const).s32(0);
  fuel(Op.i32Load).byte(Op.i32Const).s32(1).byte(Op.i32Sub).byte(Op.localTee).u32(0);
  fuel(Op.i32Store).byte(Op.localGet).u32(0).byte(Op.i32Const).s32(0).byte(Op.i32LtS);
  w.byte(Op.if).byte(I32).byte(Op.i32Const).s32(host);
  w.byte(Op.callIndirect)
    .u32(type)
    .u32(module.tables.length - 1);
  w.byte(Op.else).byte(Op.i32Const).s32(0).byte(Op.end).byte(Op.end);
  return new Writer().sized(w).finish();
}
