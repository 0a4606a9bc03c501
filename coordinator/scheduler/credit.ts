// What a host has earned by computing. Thanks, not money: a host says itself how fast it is and how long it computed, so both are held
// within what can be true. Only what is kept (an image or an end that was accepted) earns; what is lost and done again earns once.

/** Speed of an ordinary office PC's core, in HostInfo.speed's unit: with it an hour of one core is one credit. */
const UNIT_SPEED = 200;
/** Faster than any core there is: what a host says beyond it is not believed. */
const MAX_SPEED = 20 * UNIT_SPEED;
/** Clocks of two machines, and messages under way. */
const SLACK_MS = 5000;

export interface Earned {
  /** Id of the host. */
  host: string;
  /** Milliseconds of one core. */
  cpuMs: number;
  /** Hours of one core of an ordinary office PC. */
  credit: number;
}

/**
 * @param cpuMs processor time of the process as it is kept now, and
 * @param keptCpuMs as it was kept before
 * @param passedMs since the host has it, or since the last time it earned by it
 */
export function earned(
  host: { id: string; speed: number },
  cpuMs: number,
  keptCpuMs: number,
  passedMs: number,
): Earned | undefined {
  const spent = Math.min(cpuMs - keptCpuMs, passedMs + SLACK_MS);
  if (!(spent > 0)) return undefined;
  return { host: host.id, cpuMs: spent, credit: ((spent / 3_600_000) * Math.min(host.speed, MAX_SPEED)) / UNIT_SPEED };
}
