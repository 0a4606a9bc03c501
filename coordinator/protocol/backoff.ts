// How long to wait before trying to connect again. Pure: the attempt's number and the random number come in, milliseconds come out.

/** 500 ms doubles to the cap of 30 s in six steps; 300 hosts then come back at about 20 a second on average. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;

/**
 * Full jitter: random * min(cap, base * 2^attempt), in whole milliseconds from 0 to the cap. Of the variants compared in Marc
 * Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), it spreads clients that lost the same server best.
 * @param attempt failures in a row before this wait, from 0
 * @param random from 0 up to but excluding 1
 */
export function backoffMs(attempt: number, random: number, baseMs = BACKOFF_BASE_MS, capMs = BACKOFF_CAP_MS): number {
  return Math.floor(random * Math.min(capMs, baseMs * 2 ** attempt));
}
