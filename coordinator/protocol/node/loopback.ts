// Test support: a coordinator's end of tunnels on a real WebSocket server at a free loopback port, with blobs in memory, and ways
// to get between the two ends. Not part of the package's face.
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { WebSocket } from "ws";
import type { BlobService, BlobStore } from "../bulk-server.ts";
import {
  type Accepted,
  type AcceptOptions,
  acceptTunnel,
  type Caller,
  type ConnectedTunnel,
  type ConnectOptions,
  connectTunnel,
  type Role,
} from "../handshake.ts";
import { type GateLimits, HandshakeGate } from "../handshake-gate.ts";
import { tunnelUrl } from "../link.ts";
import type { MessageSocket } from "../ports.ts";
import { nodeCrypto } from "./crypto.ts";
import { openSocket, serveSockets } from "./websocket.ts";

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export class MemoryBlobs implements BlobStore {
  readonly blobs = new Map<string, Uint8Array>();
  puts = 0;

  add(bytes: Uint8Array): string {
    const hash = sha256(bytes);
    this.blobs.set(hash, bytes);
    return hash;
  }
  async has(hash: string): Promise<boolean> {
    return this.blobs.has(hash);
  }
  async get(hash: string): Promise<Uint8Array> {
    const bytes = this.blobs.get(hash);
    if (bytes === undefined) throw new NightshiftError("NS_NOT_FOUND", `There is no blob ${hash}`);
    return bytes;
  }
  async put(hash: string, bytes: Uint8Array): Promise<void> {
    this.puts++;
    this.blobs.set(hash, bytes);
  }
}

export interface LoopbackOptions {
  accept?: Partial<AcceptOptions<string>>;
  authorise?: BlobService["authorise"];
  gate?: Partial<GateLimits>;
  onAccepted?: (accepted: Accepted<string>) => void;
  pingMs?: number;
  visiblePingMs?: number;
}

export interface Loopback {
  url: string;
  http: Server;
  gate: HandshakeGate;
  store: MemoryBlobs;
  coordinatorKey: Uint8Array;
  /** Everybody authenticate was asked about, in order. */
  callers: Caller[];
  accepted: Accepted<string>[];
  /** Codes with which accepting failed. */
  refused: string[];
  /** The network goes away: every connection breaks without a goodbye. */
  cut(): void;
  /** The network swallows everything: connections stay open and nothing comes through. */
  freeze(): void;
  /** The same the other way. */
  silence(): void;
  connect<R extends Role>(role: R, options?: Partial<ConnectOptions<R>>): Promise<ConnectedTunnel<R>>;
  close(): Promise<void>;
}

/** The identity of a caller is its token as text; "bad" gets NS_BAD_TOKEN, "boom" an error that is not ours. */
export async function startLoopback(options: LoopbackOptions = {}): Promise<Loopback> {
  const http = createServer();
  const gate = new HandshakeGate(options.gate);
  const store = new MemoryBlobs();
  const staticKey = nodeCrypto.generateKeyPair();
  const callers: Caller[] = [];
  const accepted: Accepted<string>[] = [];
  const refused: string[] = [];
  const sockets = serveSockets({
    http,
    gate,
    ...(options.pingMs === undefined ? {} : { pingMs: options.pingMs }),
    ...(options.visiblePingMs === undefined ? {} : { visiblePingMs: options.visiblePingMs }),
    onSocket: ({ socket, cipher, authenticated }) => {
      acceptTunnel<string>({
        socket,
        cipher,
        crypto: nodeCrypto,
        staticKey,
        authenticate: async (caller) => {
          callers.push(caller);
          const token = new TextDecoder().decode(caller.token);
          if (token === "bad") throw new NightshiftError("NS_BAD_TOKEN", "This token was never given out");
          if (token === "boom") throw new Error("a secret of the database");
          return token;
        },
        blobs: () => ({ store, authorise: options.authorise ?? (() => undefined) }),
        ...options.accept,
      }).then(
        (tunnel) => {
          authenticated();
          accepted.push(tunnel);
          options.onAccepted?.(tunnel);
        },
        (error: NightshiftError) => refused.push(error.code),
      );
    },
  });
  const streams = new Set<Socket>();
  http.on("connection", (stream) => {
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = tunnelUrl({ host: "127.0.0.1", port: (http.address() as AddressInfo).port, tls: false });
  return {
    url,
    http,
    gate,
    store,
    coordinatorKey: staticKey.publicKey,
    callers,
    accepted,
    refused,
    cut: () => {
      for (const stream of streams) stream.destroy();
    },
    freeze: () => {
      for (const stream of streams) stream.pause().removeAllListeners("data");
    },
    silence: () => {
      for (const stream of streams) stream.cork();
    },
    connect: async (role, given = {}) =>
      connectTunnel({
        socket: given.socket ?? (await openSocket(url)),
        crypto: nodeCrypto,
        staticKey: nodeCrypto.generateKeyPair(),
        coordinatorKey: staticKey.publicKey,
        role,
        token: new TextEncoder().encode("good"),
        ...given,
      }),
    close: () =>
      new Promise((resolve) => {
        sockets.close();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

/** A socket whose outgoing messages pass through `change`, which may alter, drop, repeat or record them. */
export async function openTapped(
  url: string,
  change: (bytes: Uint8Array, index: number) => Uint8Array[],
): Promise<MessageSocket> {
  const socket = await openSocket(url);
  let index = 0;
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (bytes) => {
      for (const changed of change(bytes, index++)) socket.send(changed);
    },
    close: (code, reason) => socket.close(code, reason),
    listen: (handlers) => socket.listen(handlers),
  };
}

/** A bare WebSocket for saying what no tunnel would. */
export function openRaw(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Resolves when `condition` holds; it is asked after every turn of the event loop, for at most two minutes. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
