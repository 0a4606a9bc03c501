import { expect, test } from "vitest";
import { Program, runLocally } from "../process/index.ts";
import { instrument, withFuel } from "./index.ts";
import { assemble, command } from "./testing.ts";

test("what is no migratable program is refused", () => {
  const plain = assemble(command(`(func (export "_start") (call $say (i32.const 1)))`));
  expect(() => withFuel(plain)).toThrow(expect.objectContaining({ code: "NS_BAD_MODULE" }));
});

test("the call that stands for a poll reaches functions of any number", () => {
  const many = Array.from({ length: 300 }, (_, k) => `(func (export "f${k}") (nop))`).join("\n");
  const wasm = instrument(
    assemble(
      command(`${many}
    (func (export "_start") (local $i i32)
      (loop $next
        (call $yield)
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 1000))))
      (call $say (local.get $i)))`),
    ),
  ).wasm;
  let asked = 0;
  const { stop, stdout } = runLocally({
    program: new Program("many", withFuel(wasm)),
    args: ["many"],
    refuel: () => (asked++ % 2) * 9,
    ...{ now: () => 0, cpuNow: () => 0 },
  });
  expect([stop, new TextDecoder().decode(stdout)]).toEqual([{ kind: "exit", code: 0 }, "AAAAADOI\n"]);
  expect(asked).toBeGreaterThan(100);
});
