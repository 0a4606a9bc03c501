// What is said of a loop's turns before its first is true, wherever in the numbers there are it begins and ends.
import { expect, test } from "vitest";
import { Writer } from "./binary.ts";
import { decodeBody } from "./body.ts";
import { type Count, countOf, MOST_TURNS, writeFewTurns } from "./count.ts";
import { parseModule } from "./module.ts";
import { Op } from "./opcodes.ts";
import { assemble } from "./testing.ts";

/** The count of the only loop of a function with these locals: $i, the counter, $n, what it is compared with, $d. */
function countIn(loop: string): Count | undefined {
  const module = parseModule(assemble(`(module (func (param $i i32) (param $n i32) (param $d i32) ${loop}))`));
  const body = decodeBody(module.bytes, module.types[0]?.params ?? [], module.bodies[0] ?? { start: 0, end: 0 });
  return countOf(body, body.op.indexOf(Op.loop));
}

/** Where ranges end, and what is near. */
const corners = [-(2 ** 31), 0, 2 ** 31 - 1, 5, -5].flatMap((at) =>
  [-6, -3, -2, -1, 0, 1, 2, 3, 6].map((near) => (at + near) | 0),
);
const shapes: Record<string, { loop: string; offset: number }> = {};
for (const step of [1, -1, 2, -4, 12, -4096])
  for (const is of ["ne", ...(step > 0 ? ["lt_s", "lt_u", "le_s", "le_u"] : ["gt_s", "gt_u", "ge_s", "ge_u"])]) {
    shapes[`${is} ${step}, last`] = {
      loop: `(loop $l (br_if $l (i32.${is} (local.tee $i (i32.add (local.get $i) (i32.const ${step}))) (local.get $n))))`,
      offset: step,
    };
    shapes[`${is} ${step}, first`] = {
      loop: `(block $out (loop $l (br_if $out (i32.eqz (i32.${is} (local.get $i) (local.get $n))))
        (local.set $i (i32.add (local.get $i) (i32.const ${step}))) (br $l)))`,
      offset: 0,
    };
    shapes[`${is} ${step}, by a local that is ahead`] = {
      loop: `(loop $l (local.set $d (i32.add (local.get $i) (i32.const 100))) (local.set $i (i32.sub (local.get $i) (i32.const ${-step})))
        (br_if $l (i32.${is} (local.get $d) (local.get $n))))`,
      offset: 100,
    };
  }

/** Turns of the loop, counted up to `most`. */
function turns(count: Count, from: number, to: number, most: number): number {
  const { is, signed } = count.goesOn;
  const as = (value: number): number => (signed ? value | 0 : value >>> 0);
  const bound = as(to);
  let value = (from + count.offset) | 0;
  for (let turn = 1; turn <= most; turn++) {
    const v = as(value);
    const goesOn =
      is === "ne" ? v !== bound : is === "lt" ? v < bound : is === "gt" ? v > bound : is === "le" ? v <= bound : v >= bound;
    if (!goesOn) return turn;
    value = (value + count.step) | 0;
  }
  return most;
}

/** The condition as a function of the counter and what it is compared with. */
function fewTurns(count: Count): (i: number, n: number) => number {
  const body = new Writer().u32(0);
  writeFewTurns(body, count);
  const module = new Writer().bytes([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0,
  ]);
  module.byte(10).sized(new Writer().u32(1).sized(body.byte(Op.end)));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()));
  return exports.f as (i: number, n: number) => number;
}

test.each(Object.entries(shapes))("%s: a loop of which is said that it makes few turns makes few", (_, { loop, offset }) => {
  const count = countIn(loop);
  if (!count) throw new Error("the loop's count is not found");
  expect(count.offset).toBe(offset);
  const few = fewTurns(count);
  const { step } = count;
  const distances = [0, 1, 2, 3, 50, MOST_TURNS - 1, MOST_TURNS, MOST_TURNS + 1, 3 * MOST_TURNS].flatMap((d) => [
    d * step,
    d * step + offset,
    d * step + 1,
    d * step - 1,
    -d * step,
  ]);
  const mustBeFew = (from: number, to: number): void => {
    const made = turns(count, from, to, 2 * MOST_TURNS);
    if (made > MOST_TURNS + 2) throw new Error(`from ${from} to ${to}: ${made} turns`);
  };
  let yes = 0;
  for (const from of corners)
    for (const distance of distances) {
      const to = (from + distance) | 0;
      if (!few(from, to)) continue;
      yes++;
      mustBeFew(from, to);
    }
  expect(yes).toBeGreaterThan(50);
  for (const to of corners.filter((_, k) => k % 4 === 0)) {
    const known = countIn(loop.replace("(local.get $n)", `(i32.const ${to})`));
    if (!known) continue; // no count: it may begin anew at the other end
    const fewToThere = fewTurns(known);
    for (const from of [...corners, to - 50 * step]) if (fewToThere(from, 0)) mustBeFew(from, to);
    expect(fewToThere((to - 50 * step - offset) | 0, 0)).toBe(1);
  }
  // What ordinary programs do.
  const from = 1_000_000;
  expect([1, 2, 100, 4000].map((n) => few(from, from + n * step + offset))).toEqual([1, 1, 1, 1]);
  expect([MOST_TURNS + 2, 1_000_000].map((n) => few(from, (from + n * step + offset) | 0))).toEqual([0, 0]);
});

test.each([
  [
    "its step is left out on some way",
    "(block $out (loop $l (br_if $out (i32.eqz (local.get $i))) (if (local.get $d) (then (local.set $i (i32.sub (local.get $i) (i32.const 1))))) (br $l)))",
  ],
  [
    "its comparison is left out on a way back",
    "(loop $l (local.set $i (i32.sub (local.get $i) (i32.const 1))) (br_if $l (local.get $d)) (br_if $l (local.get $i)))",
  ],
  [
    "a second step",
    "(loop $l (local.set $i (i32.sub (local.get $i) (i32.const 1))) (if (local.get $d) (then (local.set $i (i32.const 9)))) (br_if $l (local.get $i)))",
  ],
  [
    "what it is compared with changes",
    "(loop $l (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))",
  ],
  [
    "it goes the other way",
    "(loop $l (br_if $l (i32.gt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))",
  ],
  [
    "it goes on when they are equal",
    "(loop $l (br_if $l (i32.eq (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))",
  ],
  [
    "every number is at most the greatest",
    "(loop $l (br_if $l (i32.le_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const -1))))",
  ],
  [
    "what is compared was set on one way only",
    "(loop $l (if (local.get $n) (then (local.set $d (i32.add (local.get $i) (i32.const 1))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.ne (local.get $d) (i32.const 9))))",
  ],
  [
    "a set between what is compared and the comparison",
    "(loop $l (local.get $d) (local.set $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9) (i32.ne) (br_if $l))",
  ],
])("no count: %s", (_, loop) => {
  expect(countIn(loop)).toBeUndefined();
});
