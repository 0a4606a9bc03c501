// What a migratable module has that the plain one had not: types, the control memory, the unwind tag, and one saver function for
// each combination of value types that some site saves. Collected while functions are rewritten.
import { Writer } from "./binary.ts";
import { CONTROL, CONTROL_MAX_PAGES } from "./layout.ts";
import type { FuncType, WasmModule } from "./module.ts";
import { I32, Op, STORE, sizeOf, type ValueType } from "./opcodes.ts";
import type { Surroundings } from "./rewrite.ts";

export class Additions implements Surroundings {
  readonly types: Uint8Array[] = [];
  readonly functions: Uint8Array[] = [];
  readonly bodies: Uint8Array[] = [];
  readonly memories: Uint8Array[];
  readonly tags: Uint8Array[];
  readonly control: number;
  readonly unwindTag: number;
  /** The module's, which added ones join. */
  private readonly moduleTypes: FuncType[];
  private readonly functionCount: number;
  private readonly knownTypes = new Map<string, number>();
  private growerIndex: number | undefined;
  private readonly savers = new Map<string, number>();

  constructor(module: WasmModule) {
    this.moduleTypes = module.types;
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

  saver(types: readonly ValueType[]): number {
    const key = types.join();
    let index = this.savers.get(key);
    if (index === undefined) {
      index = this.addFunction({ params: [...types, I32], results: [] }, saverBody(types, this.control));
      this.savers.set(key, index);
    }
    return index;
  }

  grower(memory: number): number {
    this.growerIndex ??= this.addFunction({ params: [I32], results: [I32] }, growerBody(memory, this.control));
    return this.growerIndex;
  }

  private addFunction(type: FuncType, body: Uint8Array): number {
    this.functions.push(new Writer().u32(this.typeIndex(type)).finish());
    this.bodies.push(body);
    return this.functionCount + this.functions.length - 1;
  }
}

const keyOf = (type: FuncType): string => `${type.params.join()}:${type.results.join()}`;

export function encodeType(type: FuncType): Uint8Array {
  return new Writer().byte(0x60).u32(type.params.length).bytes(type.params).u32(type.results.length).bytes(type.results).finish();
}

/** Bytes of a saved frame with values of these types: the values, then the site's number. */
export const frameBytes = (types: readonly ValueType[]): number => types.reduce((sum, type) => sum + sizeOf(type), 4);

/**
 * (values..., site) -> (): writes a frame at the frame pointer and moves it up. Grows the control memory when the frame does not
 * fit; traps (unreachable) when it cannot grow, which is the limit on the depth of a stack that can be moved.
 */
function saverBody(types: readonly ValueType[], control: number): Uint8Array {
  const site = types.length;
  const pointer = site + 1;
  const size = frameBytes(types);
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
  w.byte(Op.i32Const)
    .s32(1 + (size >> 16))
    .byte(Op.memoryGrow)
    .u32(control)
    .byte(Op.i32Const)
    .s32(-1)
    .byte(Op.i32Eq);
  w.byte(Op.if).byte(0x40).byte(Op.unreachable).byte(Op.end).byte(Op.end);
  let offset = 0;
  types.forEach((type, index) => {
    w.byte(Op.localGet)
      .u32(pointer)
      .byte(Op.localGet)
      .u32(index)
      .bytes(STORE.get(type) ?? []);
    memory(0).u32(offset);
    offset += sizeOf(type);
  });
  w.byte(Op.localGet).u32(pointer).byte(Op.localGet).u32(site).byte(Op.i32Store);
  memory(0).u32(offset);
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
