// Headless agents as child processes of the command: how one is started, confined to a processor core, heard and ended. The agent
// itself is a program of its own; nothing of it is imported here.
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const AGENT_PROGRAM = fileURLToPath(new URL("../../agent-app/headless/main.ts", import.meta.url));
/** After SIGTERM; an agent ends within milliseconds. */
const STOP_GRACE_MS = 3_000;

export interface AgentOptions {
  link: string;
  home: string;
  name?: string;
  slots?: number;
  pool?: string;
  /** Core it is confined to, where the system can (`taskset`). */
  cpu?: number | null;
  /** When to compute: idle, locked, always, never; as its settings say unless told. */
  mode?: string;
  /** false: it looks at nothing of the machine and computes until it is paused by hand. */
  signals?: false;
  /** The administrator's policy file, instead of where it belongs. */
  policy?: string;
  env?: NodeJS.ProcessEnv;
  json?: boolean;
}

/** Whether a program can be confined to a core here. */
export function canConfine(): boolean {
  return process.platform === "linux" && spawnSync("taskset", ["-V"], { stdio: "ignore" }).status === 0;
}

/** The words that start a program on one core; as it is where that is not possible. */
export function confined(cpu: number | null | undefined, command: readonly string[]): [string, ...string[]] {
  const words = cpu === null || cpu === undefined ? command : ["taskset", "-c", String(cpu), ...command];
  return words as [string, ...string[]];
}

export function spawnAgent(options: AgentOptions, stdio: StdioOptions): ChildProcess {
  const { link, home, name, pool, slots, cpu, mode, signals, policy, env, json } = options;
  const [command, ...args] = confined(cpu, [
    process.execPath,
    AGENT_PROGRAM,
    ...["--home", home],
    ...(name === undefined ? [] : ["--name", name]),
    ...(pool === undefined ? [] : ["--pool", pool]),
    ...(slots === undefined ? [] : ["--slots", String(slots)]),
    ...(mode === undefined ? [] : ["--mode", mode]),
    ...(signals === false ? ["--no-signals"] : []),
    ...(policy === undefined ? [] : ["--policy", policy]),
    ...(json ? ["--json"] : []),
  ]);
  // A session of its own, unless it was started to compute now: Linux shares the processor among sessions first.
  return spawn(command, args, {
    stdio,
    detached: process.platform === "linux" && signals !== false,
    // Not among the words, which every user of this computer can read.
    env: { ...(env ?? process.env), NIGHTSHIFT_JOIN: link },
  });
}

export interface LocalAgent {
  name: string;
  /** Resolves when it has joined; rejects when it ended before. */
  joined: Promise<void>;
  /** Its exit code, or signal. */
  ended: Promise<number | string>;
  stop(): Promise<void>;
}

/** Starts an agent whose events are heard instead of shown; its errors go to stderr. */
export function startAgent(
  options: AgentOptions & { name: string },
  onEvent: (event: string, details: Record<string, unknown>) => void,
): LocalAgent {
  const child = spawnAgent({ ...options, json: true }, ["ignore", "pipe", "inherit"]);
  const joined = Promise.withResolvers<void>();
  joined.promise.catch(() => undefined);
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? code ?? 1));
  });
  void ended.then((how) => joined.reject(new Error(`the agent ${options.name} ended (${how})`)));
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { event, ...details } = parseEvent(line);
      if (event === "connected") joined.resolve();
      onEvent(event, details);
    });
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await ended;
    clearTimeout(kill);
  };
  return { name: options.name, joined: joined.promise, ended, stop };
}

function parseEvent(line: string): { event: string } & Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && "event" in value && typeof value.event === "string")
      return value as { event: string };
  } catch {
    // not a line of ours
  }
  return { event: "said", text: line };
}
