// The entry of the `nightshift` command: parses the line, runs one command, and turns whatever goes wrong into an error that says
// what to do and into an exit status. Every command is a file in commands/.
import { readFileSync } from "node:fs";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command, CommanderError } from "commander";
import { plainLevels, withResponseFiles } from "./cc-arguments.ts";
import { brokenPipe } from "./command-declaration.ts";
import { EXIT, ExitWith, errorText } from "./outcome.ts";
import { flush } from "./terminal.ts";

const AFTER = `
Exit status:
  0    success
  1    failure: the error on stderr has a stable code (NS_...) and says what to do
  2    the command line is wrong
  run, exec, resume: the program's own exit status; 128 + signal when a trap or a signal ended it; 125 when Nightshift itself
       failed (compiling, connecting, ...), 130 after Ctrl-C, 148 when suspended to a checkpoint

Environment:
  NIGHTSHIFT_HOME         where state lives (default ~/.nightshift)
  NIGHTSHIFT_COORDINATOR  which coordinator, like --coordinator (default the one running here)
  NO_COLOR                no colours

Examples:
  $ nightshift up                     a coordinator and an agent on this computer
  $ nightshift run prog.c 1000        compile, run on the cluster, stream the output
  $ nightshift top                    watch it
  $ nightshift exec prog.c 1000       run it here, without a cluster
`;

/** Each in its group of the help; loaded when it is called, so that none waits for the others' code. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  "Run programs:": {
    run: async () => (await import("./commands/run.ts")).runCommand(),
    logs: async () => (await import("./commands/logs.ts")).logsCommand(),
    results: async () => (await import("./commands/results.ts")).resultsCommand(),
    cancel: async () => (await import("./commands/cancel.ts")).cancelCommand(),
    retry: async () => (await import("./commands/retry.ts")).retryCommand(),
  },
  "Compile:": {
    cc: async () => (await import("./commands/cc.ts")).ccCommand(),
    "c++": async () => (await import("./commands/cc.ts")).ccCommand("c++"),
    ar: async () => (await import("./commands/ar.ts")).arCommand(),
    ranlib: async () => (await import("./commands/ar.ts")).ranlibCommand(),
  },
  "Run on this computer alone:": {
    exec: async () => (await import("./commands/exec.ts")).execCommand(),
    resume: async () => (await import("./commands/resume.ts")).resumeCommand(),
    inspect: async () => (await import("./commands/inspect.ts")).inspectCommand(),
  },
  "Look and steer:": {
    ps: async () => (await import("./commands/ps.ts")).psCommand(),
    hosts: async () => (await import("./commands/hosts.ts")).hostsCommand(),
    host: async () => (await import("./commands/host.ts")).hostCommand(),
    top: async () => (await import("./commands/top.ts")).topCommand(),
    credit: async () => (await import("./commands/credit.ts")).creditCommand(),
    status: async () => (await import("./commands/status.ts")).statusCommand(),
    events: async () => (await import("./commands/events.ts")).eventsCommand(),
    migrate: async () => (await import("./commands/migrate.ts")).migrateCommand(),
  },
  "Build the cluster:": {
    up: async () => (await import("./commands/up.ts")).upCommand(),
    agent: async () => (await import("./commands/agent.ts")).agentCommand(),
    token: async () => (await import("./commands/token.ts")).tokenCommand(),
    pending: async () => (await import("./commands/pending.ts")).pendingCommand(),
    policy: async () => (await import("./commands/policy.ts")).policyCommand(),
    release: async () => (await import("./commands/release.ts")).releaseCommand(),
    user: async () => (await import("./commands/user.ts")).userCommand(),
    "api-token": async () => (await import("./commands/user.ts")).apiTokenCommand(),
    console: async () => (await import("./commands/console.ts")).consoleCommand(),
    ca: async () => (await import("./commands/ca.ts")).caCommand(),
  },
  "Measure:": {
    overhead: async () => (await import("./commands/overhead.ts")).overheadCommand(),
    start: async () => (await import("./commands/start.ts")).startCommand(),
    bench: async () => (await import("./commands/bench.ts")).benchCommand(),
  },
};

/** @param name of the only command that is needed; of none or an unknown one all are */
async function program(name: string): Promise<Command> {
  const root = new Command("nightshift")
    .description("Runs ordinary C and C++ programs on idle computers, as WebAssembly processes that move while they run.")
    .version("0.1.0", "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(
          errorText(
            new NightshiftError(
              "NS_USAGE",
              text
                .replace(/^error: /, "")
                .trim()
                .replaceAll("\n", " "),
            ),
          ),
        ),
    })
    .addHelpText("after", AFTER);
  const isKnown = Object.values(COMMANDS).some((commands) => Object.hasOwn(commands, name));
  for (const [heading, commands] of Object.entries(COMMANDS)) {
    for (const [own, load] of Object.entries(commands)) {
      if (isKnown && own !== name) continue;
      const command = await load();
      inherit(command, root);
      root.addCommand(command.helpGroup(heading));
    }
  }
  return root;
}

/** addCommand() does not hand settings down. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

/** @returns undefined when it cannot be read */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Commands whose exit status is the program's own. */
const RUNNING: ReadonlySet<string> = new Set(["run", "exec", "resume"]);

async function main(): Promise<number> {
  const [, , name = ""] = process.argv;
  const isRun = RUNNING.has(name);
  try {
    const compiles = name === "cc" || name === "c++";
    const root = await program(name);
    const args = compiles || name === "ar" ? withResponseFiles(process.argv, textOf) : process.argv;
    await root.parseAsync(compiles ? plainLevels(args) : args);
    return typeof process.exitCode === "number" ? process.exitCode : EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof ExitWith) return thrown.status;
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : isRun ? EXIT.ownFailureInRun : EXIT.usage;
    process.stderr.write(errorText(thrown));
    if (isRun) return EXIT.ownFailureInRun;
    return asNightshiftError(thrown).code === "NS_USAGE" ? EXIT.usage : EXIT.failure;
  }
}

let outputFailed = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return outputFailed ? undefined : brokenPipe.handle();
    if (outputFailed) return;
    outputFailed = true;
    const what = stream === process.stdout ? "standard output" : "standard error";
    process.stderr.write(errorText(new NightshiftError("NS_BAD_FILE", `Cannot write ${what}: ${error.message}`)));
    brokenPipe.handle(RUNNING.has(process.argv[2] ?? "") ? EXIT.ownFailureInRun : EXIT.failure);
  });
}
const status = await main();
await flush();
process.exit(status);
