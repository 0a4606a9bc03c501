// The entry of the `nightshift` command: parses the line, runs one command, and turns whatever goes wrong into an error that says
// what to do and into an exit status. Every command is a file in commands/.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command, CommanderError } from "commander";
import { plainLevels } from "./cc-arguments.ts";
import { brokenPipe } from "./command-declaration.ts";
import { agentCommand } from "./commands/agent.ts";
import { arCommand, ranlibCommand } from "./commands/ar.ts";
import { benchCommand } from "./commands/bench.ts";
import { caCommand } from "./commands/ca.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { ccCommand } from "./commands/cc.ts";
import { consoleCommand } from "./commands/console.ts";
import { creditCommand } from "./commands/credit.ts";
import { eventsCommand } from "./commands/events.ts";
import { execCommand } from "./commands/exec.ts";
import { hostCommand } from "./commands/host.ts";
import { hostsCommand } from "./commands/hosts.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { logsCommand } from "./commands/logs.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { overheadCommand } from "./commands/overhead.ts";
import { pendingCommand } from "./commands/pending.ts";
import { policyCommand } from "./commands/policy.ts";
import { psCommand } from "./commands/ps.ts";
import { releaseCommand } from "./commands/release.ts";
import { resultsCommand } from "./commands/results.ts";
import { resumeCommand } from "./commands/resume.ts";
import { retryCommand } from "./commands/retry.ts";
import { runCommand } from "./commands/run.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { topCommand } from "./commands/top.ts";
import { upCommand } from "./commands/up.ts";
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

function program(): Command {
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
  const groups: [string, Command[]][] = [
    ["Run programs:", [runCommand(), logsCommand(), resultsCommand(), cancelCommand(), retryCommand()]],
    ["Compile:", [ccCommand(), ccCommand("c++"), arCommand(), ranlibCommand()]],
    ["Run on this computer alone:", [execCommand(), resumeCommand(), inspectCommand()]],
    [
      "Look and steer:",
      [
        psCommand(),
        hostsCommand(),
        hostCommand(),
        topCommand(),
        creditCommand(),
        statusCommand(),
        eventsCommand(),
        migrateCommand(),
      ],
    ],
    [
      "Build the cluster:",
      [
        upCommand(),
        agentCommand(),
        tokenCommand(),
        pendingCommand(),
        policyCommand(),
        releaseCommand(),
        consoleCommand(),
        caCommand(),
      ],
    ],
    ["Measure:", [overheadCommand(), startCommand(), benchCommand()]],
  ];
  for (const [heading, commands] of groups) {
    for (const command of commands) {
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

/** Commands whose exit status is the program's own. */
const RUNNING: ReadonlySet<string> = new Set(["run", "exec", "resume"]);

async function main(): Promise<number> {
  const isRun = RUNNING.has(process.argv[2] ?? "");
  try {
    const compiles = process.argv[2] === "cc" || process.argv[2] === "c++";
    await program().parseAsync(compiles ? plainLevels(process.argv) : process.argv);
    return typeof process.exitCode === "number" ? process.exitCode : EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof ExitWith) return thrown.status;
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : isRun ? EXIT.ownFailureInRun : EXIT.usage;
    process.stderr.write(errorText(thrown));
    if (isRun) return EXIT.ownFailureInRun;
    return asNightshiftError(thrown).code === "NS_USAGE" ? EXIT.usage : EXIT.failure;
  }
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return brokenPipe.handle();
    throw error;
  });
}
const status = await main();
await flush();
process.exit(status);
