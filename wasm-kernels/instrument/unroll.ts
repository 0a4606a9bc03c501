// Unrolls recursion: a small function that calls itself gets its own body in the place of those calls, a few levels deep. Calls that can
// be left cost more than calls that cannot (a poll, and operands kept for the frame); a function that does nothing but call itself feels
// that, and unrolled it makes a fraction of the calls. What the program computes is the same, and it needs less stack.
import { Writer } from "./binary.ts";
import type { Body } from "./body.ts";
import type { FuncType } from "./module.ts";
import { Op, sizeOf, zeroOf } from "./opcodes.ts";

/** Levels of calls that are replaced: of 0 to 3, two made the program fork-fibonacci fastest; others differ little between one and three. */
const LEVELS = 2;
/** Most bytes of code that a function may grow to by this. */
const MAX_BYTES = 1200;

/** Local declarations and code of the unrolled function; undefined when it does not call itself, or is not worth it. */
export function unrollRecursion(func: number, type: FuncType, body: Body): Uint8Array | undefined {
  const levels = levelsFor(func, type, body);
  if (levels === 0) return undefined;
  const own = body.locals.length;
  const code = new Writer(MAX_BYTES + 64);

  /** The body at a level; its locals begin at level * own. */
  const emit = (level: number): void => {
    /** Constructs open inside this body: the label of the body itself, which `return` at a deeper level goes to. */
    let depth = 0;
    for (let i = 0; i < body.count - 1; i++) {
      const op = body.op[i];
      if (op === Op.call && body.arg[i] === func && level < levels) inline(level + 1);
      else if (op === Op.localGet || op === Op.localSet || op === Op.localTee) code.byte(op).u32(level * own + body.arg[i]);
      else if (op === Op.return && level > 0) code.byte(Op.br).u32(depth);
      else code.bytes(body.bytes.subarray(body.start[i], body.end[i]));
      if (op === Op.block || op === Op.loop || op === Op.if) depth++;
      else if (op === Op.end) depth--;
    }
  };
  /** In the place of a call: operands into parameters, the other locals zero as at every entry, the body as a block. */
  const inline = (level: number): void => {
    for (let local = body.paramCount - 1; local >= 0; local--) code.byte(Op.localSet).u32(level * own + local);
    for (let local = body.paramCount; local < own; local++)
      code
        .bytes(zeroOf(body.locals[local]))
        .byte(Op.localSet)
        .u32(level * own + local);
    code.byte(Op.block).byte(type.results[0] ?? 0x40);
    emit(level);
    code.byte(Op.end);
  };
  emit(0);
  code.byte(Op.end);

  const whole = new Writer(code.length + 64);
  const declared = [...body.locals.slice(body.paramCount), ...Array.from({ length: levels }, () => body.locals).flat()];
  whole.u32(declared.length);
  for (const local of declared) whole.u32(1).byte(local);
  return whole.bytes(code.view()).finish();
}

/** How many levels fit; 0 for what is not unrolled. */
function levelsFor(func: number, type: FuncType, body: Body): number {
  if (type.results.length > 1) return 0;
  for (let local = body.paramCount; local < body.locals.length; local++) if (sizeOf(body.locals[local]) === 0) return 0;
  let calls = 0;
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    // A tail call would become one that returns; a handler would catch what was not thrown beneath it.
    if (op === Op.returnCall || op === Op.returnCallIndirect || op === Op.try || op === Op.tryTable) return 0;
    if (op === Op.call && body.arg[i] === func) calls++;
  }
  const bytes = body.end[body.count - 1] - body.start[0] + 4 * body.locals.length;
  let levels = 0;
  for (let copies = calls, total = bytes * (1 + copies); calls > 0 && levels < LEVELS && total <= MAX_BYTES; levels++) {
    copies *= calls;
    total += bytes * copies;
  }
  return levels;
}
