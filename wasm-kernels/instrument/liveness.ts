// Which locals a function still needs at given points: the only ones worth saving there. A backward data-flow analysis over the
// structured code (loops are walked until nothing changes), on the original body.
import { NightshiftError } from "../errors.ts";
import { type Body, branchLabels, isCloser, isOpener } from "./body.ts";
import { Op } from "./opcodes.ts";

/** Sets of locals as bits of 32-bit words. */
type Bits = Uint32Array;

export interface LiveLocals {
  /** Locals live before an instruction of the wanted ones, ascending. */
  before: Map<number, number[]>;
  /** Locals live after an instruction of the wanted ones, ascending; what the instruction itself sets is not counted. */
  after: Map<number, number[]>;
}

/** A construct that is being walked. */
interface Open {
  start: number;
  end: number;
  /** What is live after it; never changed. */
  after: Bits;
  /** What is live at the beginning of the else, and of the handlers. */
  arms: Bits[];
}

/**
 * Handlers must be plain (handlers.ts). Whatever may throw may go to any handler around it. Not recursive, as code may be nested
 * thousands of constructs deep.
 */
export function liveLocals(body: Body, wantedBefore: ReadonlySet<number>, wantedAfter: ReadonlySet<number>): LiveLocals {
  const found: LiveLocals = { before: new Map(), after: new Map() };
  const { opener, middles } = matchEnds(body);
  const none = new Uint32Array((body.locals.length + 31) >> 5);
  const open: Open[] = [];
  /** Live sets at the labels of the open constructs, outermost first. */
  const labels: Bits[] = [];
  /** Live sets at the beginning of the handlers around. */
  const handlers: Bits[] = [];
  // What an earlier walk found stays true when more is live further out, so nested loops are not walked exponentially often.
  const loopTargets = new Map<number, Bits>();
  // The function's own label is one further out than all of these, and nothing is live after it.
  const label = (depth: number): Bits => labels[labels.length - 1 - depth] ?? none;
  const mergeHandlers = (into: Bits): void => {
    for (const handler of handlers) merge(into, handler);
  };

  /** Live after the instruction, then before it. */
  let live: Bits = none.slice();
  for (let i = body.count - 2; i >= 0; i--) {
    if (wantedAfter.has(i)) {
      const needed = live.slice();
      mergeHandlers(needed); // what was called may also throw
      found.after.set(i, list(needed));
    }
    const op = body.op[i];
    switch (op) {
      case Op.end:
      case Op.delegate: {
        const start = opener[i];
        const target = loopTargets.get(start) ?? none.slice();
        if (body.op[start] === Op.loop) loopTargets.set(start, target);
        labels.push(body.op[start] === Op.loop ? target : live);
        open.push({ start, end: i, after: live, arms: [] });
        live = live.slice();
        break;
      }
      case Op.else:
      case Op.catch: {
        const { start, after, arms } = innermost(open);
        arms.push(live);
        live = after.slice();
        if (op === Op.catch && middles.get(start)?.[0] === i) handlers.push(...arms);
        break;
      }
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.try: {
        const { end, after, arms } = innermost(open);
        if (op === Op.loop && merge(label(0), live)) {
          // More is live at the loop's head than was known: once more around.
          live = after.slice();
          i = end;
          continue;
        }
        if (op === Op.if) merge(live, arms[0] ?? after);
        if (op === Op.try) handlers.length -= arms.length;
        open.pop();
        labels.pop();
        break;
      }
      case Op.localGet:
        live[body.arg[i] >> 5] |= 1 << (body.arg[i] & 31);
        break;
      case Op.localSet:
      case Op.localTee:
        live[body.arg[i] >> 5] &= ~(1 << (body.arg[i] & 31));
        break;
      case Op.call:
      case Op.callIndirect:
        mergeHandlers(live);
        break;
      case Op.throw:
        live.fill(0);
        mergeHandlers(live);
        break;
      case Op.br:
        live.set(label(body.arg[i]));
        break;
      case Op.brIf:
        merge(live, label(body.arg[i]));
        break;
      case Op.brTable:
        live.fill(0);
        for (const depth of new Set(branchLabels(body, i))) merge(live, label(depth));
        break;
      case Op.return:
      case Op.returnCall:
      case Op.returnCallIndirect:
      case Op.unreachable:
        live.fill(0);
        break;
      default:
    }
    if (wantedBefore.has(i)) found.before.set(i, list(live));
  }
  return found;
}

function innermost(open: readonly Open[]): Open {
  const last = open[open.length - 1];
  if (!last) throw new NightshiftError("NS_BAD_MODULE", "unbalanced blocks");
  return last;
}

/** For every end the construct's first instruction, and for an `if` its `else`, for a `try` its handlers. */
function matchEnds(body: Body): { opener: Int32Array; middles: Map<number, number[]> } {
  const opener = new Int32Array(body.count).fill(-1);
  const middles = new Map<number, number[]>();
  const open: number[] = [];
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    if (isOpener(op)) open.push(i);
    else if (op === Op.else || op === Op.catch) {
      const start = open[open.length - 1];
      middles.set(start, [...(middles.get(start) ?? []), i]);
    } else if (isCloser(op)) opener[i] = open.pop() ?? -1;
  }
  return { opener, middles };
}

/** target |= source; true when that changed something. */
function merge(target: Bits, source: Bits): boolean {
  let changed = 0;
  for (let w = 0; w < target.length; w++) {
    const added = source[w] & ~target[w];
    target[w] |= added;
    changed |= added;
  }
  return changed !== 0;
}

function list(bits: Bits): number[] {
  const indices: number[] = [];
  bits.forEach((word, w) => {
    for (let rest = word; rest !== 0; rest &= rest - 1) indices.push(w * 32 + 31 - Math.clz32(rest & -rest));
  });
  return indices;
}
