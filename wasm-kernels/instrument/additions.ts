// What a migratable module has that the plain one had not: types, the control memory, the unwind tag, and functions that save
// values of frames. Collected while functions are rewritten.
import { must } from "../errors.ts";
import { Writer } from "./binary.ts";
import { CONTROL, CONTROL_MAX_PAGES } from "./layout.ts";
import type { FuncType, WasmModule } from "./module.ts";
import { BULK, I32, LOAD, Op, STORE, sizeOf, type ValueType } from "./opcodes.ts";
import type { Surroundings } from "./rewrite.ts";

export class Additions implements Surroundings {
  readonly types: Uint8Array[] = [];
  readonly functions: Uint8Array[] = [];
  readonly bodies: Uint8Array[] = [];
  readonly memories: Uint8Array[];
  readonly tags: Uint8Array[];
  /** Mutable i32 globals, zero at first. */
  readonly globals: Uint8Array[] = [];
  readonly control: number;
  readonly unwindTag: number;
  /** The module's, which added ones join. */
  private readonly moduleTypes: FuncType[];
  private readonly functionCount: number;
  private readonly knownTypes = new Map<string, number>();
  private readonly moduleGlobals: WasmModule["globals"];
  private growerIndex: number | undefined;
  private readonly savers = new Map<string, number>();

  constructor(module: WasmModule) {
    this.moduleTypes = module.types;
    this.moduleGlobals = module.globals;
    this.functionCount = module.functionTypes.length;
    module.types.forEach((type, index) => {
      const key = keyOf(type);
      if (!this.knownTypes.has(key)) this.knownTypes.set(key, index);
    });
    this.control = module.memories.length;
    this.unwindTag = module.tags.length;
    this.memories = [new Writer().byte(3).u32(1).u32(CONTROL_MAX_PAGES).finish()]; // shared, with a maximum
    this.tags = [
      new Writer()
        .byte(0)
        .u32(this.typeIndex({ params: [], results: [] }))
        .finish(),
    ];
  }

  readonly typeIndex = (type: FuncType): number => {
    const key = keyOf(type);
    let index = this.knownTypes.get(key);
    if (index === undefined) {
      index = this.moduleTypes.length;
      this.types.push(encodeType(type));
      this.moduleTypes.push(type);
      this.knownTypes.set(key, index);
    }
    return index;
  };

  saver(type: ValueType, count: number): number {
    const key = `${type} ${count}`;
    let index = this.savers.get(key);
    if (index === undefined) {
      const types = new Array<ValueType>(count).fill(type);
      index = this.addFunction({ params: types, results: [] }, saverBody(type, count, this.control));
      this.savers.set(key, index);
    }
    return index;
  }

  grower(memory: number): number {
    this.growerIndex ??= this.addFunction({ params: [I32], results: [I32] }, growerBody(memory, this.control));
    return this.growerIndex;
  }

  private doorIndex: number | undefined;
  /** () -> i32: the number of the door by which the function is entered, which it then is no more (doors.ts). */
  door(): number {
    this.doorIndex ??= this.addFunction({ params: [], results: [I32] }, doorBody(this.control));
    return this.doorIndex;
  }

  private readonly handers = new Map<ValueType, number>();
  /** (address) -> the value there, that was handed over. */
  handed(type: ValueType): number {
    let index = this.handers.get(type);
    if (index === undefined) {
      const load = must(LOAD.get(type), "the type's load");
      const w = new Writer().u32(0).byte(Op.localGet).u32(0).bytes(load).u32(0x40).u32(this.control).u32(0);
      index = this.addFunction({ params: [I32], results: [type] }, w.byte(Op.end).finish());
      this.handers.set(type, index);
    }
    return index;
  }

  private readonly segmentFunctions = new Map<string, number>();
  /** Which segments the program may drop, and the global that says that it has. */
  private readonly drops: { op: number; segment: number; global: number }[] = [];

  onSegment(op: number, segment: number, target: number): number {
    const key = `${op} ${segment} ${target}`;
    let index = this.segmentFunctions.get(key);
    if (index === undefined) {
      index =
        op === Op.memoryInit || op === Op.tableInit ? this.initFunction(op, segment, target) : this.dropFunction(op, segment);
      this.segmentFunctions.set(key, index);
    }
    return index;
  }

  private initFunction(op: number, segment: number, target: number): number {
    const w = new Writer().u32(0);
    for (let k = 0; k < 3; k++) w.byte(Op.localGet).u32(k);
    w.byte(0xfc)
      .u32(op - BULK)
      .u32(segment)
      .u32(target);
    return this.addFunction({ params: [I32, I32, I32], results: [] }, w.byte(Op.end).finish());
  }

  private dropFunction(op: number, segment: number): number {
    const global = this.moduleGlobals.length + this.globals.length;
    this.globals.push(new Writer().byte(I32).byte(1).byte(Op.i32Const).s32(0).byte(Op.end).finish());
    this.drops.push({ op, segment, global });
    const w = new Writer().u32(0).byte(0xfc);
    w.u32(op - BULK).u32(segment);
    w.byte(Op.i32Const).s32(1).byte(Op.globalSet).u32(global);
    return this.addFunction({ params: [], results: [] }, w.byte(Op.end).finish());
  }

  /** The functions that exportName.saveGlobals and loadGlobals name; to be made when all else has been added. */
  globalFunctions(): { save: number; load: number } {
    const save = new Writer().u32(0);
    const load = new Writer().u32(0);
    const access = (w: Writer, opcode: readonly number[] | undefined, offset: number): Writer =>
      w.bytes(must(opcode, "the type's access")).u32(0x40).u32(this.control).u32(offset);
    const all = [...this.moduleGlobals, ...this.globals.map(() => ({ type: I32, mutable: true }))];
    for (const { index, type, offset } of savedGlobals(all)) {
      access(save.byte(Op.i32Const).s32(0).byte(Op.globalGet).u32(index), STORE.get(type), CONTROL.frames + offset);
      access(load.byte(Op.i32Const).s32(0), LOAD.get(type), CONTROL.frames + offset)
        .byte(Op.globalSet)
        .u32(index);
    }
    for (const { op, segment, global } of this.drops)
      load
        .byte(Op.globalGet)
        .u32(global)
        .byte(Op.if)
        .byte(0x40)
        .byte(0xfc)
        .u32(op - BULK)
        .u32(segment)
        .byte(Op.end);
    const type = { params: [], results: [] };
    return {
      save: this.addFunction(type, save.byte(Op.end).finish()),
      load: this.addFunction(type, load.byte(Op.end).finish()),
    };
  }

  /** Type index of a function that was added. */
  typeOfAdded(func: number): number {
    return must(this.functionTypes[func - this.functionCount], "an added function");
  }

  private readonly functionTypes: number[] = [];
  private addFunction(type: FuncType, body: Uint8Array): number {
    const index = this.typeIndex(type);
    this.functionTypes.push(index);
    this.functions.push(new Writer().u32(index).finish());
    this.bodies.push(body);
    return this.functionCount + this.functions.length - 1;
  }
}

/** Mutable globals but references, and where each is saved, in bytes; the last entry's end is the size of all. */
export function savedGlobals(
  globals: readonly { type: ValueType; mutable: boolean }[],
): { index: number; type: ValueType; offset: number }[] {
  let offset = 0;
  return globals.flatMap(({ type, mutable }, index) => {
    if (!mutable || sizeOf(type) === 0) return [];
    const at = offset;
    offset += sizeOf(type);
    return [{ index, type, offset: at }];
  });
}

const keyOf = (type: FuncType): string => `${type.params.join()}:${type.results.join()}`;

export function encodeType(type: FuncType): Uint8Array {
  return new Writer().byte(0x60).u32(type.params.length).bytes(type.params).u32(type.results.length).bytes(type.results).finish();
}

/** Bytes of a saved frame with values of these types: the values, then the site's number. */
export const frameBytes = (types: readonly ValueType[]): number => types.reduce((sum, type) => sum + sizeOf(type), 4);

/**
 * (values...) -> (): writes them at the frame pointer and moves it up. Grows the control memory when they do not fit; traps (unreachable)
 * when it cannot grow, which is the limit on the depth of a stack that can be moved.
 */
function saverBody(type: ValueType, count: number, control: number): Uint8Array {
  const pointer = count;
  const size = count * sizeOf(type);
  const w = new Writer();
  const memory = (alignment: number): Writer => w.u32(0x40 | alignment).u32(control);
  w.u32(1).u32(1).byte(I32); // one local: the frame pointer
  w.byte(Op.i32Const).s32(CONTROL.framePointer).byte(Op.i32Load);
  memory(2).u32(0);
  w.byte(Op.localTee).u32(pointer);
  w.byte(Op.i32Const)
    .s32(size)
    .byte(Op.i32Add)
    .byte(Op.memorySize)
    .u32(control)
    .byte(Op.i32Const)
    .s32(16)
    .byte(Op.i32Shl)
    .byte(Op.i32GtU);
  w.byte(Op.if).byte(0x40);
  w.byte(Op.i32Const).s32(1).byte(Op.memoryGrow).u32(control).byte(Op.i32Const).s32(-1).byte(Op.i32Eq);
  w.byte(Op.if).byte(0x40).byte(Op.unreachable).byte(Op.end).byte(Op.end);
  for (let index = 0; index < count; index++) {
    w.byte(Op.localGet)
      .u32(pointer)
      .byte(Op.localGet)
      .u32(index)
      .bytes(STORE.get(type) ?? []);
    memory(0).u32(index * sizeOf(type));
  }
  w.byte(Op.i32Const)
    .s32(CONTROL.framePointer)
    .byte(Op.localGet)
    .u32(pointer)
    .byte(Op.i32Const)
    .s32(size)
    .byte(Op.i32Add)
    .byte(Op.i32Store);
  memory(2).u32(0);
  w.byte(Op.end);
  return w.finish();
}

function doorBody(control: number): Uint8Array {
  const w = new Writer().u32(1).u32(1).byte(I32);
  const access = (op: number): Writer => w.byte(op).u32(0x42).u32(control).u32(CONTROL.door);
  w.byte(Op.i32Const).s32(0);
  access(Op.i32Load).byte(Op.localTee).u32(0).byte(Op.if).byte(0x40).byte(Op.i32Const).s32(0).byte(Op.i32Const).s32(0);
  access(Op.i32Store).byte(Op.end).byte(Op.localGet).u32(0);
  return w.byte(Op.end).finish();
}

/**
 * (pages) -> old size or -1: memory.grow within the process's limit. Beyond the limit it notes the pages asked for and traps, so
 * that the process fails with a clear reason instead of a null pointer somewhere later.
 */
function growerBody(memory: number, control: number): Uint8Array {
  const w = new Writer();
  w.u32(0);
  w.byte(Op.localGet).u32(0).byte(Op.i32Const).s32(CONTROL.memoryLimit).byte(Op.i32Load).u32(0x42).u32(control).u32(0);
  w.byte(Op.memorySize).u32(memory).byte(Op.i32Sub).byte(Op.i32GtU); // pages > limit - size
  w.byte(Op.if).byte(0x40);
  w.byte(Op.i32Const).s32(CONTROL.deniedPages).byte(Op.localGet).u32(0).byte(Op.i32Store).u32(0x42).u32(control).u32(0);
  w.byte(Op.unreachable).byte(Op.end);
  w.byte(Op.localGet).u32(0).byte(Op.memoryGrow).u32(memory).byte(Op.end);
  return w.finish();
}
