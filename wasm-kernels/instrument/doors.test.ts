// Every loop of these has a door if it can have one, and every stop is followed by a continuation that goes on at one.
import { expect, test } from "vitest";
import { Program, runLocally, runPlain } from "../process/index.ts";
import { buildContinuation, MigratableModule } from "./continuation.ts";
import { readFacts, writeFacts } from "./facts.ts";
import { instrument, withFuel } from "./index.ts";
import { assemble, command, expectLikePlain } from "./testing.ts";

const doorsOf = (wat: string): number[] =>
  [...new MigratableModule(instrument(assemble(wat), 0).wasm).facts.doors.values()].map(({ loops }) => loops.length);

/** $say has one, in the function before these. */
const shapes: Record<string, { code: string; doors: number[] }> = {
  "one after the other, with code before, between and after": {
    doors: [1, 2],
    code: `(func (export "_start") (local $i i32) (local $k i64) (local $f f64)
      (local.set $f (f64.const 2.5))
      (call $say (i32.const 1))
      (loop $a (call $say (local.get $i)) (local.set $k (i64.add (local.get $k) (i64.const 3)))
        (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
      (call $say (i32.wrap_i64 (local.get $k)))
      (loop $b (call $say (i32.trunc_f64_s (local.tee $f (f64.mul (local.get $f) (f64.const 1.5)))))
        (br_if $b (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
      (call $say (local.get $i)))`,
  },
  "one in another, which begins its turns anew": {
    doors: [1, 2],
    code: `(func (export "_start") (local $i i32) (local $j i32)
      (loop $outer
        (local.set $j (i32.const 0))
        (call $say (i32.const 100))
        (loop $inner
          (call $say (i32.add (i32.mul (local.get $i) (i32.const 16)) (local.get $j)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $j) (i32.const 3)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $outer (i32.lt_u (local.get $i) (i32.const 3))))
        (call $say (i32.const 255))))`,
  },
  "two pairs, in blocks that are left from inside": {
    doors: [1, 4],
    code: `(func (export "_start") (local $i i32) (local $j i32)
      (block $done
        (block $second
          (loop $a
            (local.set $j (i32.const 0))
            (block $far
              (loop $b (call $say (i32.add (local.get $j) (i32.shl (local.get $i) (i32.const 4))))
                (br_if $done (i32.eq (local.get $i) (i32.const 77)))
                (br_if $second (i32.eq (local.get $i) (i32.const 3)))
                (br_if $far (i32.eq (local.get $j) (local.get $i)))
                (local.set $j (i32.add (local.get $j) (i32.const 1)))
                (br $b)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $a)))
        (call $say (i32.add (local.get $i) (i32.const 32)))
        (loop $c
          (call $say (local.get $j))
          (loop $d (call $say (i32.add (local.get $j) (i32.const 48)))
            (br_if $d (i32.and (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 3)))
            (br_if $done (i32.gt_u (local.get $j) (i32.const 12)))
            (call $say (local.get $i)))
          (br $c)))
      (call $say (local.get $j)))`,
  },
  "with parameters, results, and a jump table to all labels around": {
    doors: [1, 1],
    code: `(func $run (param $n i32) (param $v v128) (param $x i64) (result i32) (local $i i32)
      (block $c (block $b (block $a
        (local.set $i (local.get $n))
        (loop $next (call $say (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.and (local.get $i) (i32.const 3)))
          (br_table $a $b $c $next (i32.sub (local.get $i) (i32.const 12)))))
        (return (i32.const 1)))
        (return (i32.add (local.get $n) (i32x4.extract_lane 2 (local.get $v)))))
      (i32.wrap_i64 (local.get $x)))
    (func (export "_start") (local $i i32)
      (call $say (call $run (i32.const 1) (v128.const i32x4 1 2 3 4) (i64.const 77)))
      (call $say (call $run (i32.const 9) (v128.const i32x4 1 2 3 4) (i64.const 78))))`,
  },
  "in a try whose handler is around it still": {
    doors: [1, 1],
    code: `(tag $e (param i32))
    (func $deep (param $n i32) (if (i32.gt_u (local.get $n) (i32.const 3)) (then (throw $e (local.get $n)))) (call $yield))
    (func (export "_start") (local $i i32)
      (try
        (do (call $say (i32.const 5))
          (loop $l (call $say (local.get $i)) (call $deep (local.get $i))
            (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l)))
        (catch $e (call $say)))
      (call $say (i32.const 200)))`,
  },
  "not with operands beneath, or in an arm of an if": {
    doors: [1],
    code: `(func (export "_start") (local $i i32)
      (call $say (i32.add (i32.const 7) (loop $l (result i32) (call $yield) (i32.const 5))))
      (if (i32.eqz (local.get $i)) (then
        (loop $m (call $say (local.get $i)) (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $m (i32.lt_u (local.get $i) (i32.const 4)))))))`,
  },
};

test.each(Object.entries(shapes))("loops with doors: %s", (_, { code, doors }) => {
  expectLikePlain(command(code), 0);
  expect(doorsOf(command(code))).toEqual(doors);
});

test.each(Object.entries(shapes))("loops with doors, and fuel in the place of a shared memory: %s", (_, { code }) => {
  const module = assemble(command(code));
  const plain = runPlain({ module: new WebAssembly.Module(module), args: ["test"], now: () => 0 });
  for (const oneMemory of [false, true]) {
    let asked = 0;
    const { stop, stdout, moves } = runLocally({
      program: new Program("test", withFuel(instrument(module, 0).wasm, oneMemory)),
      args: ["test"],
      refuel: () => asked++ % 2,
      moveAt: () => true,
      ...{ now: () => 0, cpuNow: () => 0 },
    });
    expect(stop).toEqual({ kind: "exit", code: 0 });
    expect(Buffer.from(stdout)).toEqual(Buffer.concat(plain.stdout));
    expect(moves).toBeGreaterThan(3);
  }
});

test("a continuation does not hold what lies behind a door", () => {
  const cases = Array.from({ length: 40 }, (_, k) => `(call $say (i32.const ${1000 + k})) (br $next))`);
  const wat = command(`
    (func (export "_start") (local $i i32)
      (block $halt (loop $next ${"(block ".repeat(40)} (block $out
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_table ${cases.map((_, k) => k).join(" ")} $halt (local.get $i))) ${cases.join("\n")})))`);
  expectLikePlain(wat, 0);
  const [without, withDoors] = [Number.POSITIVE_INFINITY, 0].map((from) => {
    const migratable = new MigratableModule(instrument(assemble(wat), from).wasm);
    const sites = migratable.facts.sites.filter(({ func }) => func === migratable.facts.sites.at(-1)?.func);
    return sites.map((site) => buildContinuation(migratable, site).length);
  });
  expect(Math.min(...(without ?? []))).toBeGreaterThan(1200);
  expect(Math.max(...(withDoors ?? []))).toBeLessThan(500);
});

test("programs made before there were doors have none", () => {
  const facts = writeFacts({ sites: [], doors: new Map([[3, { loops: [5], handed: [0, 2] }]]), tables: [1], drops: false });
  expect(readFacts(facts).doors).toEqual(new Map([[3, { loops: [5], handed: [0, 2] }]]));
  const older = writeFacts({ sites: [], doors: new Map(), tables: [1], drops: false }).slice(0, -1);
  expect(readFacts(older)).toEqual({ sites: [], doors: new Map(), tables: [1], drops: false });
});
