// `nightshift run`: a program on the cluster as if it ran here: its arguments, stdin, output bytes and exit status.
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { ExitReport, JobSpec } from "../../protocol/index.ts";
import { brokenPipe, type CommonOptions, collect, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { followOutput, pumpStdin } from "../follow.ts";
import { EXIT, ExitWith, exitStatusOf, faultText } from "../outcome.ts";
import {
  addCompilerFlags,
  type CompilerFlags,
  compileOptions,
  environment,
  namedProgram,
  uploadProgram,
} from "../program-file.ts";
import { parseBytes, parseDurationMs } from "../quantities.ts";
import { takeOver, uploadFolder, writeFolderBack } from "../run-folder.ts";
import { Session } from "../session.ts";
import { jsonSink, terminalSink } from "../sinks.ts";
import { paintFor, printJson, StatusLine, write } from "../terminal.ts";

interface RunOptions extends CommonOptions, CompilerFlags {
  detach?: boolean;
  name?: string;
  memory: string;
  timeout?: string;
  env?: string[];
  dir?: string;
  host?: string;
  stay?: boolean;
  clock: "virtual" | "host";
  reconnect: string;
}

export function runCommand(): Command {
  const command = declare({
    usage: "run <file> [args...]",
    description: "run a C or C++ source, a .wasm module or a bundled program on the cluster",
    examples: [
      "nightshift run hello.c",
      "nightshift run --memory 2GiB --timeout 10m render.cpp scene.txt > image.ppm",
      "sort -u words | nightshift run wordcount",
      "nightshift run -d fork-fibonacci 34",
    ],
    notes: [
      "Options before FILE are Nightshift's; everything after it is the program's. A bundled program runs with",
      "arguments of its own when none are given. stdin is sent along, stdout and stderr come back byte for byte. Ctrl-C cancels",
      "the job; a second one leaves at once. When the coordinator goes away, run waits for it and goes on where it was.",
      "Exit status: the program's own; 128 + signal after a trap or signal; 125 when Nightshift failed; 130 after Ctrl-C.",
    ].join("\n"),
    json: [
      'one JSON object a line: {"event":"submitted", job, pid}, {"event":"output", stream, pid, text or base64},',
      '{"event":"ended", report, status}. With --detach only {job, pid}.',
    ].join("\n"),
  })
    .passThroughOptions()
    .option("-d, --detach", "start it, print its numbers and leave (stdin is empty)")
    .option("-n, --name <name>", "what ps shows (default the file's name)")
    .option("-m, --memory <size>", "most memory a process may have", "1GiB")
    .option("-t, --timeout <duration>", "most CPU time a process may use (default: any)")
    .option("-e, --env <key=value>", "an environment variable for the program (repeatable)", collect)
    .option("--dir <dir>", "its files: read by the program, and what it writes comes back (not with --detach)")
    .option("--host <name>", "start on this host")
    .option("--stay", "do not balance it away from where it is")
    .addOption(
      new Option("--clock <clock>", "virtual: repeatable time; host: real time").choices(["virtual", "host"]).default("virtual"),
    )
    .option("--reconnect <duration>", "how long to wait for a coordinator that has gone away", "5m");
  return addCompilerFlags(command).action(run);
}

async function run(file: string, args: string[], options: RunOptions): Promise<void> {
  const giveUpMs = parseDurationMs(options.reconnect);
  const program = namedProgram(file, args);
  const limits = {
    memoryLimitBytes: parseBytes(options.memory),
    cpuLimitMs: options.timeout === undefined ? 0 : parseDurationMs(options.timeout),
  };
  const env = environment(options.env ?? []);
  const paint = paintFor(process.stderr);
  const status = new StatusLine();
  const session = new Session({
    connect: async () => openClient(await resolveTarget(options.coordinator)),
    giveUpMs,
    onChange: (state, error) => {
      const text = state === "back" ? "the coordinator is back" : `the coordinator is gone (${error?.message}); waiting for it`;
      process.stderr.write(paint.dim(`nightshift: ${text}\n`));
    },
  });
  // Before compiling: a missing coordinator is told at once.
  const client = await session.open();
  try {
    status.show(`Compiling ${program.name} ...`);
    const { compile } = await import("@nightshift/wasm-kernels/toolchain");
    const { wasm, diagnostics } = await compile(compileOptions([program.source], options)).finally(() => status.clear());
    if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
    status.show("Preparing ...");
    const prepared = await uploadProgram(client, wasm).finally(() => status.clear());
    const folder = options.dir === undefined ? null : await uploadFolder(client, resolve(options.dir));
    const spec: JobSpec = {
      name: options.name ?? program.name,
      program: prepared.program,
      args: [program.name, ...program.args],
      env,
      files: Object.fromEntries(folder?.files ?? []),
      ...limits,
      clock: options.clock,
      startOn: options.host ?? null,
      stay: options.stay ?? false,
      stdin: !options.detach,
    };
    const { job, pid } = await client.request("submit", spec);
    if (options.detach) {
      if (options.json) return await printJson({ job, pid });
      return await write(process.stdout, `Job j${job} started as process ${pid}; see \`nightshift logs -f j${job}\`.\n`);
    }
    const report = await attached(session, job, pid, options);
    if (folder) await writeFolderBack(session, job, folder);
    if (report.kind === "fault") process.stderr.write(faultText(report, paint));
    throw new ExitWith(exitStatusOf(report));
  } finally {
    session.close();
  }
}

/** Streams until the job ends; throws ExitWith when it was ended from here. */
async function attached(session: Session, job: number, pid: number, options: RunOptions): Promise<ExitReport> {
  const sink = options.json ? jsonSink() : terminalSink();
  if (options.json) sink.event({ event: "submitted", job, pid });
  const ending = takeOver({
    job,
    cancel: () => session.run((client) => client.request("cancel", { pid: null, job })),
  });
  // Nobody reads any more: a program here would get SIGPIPE.
  brokenPipe.handle = () => ending.end(EXIT.brokenPipe);
  // When the job ends first, what stdin still has is nobody's.
  pumpStdin(session, job, process.stdin).catch(() => undefined);
  const report = await followOutput(session, { job, pid: null, follow: true }, sink);
  if (options.json) sink.event({ event: "ended", report, status: ending.status ?? exitStatusOf(report) });
  if (ending.status !== null) throw new ExitWith(ending.status);
  return report;
}
