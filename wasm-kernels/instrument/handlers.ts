// Exception handlers in the one form that can be moved. A handler's exception is not on any stack that could be saved, so a function must
// not need it: what it carries (the values thrown) goes into locals, and throwing it again throws a new one with the same values, which
// no program can tell from the old. What is caught by `catch_all` is written out tag by tag: nothing else is thrown in a program, but the
// exception with which we leave it, and that with which the host ends it, must pass every handler.
//
//     try                       block $done
//       ...                       block $handler
//     catch_all                     try
//       ...                           ...
//       rethrow 0                   catch $t  (values and tag into locals)  br $handler
//     end                           end
//                                   br $done
//                                 end
//                                 ...  (values)  throw $t
//                               end
//
// So afterwards there is neither `catch_all` nor `rethrow`. Legacy exception handling (WebAssembly's exception-handling proposal).
import { NightshiftError } from "../errors.ts";
import { Writer } from "./binary.ts";
import { type Body, blockTypes, branchLabels, isCloser, isOpener } from "./body.ts";
import type { FuncType, WasmModule } from "./module.ts";
import { I32, Op, type ValueType } from "./opcodes.ts";

const VOID = 0x40;

/** Where the values of a caught exception are: the first local for each tag it may be of; and the local that says which, if several. */
interface Caught {
  values: Map<number, number>;
  which: number;
}

interface Construct {
  isTry: boolean;
  /** Where its label is among the labels that are open in the output. */
  label: number;
  /** Tags that the clauses so far do not catch. */
  uncaught: number[];
  /** In a handler: what was caught. */
  caught: Caught | undefined;
  /** catch_all stands after the try: its handler is in the outer block. */
  moved: boolean;
}

/**
 * Local declarations and code; undefined for a function without handlers.
 * @param typeIndex index of a type with these parameters and results
 */
export function plainHandlers(module: WasmModule, body: Body, typeIndex: (type: FuncType) => number): Uint8Array | undefined {
  for (let i = 0; i < body.count; i++) if (body.op[i] === Op.try) return new Handlers(module, body, typeIndex).run();
  return undefined;
}

class Handlers {
  private readonly out: Writer;
  private readonly added: ValueType[] = [];
  private readonly open: Construct[] = [];
  /** Labels open in the output; the function's own is not counted. */
  private depth = 0;
  /** Locals for the values of a tag and a nesting of handlers, which no two exceptions need at once. */
  private readonly locals = new Map<string, number>();
  private readonly module: WasmModule;
  private readonly body: Body;
  private readonly typeIndex: (type: FuncType) => number;

  constructor(module: WasmModule, body: Body, typeIndex: (type: FuncType) => number) {
    this.module = module;
    this.body = body;
    this.typeIndex = typeIndex;
    this.out = new Writer(2 * (body.end[body.count - 1] - body.start[0]) + 64);
  }

  run(): Uint8Array {
    const { body, out } = this;
    for (let i = 0; i < body.count; i++) i = this.instruction(i) ?? i;
    const whole = new Writer(out.length + 64);
    const declared = [...body.locals.slice(body.paramCount), ...this.added];
    whole.u32(declared.length);
    for (const type of declared) whole.u32(1).byte(type);
    return whole.bytes(out.view()).finish();
  }

  /** @returns the last instruction of those it has dealt with, if that is not `i` */
  private instruction(i: number): number | undefined {
    const { body, out } = this;
    switch (body.op[i]) {
      case Op.try:
        return void this.try(i);
      case Op.block:
      case Op.loop:
      case Op.if:
        this.copy(i);
        this.open.push({ isTry: false, label: this.depth++, uncaught: [], caught: undefined, moved: false });
        return;
      case Op.catch:
        return void this.catch(i);
      case Op.catchAll:
        return this.catchAll(i);
      case Op.rethrow:
        return void this.rethrow(body.arg[i]);
      case Op.br:
      case Op.brIf:
        out.byte(body.op[i]).u32(this.label(body.arg[i]));
        return;
      case Op.brTable: {
        const labels = branchLabels(body, i);
        out.byte(Op.brTable).u32(labels.length - 1);
        for (const depth of labels) out.u32(this.label(depth));
        return;
      }
      case Op.delegate:
        this.open.pop();
        this.depth--;
        out.byte(Op.delegate).u32(this.label(this.handling(body.arg[i])));
        return;
      case Op.end:
        if (this.open.pop()) this.depth--;
        this.copy(i);
        return;
      default:
        this.copy(i);
        return;
    }
  }

  private copy(i: number): void {
    this.out.bytes(this.body.bytes.subarray(this.body.start[i], this.body.end[i]));
  }

  private label(depth: number): number {
    const construct = this.open[this.open.length - 1 - depth];
    return construct ? this.depth - 1 - construct.label : this.depth;
  }

  /** The try that gets what is delegated to a label of any construct: JavaScriptCore takes only its own label, or the function's. */
  private handling(depth: number): number {
    const { open } = this;
    let at = open.length - 1 - depth;
    while (at >= 0 && (!open[at]?.isTry || open[at]?.caught)) at--;
    return open.length - 1 - at;
  }

  private local(type: ValueType): number {
    this.added.push(type);
    return this.body.locals.length + this.added.length - 1;
  }

  private paramsOf(tag: number): ValueType[] {
    return this.module.types[this.module.tags[tag]].params;
  }

  private get nesting(): number {
    return this.open.reduce((count, { caught }) => count + (caught ? 1 : 0), 0);
  }

  /** The local with the first value of an exception of the tag in a handler at this depth; the others follow. */
  private valuesOf(tag: number, nesting: number): number {
    const key = `${tag} ${nesting}`;
    let first = this.locals.get(key);
    if (first === undefined) {
      first = this.body.locals.length + this.added.length;
      for (const type of this.paramsOf(tag)) this.local(type);
      this.locals.set(key, first);
    }
    return first;
  }

  private whichAt(nesting: number): number {
    const key = `which ${nesting}`;
    let local = this.locals.get(key);
    if (local === undefined) {
      local = this.local(I32);
      this.locals.set(key, local);
    }
    return local;
  }

  // ---- constructs

  private try(i: number): void {
    const { body, out } = this;
    const moved = this.tagsOfCatchAll(i).length > 0;
    if (moved) {
      if (blockTypes(this.module, body.arg[i]).params.length > 0) {
        const { params } = blockTypes(this.module, body.arg[i]);
        this.blockOf(i);
        out.byte(Op.block).s32(this.typeIndex({ params, results: [] }));
      } else {
        this.blockOf(i);
        out.byte(Op.block).byte(VOID);
      }
      this.depth += 2;
    }
    this.copy(i);
    const uncaught = this.module.tags.map((_, tag) => tag);
    this.open.push({ isTry: true, label: this.depth++, uncaught, caught: undefined, moved });
  }

  /** A block with the try's type. */
  private blockOf(i: number): void {
    this.out.byte(Op.block).bytes(this.body.bytes.subarray(this.body.start[i] + 1, this.body.end[i]));
  }

  /** Tags that the try's catch_all catches, which it may not have. */
  private tagsOfCatchAll(start: number): number[] {
    const { body } = this;
    const end = body.match[start];
    const left = new Set(this.module.tags.keys());
    for (let k = start + 1, nested = 0; k < end; k++) {
      const op = body.op[k];
      if (isOpener(op)) nested++;
      else if (isCloser(op)) nested--;
      else if (nested === 0 && op === Op.catch) left.delete(body.arg[k]);
      else if (nested === 0 && op === Op.catchAll) return [...left];
    }
    return [];
  }

  private top(): Construct {
    const top = this.open[this.open.length - 1];
    if (!top?.isTry) throw new NightshiftError("NS_BAD_MODULE", "a handler without its try");
    return top;
  }

  private catch(i: number): void {
    const tag = this.body.arg[i];
    const top = this.top();
    top.caught = undefined;
    const first = this.valuesOf(tag, this.nesting);
    this.copy(i);
    this.take(tag, first);
    this.give(tag, first);
    top.caught = { values: new Map([[tag, first]]), which: -1 };
    top.uncaught = top.uncaught.filter((other) => other !== tag);
  }

  private take(tag: number, first: number): void {
    for (let k = this.paramsOf(tag).length - 1; k >= 0; k--) this.out.byte(Op.localSet).u32(first + k);
  }

  private give(tag: number, first: number): void {
    this.paramsOf(tag).forEach((_, k) => {
      this.out.byte(Op.localGet).u32(first + k);
    });
  }

  /** @returns the instruction before the try's end when nothing is left for the handler to catch */
  private catchAll(i: number): number | undefined {
    const { body, out } = this;
    const top = this.top();
    top.caught = undefined;
    if (!top.moved) return body.match[i] - 1;
    const nesting = this.nesting;
    const which = top.uncaught.length > 1 ? this.whichAt(nesting) : -1;
    const values = new Map<number, number>();
    for (const tag of top.uncaught) {
      const first = this.valuesOf(tag, nesting);
      values.set(tag, first);
      out.byte(Op.catch).u32(tag);
      this.take(tag, first);
      if (which >= 0) out.byte(Op.i32Const).s32(tag).byte(Op.localSet).u32(which);
      out.byte(Op.br).u32(1); // $handler
    }
    out.byte(Op.end).byte(Op.br).u32(1).byte(Op.end); // $done; what follows is in it
    this.depth -= 2;
    top.label = this.depth - 1;
    top.caught = { values, which };
    return undefined;
  }

  private rethrow(depth: number): void {
    const { out } = this;
    const caught = this.open[this.open.length - 1 - depth]?.caught;
    if (!caught) throw new NightshiftError("NS_BAD_MODULE", "rethrow outside a handler");
    const tags = [...caught.values];
    tags.forEach(([tag, first], k) => {
      const last = k === tags.length - 1;
      if (!last) out.byte(Op.localGet).u32(caught.which).byte(Op.i32Const).s32(tag).byte(Op.i32Eq).byte(Op.if).byte(VOID);
      this.give(tag, first);
      out.byte(Op.throw).u32(tag);
      if (!last) out.byte(Op.end);
    });
  }
}
