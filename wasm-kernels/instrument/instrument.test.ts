// The transformation on hand-written modules: every shape of code around a site that compilers rarely make but the format allows. Each
// program stops at calls of sched_yield or, through its own output, at the next poll; each stop goes through an image into a fresh
// instance; the output must be that of the plain module.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Program, runLocally } from "../process/index.ts";
import { Writer } from "./binary.ts";
import { functionName, INSTRUMENT_VERSION, instrument, parseModule } from "./index.ts";
import { assemble, command, expectLikePlain, outputs } from "./testing.ts";

const shapes: Record<string, string> = {
  "operands beneath a call, of every type": command(`
    (func $three (result i32) (call $yield) (i32.const 3))
    (func (export "_start")
      (call $say (i32.add (i32.const 40)
        (i32.add (i32.trunc_f64_s (f64.add (f64.const 1.5)
          (f64.convert_i32_s (i32.add (i32.wrap_i64 (i64.add (i64.const 0x100000001)
            (i64.extend_i32_s (i32.trunc_f32_s (f32.add (f32.const 2.25) (f32.convert_i32_s (call $three))))))) (call $three))))) (call $three)))))`),
  "a v128 local and operand across a call": command(`
    (func $vector (result v128) (call $yield) (v128.const i32x4 1 2 3 4))
    (func (export "_start") (local $v v128)
      (local.set $v (v128.const i32x4 10 20 30 40))
      (call $say (i32x4.extract_lane 3 (i32x4.add (i32x4.add (local.get $v) (call $vector)) (i32x4.add (local.get $v) (call $vector))))))`),
  "operands beneath a block, a loop and both arms of an if": command(`
    (func (export "_start") (local $i i32)
      (loop $again
        (call $say
          (i32.add (i32.const 1000)
            (block (result i32)
              (i32.add (local.get $i)
                (if (result i32) (i32.and (local.get $i) (i32.const 1))
                  (then (i32.add (i32.const 7) (block (result i32) (call $yield) (i32.const 1))))
                  (else (i32.mul (i32.const 3) (loop (result i32) (call $yield) (i32.const 5)))))))))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5)))))`),
  "a call last in each arm of an if": command(`
    (func (export "_start") (local $i i32)
      (loop $again
        (if (i32.and (local.get $i) (i32.const 1))
          (then (call $say (local.get $i)) (call $yield))
          (else (call $say (i32.const 200)) (call $yield)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`),
  "blocks and loops with parameters and several results": command(
    `(func (export "_start")
      (i32.const 1) (i32.const 2)
      (block (param i32 i32) (result i32 i32)
        (call $yield)
        (loop $l (param i32 i32) (result i32 i32)
          (call $yield)
          (i32.add (i32.const 5))
          (call $swap)
          (br_if $l (i32.lt_u (global.get $turns) (i32.const 4)))))
      (call $say) (call $say))
    (func $swap (param $a i32) (param $b i32) (result i32 i32)
      (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
      (call $yield)
      (local.get $b) (local.get $a))`,
    "(global $turns (mut i32) (i32.const 0))",
  ),
  "a jump table out of nested blocks inside a loop": command(`
    (func (export "_start") (local $i i32)
      (loop $again
        (block $c (block $b (block $a
          (call $yield)
          (br_table $a $b $c $c (i32.rem_u (local.get $i) (i32.const 4))))
          (call $say (i32.const 10)) (br $c))
          (call $say (i32.const 11)))
        (call $say (local.get $i))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9)))))`),
  "a jump table whose cases all go back by one branch": command(`
    (func (export "_start") (local $i i32)
      (block $halt
        (loop $next
          (block $back (block $odd (block $even
            (br_if $halt (i32.eq (local.get $i) (i32.const 9)))
            (br_table $even $odd (i32.rem_u (local.get $i) (i32.const 2))))
            (call $say (i32.const 10)) (br $back))
            (call $say (i32.const 11)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
      (call $say (local.get $i)))`),
  "a branch to an outer loop from the rest of an inner turn": command(`
    (func (export "_start") (local $i i32) (local $j i32)
      (loop $outer
        (local.set $j (i32.const 0))
        (loop $inner
          (call $yield)
          (call $say (i32.add (i32.mul (local.get $i) (i32.const 16)) (local.get $j)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $j) (i32.const 3)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $outer (i32.lt_u (local.get $i) (i32.const 3))))
        (call $say (i32.const 255))))`),
  "recursion through an indirect call, with a return from inside a loop": command(
    `(type $f (func (param i32) (result i32)))
    (table funcref (elem $down))
    (func $down (param $n i32) (result i32)
      (loop $l
        (call $yield)
        (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
        (return (i32.add (local.get $n) (call_indirect (type $f) (i32.sub (local.get $n) (i32.const 1)) (i32.const 0)))))
      (unreachable))
    (func (export "_start") (call $say (call $down (i32.const 20))))`,
  ),
  "a tight loop that never calls, stopped by its own output": command(`
    (func $sum (param $n i32) (result i32) (local $s i32)
      (block $done
        (loop $l
          (br_if $done (i32.eqz (local.get $n)))
          (local.set $s (i32.add (local.get $s) (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $l)))
      (local.get $s))
    (func (export "_start") (local $i i32)
      (loop $l
        (call $say (call $sum (i32.mul (i32.const 3000) (local.get $i))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6)))))`),
  "the smallest loops with a result, left at their ends and for several labels further out": command(`
    (func $run (param $n i32) (result i32) (local $i i32)
      (block $far (result i32)
        (block $near (result i32)
          (i32.add (i32.const 1) (loop $l (result i32)
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (drop (br_if $near (local.get $i) (i32.eq (local.get $n) (local.get $i))))
            (if (i32.eq (local.get $i) (i32.const 9001)) (then (br $far (i32.const 77))))
            (br_if $l (i32.lt_u (local.get $i) (i32.shl (local.get $n) (i32.const 1))))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 9)))
            (i32.const 5))))
        (i32.add (i32.const 1000))))
    (func (export "_start") (local $k i32)
      (loop $again
        (call $say (call $run (i32.mul (local.get $k) (i32.const 2999))))
        (br_if $again (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 8)))))`),
  "memory that grows between stops, and mutable globals of every type": command(
    `(func (export "_start")
      (i32.store (i32.const 100) (i32.const 5))
      (call $yield)
      (drop (memory.grow (i32.const 2)))
      (i32.store (i32.const 130000) (i32.const 77))
      (global.set $d (f64.add (global.get $d) (f64.const 0.5)))
      (global.set $l (i64.add (global.get $l) (i64.const 1)))
      (global.set $f (f32.mul (global.get $f) (f32.const 2)))
      (call $yield)
      (call $say (i32.add (memory.size) (i32.load (i32.const 130000))))
      (call $say (i32.wrap_i64 (i64.shr_u (global.get $l) (i64.const 32))))
      (call $say (i32.trunc_f64_s (f64.mul (global.get $d) (f64.const 100))))
      (call $say (i32.trunc_f32_s (global.get $f))))`,
    "(global $d (mut f64) (f64.const 1.25)) (global $l (mut i64) (i64.const 0xffffffffff)) (global $f (mut f32) (f32.const 1.5))",
  ),
  "a table that changes and grows, a reference in a global, segments that are dropped": command(
    `(type $f (func (result i32)))
    (func $one (result i32) (call $yield) (i32.const 1))
    (func $two (result i32) (call $yield) (i32.const 2))
    (func $three (result i32) (i32.const 3))
    (func $all (local $i i32)
      (loop $l
        (if (ref.is_null (table.get $t (local.get $i)))
          (then (call $say (i32.const 0xf)))
          (else (call $say (call_indirect $t (type $f) (local.get $i)))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $t)))))
    (func (export "_start")
      (call $all)
      (table.set $t (i32.const 0) (ref.func $two))
      (call $yield)
      (drop (table.grow $t (ref.func $three) (i32.const 2)))
      (call $yield)
      (call $all)
      (table.init $t $e (i32.const 1) (i32.const 0) (i32.const 2))
      (elem.drop $e)
      (table.fill $t (i32.const 3) (ref.null func) (i32.const 1))
      (call $yield)
      (table.copy $t $t (i32.const 4) (i32.const 0) (i32.const 1))
      (call $all)
      (global.set $g (table.get $t (i32.const 1)))
      (call $yield)
      (table.set $t (i32.const 3) (global.get $g))
      (table.set $other (i32.const 0) (ref.func $one))
      (memory.init $d (i32.const 300) (i32.const 0) (i32.const 4))
      (data.drop $d)
      (call $yield)
      (call $all)
      (call $say (call_indirect $other (type $f) (i32.const 0)))
      (call $say (i32.load (i32.const 300)))
      (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 0)))`,
    `(table $t 3 funcref) (elem (table $t) (i32.const 0) func $one $two) (table $other 1 funcref) (elem $e func $three $one) (data $d "abcd")
    (global $g (mut funcref) (ref.null func))`,
  ),
  "a start function, which runs before anything else and is left and moved too": command(
    `
    (func $first (call $yield) (global.set $g (i32.add (global.get $g) (i32.const 5))) (call $yield))
    (func (export "_start") (call $yield) (call $say (global.get $g)))
    (start $first)`,
    "(global $g (mut i32) (i32.const 2))",
  ),
  "code after a branch that can never run": command(`
    (func (export "_start") (local $i i32)
      (block $b
        (loop $l
          (call $yield)
          (call $say (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 3)))
          (br $b) (call $yield) (drop (i32.add)) (loop (br 0)))))`),
};

shapes["recursion that is unrolled: operands beneath the calls, a local of each level, returns from inside a block"] = command(`
    (func $tree (param $depth i32) (param $way i32) (result i32) (local $sum i32)
      (call $yield)
      (if (i32.eqz (local.get $depth)) (then (return (local.get $way))))
      (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
      (block $out
        (br_if $out (i32.eq (local.get $way) (i32.const 5)))
        (local.set $sum (i32.add (local.get $sum)
          (i32.mul (i32.const 3) (call $tree (i32.sub (local.get $depth) (i32.const 1)) (i32.const 5)))))
        (if (i32.gt_u (local.get $sum) (i32.const 100)) (then (return (i32.add (local.get $sum) (local.get $depth))))))
      (i32.add (local.get $sum) (call $tree (i32.sub (local.get $depth) (i32.const 1)) (i32.add (local.get $way) (i32.const 1)))))
    (func (export "_start") (call $say (call $tree (i32.const 6) (i32.const 1))) (call $say (call $tree (i32.const 9) (i32.const 4))))`);

/** Programs that print a line, which asks them to stop, and then take 20000 turns that are to contain a poll. */
const polled: Record<string, string> = {
  "a loop with its condition first": `(block $done (loop $l (br_if $done (i32.eqz (local.get $i)))
      (call $work) (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br $l)))`,
  "a loop with its condition last": `(loop $l (call $work) (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`,
  "the smallest loop": `(loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`,
  "a loop whose end is a jump table": `(block $done (loop $l (call $work)
      (br_table $done $l (i32.ne (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (i32.const 0)))))`,
  "a loop that goes through a jump table": `(block $done (loop $l
      (block $a (block $b (br_table $a $b (i32.rem_u (local.get $i) (i32.const 2)))) (call $work))
      (br_if $done (i32.eqz (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (br $l)))`,
  "a loop around one that takes no turn": `(block $done (loop $l
      (block $none (loop $m (br_if $none (i32.eqz (local.get $never))) (call $work) (br $m)))
      (br_if $done (i32.eqz (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (br $l)))`,
  "a loop around one that ends after a few turns": `(loop $l
      (local.set $never (i32.const 3))
      (loop $m (br_if $m (local.tee $never (i32.sub (local.get $never) (i32.const 1)))))
      (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`,
  // Of these a few thousand turns take long.
  "a loop that counts itself and fills memory": `(local.set $never (i32.const 2000)) (loop $l
      (memory.fill (i32.const 1024) (i32.const 0) (i32.const 60000)) (br_if $l (local.tee $never (i32.sub (local.get $never) (i32.const 1)))))`,
  "a loop that counts itself and calls what fills memory": `(local.set $never (i32.const 2000)) (loop $l
      (call $fill) (br_if $l (local.tee $never (i32.sub (local.get $never) (i32.const 1)))))`,
  "a loop around a larger one that counts itself": `(loop $l
      (local.set $never (i32.const 3))
      (loop $m ${"(global.set $g (i32.add (global.get $g) (i32.const 1000000)))".repeat(8)}
        (br_if $m (local.tee $never (i32.sub (local.get $never) (i32.const 1)))))
      (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`,
  "a loop in whose turns a small one goes on with the next turn": `(block $done (loop $l
      (br_if $done (i32.eqz (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (loop $m (if (local.get $never) (then (local.set $never (i32.const 0)) (br $m))) (br $l))))`,
  "a loop that counts itself, upward by more than one": `(loop $l (local.set $never (i32.add (local.get $never) (i32.const 3)))
      (br_if $l (i32.lt_u (local.get $never) (local.get $i))))`,
  "a loop that misses what it counts to": `(block $done (loop $l
      (br_if $done (i32.eqz (local.tee $never (i32.sub (local.get $never) (i32.const 1)))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 3))) (i32.const 20001)))))`,
  "a loop in which only a turn never taken calls what polls": `(loop $l
      (if (local.get $never) (then (call $climb (local.get $i))))
      (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`,
  "recursion whose calls from a loop go one level deep": "(call $climb (local.get $i))",
  "recursion straight down": "(call $descend (local.get $i))",
};

const down = (local: string): string => `(local.tee ${local} (i32.sub (local.get ${local}) (i32.const 1)))`;
const long = "(global.set $g (i32.add (global.get $g) (i32.const 1000000)))".repeat(8);
/** What makes 20000 turns of something. */
const outer: Record<string, (inside: string) => string> = {
  "condition first": (inside) => `(block $done (loop $l (br_if $done (i32.eqz ${down("$i")})) ${inside} (br $l)))`,
  "condition last": (inside) => `(loop $l ${inside} (br_if $l ${down("$i")}))`,
  "a jump table last": (inside) => `(block $done (loop $l ${inside} (br_table $done $l (i32.ne ${down("$i")} (i32.const 0)))))`,
  "two ways back": (inside) => `(block $done (loop $l (br_if $done (i32.eqz ${down("$i")}))
    (if (i32.and (local.get $i) (i32.const 1)) (then (br $l))) ${inside} (br $l)))`,
  "a function called from it": (inside) => `(loop $l (call $once) (br_if $l ${down("$i")}) (br_if $l (i32.const 0)) ${inside})`,
};
const inner: Record<string, (code: string) => string> = {
  "three turns that are counted": (code) => `(local.set $never (i32.const 3)) (loop $m ${code} (br_if $m ${down("$never")}))`,
  "three turns, counted first": (code) =>
    `(local.set $never (i32.const 3)) (block $out (loop $m (br_if $out (i32.eqz ${down("$never")})) ${code} (br $m)))`,
  "three turns that are not counted": (code) =>
    `(local.set $never (i32.const 7)) (loop $m ${code} (br_if $m (local.tee $never (i32.shr_u (local.get $never) (i32.const 1)))))`,
  "no turn": (code) =>
    `(local.set $never (i32.const 0)) (block $out (loop $m (br_if $out (i32.eqz (local.get $never))) ${code} (br $m)))`,
  "a turn that is left in the middle": (code) =>
    `(block $out (loop $m ${code} (br_if $out (i32.eqz (local.get $never))) ${code} (br $m)))`,
};
for (const [around, loop] of Object.entries(outer))
  for (const [within, turns] of Object.entries(inner))
    for (const [size, code] of Object.entries({ short: "", long }))
      polled[`a loop with ${around}, in it a ${size} one of ${within}`] = loop(turns(code));

describe("a poll is reached in: ", () => {
  for (const [name, code] of Object.entries(polled)) {
    test(name, () => {
      const { undisturbed, moves, stop } = outputs(
        command(
          `
        (func $once (local $k i32) (local.set $k (i32.const 3)) (loop $m ${long} (br_if $m ${down("$k")})))
        (func $fill (memory.fill (i32.const 1024) (i32.const 0) (i32.const 60000)))
        (func $work (global.set $g (i32.add (global.get $g) (i32.const 1))))
        (func $climb (param $n i32)
          (block $done (loop $l (br_if $done (i32.eqz (local.get $n)))
            (call $climb (i32.const 0)) (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $l))))
        (func $descend (param $n i32) (if (local.get $n) (then (call $descend (i32.sub (local.get $n) (i32.const 1))))))
        (func (export "_start") (local $i i32) (local $never i32)
          (local.set $i (i32.const 20000))
          (call $say (i32.const 1))
          ${code})`,
          "(global $g (mut i32) (i32.const 0))",
        ),
      );
      expect(stop).toEqual({ kind: "exit", code: 0 });
      expect(undisturbed).toHaveLength(9);
      expect(moves).toBe(1);
    });
  }
});

describe("a program stopped at any site and moved gives the same output: ", () => {
  for (const [name, wat] of Object.entries(shapes)) {
    test(name, () => expectLikePlain(wat));
  }
});

describe("what cannot be moved is refused with the reason and the function: ", () => {
  const refused: Record<string, [string, RegExp]> = {
    "two memories by a shared one": ['(module (memory (export "memory") 1 2 shared) (func (export "_start")))', /shared memory/],
  };
  for (const [name, [wat, reason]] of Object.entries(refused)) {
    test(name, () => {
      const bytes = assemble(wat);
      expect(() => instrument(bytes)).toThrow(
        expect.objectContaining({ code: "NS_NOT_MIGRATABLE", message: expect.stringMatching(reason) }),
      );
    });
  }

  test("a module that is migratable already", () => {
    const once = instrument(assemble(command('(func (export "_start") (call $yield))'))).wasm;
    expect(() => instrument(once)).toThrow(expect.objectContaining({ code: "NS_NOT_MIGRATABLE" }));
  });
});

test("the version is raised when programs come out differently", () => {
  const made = createHash("sha256");
  for (const wat of Object.values(shapes)) made.update(instrument(assemble(wat)).wasm);
  // When this fails: raise INSTRUMENT_VERSION, then put the new version and the new beginning of the digest here.
  expect({ version: INSTRUMENT_VERSION, made: made.digest("hex").slice(0, 16) }).toEqual({
    version: 13,
    made: "2b8568edc5155046",
  });
});

test("code nested ten thousand constructs deep is left and come back to", () => {
  const depth = 10_000;
  const section = (id: number, content: Writer): Uint8Array => new Writer().byte(id).sized(content).finish();
  const body = new Writer(8 * depth).u32(0);
  for (let k = 0; k < depth; k++) body.byte(0x02).byte(0x40);
  body.byte(0x10).u32(0).byte(0x1a);
  for (let k = 0; k <= depth; k++) body.byte(0x0b);
  const module = new Writer()
    .bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    .bytes(section(1, new Writer().u32(2).bytes([0x60, 0, 1, 0x7f, 0x60, 0, 0])))
    .bytes(section(2, new Writer().u32(1).name("wasi_snapshot_preview1").name("sched_yield").byte(0).u32(0)))
    .bytes(section(3, new Writer().u32(1).u32(1)))
    .bytes(section(5, new Writer().u32(1).byte(0).u32(1)))
    .bytes(section(7, new Writer().u32(2).name("memory").byte(2).u32(0).name("_start").byte(0).u32(1)))
    .bytes(section(10, new Writer().u32(1).sized(body)));
  const program = new Program("deep", instrument(module.finish()).wasm);
  const { stop, moves } = runLocally({ program, args: ["deep"], cpuNow: () => 0, now: () => 0, moveAt: () => true });
  expect({ stop, moves }).toEqual({ stop: { kind: "exit", code: 0 }, moves: 1 });
});

describe("damaged modules", () => {
  test("cut off anywhere, or with any byte changed, give an error with a code and never anything else", () => {
    const whole = instrumentable();
    for (let length = 0; length < whole.length; length += 7) expectCoded(whole.slice(0, length));
    for (let at = 8; at < whole.length; at += 3) {
      const changed = whole.slice();
      changed[at] ^= 0x55;
      expectCoded(changed);
    }
  });

  const instrumentable = (): Uint8Array<ArrayBuffer> =>
    assemble(shapes["operands beneath a block, a loop and both arms of an if"]);
  function expectCoded(bytes: Uint8Array<ArrayBuffer>): void {
    if (WebAssembly.validate(bytes)) return; // the change made another valid module
    try {
      instrument(bytes);
    } catch (thrown) {
      expect((thrown as { code?: string }).code).toMatch(/^NS_(NOT_WASM|BAD_MODULE|NOT_MIGRATABLE)$/);
    }
  }
});

test("what a module calls its functions is told within bounds, and as nothing that a terminal obeys", () => {
  const module = parseModule(assemble(command('(func (export "_start"))')));
  module.names.set(2, `\u001b[31m${"x".repeat(5000)}\n`);
  expect(functionName(module, 2)).toMatch(/^\?\[31mx{100,}$/);
  expect(functionName(module, 2).length).toBeLessThan(500);
});
