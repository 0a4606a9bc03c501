// The coordinator as a running server: one port for the tunnel, the HTTP API and the console, one state directory, one key. Owns start
// and stop.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Server as TlsServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { imageParent } from "@nightshift/wasm-kernels/process";
import type { FastifyInstance } from "fastify";
import { DiskBlobs } from "../blobs/index.ts";
import { fill } from "../protocol/deed-details.ts";
import {
  acceptTunnel,
  type FromAgent,
  HandshakeGate,
  type HostInfo,
  PROTOCOL_VERSION,
  type ServedTunnel,
} from "../protocol/index.ts";
import { loadKeyFile, type Newcomer, nodeCrypto, serveSockets } from "../protocol/node/index.ts";
import { type CoreSettings, DEFAULT_SETTINGS } from "../scheduler/index.ts";
import { type Device, openSqlite } from "../store/index.ts";
import { Actions } from "./actions.ts";
import { Addresses, parsePublicUrl } from "./addresses.ts";
import { ClientSession } from "./client-session.ts";
import { Compiler } from "./compiler.ts";
import { Coordinator } from "./coordinator.ts";
import { CreditBoard } from "./credit.ts";
import { authenticate, createToken } from "./enrolment.ts";
import { OverheadExperiments } from "./experiments.ts";
import { invitationUrl } from "./http/people-handlers.ts";
import { Proxies } from "./http/proxies.ts";
import { makeSite } from "./http/site.ts";
import { lockDirectory } from "./lock.ts";
import { MachineMeasurements } from "./measurements.ts";
import { Onlookers } from "./onlookers.ts";
import { PendingHosts } from "./pending.ts";
import { PeopleActions } from "./people.ts";
import { HostPolicies } from "./policies.ts";
import { tellPrinted } from "./printed.ts";
import { Programs } from "./programs.ts";
import { HostReleases } from "./releases.ts";
import { readSsoSettings } from "./sso/settings.ts";
import type { CredentialSource } from "./tls/credentials.ts";
import { GivenCertificate, type GivenFiles } from "./tls/given-certificate.ts";
import { sharePort } from "./tls/shared-port.ts";
import { UsageWatch } from "./usage.ts";
import { Views } from "./views.ts";

export interface CoordinatorOptions {
  /** NIGHTSHIFT_HOME; the coordinator's state is in its folder `coordinator`. */
  home: string;
  /** Address to listen on; default 127.0.0.1, so that nobody outside reaches a coordinator that was not meant for them. */
  host?: string;
  /** 0: any free one. */
  port: number;
  /** Lets others than this computer use the console and the API over plain http. Default false: a password would go readable. */
  plainHttp?: boolean;
  /** TLS on the same port: with these files, or with a certificate of a local authority that is made in the home. */
  tls?: GivenFiles | "local-authority";
  /** Addresses of proxies with TLS in front, whose X-Forwarded-* is believed. */
  proxies?: readonly string[];
  /** The address by which others come: https://NAME[:PORT]. */
  publicUrl?: string;
  /** The administrator's file for single sign-on. */
  ssoFile?: string;
  /** Days for which an ended job, its output and files are kept; default 30. */
  keepJobsDays?: number;
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
  /** The same for hosts on this machine. */
  localHostLink: string;
  /** The console's address; as long as there are no users, a one-time link that makes the first administrator. */
  consoleUrl: string;
  coordinator: Coordinator;
  close(): Promise<void>;
}

const CONSOLE_FOLDER = fileURLToPath(new URL("../console/dist", import.meta.url));
const VERSION = "0.1.0";
const DAY_MS = 24 * 3600_000;
const TICK_MS = 250;
const KEEP_JOBS_DAYS = 30;
const SWEEP_MS = 10 * 60_000;
/** Blobs nobody refers to are kept this long, as they may have been uploaded just before what refers to them. */
const SWEEP_AGE_MS = 3600_000;

/** @throws NS_PORT_TAKEN, NS_ALREADY_RUNNING, NS_HOME_UNUSABLE, NS_STORE_VERSION, NS_BAD_CERTIFICATE, NS_BAD_FILE, NS_USAGE */
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

  for (const { key, role, revokedAt, pending, info, ...settings } of store.devices())
    if (role === "agent" && revokedAt === null && !pending && info !== null)
      coordinator.apply((core, now) => core.hostKnown(key, settings, info, now));

  const { plainHttp = false } = options;
  if (plainHttp && options.tls) throw new NightshiftError("NS_USAGE", "with TLS there is no plain http for others");
  const proxies = new Proxies(options.proxies ?? []);
  const source = await credentialsOf(options);
  const addresses = new Addresses({ ...options, source }, staticKey.publicKey);
  const tunnels = new Map<string, Set<{ close(code?: "NS_REVOKED", message?: string): void }>>();
  const disconnect = (key: string): void => {
    for (const tunnel of tunnels.get(key) ?? []) tunnel.close("NS_REVOKED", "this host has been removed from the cluster");
  };
  const policies = new HostPolicies(coordinator);
  const actions = new Actions(coordinator, policies, (token) => addresses.link(token), disconnect);
  const compiler = new Compiler(join(directory, "builds"), blobs, programs);
  const experiments = new OverheadExperiments(coordinator, actions, compiler);
  closers.push(() => experiments.close());
  const measurements = new MachineMeasurements(coordinator);
  const people = new PeopleActions(coordinator);
  const pending = new PendingHosts(coordinator, disconnect);
  const releases = new HostReleases(coordinator, policies, blobs, VERSION);
  closers.push(() => releases.close());
  const credit = new CreditBoard(coordinator);
  closers.push(() => credit.close());
  const onlookers = new Onlookers(coordinator);
  closers.push(() => onlookers.close());
  const views = new Views(coordinator, policies, releases);
  closers.push(() => views.close());
  const usage = new UsageWatch({
    hosts: () => coordinator.core.hosts.values(),
    store: (hours, now) => store.usages.add(hours, now),
    now: Date.now,
  });
  closers.push(() => usage.close());
  const startedAt = Date.now();
  const site = await makeSite({
    ...{
      coordinator,
      actions,
      policies,
      people,
      pending,
      views,
      usage,
      compiler,
      experiments,
      measurements,
      releases,
      credit,
      blobs,
      plainHttp,
      startedAt,
    },
    ...(options.ssoFile !== undefined && { sso: readSsoSettings(options.ssoFile) }),
    ...{ proxies, hsts: source?.lasting ?? false, ...(source && { credentials: source.credentials }) },
    consoleFolder: CONSOLE_FOLDER,
    version: VERSION,
  });
  closers.push(() => site.close());
  const http = site.server;
  const shared = source && sharePort(http);
  if (shared) closers.push(() => shared.close());
  if (source) closers.push(source.watch((renewed) => (http as unknown as TlsServer).setSecureContext(renewed)));
  await listen(site, options.port, addresses.host);
  addresses.port = (http.address() as AddressInfo).port;

  // Those of an earlier start that was not stopped are nobody's any more.
  for (const { hash, scope, createdBy } of store.tokens())
    if (scope === "admin" && createdBy === "coordinator") store.removeToken(hash);
  const adminToken = createToken(store, "admin", 100 * 365 * DAY_MS, 1_000_000, startedAt, "coordinator").bytes;
  const hostToken = createToken(store, "host", DAY_MS, 10_000, startedAt, "coordinator").bytes;
  const adminLink = addresses.localLink(adminToken);
  const invitation = (secret: string): string => invitationUrl(addresses.consoleOrigin(), secret);

  const services = {
    ...{ coordinator, programs, actions, policies, pending, experiments, measurements, releases, credit, people, onlookers },
    invitationUrl: invitation,
    ...{ version: VERSION, startedAt },
  };

  const serving = {
    gate: new HandshakeGate(),
    addressOf: proxies.peer,
    onSocket: (newcomer: Newcomer) => {
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
        blobs: ({ identity }) => ({
          store: blobs,
          authorise: () => {
            if (store.device(identity.key)?.pending)
              throw new NightshiftError("NS_FORBIDDEN", "this host waits until an administrator lets it in");
          },
        }),
      }).then(
        (accepted) => {
          const { key } = accepted.identity;
          const set = tunnels.get(key) ?? new Set();
          tunnels.set(key, set.add(accepted.tunnel));
          const done = (): void => {
            set.delete(accepted.tunnel);
          };
          if (accepted.role === "agent") serveAgent(services, accepted.identity, accepted.tunnel, done, log);
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
  };
  for (const server of shared ? [http, shared.plain] : [http]) {
    const sockets = serveSockets({ http: server, ...serving });
    closers.push(() => sockets.close());
  }

  const ticking = setInterval(() => coordinator.apply((core, now) => core.tick(now)), TICK_MS);
  const sweeping = setInterval(() => {
    forget(coordinator, (options.keepJobsDays ?? KEEP_JOBS_DAYS) * DAY_MS, log);
    void sweep(coordinator, blobs, releases.blobHashes(), log);
  }, SWEEP_MS);
  closers.push(() => {
    clearInterval(ticking);
    clearInterval(sweeping);
  });
  const endpoint = join(directory, "endpoint.json");
  writeFileSync(endpoint, `${JSON.stringify({ pid: process.pid, port: addresses.port, link: adminLink, startedAt })}\n`, {
    mode: 0o600,
  });
  closers.push(() => rmSync(endpoint, { force: true }));
  return {
    url: addresses.url(),
    port: addresses.port,
    publicKey: staticKey.publicKey,
    adminLink,
    hostLink: addresses.link(hostToken),
    localHostLink: addresses.localLink(hostToken),
    consoleUrl: store.people.users().length === 0 ? invitation(people.firstInvitation()) : addresses.consoleOrigin(),
    coordinator,
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

function serveAgent(
  {
    coordinator,
    policies,
    pending,
    releases,
    credit,
    onlookers,
  }: {
    coordinator: Coordinator;
    policies: HostPolicies;
    pending: PendingHosts;
    releases: HostReleases;
    credit: CreditBoard;
    onlookers: Onlookers;
  },
  device: Device,
  tunnel: ServedTunnel<"agent">,
  done: () => void,
  log: (event: string, details: Record<string, unknown>) => void,
): void {
  let disconnect: ((saidGoodbye: boolean) => void) | undefined;
  let stopWaiting: (() => void) | undefined;
  tunnel.onMessage((message) => {
    if (message.type !== "hello") {
      if (disconnect && message.type === "policyObeyed") policies.answered(device.key, message.versions, message.problem);
      if (disconnect && message.type === "upgrade") releases.hostSaid(device.key, message);
      if (disconnect && message.type === "watch") onlookers.watch(tunnel, message.on);
      if (disconnect && message.type === "askPrinted")
        tellPrinted(coordinator, device.key, message, (printed) => tunnel.send(printed));
      if (disconnect) coordinator.apply((core, now) => core.agentMessage(device.key, message, now));
      return;
    }
    if (disconnect || stopWaiting) return;
    const known = coordinator.store.device(device.key) ?? device;
    if (!known.pending) return greet(message);
    if (known.info === null)
      coordinator.note({ who: `host ${known.name}`, what: "host-waits", target: known.name, details: known.key.slice(0, 12) });
    coordinator.store.saveDevice(described(known, message.host));
    stopWaiting = pending.wait(device.key, () => greet(message));
    tunnel.send({ type: "pending", hostId: device.key });
  });
  const greet = (message: Extract<FromAgent, { type: "hello" }>): void => {
    const settings = coordinator.settings;
    disconnect = coordinator.connectHost(device.key, (outgoing) => tunnel.send(outgoing));
    const before = coordinator.store.device(device.key) ?? device;
    const known = described(before, message.host);
    if (JSON.stringify(known) !== JSON.stringify(before)) coordinator.store.saveDevice(known);
    const drop = coordinator.apply((core, now) => {
      if (!core.hosts.has(device.key)) core.hostKnown(device.key, known, message.host, now);
      return core.hostConnected(device.key, message.host, message.held, now);
    });
    coordinator.note({
      who: `host ${known.name}`,
      what: "host-joined",
      target: known.name,
      details: fill("{slots} slots", { slots: message.host.slots }),
    });
    log("host-joined", { name: message.host.name, slots: message.host.slots });
    // Before anything else reaches the host: what the event sends is sent when it is stored.
    tunnel.send({
      type: "welcome",
      version: PROTOCOL_VERSION,
      hostId: device.key,
      leaseMs: settings.leaseMs,
      checkpointMs: settings.checkpointMs,
      drop,
      policies: policies.toldTo({ ...known, id: known.key }),
    });
    releases.hostConnected(device.key);
    credit.tell(device.key);
  };
  tunnel.onClose((error) => {
    done();
    stopWaiting?.();
    onlookers.watch(tunnel, false);
    disconnect?.(error === undefined); // a host's, as we say it to none
    if (disconnect)
      coordinator.note({ who: `host ${device.name}`, what: "host-left", target: device.name, details: error?.code ?? "" });
    log("host-left", { name: device.name, code: error?.code ?? null });
  });
}

/** The pool that a host was installed for is a tag only at first: afterwards administrators say what tags it has. */
const described = (device: Device, info: HostInfo): Device => ({
  ...device,
  info,
  tags: device.info === null && device.tags.length === 0 && info.pool !== undefined ? [info.pool] : device.tags,
});

function serveClient(session: ClientSession, tunnel: ServedTunnel<"client">, done: () => void): void {
  tunnel.onMessage((message) => session.message(message));
  tunnel.onClose(() => {
    done();
    session.closed();
  });
}

/** Jobs that ended so long ago; each turn some, as others wait meanwhile. */
function forget(coordinator: Coordinator, afterMs: number, log: (event: string, details: Record<string, unknown>) => void): void {
  const jobs = coordinator.apply((core, now) => core.forgetEnded(now - afterMs));
  if (jobs === 0) return;
  log("forgot", { jobs });
  setImmediate(() => forget(coordinator, afterMs, log));
}

/** Removes blobs that no program, process, job or release refers to, directly or as a parent of an image. @param more of releases */
async function sweep(
  coordinator: Coordinator,
  blobs: DiskBlobs,
  more: readonly string[],
  log: (event: string, details: Record<string, unknown>) => void,
): Promise<void> {
  const { roots, images } = coordinator.blobsInUse();
  const keep = new Set([...roots, ...more]);
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
  coordinator.store.people.prune(Date.now());
  coordinator.store.journal.prune(Date.now());
  if (freedBytes > 0) log("swept", { freedBytes });
}

async function credentialsOf({ tls, home, publicUrl }: CoordinatorOptions): Promise<CredentialSource | undefined> {
  if (tls === undefined) return undefined;
  if (tls !== "local-authority") return new GivenCertificate(tls);
  // Only who asks for it pays for reading the library.
  const { LocalAuthority, namesHere } = await import("./tls/local-authority.ts");
  const named = publicUrl === undefined ? [] : [parsePublicUrl(publicUrl).host];
  return LocalAuthority.open(home, () => [...new Set([...named, ...namesHere()])]);
}

async function listen(site: FastifyInstance<Server>, port: number, host: string): Promise<void> {
  try {
    await site.listen({ port, host });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new NightshiftError("NS_PORT_TAKEN", `port ${port} is in use by another program`, { cause });
    if (code === "EACCES") throw new NightshiftError("NS_PORT_TAKEN", `port ${port} may not be used by this user`, { cause });
    throw cause;
  }
}
