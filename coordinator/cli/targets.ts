// How people name a process or a job: a plain number is a process (as ps shows it), j12 (or job:12) is a job. Pure.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export type Target = { pid: number; job: null } | { pid: null; job: number };

export const TARGET_RULE = "A plain number is a process (12), a number with j a job (j3), as `nightshift ps` shows them.";

/** NS_USAGE for anything else. */
export function parseTarget(text: string): Target {
  const match = /^(j|job:)?(\d{1,10})$/i.exec(text);
  const number = Number(match?.[2] ?? 0);
  if (match === null || number < 1 || number > 0x7fffffff)
    throw new NightshiftError("NS_USAGE", `'${text}' is neither a process nor a job`, { details: { remedy: TARGET_RULE } });
  return match[1] === undefined ? { pid: number, job: null } : { pid: null, job: number };
}

/** A job's number, with or without the j. NS_USAGE. */
export function parseJob(text: string): number {
  const { pid, job } = parseTarget(text);
  return job ?? pid;
}

/** A process's number. NS_USAGE, also for a job. */
export function parsePid(text: string): number {
  const { pid, job } = parseTarget(text);
  if (pid === null)
    throw new NightshiftError("NS_USAGE", `j${job} is a job; one process is needed`, { details: { remedy: TARGET_RULE } });
  return pid;
}
