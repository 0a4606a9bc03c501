// Where a program polls and which calls may be left: decides the sites of every function. This file is the policy; rewriting
// carries it out.
import { type Body, blockTypes } from "./body.ts";
import type { CallGraph } from "./callgraph.ts";
import { type Count, countOf } from "./count.ts";
import type { SiteKind } from "./facts.ts";
import { liveLocals } from "./liveness.ts";
import type { WasmModule } from "./module.ts";
import { Op } from "./opcodes.ts";
import { everyPath } from "./paths.ts";

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
 *
 * One with a count does not poll when it will make at most MOST_TURNS by it.
 */
export type LoopPolls = ({ where: "head" | "strip" } | { where: "branches"; branches: number[] }) & { count?: Count };

/**
 * The sites of one function, numbered from `firstId`; none when it cannot be on the stack at a stop.
 *
 * Invariant (bounded time to the next poll): every cycle of calls contains a call with a poll before it on every path through the
 * caller, and so many turns of a loop as a strip has contain a poll, or the loop makes no more than so many.
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
  everyPath(body, 0, (i, before) => {
    if (closing.has(i) && !before) polled.add(i);
    return before || polled.has(i);
  });
  const loops = planLoops(module, body, polled);
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
function planLoops(module: WasmModule, body: Body, polled: ReadonlySet<number>): Map<number, LoopPolls> {
  const loops = new Map<number, LoopPolls>();
  // Inner loops first: they begin after the outer ones.
  for (let loop = body.count - 1; loop >= 0; loop--) {
    if (body.op[loop] !== Op.loop) continue;
    const simple = blockTypes(module, body.arg[loop]).params.length === 0;
    const bytes = body.start[body.match[loop]] - body.end[loop];
    const bare = simple && bytes <= COUNTED_BYTES && isBare(body, loop);
    const count = bare ? countOf(body, loop) : undefined;
    if (bare && bytes <= SMALLEST_BYTES) {
      loops.set(loop, { where: "strip", count });
      continue;
    }
    const unpolled: number[] = [];
    everyPath(
      body,
      loop,
      (i, before) => before || polled.has(i) || pollsAtOnce(loops.get(i)),
      (branch) => unpolled.push(branch),
    );
    if (unpolled.length === 0) continue;
    if (simple && unpolled.every((branch) => body.op[branch] === Op.br) && !dispatches(body, loop))
      loops.set(loop, { where: "branches", branches: unpolled, count });
    else loops.set(loop, { where: "head", count });
  }
  return loops;
}

/** Whether whoever comes to the loop passes a poll. */
const pollsAtOnce = (loop: LoopPolls | undefined): boolean => loop?.where === "head" && loop.count === undefined;

/** Bytes of code in a turn to which a poll would add much; in longer ones it is felt less than a count that takes up a register. */
const SMALLEST_BYTES = 60;
/** Most bytes of code in a turn for which a loop that counts itself gets a second copy, without polls. */
const COUNTED_BYTES = 300;

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

/** A loop whose turn takes no longer than its code is long: without loops, calls, exceptions, jump tables, and instructions on whole ranges. */
function isBare(body: Body, loop: number): boolean {
  for (let i = loop + 1; i < body.match[loop]; i++) if (NOT_BARE.has(body.op[i])) return false;
  return true;
}
const NOT_BARE: ReadonlySet<number> = new Set([
  ...[Op.loop, Op.brTable, Op.try, Op.throw, Op.call, Op.callIndirect, Op.returnCall, Op.returnCallIndirect, Op.memoryGrow],
  ...[Op.memoryInit, Op.memoryCopy, Op.memoryFill, Op.tableInit, Op.tableCopy, Op.tableFill, Op.tableGrow],
]);
