// The engine's settings under which programs run fastest, for whoever may set them (Node, Electron; a browser's tab may not).
import { setFlagsFromString } from "node:v8";

/**
 * - V8 cannot replace a running wasm function by a faster version, so everything is compiled by the optimising compiler.
 * - It inlines less by default than recursion and small functions want: a small function may grow to the minimum here whatever its size
 *   was. Large ones stay within V8's factor of three: with twenty, SQLite takes about three times as long to compile, and
 *   bzip2, Lua and zlib are no faster.
 * - A thread's heap is small, and V8 would collect all of it every few processes. It may first grow to this, and no more: the memory is the
 *   machine's owner's.
 */
const FLAGS = [
  "--no-liftoff",
  "--wasm-inlining-budget=20000",
  "--wasm-inlining-min-budget=5000",
  "--wasm-inlining-max-size=3000",
  "--initial-old-space-size=32",
  "--min-semi-space-size=4",
];

/**
 * For modules compiled and threads started from now on. To be called when a program has loaded, not given on the command line: Node has WebAssembly
 * of its own (among it what reads TypeScript), which it would compile that way at every start.
 * @param each "at-once": when its module is compiled, so that a process, once it runs, hears within milliseconds that it is to stop. "when-called": in the thread that calls
 * it, where most functions of a large program are never called and nobody has to be heard.
 */
export function optimiseWasm(each: "at-once" | "when-called" = "at-once"): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
  setFlagsFromString(each === "at-once" ? "--no-wasm-lazy-compilation" : "--wasm-lazy-compilation");
  acceptNewerExceptions();
}

/**
 * For whoever starts threads with WebAssembly in them, and Node's own reader of TypeScript is such. From now on machine code is kept as long as its
 * module. V8 13.6 (Node 24) frees a shared wrapper of an imported function twice when one thread has it compiled better while another
 * collects, and then the whole process aborts in UnregisterWasmAllocation (nodejs/node issue 66366; the V8 of Node 26 does not). What is optimised at
 * once leaves nothing to collect anyway.
 */
export function keepWasmCode(): void {
  setFlagsFromString("--no-wasm-code-gc");
}

/** Modules with the newer form of exceptions (exnref) are valid from now on, as they are in current browsers. */
export function acceptNewerExceptions(): void {
  setFlagsFromString("--experimental-wasm-exnref");
}
