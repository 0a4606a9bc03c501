// How the agent steps back behind everything else on the machine. On Linux a priority belongs to a thread: all threads there are (V8's
// compiler and collector threads too, made before we run) get a low one, and those that compute the lowest and moreover the idle classes
// of processor and disk, which get only what nobody else wants, so that the agent itself still hears at once that it must stop. Elsewhere
// the whole process gets the lowest. Where Linux shares the processor among sessions before it looks at priorities (autogroups), the
// session gets the lowest, if it is the agent's own. On Windows disks and memory, too, serve the process after others. When memory runs out, Linux ends the agent before the owner's programs. Where nobody sits, an agent may compute as any other program does instead.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

const AGENT_NICE = 10;
const WORKER_NICE = 19;
/** Of at most 1000: what everything else that could be ended has less of, desktop and browsers with their 100 to 300 included. */
const OOM_SCORE = 800;

/** owner.exe asks and ends. */
const LOWER_MS = 10_000;

/** What the agent computes with: what nobody else wants, or its fair share, as any other program. */
export const PRIORITIES = ["idle", "normal"] as const;
export type Priority = (typeof PRIORITIES)[number];

/**
 * For the agent's process, once at its start. Not being allowed to is no error: it runs at the priority it has.
 * @param ownerProgram path of owner.exe, which asks Windows for what Node cannot
 */
export function lowerProcessPriority(ownerProgram?: string): void {
  if (process.platform !== "linux") {
    attempt(() => setPriority(constants.priority.PRIORITY_LOW));
    if (ownerProgram !== undefined)
      execFile(ownerProgram, ["lower", String(process.pid)], { windowsHide: true, timeout: LOWER_MS }, () => undefined);
    return;
  }
  for (const thread of readdirSync("/proc/self/task")) attempt(() => setPriority(Number(thread), AGENT_NICE));
  attempt(() => writeFileSync("/proc/self/oom_score_adj", String(OOM_SCORE)));
  attempt(() => {
    // After the name in parentheses: state, parent, group, session.
    const [, , , session] = readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    if (Number(session) === process.pid) writeFileSync("/proc/self/autogroup", String(WORKER_NICE));
  });
}

/** @returns the number of the thread that asks, where threads have one */
export function threadNumber(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return undefined;
  }
}

/**
 * For a thread of ours that computes, once. SCHED_IDLE and the idle class of disks only programs of util-linux can ask for; without them it
 * has the lowest priority there is.
 */
export function lowerThreadPriority(thread: number): void {
  attempt(() => setPriority(thread, WORKER_NICE));
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
