// `nightshift exec`: a program on this computer alone, in the runtime it would have on the cluster.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { withMemoryLimit } from "@nightshift/wasm-kernels/instrument";
import { Job, type JobSpec } from "@nightshift/wasm-kernels/job";
import { type Command, Option } from "commander";
import { type CommonOptions, collect, declare } from "../command-declaration.ts";
import { parseFolders, readFolders } from "../local-folders.ts";
import { runHere } from "../local-job.ts";
import { localProgram } from "../local-program.ts";
import { addCompilerFlags, type CompilerFlags, environment, namedProgram, pinOption, sha256 } from "../program-file.ts";
import { parseBytes, parseCount, parseDurationMs } from "../quantities.ts";

interface ExecOptions extends CommonOptions, CompilerFlags {
  memory: string;
  timeout?: string;
  env?: string[];
  dir?: string[];
  clock: "virtual" | "host";
  checkpoint?: string;
  every: string;
  migrateEvery?: string;
  pin?: boolean;
}

export function execCommand(): Command {
  const command = declare({
    usage: "exec <file> [args...]",
    description: "run a program on this computer, without a cluster",
    examples: [
      "nightshift exec hello.c",
      "nightshift exec --dir data prog.wasm < input > output",
      "nightshift exec --checkpoint long.nscp --every 1m long.wasm",
      "nightshift exec --migrate-every 20 fork-fibonacci 30",
    ],
    notes: [
      "FILE is a C or C++ source, a .wasm module (plain or migratable) or a bundled program. Options before FILE are Nightshift's;",
      "everything after it is the program's. stdin, stdout and stderr are the program's own, byte for byte; fork() works, and processes run",
      "on as many cores as there are.",
      "",
      "With --checkpoint the job is saved while it runs: all its processes at one moment, with everything `nightshift resume` needs, on",
      "any computer. FILE must not exist yet, and is removed when the program ends. SIGTSTP (Ctrl-Z) saves it and leaves with status 148; SIGINT,",
      "SIGTERM and SIGHUP save it and leave as usual; a second one leaves at once. After those resume goes on exactly there. After a crash it",
      "goes on from the last save: what was printed since then is printed again.",
      "",
      "--dir reads all files of HOST, which the program sees in its directory, or below GUEST there. What it writes there comes",
      "back to HOST when it ends, never outside of HOST; links are left out, and files it removes stay. Other files it writes are forgotten.",
      "",
      "A program that cannot be moved (docs/MIGRATION.md says which) is refused, unless with --pin: then it runs, but can be neither saved nor moved.",
      "",
      "Exit status: the program's own; 128 + signal after a trap or signal; 125 when Nightshift failed; 130 after Ctrl-C; 148 when suspended.",
    ].join("\n"),
    json: [
      'one JSON object a line: {"event":"output", stream, pid, text or base64}, {"event":"checkpoint", file, bytes},',
      '{"event":"suspended", file, bytes, status}, {"event":"ended", report, status, processes, moves, cpuMs}.',
    ].join("\n"),
    coordinator: false,
  })
    .passThroughOptions()
    .option("-m, --memory <size>", "most memory a process may have", "1GiB")
    .option("-t, --timeout <duration>", "most CPU time a process may use (default: any)")
    .option("-e, --env <key=value>", "an environment variable for the program (repeatable)", collect)
    .option("--dir <host[::guest]>", "a folder of files for the program (repeatable)", collect)
    .addOption(
      new Option("--clock <clock>", "virtual: repeatable time; host: real time").choices(["virtual", "host"]).default("virtual"),
    )
    .option("--checkpoint <file>", "save the job there while it runs")
    .option("--every <duration>", "how often it is saved", "10s")
    .addOption(pinOption())
    .option("--migrate-every <ms>", "move a process to a fresh thread at random moments about so many milliseconds apart");
  return addCompilerFlags(command).action(exec);
}

async function exec(file: string, args: string[], options: ExecOptions): Promise<void> {
  const folders = parseFolders(options.dir ?? []);
  const everyMs = parseDurationMs(options.every);
  const checkpoint = options.checkpoint === undefined ? null : { file: resolve(options.checkpoint), everyMs };
  const migrateEveryMs = options.migrateEvery === undefined ? null : parseMoves(options.migrateEvery);
  if (checkpoint && existsSync(checkpoint.file))
    throw new NightshiftError("NS_BAD_FILE", `${options.checkpoint} exists already`, {
      details: { remedy: "Continue it with `nightshift resume`, or remove it, or name another file." },
    });
  const named = namedProgram(file, args);
  const spec: Omit<JobSpec, "program" | "hash" | "files"> = {
    name: named.name,
    args: [named.name, ...named.args],
    env: environment(options.env ?? []),
    clock: options.clock,
    memoryLimitBytes: parseBytes(options.memory),
    cpuLimitMs: options.timeout === undefined ? 0 : parseDurationMs(options.timeout),
    folders: folders.map(({ guest }) => guest),
  };
  const { wasm, pinned } = await localProgram(named.source, options);
  if (pinned !== null && (checkpoint || migrateEveryMs !== null))
    throw new NightshiftError("NS_NOT_MIGRATABLE", `it can be neither saved nor moved: ${pinned}`);
  const program = pinned === null ? wasm : withMemoryLimit(wasm, spec.memoryLimitBytes);
  const job: JobSpec = { ...spec, program, hash: sha256(program), files: await readFolders(folders) };
  await runHere({
    begin: (ports) => Job.start(job, ports),
    program,
    stdinPosition: 0,
    folders,
    checkpoint,
    migrateEveryMs,
    json: options.json === true,
  });
}

/** --migrate-every, in milliseconds. */
export const parseMoves = (text: string): number => parseCount(text, "--migrate-every", 1, 86_400_000);
