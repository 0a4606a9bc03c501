// Where a program polls and which calls may be left: decides the sites of every function. This file is the policy; rewriting
// carries it out.
import { type Body, blockTypes, branchLabels } from "./body.ts";
import type { CallGraph } from "./callgraph.ts";
import type { SiteKind } from "./facts.ts";
import { liveLocals } from "./liveness.ts";
import type { WasmModule } from "./module.ts";
import { Op } from "./opcodes.ts";

/** A site as planned; rewriting adds what only the operand stack tells. */
export interface PlannedSite {
  id: number;
  kind: SiteKind;
  /** Instruction it belongs to: the loop, or the call. A call may have two sites, `poll` before and `call` after it. */
  at: number;
  /** Locals live there, ascending. */
  live: number[];
  /** `loop` only. */
  loop?: LoopPolls;
}

/**
 * Where a loop polls.
 * - `head`: before every turn
 * - `strip`: once in many turns, for the smallest loops
 * - `branches`: at these branches back to the head (unconditional ones), so before every turn but the first
 */
export type LoopPolls = { where: "head" | "strip" } | { where: "branches"; branches: number[] };

/**
 * The sites of one function, numbered from `firstId`; none when it cannot be on the stack at a stop.
 *
 * Invariant (bounded time to the next poll): every cycle of calls contains a call with a poll before it on every path through the
 * caller, and so many turns of a loop as a strip has contain a poll.
 */
export function planSites(module: WasmModule, func: number, body: Body, calls: CallGraph, firstId: number): PlannedSite[] {
  if (!calls.maySuspend[func]) return [];
  const after = new Set<number>();
  const closing = new Set<number>();
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    const target = body.arg[i];
    if (op === Op.call || op === Op.returnCall) {
      if (op === Op.call && calls.maySuspend[target]) after.add(i);
      if (calls.closesCycle(func, target)) closing.add(i);
    } else if (op === Op.callIndirect || op === Op.returnCallIndirect) {
      if (op === Op.callIndirect && calls.indirectMaySuspend(target)) after.add(i);
      if (calls.indirectClosesCycle(func, target)) closing.add(i);
    }
  }
  const polled = new Set<number>();
  walkPolled(body, 0, (i, before) => {
    if (closing.has(i) && !before) polled.add(i);
    return before || polled.has(i);
  });
  const loops = planLoops(module, body, polled, after);
  const before = new Set([...polled, ...loops.keys()]);
  const live = liveLocals(body, before, after);
  const sites: PlannedSite[] = [];
  const add = (site: Omit<PlannedSite, "id" | "live">, locals: number[] | undefined): void => {
    if (locals) sites.push({ id: firstId + sites.length, live: locals, ...site });
  };
  for (const at of [...new Set([...before, ...after])].sort((a, b) => a - b)) {
    const loop = loops.get(at);
    if (loop) add({ kind: "loop", at, loop }, live.before.get(at));
    else if (polled.has(at)) add({ kind: "poll", at }, live.before.get(at));
    if (after.has(at)) add({ kind: "call", at }, live.after.get(at));
  }
  return sites;
}

/**
 * Where the loops poll, by the loop's instruction. A loop in which every turn passes a poll anyway (before a call, or at the beginning
 * of an inner loop) needs none of its own.
 */
function planLoops(
  module: WasmModule,
  body: Body,
  polled: ReadonlySet<number>,
  left: ReadonlySet<number>,
): Map<number, LoopPolls> {
  const loops = new Map<number, LoopPolls>();
  // Inner loops first: they begin after the outer ones.
  for (let loop = body.count - 1; loop >= 0; loop--) {
    if (body.op[loop] !== Op.loop) continue;
    const simple = blockTypes(module, body.arg[loop]).params.length === 0;
    if (simple && isSmallest(body, loop, polled, left)) {
      loops.set(loop, { where: "strip" });
      continue;
    }
    const unpolled: number[] = [];
    walkPolled(
      body,
      loop,
      (i, before) => before || polled.has(i) || loops.get(i)?.where === "head",
      (branch) => unpolled.push(branch),
    );
    if (unpolled.length === 0) continue;
    if (simple && unpolled.every((branch) => body.op[branch] === Op.br) && !dispatches(body, loop))
      loops.set(loop, { where: "branches", branches: unpolled });
    else loops.set(loop, { where: "head" });
  }
  return loops;
}

/** Bytes of code in a turn to which a poll would add much; in longer ones it is felt less than a count that takes up a register. */
const SMALLEST_BYTES = 60;

/**
 * Whether each turn goes through a jump table, as an interpreter's does. V8 puts the jump back in front of such a loop's head, so that every case goes on to
 * the next jump at once. With a poll at the end that is one jump more for each turn, and processors that predict an indirect jump by the
 * jumps before it then see too few of them: the kernel `interpreter` took three times as long on one.
 */
function dispatches(body: Body, loop: number): boolean {
  for (let i = loop + 1; i < body.match[loop]; i++) {
    if (body.op[i] === Op.loop) i = body.match[i];
    else if (body.op[i] === Op.brTable) return true;
  }
  return false;
}

/** A short loop without loops, calls to be left, polls, jump tables or exceptions inside. */
function isSmallest(body: Body, loop: number, polled: ReadonlySet<number>, left: ReadonlySet<number>): boolean {
  if (body.start[body.match[loop]] - body.end[loop] > SMALLEST_BYTES) return false;
  for (let i = loop + 1; i < body.match[loop]; i++) {
    const op = body.op[i];
    if (op === Op.loop || op === Op.brTable || op === Op.try || op === Op.throw || polled.has(i) || left.has(i)) return false;
  }
  return true;
}

/**
 * A forward must-analysis: for every instruction, has every path to it passed a poll since the beginning of the construct at `from` (of
 * the turn, when that is a loop; of the function for 0)? A poll once passed stays passed, so one walk is enough, inner loops included.
 * @param visit told that for the instruction, says it for what follows
 * @param onBack told of branches back to the loop at `from` that some path reaches without a poll
 */
function walkPolled(
  body: Body,
  from: number,
  visit: (instruction: number, polled: boolean) => boolean,
  onBack: (branch: number) => void = () => {},
): void {
  const inLoop = body.op[from] === Op.loop;
  /** For each open construct: has every path to its end polled, as far as seen; and had the path to its beginning? */
  const open: { ends: boolean; begin: boolean; loop: boolean; hasElse: boolean }[] = [
    { ends: true, begin: false, loop: inLoop, hasElse: true },
  ];
  let polled = false;
  const end = inLoop ? body.match[from] : body.count;
  for (let i = inLoop ? from + 1 : 0; i < end; i++) {
    const op = body.op[i];
    polled = visit(i, polled);
    const top = open[open.length - 1];
    switch (op) {
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.try:
        open.push({ ends: true, begin: polled, loop: op === Op.loop, hasElse: op !== Op.if });
        break;
      case Op.else:
      case Op.catch: // what was polled before the exception came is not known
        top.ends &&= polled;
        top.hasElse = true;
        polled = top.begin;
        break;
      case Op.end:
      case Op.delegate:
        polled = polled && top.ends && (top.hasElse || top.begin);
        open.pop();
        break;
      case Op.br:
      case Op.brIf:
      case Op.brTable:
        for (const depth of branchLabels(body, i)) {
          const target = open[open.length - 1 - depth];
          if (!target) continue; // out of what is walked
          if (!target.loop) target.ends &&= polled;
          else if (target === open[0] && !polled) onBack(i);
        }
        if (op !== Op.brIf) polled = true; // nothing comes this way any more
        break;
      case Op.return:
      case Op.unreachable:
      case Op.throw:
      case Op.returnCall:
      case Op.returnCallIndirect:
        polled = true;
        break;
      default:
    }
  }
}
