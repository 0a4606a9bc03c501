// Doors: ways into a large function at the heads of its large loops. A continuation holds the rest of its function, and in the rest of a turn
// around an interpreter's loop that is nearly all of it: hundreds of kilobytes, which take a second to be optimised, at every place where a process is
// stopped. Where the loop has a door, the continuation ends in front of it and goes on in the function itself, which has long been compiled.
//
// The function begins with a look at CONTROL.door (by functions of its own: where the control memory is another module's, the function's code stays as
// long as it was). It is zero but when a continuation calls, which has put down the number of a door (from 1, in
// the order of the loops) and the locals that are needed there. On the way to that loop stand blocks around all that comes before it:
//
//     door = CONTROL.door; if door: CONTROL.door = 0, load the locals
//     block  br_if door  ...what comes before...  end
//     loop                                            ;; on the way, or with a door itself
//       block  br_if door  ...  end
//       door = door == 2 ? 0 : door                   ;; who has arrived goes on as everybody does
//       loop $2  ...  end
//
// Invariant: a door is zero in code that is not on the way to it. So a loop around it begins its next turn as it always did.
import { must } from "../errors.ts";
import { Writer } from "./binary.ts";
import { type Body, blockTypes, branchLabels, decodeBody, isCloser, isOpener } from "./body.ts";
import { CONTROL } from "./layout.ts";
import { liveLocals } from "./liveness.ts";
import type { WasmModule } from "./module.ts";
import { gives, I32, LOAD, Op, sizeOf, takes, type ValueType } from "./opcodes.ts";

/** Bytes of code from which on a function gets doors: optimising so many takes about 25 ms. The C library's printf is a little smaller. */
export const DOORS_FROM = 20 * 1024;
/** Bytes of code of a loop that has one, as a share of that. */
const LOOP_SHARE = 1 / 20;
/** And as a share of the loop with a door around it, whose turns look whether they come from a door. */
const INNER_SHARE = 1 / 2;
/** Most constructs around a loop that has one. */
const MAX_DEPTH = 200;
/** Most bytes of locals handed over: they must fit in the control memory as it is at first. */
const MAX_HANDED = 32 * 1024;
const VOID = 0x40;

/** Indices of functions that the way in calls. */
export interface DoorFunctions {
  /** () -> i32 */
  door(): number;
  /** (address) -> a value of the type */
  handed(type: ValueType): number;
}

export interface DoorPlan {
  body: Body;
  /** The loops' instructions in it: that of door 1 first. */
  loops: number[];
  /** The locals handed over, from CONTROL.frames on. */
  handed: number[];
}

/**
 * The function with doors; undefined when it is too small, or no loop can have one.
 * @param from bytes of code from which on a function gets doors
 */
export function withDoors(module: WasmModule, body: Body, around: DoorFunctions, from: number): DoorPlan | undefined {
  if (body.end[body.count - 1] - body.start[0] < from) return undefined;
  const plan = new Way(module, body, from * LOOP_SHARE);
  if (plan.loops.length === 0) return undefined;
  const live = liveLocals(body, new Set(plan.loops), new Set()).before;
  const handed = [...new Set(plan.loops.flatMap((loop) => live.get(loop) ?? []))].sort((a, b) => a - b);
  const types = handed.map((local) => body.locals[local]);
  if (types.some((type) => !LOAD.has(type)) || types.reduce((sum, type) => sum + sizeOf(type), 0) > MAX_HANDED) return undefined;
  const { code, loops, branches } = new Carpenter(body, plan, around).build(handed);
  const params = body.locals.slice(0, body.paramCount);
  const built = decodeBody(code, params, { start: 0, end: code.length });
  const found = new Map(Array.from(built.start.subarray(0, built.count), (offset, i) => [offset, i]));
  const at = (offset: number): number => must(found.get(offset), "an instruction on the way");
  return { body: { ...built, wayIn: new Set(branches.map(at)) }, loops: loops.map(at), handed };
}

/** A construct on the way to a door, or with one. */
interface Step {
  /** Its own door, or 0. */
  door: number;
  /** The last door in it, its own included. */
  last: number;
}

/** Which loops have doors, and what lies on the way to them. */
class Way {
  /** The loops with doors, in order. */
  readonly loops: number[] = [];
  /** By instruction. */
  readonly steps = new Map<number, Step>();

  constructor(module: WasmModule, body: Body, minBytes: number) {
    const heights = operandHeights(module, body);
    /** Open constructs: whether one may come into their first arms; the fewest bytes of a loop in them that has a door. */
    const open: { start: number; height: number; passable: boolean; least: number }[] = [
      { start: -1, height: 0, passable: true, least: minBytes },
    ];
    for (let i = 0; i < body.count - 1; i++) {
      const op = body.op[i];
      const around = open[open.length - 1];
      if (op === Op.else || op === Op.catch || op === Op.catchAll) around.passable = false;
      if (isCloser(op)) open.pop();
      if (!isOpener(op)) continue;
      const type = blockTypes(module, body.arg[i]);
      const isWay = around.passable && op !== Op.if && heights[i] === around.height && type.params.length === 0;
      const passable = isWay && open.length < MAX_DEPTH;
      const bytes = body.start[body.match[i]] - body.end[i];
      let { least } = around;
      if (passable && op === Op.loop && bytes >= least) {
        this.door(i, open);
        least = Math.max(least, bytes * INNER_SHARE);
      }
      open.push({ start: i, height: heights[i] - type.params.length, passable, least });
    }
    this.dropPassed(module, body);
  }

  private door(loop: number, open: readonly { start: number }[]): void {
    this.loops.push(loop);
    const door = this.loops.length;
    this.steps.set(loop, { door, last: door });
    for (const { start } of open) {
      const step = this.steps.get(start);
      if (step) step.last = door;
      else if (start >= 0) this.steps.set(start, { door: 0, last: door });
    }
  }

  /** Who passes a construct on the way to a later one goes around it, so it must leave no results: if one does, there are no doors at all. */
  private dropPassed(module: WasmModule, body: Body): void {
    const last = this.loops.length;
    for (const [start, step] of this.steps)
      if (step.last < last && blockTypes(module, body.arg[start]).results.length > 0) this.loops.length = 0;
  }
}

/** Writes the function anew, with the way in. */
class Carpenter {
  private readonly code: Writer;
  /** For each open construct of the original: how many are open here when its label is made. */
  private readonly labels: number[] = [];
  private depth = 0;
  /** Offsets in the code: of the loops with doors, and of the branches that lead to them. */
  private readonly loops: number[] = [];
  private readonly branches: number[] = [];
  private readonly local: number;
  private readonly body: Body;
  private readonly way: Way;
  private readonly around: DoorFunctions;

  constructor(body: Body, way: Way, around: DoorFunctions) {
    this.body = body;
    this.way = way;
    this.around = around;
    this.local = body.locals.length;
    this.code = new Writer(body.end[body.count - 1] - body.start[0] + 1024);
  }

  build(handed: readonly number[]): { code: Uint8Array; loops: number[]; branches: number[] } {
    const { body, code } = this;
    const own = [...body.locals.slice(body.paramCount), I32];
    code.u32(own.length);
    for (const type of own) code.u32(1).byte(type);
    this.lookAtDoor(handed);
    this.sequence(0, body.count - 1);
    code.byte(Op.end);
    return { code: code.finish(), loops: this.loops, branches: this.branches };
  }

  private lookAtDoor(handed: readonly number[]): void {
    const { body, code, around } = this;
    code.byte(Op.call).u32(around.door()).byte(Op.localTee).u32(this.local).byte(Op.if).byte(VOID);
    for (const { local, type, offset } of places(body, handed))
      code.byte(Op.i32Const).s32(offset).byte(Op.call).u32(around.handed(type)).byte(Op.localSet).u32(local);
    code.byte(Op.end);
  }

  /** Instructions [from, to) of one arm on the way; `to` is its end. */
  private sequence(from: number, to: number): void {
    const { body, way } = this;
    let next = from;
    for (let i = from; i < to; i++) {
      const step = isOpener(body.op[i]) ? way.steps.get(i) : undefined;
      if (step) {
        this.passed(next, i);
        this.step(i, step, this.isLastStep(i, to));
        i = body.match[i];
        next = i + 1;
      } else if (isOpener(body.op[i])) i = body.match[i];
    }
    this.copy(next, to);
  }

  private isLastStep(step: number, to: number): boolean {
    const { body, way } = this;
    for (let i = body.match[step] + 1; i < to; i++) {
      if (way.steps.has(i)) return false;
      if (isOpener(body.op[i])) i = body.match[i];
    }
    return true;
  }

  /** What whoever comes in by a door has behind them. */
  private passed(from: number, to: number): void {
    if (from === to) return;
    this.open();
    this.code.byte(Op.localGet).u32(this.local);
    this.goOn();
    this.copy(from, to);
    this.close();
  }

  /** @param isLast no other one comes after it, to which one would have to pass it */
  private step(start: number, { door, last }: Step, isLast: boolean): void {
    const { body, code, local } = this;
    const end = body.match[start];
    if (!isLast) {
      this.open();
      code.byte(Op.localGet).u32(local).byte(Op.i32Const).s32(last).byte(Op.i32GtU);
      this.goOn();
    }
    if (door > 0) this.arrive(door, last);
    if (door > 0) this.loops.push(code.length);
    code.bytes(body.bytes.subarray(body.start[start], body.end[start]));
    this.labels.push(this.depth++);
    const armEnd = this.firstArmEnd(start);
    this.sequence(start + 1, armEnd);
    this.copy(armEnd, end + 1); // its handlers, and its end, which closes its label
    if (!isLast) this.close();
  }

  private arrive(door: number, last: number): void {
    const { code, local } = this;
    code.byte(Op.i32Const).s32(0);
    if (last > door) {
      code.byte(Op.localGet).u32(local).byte(Op.localGet).u32(local);
      code.byte(Op.i32Const).s32(door).byte(Op.i32Eq).byte(Op.select);
    }
    code.byte(Op.localSet).u32(local);
  }

  private firstArmEnd(start: number): number {
    const { body } = this;
    for (let i = start + 1; i < body.match[start]; i++) {
      if (isOpener(body.op[i])) i = body.match[i];
      else if (body.op[i] === Op.catch || body.op[i] === Op.catchAll) return i;
    }
    return body.match[start];
  }

  private open(): void {
    this.code.byte(Op.block).byte(VOID);
    this.depth++;
  }

  private goOn(): void {
    this.branches.push(this.code.length);
    this.code.byte(Op.brIf).u32(0);
  }

  private close(): void {
    this.code.byte(Op.end);
    this.depth--;
  }

  /** Copies instructions [from, to) with their labels. */
  private copy(from: number, to: number): void {
    const { body, code } = this;
    for (let i = from; i < to; i++) {
      const op = body.op[i];
      if (op === Op.br || op === Op.brIf || op === Op.rethrow) code.byte(op).u32(this.label(body.arg[i]));
      else if (op === Op.brTable) {
        const labels = branchLabels(body, i);
        code.byte(op).u32(labels.length - 1);
        for (const depth of labels) code.u32(this.label(depth));
      } else if (op === Op.delegate) {
        this.labels.pop();
        this.depth--;
        code.byte(op).u32(this.label(body.arg[i]));
      } else {
        if (isOpener(op)) this.labels.push(this.depth++);
        else if (op === Op.end) {
          this.labels.pop();
          this.depth--;
        }
        code.bytes(body.bytes.subarray(body.start[i], body.end[i]));
      }
    }
  }

  private label(depth: number): number {
    const at = this.labels[this.labels.length - 1 - depth];
    return at === undefined ? this.depth : this.depth - 1 - at;
  }
}

/** Where the locals handed over to a door lie in the control memory. */
export function places(body: Body, handed: readonly number[]): { local: number; type: ValueType; offset: number }[] {
  let offset: number = CONTROL.frames;
  return handed.map((local) => {
    const type = body.locals[local];
    offset += sizeOf(type);
    return { local, type, offset: offset - sizeOf(type) };
  });
}

/** How many operands lie on the stack before each instruction. */
function operandHeights(module: WasmModule, body: Body): Int32Array {
  const heights = new Int32Array(body.count);
  /** Open constructs: operands beneath their parameters. */
  const open: { start: number; beneath: number }[] = [];
  let height = 0;
  for (let i = 0; i < body.count; i++) {
    heights[i] = height;
    const op = body.op[i];
    if (isOpener(op)) {
      if (op === Op.if) height--;
      open.push({ start: i, beneath: height - blockTypes(module, body.arg[i]).params.length });
    } else if (isCloser(op)) {
      const closed = open.pop();
      if (closed) height = closed.beneath + blockTypes(module, body.arg[closed.start]).results.length;
    } else if (op === Op.else || op === Op.catch) {
      const { start, beneath } = must(open[open.length - 1], "the construct around");
      const carried = op === Op.else ? blockTypes(module, body.arg[start]) : module.types[module.tags[body.arg[i]]];
      height = beneath + carried.params.length;
    } else height += change(module, body, i);
  }
  return heights;
}

/** By how many operands an instruction that begins or ends no construct makes the stack higher. What follows a jump is not asked about. */
function change(module: WasmModule, body: Body, i: number): number {
  const op = body.op[i];
  const fixed = takes[op];
  if (fixed) return (gives[op]?.length ?? 0) - fixed.length;
  const called = op === Op.call ? module.functionTypes[body.arg[i]] : op === Op.callIndirect ? body.arg[i] : undefined;
  if (called === undefined) return VARIABLE.get(op) ?? 0;
  const { params, results } = module.types[called];
  return results.length - params.length - (op === Op.callIndirect ? 1 : 0);
}

/** Instructions whose types depend on an index or on their operands. */
const VARIABLE: ReadonlyMap<number, number> = new Map([
  ...[Op.localGet, Op.globalGet, Op.tableSize, Op.refNull, Op.refFunc].map((op) => [op, 1] as const),
  ...[Op.localSet, Op.globalSet, Op.drop, Op.brIf, Op.tableGrow].map((op) => [op, -1] as const),
  ...[Op.select, Op.selectTyped, Op.tableSet].map((op) => [op, -2] as const),
  [Op.tableFill, -3],
]);
