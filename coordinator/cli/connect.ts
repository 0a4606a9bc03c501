// Finds the coordinator a command means and connects to it: a join link, an address it knows, or the one that runs here.
import { hostname, userInfo } from "node:os";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { connectTunnel, DEFAULT_PORT, type JoinLink, parseLink, RpcClient, tunnelUrl } from "../protocol/index.ts";
import { nodeCrypto, openSocket } from "../protocol/node/index.ts";
import { clientKey, knownCoordinator, localEndpoint, rememberCoordinator } from "./home.ts";
import { nightshiftHome } from "./home-folder.ts";

/** Where to connect and how to trust it; the token only when a link brought one. */
export interface Target extends Pick<JoinLink, "host" | "port" | "tls" | "coordinatorKey"> {
  token?: Uint8Array;
  /** Given as a link by the user: worth remembering. */
  joined?: boolean;
}

/**
 * @param given --coordinator: a join link, http(s)://, ws(s)://, HOST:PORT or HOST; NIGHTSHIFT_COORDINATOR otherwise; else the local one
 * @throws NS_BAD_LINK, NS_UNREACHABLE (none runs here), NS_USAGE (an address never joined)
 */
export async function resolveTarget(given: string | undefined, home = nightshiftHome()): Promise<Target> {
  const text = given ?? process.env.NIGHTSHIFT_COORDINATOR;
  if (text === undefined || text === "") return localTarget(home);
  if (/^nightshifts?:/i.test(text)) return { ...parseLink(text), joined: true };
  const { host, port } = parseAddress(text);
  const remembered = await knownCoordinator(home, addressKey({ host, port }));
  if (remembered) return { host, port, ...remembered };
  const local = await localEndpoint(home);
  if (local !== "absent" && "link" in local && local.port === port && ["localhost", "127.0.0.1", "::1"].includes(host))
    return parseLink(local.link);
  throw new NightshiftError("NS_BAD_LINK", `This computer has not joined the coordinator at ${host}:${port} yet`, {
    details: {
      remedy: "Give its join link once (from `nightshift token create --scope submit` there); the address suffices from then on.",
    },
  });
}

async function localTarget(home: string): Promise<Target> {
  const local = await localEndpoint(home);
  if (local === "absent")
    throw new NightshiftError("NS_UNREACHABLE", `No coordinator runs here (state directory ${home})`, {
      details: { remedy: "Start one with `nightshift up`, or name another with --coordinator or NIGHTSHIFT_COORDINATOR." },
    });
  if ("goneSince" in local)
    throw new NightshiftError(
      "NS_UNREACHABLE",
      `The coordinator that ran here (process ${local.goneSince.pid}, port ${local.goneSince.port}) is gone without having stopped`,
      {
        details: { remedy: "Start it again with `nightshift up`; jobs continue from their checkpoints." },
      },
    );
  return parseLink(local.link);
}

/** HOST and PORT of an address as people write it; the scheme says nothing that the key does not say better. */
export function parseAddress(text: string): { host: string; port: number } {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || url.hostname === "" || !["http:", "https:", "ws:", "wss:"].includes(url.protocol))
    throw new NightshiftError("NS_USAGE", `'${text}' is not the address of a coordinator`, {
      details: { remedy: "Use a join link, or an address such as http://host:7433." },
    });
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // URL drops a default port: http://host:80 is meant as written.
  const written = /:(\d+)(?:[/?#]|$)/.exec(full.replace(/^[a-z]+:\/\//i, ""))?.[1];
  return { host, port: written === undefined ? DEFAULT_PORT : Number(written) };
}

export const addressKey = ({ host, port }: { host: string; port: number }): string => `${host.toLowerCase()}:${port}`;

/** A greeted client. NS_UNREACHABLE, NS_WRONG_KEY, NS_BAD_TOKEN, NS_REVOKED, NS_VERSION_MISMATCH... */
export async function openClient(target: Target, home = nightshiftHome()): Promise<RpcClient> {
  const staticKey = await clientKey(home);
  const socket = await openSocket(tunnelUrl(target));
  const tunnel = await connectTunnel({
    socket,
    crypto: nodeCrypto,
    staticKey,
    coordinatorKey: target.coordinatorKey,
    role: "client",
    name: clientName(),
    ...(target.token ? { token: target.token } : {}),
  });
  const client = await RpcClient.open(tunnel);
  if (target.joined) await rememberCoordinator(home, addressKey(target), target);
  return client;
}

/** Connects, does the work, says goodbye. */
export async function withClient<T>(options: { coordinator?: string }, work: (client: RpcClient) => Promise<T>): Promise<T> {
  const client = await openClient(await resolveTarget(options.coordinator));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

function clientName(): string {
  try {
    return `${userInfo().username}@${hostname()}`.slice(0, 200);
  } catch {
    return hostname().slice(0, 200); // a user id without an entry in the password database
  }
}
