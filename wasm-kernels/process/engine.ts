// What the JavaScript engine at hand can do, found by trying: browsers differ, and what one lacks must be said at once and in words, not found out
// by a process in the middle of its work.
import { Writer } from "../instrument/binary.ts";
import { Op, SIMD } from "../instrument/opcodes.ts";

/** A module of these sections. */
function validates(...sections: readonly (readonly number[])[]): boolean {
  const out = new Writer().bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const [id = 0, ...content] of sections) out.byte(id).sized(new Writer().bytes(content));
  return WebAssembly.validate(out.finish());
}

/** Code of a function () -> (). */
const accepts = (code: readonly number[]): boolean =>
  validates([1, 1, 0x60, 0, 0], [3, 1, 0], [10, 1, code.length + 2, 0, ...code, Op.end]);

/** May a module have several memories? Where it may not, programs run all the same (instrument/one-memory.ts). */
export const severalMemories: boolean = validates([5, 2, 0, 0, 0, 0]);

const V128_ZERO = [0xfd, Op.v128Const - SIMD, ...new Array<number>(16).fill(0)];

/** What programs need, by the name it has in tables of browsers' features. */
const NEEDED: Readonly<Record<string, () => boolean>> = {
  "WebAssembly exceptions": () =>
    typeof WebAssembly.Exception === "function" &&
    typeof (WebAssembly as { Tag?: unknown }).Tag === "function" &&
    accepts([Op.try, 0x40, Op.catchAll, Op.rethrow, 0, Op.end]),
  "WebAssembly SIMD": () => accepts([...V128_ZERO, Op.drop]),
  "WebAssembly tail calls": () => accepts([Op.returnCall, 0]),
  "Promise.withResolvers": () => "withResolvers" in Promise,
  "Map.groupBy": () => "groupBy" in Map,
};

/** The needed features that this engine has not. */
export function lacking(needed = NEEDED): string[] {
  return Object.keys(needed).filter((name) => !needed[name]?.());
}
