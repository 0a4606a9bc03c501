// What the tunnel needs from its surroundings: a message socket, timers and cryptography. Interfaces only; node/ and the browser
// agent implement them, and a simulation may.
import type { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { NoiseCrypto } from "./cipher-state.ts";

/** How a socket ended. Neither code nor reason is authenticated: anybody on the path can forge them. */
export interface SocketEnd {
  /** WebSocket close code (RFC 6455 section 7.4); 1006 when the connection just broke. */
  code: number;
  reason: string;
  /** What this side's adapter found itself: an oversized message, a dead peer. */
  error?: NightshiftError;
}

export interface SocketHandlers {
  onMessage(bytes: Uint8Array): void;
  /** Exactly once, also when this side closed. */
  onClose(end: SocketEnd): void;
  /** bufferedAmount fell. */
  onDrain(): void;
}

/** A connected WebSocket, or anything that carries whole binary messages in order. */
export interface MessageSocket {
  /** Takes the bytes over; never blocks, does nothing after close. */
  send(bytes: Uint8Array): void;
  /** Sends what is buffered, then closes; gives up on a peer that does not read after a few seconds. */
  close(code: number, reason: string): void;
  /** Bytes accepted by send and not yet given to the network. */
  readonly bufferedAmount: number;
  /** Called once. What happened before is delivered then. */
  listen(handlers: SocketHandlers): void;
}

/** Time, injected. */
export interface Timers {
  /** Calls back once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
}

export const systemTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** SHA-256 fed piece by piece. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** 32 bytes; ends it. */
  digest(): Uint8Array;
}

/** Noise's primitives plus a hash that runs while a blob arrives. */
export interface TunnelCrypto extends NoiseCrypto {
  startHash(): RunningHash;
}
