// The agent's ports on Node: sockets, worker threads, time, memory.
import { createHash } from "node:crypto";
import { arch, availableParallelism, cpus, freemem, type as osType, release, totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  backoffMs,
  type HostInfo,
  type JoinLink,
  type KeyPair,
  TAG,
  tunnelUrl,
  VERSION_FORM,
} from "@nightshift/coordinator/protocol";
import { nodeCrypto, openSocket } from "@nightshift/coordinator/protocol/node";
import { connectAgent, loadShared, type Ports } from "../agent/index.ts";
import { type Priority, spawnNodeWorker } from "../worker/index.ts";

export interface NodePortsOptions {
  name: string;
  /** The token is needed once, to enrol; then the key counts. */
  link: Omit<JoinLink, "token"> & Partial<Pick<JoinLink, "token">>;
  key: KeyPair;
  slots: number;
  /** See agent/calibrate.ts. */
  speed: number;
  priority: Priority;
  /** What whoever installed it groups it by. Not said where the coordinator would not take it as a tag. */
  pool?: string | null;
  /** Which Nightshift it is; absent: it does not say. Not said where the coordinator would not take it as a version. */
  app?: HostInfo["app"];
  log(event: string, details?: Readonly<Record<string, unknown>>): void;
}

export function nodePorts(options: NodePortsOptions): Ports {
  const { name, link, key, slots, speed, priority, pool, app, log } = options;
  const host = {
    name,
    os: `${osType()} ${release()}`.slice(0, 100),
    arch: arch(),
    cpuModel: (cpus()[0]?.model ?? "unknown").slice(0, 200),
    slots,
    memoryBytes: totalmem(),
    speed,
    ...(pool && TAG.test(pool) ? { pool } : {}),
    ...(app && VERSION_FORM.test(app.version) ? { app } : {}),
  };
  return {
    connect: async (on) => {
      const socket = await openSocket(tunnelUrl(link));
      const { coordinatorKey, token } = link;
      return connectAgent({ socket, crypto: nodeCrypto, staticKey: key, coordinatorKey, name, ...(token ? { token } : {}) }, on);
    },
    spawnWorker: (on) => spawnNodeWorker(on, priority),
    load: loadShared,
    hash: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    now: () => performance.now(),
    random: Math.random,
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    backoffMs,
    hostInfo: () => host,
    memoryFreeBytes: () => freemem(),
    collectGarbage,
    log,
  };
}

/** V8 does it by itself only while it is asked for memory. The function is not to be seen without this flag, which costs nothing. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

export const defaultSlots = (): number => availableParallelism();
