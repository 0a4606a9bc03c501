// What it takes to go on in the largest functions of programs, with doors and without: node test/continuation-figures.ts FILE.wasm...
// Of each program's largest function with a loop, the continuation of its first loop: how large it is, and the processor time until it is compiled.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { buildContinuation, instrument, MigratableModule } from "@nightshift/wasm-kernels/instrument";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";

optimiseWasm();

interface Figures {
  functionKiB: number;
  continuationKiB: number;
  compiledMs: number;
}

function figures(plain: Uint8Array, doorsFrom?: number): Figures {
  const program = new MigratableModule(instrument(plain, doorsFrom).wasm);
  const imported = program.module.importedFunctions.length;
  const bytes = (func: number): number => {
    const { start, end } = program.module.bodies[func - imported];
    return end - start;
  };
  const loops = program.facts.sites.filter(({ kind }) => kind === "loop").sort((a, b) => bytes(b.func) - bytes(a.func));
  const [largest] = loops;
  if (!largest) throw new Error("the program has no loop");
  const site = loops.reduce((first, other) => (other.func === first.func && other.id < first.id ? other : first), largest);
  const code = buildContinuation(program, site);
  const before = process.cpuUsage();
  new WebAssembly.Module(code);
  const { user, system } = process.cpuUsage(before);
  return { functionKiB: bytes(site.func) / 1024, continuationKiB: code.length / 1024, compiledMs: (user + system) / 1000 };
}

console.log("| program | function | continuation | compiled in | with doors | compiled in |\n|---|---:|---:|---:|---:|---:|");
for (const file of process.argv.slice(2)) {
  const plain = new Uint8Array(readFileSync(file));
  const [without, withDoors] = [figures(plain, Number.POSITIVE_INFINITY), figures(plain)];
  const cells = [`${without.functionKiB.toFixed(0)} KiB`];
  for (const { continuationKiB, compiledMs } of [without, withDoors])
    cells.push(`${continuationKiB.toFixed(0)} KiB`, `${compiledMs.toFixed(compiledMs < 10 ? 1 : 0)} ms`);
  console.log(`| ${basename(file, ".wasm")} | ${cells.join(" | ")} |`);
}
