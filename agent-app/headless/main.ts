// The headless agent as a program: `main.ts --join LINK --name NAME --home DIR --slots N [--mode MODE] [--json]`. Prints what happens, one
// line each. --no-signals: it looks at nothing of the machine and computes unless it is paused by hand (for experiments and tests).
// --join-file FILE: the link stands in it, as where an installed service starts the agent.
// NIGHTSHIFT_JOIN: or there, as command lines can be read by every user of the computer.
// --home: default NIGHTSHIFT_HOME, or .nightshift in the user's own folder.
// Without either, the link that the installer was told is taken, as is its mode.
// --policy FILE: the administrator's file, instead of where it belongs.
import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseLink, TAG } from "@nightshift/coordinator/protocol";
import { loadKeyFile } from "@nightshift/coordinator/protocol/node";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";
import { measureSpeed } from "../agent/calibrate.ts";
import { Agent, type AgentStatus, DEFAULT_AGENT_SETTINGS, mayPass, VERSION } from "../agent/index.ts";
import { kindOfDecision } from "../policy/index.ts";
import { lowerProcessPriority, PRIORITIES } from "../worker/index.ts";
import { serveControl } from "./control.ts";
import { readTold } from "./install-file.ts";
import { Owner } from "./owner.ts";
import { adminPolicyPath, makeFolder } from "./policy-files.ts";
import { defaultSlots, nodePorts } from "./ports.node.ts";
import { unpackOwnerProgram } from "./signals/windows.ts";

const HELP = `nightshift-agent ${VERSION}: lends this computer's idle time to a cluster.

  --join LINK        whom to join; or --join-file FILE with the link in it, or NIGHTSHIFT_JOIN, as every user of a computer can read command lines
  --name NAME        what this computer is called there (default: its own name)
  --slots N          how many cores it offers at most (default: all)
  --mode MODE        auto, idle, locked, always or never: when it computes (default: auto)
  --pool NAME        its first tag
  --home FOLDER      where its key and settings are kept (default: NIGHTSHIFT_HOME, or .nightshift in your folder)
  --policy FILE      an administrator's policy, instead of where it belongs
  --no-signals       computes whatever goes on on this computer
  --priority HOW     idle: takes only what no other program wants (the default); normal: its fair share, where nobody sits
  --json             prints what happens as JSON, one object a line
  --version, --help`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      join: { type: "string" },
      "join-file": { type: "string" },
      name: { type: "string" },
      home: { type: "string" },
      slots: { type: "string" },
      pool: { type: "string" },
      mode: { type: "string" },
      policy: { type: "string" },
      "no-signals": { type: "boolean", default: false },
      priority: { type: "string", default: "idle" },
      json: { type: "boolean", default: false },
      version: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.version) return console.log(VERSION);
  if (values.help) return console.log(HELP);
  const installed = values["no-signals"] ? null : readTold();
  const { NIGHTSHIFT_JOIN } = process.env;
  delete process.env.NIGHTSHIFT_JOIN; // for us, not for programs that we ask things
  const joinLink =
    values["join-file"] === undefined ? (values.join ?? NIGHTSHIFT_JOIN ?? installed?.join) : readLink(values["join-file"]);
  if (!joinLink)
    throw new NightshiftError(
      "NS_USAGE",
      "the agent needs --join LINK, as the coordinator's console or `nightshift token create` gives it",
    );
  const home = resolve(values.home ?? (process.env.NIGHTSHIFT_HOME || join(homedir(), ".nightshift")));
  const link = parseLink(joinLink);
  const name = values.name ?? hostname();
  if (!/^[\w.-]{1,100}$/.test(name))
    throw new NightshiftError("NS_USAGE", "--name must be 1 to 100 letters, digits, dots, dashes or underscores");
  const slots = values.slots === undefined ? defaultSlots() : Number(values.slots);
  if (!Number.isInteger(slots) || slots < 1 || slots > 1024)
    throw new NightshiftError("NS_USAGE", "--slots must be a whole number from 1 to 1024");

  if (values.pool !== undefined && !TAG.test(values.pool))
    throw new NightshiftError("NS_USAGE", "--pool must be a letter or digit, then up to 31 letters, digits and ._ -");

  const priority = PRIORITIES.find((one) => one === values.priority);
  if (!priority) throw new NightshiftError("NS_USAGE", `--priority must be ${PRIORITIES.join(" or ")}`);

  optimiseWasm();
  const speed = measureSpeed(() => performance.now()); // before it takes second place behind everything else
  const directory = join(home, "agents", name);
  makeFolder(directory);
  const ownerProgram = unpackOwnerProgram(directory);
  if (priority === "idle") lowerProcessPriority(ownerProgram);
  let decided: unknown;
  const say = (event: string, details: Readonly<Record<string, unknown>> = {}): void => {
    if (event === "decided") {
      const kind = kindOfDecision(details.code, String(details.words));
      if (kind === decided) return;
      decided = kind;
    }
    if (values.json) console.log(JSON.stringify({ event, host: name, ...details }));
    else console.log(`${name}: ${SENTENCES[event]?.(details) ?? `${event} ${JSON.stringify(details)}`}`);
  };
  const ports = nodePorts({
    name,
    link,
    key: loadKeyFile(join(directory, "key")),
    slots,
    speed,
    priority,
    pool: values.pool ?? installed?.pool ?? null,
    // Whoever put it here, or its package manager, puts a newer one here.
    app: { version: VERSION, kind: "headless", takes: null },
    log: say,
  });
  const agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots }, (status: AgentStatus) => {
    if (!status.refused) return;
    // Whoever has just typed a wrong link wants to know; one that runs by itself, or has been let in before, waits.
    if (mayPass(status.refused) && (status.hostId !== null || values["join-file"] !== undefined)) return;
    console.error(`nightshift: ${status.refused.code}: ${status.refused.message}`);
    console.error(`  ${new NightshiftError(status.refused.code as "NS_BAD_TOKEN", "").remedy}`);
    process.exit(1);
  });
  const owner = new Owner(agent, {
    directory,
    slots,
    policyFile: values.policy ?? adminPolicyPath(),
    mode: values.mode,
    installedMode: installed?.mode ?? null,
    sense: !values["no-signals"],
    ownerProgram,
    log: say,
  });
  const closeControl = await serveControl(owner, directory);
  const end = (): void => {
    owner.close();
    agent.stop();
    closeControl();
    process.exit(0);
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  // Whoever reads events has started this agent and is gone; a terminal may be closed while it goes on.
  process.stdout.on("error", values.json ? end : () => undefined);
  owner.start();
  agent.start();
}

/** @throws NS_BAD_FILE */
function readLink(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `the join link cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const SENTENCES: Record<string, (details: Readonly<Record<string, unknown>>) => string> = {
  connected: () => "joined the coordinator",
  disconnected: (d) => `no connection (${d.message}); next try in ${d.retryInMs} ms`,
  refused: (d) => `refused: ${d.message}`,
  decided: (d) => (d.compute === true ? "nothing stands against computing" : String(d.words)),
  stopped: (d) => `all processes stopped within ${Number(d.ms).toFixed(1)} ms`,
  pending: (d) => `waits until an administrator lets it in (its id begins with ${String(d.hostId).slice(0, 12)})`,
  "policy-file": (d) => (d.problem === null ? "settings have been read anew" : `${d.problem}; what was set before still counts`),
  "policy-refused": (d) => `the coordinator's policy cannot be obeyed: ${d.message}`,
  "signals-missing": (d) => `cannot see ${d.source} (${d.message})`,
};

/** Not that of a refusal, so that whoever watches over this program starts it again (coordinator/cli/agent-service.ts). */
const CRASHED = 70;
process.on("uncaughtException", (thrown) => {
  console.error(thrown);
  process.exit(CRASHED);
});

main().catch((thrown: unknown) => {
  const error = asNightshiftError(thrown);
  console.error(`nightshift: ${error.code}: ${error.message}`);
  if (error.remedy) console.error(`  ${error.remedy}`);
  process.exit(error.code === "NS_USAGE" ? 2 : 1);
});
