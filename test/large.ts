// A program whose one function takes an optimising compiler long, as interpreters' do, and what inlining makes of large programs.
import initWabt from "wabt";

/** A command whose loop has so many steps, which it goes through 100,000 times; its exit status depends on all of them. */
export async function large(steps: number): Promise<Uint8Array<ArrayBuffer>> {
  const local = (n: number): string => `$r${n % 16}`;
  const locals = Array.from({ length: 16 }, (_, n) => local(n));
  const step = (n: number): string => `
    (local.set ${local(n * 7)} (i32.rotl (i32.add (local.get ${local(n * 3 + 1)}) (i32.const ${n})) (i32.const ${n % 31})))
    (if (i32.gt_u (local.get ${local(n * 5)}) (i32.const ${n * 1000}))
      (then (local.set ${local(n * 11)} (i32.xor (local.get ${local(n)}) (i32.const ${n})))))`;
  const wat = `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $turn i32) ${locals.map((name) => `(local ${name} i32)`).join(" ")}
      (loop $next
        ${Array.from({ length: steps }, (_, n) => step(n)).join("")}
        (br_if $next (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 100000))))
      (call $exit (i32.and (i32.const 63)
        ${locals.reduce((sum, name) => `(i32.add ${sum} (local.get ${name}))`, "(i32.const 0)")}))))`;
  const module = (await initWabt()).parseWat("large.wat", wat);
  const { buffer } = module.toBinary({});
  module.destroy();
  return new Uint8Array(buffer);
}
