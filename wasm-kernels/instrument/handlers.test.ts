// Legacy exceptions: every shape of handler with stops in the guarded code, in the handlers and in what is called from both, each stop
// going through an image into a fresh instance. The output must be that of the plain module.
import { describe, expect, test } from "vitest";
import { command, expectLikePlain, outputs } from "./testing.ts";

const TAGS = `(tag $t (param i32)) (tag $pair (param i64 f64)) (tag $empty)
  (global $log (mut i32) (i32.const 0))`;
/** With functions that throw after a stop. */
const program = (code: string): string =>
  command(
    `(func $fail (param $n i32) (call $yield) (throw $t (local.get $n)))
     (func $fail_pair (call $yield) (throw $pair (i64.const 0x1234567890) (f64.const 2.5)))
     (func $fail_empty (call $yield) (throw $empty))
     (func $deep (param $n i32) (param $v i32)
       (if (i32.eqz (local.get $n)) (then (call $fail (local.get $v))))
       (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $v))
       (call $say (i32.const 0xbad)))
     ${code}`,
    TAGS,
  );

const shapes: Record<string, string> = {
  "caught from a function that was stopped and moved": program(`
    (func (export "_start")
      (call $say (try (result i32) (do (call $fail (i32.const 7)) (i32.const 1)) (catch $t (i32.add (i32.const 100)))))
      (call $say (i32.const 2)))`),
  "thrown through many frames, each of them moved": program(`
    (func (export "_start")
      (call $say (try (result i32) (do (call $deep (i32.const 12) (i32.const 55)) (i32.const 1)) (catch $t)))
      (call $say (i32.const 2)))`),
  "stops in the guarded code and in the handler, with locals that only the handler needs": program(`
    (func $run (param $n i32) (result i32) (local $a i32) (local $b i64)
      (local.set $a (i32.mul (local.get $n) (i32.const 3)))
      (local.set $b (i64.const 77))
      (try (result i32)
        (do (call $yield) (if (i32.and (local.get $n) (i32.const 1)) (then (call $fail (local.get $n)))) (call $yield) (i32.const 1000))
        (catch $t
          (call $yield)
          (i32.add (local.get $a))
          (call $yield)
          (i32.add (i32.wrap_i64 (local.get $b))))))
    (func (export "_start") (local $i i32)
      (loop $l (call $say (call $run (local.get $i)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6)))))`),
  "several values, operands beneath the try, and no value at all": program(`
    (func (export "_start") (local $d f64)
      (call $say (i32.add (i32.const 40000)
        (try (result i32)
          (do (call $fail_pair) (i32.const 1))
          (catch $pair (local.set $d) (call $yield) (i32.wrap_i64) (i32.add (i32.trunc_f64_s (f64.mul (local.get $d) (f64.const 4))))))))
      (try (do (call $fail_empty)) (catch $empty (call $yield) (call $say (i32.const 3)))))`),
  "cleanup: catch_all, a stop, and rethrown, for each of several tags": program(`
    (func $clean (param $which i32)
      (try
        (do
          (if (i32.eq (local.get $which) (i32.const 0)) (then (call $fail (i32.const 9))))
          (if (i32.eq (local.get $which) (i32.const 1)) (then (call $fail_pair)))
          (if (i32.eq (local.get $which) (i32.const 2)) (then (call $fail_empty)))
          (call $say (i32.const 1)))
        (catch_all (call $yield) (call $say (i32.add (local.get $which) (i32.const 0x50))) (call $yield) (rethrow 0))))
    (func (export "_start") (local $i i32)
      (loop $l
        (try (do (call $clean (local.get $i)))
          (catch $t (call $say))
          (catch $pair (drop) (call $say (i32.wrap_i64 (i64.const 1))) (call $say (i32.wrap_i64)))
          (catch_all (call $yield) (call $say (i32.const 0xaa))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`),
  "rethrown from a handler in a handler, to the outer one": program(`
    (func $nested (param $n i32)
      (try (do (call $fail (local.get $n)))
        (catch $t
          (call $say)
          (try (do (call $fail_pair))
            (catch $pair
              (drop) (drop) (call $yield)
              (rethrow 1))))))
    (func (export "_start")
      (try (do (call $nested (i32.const 12))) (catch $t (call $say)) (catch $pair (drop) (drop) (call $say (i32.const 0xbad)))))`),
  "rethrown after another exception of the same tag has been caught": program(`
    (func $nested (param $n i32)
      (try (do (call $fail (local.get $n)))
        (catch $t (drop)
          (try (do (call $fail (i32.const 99))) (catch $t (call $say)))
          (call $yield)
          (rethrow 0))))
    (func (export "_start") (try (do (call $nested (i32.const 12))) (catch $t (call $say))))`),
  "a loop in guarded code, stopped at its poll, with a local that only the handler needs": program(`
    (func $run (param $n i32) (result i32) (local $kept i32)
      (local.set $kept (i32.mul (local.get $n) (i32.const 5)))
      (try (result i32)
        (do
          (call $say (local.get $n))
          (loop $l (global.set $log (i32.add (global.get $log) (i32.const 1)))
            (br_if $l (i32.lt_u (global.get $log) (i32.const 10000))))
          (global.set $log (i32.const 0))
          (call $throw_it)
          (i32.const 1))
        (catch $empty (local.get $kept))))
    (func $throw_it (throw $empty))
    (func (export "_start") (local $i i32)
      (loop $l (call $say (call $run (local.get $i)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`),
  "branches out of guarded code and handlers, and to a loop around them": program(`
    (func (export "_start") (local $i i32)
      (block $out
        (loop $again
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (try
            (do
              (call $yield)
              (br_if $again (i32.eq (local.get $i) (i32.const 1)))
              (call $say (local.get $i))
              (call $fail (local.get $i)))
            (catch $t
              (call $yield)
              (br_if $out (i32.eq (i32.const 5)))
              (br $again))
            (catch_all (br $again)))))
      (call $say (i32.const 0xe)))`),
  "delegate: past the handlers of a try inside": program(`
    (func (export "_start")
      (try $outer
        (do
          (try $middle
            (do (try (do (call $yield) (call $fail (i32.const 3)) (call $say (i32.const 0xbad))) (delegate $outer)))
            (catch_all (call $say (i32.const 0xbad)))))
        (catch $t (call $yield) (call $say (i32.add (i32.const 0x30))))))`),
  "a catch_all that has nothing left to catch": program(`
    (func (export "_start")
      (try (do (call $fail_empty))
        (catch $t (drop)) (catch $pair (drop) (drop)) (catch $empty (call $yield) (call $say (i32.const 1)))
        (catch_all (call $say (i32.const 0xbad))))
      (call $say (i32.const 2)))`),
  "thrown and caught in one function, with a loop that polls in the handler": program(`
    (func (export "_start") (local $i i32) (local $sum i32)
      (loop $l
        (try (do (call $say (local.get $i)) (throw $t (i32.const 6000)))
          (catch $t
            (local.set $sum)
            (loop $m (global.set $log (i32.add (global.get $log) (i32.const 1)))
              (br_if $m (local.tee $sum (i32.sub (local.get $sum) (i32.const 1)))))
            (call $say (global.get $log))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))))`),
  "guarded code inside blocks and an if, with values on the way out": program(`
    (func $pick (param $n i32) (result i32)
      (block $far (result i32)
        (i32.add (i32.const 1)
          (if (result i32) (i32.and (local.get $n) (i32.const 1))
            (then (try (result i32)
              (do (call $yield) (if (i32.eq (local.get $n) (i32.const 3)) (then (br $far (i32.const 900)))) (call $fail (local.get $n)) (i32.const 2))
              (catch_all (call $yield) (br_if $far (i32.const 700) (i32.eq (local.get $n) (i32.const 5))) (drop) (i32.const 20))))
            (else (call $yield) (i32.const 30))))))
    (func (export "_start") (local $i i32)
      (loop $l (call $say (call $pick (local.get $i)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 7)))))`),
  "a guarded block that takes and gives several values": program(`
    (func (export "_start")
      (i32.const 5) (i32.const 6)
      (try (param i32 i32) (result i32 i32)
        (do (call $yield) (i32.add) (call $fail) (i32.const 1) (i32.const 2))
        (catch_all (call $yield) (i32.const 3) (i32.const 4)))
      (call $say) (call $say))`),
};

describe("a program with exceptions, stopped at any site and moved, gives the output of its plain module: ", () => {
  for (const [name, wat] of Object.entries(shapes)) {
    test(name, () => expectLikePlain(wat));
  }
});

test("an exception that nobody catches is a trap, stopped on its way or not", () => {
  const { undisturbed, moved, stop } = outputs(
    program('(func (export "_start") (call $say (i32.const 1)) (call $deep (i32.const 3) (i32.const 1)))'),
  );
  expect(stop).toMatchObject({ kind: "fault", code: "NS_TRAP", message: "trap: uncaught exception" });
  expect(moved).toBe(undisturbed);
});

test("the program's end passes every handler", () => {
  const wat = program(`
    (func $end (call $yield) (call $exit (i32.const 3)))
    (func (export "_start")
      (try (do (try (do (call $end)) (catch_all (call $say (i32.const 0xbad)) (rethrow 0)))) (catch_all (call $say (i32.const 0xbad)))))`).replace(
    "(memory (export",
    '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export',
  );
  expect(outputs(wat)).toMatchObject({ undisturbed: "", moved: "", stop: { kind: "exit", code: 3 } });
});
