// The headless agent as a program: `main.ts --join LINK --name NAME --home DIR --slots N [--mode MODE] [--json]`. Prints what happens, one
// line each. --no-signals: it looks at nothing of the machine and computes unless it is paused by hand (for experiments and tests).
// --join-file FILE: the link stands in it, as where an installed service starts the agent.
// Without either, the link that the installer was told is taken, as is its mode.
// --policy FILE: the administrator's file, instead of where it belongs.
import { mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseLink, TAG } from "@nightshift/coordinator/protocol";
import { loadKeyFile } from "@nightshift/coordinator/protocol/node";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";
import { measureSpeed } from "../agent/calibrate.ts";
import { Agent, type AgentStatus, DEFAULT_AGENT_SETTINGS } from "../agent/index.ts";
import { lowerProcessPriority } from "../worker/index.ts";
import { serveControl } from "./control.ts";
import { readInstalled } from "./installed.ts";
import { Owner } from "./owner.ts";
import { adminPolicyPath } from "./policy-files.ts";
import { defaultSlots, nodePorts } from "./ports.node.ts";

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
      json: { type: "boolean", default: false },
    },
  });
  const installed = values["no-signals"] ? null : readInstalled();
  const joinLink = values["join-file"] === undefined ? (values.join ?? installed?.join) : readLink(values["join-file"]);
  if (!joinLink || !values.home) throw new NightshiftError("NS_USAGE", "the agent needs --join LINK and --home DIR");
  const link = parseLink(joinLink);
  const name = values.name ?? hostname();
  if (!/^[\w.-]{1,100}$/.test(name))
    throw new NightshiftError("NS_USAGE", "--name must be 1 to 100 letters, digits, dots, dashes or underscores");
  const slots = values.slots === undefined ? defaultSlots() : Number(values.slots);
  if (!Number.isInteger(slots) || slots < 1 || slots > 1024)
    throw new NightshiftError("NS_USAGE", "--slots must be a whole number from 1 to 1024");

  if (values.pool !== undefined && !TAG.test(values.pool))
    throw new NightshiftError("NS_USAGE", "--pool must be a letter or digit, then up to 31 letters, digits and ._ -");

  optimiseWasm();
  const speed = measureSpeed(() => performance.now()); // before it takes second place behind everything else
  lowerProcessPriority();
  const directory = join(values.home, "agents", name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const say = (event: string, details: Readonly<Record<string, unknown>> = {}): void => {
    if (values.json) console.log(JSON.stringify({ event, host: name, ...details }));
    else console.log(`${name}: ${SENTENCES[event]?.(details) ?? `${event} ${JSON.stringify(details)}`}`);
  };
  const ports = nodePorts({
    name,
    link,
    key: loadKeyFile(join(directory, "key")),
    slots,
    speed,
    pool: values.pool ?? installed?.pool ?? null,
    log: say,
  });
  const agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots }, (status: AgentStatus) => {
    if (!status.refused) return;
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
  decided: (d) => String(d.words),
  stopped: (d) => `all processes stopped within ${Number(d.ms).toFixed(1)} ms`,
  pending: (d) => `waits until an administrator lets it in (its id begins with ${String(d.hostId).slice(0, 12)})`,
  "policy-file": (d) => (d.problem === null ? "settings have been read anew" : `${d.problem}; what was set before still counts`),
  "policy-refused": (d) => `the coordinator's policy cannot be obeyed: ${d.message}`,
  "signals-missing": (d) => `cannot see ${d.source} (${d.message})`,
};

main().catch((thrown: unknown) => {
  const error = asNightshiftError(thrown);
  console.error(`nightshift: ${error.code}: ${error.message}`);
  if (error.remedy) console.error(`  ${error.remedy}`);
  process.exit(error.code === "NS_USAGE" ? 2 : 1);
});
