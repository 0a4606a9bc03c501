// The agent's ports in a browser's worker: socket, workers, time, what a page may know of its machine.
import { backoffMs, type JoinLink, type KeyPair, tunnelUrl } from "@nightshift/coordinator/protocol";
import { browserCrypto, openBrowserSocket } from "@nightshift/coordinator/protocol/browser";
import { connectAgent, type Ports } from "../agent/index.ts";
import { loadForBrowserWorkers, type StartWorker, sharesFlags, spawnBrowserWorker } from "../worker/index.browser.ts";
import { keepProgram, keptProgram } from "./programs.ts";

/** noble's is three times as fast as its AESGCM. */
const CIPHER = "ChaChaPoly";
/** When the browser does not say. */
const MEMORY_GIB = 4;

/** What a join link says; whoever has joined before needs no token. */
export type Coordinator = Omit<JoinLink, "token"> & Partial<Pick<JoinLink, "token">>;

export interface BrowserPortsOptions {
  name: string;
  coordinator: Coordinator;
  key: KeyPair;
  slots: number;
  /** See agent/calibrate.ts. */
  speed: number;
  startWorker: StartWorker;
  log(event: string, details?: Readonly<Record<string, unknown>>): void;
}

/** What some browsers tell and no standard's types have. */
type Told = Navigator & { deviceMemory?: number; userAgentData?: { platform?: string } };

export function browserPorts(options: BrowserPortsOptions): Ports {
  const { name, coordinator, key, slots, speed, startWorker, log } = options;
  const told = navigator as Told;
  // Browsers round it, and say at most 8. A page may not use all of it: half is offered.
  const memoryBytes = (told.deviceMemory ?? MEMORY_GIB) * 2 ** 30;
  const host = {
    name,
    os: (told.userAgentData?.platform || "unknown").slice(0, 100),
    arch: sharesFlags() ? "browser" : "browser, in slices",
    cpuModel: navigator.userAgent.slice(0, 200),
    slots,
    memoryBytes,
    speed,
    smallStack: true,
  };
  return {
    connect: async (on) => {
      const socket = await openBrowserSocket(tunnelUrl(coordinator, CIPHER));
      const { coordinatorKey, token } = coordinator;
      const known = { socket, crypto: browserCrypto, cipher: CIPHER, staticKey: key, coordinatorKey, name } as const;
      return connectAgent({ ...known, ...(token ? { token } : {}) }, on);
    },
    spawnWorker: (on) => spawnBrowserWorker(on, startWorker),
    load: loadForBrowserWorkers,
    kept: { get: keptProgram, put: keepProgram },
    hash: (bytes) => Array.from(browserCrypto.hash(bytes), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    now: () => performance.now(),
    random: Math.random,
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    backoffMs,
    hostInfo: () => host,
    memoryFreeBytes: () => memoryBytes / 2,
    log,
  };
}
