// A coordinator and agents on this computer, started and stopped together: what `up` and `start` have in common. It prints what
// happens to the hosts; on Ctrl-C everything it started ends, agents first. The agents were started to compute now: the owner's policy
// does not hold for them.
import type { CoordinatorOptions, RunningCoordinator } from "../server/index.ts";
import { nightshiftHome } from "./home-folder.ts";
import { type AgentOptions, type LocalAgent, startAgent } from "./local-agents.ts";
import { type Paint, paintFor } from "./terminal.ts";

export interface HouseOptions {
  /** State directory; NIGHTSHIFT_HOME unless told. */
  home?: string;
  port: number;
  /** Address to listen on; 127.0.0.1 unless told. */
  host?: string;
  /** What else it is told. */
  coordinator?: Pick<CoordinatorOptions, "plainHttp" | "keepJobsDays" | "tls" | "proxies" | "publicUrl" | "ssoFile">;
  agents: readonly Omit<AgentOptions & { name: string }, "link" | "home" | "json">[];
  /** Lines for people; nothing for --json. */
  say(line: string): void;
  paint?: Paint;
}

export interface House {
  coordinator: RunningCoordinator;
  agents: readonly LocalAgent[];
  /** Resolves with the exit status when a signal has asked for the end, or rejects when an agent never joined. */
  asked: Promise<number>;
  close(): Promise<void>;
}

/** @throws NS_PORT_TAKEN, NS_ALREADY_RUNNING, NS_HOME_UNUSABLE, NS_STORE_VERSION, NS_BAD_CERTIFICATE, NS_BAD_FILE, NS_USAGE */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { say, paint = paintFor(process.stdout) } = options;
  const home = options.home ?? nightshiftHome();
  await prepareConsole(say);
  const { startCoordinator } = await import("../server/index.ts");
  const coordinator = await startCoordinator({
    home,
    port: options.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...options.coordinator,
  });
  say(`Coordinator  ${paint.bold(coordinator.url)}`);
  say(`Join link    ${coordinator.hostLink}`);
  say(`Console      ${paint.bold(coordinator.consoleUrl)}`);
  if (coordinator.consoleUrl.includes("#"))
    say(paint.dim("             (once: whoever opens it becomes the first administrator)"));
  say("");
  let closing = false;
  const agents = options.agents.map((agent) => {
    const started = startAgent({ ...agent, signals: false, home, link: coordinator.localHostLink }, (event, details) => {
      if (closing) return;
      if (event === "connected") say(`${paint.green("●")} ${agent.name} joined${describe(agent)}`);
      else if (event === "disconnected") say(`${paint.yellow("●")} ${agent.name} lost the coordinator; it tries again`);
      else if (event === "said") say(`  ${agent.name}: ${String(details.text)}`);
    });
    void started.ended.then((how) => {
      if (!closing) say(`${paint.red("●")} ${agent.name} ended (${how})`);
    });
    return started;
  });
  const asked = Promise.withResolvers<number>();
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    process.on(signal, () => {
      if (closing) process.exit(status);
      // Ctrl-C reaches the agents as well, so their end is no news.
      closing = true;
      asked.resolve(status);
    });
  return {
    coordinator,
    agents,
    asked: asked.promise,
    close: async () => {
      closing = true;
      await Promise.all(agents.map((agent) => agent.stop()));
      await coordinator.close();
    },
  };
}

/** Without it the cluster is as good; the console's address then says how to get it. */
async function prepareConsole(say: (line: string) => void): Promise<void> {
  const { buildConsole, isConsoleOutdated } = await import("./console-build.ts");
  if (!(await isConsoleOutdated())) return;
  say("Building the console (once) ...");
  await buildConsole().catch((thrown: Error) => say(`The console could not be built: ${thrown.message}`));
}

function describe(agent: { slots?: number; cpu?: number | null }): string {
  const parts = [
    ...(agent.slots === undefined ? [] : [`${agent.slots} ${agent.slots === 1 ? "slot" : "slots"}`]),
    ...(agent.cpu === null || agent.cpu === undefined ? [] : [`core ${agent.cpu}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
