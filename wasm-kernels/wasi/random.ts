// Random bytes that repeat: the same seed gives the same bytes on every host. Not for secrets; a program that wants those must not
// run as a deterministic process.
// Source: xoshiro128** (Blackman and Vigna 2018), seeded from a string by FNV-1a and splitmix32.

/** At once: about 40 ms, in which the process hears nobody. */
export const MAX_RANDOM_BYTES = 2 ** 24;
/** A seed is at most so long. */
const MAX_SEED = 64;
const FNV_OFFSET = 2166136261;
const fnv = (text: string, hash: number): number => {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash;
};

/** The seed of a process's nth child, from 0: its line of forks, or a digest of that where the line is long. */
export function seedOfFork(parent: string, nth: number): string {
  const line = `${parent}.${nth}`;
  if (line.length <= MAX_SEED) return line;
  return `~${[FNV_OFFSET, ~FNV_OFFSET].map((offset) => (fnv(line, offset) >>> 0).toString(36)).join("")}`;
}

export class SeededRandom {
  private readonly s: Uint32Array;

  constructor(seed: string | readonly number[]) {
    if (typeof seed !== "string") {
      this.s = Uint32Array.from(seed);
      return;
    }
    let hash = fnv(seed, FNV_OFFSET);
    this.s = new Uint32Array(4);
    for (let i = 0; i < 4; i++) {
      hash = (hash + 0x9e3779b9) | 0;
      let z = hash;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.s[i] = z ^ (z >>> 15);
    }
  }

  next(): number {
    const { s } = this;
    const times5 = Math.imul(s[1], 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.next();
      for (let k = 0; k < 4 && i + k < bytes.length; k++) bytes[i + k] = word >>> (8 * k);
    }
  }

  state(): number[] {
    return [...this.s];
  }
}
