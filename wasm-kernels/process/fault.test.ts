import { expect, test } from "vitest";
import { faultOf, signalOfFault } from "./fault.ts";

/** As V8, SpiderMonkey and JavaScriptCore say it, and what it means to a shell. */
const TRAPS: [v8: string, spiderMonkey: string, javaScriptCore: string, signal: number][] = [
  ["unreachable", "unreachable executed", "Unreachable code should not be executed", 6],
  ["memory access out of bounds", "index out of bounds", "Out of bounds memory access", 11],
  ["divide by zero", "integer divide by zero", "Division by zero", 8],
  ["divide by zero", "remainder by zero", "Division by zero", 8], // a remainder's, which only V8 calls so
  ["float unrepresentable in integer range", "invalid conversion to integer", "Out of bounds Trunc operation", 8],
  ["null function", "indirect call to null", "call_indirect to a null table entry", 4],
  ["function signature mismatch", "indirect call signature mismatch", "call_indirect to a signature that does not match", 4],
  ["table index is out of bounds", "table index out of bounds", "Out of bounds call_indirect", 4],
  ["integer overflow", "integer overflow", "Integer overflow", 8],
];

const faultBy = (error: Error, stack = "", stackUsedUp = false) =>
  faultOf(Object.assign(error, { stack }), undefined, stackUsedUp);

test.each(TRAPS)("the trap %s has one name and one signal in every engine", (v8, spiderMonkey, javaScriptCore, signal) => {
  for (const message of [v8, spiderMonkey, `${javaScriptCore} (evaluating 'this.instance.exports._start()')`]) {
    const fault = faultBy(new WebAssembly.RuntimeError(message));
    expect(fault).toMatchObject({ code: "NS_TRAP", message: `trap: ${v8}` });
    expect(signalOfFault(fault.code, fault.message)).toBe(signal);
  }
});

test("a program that recurses too deeply is told as such in every engine", () => {
  const overflows = [
    new RangeError("Maximum call stack size exceeded"),
    Object.assign(new Error("too much recursion"), { name: "InternalError" }), // SpiderMonkey
    new RangeError("Maximum call stack size exceeded."), // JavaScriptCore
  ];
  for (const overflow of overflows) expect(faultBy(overflow).code).toBe("NS_STACK_OVERFLOW");
  for (const [message] of [
    ["memory access out of bounds"],
    ["index out of bounds"],
    ["Out of bounds memory access (evaluating 'f()')"],
  ])
    expect(faultBy(new WebAssembly.RuntimeError(message), "", true).code).toBe("NS_STACK_OVERFLOW");
  expect(faultBy(new RangeError("Invalid array length")).code).toBe("NS_INTERNAL");
});

test("the program's own stack is read in every engine's way to write it", () => {
  const stacks: [string, string[]][] = [
    [
      "RuntimeError: unreachable\n    at abort (wasm://wasm/4fff96e2:wasm-function[0]:0xad)\n    at wasm://wasm/4fff96e2:wasm-function[11]:0x11c\n    at file:///x.js:1:1",
      ["abort @ 0xad", "function 11 @ 0x11c"],
    ],
    [
      "abort@http://127.0.0.1:39435/ line 4 > WebAssembly.Module:wasm-function[0]:0xad\n@http://127.0.0.1:1/ line 4 > WebAssembly.Module:wasm-function[11]:0x11c\nrun@http://127.0.0.1:39435/:5:31",
      ["abort @ 0xad", "function 11 @ 0x11c"],
    ],
    ["abort@<?>:wasm-function[0]\n(null)@<?>:wasm-function[11]\nrun@http://127.0.0.1/:5:31", ["abort", "function 11"]],
  ];
  for (const [stack, expected] of stacks)
    expect(faultBy(new WebAssembly.RuntimeError("unreachable"), stack).wasmStack).toEqual(expected);
});
