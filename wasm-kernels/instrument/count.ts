// Loops that count themselves: whether one will make few turns can be told before its first, from a local that grows by the same amount in
// every turn and is compared with something that does not change. Such a loop needs no poll while it makes few.
import { Reader, type Writer } from "./binary.ts";
import { type Body, isOpener } from "./body.ts";
import { Op } from "./opcodes.ts";
import { everyPath } from "./paths.ts";

/** Turns that a loop may make without a poll: at the 1 to 100 ns that a turn of the loops in question takes, well below a millisecond. */
export const MOST_TURNS = 4096;
/** A step beyond it is no count of anything in memory, and MOST_TURNS of it stay far from 2^32. */
const MOST_STEP = 4096;

type Operand = { local: number } | { constant: number };
interface Comparison {
  is: "eq" | "ne" | "lt" | "gt" | "le" | "ge";
  signed: boolean;
}

/**
 * Invariant: in every turn the loop goes on only if what it compares relates so to `bound`, which does not change; that is `local + offset` in the first
 * turn, with the local's value at the loop's beginning, and `step` more in each further one (modulo 2^32).
 */
export interface Count {
  local: number;
  offset: number;
  /** Not zero. */
  step: number;
  bound: Operand;
  goesOn: Comparison;
}

const COMPARISONS = new Map<number, Comparison>(
  (["eq", "ne", "lt s", "lt u", "gt s", "gt u", "le s", "le u", "ge s", "ge u"] as const).map((name, k) => {
    const [is, sign] = name.split(" ") as [Comparison["is"], string?];
    return [Op.i32Eq + k, { is, signed: sign === "s" }];
  }),
);
const OPPOSITE = { eq: "ne", ne: "eq", lt: "ge", ge: "lt", gt: "le", le: "gt" } as const;
const SWAPPED = { eq: "eq", ne: "ne", lt: "gt", gt: "lt", le: "ge", ge: "le" } as const;

/** How the loop counts itself, if it does. It holds no loop, so each of its instructions runs at most once a turn. */
export function countOf(body: Body, loop: number): Count | undefined {
  const sets = new Map<number, number>();
  for (let i = loop + 1; i < body.match[loop]; i++) if (isSet(body, i)) sets.set(body.arg[i], (sets.get(body.arg[i]) ?? 0) + 1);
  for (let i = loop + 4; i < body.match[loop]; i++) {
    const sum = sumAt(body, i);
    if (!sum || sum.of !== body.arg[i] || sum.constant === 0 || Math.abs(sum.constant) > MOST_STEP) continue;
    if (sets.get(sum.of) !== 1 || !passedEveryTurn(body, loop, i)) continue;
    const count = testOf(body, loop, i, sum.constant, sets);
    if (count) return count;
  }
  return undefined;
}

const isSet = (body: Body, i: number): boolean => body.op[i] === Op.localSet || body.op[i] === Op.localTee;

/** `some local = of + constant` (or minus a constant) ending in this instruction. */
function sumAt(body: Body, i: number): { of: number; constant: number } | undefined {
  if (!isSet(body, i)) return undefined;
  const op = body.op[i - 1];
  if ((op !== Op.i32Add && op !== Op.i32Sub) || body.op[i - 2] !== Op.i32Const || body.op[i - 3] !== Op.localGet)
    return undefined;
  const constant = constantAt(body, i - 2);
  return { of: body.arg[i - 3], constant: op === Op.i32Add ? constant : -constant | 0 };
}

const constantAt = (body: Body, i: number): number => new Reader(body.bytes, body.start[i] + 1, body.end[i]).s33();

/** Whether no branch leads back to the loop without having passed the instruction in the same turn. */
function passedEveryTurn(body: Body, loop: number, instruction: number): boolean {
  let always = true;
  everyPath(
    body,
    loop,
    (i, passed) => passed || i === instruction,
    () => (always = false),
  );
  return always;
}

/** The count that steps at `stepAt`, by a comparison that decides in every turn whether there is another. */
function testOf(body: Body, loop: number, stepAt: number, step: number, sets: ReadonlyMap<number, number>): Count | undefined {
  const local = body.arg[stepAt];
  const stepped = passedBefore(body, loop, stepAt);
  /** What is read of the local there, less its value at the turn's beginning; undefined: that depends on the path. */
  const ahead = (at: number): number | undefined => (at < stepAt ? 0 : at === stepAt || stepped.has(at) ? step : undefined);
  /** As offset, of what this instruction pushes. */
  const offsetAt = (at: number): number | undefined => {
    if (body.op[at] !== Op.localGet && body.op[at] !== Op.localTee) return undefined;
    if (body.arg[at] === local) return ahead(at);
    // Another local that was set, in this turn, to so much more than this one.
    const set = lastSet(body, loop, at);
    const sum = set === undefined ? undefined : sumAt(body, set);
    if (set === undefined || sum?.of !== local || !(set === at || passedBefore(body, loop, set).has(at))) return undefined;
    const read = ahead(set - 3);
    return read === undefined ? undefined : (sum.constant + read) | 0;
  };
  let depth = 0;
  for (let i = loop + 1; i < body.match[loop]; i++) {
    if (isOpener(body.op[i])) depth++;
    else if (body.op[i] === Op.end) depth--;
    if (body.op[i] !== Op.brIf || body.arg[i] < depth) continue;
    const back = body.arg[i] === depth;
    const test = comparisonBefore(body, i, offsetAt);
    if (!test || ("local" in test.bound && sets.has(test.bound.local))) continue;
    const { offset, bound, signed } = test;
    const goesOn = { is: back ? test.is : OPPOSITE[test.is], signed };
    if (!ends(goesOn, step, bound)) continue;
    if (back ? isOnlyBranchBack(body, loop, i) : passedEveryTurn(body, loop, i)) return { local, offset, step, bound, goesOn };
  }
  return undefined;
}

/** The instructions that no path in a turn reaches without having passed this one. */
function passedBefore(body: Body, loop: number, instruction: number): Set<number> {
  const after = new Set<number>();
  everyPath(body, loop, (i, passed) => {
    if (passed) after.add(i);
    return passed || i === instruction;
  });
  return after;
}

/** The instruction up to `at`, in the loop, that sets the local that is read there. */
function lastSet(body: Body, loop: number, at: number): number | undefined {
  for (let i = at; i > loop; i--) if (isSet(body, i) && body.arg[i] === body.arg[at]) return i;
  return undefined;
}

function isOnlyBranchBack(body: Body, loop: number, branch: number): boolean {
  let only = true;
  everyPath(
    body,
    loop,
    () => false,
    (i) => {
      if (i !== branch) only = false;
    },
  );
  return only;
}

/** The condition of the br_if, when it compares something that `offsetAt` knows with something simple; written with the former first. */
function comparisonBefore(
  body: Body,
  branch: number,
  offsetAt: (instruction: number) => number | undefined,
): (Comparison & { bound: Operand; offset: number }) | undefined {
  let i = branch - 1;
  let opposite = false;
  for (; body.op[i] === Op.i32Eqz; i--) opposite = !opposite;
  const alone = offsetAt(i);
  if (alone !== undefined) return { is: opposite ? "eq" : "ne", signed: false, bound: { constant: 0 }, offset: alone };
  const compared = COMPARISONS.get(body.op[i]);
  if (!compared) return undefined;
  const second = i - 1;
  // What is set there is computed by three instructions more; anything else is one.
  const first = sumAt(body, second) ? second - 4 : second - 1;
  const [left, right] = [offsetAt(first), offsetAt(second)];
  const bound = simpleOperand(body, left === undefined ? first : second);
  const offset = left ?? right;
  if (!bound || offset === undefined) return undefined;
  const is = left === undefined ? SWAPPED[compared.is] : compared.is;
  return { is: opposite ? OPPOSITE[is] : is, signed: compared.signed, bound, offset };
}

function simpleOperand(body: Body, i: number): Operand | undefined {
  if (body.op[i] === Op.localGet) return { local: body.arg[i] };
  return body.op[i] === Op.i32Const ? { constant: constantAt(body, i) } : undefined;
}

/** Whether it can be told when the comparison will fail. */
function ends({ is, signed }: Comparison, step: number, bound: Operand): boolean {
  if (is === "ne") return true;
  if (is !== (step > 0 ? "lt" : "gt") && is !== (step > 0 ? "le" : "ge")) return false;
  const most = farthest({ is, signed }, step);
  if (!("constant" in bound)) return true;
  const value = signed ? bound.constant : bound.constant >>> 0;
  return step > 0 ? value <= most : value >= most;
}

/** The last bound at which the local cannot step over the end of its range, where it would begin anew at the other end. */
function farthest({ is, signed }: Comparison, step: number): number {
  const beyond = Math.abs(step) - (is === "lt" || is === "gt" ? 1 : 0);
  if (step > 0) return (signed ? 0x7fffffff : 0xffffffff) - beyond;
  return (signed ? -0x80000000 : 0) + beyond;
}

/** Writes a condition, an i32: whether the loop, from here, will make at most MOST_TURNS turns or one more. */
export function writeFewTurns(out: Writer, { local, offset, step, bound, goesOn }: Count): void {
  const stride = Math.abs(step);
  const get = (index: number): Writer => out.byte(Op.localGet).u32(index);
  const constant = (value: number): Writer => out.byte(Op.i32Const).s32(value | 0);
  /** From what is compared first to the bound, in the direction of the step, modulo 2^32. */
  const distance = (): void => {
    if ("local" in bound) {
      get(step > 0 ? bound.local : local);
      get(step > 0 ? local : bound.local);
      out.byte(Op.i32Sub);
      if (offset !== 0) constant(step > 0 ? -offset : offset).byte(Op.i32Add);
    } else if (step > 0) {
      constant(bound.constant - offset);
      get(local);
      out.byte(Op.i32Sub);
    } else {
      get(local);
      constant(offset - bound.constant).byte(Op.i32Add);
    }
  };
  distance();
  constant(MOST_TURNS * stride).byte(Op.i32LeU);
  if (goesOn.is === "ne") {
    if (stride === 1) return;
    distance();
    constant(stride).byte(Op.i32RemU).byte(Op.i32Eqz).byte(Op.i32And);
  } else if ("local" in bound && (stride > 1 || goesOn.is === "le" || goesOn.is === "ge")) {
    get(bound.local);
    constant(farthest(goesOn, step));
    if (step > 0) out.byte(goesOn.signed ? Op.i32LeS : Op.i32LeU);
    else out.byte(goesOn.signed ? Op.i32GeS : Op.i32GeU);
    out.byte(Op.i32And);
  }
}
