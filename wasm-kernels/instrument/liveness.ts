// Which locals a function still needs at given points: the only ones worth saving there. A backward data-flow analysis over the
// structured code (loops are walked until nothing changes), on the original body.
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

/** Handlers must be plain (handlers.ts). Whatever may throw may go to any handler around it. */
export function liveLocals(body: Body, wantedBefore: ReadonlySet<number>, wantedAfter: ReadonlySet<number>): LiveLocals {
  const found: LiveLocals = { before: new Map(), after: new Map() };
  const matches = matchEnds(body);
  const words = (body.locals.length + 31) >> 5;
  const none = new Uint32Array(words);
  /** Live sets at the labels of the enclosing constructs, outermost first. */
  const labels: Bits[] = [];
  /** Live sets at the beginning of the handlers around. */
  const handlers: Bits[] = [];
  const loopTargets = new Map<number, Bits>();
  // The function's own label is one further out than all of these, and nothing is live after it.
  const label = (depth: number): Bits => labels[labels.length - 1 - depth] ?? none;

  /** Walks instructions [from, to) backwards; `live` is the set after them and is changed in place; returns the set before them. */
  function walk(from: number, to: number, live: Bits): Bits {
    for (let i = to - 1; i >= from; i--) {
      if (wantedAfter.has(i)) {
        const needed = live.slice();
        for (const handler of handlers) merge(needed, handler); // what was called may also throw
        found.after.set(i, list(needed));
      }
      const op = body.op[i];
      switch (op) {
        case Op.end:
        case Op.delegate: {
          const start = matches.opener[i];
          live = construct(start, i, live);
          i = start;
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
          for (const handler of handlers) merge(live, handler);
          break;
        case Op.throw:
          live.fill(0);
          for (const handler of handlers) merge(live, handler);
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
    return live;
  }

  /** @param after the set after the construct, not changed @returns the set before it */
  function construct(start: number, end: number, after: Bits): Bits {
    const op = body.op[start];
    if (op === Op.loop) {
      // What an earlier walk found stays true when more is live further out, so nested loops are not walked exponentially often.
      const target = loopTargets.get(start) ?? none.slice();
      loopTargets.set(start, target);
      labels.push(target);
      let result: Bits;
      do result = walk(start + 1, end, after.slice());
      while (merge(target, result));
      labels.pop();
      return result;
    }
    labels.push(after);
    let result: Bits;
    const [middle = end, ...more] = matches.middles.get(start) ?? [];
    if (op === Op.if) {
      const otherwise = middle === end ? after.slice() : walk(middle + 1, end, after.slice());
      result = walk(start + 1, middle, after.slice());
      merge(result, otherwise);
    } else if (op === Op.try) {
      const clauses = middle === end ? [] : [middle, ...more];
      const entries = clauses.map((clause, k) => walk(clause + 1, clauses[k + 1] ?? end, after.slice()));
      handlers.push(...entries);
      result = walk(start + 1, middle, after.slice());
      handlers.length -= entries.length;
    } else {
      result = walk(start + 1, end, after.slice());
    }
    labels.pop();
    return result;
  }

  walk(0, body.count - 1, none.slice());
  return found;
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
