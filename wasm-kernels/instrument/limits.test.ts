import { expect, test } from "vitest";
import { pin } from "../process/pinned-module.ts";
import { MAX_TABLE_ENTRIES, withMemoryLimit } from "./limits.ts";
import { assemble, command, outputs } from "./testing.ts";

const grown = (tables: string, code: string): string =>
  command(`(func (export "_start") ${code}) (elem declare func $say)`, tables);
/** Says A and its like for what worked, P for -1. */
const grow = (table: number, by: number): string =>
  `(call $say (i32.shr_s (table.grow ${table} (ref.func $say) (i32.const ${by})) (i32.const 31)))`;

test("tables grow to their limit together, and no further, moved or not", () => {
  const most = MAX_TABLE_ENTRIES / 2;
  const said = outputs(
    grown("(table 1 funcref) (table 1 50000000 funcref)", [grow(0, most - 10), grow(1, most - 10), grow(0, 100)].join("")),
  );
  expect(said.moved).toBe("AAAAAAAA\nAAAAAAAA\nPPPPPPPP\n");
  expect(said.undisturbed).toBe(said.moved);
});

test("a table that cannot grow too much stays as it is", () => {
  const said = outputs(grown("(table 1 3 funcref)", grow(0, 2) + grow(0, 1)));
  expect([said.plain, said.moved]).toEqual(["AAAAAAAA\nPPPPPPPP\n", "AAAAAAAA\nPPPPPPPP\n"]);
});

test("tables that begin with too many entries are refused, whether the program can be moved or not", () => {
  const wat = command('(func (export "_start"))', `(table ${MAX_TABLE_ENTRIES} funcref) (table 1 funcref)`);
  const error = expect.objectContaining({ code: "NS_BAD_MODULE", message: expect.stringMatching(/1048577 entries.*1048576/) });
  expect(() => outputs(wat)).toThrow(error);
  expect(() => pin(assemble(wat), "of no reason")).toThrow(error);
});

test("several memories share what the limit leaves them; a smaller maximum of their own stays", () => {
  const wat = `(module (memory (export "a") 1) (memory (export "b") 2 3) (memory (export "c") 0))`;
  const { a, b, c } = new WebAssembly.Instance(new WebAssembly.Module(withMemoryLimit(assemble(wat), 9.5 * 65_536))).exports;
  const room = (memory: unknown): number => {
    let pages = 0;
    try {
      for (;;) {
        (memory as WebAssembly.Memory).grow(1);
        pages++;
      }
    } catch {
      return pages;
    }
  };
  expect([room(a), room(b), room(c)]).toEqual([2, 1, 2]);
  expect(() => withMemoryLimit(assemble(wat), 3 * 65_536 - 1)).toThrow(expect.objectContaining({ code: "NS_MEMORY_LIMIT" }));
});
