// The time between a fresh socket and an open tunnel, for both sides alike: the time limit, where the socket's events go, and that
// the attempt ends once. It owns no message; handshake.ts says what is sent and read.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { z } from "zod";
import type { BulkEnd, BulkLimits } from "./bulk.ts";
import type { CipherName, KeyPair } from "./cipher-state.ts";
import type { HandshakeState } from "./noise.ts";
import { type MessageSocket, type SocketEnd, systemTimers, type Timers, type TunnelCrypto } from "./ports.ts";
import { CLOSE_FAILED, DEFAULT_MAX_QUEUED_BYTES, Tunnel } from "./tunnel.ts";

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;

/** What both sides of a handshake are given. */
export interface OpeningOptions {
  socket: MessageSocket;
  crypto: TunnelCrypto;
  staticKey: KeyPair;
  /** What the connecting side has chosen and its URL says (tunnelUrl); the handshake fails where the two sides mean different ones. */
  cipher?: CipherName;
  timers?: Timers;
  /** Until the other side has answered; default 10,000. */
  handshakeTimeoutMs?: number;
  maxQueuedBytes?: number;
  bulkLimits?: Partial<BulkLimits>;
}

export class Opening<In, Bulk extends BulkEnd> {
  readonly #options: OpeningOptions;
  readonly #handshake: HandshakeState;
  readonly #reject: (error: NightshiftError) => void;
  readonly #peer: string;
  #tunnel: Tunnel<never, In, Bulk> | null = null;
  #over = false;
  #cancelTimer: () => void = () => undefined;
  /** The one handshake message that this side reads; throws what ends the attempt. */
  onFirst: (bytes: Uint8Array) => void = () => undefined;
  /** The socket closed before there was a tunnel. */
  onLost: (end: SocketEnd) => void = () => undefined;

  constructor(options: OpeningOptions, handshake: HandshakeState, reject: (error: NightshiftError) => void, peer: string) {
    this.#options = options;
    this.#handshake = handshake;
    this.#reject = reject;
    this.#peer = peer;
  }

  start(): void {
    const { socket, timers = systemTimers, handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS } = this.#options;
    this.#cancelTimer = timers.after(handshakeTimeoutMs, () => {
      const error = new NightshiftError(
        "NS_UNREACHABLE",
        `${this.#peer} did not complete the handshake within ${handshakeTimeoutMs} ms`,
      );
      if (this.#tunnel === null) this.#fail(error);
      else this.#tunnel.close(error.code, error.message);
    });
    socket.listen({
      onMessage: (bytes) => {
        if (this.#tunnel !== null) this.#tunnel.handlers.onMessage(bytes);
        else if (!this.#over) this.guard(() => this.onFirst(bytes));
      },
      onClose: (end) => {
        if (this.#tunnel !== null) return this.#tunnel.handlers.onClose(end);
        if (this.#over) return;
        this.#stop();
        this.onLost(end);
      },
      onDrain: () => this.#tunnel?.handlers.onDrain(),
    });
  }

  /** The Noise handshake is complete: a tunnel that waits for the other side's ready. */
  begin<Out>(schema: z.ZodType<In>, onReady: () => void): Tunnel<Out, In, Bulk> {
    const { socket, crypto, maxQueuedBytes = DEFAULT_MAX_QUEUED_BYTES } = this.#options;
    const remoteKey = this.#handshake.remoteStatic ?? new Uint8Array(0);
    const tunnel = new Tunnel<Out, In, Bulk>({
      socket,
      crypto,
      schema,
      remoteKey,
      maxQueuedBytes,
      onReady,
      ...this.#handshake.split(),
    });
    this.#tunnel = tunnel as Tunnel<never, In, Bulk>;
    tunnel.onClose((error) => {
      this.#cancelTimer();
      this.#reject(error ?? new NightshiftError("NS_CONNECTION_LOST", `${this.#peer} left during the handshake`));
    });
    return tunnel;
  }

  /** The other side is there: the time limit has done its work. */
  settle(): void {
    this.#cancelTimer();
  }

  guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#fail(
        thrown instanceof NightshiftError
          ? thrown
          : new NightshiftError("NS_INTERNAL", "The handshake failed", { cause: thrown }),
      );
    }
  }

  #fail(error: NightshiftError): void {
    if (this.#over) return;
    this.#stop();
    this.#options.socket.close(CLOSE_FAILED, error.code);
    this.#reject(error);
  }

  #stop(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#handshake.destroy();
  }
}
