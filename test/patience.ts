/**
 * For something that takes a moment to come about, ms. Only what hangs is to be found by it, and said: the machine may have much else to do
 * and be many times slower than the one a test was written on. Below Vitest's own limit (vitest.config.ts), which can say nothing.
 */
export const PATIENCE_MS = 120_000;
