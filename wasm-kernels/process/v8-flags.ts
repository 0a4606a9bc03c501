// The engine's flags under which programs run fastest, for whoever may set them (Node, Electron; a browser's tab may not).

/**
 * - V8 cannot replace a running wasm function by a faster version, so everything is compiled by the optimising compiler at once.
 * - It inlines less by default than recursion and small functions want: with these bounds recursive Fibonacci numbers take 12 % less
 *   time and the other kernels the same, migratable and plain.
 */
export const V8_FLAGS = [
  "--no-liftoff",
  "--no-wasm-lazy-compilation",
  "--wasm-inlining-budget=20000",
  "--wasm-inlining-factor=20",
  "--wasm-inlining-max-size=3000",
] as const;
