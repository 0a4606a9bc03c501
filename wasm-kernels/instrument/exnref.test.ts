// The newer exceptions (try_table, throw_ref, exnref) with stops in guarded code, between a catch and its throw_ref, and in what is called,
// each stop going through an image into a fresh instance. The output must be that of the plain module.
import { describe, expect, test } from "vitest";
import { acceptNewerExceptions } from "../process/index.node.ts";
import { instrument } from "./index.ts";
import { assemble, command, expectLikePlain, outputs } from "./testing.ts";

acceptNewerExceptions();

const TAGS = "(tag $t (param i32)) (tag $real (param f32)) (tag $pair (param i64 f64)) (tag $empty)";
/** With functions that throw after a stop. */
const program = (code: string, tags = TAGS): string =>
  command(
    `(func $fail (param $n i32) (call $yield) (throw $t (local.get $n)))
     (func $deep (param $n i32)
       (call $yield)
       (if (i32.eqz (local.get $n)) (then (call $fail (i32.const 55))))
       (call $deep (i32.sub (local.get $n) (i32.const 1)))
       (call $say (i32.const 0xbad)))
     ${code}`,
    tags,
  );

const shapes: Record<string, string> = {
  "caught by tag, through many frames, to labels at several depths": program(`
    (func (export "_start")
      (block $out
        (call $say
          (block $caught (result i32)
            (block (block (try_table (catch $empty 1) (catch $t $caught) (call $deep (i32.const 9)))))
            (br $out)))
        (call $say (i32.const 2)))
      (call $say (i32.const 3)))`),
  "cleanup: held, a stop, and thrown again, for each tag that can be held": program(
    `(func $throw (param $which i32)
       (call $yield)
       (if (i32.eq (local.get $which) (i32.const 0)) (then (call $fail (i32.const 9))))
       (if (i32.eq (local.get $which) (i32.const 1)) (then (throw $real (f32.const 2.5))))
       (if (i32.eq (local.get $which) (i32.const 2)) (then (throw $empty))))
     (func $clean (param $which i32) (local $held exnref)
       (block $cleanup (result exnref)
         (try_table (catch_all_ref $cleanup) (call $throw (local.get $which)))
         (return))
       (local.set $held)
       (call $yield) (call $say (i32.add (local.get $which) (i32.const 0x50))) (call $yield)
       (throw_ref (local.get $held)))
     (func (export "_start") (local $i i32)
       (loop $again
         (block $done
           (block $number (result i32)
             (block $float (result f32)
               (try_table (catch $t $number) (catch $real $float) (catch_all $done) (call $clean (local.get $i)))
               (call $say (i32.const 0xaaa))
               (br $done))
             (i32.trunc_f32_s (f32.mul (f32.const 100))))
           (call $say))
         (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`,
    "(tag $t (param i32)) (tag $real (param f32)) (tag $empty)",
  ),
  "value and exception together, passed to another function and thrown there": program(`
    (func $again (param $e exnref) (call $yield) (throw_ref (local.get $e)))
    (func $middle (local $e exnref)
      (block $c (result i32 exnref)
        (try_table (catch_ref $t $c) (call $fail (i32.const 0x77)))
        (return))
      (local.set $e)
      (call $yield)
      (call $say)
      (call $again (local.get $e)))
    (func (export "_start")
      (call $say (block $c (result i32) (try_table (catch $t $c) (call $middle)) (i32.const 1)))
      (call $say (i32.const 2)))`),
  "the first of several clauses for a tag counts, and inner ones before outer": program(`
    (func (export "_start")
      (block $second
        (block $first (result i32)
          (try_table (result i32) (catch $t $first)
            (block $inner (result i32)
              (try_table (result i32) (catch $t $inner) (catch $t $first) (catch_all $second) (call $fail (i32.const 5)) (i32.const 1)))
            (call $say)
            (call $fail (i32.const 6))
            (i32.const 2)))
        (call $say))
      (call $say (i32.const 8)))`),
  "parameters and results, in a loop": program(`
    (func $twice (param $n i32) (result i32)
      (block $c (result i32)
        (try_table (result i32) (catch $t $c)
          (local.get $n)
          (loop (param i32) (result i32)
            (if (i32.and (local.get $n) (i32.const 1)) (then (call $fail (i32.const 0x31))))
            (i32.add (i32.const 2))))))
    (func (export "_start") (local $i i32)
      (loop $again
        (call $say (call $twice (local.get $i)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`),
  "many values, never held": program(`
    (func (export "_start") (local $d f64)
      (block $c (result i64 f64)
        (try_table (catch $pair $c) (call $yield) (throw $pair (i64.const 0x123) (f64.const 2.5)))
        (return))
      (local.set $d)
      (call $yield)
      (call $say (i32.wrap_i64))
      (call $say (i32.trunc_f64_s (f64.mul (local.get $d) (f64.const 4)))))`),
};

describe("moved as often as possible, the output is that of the plain module", () => {
  test.each(Object.entries(shapes))("%s", (_name, wat) => expectLikePlain(wat));
});

test("null thrown again is a trap", () => {
  const { plain, moved, stop } = outputs(
    program(`(func (export "_start") (call $say (i32.const 1)) (throw_ref (ref.null exn)))`),
  );
  expect(moved).toBe(plain);
  expect(stop).toMatchObject({ kind: "fault", code: "NS_TRAP" });
});

test("refused: an exception that carries too much, held", () => {
  const wat = program(`(func (export "_start") (drop (block $c (result exnref) (try_table (catch_all_ref $c)) (return))))`);
  expect(() => instrument(assemble(wat))).toThrow(/_start holds on to an exception that carries i64, f64/);
});

test("refused: a table of exceptions", () => {
  const wat = program(`(table 1 exnref) (func (export "_start") (try_table (call $yield)))`);
  expect(() => instrument(assemble(wat))).toThrow(/a table of type exnref/);
});
