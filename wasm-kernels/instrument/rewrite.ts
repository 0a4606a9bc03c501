// Rewrites one function so that it can be left at its sites: inserts polls, saves frames, unwinds by exception. The code between
// sites is copied byte for byte, so a program that is never stopped runs the code its compiler made.
//
// The plan says where a loop polls. The smallest loops would feel it at every turn, so they are strip-mined: the loop becomes an outer
// loop that polls and an inner one that runs at most STRIP turns. A loop that counts itself runs as it was when it will make few turns (count.ts).
//
// The one thing WebAssembly does not let us save is the operand stack beneath a call or inside a construct; so operands that lie
// beneath a site are written to fresh locals when it is certain that a site lies above them ("spilled"; the optimising compiler
// turns this into nothing). Invariant: at every site all operands beneath it are in locals.
import { must, NightshiftError } from "../errors.ts";
import { Writer } from "./binary.ts";
import { type Body, blockTypes, isCloser, isOpener } from "./body.ts";
import { type Count, MOST_TURNS, writeFewTurns } from "./count.ts";
import type { Site } from "./facts.ts";
import { CONTROL } from "./layout.ts";
import { type FuncType, functionName, type WasmModule } from "./module.ts";
import { EXTERNREF, F32, F64, FUNCREF, gives, I32, I64, Op, sizeOf, takes, typeName, V128, type ValueType } from "./opcodes.ts";
import type { LoopPolls, PlannedSite } from "./plan.ts";

/** Things of the whole module that rewritten code refers to; they are made on demand. */
export interface Surroundings {
  /** Index of the control memory. */
  control: number;
  /** Index of the unwind tag. */
  unwindTag: number;
  /** Index of a type with these parameters and results. */
  typeIndex(type: FuncType): number;
  /** Index of the function that adds so many values of a type to the frame being saved. */
  saver(type: ValueType, count: number): number;
  /** Type index of a function that was added. */
  typeOfAdded(func: number): number;
  /** Index of the function that stands for memory.grow: it keeps the process's memory limit. */
  grower(memory: number): number;
  /** Index of the function that stands for an instruction on a segment, which continuations do not have: memory.init, elem.drop... */
  onSegment(op: number, segment: number, target: number): number;
}

/** Turns of a strip-mined loop between two polls. */
const STRIP = MOST_TURNS;
/** Turns between two counts, each a copy of the loop's code, where there is no copy of it yet. */
const COPIES = 2;
/** Values that one call saves: few, so that few functions save all frames. */
const SAVED_AT_ONCE = 8;
/** The order in which a frame holds its values; its site comes last, as one more i32. */
const SAVE_ORDER: readonly ValueType[] = [V128, F64, F32, I64, I32];
const VOID = 0x40;
/**
 * JavaScriptCore's interpreter (of WebKit 2.50) does not see that an indirect call right before one of these lies in the try: no handler gets what it
 * throws. So a nop stands between.
 */
const ENDS_TRY: ReadonlySet<number> = new Set([Op.catch, Op.catchAll, Op.delegate]);

interface Construct {
  op: number;
  start: number;
  /** Operands beneath the construct's parameters. */
  height: number;
  type: FuncType;
}

export interface Rewritten {
  /** The body: local declarations and code. */
  body: Uint8Array;
  sites: Site[];
  /** Where the marked instructions are: byte offsets from the start of the body, in order. */
  marks: number[];
}

/**
 * @param marked loops whose places in the rewritten function are wanted: there is one copy of each
 * @throws NS_NOT_MIGRATABLE when a reference would have to be saved, NS_BAD_MODULE when the code is not well typed
 */
export function rewriteFunction(
  module: WasmModule,
  func: number,
  body: Body,
  planned: readonly PlannedSite[],
  around: Surroundings,
  marked: readonly number[] = [],
): Rewritten {
  return new Rewriter(module, func, body, planned, around, marked).run();
}

class Rewriter {
  private readonly out: Writer;
  /** Polls (before a loop's body or a call) and calls to be left, by instruction. */
  private readonly polls = new Map<number, PlannedSite>();
  private readonly leaves = new Map<number, PlannedSite>();
  /** Sites of loops that poll at branches back to their heads, by branch. */
  private readonly backs = new Map<number, Site>();
  private readonly sites: Site[] = [];
  /** Constructs with a site inside, by their first instruction. */
  private readonly holdsSite: Uint8Array;
  private readonly stack: ValueType[] = [];
  /** For each operand the local it has been spilled to, or -1. */
  private readonly spilled: number[] = [];
  private readonly constructs: Construct[] = [];
  /** Local for an operand of a type at a height: key height * 256 + type. */
  private readonly slots = new Map<number, number>();
  private readonly extraLocals: ValueType[] = [];
  private readonly module: WasmModule;
  private readonly func: number;
  private readonly body: Body;
  private readonly around: Surroundings;
  private readonly marked: ReadonlySet<number>;
  private readonly marks: number[] = [];

  constructor(
    module: WasmModule,
    func: number,
    body: Body,
    planned: readonly PlannedSite[],
    around: Surroundings,
    marked: readonly number[],
  ) {
    this.module = module;
    this.func = func;
    this.body = body;
    this.around = around;
    this.marked = new Set(marked);
    this.out = new Writer(body.end[body.count - 1] - body.start[0] + planned.length * 24 + 64);
    this.holdsSite = new Uint8Array(body.count);
    for (const site of planned) (site.kind === "call" ? this.leaves : this.polls).set(site.at, site);
    this.markHolders();
  }

  private markHolders(): void {
    const open: number[] = [];
    for (let i = 0; i < this.body.count; i++) {
      const op = this.body.op[i];
      if (isOpener(op)) open.push(i);
      if (this.polls.has(i) || this.leaves.has(i))
        for (let k = open.length - 1; k >= 0 && !this.holdsSite[open[k]]; k--) this.holdsSite[open[k]] = 1;
      if (isCloser(op)) open.pop();
    }
  }

  run(): Rewritten {
    const { body } = this;
    for (let i = 0; i < body.count; i++) i = this.instruction(i) ?? i;
    return this.assemble();
  }

  /** Local declarations are known only at the end; offsets of sites move by their length. */
  private assemble(): Rewritten {
    const declarations = new Writer();
    const own = this.body.locals.slice(this.body.paramCount).concat(this.extraLocals);
    const runs: [number, ValueType][] = [];
    for (const type of own) {
      const last = runs[runs.length - 1];
      if (last && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    declarations.u32(runs.length);
    for (const [count, type] of runs) declarations.u32(count).byte(type);
    for (const site of this.sites) site.resume += declarations.length;
    const marks = this.marks.map((offset) => offset + declarations.length);
    declarations.bytes(this.out.view());
    return { body: declarations.finish(), sites: this.sites, marks };
  }

  private copy(i: number): void {
    this.out.bytes(this.body.bytes.subarray(this.body.start[i], this.body.end[i]));
  }

  /** Copies an instruction, or calls the function that stands for it. */
  private copyOrCall(i: number): void {
    const { body, out, around } = this;
    const op = body.op[i];
    if (op === Op.memoryGrow) out.byte(Op.call).u32(around.grower(body.arg[i]));
    else if (op === Op.memoryInit || op === Op.dataDrop || op === Op.tableInit || op === Op.elemDrop)
      out.byte(Op.call).u32(around.onSegment(op, body.arg[i], body.arg2[i]));
    else this.copy(i);
  }

  /** @returns the last instruction of those it has dealt with, if that is not `i` */
  private instruction(i: number): number | undefined {
    const { body } = this;
    const op = body.op[i];
    const fixed = takes[op];
    if (fixed) {
      this.pop(fixed.length);
      this.copyOrCall(i);
      for (const type of gives[op] ?? []) this.push(type);
      return;
    }
    switch (op) {
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.try:
        return this.open(i, op);
      case Op.else: {
        const construct = this.constructs[this.constructs.length - 1];
        this.resetTo(construct.height, construct.type.params);
        this.copy(i);
        return;
      }
      case Op.catch: {
        const { height } = this.constructs[this.constructs.length - 1];
        this.resetTo(height, this.module.types[this.module.tags[body.arg[i]]].params);
        this.copy(i);
        return;
      }
      case Op.end:
      case Op.delegate:
        this.close(i);
        return;
      case Op.br:
        this.branch(i);
        return;
      case Op.brTable:
      case Op.return:
      case Op.throw:
      case Op.unreachable:
        this.copy(i);
        return;
      case Op.returnCall:
      case Op.returnCallIndirect:
        this.pollBefore(i);
        this.copy(i);
        return;
      case Op.brIf:
        this.pop(1);
        this.branch(i);
        return;
      case Op.call:
        this.call(i, body.arg[i], this.module.functionTypes[body.arg[i]] ?? this.around.typeOfAdded(body.arg[i]), 0);
        return;
      case Op.callIndirect:
        this.call(i, -1, body.arg[i], 1);
        return;
      default:
        this.variable(i, op);
        return;
    }
  }

  /** Instructions whose types depend on an index or on their operands. */
  private variable(i: number, op: number): void {
    const { body, module } = this;
    const index = body.arg[i];
    switch (op) {
      case Op.localGet:
        this.push(body.locals[index]);
        break;
      case Op.localSet:
      case Op.globalSet:
      case Op.drop:
        this.pop(1);
        break;
      case Op.localTee:
        this.pop(1);
        this.push(body.locals[index]);
        break;
      case Op.globalGet:
        this.push(module.globals[index].type);
        break;
      case Op.select:
      case Op.selectTyped: {
        this.pop(2);
        const type = this.top();
        this.pop(1);
        this.push(type);
        break;
      }
      case Op.tableGet:
        this.pop(1);
        this.push(module.tables[index].type);
        break;
      case Op.tableSet:
        this.pop(2);
        break;
      case Op.tableGrow:
        this.pop(2);
        this.push(I32);
        break;
      case Op.tableFill:
        this.pop(3);
        break;
      case Op.tableSize:
        this.push(I32);
        break;
      case Op.refNull:
        this.push(index === -16 ? FUNCREF : EXTERNREF);
        break;
      case Op.refIsNull:
        this.pop(1);
        this.push(I32);
        break;
      case Op.refFunc:
        this.push(FUNCREF);
        break;
      default:
        throw new NightshiftError(
          "NS_NOT_MIGRATABLE",
          `${functionName(module, this.func)} uses instruction 0x${op.toString(16)}, which cannot be moved yet`,
        );
    }
    this.copy(i);
  }

  // ---- the operand stack

  private push(type: ValueType): void {
    this.stack.push(type);
    this.spilled.push(-1);
  }

  private pop(count: number): void {
    const floor = this.constructs[this.constructs.length - 1]?.height ?? 0;
    if (this.stack.length - count < floor)
      throw new NightshiftError("NS_BAD_MODULE", `${functionName(this.module, this.func)} takes more operands than there are`);
    this.stack.length -= count;
    this.spilled.length -= count;
  }

  private top(): ValueType {
    return this.stack[this.stack.length - 1];
  }

  private resetTo(height: number, types: readonly ValueType[]): void {
    this.stack.length = height;
    this.spilled.length = height;
    for (const type of types) this.push(type);
  }

  private slot(height: number, type: ValueType): number {
    if (sizeOf(type) === 0)
      throw new NightshiftError(
        "NS_NOT_MIGRATABLE",
        `${functionName(this.module, this.func)} holds a ${typeName(type)} across a call`,
      );
    const key = height * 256 + type;
    let local = this.slots.get(key);
    if (local === undefined) {
      local = this.body.locals.length + this.extraLocals.length;
      this.extraLocals.push(type);
      this.slots.set(key, local);
    }
    return local;
  }

  /** Writes every operand beneath the topmost `keep` to its local; the stack itself stays as it is. */
  private spillBeneath(keep: number): void {
    const { out, stack, spilled } = this;
    const end = stack.length - keep;
    let first = end;
    while (first > 0 && spilled[first - 1] < 0) first--;
    if (first === end) return;
    for (let k = stack.length - 1; k > first; k--) out.byte(Op.localSet).u32(this.slot(k, stack[k]));
    out.byte(Op.localTee).u32(this.slot(first, stack[first]));
    for (let k = first + 1; k < stack.length; k++) out.byte(Op.localGet).u32(this.slot(k, stack[k]));
    for (let k = first; k < end; k++) spilled[k] = this.slot(k, stack[k]);
  }

  // ---- constructs

  /** @returns as `instruction` */
  private open(i: number, op: number): number | undefined {
    const polls = op === Op.loop ? this.polls.get(i)?.loop : undefined;
    const isMarked = this.marked.has(i);
    if (polls?.count && !isMarked) return this.counted(i, polls.count, polls);
    if (polls?.where === "strip" && !isMarked) return this.strip(i, COPIES, 0);
    if (op === Op.if) this.pop(1);
    const type = blockTypes(this.module, this.body.arg[i]);
    if (this.holdsSite[i]) {
      if (op === Op.if && this.needsSpill(type.params.length)) this.spillBeneathCondition(type.params.length);
      else this.spillBeneath(type.params.length);
    }
    const loopAt = this.out.length;
    if (isMarked) this.marks.push(loopAt);
    this.copy(i);
    const height = this.stack.length - type.params.length;
    this.constructs.push({ op, start: i, height, type });
    if (op === Op.loop) this.spilled.fill(-1, height); // a later turn has other parameters
    if (polls) this.pollIn(i, polls, loopAt);
    return undefined;
  }

  /** At a loop's beginning: the polls of its turns. */
  private pollIn(i: number, polls: LoopPolls, loopAt: number): void {
    this.spillBeneath(0); // the loop's own parameters
    const site = this.describe(must(this.polls.get(i), "the loop's site"), loopAt, 0);
    if (polls.where === "branches") for (const branch of polls.branches) this.backs.set(branch, site);
    else this.poll(site);
  }

  /**
   * A loop that counts itself, has no parameters and no site inside:
   *
   *     if it will make few turns
   *       loop as it was
   *     else
   *       loop with polls
   *
   * @returns the loop's end
   */
  private counted(i: number, count: Count, polls: LoopPolls): number {
    const { body, out } = this;
    const end = body.match[i];
    const type = blockTypes(this.module, body.arg[i]);
    this.spillBeneath(0);
    const height = this.stack.length;
    writeFewTurns(out, count);
    out.byte(Op.if).bytes(body.bytes.subarray(body.start[i] + 1, body.end[i]));
    this.constructs.push({ op: Op.if, start: i, height, type });
    this.copy(i);
    this.turn(i + 1, end, 1);
    out.byte(Op.end).byte(Op.else);
    if (polls.where === "strip") this.strip(i, 1, 1);
    else {
      const loopAt = out.length;
      this.copy(i);
      this.constructs.push({ op: Op.loop, start: i, height, type });
      this.pollIn(i, polls, loopAt);
      this.turn(i + 1, end, 1);
      out.byte(Op.end);
      this.constructs.pop();
    }
    out.byte(Op.end);
    this.constructs.pop();
    this.resetTo(height, type.results);
    return end;
  }

  /**
   * One of the smallest loops, which has no parameters and no site inside, strip-mined; the turns are counted once in `copies` of them:
   *
   *     block $exit
   *       loop $again                        ;; the site's loop
   *         count = STRIP
   *         loop $turns
   *           block $next  body; br $exit  end       ;; `copies` times; a branch to the loop goes to $next
   *           count -= 1; br_if $turns
   *         end
   *         poll; br $again
   *
   * So a loop that is left after a few turns, as most that go through a string, has no poll at all.
   *
   * @param within constructs that it lies in and the original does not
   * @returns the loop's end
   */
  private strip(i: number, copies: number, within: number): number {
    const { body, out } = this;
    const end = body.match[i];
    const type = blockTypes(this.module, body.arg[i]);
    this.spillBeneath(0);
    const height = this.stack.length;
    out.byte(Op.block).bytes(body.bytes.subarray(body.start[i] + 1, body.end[i]));
    this.constructs.push({ op: Op.block, start: i, height, type });
    const loopAt = out.length;
    out.byte(Op.loop).byte(VOID);
    this.constructs.push({ op: Op.loop, start: i, height, type: { params: [], results: [] } });
    const site = this.describe(must(this.polls.get(i), "the loop's site"), loopAt, 0);
    const counter = this.stripCounter();
    out
      .byte(Op.i32Const)
      .s32(STRIP / copies)
      .byte(Op.localSet)
      .u32(counter)
      .byte(Op.loop)
      .byte(VOID);
    for (let copy = 0; copy < copies; copy++) {
      out.byte(Op.block).byte(VOID);
      this.turn(i + 1, end, within + 3);
      out.byte(Op.br).u32(3).byte(Op.end);
    }
    out.byte(Op.localGet).u32(counter).byte(Op.i32Const).s32(1).byte(Op.i32Sub).byte(Op.localTee).u32(counter);
    out.byte(Op.brIf).u32(0).byte(Op.end);
    this.poll(site);
    out.byte(Op.br).u32(0).byte(Op.end).byte(Op.unreachable).byte(Op.end);
    this.constructs.length -= 2;
    this.resetTo(height, type.results);
    return end;
  }

  /** Copies the body of a loop, instructions [from, to), to where labels beyond the loop are so many further out. */
  private turn(from: number, to: number, further: number): void {
    const { body, out } = this;
    let depth = 0;
    for (let i = from; i < to; i++) {
      const op = body.op[i];
      if (isOpener(op)) depth++;
      else if (op === Op.end) depth--;
      const back = this.backs.get(i);
      if (back) this.poll(back);
      if ((op === Op.br || op === Op.brIf) && body.arg[i] > depth) out.byte(op).u32(body.arg[i] + further);
      else this.copyOrCall(i);
    }
  }

  private counter = -1;
  private stripCounter(): number {
    if (this.counter < 0) {
      this.counter = this.body.locals.length + this.extraLocals.length;
      this.extraLocals.push(I32);
    }
    return this.counter;
  }

  private branch(i: number): void {
    const back = this.backs.get(i);
    if (back) this.poll(back);
    this.copy(i);
  }

  private needsSpill(keep: number): boolean {
    const end = this.stack.length - keep;
    return end > 0 && this.spilled[end - 1] < 0;
  }

  /** As spillBeneath, with the condition of an `if` on top (already popped from our books). */
  private spillBeneathCondition(keep: number): void {
    this.push(I32);
    this.spillBeneath(keep + 1);
    this.pop(1);
  }

  private close(i: number): void {
    this.copy(i);
    const construct = this.constructs.pop();
    if (construct) this.resetTo(construct.height, construct.type.results);
  }

  // ---- sites

  private call(i: number, target: number, typeIndex: number, extraOperands: number): void {
    const type = this.module.types[typeIndex];
    const operands = type.params.length + extraOperands;
    this.pollBefore(i);
    const site = this.leaves.get(i);
    if (!site) {
      this.pop(operands);
      this.copy(i);
      if (target < 0 && ENDS_TRY.has(this.body.op[i + 1])) this.out.byte(Op.nop);
      for (const result of type.results) this.push(result);
      return;
    }
    this.spillBeneath(operands);
    const tryType = target >= 0 ? typeIndex : this.around.typeIndex({ params: [...type.params, I32], results: type.results });
    this.out.byte(Op.try).s32(tryType);
    this.copy(i);
    if (target < 0) this.out.byte(Op.nop);
    this.pop(operands);
    this.out.byte(Op.catch).u32(this.around.unwindTag);
    const described = this.describe(site, 0, typeIndex);
    this.save(described);
    this.out.byte(Op.rethrow).u32(0).byte(Op.end);
    described.resume = this.out.length;
    for (const result of type.results) this.push(result);
  }

  private pollBefore(i: number): void {
    const site = this.polls.get(i);
    if (!site) return;
    this.spillBeneath(0);
    const described = this.describe(site, 0, 0);
    this.poll(described);
    described.resume = this.out.length;
  }

  /** Looks at the flag, and leaves the function by the site when it is set. */
  private poll(site: Site): void {
    this.out.byte(Op.i32Const).s32(0).byte(Op.i32Load).u32(0x42).u32(this.around.control).u32(CONTROL.flag);
    this.out.byte(Op.if).byte(0x40);
    this.save(site);
    this.out.byte(Op.throw).u32(this.around.unwindTag).byte(Op.end);
  }

  private describe(site: PlannedSite, resume: number, callType: number): Site {
    // A loop resumes at its own first instruction, so it does not enclose its site.
    const enclosing = site.kind === "loop" ? this.constructs.slice(0, -1) : this.constructs;
    const operands = this.spilled.slice();
    const described: Site = {
      id: site.id,
      kind: site.kind,
      func: this.func,
      resume,
      callType,
      saved: this.inSaveOrder([...site.live, ...operands]),
      operands,
      enclosing: enclosing.length,
      depths: operands.map((_, k) => enclosing.filter(({ height }) => height <= k).length),
    };
    this.sites.push(described);
    return described;
  }

  private typeOfLocal(index: number): ValueType {
    return this.body.locals[index] ?? this.extraLocals[index - this.body.locals.length];
  }

  private inSaveOrder(locals: readonly number[]): number[] {
    const byType = Map.groupBy(locals, (local) => this.typeOfLocal(local));
    for (const type of byType.keys())
      if (!SAVE_ORDER.includes(type))
        throw new NightshiftError(
          "NS_NOT_MIGRATABLE",
          `${functionName(this.module, this.func)} holds a reference (${typeName(type)}) across a call or loop`,
        );
    return SAVE_ORDER.flatMap((type) => byType.get(type) ?? []);
  }

  private save(site: Site): void {
    const { out, around } = this;
    const { saved } = site;
    for (let at = 0, end = 0; at <= saved.length; at = end) {
      const type = at === saved.length ? I32 : this.typeOfLocal(saved[at]);
      for (end = at; end < saved.length && end - at < SAVED_AT_ONCE && this.typeOfLocal(saved[end]) === type; end++)
        out.byte(Op.localGet).u32(saved[end]);
      const last = end === saved.length && type === I32 && end - at < SAVED_AT_ONCE;
      if (last) out.byte(Op.i32Const).s32(site.id);
      out.byte(Op.call).u32(around.saver(type, end - at + (last ? 1 : 0)));
      if (last) return;
    }
  }
}
