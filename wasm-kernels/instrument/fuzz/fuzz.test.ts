// Random programs (generator.ts), each as its plain module, migratable, and migratable with stops at random polls, every stop going through
// an image into a fresh instance. All three must print the same bytes and end the same way.
//
// FUZZ_PROGRAMS=5000 FUZZ_SEED=1 npx vitest run fuzz     for a night
import { expect, test } from "vitest";
import { Program, requestStop, runLocally, runPlain } from "../../process/index.ts";
import { instrument } from "../index.ts";
import { randomFrom, randomProgram } from "./generator.ts";

const PROGRAMS = Number(process.env.FUZZ_PROGRAMS ?? 150);
const FIRST_SEED = Number(process.env.FUZZ_SEED ?? 1);
/** So many stops of one run are survived at most: each costs about a millisecond. */
const MOST_MOVES = 40;

/** With doors to loops in the smallest functions (doors.ts). */
const EVERY_LOOP = 0;

/** Seeds of programs that once came out wrong. */
const REGRESSIONS: readonly number[] = [];

const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("latin1");

function check(seed: number): { moves: number; output: number } {
  const module = randomProgram(seed);
  const plain = runPlain({ module: new WebAssembly.Module(module), args: ["fuzz"], now: () => 0 });
  const program = new Program(`${seed}`, instrument(module, seed % 2 === 0 ? EVERY_LOOP : undefined).wasm);
  const base = { program, args: ["fuzz"], cpuNow: () => 0, now: () => 0 };
  const random = randomFrom(seed ^ 0x5eed);
  let control: SharedArrayBuffer | undefined;
  let moves = 0;
  const stops = { ...base, beforeRun: (current: SharedArrayBuffer) => arm(current), onOutput: () => arm(control) };
  const arm = (current: SharedArrayBuffer | undefined): void => {
    control = current;
    if (control && moves < MOST_MOVES && random() < 0.5) requestStop(control);
  };
  const undisturbed = runLocally(base);
  const moved = runLocally({ ...stops, moveAt: () => random() < 0.7 && moves++ < MOST_MOVES });
  const how = (stop: object): unknown => ({ ...stop, wasmStack: [] });
  const expected = { seed, output: text(plain.stdout), stop: how(plain.stop) };
  expect({ seed, output: text([undisturbed.stdout]), stop: how(undisturbed.stop) }).toEqual(expected);
  expect({ seed, output: text([moved.stdout]), stop: how(moved.stop) }).toEqual(expected);
  return { moves: moved.moves, output: expected.output.length };
}

test(`${PROGRAMS} random programs from seed ${FIRST_SEED} on, stopped at random polls and moved, do what their plain modules do`, {
  timeout: 0,
}, () => {
  let moves = 0;
  let output = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const result = check(seed);
    moves += result.moves;
    output += result.output;
  }
  console.log(`${PROGRAMS} programs, ${moves} moves, ${output} bytes of output`);
  expect(moves).toBeGreaterThan(PROGRAMS);
});

test.each(REGRESSIONS)("seed %i once came out wrong", (seed) => {
  check(seed);
});
