// The coordinator as a running server: one HTTP port for the tunnel and health, one state directory, one key. Owns start and stop.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { imageParent } from "@nightshift/wasm-kernels/process";
import { DiskBlobs } from "../blobs/index.ts";
import { acceptTunnel, formatLink, HandshakeGate, PROTOCOL_VERSION, type ServedTunnel } from "../protocol/index.ts";
import { loadKeyFile, nodeCrypto, serveSockets } from "../protocol/node/index.ts";
import { type CoreSettings, DEFAULT_SETTINGS } from "../scheduler/index.ts";
import { type Device, openSqlite } from "../store/index.ts";
import { ClientSession } from "./client-session.ts";
import { Coordinator } from "./coordinator.ts";
import { authenticate, createToken } from "./enrolment.ts";
import { lockDirectory } from "./lock.ts";
import { Programs } from "./programs.ts";

export interface CoordinatorOptions {
  /** NIGHTSHIFT_HOME; the coordinator's state is in its folder `coordinator`. */
  home: string;
  /** Address to listen on; default 127.0.0.1, so that nobody outside reaches a coordinator that was not meant for them. */
  host?: string;
  /** 0: any free one. */
  port: number;
  settings?: Partial<CoreSettings>;
  /** The store failed, so nothing can be promised any more. Default: ends the program. */
  onFatal?(error: unknown): void;
  log?(event: string, details: Record<string, unknown>): void;
}

export interface RunningCoordinator {
  url: string;
  port: number;
  publicKey: Uint8Array;
  /** For this machine's administrator. */
  adminLink: string;
  /** For hosts; valid for a day. */
  hostLink: string;
  coordinator: Coordinator;
  close(): Promise<void>;
}

const DAY_MS = 24 * 3600_000;
const TICK_MS = 250;
const SWEEP_MS = 10 * 60_000;
/** Blobs nobody refers to are kept this long, as they may have been uploaded just before what refers to them. */
const SWEEP_AGE_MS = 3600_000;

/** @throws NS_PORT_TAKEN, NS_ALREADY_RUNNING, NS_HOME_UNUSABLE, NS_STORE_VERSION */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const directory = join(options.home, "coordinator");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `cannot make ${directory}: ${asNightshiftError(thrown).message}`, {
      cause: thrown,
    });
  }
  const lock = lockDirectory(directory);
  const closers: (() => unknown)[] = [() => lock.release()];
  try {
    return await open(options, directory, closers);
  } catch (thrown) {
    for (const close of closers.reverse()) await close();
    throw thrown;
  }
}

async function open(options: CoordinatorOptions, directory: string, closers: (() => unknown)[]): Promise<RunningCoordinator> {
  const log = options.log ?? (() => {});
  const staticKey = loadKeyFile(join(directory, "key"));
  const store = openSqlite(join(directory, "state.sqlite"));
  closers.push(() => store.close());
  const blobs = new DiskBlobs(join(directory, "blobs"));
  const onFatal =
    options.onFatal ??
    ((error) => {
      console.error("nightshift: NS_INTERNAL: the store failed:", error);
      process.exit(70);
    });
  const coordinator = new Coordinator(store, { ...DEFAULT_SETTINGS, ...options.settings }, onFatal);
  closers.push(() => coordinator.flush());
  const programs = new Programs(store, blobs);

  const http = createServer((request, response) => {
    const known = request.method === "GET" && request.url === "/healthz";
    response.writeHead(known ? 200 : 404, { "content-type": "text/plain; charset=utf-8" });
    response.end(known ? "ok\n" : "This is a Nightshift coordinator. Join it with the `nightshift` command or the agent.\n");
  });
  const host = options.host ?? "127.0.0.1";
  await listen(http, options.port, host);
  const { port } = http.address() as AddressInfo;
  closers.push(() => new Promise((resolve) => http.close(resolve)));

  const linkTo = (address: string, token: Uint8Array): string =>
    formatLink({ host: address, port, tls: false, coordinatorKey: staticKey.publicKey, token });
  const outsideAddress = (): string => (host === "0.0.0.0" || host === "::" ? lanAddress() : host);
  const adminToken = createToken(store, "admin", 100 * 365 * DAY_MS, 1_000_000, Date.now()).token;
  const hostToken = createToken(store, "host", DAY_MS, 10_000, Date.now()).token;
  const adminLink = linkTo(host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host, adminToken);

  const tunnels = new Map<string, Set<{ close(code?: "NS_REVOKED", message?: string): void }>>();
  const revoke = (name: string): void => {
    const host = [...coordinator.core.hosts.values()].find((candidate) => candidate.name === name || candidate.id === name);
    const device = host ? store.device(host.id) : store.devices().find((candidate) => candidate.name === name);
    if (!device) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${name}"`);
    store.saveDevice({ ...device, revokedAt: Date.now() });
    for (const tunnel of tunnels.get(device.key) ?? []) tunnel.close("NS_REVOKED", "this host has been removed from the cluster");
    coordinator.apply((core, now) => core.hostLost(device.key, now));
  };
  const services = {
    coordinator,
    programs,
    link: (token: Uint8Array) => linkTo(outsideAddress(), token),
    revoke,
    version: "0.1.0",
    startedAt: Date.now(),
  };

  const sockets = serveSockets({
    http,
    gate: new HandshakeGate(),
    onSocket: (newcomer) => {
      acceptTunnel<Device>({
        socket: newcomer.socket,
        cipher: newcomer.cipher,
        crypto: nodeCrypto,
        staticKey,
        authenticate: async (caller) => {
          const device = authenticate(store, caller, Date.now());
          newcomer.authenticated();
          return device;
        },
        blobs: () => ({ store: blobs, authorise: () => {} }),
      }).then(
        (accepted) => {
          const { key } = accepted.identity;
          const set = tunnels.get(key) ?? new Set();
          tunnels.set(key, set.add(accepted.tunnel));
          const done = (): void => {
            set.delete(accepted.tunnel);
          };
          if (accepted.role === "agent") serveAgent(coordinator, accepted.identity, accepted.tunnel, done, log);
          else
            serveClient(
              new ClientSession(
                services,
                accepted.identity,
                (message) => accepted.tunnel.send(message),
                () => accepted.tunnel.backlogBytes,
              ),
              accepted.tunnel,
              done,
            );
        },
        (thrown) =>
          log("refused", {
            address: newcomer.address,
            code: asNightshiftError(thrown).code,
            message: asNightshiftError(thrown).message,
          }),
      );
    },
  });
  closers.push(() => sockets.close());

  const ticking = setInterval(() => coordinator.apply((core, now) => core.tick(now)), TICK_MS);
  const sweeping = setInterval(() => void sweep(coordinator, blobs, log), SWEEP_MS);
  closers.push(() => {
    clearInterval(ticking);
    clearInterval(sweeping);
  });
  const endpoint = join(directory, "endpoint.json");
  writeFileSync(endpoint, `${JSON.stringify({ pid: process.pid, port, link: adminLink, startedAt: services.startedAt })}\n`, {
    mode: 0o600,
  });
  closers.push(() => rmSync(endpoint, { force: true }));
  return {
    url: `http://${host}:${port}`,
    port,
    publicKey: staticKey.publicKey,
    adminLink,
    hostLink: linkTo(outsideAddress(), hostToken),
    coordinator,
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

function serveAgent(
  coordinator: Coordinator,
  device: Device,
  tunnel: ServedTunnel<"agent">,
  done: () => void,
  log: (event: string, details: Record<string, unknown>) => void,
): void {
  let disconnect: (() => void) | undefined;
  tunnel.onMessage((message) => {
    if (message.type !== "hello") {
      if (process.env.TRACE && message.type !== "load")
        console.log(
          Math.round(performance.now()),
          device.name,
          "<-",
          message.type,
          "pid" in message ? `${message.pid}/${message.epoch}` : "",
          message.type === "syscall" ? message.seq + message.call.call : "",
          message.type === "refused" ? message.code + message.message : "",
        );
      if (disconnect) coordinator.apply((core, now) => core.agentMessage(device.key, message, now));
      return;
    }
    if (disconnect) return;
    const settings = coordinator.settings;
    disconnect = coordinator.connectHost(device.key, (outgoing) => {
      if (process.env.TRACE)
        console.log(
          Math.round(performance.now()),
          device.name,
          "->",
          outgoing.type,
          "pid" in outgoing ? `${outgoing.pid}/${"epoch" in outgoing ? outgoing.epoch : ""}` : "",
          outgoing.type === "syscallResult" ? `${outgoing.seq} ${outgoing.result.value}` : "",
        );
      tunnel.send(outgoing);
    });
    const drop = coordinator.apply((core, now) => core.hostConnected(device.key, message.host, message.held, now));
    log("host-joined", { name: message.host.name, slots: message.host.slots });
    // Before anything else reaches the host: what the event sends is sent when it is stored.
    tunnel.send({
      type: "welcome",
      version: PROTOCOL_VERSION,
      hostId: device.key,
      leaseMs: settings.leaseMs,
      checkpointMs: settings.checkpointMs,
      drop,
    });
  });
  tunnel.onClose((error) => {
    done();
    disconnect?.();
    log("host-left", { name: device.name, code: error?.code ?? null });
  });
}

function serveClient(session: ClientSession, tunnel: ServedTunnel<"client">, done: () => void): void {
  tunnel.onMessage((message) => session.message(message));
  tunnel.onClose(() => {
    done();
    session.closed();
  });
}

/** Removes blobs that no program, process or job refers to, directly or as a parent of an image. */
async function sweep(
  coordinator: Coordinator,
  blobs: DiskBlobs,
  log: (event: string, details: Record<string, unknown>) => void,
): Promise<void> {
  const { roots, images } = coordinator.blobsInUse();
  const keep = new Set(roots);
  for (const image of images) {
    for (let hash: string | null = image; hash !== null && !keep.has(hash); ) {
      keep.add(hash);
      try {
        hash = imageParent(await blobs.get(hash));
      } catch {
        hash = null; // an image still on its way, or one that is gone: nothing more to keep through it
      }
    }
  }
  const freedBytes = await blobs.sweep(keep, SWEEP_AGE_MS);
  if (freedBytes > 0) log("swept", { freedBytes });
}

function listen(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        reject(new NightshiftError("NS_PORT_TAKEN", `port ${port} is in use by another program`, { cause: error }));
      else if (error.code === "EACCES")
        reject(new NightshiftError("NS_PORT_TAKEN", `port ${port} may not be used by this user`, { cause: error }));
      else reject(error);
    });
    http.listen({ port, host }, resolve);
  });
}

/** The address others on the network reach this machine by; loopback when there is none. */
function lanAddress(): string {
  for (const addresses of Object.values(networkInterfaces()))
    for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  return "127.0.0.1";
}
