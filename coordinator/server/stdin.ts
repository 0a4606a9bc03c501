// Standard input on its way from a client to a job: when the job has no room for it, the request waits for some.
import type { Params } from "../protocol/index.ts";
import type { Coordinator } from "./coordinator.ts";

/** Below what clients and what lies between wait for an answer; whoever hears that nothing was taken asks again. */
const WAIT_MS = 5_000;

/**
 * Takes what there is room for, and waits for room or the job's end when there is none: asking again and again would cost as long as most programs
 * take for what they have.
 * @param waitMs at most
 * @returns how many bytes were taken; 0 when the time is over
 * @throws NS_NO_SUCH_JOB
 */
export async function takeStdin(
  coordinator: Coordinator,
  { job, offset, bytes, end }: Params<"stdin">,
  waitMs: number = WAIT_MS,
): Promise<number> {
  const take = (): number => coordinator.apply((core) => core.stdin(job, offset, bytes, end));
  const accepted = take();
  if (accepted > 0 || bytes.length === 0) return accepted;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    const stop = coordinator.follow(job, ({ event }) => {
      if (event === "stdin" || event === "ended") done();
    });
  });
  return take();
}
