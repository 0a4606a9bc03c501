// The newer form of exceptions written in the older one, which handlers.ts then makes movable. An exception that a program holds (exnref) is
// nothing that could be saved, so it becomes a number: its tag and what it carries, which is at most 32 bits in what compilers make
// (a pointer). Thrown again it is a new one with the same values, which no program can tell from the old.
//
//     try_table (catch $t $l) (catch_all_ref $m)      try
//       ...                                             ...
//     end                                             catch $t  br $l+1
//                                                     catch $u  (values and tag as an i64)  br $m+1     for every other tag
//                                                     end
//     throw_ref                                       a throw for each tag, chosen by the number
//
// So afterwards there is neither `try_table` nor `throw_ref` nor a value of type exnref. Null is 0; the others begin at 1 << 32.
import { NightshiftError } from "../errors.ts";
import { Writer } from "./binary.ts";
import { type Body, catchClauses, decodeBody, isOpener } from "./body.ts";
import { functionName, parseModule, SECTION, type WasmModule, withSections } from "./module.ts";
import { EXNREF, F32, I32, I64, Op, typeName, type ValueType } from "./opcodes.ts";

const CATCH = { plain: 0, ref: 1, all: 2, allRef: 3 } as const;
const VOID = 0x40;
/** The heap types exn and noexn of ref.null, as the signed numbers they are. */
const EXCEPTIONS: ReadonlySet<number> = new Set([EXNREF - 0x80, 0x74 - 0x80]);

/** The module itself when it has nothing of the newer form. @throws NS_NOT_MIGRATABLE, NS_BAD_MODULE */
export function olderExceptions(module: WasmModule): WasmModule {
  if (module.tags.length === 0) return module;
  const imported = module.importedFunctions.length;
  const older = module.bodies.map((range, index) => {
    const body = decodeBody(module.bytes, module.types[module.functionTypes[imported + index]].params, range);
    return hasNewer(body) ? new OlderBody(module, imported + index, body).write() : undefined;
  });
  if (older.every((body) => body === undefined)) return module;
  refuse(module);
  const types = new Writer().u32(module.types.length);
  for (const { params, results } of module.types) {
    types.byte(0x60);
    for (const list of [params, results]) types.u32(list.length).bytes(list.map(number));
  }
  const code = new Writer(module.bytes.length).u32(older.length);
  module.bodies.forEach(({ start, end }, index) => {
    const body = older[index] ?? module.bytes.subarray(start, end);
    code.u32(body.length).bytes(body);
  });
  const replaced = new Map([
    [SECTION.type, types],
    [SECTION.code, code],
  ]);
  return parseModule(withSections(module, replaced, ["name"]).finish());
}

const number = (type: ValueType): ValueType => (type === EXNREF ? I64 : type);

function hasNewer(body: Body): boolean {
  if (body.locals.includes(EXNREF)) return true;
  for (let i = 0; i < body.count; i++) {
    const op = body.op[i];
    if (op === Op.tryTable || op === Op.throwRef) return true;
    if ((op === Op.refNull || isOpener(op)) && EXCEPTIONS.has(body.arg[i])) return true;
  }
  return false;
}

function refuse(module: WasmModule): void {
  for (const [what, items] of [
    ["global", module.globals],
    ["table", module.tables],
  ] as const)
    if (items.some(({ type }) => type === EXNREF))
      throw new NightshiftError("NS_NOT_MIGRATABLE", `the module has a ${what} of type ${typeName(EXNREF)}`);
}

class OlderBody {
  private readonly module: WasmModule;
  private readonly func: number;
  private readonly body: Body;
  private readonly out: Writer;
  private readonly added: ValueType[] = [];
  /** Locals for what is on its way: a thrown exception's number, and a caught one's value. */
  private readonly passing = new Map<ValueType, number>();
  /** What stands before the end of each open construct: the handlers of a try_table. */
  private readonly open: (() => void)[] = [];

  constructor(module: WasmModule, func: number, body: Body) {
    this.module = module;
    this.func = func;
    this.body = body;
    this.out = new Writer(2 * (body.end[body.count - 1] - body.start[0]) + 64);
  }

  /** Local declarations and code. */
  write(): Uint8Array {
    for (let i = 0; i < this.body.count; i++) this.instruction(i);
    const declared = [...this.body.locals.slice(this.body.paramCount), ...this.added].map(number);
    const whole = new Writer(this.out.length + 64).u32(declared.length);
    for (const type of declared) whole.u32(1).byte(type);
    return whole.bytes(this.out.view()).finish();
  }

  private instruction(i: number): void {
    const { body, out } = this;
    const op = body.op[i];
    switch (op) {
      case Op.tryTable:
        out.byte(Op.try);
        this.blockType(i);
        this.open.push(() => this.handlers(i));
        return;
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.try:
        out.byte(op);
        this.blockType(i);
        this.open.push(() => {});
        return;
      case Op.end:
        this.open.pop()?.();
        out.byte(Op.end);
        return;
      case Op.delegate:
        this.open.pop();
        this.copy(i);
        return;
      case Op.throwRef:
        return this.throwRef();
      case Op.refNull:
        if (EXCEPTIONS.has(body.arg[i])) out.byte(Op.i64Const).s32(0);
        else this.copy(i);
        return;
      case Op.selectTyped:
        out.byte(Op.selectTyped).u32(1).byte(number(body.arg[i]));
        return;
      default:
        this.copy(i);
    }
  }

  private copy(i: number): void {
    this.out.bytes(this.body.bytes.subarray(this.body.start[i], this.body.end[i]));
  }

  /** The immediate of a construct: a type's number, or one byte. */
  private blockType(i: number): void {
    const type = this.body.arg[i];
    if (type >= 0) this.out.s32(type);
    else this.out.byte(number(type + 0x80));
  }

  private local(type: ValueType): number {
    let local = this.passing.get(type);
    if (local === undefined) {
      local = this.body.locals.length + this.added.length;
      this.added.push(type);
      this.passing.set(type, local);
    }
    return local;
  }

  private handlers(i: number): void {
    const { out } = this;
    const left = new Set(this.module.tags.keys());
    for (const { kind, tag, label } of catchClauses(this.body, i)) {
      if (kind === CATCH.all) {
        out
          .byte(Op.catchAll)
          .byte(Op.br)
          .u32(label + 1);
        return; // no later clause can catch anything
      }
      for (const caught of kind === CATCH.allRef ? left : [tag]) {
        if (!left.delete(caught)) continue;
        out.byte(Op.catch).u32(caught);
        if (kind !== CATCH.plain) this.asNumber(caught, kind === CATCH.ref);
        out.byte(Op.br).u32(label + 1);
      }
    }
  }

  private paramsOf(tag: number): ValueType[] {
    return this.module.types[this.module.tags[tag]].params;
  }

  /** What an exception of the tag carries fits the number. */
  private fits(tag: number): boolean {
    const [first, ...others] = this.paramsOf(tag);
    return others.length === 0 && (first === undefined || first === I32 || first === F32);
  }

  /** The one value that an exception of the tag carries, if it carries any. */
  private carried(tag: number): ValueType | undefined {
    const params = this.paramsOf(tag);
    if (this.fits(tag)) return params[0];
    throw new NightshiftError(
      "NS_NOT_MIGRATABLE",
      `${functionName(this.module, this.func)} holds on to an exception that carries ${params.map(typeName).join(", ")}; only one i32 or f32 can be kept`,
    );
  }

  /** The values of a caught exception are on the stack: leaves its number there, on top of them if `also`. */
  private asNumber(tag: number, also: boolean): void {
    const { out } = this;
    const type = this.carried(tag);
    if (type === undefined) out.byte(Op.i64Const).s32(0);
    else {
      if (also) out.byte(Op.localTee).u32(this.local(type)).byte(Op.localGet).u32(this.local(type));
      if (type === F32) out.byte(Op.i32ReinterpretF32);
      out.byte(Op.i64ExtendI32U);
    }
    out
      .byte(Op.i64Const)
      .s32(tag + 1)
      .byte(Op.i64Const)
      .s32(32)
      .byte(Op.i64Shl)
      .byte(Op.i64Or);
  }

  private throwRef(): void {
    const { out } = this;
    const held = this.local(I64);
    out.byte(Op.localSet).u32(held);
    for (const tag of this.module.tags.keys()) {
      if (!this.fits(tag)) continue;
      out.byte(Op.localGet).u32(held).byte(Op.i64Const).s32(32).byte(Op.i64ShrU).byte(Op.i32WrapI64);
      out
        .byte(Op.i32Const)
        .s32(tag + 1)
        .byte(Op.i32Eq)
        .byte(Op.if)
        .byte(VOID);
      const type = this.carried(tag);
      if (type !== undefined) out.byte(Op.localGet).u32(held).byte(Op.i32WrapI64);
      if (type === F32) out.byte(Op.f32ReinterpretI32);
      out.byte(Op.throw).u32(tag).byte(Op.end);
    }
    out.byte(Op.unreachable); // null
  }
}
