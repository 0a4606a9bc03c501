// A real cluster for tests: a coordinator and agents as child processes on loopback, in a temporary home, and a client connected to it.
// Owns every process it starts and ends them all in close(), which tests call through `await using`. No tests in here.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  type ClientEvent,
  connectTunnel,
  type ExitReport,
  type KeyPair,
  type Params,
  parseLink,
  type Result,
  RpcClient,
  tunnelUrl,
} from "@nightshift/coordinator/protocol";
import { nodeCrypto, openSocket } from "@nightshift/coordinator/protocol/node";
import type { CoreSettings } from "@nightshift/coordinator/scheduler";
import type { CoordinatorOptions } from "@nightshift/coordinator/server";
import { asNightshiftError, must, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { instrument } from "@nightshift/wasm-kernels/instrument";
import { type LocalResult, type LocalRunOptions, Program, runLocally } from "@nightshift/wasm-kernels/process";
import { programNamed } from "@nightshift/wasm-kernels/programs";
import { compile } from "@nightshift/wasm-kernels/toolchain";
import { PATIENCE_MS } from "./patience.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const COORDINATOR_MAIN = fileURLToPath(new URL("./coordinator-main.ts", import.meta.url));
const AGENT_MAIN = join(ROOT, "agent-app/headless/main.ts");
/** Kept between runs; entries are named by the hash of what went into them. */
export const BUILDS: string = join(ROOT, "node_modules/.cache/nightshift-test-builds");
const RETRY_MS = 50;

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Path of a C source: of a bundled program, or `name.c` of this folder's `programs`. */
export const sourceOf = (name: string): string =>
  name.endsWith(".c") ? fileURLToPath(new URL(`./programs/${name}`, import.meta.url)) : programNamed(name).source;

/** The plain module of a bundled program, or of `name.c` of this folder's `programs`. */
export async function moduleOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { wasm } = await compile({ sources: [sourceOf(name)], cacheDir: BUILDS });
  return new Uint8Array(wasm);
}

/** The migratable program of the same, as a process needs it. */
export async function programOf(name: string): Promise<Program> {
  const { wasm } = instrument(await moduleOf(name));
  return new Program(sha256(wasm), wasm);
}

/** The program run in this thread without a cluster: what the cluster has to equal. */
export async function local(
  name: string,
  args: readonly string[],
  more: Partial<LocalRunOptions> = {},
): Promise<LocalResult & { out: string; err: string }> {
  const program = await programOf(name);
  const result = runLocally({ program, args: [name, ...args], cpuNow: () => performance.now(), now: () => Date.now(), ...more });
  return { ...result, out: text(result.stdout), err: text(result.stderr) };
}

/** Asks until the answer is not undefined or false. @throws after `ms`, saying what was waited for */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  ms = PATIENCE_MS,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > deadline)
      throw new Error(
        [`waited ${ms} ms in vain until ${what}`, ...(await Promise.all([...up].map((one) => one.story())))].join("\n"),
      );
    await delay(RETRY_MS);
  }
}

/** What a client received of a job: every byte once and in order, or it throws. */
export class Received {
  private readonly pieces: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
  readonly bytes: Record<1 | 2, number> = { 1: 0, 2: 0 };
  /** Where to go on. */
  private readonly next = { 1: { part: 1, offset: 0 }, 2: { part: 1, offset: 0 } };
  report: ExitReport | undefined;

  take(event: ClientEvent): void {
    if (event.event === "ended") {
      this.report = event.report;
      return;
    }
    const { stream, part, end, bytes } = event;
    const next = this.next[stream];
    const from = end - bytes.length;
    if (part < next.part || from !== (part === next.part ? next.offset : 0))
      throw new Error(
        `stream ${stream}: bytes from ${from} of part ${part} came after ${next.offset} bytes of part ${next.part}`,
      );
    this.pieces[stream].push(bytes);
    this.bytes[stream] += bytes.length;
    this.next[stream] = { part, offset: end };
  }
  get places(): Pick<Params<"attach">, "stdout" | "stderr"> {
    return { stdout: { ...this.next[1] }, stderr: { ...this.next[2] } };
  }
  get stdout(): string {
    return text(Buffer.concat(this.pieces[1]));
  }
  get stderr(): string {
    return text(Buffer.concat(this.pieces[2]));
  }
}

export interface Ended {
  job: number;
  pid: number;
  stdout: string;
  stderr: string;
  report: ExitReport;
  info: Result<"job">;
}

/** How a job differs from one with default limits, no files and no stdin. */
export type JobOptions = Partial<Omit<Params<"submit">, "name" | "program" | "args">>;

export interface ClusterOptions {
  settings?: Partial<CoreSettings>;
  /** Names of the agents to start with, or names with their slots. */
  agents?: readonly string[] | Readonly<Record<string, number>>;
  /** What else the coordinator is told. */
  coordinator?: Partial<CoordinatorOptions>;
}

interface Child {
  process: ChildProcess;
  /** What it printed, for the message of a test that fails. */
  log: string[];
}

/** Clusters that are up, so that who waits in vain can show what they said. */
const up = new Set<Cluster>();

/** Ended when this process ends in any way in which it can still do something. */
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class Cluster {
  readonly home: string;
  readonly agents = new Map<string, Child>();
  private readonly settings: Partial<CoreSettings>;
  private readonly options: Partial<CoordinatorOptions>;
  private readonly key: KeyPair = nodeCrypto.generateKeyPair();
  private coordinator: Child | undefined;
  private connected: RpcClient | undefined;
  private readonly programs = new Map<string, string>();
  port = 0;
  adminLink = "";
  hostLink = "";
  /** With the one-time link for the first administrator, while there are no users. */
  consoleUrl = "";

  private constructor(settings: Partial<CoreSettings>, options: Partial<CoordinatorOptions>) {
    this.settings = settings;
    this.options = options;
    this.home = mkdtempSync(join(tmpdir(), "nightshift-test-"));
  }

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options.settings ?? {}, options.coordinator ?? {});
    try {
      await cluster.startCoordinator();
      up.add(cluster);
      const agents = Array.isArray(options.agents)
        ? Object.fromEntries((options.agents as string[]).map((name) => [name, 1]))
        : ((options.agents ?? {}) as Record<string, number>);
      await Promise.all(Object.entries(agents).map(([name, slots]) => cluster.startAgent(name, slots)));
      return cluster;
    } catch (thrown) {
      await cluster.close();
      throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    up.delete(this);
    this.connected?.close();
    await Promise.all([...this.agents.keys()].map((name) => this.killAgent(name)));
    await this.killCoordinator();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  // ---- processes

  private async spawn(args: readonly string[], ready: (line: string) => boolean, env?: NodeJS.ProcessEnv): Promise<Child> {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], ...(env ? { env } : {}) });
    const log: string[] = [];
    children.add(child);
    child.once("exit", () => children.delete(child));
    child.stdin.on("error", () => {}); // it may be killed at any time
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string): void => reject(new Error(`${args.join(" ")}: ${why}\n${log.join("\n")}`));
      const timer = setTimeout(() => failed(`not ready within ${PATIENCE_MS} ms`), PATIENCE_MS);
      child.once("error", (error) => failed(error.message));
      child.once("exit", (code, signal) => failed(`ended with ${signal ?? code}`));
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => {
          log.push(line);
          if (!ready(line)) return;
          clearTimeout(timer);
          resolve();
        });
    });
    return { process: child, log };
  }

  /** Starts it, also again after it was killed: then on the same port and state. */
  async startCoordinator(): Promise<void> {
    let said: { port: number; adminLink: string; hostLink: string; consoleUrl: string } | undefined;
    this.coordinator = await this.spawn(
      [COORDINATOR_MAIN, this.home, String(this.port), JSON.stringify(this.settings), JSON.stringify(this.options)],
      (line) => {
        if (!line.startsWith('{"port"')) return false;
        said = JSON.parse(line);
        return true;
      },
    );
    const { port, adminLink, hostLink, consoleUrl } = must(said, "the coordinator's line");
    Object.assign(this, { port, adminLink, hostLink, consoleUrl });
    await this.connect();
  }

  /**
   * Without `more` it competes with whatever else is tested on this machine as an equal: what is told of its place behind the owner's
   * programs is tested by itself.
   * @param more of its command line; without, it computes whatever goes on on this machine
   * @param ready the event that says that it has started
   */
  async startAgent(
    name: string,
    slots = 1,
    more: readonly string[] = ["--no-signals", "--priority", "normal"],
    env?: NodeJS.ProcessEnv,
    ready = "connected",
  ): Promise<void> {
    const args = [AGENT_MAIN, "--join", this.hostLink, "--name", name, "--home", this.home, "--slots", String(slots), "--json"];
    this.agents.set(name, await this.spawn([...args, ...more], (line) => line.includes(`"event":"${ready}"`), env));
  }

  /** What an agent has said so far, as events. */
  said(agent: string): { event: string; [detail: string]: unknown }[] {
    return (this.agents.get(agent)?.log ?? []).flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  }

  pidOf(agent: string): number {
    return must(this.agents.get(agent)?.process.pid, `the process of ${agent}`);
  }

  /** SIGKILL: no goodbye, nothing written. */
  async killAgent(name: string): Promise<void> {
    const agent = this.agents.get(name);
    this.agents.delete(name);
    if (agent) await kill(agent.process);
  }

  async killCoordinator(): Promise<void> {
    const { coordinator } = this;
    this.coordinator = undefined;
    if (coordinator) await kill(coordinator.process);
  }

  /** It neither answers nor ends (SIGSTOP), or goes on (SIGCONT). */
  signalCoordinator(signal: "SIGSTOP" | "SIGCONT"): void {
    must(this.coordinator, "the coordinator").process.kill(signal);
  }

  /** Whatever the children printed, for messages. */
  logs(): string {
    const all = [...this.agents].map(([name, { log }]) => `${name}:\n  ${log.join("\n  ")}`);
    return [`coordinator:\n  ${this.coordinator?.log.join("\n  ") ?? "(dead)"}`, ...all].join("\n");
  }

  /** One command to an agent's control socket. */
  async control(agent: string, command: Record<string, unknown>): Promise<{ ok: boolean; status: Record<string, unknown> }> {
    const { path } = JSON.parse(readFileSync(join(this.home, "agents", agent, "control.json"), "utf8"));
    const socket = connect(path);
    socket.write(`${JSON.stringify(command)}\n`);
    const [line] = await once(createInterface({ input: socket }), "line");
    socket.destroy();
    return JSON.parse(line);
  }

  // ---- the client

  get client(): RpcClient {
    return must(this.connected, "the client's connection");
  }

  /** Another connection with the same key, or with a link and key of the caller's. */
  async open(link = this.adminLink, key = this.key): Promise<RpcClient> {
    const { host, port, tls, coordinatorKey, token } = parseLink(link);
    const socket = await openSocket(tunnelUrl({ host, port, tls }));
    const tunnel = await connectTunnel({
      socket,
      crypto: nodeCrypto,
      staticKey: key,
      coordinatorKey,
      role: "client",
      token,
      name: "test",
    });
    return RpcClient.open(tunnel);
  }

  async connect(): Promise<void> {
    this.connected = await this.open();
  }

  /** Uploads the program, once, and has it made migratable. */
  async program(name: string): Promise<string> {
    const known = this.programs.get(name);
    if (known) return known;
    const program = await this.instrument(await moduleOf(name));
    this.programs.set(name, program);
    return program;
  }

  async instrument(module: Uint8Array): Promise<string> {
    return (await this.prepared(module, false)).program;
  }

  /** @param pin see the command's --pin */
  async prepared(module: Uint8Array, pin: boolean): Promise<Result<"instrument">> {
    const hash = sha256(module);
    await this.client.blobs.putBlob(hash, module);
    return this.client.request("instrument", { module: hash, pin });
  }

  async putFiles(files: Readonly<Record<string, Uint8Array>>): Promise<Params<"submit">["files"]> {
    const refs: Params<"submit">["files"] = {};
    for (const [path, bytes] of Object.entries(files)) {
      refs[path] = { hash: sha256(bytes), size: bytes.length };
      await this.client.blobs.putBlob(refs[path].hash, bytes);
    }
    return refs;
  }

  /** @param options also another program than the one of that name */
  async submit(
    name: string,
    args: readonly string[],
    options: JobOptions & { program?: string } = {},
  ): Promise<{ job: number; pid: number }> {
    return this.client.request("submit", {
      name,
      program: options.program ?? (await this.program(name)),
      args: [name, ...args],
      env: {},
      files: {},
      memoryLimitBytes: 2 ** 30,
      cpuLimitMs: 0,
      clock: "virtual",
      startOn: null,
      stay: false,
      stdin: false,
      ...options,
    });
  }

  /**
   * Follows the job to its end. When the connection is lost it connects again and goes on from where it was.
   * @param received filled while the job runs, for who wants to look on
   */
  async end({ job, pid }: { job: number; pid: number }, received = new Received(), ms = PATIENCE_MS): Promise<Ended> {
    const deadline = performance.now() + ms;
    while (!received.report) {
      const left = deadline - performance.now();
      if (left < 0) throw new Error(`job ${job} did not end within ${ms} ms\n${received.stderr}\n${await this.story()}`);
      try {
        const client = await this.open();
        try {
          const attachment = await client.attach({ job, pid: null, ...received.places, follow: true }, (event) =>
            received.take(event),
          );
          let timer: NodeJS.Timeout | undefined;
          const late = new Promise<void>((resolve) => {
            timer = setTimeout(resolve, left);
          });
          await Promise.race([attachment.ended, late]);
          clearTimeout(timer);
        } finally {
          client.close();
        }
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
        await delay(RETRY_MS);
      }
    }
    const info = await this.job(job);
    return { job, pid, stdout: received.stdout, stderr: received.stderr, report: received.report, info };
  }

  /** What is known about the job, once the first process and all others have ended. The coordinator may be killed meanwhile. */
  async job(job: number): Promise<Result<"job">> {
    return until(`job ${job} is over`, async () => {
      const info = await this.client.request("job", { job }).catch((error) => {
        if (!isPassing(error)) throw error;
        return undefined;
      });
      return info?.state === "running" ? undefined : info;
    });
  }

  async run(name: string, args: readonly string[], options: JobOptions = {}): Promise<Ended> {
    return this.end(await this.submit(name, args, options));
  }

  async ps(job: number | null = null, all = true): Promise<Result<"ps">> {
    return this.client.request("ps", { job, all });
  }

  /** For the message of a test that fails: processes that have not ended, hosts, and what the children printed. */
  async story(): Promise<string> {
    const asked = Promise.all([this.ps(null, false), this.client.request("hosts", {})]);
    const rows = await asked.then(
      ([processes, hosts]) => [...processes, ...hosts].map((row) => JSON.stringify(row)),
      (error) => [String(error)],
    );
    const agents = [...this.agents.keys()].map((name) =>
      this.control(name, { command: "status" }).then(
        ({ status }) => `${name} itself: ${JSON.stringify(status)}`,
        (error) => `${name} itself: ${error}`,
      ),
    );
    return [...rows, ...(await Promise.all(agents)), this.logs()].join("\n");
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** The coordinator is away, for now. */
const isPassing = (thrown: unknown): boolean => /^NS_(CONNECTION_LOST|UNREACHABLE)$/.test(asNightshiftError(thrown).code);

/** The code with which it is refused. */
export async function refusal(work: Promise<unknown>): Promise<NightshiftError> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof NightshiftError) return thrown;
    throw thrown;
  }
  throw new Error("it was not refused");
}
