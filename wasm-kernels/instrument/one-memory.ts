// For engines whose modules have one memory only (JavaScriptCore, up to now): a program whose control memory is another module's. What its polls
// ask is answered by fuel (fuel.ts), so only what saves frames and continuations still get at that memory, which may take its time: they call the
// other module's functions, which the host puts into the program's table exportName.functions.
import { must, NightshiftError } from "../errors.ts";
import { encodeType } from "./additions.ts";
import { Reader, Writer } from "./binary.ts";
import { type Body, decodeBody } from "./body.ts";
import { CONTROL_MAX_PAGES, exportName } from "./layout.ts";
import { EXTERNAL, extended, SECTION, type WasmModule } from "./module.ts";
import { F32, F64, I32, I64, Imm, immediates, LOAD, Op, SIMD, STORE, V128, type ValueType } from "./opcodes.ts";

/** Stands for one instruction. */
interface Accessor {
  op: number;
  /** Its operands and, but for memory.size and memory.grow, its offset; its result. */
  type: Uint8Array;
  /** Of the other module's function. */
  body: Uint8Array;
}

const bodyOf = (code: Writer): Uint8Array => new Writer().sized(new Writer().u32(0).bytes(code.view()).byte(Op.end)).finish();
const local = (w: Writer, index: number): Writer => w.byte(Op.localGet).u32(index);

const opOf = ([first = 0, second = 0]: readonly number[]): number => (first === 0xfd ? SIMD + second : first);

function ofType(type: ValueType): Accessor[] {
  const [load, store] = [must(LOAD.get(type), "its load"), must(STORE.get(type), "its store")];
  const address = (offset: number): Writer => local(local(new Writer(), 0), offset).byte(Op.i32Add);
  const access = (w: Writer, opcode: readonly number[]): Uint8Array => bodyOf(w.bytes(opcode).u32(0).u32(0));
  return [
    { op: opOf(load), type: encodeType({ params: [I32, I32], results: [type] }), body: access(address(1), load) },
    { op: opOf(store), type: encodeType({ params: [I32, type, I32], results: [] }), body: access(local(address(2), 1), store) },
  ];
}

/** In the order in which their types are the program's last, and the host puts them into the table. */
export const accessors: readonly Accessor[] = [
  ...[I32, I64, F32, F64, V128].flatMap(ofType),
  {
    op: Op.memorySize,
    type: encodeType({ params: [], results: [I32] }),
    body: bodyOf(new Writer().byte(Op.memorySize).u32(0)),
  },
  {
    op: Op.memoryGrow,
    type: encodeType({ params: [I32], results: [I32] }),
    body: bodyOf(local(new Writer(), 0).byte(Op.memoryGrow).u32(0)),
  },
];

const byOp = new Map(accessors.map(({ op }, k) => [op, k]));
/** Which of them stands for the instruction of this opcode. */
export const accessorOf = (opcode: readonly number[]): number => must(byOp.get(opOf(opcode)), "the instruction's accessor");

/** The other module. Exports its memory as exportName.control and the accessors by their numbers. */
export function controlModule(): Uint8Array<ArrayBuffer> {
  const out = new Writer().bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, entries: readonly Uint8Array[]): void => {
    const content = new Writer().u32(entries.length);
    for (const entry of entries) content.bytes(entry);
    out.byte(id).sized(content);
  };
  const numbers = accessors.map((_, k) => new Writer().u32(k).finish());
  section(
    SECTION.type,
    accessors.map(({ type }) => type),
  );
  section(SECTION.function, numbers);
  section(SECTION.memory, [new Writer().byte(1).u32(1).u32(CONTROL_MAX_PAGES).finish()]);
  section(SECTION.export, [
    new Writer().name(exportName.control).byte(EXTERNAL.memory).u32(0).finish(),
    ...numbers.map((number, k) => new Writer().name(String(k)).byte(EXTERNAL.function).bytes(number).finish()),
  ]);
  section(
    SECTION.code,
    accessors.map(({ body }) => body),
  );
  return out.finish();
}

interface WithoutControl {
  memories: Writer;
  exports(...more: Uint8Array[]): Writer;
  code(more: readonly Uint8Array[]): Writer;
}

/**
 * The module's sections without its control memory.
 * @param firstType index of the first accessor's type
 * @param firstPlace where in the table the host puts the first accessor
 */
export function withoutControl(module: WasmModule, firstType: number, firstPlace: number): WithoutControl {
  const control = module.memories.length - 1;
  if (control !== 1) throw new NightshiftError("NS_BAD_MODULE", "the program has not one memory");
  return {
    memories: withoutLast(extended(module, SECTION.memory, []), new Writer().byte(3).u32(1).u32(CONTROL_MAX_PAGES)),
    exports: (...more) => {
      const kept = module.exports.filter(({ kind, index }) => kind !== EXTERNAL.memory || index !== control);
      const w = new Writer().u32(kept.length + more.length);
      for (const { name, kind, index } of kept) w.name(name).byte(kind).u32(index);
      for (const entry of more) w.bytes(entry);
      return w;
    },
    code: (more) => {
      const w = new Writer(module.bytes.length).u32(module.bodies.length + more.length);
      module.bodies.forEach((range, k) => {
        const type = module.types[module.functionTypes[module.importedFunctions.length + k]];
        const body = decodeBody(module.bytes, type.params, range);
        w.sized(calling(body, range, control, firstType, firstPlace, module.tables.length - 1));
      });
      for (const entry of more) w.bytes(entry);
      return w;
    },
  };
}

/** A section of a single-byte count without its last entry. */
const withoutLast = (section: Writer, last: Writer): Writer =>
  new Writer().byte(section.view()[0] - 1).bytes(section.view().subarray(1, section.length - last.length));

/** The function with calls for what it does to the control memory. */
function calling(
  body: Body,
  range: { start: number; end: number },
  control: number,
  firstType: number,
  firstPlace: number,
  table: number,
): Writer {
  const w = new Writer(range.end - range.start);
  let copied = range.start;
  for (let i = 0; i < body.count; i++) {
    if (body.arg[i] !== control) continue;
    const accessor = byOp.get(body.op[i]);
    if (accessor === undefined) continue;
    w.bytes(body.bytes.subarray(copied, body.start[i]));
    if (immediates[body.op[i]] === Imm.memory) w.byte(Op.i32Const).s32(offsetOf(body, i));
    w.byte(Op.i32Const)
      .s32(firstPlace + accessor)
      .byte(Op.callIndirect)
      .u32(firstType + accessor)
      .u32(table);
    copied = body.end[i];
  }
  return w.bytes(body.bytes.subarray(copied, range.end));
}

function offsetOf(body: Body, i: number): number {
  const r = new Reader(body.bytes, body.start[i], body.end[i]);
  if (r.byte() === 0xfd) r.u32();
  r.u32(); // alignment
  r.u32(); // memory
  return r.u32();
}
