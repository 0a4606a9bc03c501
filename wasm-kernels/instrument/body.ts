// One function body as arrays of instructions: opcode, byte range, first immediate, matching end. Decoding only; no types.
// Code that can never run (after a branch, up to the next else or end) is left out, so that nobody downstream meets it.
import { NightshiftError } from "../errors.ts";
import { Reader } from "./binary.ts";
import type { FuncType, WasmModule } from "./module.ts";
import { ATOMIC, BULK, Imm, immediates, Op, SIMD, type ValueType } from "./opcodes.ts";

export interface Body {
  /** What the byte ranges refer to: the module, or code made from it. */
  bytes: Uint8Array;
  /** Types of parameters and declared locals, in index order. */
  locals: ValueType[];
  paramCount: number;
  /** Number of instructions; the last is the function's own `end`. */
  count: number;
  op: Uint16Array;
  /** Byte range of each instruction in `bytes`. */
  start: Uint32Array;
  end: Uint32Array;
  /** First immediate: local, function, type, label or block-type (s33) number. */
  arg: Int32Array;
  /** Second immediate of call_indirect (table). */
  arg2: Int32Array;
  /** For block, loop, if, try, try_table, else, catch, catch_all: the index of the construct's end (or delegate). */
  match: Int32Array;
  /** Branches that only whoever comes in by a door takes (doors.ts). */
  wayIn?: ReadonlySet<number>;
}

const VOID = -64;

/** Parameter and result types of a block type immediate. */
export function blockTypes(module: WasmModule, blockType: number): FuncType {
  if (blockType >= 0) return module.types[blockType];
  return blockType === VOID ? NO_TYPES : { params: [], results: [blockType + 0x80] };
}
const NO_TYPES: FuncType = { params: [], results: [] };

/** Begins a construct, which an `end` or a `delegate` closes. */
export const isOpener = (op: number): boolean => (op >= Op.block && op <= Op.if) || op === Op.try || op === Op.tryTable;
export const isCloser = (op: number): boolean => op === Op.end || op === Op.delegate;

const endsUnreachable = (op: number): boolean =>
  op === Op.else || op === Op.end || op === Op.catch || op === Op.catchAll || op === Op.delegate;
const JUMPS = new Set<number>([
  Op.unreachable,
  Op.br,
  Op.brTable,
  Op.return,
  Op.returnCall,
  Op.returnCallIndirect,
  Op.throw,
  Op.rethrow,
  Op.throwRef,
]);
/** Nothing comes to what follows it. */
export const isJump = (op: number): boolean => JUMPS.has(op);

/** @param range local declarations and code in `bytes`. @throws NS_BAD_MODULE with the byte offset. */
export function decodeBody(bytes: Uint8Array, params: readonly ValueType[], range: { start: number; end: number }): Body {
  const r = new Reader(bytes, range.start, range.end);
  const locals = [...params];
  r.vector(() => {
    const repeat = r.u32();
    const type = r.byte();
    if (type === 0x63 || type === 0x64)
      throw new NightshiftError("NS_NOT_MIGRATABLE", "the module uses typed function references");
    if (locals.length + repeat > 50_000)
      throw new NightshiftError("NS_BAD_MODULE", `a function declares more than 50000 locals at byte ${r.offset}`);
    for (let i = 0; i < repeat; i++) locals.push(type);
  });
  const capacity = range.end - r.offset;
  const body: Body = {
    bytes,
    locals,
    paramCount: params.length,
    count: 0,
    op: new Uint16Array(capacity),
    start: new Uint32Array(capacity),
    end: new Uint32Array(capacity),
    arg: new Int32Array(capacity),
    arg2: new Int32Array(capacity),
    match: new Int32Array(capacity),
  };
  const open: number[] = [];
  const parts: number[][] = [];
  let n = 0;
  /** Depth of constructs inside unreachable code; -1 while the code is reachable. */
  let dead = -1;
  while (!r.done) {
    const at = r.offset;
    let op = r.byte();
    if (op === 0xfc) op = BULK + Math.min(r.u32(), 0xff);
    else if (op === 0xfd) op = SIMD + Math.min(r.u32(), 0x1ff);
    else if (op === 0xfe) op = ATOMIC + Math.min(r.u32(), 0x7f);
    body.op[n] = op;
    body.start[n] = at;
    readImmediates(r, body, n, op, at);
    body.end[n] = r.offset;
    if (dead >= 0) {
      if (isOpener(op)) dead++;
      else if (dead > 0 && (op === Op.end || op === Op.delegate)) dead--;
      else if (dead === 0 && endsUnreachable(op)) dead = -1;
      if (dead >= 0) continue;
    } else if (isJump(op)) dead = 0;
    if (isOpener(op)) {
      open.push(n);
      parts.push([n]);
    } else if (op === Op.else || op === Op.catch || op === Op.catchAll) {
      parts.at(-1)?.push(n);
    } else if (op === Op.end || op === Op.delegate) {
      if (open.pop() === undefined) {
        n++;
        break; // the function's own end
      }
      for (const part of parts.pop() ?? []) body.match[part] = n;
    }
    n++;
  }
  if (open.length > 0 || !r.done || n === 0)
    throw new NightshiftError("NS_BAD_MODULE", `unbalanced blocks in the function at byte ${range.start}`);
  body.count = n;
  return body;
}

function readImmediates(r: Reader, body: Body, n: number, op: number, at: number): void {
  switch (immediates[op]) {
    case Imm.none:
      return;
    case Imm.index:
    case Imm.lane:
    case Imm.byte:
      body.arg[n] = r.u32();
      return;
    case Imm.blockType:
      body.arg[n] = r.s33();
      return;
    case Imm.indexPair:
      body.arg[n] = r.u32();
      body.arg2[n] = r.u32();
      return;
    case Imm.memory:
      memoryArgument(r, body, n);
      return;
    case Imm.memoryLane:
      memoryArgument(r, body, n);
      r.byte();
      return;
    case Imm.leb:
      return r.skipLeb();
    case Imm.bytes4:
      return r.skip(4);
    case Imm.bytes8:
      return r.skip(8);
    case Imm.bytes16:
      return r.skip(16);
    case Imm.heapType:
      body.arg[n] = r.s33();
      return;
    case Imm.types:
      r.vector(() => (body.arg[n] = r.byte()));
      return;
    case Imm.labelTable:
      r.vector(() => r.u32());
      r.u32();
      return;
    case Imm.tryTable:
      body.arg[n] = r.s33();
      r.vector(() => readCatch(r));
      return;
    default:
      throw new NightshiftError("NS_BAD_MODULE", `unknown instruction 0x${op.toString(16)} at byte ${at}`);
  }
}

/** arg is the memory's index. */
function memoryArgument(r: Reader, body: Body, n: number): void {
  const alignment = r.u32();
  body.arg[n] = alignment & 0x40 ? r.u32() : 0;
  r.skipLeb();
}

export interface CatchClause {
  /** 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref */
  kind: number;
  tag: number;
  label: number;
}

function readCatch(r: Reader): CatchClause {
  const kind = r.byte();
  return { kind, tag: kind < 2 ? r.u32() : 0, label: r.u32() };
}

/** Clauses of a try_table instruction. */
export function catchClauses(body: Body, index: number): CatchClause[] {
  const r = new Reader(body.bytes, body.start[index] + 1, body.end[index]);
  r.s33();
  return r.vector(() => readCatch(r));
}

/** All labels a branch instruction may go to, the default of a br_table last. */
export function branchLabels(body: Body, index: number): number[] {
  if (body.op[index] !== Op.brTable) return [body.arg[index]];
  const r = new Reader(body.bytes, body.start[index] + 1, body.end[index]);
  const labels = r.vector(() => r.u32());
  labels.push(r.u32());
  return labels;
}
