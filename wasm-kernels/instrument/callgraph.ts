// Which functions may be on the stack when a process stops, and which calls close a cycle of calls, so that a poll before them
// bounds every recursion. Works on decoded bodies; decides nothing about loops.
import type { Body } from "./body.ts";
import type { WasmModule } from "./module.ts";
import { Op } from "./opcodes.ts";

export interface CallGraph {
  /** By function index: may a stop happen inside (polls in it, or something it calls stops)? */
  maySuspend: Uint8Array;
  /** May the call at this place (function and callee, or type of a call_indirect) lead back to the function without a poll, unless one is put before it? */
  closesCycle(caller: number, callee: number): boolean;
  indirectClosesCycle(caller: number, type: number): boolean;
  /** May a call_indirect of this type index reach a function that may suspend? */
  indirectMaySuspend(type: number): boolean;
}

/** Host functions that may stop the calling process: they wait for something, or clone it. */
const SUSPENDING: Record<string, ReadonlySet<string>> = {
  nightshift: new Set(["fork", "wait", "pipe", "kill"]),
  wasi_snapshot_preview1: new Set(["fd_read", "fd_write", "poll_oneoff", "sched_yield"]),
};
export const isSuspendingImport = (module: string, name: string): boolean => SUSPENDING[module]?.has(name) ?? false;

/** @param bodies decoded bodies of the defined functions, in order. */
export function analyseCalls(module: WasmModule, bodies: readonly Body[]): CallGraph {
  const imported = module.importedFunctions.length;
  const total = imported + bodies.length;
  const canonical = canonicalTypes(module);
  const targetsOfType = addressTakenByType(module, canonical);
  const callees: number[][] = module.importedFunctions.map(() => []);
  for (const body of bodies) callees.push(calleesOf(body, targetsOfType, canonical));

  const component = components(callees, total);
  const cycleHeads = backEdgeTargets(callees, total);
  const maySuspend = new Uint8Array(total);
  const callers: number[][] = Array.from({ length: total }, () => []);
  callees.forEach((targets, f) => {
    for (const target of targets) callers[target].push(f);
  });
  const pending: number[] = [];
  const mark = (f: number): void => {
    if (maySuspend[f]) return;
    maySuspend[f] = 1;
    pending.push(f);
  };
  for (let f = 0; f < total; f++) {
    const item = module.importedFunctions[f];
    if (item ? isSuspendingImport(item.module, item.name) : hasLoop(bodies[f - imported]) || cycleHeads[f]) mark(f);
  }
  for (let f = pending.pop(); f !== undefined; f = pending.pop()) callers[f].forEach(mark);

  const indirect = new Map<number, boolean>();
  for (const [type, targets] of targetsOfType)
    indirect.set(
      type,
      targets.some((f) => maySuspend[f]),
    );
  return {
    maySuspend,
    indirectMaySuspend: (type) => indirect.get(canonical[type]) ?? false,
    closesCycle: (caller, callee) => cycleHeads[caller] === 1 && component[caller] === component[callee],
    indirectClosesCycle: (caller, type) =>
      cycleHeads[caller] === 1 && (targetsOfType.get(canonical[type]) ?? []).some((f) => component[f] === component[caller]),
  };
}

function hasLoop(body: Body): boolean {
  for (let i = 0; i < body.count; i++) if (body.op[i] === Op.loop) return true;
  return false;
}

/** The first type index with the same parameters and results, for every type index (call_indirect compares structure). */
function canonicalTypes(module: WasmModule): number[] {
  const first = new Map<string, number>();
  return module.types.map((type, index) => {
    const key = `${type.params.join()}:${type.results.join()}`;
    const known = first.get(key);
    if (known !== undefined) return known;
    first.set(key, index);
    return index;
  });
}

function addressTakenByType(module: WasmModule, canonical: readonly number[]): Map<number, number[]> {
  const byType = new Map<number, number[]>();
  for (const f of module.addressTaken) {
    const type = canonical[module.functionTypes[f]];
    const list = byType.get(type);
    if (list) list.push(f);
    else byType.set(type, [f]);
  }
  return byType;
}

function calleesOf(body: Body, targetsOfType: Map<number, number[]>, canonical: readonly number[]): number[] {
  const found = new Set<number>();
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    if (op === Op.call || op === Op.returnCall) found.add(body.arg[i]);
    else if (op === Op.callIndirect || op === Op.returnCallIndirect)
      for (const target of targetsOfType.get(canonical[body.arg[i]]) ?? []) found.add(target);
  }
  return [...found];
}

/** Targets of back edges of a depth-first walk: every cycle contains at least one. Iterative, as call graphs are deep. */
function backEdgeTargets(callees: readonly number[][], total: number): Uint8Array {
  const targets = new Uint8Array(total);
  const state = new Uint8Array(total); // 0 new, 1 on the path, 2 finished
  for (let root = 0; root < total; root++) {
    if (state[root]) continue;
    const path: { f: number; next: number }[] = [{ f: root, next: 0 }];
    state[root] = 1;
    while (path.length > 0) {
      const top = path[path.length - 1];
      const callee = callees[top.f][top.next++];
      if (callee === undefined) {
        state[top.f] = 2;
        path.pop();
      } else if (state[callee] === 1) targets[callee] = 1;
      else if (state[callee] === 0) {
        state[callee] = 1;
        path.push({ f: callee, next: 0 });
      }
    }
  }
  return targets;
}

/** Strongly connected components (Tarjan 1972, iterative): the same number for functions that can call each other in a circle. */
function components(callees: readonly number[][], total: number): Int32Array {
  const component = new Int32Array(total).fill(-1);
  const order = new Int32Array(total).fill(-1);
  const low = new Int32Array(total);
  const onStack = new Uint8Array(total);
  const stack: number[] = [];
  let visited = 0;
  let found = 0;
  const visit = (f: number): { f: number; next: number } => {
    order[f] = low[f] = visited++;
    stack.push(f);
    onStack[f] = 1;
    return { f, next: 0 };
  };
  for (let root = 0; root < total; root++) {
    if (order[root] >= 0) continue;
    const path = [visit(root)];
    while (path.length > 0) {
      const top = path[path.length - 1];
      const callee = callees[top.f][top.next++];
      if (callee !== undefined) {
        if (order[callee] < 0) path.push(visit(callee));
        else if (onStack[callee]) low[top.f] = Math.min(low[top.f], order[callee]);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent) low[parent.f] = Math.min(low[parent.f], low[top.f]);
      if (low[top.f] !== order[top.f]) continue;
      for (let f = stack.pop(); f !== undefined; f = stack.pop()) {
        onStack[f] = 0;
        component[f] = found;
        if (f === top.f) break;
      }
      found++;
    }
  }
  return component;
}
