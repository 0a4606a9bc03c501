// How a process can fail by its own doing, told from what the engine throws: which trap, and the program's own stack.
import { asNightshiftError } from "../errors.ts";

export interface Fault {
  kind: "fault";
  code: "NS_TRAP" | "NS_STACK_OVERFLOW" | "NS_MEMORY_LIMIT" | "NS_INTERNAL";
  message: string;
  /** Innermost first: function name and byte offset in the module. */
  wasmStack: string[];
}

const STACK_LINES = 32;

/**
 * How a trap is called on every host: as V8 does, which names what SpiderMonkey's and JavaScriptCore's words stand for. Theirs tell less apart:
 * "integer overflow" may be of a division or a conversion, "index out of bounds" of a memory or a table.
 */
const TRAPS: readonly [RegExp, string][] = [
  [/^unreachable/i, "unreachable"],
  [/^(index out of bounds|out of bounds memory access)/i, "memory access out of bounds"],
  [/^(table index out of bounds|out of bounds (table access|call_indirect))/i, "table index is out of bounds"],
  [/^(indirect call to null|call_indirect to a null)/i, "null function"],
  [/^(indirect call signature|call_indirect to a signature)/i, "function signature mismatch"],
  [/^(integer divide|division|remainder) by zero/i, "divide by zero"],
  [/^(invalid conversion|out of bounds trunc)/i, "float unrepresentable in integer range"],
  [/^integer overflow/i, "integer overflow"],
];

const trapWords = (message: string): string => TRAPS.find(([words]) => words.test(message))?.[1] ?? message;

/** A RangeError; SpiderMonkey's is an InternalError. */
const OVERFLOW = /^(maximum call stack|too much recursion)/i;

/**
 * @param deniedLimit the memory limit in bytes, when the program has just been refused memory
 * @param stackUsedUp whether the program's stack pointer stands below its stack
 */
export function faultOf(thrown: unknown, deniedLimit: number | undefined, stackUsedUp: boolean): Fault {
  const wasmStack = thrown instanceof Error ? wasmFrames(thrown.stack ?? "") : [];
  if (deniedLimit !== undefined) {
    return {
      kind: "fault",
      code: "NS_MEMORY_LIMIT",
      message: `the program asked for more than its ${Math.round(deniedLimit / 2 ** 20)} MiB of memory`,
      wasmStack,
    };
  }
  // Which of the two stacks ends first, the engine's or the program's own in its memory, is different from engine to engine.
  if (thrown instanceof Error && (OVERFLOW.test(thrown.message) || (stackUsedUp && /out of bounds/i.test(thrown.message))))
    return { kind: "fault", code: "NS_STACK_OVERFLOW", message: "stack overflow: the program recurses too deeply", wasmStack };
  if (thrown instanceof WebAssembly.RuntimeError)
    return { kind: "fault", code: "NS_TRAP", message: `trap: ${trapWords(thrown.message)}`, wasmStack };
  return { kind: "fault", code: "NS_INTERNAL", message: asNightshiftError(thrown).message, wasmStack };
}

/** The program threw an exception that nothing in it catches. Where it came from is not known any more. */
export const uncaught = (): Fault => ({ kind: "fault", code: "NS_TRAP", message: "trap: uncaught exception", wasmStack: [] });

function wasmFrames(stack: string): string[] {
  const frames: string[] = [];
  for (const line of stack.split("\n")) {
    // V8: "at NAME (wasm://...:wasm-function[1]:0x2)"; SpiderMonkey: "NAME@http://...:wasm-function[1]:0x2"; JavaScriptCore: "NAME@<?>:wasm-function[1]".
    const found = /^(?:\s*at (?:(.*?) \()?wasm:\/\/.*?|(.*?)@.*?:)wasm-function\[(\d+)\](?::(0x[0-9a-f]+))?/.exec(line);
    if (!found || frames.length >= STACK_LINES) continue;
    const [, ofV8, ofOthers, index, place] = found;
    // V8 puts the module's own name before the function's; it is the same in every line and says nothing.
    const name = ofV8?.replace(/^[^\s.]*\.wasm\./, "") || ofOthers?.replace(/^\(null\)$/, "") || `function ${index}`;
    frames.push(place === undefined ? name : `${name} @ ${place}`);
  }
  return frames;
}

/**
 * The signal a fault looks like to waitpid() and to a shell (exit status 128 + signal): SIGABRT for unreachable, SIGFPE for
 * arithmetic, SIGSEGV for memory and stack, SIGILL for a wrong indirect call, SIGKILL for the memory limit, SIGXCPU for the time limit.
 */
export function signalOfFault(code: string, message: string): number {
  if (code === "NS_TIMEOUT") return 24;
  if (code === "NS_MEMORY_LIMIT" || code === "NS_OUTPUT_LIMIT") return 9;
  if (code === "NS_STACK_OVERFLOW" || /out of bounds/.test(message)) return /table/.test(message) ? 4 : 11;
  if (/divide|remainder|overflow|unrepresentable|too large/.test(message)) return 8;
  if (/signature|null function|indirect/.test(message)) return 4;
  return 6;
}
