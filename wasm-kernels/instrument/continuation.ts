// Builds the small module that resumes one saved frame: "from the site to the end of the function". It imports memory, globals,
// tables and functions of the running instance, so nothing of the program is rebuilt and the program itself holds no code for
// resuming. The code is that of the migratable function, copied; only branch labels and function indices are renumbered.
//
// How a site inside nested constructs is reached: each enclosing block (or arm of an if) is opened again as a plain block whose
// beginning is missing; an enclosing loop becomes "the rest of this turn", followed by the whole loop:
//
//     block $exit                       ;; results of the loop
//       block $again                    ;; parameters of the loop; a branch to the loop from the rest of the turn comes here
//         ...rest of the turn...
//         br $exit
//       end
//       loop ...the whole loop... end
//     end
//
// A loop with a door (doors.ts) is not copied: there the continuation calls the function itself, as its last deed, to go on at that loop. What nothing
// comes to any more is left out.
//
// An enclosing try is opened again with its handlers; inside a handler its exception is not needed any more (handlers.ts). What was called
// at the site may also have ended with an exception, which is then thrown there; and one that leaves the frame is kept for the next.
import { NightshiftError } from "../errors.ts";
import { encodeType } from "./additions.ts";
import { Writer } from "./binary.ts";
import { type Body, blockTypes, branchLabels, decodeBody, isCloser, isJump, isOpener } from "./body.ts";
import { places } from "./doors.ts";
import { FACTS_SECTION, type Facts, readFacts, type Site } from "./facts.ts";
import { CONTROL, CONTROL_MAX_PAGES, exportName } from "./layout.ts";
import { EXTERNAL, type FuncType, parseModule, type WasmModule } from "./module.ts";
import { accessorOf, accessors } from "./one-memory.ts";
import { I32, LOAD, Op, STORE, sizeOf, type ValueType, zeroOf } from "./opcodes.ts";

/** Module name under which a continuation imports from the program's instance. */
export const PROGRAM_MODULE = "nightshift:program";
/** How a continuation names a function of the program that it imports; functionNamed() gives the index back. */
const functionImport = (func: number): string => `function ${func}`;
export const functionNamed = (name: string): number => Number(/^function (\d+)$/.exec(name)?.[1] ?? Number.NaN);
/** The continuation's only export: () -> (); results go to CONTROL.results. */
export const CONTINUE_EXPORT = "continue";

/** A migratable module opened for resuming: parsed once per program. */
export class MigratableModule {
  readonly module: WasmModule;
  /** Its control memory is another module's (one-memory.ts). */
  readonly oneMemory: boolean;
  readonly facts: Facts;
  private readonly bodies = new Map<number, Body>();

  /** @throws NS_BAD_MODULE when it is not a migratable module. */
  constructor(bytes: Uint8Array) {
    this.module = parseModule(bytes);
    const section = this.module.sections.find((candidate) => candidate.name === FACTS_SECTION);
    if (!section) throw new NightshiftError("NS_BAD_MODULE", "the module is not migratable (it has no section nightshift.facts)");
    const nameBytes = 1 + FACTS_SECTION.length;
    this.facts = readFacts(bytes.subarray(section.start + nameBytes, section.end));
    const has = (name: string): boolean => this.module.exports.some((exported) => exported.name === name);
    this.oneMemory = !has(exportName.control);
    if (has(exportName.fuel)) this.module.globals.pop(); // no part of the process
  }

  body(func: number): Body {
    let body = this.bodies.get(func);
    if (!body) {
      const range = this.module.bodies[func - this.module.importedFunctions.length];
      if (!range) throw new NightshiftError("NS_BAD_MODULE", `there is no function ${func}`);
      body = decodeBody(this.module.bytes, this.typeOf(func).params, range);
      this.bodies.set(func, body);
    }
    return body;
  }

  typeOf(func: number): FuncType {
    return this.module.types[this.module.functionTypes[func]];
  }

  /** Types of the values in the site's frame, in order. */
  frameTypes(site: Site): ValueType[] {
    const { locals } = this.body(site.func);
    return site.saved.map((local) => locals[local]);
  }
}

/** The module that resumes frames saved at the site. */
export function buildContinuation(migratable: MigratableModule, site: Site): Uint8Array<ArrayBuffer> {
  return new Continuation(migratable, site).build();
}

interface Enclosing {
  op: number;
  start: number;
  /** Where the arm of the construct that holds the site ends: its else or next handler, or its end. */
  armEnd: number;
  /** It is not the construct's first arm: the site is behind its else, or in a handler. */
  isLater: boolean;
  type: FuncType;
}

class Continuation {
  private readonly out = new Writer(4096);
  private readonly types: Uint8Array[] = [];
  /** Program function index -> index here. */
  private readonly functions = new Map<number, number>();
  private readonly declared = new Set<number>();
  /** For each open construct of the program's code: how many labels were open here when its label was made. */
  private readonly labels: number[] = [];
  private depth = 0;
  /** For each open label here: something goes to it. */
  private readonly used: boolean[] = [];
  /** Doors by the offsets of their loops. */
  private readonly doors: ReadonlyMap<number, number>;
  private readonly handed: readonly number[];
  private readonly migratable: MigratableModule;
  private readonly module: WasmModule;
  private readonly body: Body;
  private readonly site: Site;
  /** -1: another module's. */
  private readonly control: number;
  /** Types of the values of the program's own exceptions. */
  private readonly tags: readonly (readonly ValueType[])[];
  private enclosing: Enclosing[] = [];

  constructor(migratable: MigratableModule, site: Site) {
    this.migratable = migratable;
    this.module = migratable.module;
    this.site = site;
    this.body = migratable.body(site.func);
    const { loops, handed } = migratable.facts.doors.get(site.func) ?? { loops: [], handed: [] };
    this.doors = new Map(loops.map((offset, k) => [offset, k + 1]));
    this.handed = handed;
    this.control = migratable.oneMemory ? -1 : this.module.memories.length - 1;
    if (migratable.oneMemory) for (let k = 0; k < accessors.length; k++) this.functionIndex(this.firstAccessor + k);
    this.tags = this.module.tags.slice(0, -1).map((type) => this.module.types[type].params);
  }

  build(): Uint8Array<ArrayBuffer> {
    const resumeAt = this.findResume();
    if (this.enclosing.length !== this.site.enclosing)
      throw new NightshiftError("NS_BAD_MODULE", `site ${this.site.id} does not fit its function`);
    const pointer = this.body.locals.length;
    this.loadFrame(pointer);
    this.rest(resumeAt);
    this.out.byte(Op.end);
    return this.assemble(pointer);
  }

  /** Offset in the module of the beginning of the function's body. */
  private get bodyStart(): number {
    return this.module.bodies[this.site.func - this.module.importedFunctions.length].start;
  }

  private findResume(): number {
    const { body, module, site } = this;
    const offset = this.bodyStart + site.resume;
    const open: number[] = [];
    for (let i = 0; i < body.count; i++) {
      if (body.start[i] === offset) {
        this.enclosing = open.map((start) => ({
          op: body.op[start],
          start,
          ...this.arm(start, i),
          type: blockTypes(module, body.arg[start]),
        }));
        return i;
      }
      if (isOpener(body.op[i])) open.push(i);
      else if (isCloser(body.op[i])) open.pop();
    }
    throw new NightshiftError("NS_BAD_MODULE", `site ${site.id} does not fit its function`);
  }

  /** The arm of a construct in which instruction i lies. */
  private arm(start: number, i: number): { armEnd: number; isLater: boolean } {
    const { body } = this;
    let isLater = false;
    for (let k = start + 1; k < body.match[start]; k++) {
      const op = body.op[k];
      if (isOpener(op)) k = body.match[k];
      else if (op === Op.else || op === Op.catch) {
        if (i <= k) return { armEnd: k, isLater }; // at k itself the arm is over
        isLater = true;
      }
    }
    return { armEnd: body.match[start], isLater };
  }

  // ---- frame in, results in

  private controlAccess(opcode: readonly number[], offset: number, out = this.out): void {
    if (this.control >= 0) out.bytes(opcode).u32(0x40).u32(this.control).u32(offset);
    else
      out
        .byte(Op.i32Const)
        .s32(offset)
        .byte(Op.call)
        .u32(this.functionIndex(this.firstAccessor + accessorOf(opcode)));
  }

  /** Where it stands in the program's table, as functions do, behind the one that polls ask. */
  private get firstAccessor(): number {
    return this.module.functionTypes.length + 1;
  }

  private loadFrame(pointer: number): void {
    const { out, body, site } = this;
    out.byte(Op.i32Const).s32(CONTROL.resumeFrame);
    this.controlAccess([Op.i32Load], 0);
    out.byte(Op.localSet).u32(pointer);
    let offset = 0;
    for (const local of site.saved) {
      const type = body.locals[local];
      out.byte(Op.localGet).u32(pointer);
      this.controlAccess(LOAD.get(type) ?? [], offset);
      out.byte(Op.localSet).u32(local);
      offset += sizeOf(type);
    }
  }

  private pushOperands(from: number, to: number): void {
    for (const local of this.site.operands.slice(from, to)) this.out.byte(Op.localGet).u32(local);
  }

  private pushCallResults(): void {
    if (this.site.kind !== "call") return;
    this.throwWhatWasThrown();
    this.loadResults(this.module.types[this.site.callType].results);
  }

  private loadResults(types: readonly ValueType[]): void {
    types.forEach((type, k) => {
      this.out.byte(Op.i32Const).s32(0);
      this.controlAccess(LOAD.get(type) ?? [], CONTROL.results + 16 * k);
    });
  }

  /** What was called has ended with an exception: here it comes. */
  private throwWhatWasThrown(): void {
    const { out, tags } = this;
    if (tags.length === 0) return;
    const thrown = this.body.locals.length; // the frame's pointer is not needed any more
    out.byte(Op.i32Const).s32(0);
    this.controlAccess([Op.i32Load], CONTROL.thrown);
    out.byte(Op.localTee).u32(thrown).byte(Op.if).byte(0x40).byte(Op.i32Const).s32(0).byte(Op.i32Const).s32(0);
    this.controlAccess([Op.i32Store], CONTROL.thrown);
    tags.forEach((params, tag) => {
      out
        .byte(Op.localGet)
        .u32(thrown)
        .byte(Op.i32Const)
        .s32(tag + 1)
        .byte(Op.i32Eq)
        .byte(Op.if)
        .byte(0x40);
      this.loadResults(params);
      out.byte(Op.throw).u32(tag).byte(Op.end);
    });
    out.byte(Op.end);
  }

  // ---- the rest of the function

  /** Opens the enclosing constructs again, outermost first, then emits the rest of each, innermost first. */
  private rest(resumeAt: number): void {
    const { body, enclosing, site } = this;
    let beneath = 0;
    enclosing.forEach((construct, level) => {
      const height = site.depths.filter((depth) => depth <= level).length;
      this.pushOperands(beneath, height);
      beneath = height;
      this.reopen(construct);
    });
    this.pushOperands(beneath, site.operands.length);
    this.pushCallResults();
    let from = resumeAt;
    let reached = true;
    for (const construct of enclosing.toReversed()) {
      reached = this.copyIf(reached, from, construct.armEnd);
      reached = this.closeAgain(construct, reached);
      from = body.match[construct.start] + 1;
    }
    this.copyIf(reached, from, body.count - 1);
  }

  private reopen({ op, type, isLater }: Enclosing): void {
    const results = this.blockType({ params: [], results: type.results });
    this.openLabel(op === Op.try && !isLater ? Op.try : Op.block, results);
    if (op === Op.loop) this.openLabel(Op.block, this.blockType({ params: [], results: type.params }));
    this.labels.push(this.depth - 1);
  }

  /**
   * @param reached whether something comes to the end of its arm
   * @returns whether something comes to what follows it
   */
  private closeAgain({ op, start, armEnd, isLater }: Enclosing, reached: boolean): boolean {
    const end = this.body.match[start];
    if (op === Op.try && !isLater) {
      this.copy(armEnd, end + 1); // its handlers, and its end
      return true;
    }
    this.labels.pop();
    if (op !== Op.loop) return this.closeLabel(reached);
    this.out.byte(Op.br).u32(1);
    const again = this.closeLabel(false);
    const left = this.copyIf(again, start, end + 1);
    return this.closeLabel(reached || left);
  }

  private openLabel(op: number, blockType: number): void {
    this.out.byte(op).s32(blockType);
    this.used[this.depth++] = false;
  }

  /** @returns whether something comes to what follows */
  private closeLabel(reached: boolean): boolean {
    this.out.byte(Op.end);
    return this.used[--this.depth] || reached;
  }

  private label(depth: number): number {
    const at = this.labels[this.labels.length - 1 - depth];
    if (at === undefined) return this.depth;
    this.used[at] = true;
    return this.depth - 1 - at;
  }

  /** Copies what something comes to. @returns whether something comes to what follows */
  private copyIf(reached: boolean, from: number, to: number): boolean {
    if (reached) return this.copy(from, to);
    this.out.byte(Op.unreachable);
    return false;
  }

  /** Goes on in the function itself, at a door. */
  private enter(door: number): void {
    const { out, body, site } = this;
    const store = (type: ValueType, offset: number): void => this.controlAccess(STORE.get(type) ?? [], offset);
    for (const { local, type, offset } of places(body, this.handed)) {
      out.byte(Op.i32Const).s32(0).byte(Op.localGet).u32(local);
      store(type, offset);
    }
    out.byte(Op.i32Const).s32(0).byte(Op.i32Const).s32(door);
    store(I32, CONTROL.door);
    for (const type of this.migratable.typeOf(site.func).params) out.bytes(zeroOf(type));
    out.byte(Op.returnCall).u32(this.functionIndex(site.func));
  }

  /** The end of the construct's arm in which instruction i lies, or `to` when that comes first. */
  private armEndFrom(i: number, to: number): number {
    const { body } = this;
    for (let k = i; k < to; k++) {
      const op = body.op[k];
      if (isOpener(op)) k = body.match[k];
      else if (isCloser(op) || op === Op.else || op === Op.catch) return k;
    }
    return to;
  }

  /**
   * Copies instructions [from, to), which are balanced, with labels and functions renumbered.
   * @returns whether something may come to what follows
   */
  private copy(from: number, to: number): boolean {
    const { body, out } = this;
    let reached = true;
    for (let i = from; i < to; i++) {
      const op = body.op[i];
      reached = !isJump(op);
      switch (op) {
        case Op.br:
        case Op.brIf:
        case Op.rethrow:
          out.byte(op).u32(this.label(body.arg[i]));
          continue;
        case Op.brTable: {
          const labels = branchLabels(body, i);
          out.byte(op).u32(labels.length - 1);
          for (const depth of labels) out.u32(this.label(depth));
          continue;
        }
        case Op.call:
        case Op.returnCall:
          out.byte(op).u32(this.functionIndex(body.arg[i]));
          continue;
        case Op.refFunc:
          this.declared.add(body.arg[i]);
          out.byte(op).u32(this.functionIndex(body.arg[i]));
          continue;
        case Op.loop: {
          const door = this.doors.get(body.start[i] - this.bodyStart);
          if (door !== undefined) {
            this.enter(door);
            reached = false;
            i = this.armEndFrom(body.match[i] + 1, to) - 1;
            continue;
          }
          this.labels.push(this.depth++);
          break;
        }
        case Op.block:
        case Op.if:
        case Op.try:
          this.labels.push(this.depth++);
          break;
        case Op.delegate:
          this.labels.pop();
          this.depth--;
          out.byte(op).u32(this.label(body.arg[i]));
          continue;
        case Op.end:
          this.labels.pop();
          this.depth--;
          break;
        default:
      }
      out.bytes(body.bytes.subarray(body.start[i], body.end[i]));
    }
    return reached;
  }

  private functionIndex(func: number): number {
    let index = this.functions.get(func);
    if (index === undefined) {
      index = this.functions.size;
      this.functions.set(func, index);
    }
    return index;
  }

  /** Block type immediate for these types; needs a type index for parameters or several results. */
  private blockType(type: FuncType): number {
    if (type.params.length === 0 && type.results.length === 0) return -64;
    if (type.params.length === 0 && type.results.length === 1) return type.results[0] - 0x80;
    return this.typeIndex(type);
  }

  private typeIndex(type: FuncType): number {
    this.types.push(encodeType(type));
    return this.module.types.length + this.types.length - 1;
  }

  // ---- the module

  private assemble(pointer: number): Uint8Array<ArrayBuffer> {
    const { module } = this;
    const { results } = this.migratable.typeOf(this.site.func);
    const frameType = this.typeIndex({ params: [], results });
    const entryType = this.typeIndex({ params: [], results: [] });
    const imports = this.imports();
    const first = this.functions.size;
    const wasm = new Writer(this.out.length + 4096);
    wasm.bytes(module.bytes.subarray(0, 8));
    const section = (id: number, entries: readonly Uint8Array[]): void => {
      const content = new Writer().u32(entries.length);
      for (const entry of entries) content.bytes(entry);
      wasm.byte(id).sized(content);
    };
    section(1, [...module.types.map(encodeType), ...this.types]);
    section(2, imports);
    section(3, [new Writer().u32(frameType).finish(), new Writer().u32(entryType).finish()]);
    section(7, [
      new Writer()
        .name(CONTINUE_EXPORT)
        .byte(EXTERNAL.function)
        .u32(first + 1)
        .finish(),
    ]);
    if (this.declared.size > 0) {
      const segment = new Writer().u32(3).byte(0).u32(this.declared.size);
      for (const func of this.declared) segment.u32(this.functionIndex(func));
      section(9, [segment.finish()]);
    }
    const declarations = new Writer().u32(pointer + 1);
    for (const type of this.body.locals) declarations.u32(1).byte(type);
    declarations.u32(1).byte(I32).bytes(this.out.view());
    const sized = (body: Writer): Uint8Array => new Writer(body.length + 5).sized(body).finish();
    section(10, [sized(declarations), sized(this.entry(first, results))]);
    return wasm.finish();
  }

  /** Runs the frame and stores what it returns, or throws, where the next frame's continuation looks for it. */
  private entry(frame: number, results: readonly ValueType[]): Writer {
    const { tags } = this;
    const w = new Writer();
    const locals = [results, ...tags].flat();
    w.u32(locals.length);
    for (const type of locals) w.u32(1).byte(type);
    const store = (type: ValueType, offset: number): void => this.controlAccess(STORE.get(type) ?? [], offset, w);
    /** Stores the values on the stack, by way of locals. */
    const keep = (types: readonly ValueType[], first: number): void => {
      for (let k = types.length - 1; k >= 0; k--) w.byte(Op.localSet).u32(first + k);
      types.forEach((type, k) => {
        w.byte(Op.i32Const)
          .s32(0)
          .byte(Op.localGet)
          .u32(first + k);
        store(type, CONTROL.results + 16 * k);
      });
    };
    if (tags.length > 0) w.byte(Op.try).byte(0x40);
    w.byte(Op.call).u32(frame);
    keep(results, 0);
    let first = results.length;
    tags.forEach((params, tag) => {
      w.byte(Op.catch).u32(tag);
      keep(params, first);
      first += params.length;
      w.byte(Op.i32Const)
        .s32(0)
        .byte(Op.i32Const)
        .s32(tag + 1);
      store(I32, CONTROL.thrown);
    });
    if (tags.length > 0) w.byte(Op.end);
    return w.byte(Op.end);
  }

  private imports(): Uint8Array[] {
    const { module } = this;
    const entries: Uint8Array[] = [];
    const program = (name: string, kind: number): Writer => new Writer().name(PROGRAM_MODULE).name(name).byte(kind);
    for (const func of this.functions.keys()) {
      const host = module.importedFunctions[func];
      const entry = host
        ? new Writer().name(host.module).name(host.name).byte(EXTERNAL.function)
        : program(functionImport(func), EXTERNAL.function);
      const accessor = func - this.firstAccessor;
      entries.push(entry.u32(module.functionTypes[func] ?? module.types.length - accessors.length + accessor).finish());
    }
    const ofFunctions = module.tables.length - 1; // only for whoever links
    module.tables.slice(0, ofFunctions).forEach((table, index) => {
      entries.push(program(exportName.table(index), EXTERNAL.table).byte(table.type).byte(0).u32(0).finish());
    });
    module.memories.forEach((memory, index) => {
      if (index === this.control)
        entries.push(program(exportName.control, EXTERNAL.memory).byte(3).u32(1).u32(CONTROL_MAX_PAGES).finish());
      else entries.push(program(exportName.memory(index), EXTERNAL.memory).byte(0).u32(memory.minPages).finish());
    });
    module.globals.forEach((global, index) => {
      entries.push(
        program(exportName.global(index), EXTERNAL.global)
          .byte(global.type)
          .byte(global.mutable ? 1 : 0)
          .finish(),
      );
    });
    const unwind = module.tags.length - 1;
    module.tags.forEach((type, index) => {
      entries.push(
        program(index === unwind ? exportName.unwind : exportName.tag(index), EXTERNAL.tag)
          .byte(0)
          .u32(type)
          .finish(),
      );
    });
    return entries;
  }
}
