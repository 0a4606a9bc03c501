// An established tunnel: typed control messages and blobs, encrypted, over one message socket. It owns the order of frames (control
// before bulk), rekeying, the bounds on what is queued, and how a connection ends. handshake.ts makes tunnels; it alone calls the
// constructor, sendReady and open.
import { asNightshiftError, type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { BULK_HIGH_WATER_BYTES, type BulkEnd, type BulkLink, decodeBulk, remoteError } from "./bulk.ts";
import { decodeCbor } from "./cbor.ts";
import type { CipherState } from "./cipher-state.ts";
import { ControlAssembler, checkMessage, encodeControl, FRAME } from "./frames.ts";
import type { MessageSocket, SocketEnd, SocketHandlers, TunnelCrypto } from "./ports.ts";

/** Both sides renew a direction's key after this many messages in it: 64 MiB of full frames, far below AES-GCM's limit of 2^24.5
 * records per key (RFC 8446 section 5.5), and often enough that a leaked key opens little. */
export const REKEY_EVERY = 1024n;

/** Default bound on bytes waiting in the socket or, until a handler is set, in the inbox: 16 of the largest messages. */
export const DEFAULT_MAX_QUEUED_BYTES = 16 * 2 ** 20;

/** WebSocket close codes (RFC 6455 section 7.4.2: 4000 to 4999 are private); the reason then is the stable code. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_FAILED = 4000;

/** The last message of either side. An empty code says goodbye without a fault; only this, being encrypted, counts as a clean end. */
const bye = z.object({ type: z.literal("bye"), code: z.string().max(64), message: z.string().max(4096) });

export interface TunnelParts<In> {
  socket: MessageSocket;
  crypto: TunnelCrypto;
  send: CipherState;
  receive: CipherState;
  schema: z.ZodType<In>;
  /** The other side's static public key. */
  remoteKey: Uint8Array;
  maxQueuedBytes: number;
  /** The other side confirmed the handshake. Called once. */
  onReady: () => void;
}

export class Tunnel<Out, In, Bulk extends BulkEnd = BulkEnd> {
  readonly remoteKey: Uint8Array;
  /** What the socket's events are given to. */
  readonly handlers: SocketHandlers;
  readonly #parts: TunnelParts<In>;
  readonly #control = new ControlAssembler();
  #state: "confirming" | "confirmed" | "open" | "ended" = "confirming";
  #bulk: Bulk | null = null;
  #end: { error: NightshiftError | undefined } | null = null;
  #messageHandler: ((message: In) => void) | null = null;
  #closeHandler: ((error: NightshiftError | undefined) => void) | null = null;
  #inbox: In[] = [];
  #inboxBytes = 0;

  constructor(parts: TunnelParts<In>) {
    this.#parts = parts;
    this.remoteKey = parts.remoteKey;
    this.handlers = {
      onMessage: (bytes) => this.#receive(bytes),
      onClose: (end) => this.#socketClosed(end),
      onDrain: () => this.#guard(() => this.#bulk?.onDrain()),
    };
  }

  /** This side's end of blob traffic: a BlobClient on the connecting side, a BlobServer on the accepting one. */
  get blobs(): Bulk {
    if (this.#bulk === null) throw new NightshiftError("NS_INTERNAL", "The tunnel is not open yet");
    return this.#bulk;
  }

  get closed(): boolean {
    return this.#end !== null;
  }

  /**
   * Sends a message; messages arrive in order, before blob bytes that wait. Never blocks. Throws NS_FRAME_TOO_LARGE above
   * MAX_MESSAGE_BYTES. After the end it does nothing: onClose has told. A peer that does not read ends the tunnel with NS_LIMIT.
   */
  send(message: Out): void {
    if (this.#state === "ended") return;
    for (const frame of encodeControl(message)) this.#sendFrame(frame);
    this.#checkBacklog();
  }

  /** Bytes that wait to be sent: whoever has much to send may pace itself by it. */
  get backlogBytes(): number {
    return this.#parts.socket.bufferedAmount;
  }

  /** Sets the one receiver of messages; what came before is delivered at once. If it throws, the tunnel ends with that error. */
  onMessage(handler: (message: In) => void): void {
    this.#messageHandler = handler;
    const waiting = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#guard(() => {
      for (const message of waiting) if (!this.closed) handler(message);
    });
  }

  /** Sets the one receiver of the end: undefined for a goodbye of either side, otherwise why. Called once, soon if it ended before. */
  onClose(handler: (error: NightshiftError | undefined) => void): void {
    this.#closeHandler = handler;
    const end = this.#end;
    if (end !== null) queueMicrotask(() => handler(end.error));
  }

  /** Ends the tunnel after what was sent so far. With a code, the other side's onClose gets that code and message. */
  close(code?: ErrorCode, message = ""): void {
    this.#finish(code === undefined ? undefined : new NightshiftError(code, message), true);
  }

  /** Confirms the handshake to the other side. */
  sendReady(): void {
    this.#sendFrame(Uint8Array.of(FRAME.ready));
  }

  /** From now on messages and blobs pass. */
  open(bulk: (link: BulkLink) => Bulk): void {
    if (this.#state !== "confirmed") throw new NightshiftError("NS_INTERNAL", "The handshake is not confirmed");
    const tunnel = this;
    this.#bulk = bulk({
      crypto: this.#parts.crypto,
      sendBulk: (frame) => {
        tunnel.#sendFrame(frame);
        tunnel.#checkBacklog();
      },
      fail: (error) => tunnel.#finish(error, true),
      get congested() {
        return tunnel.closed || tunnel.#parts.socket.bufferedAmount >= BULK_HIGH_WATER_BYTES;
      },
    });
    this.#state = "open";
  }

  #sendFrame(frame: Uint8Array): void {
    if (this.#state === "ended") return;
    const { socket, send } = this.#parts;
    socket.send(send.encrypt(frame));
    if (send.nonce % REKEY_EVERY === 0n) send.rekey();
  }

  /** Between whole messages only, so that the goodbye is not taken for the rest of one. */
  #checkBacklog(): void {
    const { socket, maxQueuedBytes } = this.#parts;
    if (socket.bufferedAmount > maxQueuedBytes) {
      this.#finish(
        new NightshiftError("NS_LIMIT", `The other side does not read: ${socket.bufferedAmount} bytes wait for it`),
        true,
      );
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === "ended") return;
    this.#guard(() => {
      const { receive } = this.#parts;
      const frame = receive.decrypt(bytes);
      if (receive.nonce % REKEY_EVERY === 0n) receive.rekey();
      this.#dispatch(frame);
    });
  }

  #dispatch(frame: Uint8Array): void {
    const kind = frame[0];
    if (kind === FRAME.ready && frame.length === 1 && this.#state === "confirming") {
      this.#state = "confirmed";
      this.#parts.onReady();
    } else if (kind === FRAME.control || kind === FRAME.lastControl) {
      const whole = this.#control.push(frame);
      if (whole !== null) this.#message(whole);
    } else if (kind === FRAME.bulk && this.#state === "open") {
      this.#bulk?.onFrame(decodeBulk(frame));
    } else throw new NightshiftError("NS_BAD_FRAME", `A frame of kind ${kind} while the tunnel is ${this.#state}`);
  }

  #message(bytes: Uint8Array): void {
    const value = decodeCbor(bytes);
    if (typeof value === "object" && value !== null && "type" in value && value.type === "bye") {
      const { code, message } = checkMessage(bye, value);
      this.#finish(code === "" ? undefined : remoteError(code, message), false);
      return;
    }
    if (this.#state !== "open") throw new NightshiftError("NS_BAD_FRAME", "A message before the handshake was confirmed");
    const message = checkMessage(this.#parts.schema, value);
    if (this.#messageHandler !== null) {
      this.#messageHandler(message);
      return;
    }
    this.#inbox.push(message);
    this.#inboxBytes += bytes.length;
    if (this.#inboxBytes > this.#parts.maxQueuedBytes) {
      throw new NightshiftError("NS_LIMIT", "Too many messages before anybody listened");
    }
  }

  #socketClosed(end: SocketEnd): void {
    this.#finish(end.error ?? new NightshiftError("NS_CONNECTION_LOST", `The connection was lost (${end.code})`), false);
  }

  /** Whatever goes wrong while handling input ends this tunnel, and nothing but this tunnel. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#finish(asNightshiftError(thrown), true);
    }
  }

  #finish(error: NightshiftError | undefined, tellPeer: boolean): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#state = "ended";
    const { socket, send, receive } = this.#parts;
    if (tellPeer) {
      try {
        const farewell = { type: "bye", code: error?.code ?? "", message: error?.message.slice(0, 4096) ?? "" };
        for (const frame of encodeControl(farewell)) socket.send(send.encrypt(frame));
      } catch {
        // A spent cipher cannot say goodbye; the close code below has to do.
      }
    }
    socket.close(error === undefined ? CLOSE_NORMAL : CLOSE_FAILED, error?.code ?? "");
    send.destroy();
    receive.destroy();
    this.#control.reset();
    this.#inbox = [];
    this.#bulk?.onEnd(
      new NightshiftError("NS_CONNECTION_LOST", "The connection ended before the transfer was complete", { cause: error }),
    );
    this.#closeHandler?.(error);
  }
}
