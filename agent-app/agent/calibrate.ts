// How fast one slot of this host is: a fixed mix of integer, floating-point and memory work, the same on every host, so that the
// numbers can be compared with each other (not with anything else).

const TABLE_WORDS = 1 << 14;
const ROUND_STEPS = 200_000;

/**
 * Millions of steps a second of one core: the best of `rounds` rounds, because whatever else runs on the machine can only make a round
 * slower. Takes about 10 ms a round.
 */
export function measureSpeed(now: () => number, rounds = 15): number {
  const table = new Int32Array(TABLE_WORDS);
  let best = 0;
  let sink = work(table, ROUND_STEPS); // warm-up: the first round runs in slower code
  for (let round = 0; round < rounds; round++) {
    const began = now();
    for (let i = 0; i < 10; i++) sink ^= work(table, ROUND_STEPS);
    best = Math.max(best, (10 * ROUND_STEPS) / 1000 / Math.max(now() - began, 0.001));
  }
  return best + (sink === 0.5 ? 1 : 0); // the sum is used, so that the work is not left out
}

function work(table: Int32Array, steps: number): number {
  let x = 88172645;
  let f = 1.5;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    table[x & (TABLE_WORDS - 1)] += i;
    f = f * 1.0000001 + 0.25 / (f + 1);
  }
  return (x + table[x & (TABLE_WORDS - 1)] + Math.floor(f)) | 0;
}
