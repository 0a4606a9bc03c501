// The engine's settings under which programs run fastest, for whoever may set them (Node, Electron; a browser's tab may not).
import { setFlagsFromString } from "node:v8";

/**
 * - V8 cannot replace a running wasm function by a faster version, so everything is compiled by the optimising compiler at once.
 * - It inlines less by default than recursion and small functions want: with these bounds recursive programs take less time, plain
 *   ones more so than migratable ones, and the other kernels the same.
 * - A thread's heap is small, and V8 would collect all of it every few processes. It may first grow to this, and no more: the memory is the
 *   machine's owner's.
 */
const FLAGS = [
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--wasm-inlining-budget=20000",
  "--wasm-inlining-factor=20",
  "--wasm-inlining-max-size=3000",
  "--initial-old-space-size=32",
  "--min-semi-space-size=4",
];

/**
 * For modules compiled and threads started from now on. To be called when a program has loaded, not given on the command line: Node has WebAssembly
 * of its own (among it what reads TypeScript), which it would compile that way at every start.
 */
export function optimiseWasm(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
  acceptNewerExceptions();
}

/** Modules with the newer form of exceptions (exnref) are valid from now on, as they are in current browsers. */
export function acceptNewerExceptions(): void {
  setFlagsFromString("--experimental-wasm-exnref");
}
