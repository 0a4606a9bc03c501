// How the agent steps back behind everything else on the machine. On Linux a priority belongs to a thread: all threads there are (V8's
// compiler and collector threads too, made before we run) get a low one, and those that compute the lowest, so that the agent itself still
// hears at once that it must stop. Elsewhere the whole process gets the lowest.
import { readdirSync, readlinkSync } from "node:fs";
import { constants, setPriority } from "node:os";

const AGENT_NICE = 10;
const WORKER_NICE = 19;

/** For the agent's process, once at its start. Not being allowed to is no error: it runs at the priority it has. */
export function lowerProcessPriority(): void {
  if (process.platform !== "linux") return attempt(() => setPriority(constants.priority.PRIORITY_LOW));
  for (const thread of readdirSync("/proc/self/task")) attempt(() => setPriority(Number(thread), AGENT_NICE));
}

/** For a worker thread, once at its start. */
export function lowerThreadPriority(): void {
  if (process.platform !== "linux") return;
  attempt(() => {
    const thread = readlinkSync("/proc/thread-self").split("/").at(-1);
    setPriority(Number(thread), WORKER_NICE);
  });
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Not permitted, or the thread has just ended.
  }
}
