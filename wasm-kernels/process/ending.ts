// How a plain module ends. What a host function throws must not be caught by the program, whose handlers for everything (catch_all) would catch a
// JavaScript exception: it leaves by a trap, and what was thrown is kept meanwhile.
import { faultOf, uncaught } from "./fault.ts";
import { Exited } from "./hostcalls.ts";
import type { Stop } from "./process.ts";

/** `(module (func (export "trap") unreachable))` */
const TRAP = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 116, 114, 97, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11,
]);

export class Ending {
  private left: unknown;
  private readonly trap: () => never;

  constructor() {
    this.trap = new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports.trap as () => never;
  }

  /** Leaves the program for this reason. To be called in a host function. */
  leave(why: unknown): never {
    this.left = why;
    this.trap();
  }

  /**
   * What that was which the program was left with.
   * @throws what a host function threw, if that was no end of the program
   */
  of(thrown: unknown): Extract<Stop, { kind: "exit" | "fault" }> {
    if (this.left instanceof Exited) return { kind: "exit", code: this.left.code };
    if (this.left !== undefined) throw this.left;
    return thrown instanceof WebAssembly.Exception ? uncaught() : faultOf(thrown, undefined, false);
  }
}
