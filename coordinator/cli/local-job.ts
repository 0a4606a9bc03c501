// Runs a job on this computer without a cluster, for `exec` and `resume`: its stdin and output, saving it at intervals, moving it at
// random moments, and what signals do. What a job is, is wasm-kernels' business.

import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Checkpoint, Job, JobEnd, JobPorts } from "@nightshift/wasm-kernels/job";
import { saveCheckpoint, spawnNodeThread } from "@nightshift/wasm-kernels/job/node";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";
import { brokenPipe } from "./command-declaration.ts";
import { type LocalFolder, writeFolders } from "./local-folders.ts";
import { LocalStdin } from "./local-stdin.ts";
import { EXIT, ExitWith, errorText, exitStatusOf, faultText } from "./outcome.ts";
import { jsonSink, terminalSink } from "./sinks.ts";
import { paintFor } from "./terminal.ts";

export interface LocalRun {
  /** Starts or resumes the job with these ports. */
  begin(ports: JobPorts): Job;
  program: Uint8Array<ArrayBuffer>;
  stdinPosition: number;
  folders: readonly LocalFolder[];
  /** Where it is saved; null: nowhere. */
  checkpoint: { file: string; everyMs: number } | null;
  /** Mean time between moves; null: none. */
  migrateEveryMs: number | null;
  json: boolean;
}

/** Windows has no SIGTSTP; there a job is saved by Ctrl-C. */
const ENDING = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs it to its end or until it is stopped; always ends by ExitWith or an error. */
export async function runHere(run: LocalRun): Promise<never> {
  const sink = run.json ? jsonSink() : terminalSink();
  const stdin = new LocalStdin(run.stdinPosition);
  // Everything of our own has been loaded by now: from here on only programs are compiled, and after this one its continuations. Those are
  // needed as soon as they are there; one of a large function would else be compiled while the process counts as running, and be stopped before it has got on.
  optimiseWasm("when-called");
  const module = new WebAssembly.Module(run.program);
  optimiseWasm("at-once");
  const job = run.begin({
    spawn: spawnNodeThread,
    module,
    threads: availableParallelism(),
    write: (stream, bytes, pid) => sink.write(stream, bytes, pid),
    flushed: () => sink.ready(),
    stdin: () => stdin.next(),
    after: (ms, call) => {
      const timer = setTimeout(call, Math.min(ms, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
    now: () => Date.now(),
  });
  const timers = new Timers();
  const stopped = stopBySignal(run, job, stdin, sink, timers);
  if (run.migrateEveryMs !== null)
    timers.repeat(
      () => randomAbout(run.migrateEveryMs ?? 0),
      () => job.migrate(Math.random()),
    );
  if (run.checkpoint) {
    const { file, everyMs } = run.checkpoint;
    timers.repeat(
      () => everyMs,
      async () => {
        const checkpoint = await job.checkpoint();
        // What it says has been printed must have been, should this computer fail right after.
        await sink.ready();
        if (checkpoint) sink.event({ event: "checkpoint", file, bytes: await saveCheckpoint(file, checkpoint) });
      },
    );
  }
  const status = await Promise.race([job.ended.then((end) => finish(run, end, sink, timers)), stopped]);
  throw new ExitWith(status);
}

async function finish(run: LocalRun, end: JobEnd, sink: ReturnType<typeof terminalSink>, timers: Timers): Promise<number> {
  await timers.stop();
  await sink.ready();
  const complete = await writeFolders(run.folders, end.written);
  if (run.checkpoint && complete) await rm(run.checkpoint.file, { force: true });
  const { report, processes, moves, cpuMs } = end;
  const status = complete ? exitStatusOf(report) : EXIT.ownFailureInRun;
  sink.event({ event: "ended", report, status, processes, moves, cpuMs: Math.round(cpuMs) });
  if (report.kind === "fault") process.stderr.write(faultText(report));
  return status;
}

/** The exit status, once a signal has stopped the job and it has been saved where that was asked for. */
function stopBySignal(
  run: LocalRun,
  job: Job,
  stdin: LocalStdin,
  sink: ReturnType<typeof terminalSink>,
  timers: Timers,
): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = async (status: number): Promise<void> => {
      if (stopping) return status === EXIT.suspended ? undefined : process.exit(status);
      stopping = true;
      if (!run.checkpoint) {
        job.stop();
        return resolve(status);
      }
      const { file } = run.checkpoint;
      await timers.stop();
      const suspended = await job.suspend();
      if (!suspended) return; // it has just ended
      const { checkpoint, goOn } = suspended;
      try {
        keepBuffered(checkpoint, stdin);
        await sink.ready();
        const bytes = await saveCheckpoint(file, checkpoint);
        job.stop();
        sink.event({ event: "suspended", file, bytes, status });
        process.stderr.write(
          paintFor(process.stderr).dim(`nightshift: saved; continue with: ${resumeLine(file, run.folders)}\n`),
        );
        resolve(status);
      } catch (thrown) {
        process.stderr.write(errorText(thrown));
        if (status !== EXIT.suspended) return resolve(EXIT.ownFailureInRun);
        // Nobody wants to lose it.
        process.stderr.write("nightshift: it could not be saved and runs on\n");
        stopping = false;
        goOn();
      }
    };
    for (const [signal, status] of Object.entries(ENDING)) process.on(signal, () => void stop(status));
    if (run.checkpoint && process.platform !== "win32") process.on("SIGTSTP", () => void stop(EXIT.suspended));
    // Nobody reads any more: a program here would get SIGPIPE.
    brokenPipe.handle = (status = EXIT.brokenPipe) => {
      job.stop();
      resolve(status);
    };
  });
}

/** Input that this process has read ahead belongs to the job. */
function keepBuffered({ stdin: saved }: Checkpoint, stdin: LocalStdin): void {
  const more = stdin.buffered();
  saved.rest = Buffer.concat([saved.rest, more]);
  saved.position += more.length;
}

function resumeLine(file: string, folders: readonly LocalFolder[]): string {
  const quoted = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const dirs = folders.map(({ host, guest }) => ` --dir ${quoted(guest === "" ? host : `${host}::${guest}`)}`);
  return `nightshift resume${dirs.join("")} ${quoted(file)}`;
}

/** Exponentially distributed, as moments that have nothing to do with one another are. */
const randomAbout = (meanMs: number): number => -Math.log(1 - Math.random()) * meanMs;

/** Work done again and again, each time a delay after the last was done. What fails is told, and done again. */
class Timers {
  readonly #stop = new AbortController();
  readonly #underway: Promise<void>[] = [];

  repeat(delayMs: () => number, work: () => Promise<void>): void {
    this.#underway.push(this.#loop(delayMs, work));
  }

  /** Nothing is begun any more; resolves when what is under way is done. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#underway);
  }

  async #loop(delayMs: () => number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(delayMs(), 2 ** 31 - 1));
        const stop = (): void => {
          clearTimeout(timer);
          resolve();
        };
        if (signal.aborted) stop();
        else signal.addEventListener("abort", stop, { once: true });
      });
      if (signal.aborted) return;
      try {
        await work();
      } catch (thrown) {
        process.stderr.write(errorText(thrown));
      }
    }
  }
}
