// The process that computes, beside the tray app's main process: the headless agent, with signals and orders from the app. A process of
// its own, so that nothing in it can take the app down, V8's settings and the low priority are its own, and ending it ends all of it.
import { writeFile } from "node:fs/promises";
import { publicKeyOf } from "@nightshift/coordinator/protocol";
import { nodeCrypto } from "@nightshift/coordinator/protocol/node";
import { asNightshiftError, must } from "@nightshift/wasm-kernels/errors";
import { optimiseWasm } from "@nightshift/wasm-kernels/process/node";
import { measureSpeed } from "../../agent/calibrate.ts";
import { Agent, DEFAULT_AGENT_SETTINGS } from "../../agent/index.ts";
import { answer, serveControl } from "../../headless/control.ts";
import { Owner } from "../../headless/owner.ts";
import { makeFolder } from "../../headless/policy-files.ts";
import { nodePorts } from "../../headless/ports.node.ts";
import { openSources } from "../../headless/signals/index.ts";
import { openTurn } from "../../headless/turn.ts";
import { lowerProcessPriority } from "../../worker/index.ts";
import { OwnScreensaver } from "./own-screensaver.ts";
import { type Begin, type FromAgentProcess, STATUS_EVERY_MS, type ToAgentProcess } from "./protocol.ts";
import { openTold, type ToldSource } from "./told-signals.ts";

/** Electron's port to the parent; under Node the channel of fork(). */
interface ElectronParent {
  on(event: "message", listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}
const parent = (process as unknown as { parentPort?: ElectronParent }).parentPort;
const post = (message: FromAgentProcess): void => {
  if (parent) parent.postMessage(message);
  else if (process.connected) process.send?.(message);
};
const log = (event: string, details: Readonly<Record<string, unknown>> = {}): void => post({ type: "log", event, details });

/** Said before there is an agent, it is heard all the same. */
let watched = false;
/** Where the main process tells signals it tells of this, too. */
const ownScreensaver = new OwnScreensaver();
let running: { agent: Agent; owner: Owner; told: () => ToldSource | undefined; end(): void } | undefined;

async function begin(given: Begin): Promise<void> {
  optimiseWasm();
  const speed = measureSpeed(() => performance.now()); // before it takes second place behind everything else
  lowerProcessPriority(given.ownerProgram);
  const { directory, name, slots, coordinator, privateKey } = given;
  makeFolder(directory);
  const ports = nodePorts({
    name,
    link: { ...coordinator, coordinatorKey: coordinator.key, ...(given.token ? { token: given.token } : {}) },
    key: { privateKey, publicKey: publicKeyOf(nodeCrypto, privateKey) },
    slots,
    speed,
    priority: "idle",
    pool: given.pool,
    app: given.app,
    log,
  });
  let told: ToldSource | undefined;
  const agent = new Agent(ports, { ...DEFAULT_AGENT_SETTINGS, slots }, () => tell());
  const owner = new Owner(agent, {
    directory,
    slots,
    policyFile: given.policyFile,
    mode: undefined,
    installedMode: given.installedMode,
    sense: true,
    turn: given.turn === undefined ? undefined : openTurn(given.turn),
    ownerProgram: given.ownerProgram,
    windowsOf: given.windowsOf,
    ...(given.told
      ? {
          open: (watch, options) => {
            const opened = openTold(watch, options);
            told = opened.told;
            return opened.source;
          },
        }
      : { open: (watch, options) => openSources(ownScreensaver.over(watch), options) }),
    log: (event, details) => {
      if (event === "decided") tell(); // before: the app puts it into the reader's language
      log(event, details);
    },
  });
  const tell = (): void => {
    const { user, system } = process.cpuUsage();
    post({ type: "status", status: { ...owner.status(), cpuMs: (user + system) / 1000 } });
  };
  let isShown = false;
  const everySecond = (): void => {
    tell();
    const shown = agent.shownNews();
    if (shown !== undefined && (shown !== null || isShown)) post({ type: "shown", shown });
    isShown = shown === undefined ? isShown : shown !== null;
  };
  const closeControl = await serveControl(owner, directory);
  setInterval(everySecond, STATUS_EVERY_MS);
  agent.onUpgrade((release, back) => post({ type: "upgrade", release, back }));
  running = {
    agent,
    owner,
    told: () => told,
    end: () => {
      owner.close();
      agent.stop();
      closeControl();
      process.exit(0);
    },
  };
  agent.watch(watched);
  owner.start();
  if (watched) ownScreensaver.shown(true);
  agent.start();
}

/** @returns why not */
async function fetchInto(hash: string, path: string): Promise<{ code: string; message: string } | null> {
  try {
    const bytes = await must(running, "the agent").agent.download(hash);
    await writeFile(path, bytes, { mode: 0o600 });
    return null;
  } catch (thrown) {
    const { code, message } = asNightshiftError(thrown);
    return { code, message };
  }
}

function take(message: ToAgentProcess): void {
  switch (message.type) {
    case "begin":
      begin(message.begin).catch((thrown: unknown) => {
        const { code, message } = asNightshiftError(thrown);
        post({ type: "failed", code, message });
        setImmediate(() => process.exit(1));
      });
      return;
    case "signals":
      running?.told()?.told(message.signals);
      return;
    case "order":
      post({
        type: "answer",
        id: message.id,
        answer: answer(must(running, "the agent").owner, JSON.stringify(message.order)),
      });
      return;
    case "fetch":
      void fetchInto(message.hash, message.path).then((failure) => post({ type: "fetched", id: message.id, failure }));
      return;
    case "upgrade":
      running?.agent.sayUpgrade(message.version, message.step, message.problem);
      return;
    case "watch":
      watched = message.on;
      running?.agent.watch(watched);
      ownScreensaver.shown(watched);
      return;
    case "leaving":
      running?.agent.pause("Nightshift is about to end", 0);
      return;
    case "end":
      if (running) running.end();
      else process.exit(0);
  }
}

if (parent) parent.on("message", ({ data }) => take(data as ToAgentProcess));
else {
  process.on("message", (message) => take(message as ToAgentProcess));
  // Without the app nobody could see or stop it.
  process.on("disconnect", () => process.exit(0));
}
