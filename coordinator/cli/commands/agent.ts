// `nightshift agent`: lends this computer's processors to a coordinator, and pauses and resumes agents that run here.
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command } from "commander";
import { parseLink } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { nightshiftHome } from "../home.ts";
import { canConfine, spawnAgent } from "../local-agents.ts";
import { ExitWith, errorText } from "../outcome.ts";
import { parseCount } from "../quantities.ts";
import { printJson, write } from "../terminal.ts";

const ANSWER_TIMEOUT_MS = 5_000;

export function agentCommand(): Command {
  const agent = declare({
    usage: "agent",
    description: "lend this computer's processors to a coordinator; pause and resume",
    examples: ["nightshift agent --join nightshift://...", "nightshift agent pause", "nightshift agent status"],
    notes: "pause, resume and status are for the agents of this computer (all of them, or the one named with --name).",
    json: "the agent's events, one JSON object a line",
    coordinator: false,
  })
    .option("--join <link>", "the join link, from `nightshift up` or `nightshift token create`")
    .option("--name <name>", "what the host is called (default this computer's name)")
    .option("--slots <count>", "processes that compute at a time (default: one per core)")
    .option("--cpu <core>", "confine it to this core")
    .action((options: CommonOptions & { join?: string; name?: string; slots?: string; cpu?: string }) => runAgent(options));
  for (const [order, description] of Object.entries(ORDERS)) agent.addCommand(controlCommand(order, description));
  return agent;
}

const ORDERS = {
  pause: "stop computing at once; processes move to other hosts",
  resume: "compute again",
  status: "say what the agents of this computer do",
};

async function runAgent(options: CommonOptions & { join?: string; name?: string; slots?: string; cpu?: string }): Promise<void> {
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
      ...(options.slots === undefined ? {} : { slots: parseCount(options.slots, "--slots", 1, 1024) }),
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

function controlCommand(order: string, description: string): Command {
  return new Command(order)
    .description(description)
    .option("--name <name>", "only this agent")
    .option("--reason <text>", "shown in `nightshift hosts` (with pause)")
    .option("--json", "print an array of {agent, ok, status} or {agent, ok: false, code, message}")
    .addHelpText("after", `\nExample:\n  $ nightshift agent ${order}`)
    .action(async (own: { reason?: string }, command: Command) => {
      // --name and --json are the parent's as well; where they stand does not matter.
      const options = command.optsWithGlobals() as { name?: string; json?: boolean };
      const answers = await orderAgents(options.name, {
        command: order,
        ...(own.reason === undefined ? {} : { reason: own.reason }),
      });
      if (options.json) await printJson(answers);
      else for (const answer of answers) await say(answer);
      if (answers.some((answer) => !answer.ok)) throw new ExitWith(1);
    });
}

interface AgentAnswer {
  agent: string;
  ok: boolean;
  status?: { connected: boolean; paused: string | null; running: number; runnable: number; blocked: number };
  code?: string;
  message?: string;
}

async function orderAgents(name: string | undefined, order: unknown): Promise<AgentAnswer[]> {
  const folder = join(nightshiftHome(), "agents");
  const names = name === undefined ? await readdir(folder).catch(() => []) : [name];
  const found = await Promise.all(
    names.map(async (agent) => {
      const text = await readFile(join(folder, agent, "control.json"), "utf8").catch(() => null);
      return text === null ? [] : [{ agent, ...(await ask((JSON.parse(text) as { path: string }).path, order)) }];
    }),
  );
  // One that was killed leaves its file behind; it counts only when it was asked for by name.
  const answers = found.flat().filter((answer) => answer.code !== "NS_UNREACHABLE" || name !== undefined);
  if (answers.length === 0)
    throw new NightshiftError(
      "NS_NOT_FOUND",
      name === undefined ? "No agent runs on this computer" : `No agent named ${name} runs on this computer`,
      {
        details: { remedy: "Start one with `nightshift agent --join LINK`; NIGHTSHIFT_HOME must be the same." },
      },
    );
  return answers.sort((a, b) => (a.agent < b.agent ? -1 : 1));
}

/** One JSON line in, one back. */
function ask(path: string, order: unknown): Promise<Omit<AgentAnswer, "agent">> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path);
    const fail = (message: string): void => {
      socket.destroy();
      resolve({ ok: false, code: "NS_UNREACHABLE", message });
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => fail("it does not answer"));
    socket.setEncoding("utf8");
    socket.once("error", (error) => fail(asNightshiftError(error).message));
    socket.once("connect", () => socket.write(`${JSON.stringify(order)}\n`));
    socket.on("data", (part: string) => {
      text += part;
      if (!text.includes("\n")) return;
      socket.destroy();
      resolve(JSON.parse(text) as AgentAnswer);
    });
  });
}

function say(answer: AgentAnswer): Promise<void> {
  if (!answer.ok || !answer.status) {
    const error = new NightshiftError("NS_UNREACHABLE", `${answer.agent}: ${answer.message ?? "no answer"}`);
    return write(process.stderr, errorText(error));
  }
  const { connected, paused, running, runnable, blocked } = answer.status;
  const state = paused !== null ? `paused (${paused})` : connected ? "joined" : "not connected";
  return write(process.stdout, `${answer.agent}: ${state}; ${running} running, ${runnable} ready, ${blocked} waiting\n`);
}
