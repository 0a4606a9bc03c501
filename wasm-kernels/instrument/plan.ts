// Where a program polls and which calls may be left: decides the sites of every function. This file is the policy; rewriting
// carries it out.
import { type Body, branchLabels } from "./body.ts";
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
}

/**
 * The sites of one function, numbered from `firstId`; none when it cannot be on the stack at a stop.
 *
 * Invariant (bounded time to the next poll): every loop polls at its head, and every cycle of calls contains a call with a poll
 * before it on every path through the caller.
 */
export function planSites(module: WasmModule, func: number, body: Body, calls: CallGraph, firstId: number): PlannedSite[] {
  if (!calls.maySuspend[func]) return [];
  const before = new Set<number>();
  const after = new Set<number>();
  const closing = new Set<number>();
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    const target = body.arg[i];
    if (op === Op.loop) before.add(i);
    else if (op === Op.call || op === Op.returnCall) {
      if (op === Op.call && calls.maySuspend[target]) after.add(i);
      if (calls.closesCycle(func, target)) closing.add(i);
    } else if (op === Op.callIndirect || op === Op.returnCallIndirect) {
      if (op === Op.callIndirect && calls.indirectMaySuspend(target)) after.add(i);
      if (calls.indirectClosesCycle(func, target)) closing.add(i);
    }
  }
  for (const i of notYetPolled(module, body, closing)) before.add(i);
  const live = liveLocals(module, body, before, after);
  const sites: PlannedSite[] = [];
  const add = (kind: SiteKind, at: number, locals: number[] | undefined): void => {
    if (locals) sites.push({ id: firstId + sites.length, kind, at, live: locals });
  };
  for (const at of [...new Set([...before, ...after])].sort((a, b) => a - b)) {
    if (before.has(at)) add(body.op[at] === Op.loop ? "loop" : "poll", at, live.before.get(at));
    if (after.has(at)) add("call", at, live.after.get(at));
  }
  return sites;
}

/**
 * Of the given calls those that some path reaches without a poll since the function was entered. A forward must-analysis: a loop
 * polls at its head, and so does a call once it has been chosen here.
 */
function notYetPolled(module: WasmModule, body: Body, calls: ReadonlySet<number>): number[] {
  const chosen: number[] = [];
  if (calls.size === 0) return chosen;
  /** For each open construct: has every path to its end polled, as far as seen; and had the path to its beginning? */
  const open: { ends: boolean; begin: boolean; loop: boolean; hasElse: boolean }[] = [
    { ends: true, begin: false, loop: false, hasElse: true },
  ];
  let polled = false;
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    if (calls.has(i) && !polled) {
      chosen.push(i);
      polled = true;
    }
    const top = open[open.length - 1];
    switch (op) {
      case Op.block:
      case Op.if:
        open.push({ ends: true, begin: polled, loop: false, hasElse: op !== Op.if });
        break;
      case Op.loop:
        polled = true;
        open.push({ ends: true, begin: true, loop: true, hasElse: true });
        break;
      case Op.else:
        top.ends &&= polled;
        top.hasElse = true;
        polled = top.begin;
        break;
      case Op.end:
        polled = polled && top.ends && (top.hasElse || top.begin);
        open.pop();
        break;
      case Op.br:
      case Op.brIf:
      case Op.brTable:
        for (const depth of branchLabels(module, body, i)) {
          const target = open[open.length - 1 - depth];
          if (target && !target.loop) target.ends &&= polled;
        }
        if (op !== Op.brIf) polled = true; // nothing comes this way any more
        break;
      case Op.return:
      case Op.unreachable:
      case Op.returnCall:
      case Op.returnCallIndirect:
        polled = true;
        break;
      default:
    }
  }
  return chosen;
}
