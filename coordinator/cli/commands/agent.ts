// `nightshift agent`: lends this computer's processors to a coordinator, and pauses and resumes agents that run here.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command } from "commander";
import { parseLink } from "../../protocol/index.ts";
import { type AgentAnswer, askAgent } from "../agent-control.ts";
import { installedServices, installService, serviceName, uninstallService, unitName } from "../agent-service.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { nightshiftHome } from "../home-folder.ts";
import { AGENT_PROGRAM, canConfine, spawnAgent } from "../local-agents.ts";
import { ExitWith, errorText } from "../outcome.ts";
import { parseCount, parseDurationMs } from "../quantities.ts";
import { printable } from "../table.ts";
import { printJson, write } from "../terminal.ts";

export function agentCommand(): Command {
  const agent = declare({
    usage: "agent",
    description: "lend this computer's processors to a coordinator; pause and resume",
    examples: [
      "nightshift agent --join nightshift://...",
      "nightshift agent --join nightshift://... --mode locked",
      "nightshift agent pause --for 1h",
      "nightshift agent set idleAfterSeconds=300",
      "nightshift agent status",
      "nightshift agent install --join nightshift://...",
      "nightshift agent uninstall",
    ],
    notes:
      "It computes while nobody is at this computer, or always where there is no desktop; docs/POLICY.md has every rule and setting. " +
      "pause, run-now, resume, set and status are for the agents of this computer (all of them, or the one named with --name).",
    json: "the agent's events, one JSON object a line",
    coordinator: false,
  })
    .option("--join <link>", "the join link, from `nightshift up` or `nightshift token create`")
    .option("--name <name>", "what the host is called (default this computer's name)")
    .option("--pool <name>", "what it is grouped by: its first tag, when it joins")
    .option("--slots <count>", "processes that compute at a time (default: one per core)")
    .option("--cpu <core>", "confine it to this core")
    .option("--mode <mode>", "when to compute: idle, locked, always or never (default: as its settings say)")
    .action((options: RunOptions) => runAgent(options));
  agent.addCommand(
    controlCommand("pause", "stop computing at once; processes move to other hosts", pauseOrder)
      .option("--for <duration>", "so long, such as 1h (default: until resumed)")
      .option("--until-tomorrow", "until six in the morning")
      .option("--reason <text>", "shown in `nightshift hosts`"),
  );
  agent.addCommand(
    controlCommand("run-now", "compute for a while beside whoever is here, at low priority", runNowOrder).option(
      "--for <duration>",
      "so long, such as 30m (default: 1h, at most 24h)",
    ),
  );
  agent.addCommand(controlCommand("resume", "end a pause or a run-now: the rules count again"));
  agent.addCommand(
    controlCommand("set", "change settings, for good", (_, settings) => ({
      command: "set",
      settings: parseSettings(settings),
    })).argument("<name=value...>", 'such as mode=locked or hours=["sat,sun 00:00-24:00"]'),
  );
  agent.addCommand(controlCommand("status", "say what the agents of this computer do"));
  agent.addCommand(
    new Command("install")
      .description("have the agent start whenever this user logs in")
      .option("--join <link>", "the join link")
      .option("--name <name>", "what the host is called (default this computer's name)")
      .option("--slots <count>", "processes that compute at a time (default: one per core)")
      .option("--mode <mode>", "when to compute: idle, locked, always or never (default: as its settings say)")
      .addHelpText("after", "\nExample:\n  $ nightshift agent install --join nightshift://...")
      .action((_: unknown, command: Command) => install(command.optsWithGlobals())),
  );
  agent.addCommand(
    new Command("uninstall")
      .description("end that again; what the agent keeps stays")
      .option("--name <name>", "the agent that was installed under this name")
      .addHelpText("after", "\nExample:\n  $ nightshift agent uninstall")
      .action(async (_: unknown, command: Command) => {
        const name = serviceName(command.optsWithGlobals().name);
        await uninstallService(name);
        await rm(join(nightshiftHome(), "agents", name, "link"), { force: true });
        await write(process.stdout, `${name}: starts no more at log-in\n`);
      }),
  );
  return agent;
}

/** The link goes into a file that only this user reads: a command line is for everybody to see. */
async function install(options: RunOptions): Promise<void> {
  if (options.join === undefined) throw new NightshiftError("NS_USAGE", "An agent needs a coordinator to join: --join LINK");
  parseLink(options.join);
  // What the agent itself would refuse, nobody would hear of.
  if (options.mode !== undefined && !MODES.includes(options.mode))
    throw new NightshiftError("NS_USAGE", `--mode must be one of ${MODES.join(", ")}, not '${options.mode}'`);
  const name = serviceName(options.name);
  const folder = join(nightshiftHome(), "agents", name);
  const link = join(folder, "link");
  const before = await readFile(link).catch(() => null);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(link, `${options.join.trim()}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `${link} cannot be written: ${(cause as Error).message}`, { cause });
  }
  const command = [
    process.execPath,
    AGENT_PROGRAM,
    ...["--join-file", link, "--home", nightshiftHome(), "--name", name],
    ...(options.slots === undefined ? [] : ["--slots", String(parseCount(options.slots, "--slots", 1, 1024))]),
    ...(options.mode === undefined ? [] : ["--mode", options.mode]),
  ];
  const desktop = Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  const where = await installService({ name, command, desktop }, folder).catch(async (thrown: unknown) => {
    await (before === null ? rm(link, { force: true }) : writeFile(link, before));
    throw thrown;
  });
  await write(process.stdout, `${name}: starts at log-in, and has started (${where})\n`);
}

const MODES = ["auto", "idle", "locked", "always", "never"];
const RUN_NOW_MS = 3_600_000;
/** Of each agent. */
const MAX_PROCESSES = 10;

type RunOptions = CommonOptions & { join?: string; name?: string; pool?: string; slots?: string; cpu?: string; mode?: string };
interface PauseOptions {
  for?: string;
  untilTomorrow?: boolean;
  reason?: string;
}

function runNowOrder({ for: duration }: PauseOptions): object {
  const forMs = duration === undefined ? RUN_NOW_MS : parseDurationMs(duration);
  if (forMs > 24 * RUN_NOW_MS) throw new NightshiftError("NS_USAGE", `--for must be at most 24h, not '${duration}'`);
  return { command: "runNow", forMs };
}

function pauseOrder({ for: duration, untilTomorrow, reason }: PauseOptions): object {
  if (duration !== undefined && untilTomorrow) throw new NightshiftError("NS_USAGE", "Give --for or --until-tomorrow, not both");
  return {
    command: "pause",
    ...(reason === undefined ? {} : { reason }),
    ...(duration === undefined ? {} : { forMs: parseDurationMs(duration) }),
    ...(untilTomorrow ? { until: "tomorrow" } : {}),
  };
}

/** Values are JSON, or plain text where they are none. The agent checks them. */
function parseSettings(words: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw new NightshiftError("NS_USAGE", `'${word}' is not NAME=VALUE`);
      const value = word.slice(at + 1);
      try {
        return [word.slice(0, at), JSON.parse(value) as unknown];
      } catch {
        return [word.slice(0, at), value];
      }
    }),
  );
}

async function runAgent(options: RunOptions): Promise<void> {
  if (options.join === undefined)
    throw new NightshiftError("NS_USAGE", "An agent needs a coordinator to join: --join LINK", {
      details: { remedy: "`nightshift up` prints the link, and `nightshift token create` makes one." },
    });
  parseLink(options.join);
  const cpu = options.cpu === undefined ? null : parseCount(options.cpu, "--cpu", 0, 4095);
  if (cpu !== null && !canConfine())
    process.stderr.write("nightshift: agents cannot be confined to a core on this system; --cpu is without effect\n");
  const child = spawnAgent(
    {
      link: options.join,
      home: nightshiftHome(),
      cpu: cpu !== null && canConfine() ? cpu : null,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.pool === undefined ? {} : { pool: options.pool }),
      ...(options.slots === undefined ? {} : { slots: parseCount(options.slots, "--slots", 1, 1024) }),
      ...(options.mode === undefined ? {} : { mode: options.mode }),
      ...(options.json ? { json: true } : {}),
    },
    "inherit",
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
  throw new ExitWith(status);
}

function controlCommand(
  name: string,
  description: string,
  order: (own: PauseOptions, words: readonly string[]) => object = () => ({ command: name }),
): Command {
  return new Command(name)
    .description(description)
    .option("--name <name>", "only this agent")
    .option("--json", "print an array of {agent, ok, status} or {agent, ok: false, code, message}")
    .addHelpText("after", `\nExample:\n  $ nightshift agent ${name}${name === "set" ? " mode=locked graceSeconds=60" : ""}`)
    .action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      // --name and --json are the parent's as well; where they stand does not matter.
      const options = command.optsWithGlobals() as { name?: string; json?: boolean };
      const answers = await orderAgents(options.name, order(command.opts(), command.args));
      if (options.json) await printJson(answers);
      else for (const answer of answers) await say(answer);
      if (answers.some((answer) => !answer.ok)) throw new ExitWith(1);
    });
}

async function orderAgents(name: string | undefined, order: unknown): Promise<AgentAnswer[]> {
  const folder = join(nightshiftHome(), "agents");
  const names = name === undefined ? await readdir(folder).catch(() => []) : [name];
  const found = await Promise.all(
    names.map(async (agent) => {
      const path = controlPath(await readFile(join(folder, agent, "control.json"), "utf8").catch(() => ""));
      return path === null ? [] : [{ agent, ...(await askAgent(path, order)) }];
    }),
  );
  // One that was killed leaves its file behind; it counts only when it was asked for by name.
  const answers = found.flat().filter((answer) => answer.code !== "NS_UNREACHABLE" || name !== undefined);
  if (answers.length === 0) {
    const [installed] = (await installedServices()).filter((one) => name === undefined || one === name);
    throw new NightshiftError(
      "NS_NOT_FOUND",
      name === undefined ? "No agent runs on this computer" : `No agent named ${name} runs on this computer`,
      {
        details: {
          remedy: installed
            ? `${installed} is installed but does not run: \`systemctl --user status ${unitName(installed)}\` says why.`
            : "Start one with `nightshift agent --join LINK`; NIGHTSHIFT_HOME must be the same.",
        },
      },
    );
  }
  return answers.sort((a, b) => (a.agent < b.agent ? -1 : 1));
}

/** null: no agent runs there, or the power went while it wrote the file. */
function controlPath(text: string): string | null {
  try {
    const { path } = JSON.parse(text) as { path?: unknown };
    return typeof path === "string" ? path : null;
  } catch {
    return null;
  }
}

function say(answer: AgentAnswer): Promise<void> {
  if (!answer.ok || !answer.status) {
    const code = (answer.code ?? "NS_UNREACHABLE") as ErrorCode;
    const error = new NightshiftError(code, `${answer.agent}: ${answer.message ?? "no answer"}`);
    return write(process.stderr, errorText(error));
  }
  const { connected, pending, reasons, running, runnable, blocked, policyProblem, processes } = answer.status;
  const isFree = connected && reasons.length === 0 && running + runnable === 0;
  const words = isFree ? "Ready to compute" : answer.status.words;
  const state = connected ? words : `${words}, ${pending ? "waits until an administrator lets it in" : "not connected"}`;
  const lines = [
    `${answer.agent}: ${state}; ${running} running, ${runnable} ready, ${blocked} waiting`,
    ...(policyProblem ? [`  ${policyProblem}; what was set before still counts`] : []),
    ...processes.slice(0, MAX_PROCESSES).map((one) => `  ${printable(processLine(one))}`),
    ...(processes.length > MAX_PROCESSES ? [`  and ${processes.length - MAX_PROCESSES} more`] : []),
  ];
  return write(process.stdout, `${lines.join("\n")}\n`);
}

type ProcessLine = NonNullable<AgentAnswer["status"]>["processes"][number];
function processLine({ pid, command, state, work }: ProcessLine): string {
  if (!work) return `${pid} ${command}: ${state}`;
  const { job, name, part, parts, by } = work;
  return `${pid} ${command}: ${state}, job ${job} ${name}${parts > 1 ? `, part ${part} of ${parts}` : ""}${by === "" ? "" : `, for ${by}`}`;
}
