// How people name a process, a job or a part of one: a plain number is a process (as ps shows it), j12 (or job:12) is a job, j12.3 its third
// part. Pure.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

/** As requests take it. */
export type Target = { pid: number; job: null; part?: undefined } | { pid: null; job: number; part?: number };

export const TARGET_RULE =
  "A plain number is a process (12), a number with j a job (j3), j3.2 its part 2, as `nightshift ps` shows them.";

/** NS_USAGE for anything else. */
export function parseTarget(text: string): Target {
  const match = /^(?:(j|job:)?(\d{1,10})|(?:j|job:)(\d{1,10})\.(\d{1,6}))$/i.exec(text);
  const number = Number(match?.[2] ?? match?.[3] ?? 0);
  const part = match?.[4] === undefined ? undefined : Number(match[4]);
  if (match === null || number < 1 || number > 0x7fffffff || part === 0)
    throw new NightshiftError("NS_USAGE", `'${text}' is neither a process nor a job`, { details: { remedy: TARGET_RULE } });
  if (part !== undefined) return { pid: null, job: number, part };
  return match[1] === undefined ? { pid: number, job: null } : { pid: null, job: number };
}

/** A job's number, with or without the j. NS_USAGE. */
export function parseJob(text: string): number {
  const { pid, job, part } = parseTarget(text);
  if (part !== undefined)
    throw new NightshiftError("NS_USAGE", `${text} is a part of a job; the whole job is needed`, {
      details: { remedy: TARGET_RULE },
    });
  return job ?? pid;
}

/** A process's number. NS_USAGE, also for a job. */
export function parsePid(text: string): number {
  const { pid, job } = parseTarget(text);
  if (pid === null)
    throw new NightshiftError("NS_USAGE", `j${job} is a job; one process is needed`, { details: { remedy: TARGET_RULE } });
  return pid;
}
