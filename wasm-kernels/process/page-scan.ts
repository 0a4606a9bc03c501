// Looks through the pages of a memory: for those that are not all zeros, and for those in which two memories differ. Small WebAssembly
// functions beside the program, as most of a process's memory is as it was, and JavaScript looks through it at a fifth of the speed.
import { Writer } from "../instrument/binary.ts";
import { I32, Op, SIMD } from "../instrument/opcodes.ts";

/** The first page from `page` on that is not all zeros (or differs), or `end`. Pages are 4 KiB. */
export type PageScan = (page: number, end: number) => number;

const PAGE_SHIFT = 12;
/** 16-byte words that are looked at before the next decision. */
const UNROLL = 16;
const V128_OR = SIMD + 80;
const V128_ANY_TRUE = SIMD + 83;

const V128_XOR = SIMD + 81;

const compiled: (WebAssembly.Module | undefined)[] = [];

/** Pages of the memory that are not all zeros. */
export const pageScan = (memory: WebAssembly.Memory): PageScan => scanOf([memory]);
/** Pages in which the memories differ; the second must be as large as is looked at. */
export const pageDifference = (memory: WebAssembly.Memory, other: WebAssembly.Memory): PageScan => scanOf([memory, other]);

function scanOf(memories: readonly WebAssembly.Memory[]): PageScan {
  compiled[memories.length] ??= new WebAssembly.Module(scanModule(memories.length));
  const module = compiled[memories.length] as WebAssembly.Module;
  const imports = Object.fromEntries(memories.map((memory, index) => [`memory${index}`, memory]));
  return new WebAssembly.Instance(module, { program: imports }).exports.scan as PageScan;
}

function scanModule(memories: number): Uint8Array<ArrayBuffer> {
  const section = (out: Writer, id: number, content: Writer): Writer => out.byte(id).sized(content);
  const out = new Writer().bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  section(out, 1, new Writer().u32(1).byte(0x60).u32(2).bytes([I32, I32]).u32(1).byte(I32));
  const imports = new Writer().u32(memories);
  for (let index = 0; index < memories; index++) imports.name("program").name(`memory${index}`).byte(2).byte(0).u32(0);
  section(out, 2, imports);
  section(out, 3, new Writer().u32(1).u32(0));
  section(out, 7, new Writer().u32(1).name("scan").byte(0).u32(0));
  const [page, end, at] = [0, 1, 2];
  const body = new Writer().u32(1).u32(1).byte(I32);
  const simd = (op: number): Writer => body.byte(0xfd).u32(op - SIMD);
  body.byte(Op.localGet).u32(page).byte(Op.i32Const).s32(PAGE_SHIFT).byte(Op.i32Shl).byte(Op.localSet).u32(at);
  body.byte(Op.block).byte(0x40).byte(Op.loop).byte(0x40);
  // while (at >> 12 != end)
  body.byte(Op.localGet).u32(at).byte(Op.i32Const).s32(PAGE_SHIFT).byte(Op.i32ShrU).byte(Op.localTee).u32(page);
  body.byte(Op.localGet).u32(end).byte(Op.i32GeU).byte(Op.brIf).u32(1);
  for (let word = 0; word < UNROLL; word++) {
    for (let index = 0; index < memories; index++) {
      body.byte(Op.localGet).u32(at);
      simd(Op.v128Load);
      // Named only where there are several: some engines know no other form for a single one.
      if (memories > 1) body.u32(0x44).u32(index);
      else body.u32(4);
      body.u32(word * 16);
    }
    if (memories > 1) simd(V128_XOR);
    if (word > 0) simd(V128_OR);
  }
  simd(V128_ANY_TRUE).byte(Op.brIf).u32(1);
  body
    .byte(Op.localGet)
    .u32(at)
    .byte(Op.i32Const)
    .s32(UNROLL * 16)
    .byte(Op.i32Add)
    .byte(Op.localSet)
    .u32(at)
    .byte(Op.br)
    .u32(0);
  body.byte(Op.end).byte(Op.end).byte(Op.localGet).u32(page).byte(Op.end);
  section(out, 10, new Writer().u32(1).sized(body));
  return out.finish();
}
