// A program beside the agent that says what it sees, a line for each change: started again when it ends, ended when it hangs. What it says is
// believed only while it runs.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";

const RETRY_MS = 10_000;
/** A line is some 60 characters: a program that writes longer ones is not ours. */
const MAX_LINE = 200;

export interface Teller {
  /** For the log. */
  source: string;
  command: string;
  args: readonly string[];
  /** @param nowMs on the clock of the signals @returns undefined: it is none */
  parse(line: string, nowMs: number): Signals | undefined;
  /** What nobody knows any more when it has ended. */
  unknown: Signals;
  /** It says something more often than this, or it hangs; absent: it may be silent. */
  silentMs?: number;
  /** Ends when its input does, also when this agent is killed; else it is killed. */
  endsWithInput: boolean;
  /** @param answer writes it a line */
  heard?(signals: Signals, answer: () => void): void;
  /** It has ended. @param spoke whether it had said anything @returns false: it is not to be started again */
  ended?(spoke: boolean): boolean;
}

export function watchLines(watch: Watch, teller: Teller): Source {
  const { source, command, args, silentMs } = teller;
  let close = (): void => undefined;
  let closed = false;
  let missing = false;
  const start = (): void => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"], windowsHide: true });
    child.stdin.on("error", () => undefined);
    let over = false;
    let spoke = false;
    let timer: NodeJS.Timeout | undefined;
    let silent: NodeJS.Timeout | undefined;
    const expect = (): void => {
      clearTimeout(silent);
      if (silentMs !== undefined && !over && !closed) silent = setTimeout(() => child.kill("SIGKILL"), silentMs);
    };
    expect();
    const ended = (message: string): void => {
      if (over || closed) return;
      over = true;
      clearTimeout(silent);
      watch.update(teller.unknown);
      if (!missing) watch.log("signals-missing", { source, message });
      missing = true;
      if (teller.ended?.(spoke) === false) return;
      timer = setTimeout(() => {
        watch.update({ ending: undefined }); // it did not end then
        start();
      }, RETRY_MS);
    };
    child.once("error", ({ message }) => ended(message));
    child.once("exit", (code) => ended(`${command} ended with ${code}`));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const told = line.length > MAX_LINE ? undefined : teller.parse(line.trim(), watch.now());
      if (!told || over || closed) return;
      missing = false;
      spoke = true;
      expect();
      watch.update(told);
      teller.heard?.(told, () => child.stdin.write("\n"));
    });
    close = () => {
      clearTimeout(timer);
      clearTimeout(silent);
      if (teller.endsWithInput) child.stdin.end();
      else child.kill();
    };
  };
  start();
  return {
    close: () => {
      closed = true;
      close();
    },
  };
}
