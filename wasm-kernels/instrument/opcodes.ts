// The WebAssembly instruction set as tables: for every opcode its immediates and its effect on the operand stack. Opcodes behind a
// prefix byte are numbered PREFIX_BASE + sub-opcode. Control instructions, calls and instructions whose types depend on an index
// are only classified here; body.ts and rewrite.ts give them their meaning.
// Source: WebAssembly Core Specification 3.0, sections 5.4 (binary format) and 3.4 (instruction types); legacy exception handling
// from the exception-handling proposal.

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EXNREF = 0x69;
export type ValueType = number;

/** Bytes a value of the type takes in a saved frame; 0 for references, which cannot be saved. */
export function sizeOf(type: ValueType): number {
  if (type === I32 || type === F32) return 4;
  if (type === I64 || type === F64) return 8;
  return type === V128 ? 16 : 0;
}

export const typeName = (type: ValueType): string =>
  ({
    [I32]: "i32",
    [I64]: "i64",
    [F32]: "f32",
    [F64]: "f64",
    [V128]: "v128",
    [FUNCREF]: "funcref",
    [EXTERNREF]: "externref",
    [EXNREF]: "exnref",
  })[type] ?? `type 0x${type.toString(16)}`;

export const BULK = 0x100; // prefix 0xFC
export const SIMD = 0x200; // prefix 0xFD, sub-opcodes below 0x200
export const ATOMIC = 0x400; // prefix 0xFE

export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  selectTyped: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i32Eq: 0x46,
  i32Eqz: 0x45,
  i64Or: 0x84,
  i64Shl: 0x86,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
  i32ReinterpretF32: 0xbc,
  f32ReinterpretI32: 0xbe,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  memoryInit: BULK + 8,
  dataDrop: BULK + 9,
  memoryCopy: BULK + 10,
  memoryFill: BULK + 11,
  tableInit: BULK + 12,
  elemDrop: BULK + 13,
  tableCopy: BULK + 14,
  tableGrow: BULK + 15,
  tableSize: BULK + 16,
  tableFill: BULK + 17,
  v128Load: SIMD + 0,
  v128Store: SIMD + 11,
  v128Const: SIMD + 12,
  shuffle: SIMD + 13,
} as const;

/** Bytes of the load and store instructions of a type, before their immediates. */
export const LOAD: ReadonlyMap<ValueType, readonly number[]> = new Map([
  [I32, [Op.i32Load]],
  [I64, [Op.i64Load]],
  [F32, [Op.f32Load]],
  [F64, [Op.f64Load]],
  [V128, [0xfd, Op.v128Load - SIMD]],
]);
export const STORE: ReadonlyMap<ValueType, readonly number[]> = new Map([
  [I32, [Op.i32Store]],
  [I64, [Op.i64Store]],
  [F32, [Op.f32Store]],
  [F64, [Op.f64Store]],
  [V128, [0xfd, Op.v128Store - SIMD]],
]);

/** What follows the opcode in the binary. */
export const Imm = {
  none: 0,
  blockType: 1,
  index: 2,
  indexPair: 3,
  labelTable: 4,
  types: 5,
  tryTable: 6,
  memory: 7,
  leb: 8,
  bytes4: 9,
  bytes8: 10,
  bytes16: 11,
  lane: 12,
  memoryLane: 13,
  heapType: 14,
  byte: 15,
} as const;

/** immediates[op], or 255 for an opcode we do not know. */
export const immediates = new Uint8Array(0x480).fill(255);
/** Operand types taken (first pushed first) and results given, for opcodes with fixed types. */
export const takes: (readonly ValueType[] | undefined)[] = new Array(0x480);
export const gives: (readonly ValueType[] | undefined)[] = new Array(0x480);

const letters: Record<string, ValueType> = { i: I32, l: I64, f: F32, d: F64, v: V128 };

/** Declares opcodes first..last (default: one) with a signature such as "il:i" and the kind of their immediates. */
function declare(first: number, last: number, signature: string, immediate: number = Imm.none): void {
  const [before, after] = signature.split(":");
  for (let op = first; op <= last; op++) {
    immediates[op] = immediate;
    takes[op] = [...before].map((letter) => letters[letter]);
    gives[op] = [...after].map((letter) => letters[letter]);
  }
}

function declareControl(op: number, immediate: number): void {
  immediates[op] = immediate;
}

for (const op of [Op.unreachable, Op.else, Op.end, Op.return, Op.throwRef, Op.catchAll, Op.drop, Op.select, Op.refIsNull])
  declareControl(op, Imm.none);
for (const op of [Op.block, Op.loop, Op.if, Op.try]) declareControl(op, Imm.blockType);
for (const op of [Op.catch, Op.throw, Op.rethrow, Op.delegate, Op.br, Op.brIf, Op.call, Op.returnCall])
  declareControl(op, Imm.index);
for (const op of [Op.localGet, Op.localSet, Op.localTee, Op.globalGet, Op.globalSet, Op.tableGet, Op.tableSet, Op.refFunc])
  declareControl(op, Imm.index);
for (const op of [Op.tableGrow, Op.tableSize, Op.tableFill]) declareControl(op, Imm.index);
for (const op of [Op.callIndirect, Op.returnCallIndirect]) declareControl(op, Imm.indexPair);
declareControl(Op.brTable, Imm.labelTable);
declareControl(Op.selectTyped, Imm.types);
declareControl(Op.tryTable, Imm.tryTable);
declareControl(Op.refNull, Imm.heapType);
declare(Op.nop, Op.nop, ":");

// loads and stores
declare(0x28, 0x28, "i:i", Imm.memory);
declare(0x29, 0x29, "i:l", Imm.memory);
declare(0x2a, 0x2a, "i:f", Imm.memory);
declare(0x2b, 0x2b, "i:d", Imm.memory);
declare(0x2c, 0x2f, "i:i", Imm.memory);
declare(0x30, 0x35, "i:l", Imm.memory);
declare(0x36, 0x36, "ii:", Imm.memory);
declare(0x37, 0x37, "il:", Imm.memory);
declare(0x38, 0x38, "if:", Imm.memory);
declare(0x39, 0x39, "id:", Imm.memory);
declare(0x3a, 0x3b, "ii:", Imm.memory);
declare(0x3c, 0x3e, "il:", Imm.memory);
declare(Op.memorySize, Op.memorySize, ":i", Imm.index);
declare(Op.memoryGrow, Op.memoryGrow, "i:i", Imm.index);
declare(Op.i32Const, Op.i32Const, ":i", Imm.leb);
declare(Op.i64Const, Op.i64Const, ":l", Imm.leb);
declare(Op.f32Const, Op.f32Const, ":f", Imm.bytes4);
declare(Op.f64Const, Op.f64Const, ":d", Imm.bytes8);

// comparisons and arithmetic
declare(0x45, 0x45, "i:i");
declare(0x46, 0x4f, "ii:i");
declare(0x50, 0x50, "l:i");
declare(0x51, 0x5a, "ll:i");
declare(0x5b, 0x60, "ff:i");
declare(0x61, 0x66, "dd:i");
declare(0x67, 0x69, "i:i");
declare(0x6a, 0x78, "ii:i");
declare(0x79, 0x7b, "l:l");
declare(0x7c, 0x8a, "ll:l");
declare(0x8b, 0x91, "f:f");
declare(0x92, 0x98, "ff:f");
declare(0x99, 0x9f, "d:d");
declare(0xa0, 0xa6, "dd:d");
[
  ..."l:i f:i f:i d:i d:i i:l i:l f:l f:l d:l d:l i:f i:f l:f l:f d:f i:d i:d l:d l:d f:d f:i d:l i:f l:d i:i i:i l:l l:l l:l".split(
    " ",
  ),
].forEach((signature, i) => {
  declare(0xa7 + i, 0xa7 + i, signature);
});

// saturating conversions and bulk memory
["f:i", "f:i", "d:i", "d:i", "f:l", "f:l", "d:l", "d:l"].forEach((signature, i) => {
  declare(BULK + i, BULK + i, signature);
});
declare(Op.memoryInit, Op.memoryInit, "iii:", Imm.indexPair);
declare(Op.dataDrop, Op.dataDrop, ":", Imm.index);
declare(Op.memoryCopy, Op.memoryCopy, "iii:", Imm.indexPair);
declare(Op.memoryFill, Op.memoryFill, "iii:", Imm.index);
declare(Op.tableInit, Op.tableInit, "iii:", Imm.indexPair);
declare(Op.elemDrop, Op.elemDrop, ":", Imm.index);
declare(Op.tableCopy, Op.tableCopy, "iii:", Imm.indexPair);

// SIMD, by sub-opcode
const simd = (first: number, last: number, signature: string, immediate: number = Imm.none): void =>
  declare(SIMD + first, SIMD + last, signature, immediate);
simd(0, 10, "i:v", Imm.memory);
simd(11, 11, "iv:", Imm.memory);
simd(12, 12, ":v", Imm.bytes16);
simd(13, 13, "vv:v", Imm.bytes16);
simd(14, 14, "vv:v");
simd(15, 17, "i:v");
simd(18, 18, "l:v");
simd(19, 19, "f:v");
simd(20, 20, "d:v");
simd(21, 22, "v:i", Imm.lane);
simd(23, 23, "vi:v", Imm.lane);
simd(24, 25, "v:i", Imm.lane);
simd(26, 26, "vi:v", Imm.lane);
simd(27, 27, "v:i", Imm.lane);
simd(28, 28, "vi:v", Imm.lane);
simd(29, 29, "v:l", Imm.lane);
simd(30, 30, "vl:v", Imm.lane);
simd(31, 31, "v:f", Imm.lane);
simd(32, 32, "vf:v", Imm.lane);
simd(33, 33, "v:d", Imm.lane);
simd(34, 34, "vd:v", Imm.lane);
simd(35, 76, "vv:v");
simd(77, 77, "v:v");
simd(78, 81, "vv:v");
simd(82, 82, "vvv:v");
simd(83, 83, "v:i");
simd(84, 87, "iv:v", Imm.memoryLane);
simd(88, 91, "iv:", Imm.memoryLane);
simd(92, 93, "i:v", Imm.memory);
simd(94, 95, "v:v");
simd(96, 98, "v:v");
simd(99, 100, "v:i");
simd(101, 102, "vv:v");
simd(103, 106, "v:v");
simd(107, 109, "vi:v");
simd(110, 115, "vv:v");
simd(116, 117, "v:v");
simd(118, 121, "vv:v");
simd(122, 122, "v:v");
simd(123, 123, "vv:v");
simd(124, 129, "v:v");
simd(130, 130, "vv:v");
simd(131, 132, "v:i");
simd(133, 134, "vv:v");
simd(135, 138, "v:v");
simd(139, 141, "vi:v");
simd(142, 147, "vv:v");
simd(148, 148, "v:v");
simd(149, 153, "vv:v");
simd(155, 159, "vv:v");
simd(160, 161, "v:v");
simd(163, 164, "v:i");
simd(167, 170, "v:v");
simd(171, 173, "vi:v");
simd(174, 174, "vv:v");
simd(177, 177, "vv:v");
simd(181, 186, "vv:v");
simd(188, 191, "vv:v");
simd(192, 193, "v:v");
simd(195, 196, "v:i");
simd(199, 202, "v:v");
simd(203, 205, "vi:v");
simd(206, 206, "vv:v");
simd(209, 209, "vv:v");
simd(213, 223, "vv:v");
simd(224, 225, "v:v");
simd(227, 227, "v:v");
simd(228, 235, "vv:v");
simd(236, 237, "v:v");
simd(239, 239, "v:v");
simd(240, 247, "vv:v");
simd(248, 255, "v:v");
simd(256, 256, "vv:v");
simd(257, 260, "v:v");
simd(261, 268, "vvv:v");
simd(269, 274, "vv:v");
simd(275, 275, "vvv:v");

// atomics
const atomic = (first: number, last: number, signature: string): void =>
  declare(ATOMIC + first, ATOMIC + last, signature, Imm.memory);
atomic(0, 0, "ii:i");
atomic(1, 1, "iil:i");
atomic(2, 2, "ill:i");
declare(ATOMIC + 3, ATOMIC + 3, ":", Imm.byte);
const widths = ["i", "l", "i", "i", "l", "l", "l"]; // i32, i64, i32 8/16 bit, i64 8/16/32 bit
widths.forEach((w, i) => {
  atomic(0x10 + i, 0x10 + i, `i:${w}`);
  atomic(0x17 + i, 0x17 + i, `i${w}:`);
  for (let group = 0; group < 6; group++) atomic(0x1e + group * 7 + i, 0x1e + group * 7 + i, `i${w}:${w}`);
  atomic(0x48 + i, 0x48 + i, `i${w}${w}:${w}`);
});

/** Code that gives the type's zero, or null: what its locals begin with. */
export function zeroOf(type: ValueType): readonly number[] {
  if (type === I32) return [Op.i32Const, 0];
  if (type === I64) return [Op.i64Const, 0];
  if (type === F32) return [Op.f32Const, 0, 0, 0, 0];
  if (type === F64) return [Op.f64Const, 0, 0, 0, 0, 0, 0, 0, 0];
  if (type === V128) return [0xfd, Op.v128Const - SIMD, ...new Array<number>(16).fill(0)];
  return [Op.refNull, type]; // a heap type is written as the type of a nullable reference to it
}
