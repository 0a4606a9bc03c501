// The formula of the published experiment, the figures published there, and what its program must print. Pure.

/** Dedicated Linux "Amun", Windows PC "Ipc256" with coLinux and openMosix: seconds, mean of four runs. Overhead as printed there. */
export const PUBLISHED = { ta: 436.25, ti: 778.75, tb: 285.25, overhead: 0.0201 } as const;

/**
 * What both hosts together lose against the sum of their speeds: tb/ta + tb/ti - 1. In time tb the first host could have done tb/ta
 * of the work and the second tb/ti; whatever this exceeds the whole work (1) by was lost. A fraction.
 */
export function overhead(ta: number, ti: number, tb: number): number {
  return tb / ta + tb / ti - 1;
}

/** The middle value, or the mean of the two in the middle; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length === 0
    ? 0
    : sorted.length % 2 === 1
      ? (sorted[half] ?? 0)
      : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

/** The n-th root of the product. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** What fork-fibonacci prints: for each id the n-th number of the sequence that starts with id+1, 2*id+1, modulo 2^64. */
export function expectedOutput(n: number, forks: number): string {
  return Array.from({ length: 2 ** forks }, (_, id) => {
    let [a, b] = [BigInt(id + 1), BigInt(2 * id + 1)];
    for (let at = 0; at < n; at++) [a, b] = [b, BigInt.asUintN(64, a + b)];
    return `process ${String(id).padStart(2, "0")} seeds ${id + 1} ${2 * id + 1} fib(${n}) = ${a}\n`;
  }).join("");
}
