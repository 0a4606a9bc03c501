// What the owner of a PC notices, measured: a real coordinator and headless agent compute on every core behind a real X display, the owner
// (xdotool) touches something, and the processor time of the threads that compute is read about once a millisecond until it stands
// still; the owner's own program with and without the agent; and what the agent costs while it is paused.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { must, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import { parseLink } from "../../protocol/index.ts";
import { median } from "../../server/experiment-figures.ts";
import { askAgent } from "../agent-control.ts";
import { openClient } from "../connect.ts";
import { type Machine, machine } from "../experiment.ts";
import { percentile } from "../experiment-figures.ts";
import { startAgent } from "../local-agents.ts";
import { compileOptions, uploadProgram } from "../program-file.ts";
import { Desktop } from "./desktop.ts";

const run = promisify(execFile);
const FOREGROUND = fileURLToPath(new URL("./foreground.ts", import.meta.url));

/** One loop without a call, long enough for every measurement. */
const PROGRAM = "longloop";
const ROUNDS = "100000000000";
const AGENT = "owner-bench";
/** The threads that compute have stopped when none of them has used any processor time for this long. */
const STILL_MS = 200;
/** And if they have not after this, that is the figure. */
const GIVE_UP_MS = 5_000;
const SAMPLE_MS = 1;
const START_MS = 60_000;
/** The grace time, the minute for which an agent keeps threads that have nothing to do, and a little. */
const THREADS_GONE_MS = 65_000;

export interface Spread {
  median: number;
  p99: number;
  max: number;
}

export interface OwnerFigures {
  machine: Machine;
  /** Load of the machine by everything else when it began, processes that want a processor. */
  loadBefore: number;
  slots: number;
  samples: number;
  /** From the owner's input until the threads that compute use no processor time, milliseconds. */
  inputToStill: Spread;
  /** From the agent's hearing of it until its last process has said that it stopped, milliseconds. */
  signalToStopped: Spread;
  /** Seconds of the owner's own program on every core: agent stopped dead; computing at low priority; paused. Medians. */
  foreground: { without: number; computing: number; paused: number; rounds: number };
  /** The agent while it is paused: percent of one core with nobody at the machine, and while the mouse is moved all the time. */
  pausedCpuPercent: number;
  pausedWithMouseCpuPercent: number;
  pausedResidentBytes: number;
}

export interface OwnerOptions {
  samples: number;
  rounds: number;
  /** How long the paused agent is watched. */
  watchMs: number;
  progress(text: string): void;
}

/** @throws NS_HOST_UNAVAILABLE when the agent does not compute */
export async function measureOwner(options: OwnerOptions): Promise<OwnerFigures> {
  const { samples, progress } = options;
  const loadBefore = loadavg()[0] ?? 0;
  const home = await mkdtemp(join(tmpdir(), "nightshift-bench-"));
  const desktop = await Desktop.start();
  const hands = desktop.hands();
  const slots = availableParallelism();
  const { startCoordinator } = await import("../../server/index.ts");
  const coordinator = await startCoordinator({ home, port: 0 });
  const stops: number[] = [];
  const folder = join(home, "agents", AGENT);
  mkdirSync(folder, { recursive: true });
  await writeFile(join(folder, "settings.json"), JSON.stringify({ version: 1, settings: SETTINGS }));
  await writeFile(join(home, "policy.json"), JSON.stringify({ version: 1 }));
  const starting = { name: AGENT, home, slots, link: coordinator.hostLink, policy: join(home, "policy.json"), env: desktop.env };
  // From its second start on an agent is what it is on people's computers: its code is kept, nothing of it has to be read as TypeScript.
  const first = startAgent(starting, () => undefined);
  await first.joined;
  await first.stop();
  const agent = startAgent(starting, (event, details) => {
    if (event === "stopped") stops.push(Number(details.ms));
  });
  try {
    await agent.joined;
    const { pid, path } = JSON.parse(readFileSync(join(folder, "control.json"), "utf8")) as { pid: number; path: string };
    const set = async (settings: object): Promise<void> => {
      const answer = await askAgent(path, { command: "set", settings });
      if (!answer.ok) throw new NightshiftError("NS_INTERNAL", `the agent refuses its settings: ${answer.message}`);
    };
    const computing = async (): Promise<void> => {
      const deadline = performance.now() + START_MS;
      while ((await askAgent(path, { command: "status" })).status?.running !== slots) {
        if (performance.now() > deadline) throw new NightshiftError("NS_HOST_UNAVAILABLE", "the agent does not compute");
        await sleep(20);
      }
      await sleep(50); // every process is in its loop
    };
    progress("compiling the program");
    const { compile } = await import("@nightshift/wasm-kernels/toolchain");
    const { wasm } = await compile(compileOptions([programNamed(PROGRAM).source], {}));
    const client = await openClient(parseLink(coordinator.adminLink), home);
    try {
      const { program } = await uploadProgram(client, wasm);
      for (let at = 0; at < slots; at++) await client.request("submit", { ...JOB, program });
      await computing();

      const stills: number[] = [];
      for (let at = 1; at <= samples; at++) {
        progress(`input ${at} of ${samples}`);
        await computing();
        stills.push(await timeToStill(pid, () => hands.input(at % 2 === 0 ? "key a" : "mousemove_relative 3 3")));
      }

      const seconds = { without: [] as number[], computing: [] as number[], paused: [] as number[] };
      const steps = await stepsForOneSecond(slots);
      const work = (): Promise<number> => foreground(slots, steps);
      for (let round = 1; round <= options.rounds; round++) {
        progress(`the owner's own program, round ${round} of ${options.rounds}`);
        await set({ mode: "always", idleAfterSeconds: 3600 });
        await computing();
        seconds.computing.push(await work());
        process.kill(pid, "SIGSTOP");
        try {
          seconds.without.push(await work());
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await set({ mode: "idle" });
        hands.input("key a");
        await sleep(500);
        seconds.paused.push(await work());
      }

      progress("the agent while it is paused, its processes gone and its threads with them");
      await set({ graceSeconds: 1 });
      await sleep(THREADS_GONE_MS);
      const held = (await askAgent(path, { command: "status" })).status?.processes.length;
      if (held !== 0) throw new NightshiftError("NS_INTERNAL", `the paused agent still holds ${held} processes`);
      const quiet = await cpuPercent(pid, options.watchMs);
      const mouse = setInterval(() => hands.input("mousemove_relative 1 0\nmousemove_relative -- -1 0"), 10);
      const moved = await cpuPercent(pid, options.watchMs).finally(() => clearInterval(mouse));
      const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
      return {
        machine: machine(),
        loadBefore,
        slots,
        samples,
        inputToStill: spread(stills),
        signalToStopped: spread(stops.slice(0, samples)),
        foreground: {
          without: median(seconds.without),
          computing: median(seconds.computing),
          paused: median(seconds.paused),
          rounds: options.rounds,
        },
        pausedCpuPercent: quiet,
        pausedWithMouseCpuPercent: moved,
        pausedResidentBytes: Number(must(resident, "the agent's memory")[1]) * 1024,
      };
    } finally {
      client.close();
    }
  } finally {
    hands.close();
    await agent.stop();
    await coordinator.close();
    await desktop.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** The owner is away after a second, processes stay, and nothing but the owner stands against computing. */
const SETTINGS = {
  mode: "idle",
  idleAfterSeconds: 1,
  startAfterSeconds: 0,
  graceSeconds: 3600,
  coresPercentPresent: 100,
  busyAbovePercent: 100,
  memoryFreeAbovePercent: 0,
  diskFreeAboveMegabytes: 0,
  batteryAbovePercent: 0,
  coolBelowCelsius: 120,
  onMeteredNetwork: true,
};

const JOB = {
  name: PROGRAM,
  args: [PROGRAM, ROUNDS],
  env: {},
  files: {},
  memoryLimitBytes: 2 ** 28,
  cpuLimitMs: 0,
  clock: "virtual" as const,
  startOn: null,
  stay: true,
  stdin: false,
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  p99: percentile(values, 0.99),
  max: Math.max(...values),
});

/** Threads of the lowest priority are those that compute. */
function workers(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).filter((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[16] === "19";
  });
}

/** Processor time in nanoseconds. */
const threadTime = (pid: number, thread: string): number =>
  Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);

/** Milliseconds from the input to the last sample at which a thread that computes had used processor time. */
async function timeToStill(pid: number, input: () => void): Promise<number> {
  const threads = workers(pid);
  const used = (): number => threads.reduce((sum, thread) => sum + threadTime(pid, thread), 0);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const began = performance.now();
  input();
  await new Promise((resolve) => setImmediate(resolve)); // it is written
  let last = used();
  let lastAt = began;
  for (;;) {
    Atomics.wait(pause, 0, 0, SAMPLE_MS);
    const now = used();
    const at = performance.now();
    if (now !== last) lastAt = at;
    last = now;
    if (at - lastAt > STILL_MS || at - began > GIVE_UP_MS) return lastAt - began;
  }
}

/** The steps that one thread of the owner's program takes a second for, with the agent paused. */
async function stepsForOneSecond(threads: number): Promise<number> {
  const STEPS = 2e8;
  return Math.round(STEPS / (await foreground(threads, STEPS)));
}

async function foreground(threads: number, steps: number): Promise<number> {
  const { stdout } = await run(process.execPath, [FOREGROUND, String(threads), String(steps)]);
  return Number(stdout);
}

/** Of one core, by all threads of the process. */
async function cpuPercent(pid: number, ms: number): Promise<number> {
  const used = (): number => readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + threadTime(pid, thread), 0);
  const [before, began] = [used(), performance.now()];
  await sleep(ms);
  return (100 * (used() - before)) / 1e6 / (performance.now() - began);
}
