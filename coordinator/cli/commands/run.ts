// `nightshift run`: a program on the cluster as if it ran here: its arguments, stdin, output bytes and exit status. With a sweep it runs once for
// each combination of values, and what it prints comes as if the runs had followed one another.
import { type Command, Option } from "commander";
import { type ExitReport, type JobSpec, type Result, requireInputs, SHOWS } from "../../protocol/index.ts";
import { brokenPipe, type CommonOptions, collect, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { followOutput, pumpStdin } from "../follow.ts";
import { type Plan, type PlanOptions, planOf } from "../job-plan.ts";
import { describeReport, EXIT, ExitWith, errorText, exitStatusOf, faultText } from "../outcome.ts";
import { addCompilerFlags, type CompilerFlags, compileOptions, pinOption, uploadProgram } from "../program-file.ts";
import { parseDurationMs } from "../quantities.ts";
import { partsOf, Results } from "../results.ts";
import { takeOver, uploadFiles, uploadFolder, writeFolderBack } from "../run-folder.ts";
import { Session } from "../session.ts";
import { jsonSink, terminalSink } from "../sinks.ts";
import { type Paint, paintFor, printJson, StatusLine, write } from "../terminal.ts";

interface RunOptions extends CommonOptions, CompilerFlags, PlanOptions {
  detach?: boolean;
  dir?: string;
  out?: string;
  host?: string;
  stay?: boolean;
  pin?: boolean;
  reconnect: string;
}

/** How often results are fetched and progress is told. */
const LOOK_MS = 500;
/** Parts that have failed and are told one by one. */
const MAX_TOLD = 20;

export function runCommand(): Command {
  const command = declare({
    usage: "run <file> [args...]",
    description: "run a C or C++ source, a .wasm module, a bundled program or a job file on the cluster",
    examples: [
      "nightshift run hello.c",
      "nightshift run --memory 2GiB --timeout 10m render.cpp scene.txt > image.ppm",
      "sort -u words | nightshift run wordcount",
      "nightshift run --sweep frame=1..100 --out frames render.c {frame:03}",
      "nightshift run --sweep-files 'scene=scenes/*.txt' --out frames render.c {scene}",
      "nightshift run render.json",
      "nightshift run -d fork-fibonacci 34",
    ],
    notes: [
      "Options before FILE are Nightshift's; everything after it is the program's. A bundled program runs with",
      "arguments of its own when none are given. stdin is sent along, stdout and stderr come back byte for byte. Ctrl-C cancels",
      "the job; a second one leaves at once. When the coordinator goes away, run waits for it and goes on where it was.",
      "With --sweep the program runs once for each combination of the values, as a part of the job, at most 10,000 of them; {frame} in an",
      "argument or in --env is the value, {frame:03} with zeros in front, {part} the part's number, {{ a brace. Part 3 of job j5 is j5.3.",
      "With --sweep-files each part gets its file by the name it has, or by another with --file scene.txt={scene}. With a job file, these paths are from its folder.",
      "What the parts print comes one part after the other; with --out each has a folder of its own instead, as soon as it has ended.",
      "stdin is empty then. A part that fails stops no other; `nightshift retry` runs those again. A .json file is a job file, see docs/JOBS.md; options count over it.",
      "A program that cannot be moved (docs/MIGRATION.md says which) is refused, unless with --pin: then it stays on its host, and begins anew,",
      "there or elsewhere, when the host's owner comes back or the host is lost. What it has printed until then is not printed again.",
      "Exit status: the program's own (of several parts that of the first one that failed); 128 + signal after a trap or",
      "signal; 125 when Nightshift failed; 130 after Ctrl-C.",
    ].join("\n"),
    json: [
      'one JSON object a line: {"event":"submitted", job, pid, parts}, {"event":"output", stream, pid, part, text or base64},',
      '{"event":"ended", report, status}. With --detach only {job, pid, parts}.',
    ].join("\n"),
  })
    .passThroughOptions()
    .option("-d, --detach", "start it, print its numbers and leave (stdin is empty)")
    .option("-n, --name <name>", "what ps shows (default the file's name)")
    .option("-m, --memory <size>", "most memory a process may have (default 1GiB)")
    .option("-t, --timeout <duration>", "most CPU time a process may use (default: any)")
    .option("-e, --env <key=value>", "an environment variable for the program (repeatable)", collect)
    .option("-s, --sweep <name=values>", "run it for each of 1..100, 0..1:0.25 or a,b,c (repeatable: every combination)", collect)
    .option(
      "--sweep-files <name=pattern>",
      "run it for each file that matches, such as scene='scenes/*.txt' (repeatable)",
      collect,
    )
    .option(
      "-f, --file <name=path>",
      "an input file by its name in the job (repeatable); of a sweep, {name} in either is a value",
      collect,
    )
    .option(
      "--dir <dir>",
      "its files: read by the program, and what it writes comes back (not with --detach; not back of a sweep)",
    )
    .option("-o, --out <dir>", "a folder for each part there: stdout, stderr and the files it wrote (not with --detach)")
    .option("--host <name>", "start on this host (one part only)")
    .option("--only-on <host>", "run on this host only (repeatable: on one of these)", collect)
    .option("--stay", "do not balance it away from where it is")
    .addOption(pinOption())
    .option("--seed <number>", "what its random numbers are made of (default the job's number)")
    .addOption(
      new Option(
        "--show <what>",
        "what it prints is seen on the screensavers of its hosts, as such (default: nothing of it)",
      ).choices(SHOWS),
    )
    .addOption(new Option("--clock <clock>", "virtual: repeatable time (default); host: real time").choices(["virtual", "host"]))
    .option("--reconnect <duration>", "how long to wait for a coordinator that has gone away", "5m");
  return addCompilerFlags(command).action(run);
}

async function run(file: string, args: string[], options: RunOptions): Promise<void> {
  const giveUpMs = parseDurationMs(options.reconnect);
  const plan = await planOf(file, args, options);
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
    status.show(`Compiling ${plan.program} ...`);
    const { compile } = await import("@nightshift/wasm-kernels/toolchain");
    const { wasm, diagnostics } = await compile(compileOptions([plan.source], options)).finally(() => status.clear());
    if (diagnostics !== "") process.stderr.write(`${diagnostics.trimEnd()}\n`);
    status.show("Preparing ...");
    const prepared = await uploadProgram(client, wasm, plan.pin).finally(() => status.clear());
    if (prepared.pinned !== null)
      process.stderr.write(paint.dim(`nightshift: it stays on its host (--pin): ${prepared.pinned}\n`));
    const folder = plan.folder === undefined ? null : await uploadFolder(client, plan.folder);
    const files = new Map([...(folder?.files ?? []), ...(await uploadFiles(client, plan.files))]);
    const own = Object.fromEntries(await uploadFiles(client, plan.sources));
    const sweep = plan.sweep?.inputs ? { ...plan.sweep, inputs: { ...plan.sweep.inputs, files: own } } : plan.sweep;
    requireInputs(sweep);
    const { job, pid } = await client.request("submit", specOf({ ...plan, sweep }, prepared.program, files, options));
    const { parts } = await client.request("job", { job });
    const started = { job, pid, parts: parts.total, stdin: plan.sweep === undefined };
    if (options.detach) {
      if (options.json) return await printJson({ job, pid, parts: parts.total });
      const what = parts.total === 1 ? `as process ${pid}` : `with ${parts.total} parts`;
      return await write(process.stdout, `Job j${job} started ${what}; see \`nightshift logs -f j${job}\`.\n`);
    }
    const report = await attached(session, started, options);
    if (parts.total > 1) await tellFailed(session, job, paint);
    else if (report.kind === "fault") process.stderr.write(faultText(report, paint));
    if (options.dir !== undefined && folder && parts.total === 1) await writeFolderBack(session, job, folder);
    else if (options.out === undefined && parts.total > 1) await tellFiles(session, job, paint);
    throw new ExitWith(exitStatusOf(report));
  } finally {
    session.close();
  }
}

function specOf(plan: Plan, program: string, files: ReadonlyMap<string, JobSpec["files"][string]>, options: RunOptions): JobSpec {
  const { name, args, env, memoryLimitBytes, cpuLimitMs, clock, sweep, onlyOn, seed, show } = plan;
  return {
    ...{ name, program, args: [plan.program, ...args], env, files: Object.fromEntries(files) },
    ...{ memoryLimitBytes, cpuLimitMs, clock, startOn: options.host ?? null, stay: options.stay ?? false },
    stdin: !options.detach && sweep === undefined,
    ...(sweep && { sweep }),
    ...(onlyOn && { onlyOn: [...onlyOn] }),
    ...(seed !== undefined && { seed }),
    ...(show && { show }),
  };
}

interface Started {
  job: number;
  pid: number;
  parts: number;
  /** Its standard input is this command's. */
  stdin: boolean;
}

/** Streams, or writes results, until the job ends; throws ExitWith when it was ended from here. */
async function attached(session: Session, started: Started, options: RunOptions): Promise<ExitReport> {
  const { job, pid, parts, stdin } = started;
  const sink = options.json ? jsonSink() : terminalSink();
  if (options.json) sink.event({ event: "submitted", job, pid, parts });
  const ending = takeOver({
    job,
    cancel: () => session.run((client) => client.request("cancel", { pid: null, job })),
  });
  // Nobody reads any more: a program here would get SIGPIPE.
  brokenPipe.handle = (status = EXIT.brokenPipe) => ending.end(status);
  // When the job ends first, what stdin still has is nobody's.
  if (stdin) pumpStdin(session, job, process.stdin).catch(() => undefined);
  const report =
    options.out === undefined
      ? await followOutput(session, { job, pid: null, follow: true }, sink)
      : await written(session, started, options.out);
  if (options.json) sink.event({ event: "ended", report, status: ending.status ?? exitStatusOf(report) });
  if (ending.status !== null) throw new ExitWith(ending.status);
  return report;
}

/** Writes each part's results as soon as it has ended. */
async function written(session: Session, { job, parts }: Started, folder: string): Promise<ExitReport> {
  const results = new Results(session, job, parts, folder);
  const status = new StatusLine();
  for (let before = -1; ; ) {
    const now = await session.run((client) => client.request("job", { job }));
    const ended = now.parts.done + now.parts.failed;
    status.show(progressOf(now.parts));
    if (ended !== before) {
      const problems = await results.write();
      status.clear();
      for (const problem of problems) process.stderr.write(errorText(problem));
    }
    before = ended;
    if (now.state !== "running") {
      status.clear();
      return now.report ?? { kind: "signal", signal: 9 };
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const progressOf = ({ total, done, failed }: Result<"job">["parts"]): string =>
  `${done + failed} of ${total} parts have ended${failed === 0 ? "" : `, ${failed} failed`} ...`;

/** Which parts have failed, and how. */
async function tellFailed(session: Session, job: number, paint: Paint): Promise<void> {
  const { parts } = await session.run((client) => client.request("job", { job }));
  if (parts.failed === 0) return;
  const failed = (await partsOf(session, job)).filter(({ state }) => state === "failed" || state === "cancelled");
  for (const { part, report } of failed.slice(0, MAX_TOLD))
    process.stderr.write(`${paint.red("nightshift:")} part j${job}.${part}: ${report ? describeReport(report) : "cancelled"}\n`);
  process.stderr.write(
    `${paint.red("nightshift:")} ${parts.failed} of ${parts.total} parts failed; \`nightshift retry j${job}\` runs them again\n`,
  );
}

/** Files of parts have the same names: they need folders. */
async function tellFiles(session: Session, job: number, paint: Paint): Promise<void> {
  const parts = await partsOf(session, job);
  const files = parts.reduce((sum, part) => sum + Object.keys(part.files).length, 0);
  if (files === 0) return;
  process.stderr.write(
    paint.dim(`nightshift: the parts wrote ${files} files; \`nightshift results j${job} DIR\` fetches them\n`),
  );
}
