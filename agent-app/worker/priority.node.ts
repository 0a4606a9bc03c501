// How the agent steps back behind everything else on the machine. On Linux a priority belongs to a thread: all threads there are (V8's
// compiler and collector threads too, made before we run) get a low one, and those that compute the lowest and moreover the idle classes
// of processor and disk, which get only what nobody else wants, so that the agent itself still hears at once that it must stop. Elsewhere
// the whole process gets the lowest. Where Linux shares the processor among sessions before it looks at priorities (autogroups), the
// session gets the lowest, if it is the agent's own.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

const AGENT_NICE = 10;
const WORKER_NICE = 19;

/** For the agent's process, once at its start. Not being allowed to is no error: it runs at the priority it has. */
export function lowerProcessPriority(): void {
  if (process.platform !== "linux") return attempt(() => setPriority(constants.priority.PRIORITY_LOW));
  for (const thread of readdirSync("/proc/self/task")) attempt(() => setPriority(Number(thread), AGENT_NICE));
  attempt(() => {
    // After the name in parentheses: state, parent, group, session.
    const [, , , session] = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    if (Number(session) === process.pid) writeFileSync("/proc/self/autogroup", String(WORKER_NICE));
  });
}

/** For a worker thread, once at its start, in it. @returns the thread's number, where threads have one */
export function lowerThreadPriority(): number | undefined {
  if (process.platform !== "linux") return undefined;
  let thread: number | undefined;
  attempt(() => {
    thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, WORKER_NICE);
  });
  return thread;
}

/**
 * SCHED_IDLE and the idle class of disks for a thread of ours: only programs of util-linux can ask for them, once for each thread. Without
 * them it keeps its low priority.
 */
export function idleThread(thread: number): void {
  for (const [program, ...args] of [
    ["chrt", "--idle", "--pid", "0", String(thread)],
    ["ionice", "--class", "3", "--pid", String(thread)],
  ] as const)
    execFile(program, args, () => undefined);
}

/** Processor time of a thread of ours, in milliseconds; undefined when it has ended. */
export function threadCpuMs(thread: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Not permitted, or the thread has just ended.
  }
}
