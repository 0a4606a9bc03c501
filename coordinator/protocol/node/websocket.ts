// Message sockets over `ws`: the connecting side, and the coordinator's side on an HTTP server with its guard against floods of
// newcomers. It owns pings, sizes and time limits of the WebSocket layer; who the peer is, is found out inside (handshake.ts).
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { type CipherName, MAX_NOISE_BYTES } from "../cipher-state.ts";
import type { HandshakeGate } from "../handshake-gate.ts";
import { cipherIn, TUNNEL_PATH, VISIBLE_PING_MS, wantsVisiblePings } from "../link.ts";
import type { MessageSocket, SocketEnd, SocketHandlers } from "../ports.ts";
import { plain } from "./crypto.ts";

/** A little more than a Noise message: slightly oversized ones reach the tunnel, which can say so inside the encryption. */
const MAX_PAYLOAD_BYTES = MAX_NOISE_BYTES + 1024;
const PING_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** After close(), how long a peer may take to read what is left and answer. */
const CLOSE_GRACE_MS = 2_000;
const COMMON = { perMessageDeflate: false, maxPayload: MAX_PAYLOAD_BYTES, skipUTF8Validation: true } as const;

/**
 * What a client sends is masked so that nobody can have bytes of his choice pass through proxies that take them for something else (RFC 6455, 10.3). Ours
 * are ciphertext, which nobody can choose, so a mask of zeros keeps them as safe, and costs nothing at either end.
 */
const generateMask = (mask: Buffer): void => void mask.fill(0);

export interface OpenSocketOptions {
  connectTimeoutMs?: number;
  /** A peer that is silent for a whole interval after a ping is dead. */
  pingMs?: number;
}

/**
 * Connects. NS_UNREACHABLE with the system's reason; NS_RATE_LIMITED when the coordinator takes no newcomers at the moment.
 * The certificate of a wss: address is not looked at: who is at the other end is proved inside, by the key in the join link. So TLS of any
 * authority works, and of proxies in between, and nobody who gets hold of a certificate gains anything by it.
 */
export function openSocket(url: string, options: OpenSocketOptions = {}): Promise<MessageSocket> {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, pingMs = PING_MS } = options;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      ...COMMON,
      ...{ generateMask, handshakeTimeout: connectTimeoutMs, rejectUnauthorized: false },
    });
    const failed = (cause: Error): void => {
      const status = /Unexpected server response: (\d+)/.exec(cause.message)?.[1];
      if (status === "429" || status === "503")
        reject(new NightshiftError("NS_RATE_LIMITED", "The coordinator takes no newcomers at the moment", { cause }));
      else
        reject(
          new NightshiftError("NS_UNREACHABLE", `No coordinator answers at ${url}: ${cause.message || String(cause)}`, {
            cause,
            details: { url },
          }),
        );
    };
    socket.once("error", failed);
    socket.once("open", () => {
      socket.off("error", failed);
      resolve(adapt(socket, pingMs));
    });
  });
}

export interface Newcomer {
  socket: MessageSocket;
  /** The cipher its address asked for. */
  cipher: CipherName;
  /** The peer's network address as the HTTP server sees it. */
  address: string;
  /** To be called once the peer is authenticated: it no longer counts as a newcomer. Closing does the same. */
  authenticated(): void;
}

export interface ServeSocketsOptions {
  http: Server;
  gate: HandshakeGate;
  onSocket(newcomer: Newcomer): void;
  /** Milliseconds that never run backwards; default performance.now. */
  now?: () => number;
  pingMs?: number;
  /** Those who see no pings are sent an empty message so often. */
  visiblePingMs?: number;
  /** Who asks, where it is not the one at the other end of the connection. */
  addressOf?: (request: IncomingMessage) => string;
}

/** Takes tunnels at TUNNEL_PATH of an HTTP server; other upgrades get 404, floods 429, a full house 503. Returns how to stop. */
export function serveSockets(options: ServeSocketsOptions): { close(): void } {
  const { http, gate, onSocket, now = () => performance.now(), pingMs = PING_MS, visiblePingMs = VISIBLE_PING_MS } = options;
  const addressOf = options.addressOf ?? (({ socket }: IncomingMessage) => socket.remoteAddress ?? "unknown");
  const server = new WebSocketServer({ noServer: true, clientTracking: true, ...COMMON });
  const upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    const [path, query] = request.url?.split("?", 2) ?? [];
    const cipher = cipherIn(query);
    if (path !== TUNNEL_PATH || cipher === undefined) {
      refuse(stream, 404);
      return;
    }
    const address = addressOf(request);
    const answer = gate.admit(address, now());
    if (answer !== "yes") {
      refuse(stream, answer === "rate" ? 429 : 503);
      return;
    }
    let settled = false;
    const settle = (): void => {
      if (!settled) gate.settled();
      settled = true;
    };
    // Also when the upgrade itself fails: the stream is then destroyed.
    stream.once("close", settle);
    server.handleUpgrade(request, stream, head, (socket) => {
      if (wantsVisiblePings(query)) pingVisibly(socket, visiblePingMs);
      onSocket({ socket: adapt(socket, pingMs), cipher, address, authenticated: settle });
    });
  };
  http.on("upgrade", upgrade);
  return {
    close: () => {
      http.off("upgrade", upgrade);
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

function refuse(stream: Duplex, status: number): void {
  stream.on("error", () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    stream.destroy(),
  );
}

/** Before all else, which says that more will come. Whoever has not read what was sent before hears of us by that. */
function pingVisibly(ws: WebSocket, everyMs: number): void {
  const ping = (): void => {
    if (ws.readyState === WebSocket.OPEN && ws.bufferedAmount === 0) ws.send(new Uint8Array(0), { binary: true });
  };
  ping();
  const pinging = setInterval(ping, everyMs);
  pinging.unref();
  ws.on("close", () => clearInterval(pinging));
}

/** An open ws socket as a MessageSocket. */
function adapt(ws: WebSocket, pingMs: number): MessageSocket {
  let handlers: SocketHandlers | null = null;
  let early: Uint8Array[] = [];
  let end: SocketEnd | null = null;
  let found: NightshiftError | undefined;
  let alive = true;

  let spared = false;
  let looked = performance.now();
  const pinging = setInterval(() => {
    const late = performance.now() - looked > 1.5 * pingMs;
    looked = performance.now();
    // Where this side was busy, or stopped, for longer than a ping takes, it has not listened all that time. The answer may be here and unread, as
    // timers come before it, or the other side was stopped too, as both are on one machine: it gets another ping, once.
    if (alive || (late && !spared)) {
      spared = !alive;
      alive = false;
      return ws.ping();
    }
    setImmediate(() => {
      if (alive) return;
      found = new NightshiftError("NS_CONNECTION_LOST", `The other side was silent for ${pingMs} ms`);
      ws.terminate();
    });
  }, pingMs);
  pinging.unref();
  ws.on("pong", () => {
    alive = true;
  });
  ws.on("message", (data: RawData) => {
    alive = true;
    // Text is no case of its own: like any other garbage it does not decrypt.
    const bytes = plain(data as Buffer);
    if (handlers !== null) return handlers.onMessage(bytes);
    // A well-behaved peer waits for an answer, so more than one is somebody who does not.
    if (early.length < 1) early.push(bytes);
    else ws.terminate();
  });
  ws.on("error", (cause: Error & { code?: string }) => {
    if (cause.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
      found ??= new NightshiftError("NS_FRAME_TOO_LARGE", `A message above ${MAX_PAYLOAD_BYTES} bytes`, { cause });
    else if (cause.code?.startsWith("WS_ERR_"))
      found ??= new NightshiftError("NS_BAD_FRAME", `Not a WebSocket frame: ${cause.message}`, { cause });
    else found ??= new NightshiftError("NS_CONNECTION_LOST", `The connection was lost: ${cause.message}`, { cause });
  });
  ws.on("close", (code: number, reason: Buffer) => {
    clearInterval(pinging);
    end = { code, reason: reason.toString(), ...(found === undefined ? {} : { error: found }) };
    handlers?.onClose(end);
  });

  return {
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
    send(bytes) {
      if (ws.readyState === WebSocket.OPEN) ws.send(bytes, { binary: true }, (error) => void (error ?? handlers?.onDrain()));
    },
    close(code, reason) {
      if (ws.readyState === WebSocket.CLOSED) return;
      ws.close(code, reason);
      setTimeout(() => ws.terminate(), CLOSE_GRACE_MS).unref();
    },
    listen(given) {
      handlers = given;
      for (const bytes of early) given.onMessage(bytes);
      early = [];
      if (end !== null) given.onClose(end);
    },
  };
}
