// Blobs on the wire: the layout of bulk frames, the fair sending of several blobs, and the checked receiving of one. Who may have
// which blob is bulk-server.ts's business, who asks for one bulk-client.ts's.
//
//   kind 3 | op (1 byte) | transfer id (4 bytes, big-endian, chosen by the client) | rest
//   client -> server   get: hash (32), most bytes (8)   put: hash (32), size (8)   data: bytes
//   server -> client   size: bytes that follow (8)      data: bytes
//                      send: put's bytes are wanted     done: put is complete      error: CBOR { code, message }
import { NightshiftError, REMEDIES } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { encodeCbor } from "./cbor.ts";
import { decodeMessage, FRAME, MAX_FRAME_BYTES } from "./frames.ts";
import { type RunningHash, systemTimers, type Timers, type TunnelCrypto } from "./ports.ts";

export interface BulkLimits {
  /** Largest blob in bytes, both ways. */
  maxBlobBytes: number;
  /** Blobs under way at once on one tunnel; a client makes further ones wait, a server refuses them with NS_LIMIT. */
  maxTransfers: number;
  /** Bytes of blobs that a server holds at once for one tunnel; what exceeds it is refused with NS_LIMIT. */
  maxHeldBytes: number;
}

export const DEFAULT_BULK_LIMITS: BulkLimits = { maxBlobBytes: 2 ** 30, maxTransfers: 8, maxHeldBytes: 2 ** 31 };

/** Bulk waits while this much is buffered in the socket, so a control message never stands behind more. Four full frames. */
export const BULK_HIGH_WATER_BYTES = 4 * MAX_FRAME_BYTES;

const HASH_BYTES = 32;
const HEADER_BYTES = 6;
export const MAX_BULK_DATA_BYTES = MAX_FRAME_BYTES - HEADER_BYTES;
const OPS = { get: 1, put: 2, data: 3, size: 4, send: 5, done: 6, error: 7 } as const;
const wireError = z.object({ code: z.string().max(64), message: z.string().max(4096) });

export type BulkFrame =
  | { op: "get"; id: number; hash: string; maxBytes: number }
  | { op: "put"; id: number; hash: string; size: number }
  | { op: "data"; id: number; bytes: Uint8Array }
  | { op: "size"; id: number; size: number }
  | { op: "send" | "done"; id: number }
  | { op: "error"; id: number; code: string; message: string };

/** What either end of the bulk traffic sees of its tunnel. */
export interface BulkLink {
  sendBulk(frame: Uint8Array): void;
  /** More than BULK_HIGH_WATER_BYTES wait in the socket. */
  readonly congested: boolean;
  readonly crypto: TunnelCrypto;
  /** Ends the whole tunnel: the other side broke the protocol. */
  fail(error: NightshiftError): void;
}

/** What a tunnel sees of either end of its bulk traffic. */
export interface BulkEnd {
  /** May throw NS_BAD_FRAME and the like; the tunnel then ends. */
  onFrame(frame: BulkFrame): void;
  onDrain(): void;
  /** The tunnel is gone. */
  onEnd(error: NightshiftError): void;
}

/** The whole frame, kind byte included. */
export function encodeBulk(frame: BulkFrame): Uint8Array {
  const tail = encodeTail(frame);
  const bytes = new Uint8Array(HEADER_BYTES + tail.length);
  bytes[0] = FRAME.bulk;
  bytes[1] = OPS[frame.op];
  new DataView(bytes.buffer).setUint32(2, frame.id);
  bytes.set(tail, HEADER_BYTES);
  return bytes;
}

function encodeTail(frame: BulkFrame): Uint8Array {
  switch (frame.op) {
    case "get":
    case "put": {
      const tail = new Uint8Array(HASH_BYTES + 8);
      tail.set(hashBytes(frame.hash));
      writeSize(tail, HASH_BYTES, frame.op === "get" ? frame.maxBytes : frame.size);
      return tail;
    }
    case "size": {
      const tail = new Uint8Array(8);
      writeSize(tail, 0, frame.size);
      return tail;
    }
    case "data":
      return frame.bytes;
    case "error":
      return encodeCbor({ code: frame.code, message: frame.message.slice(0, 4096) });
    default:
      return new Uint8Array(0);
  }
}

/** Takes a frame of kind 3 apart. NS_BAD_FRAME for what encodeBulk cannot have written. */
export function decodeBulk(bytes: Uint8Array): BulkFrame {
  if (bytes.length < HEADER_BYTES) throw badBulk("too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = view.getUint32(2);
  const tail = bytes.subarray(HEADER_BYTES);
  const exactly = (length: number): void => {
    if (tail.length !== length) throw badBulk(`${tail.length} bytes where ${length} belong`);
  };
  switch (bytes[1]) {
    case OPS.get:
      exactly(HASH_BYTES + 8);
      return { op: "get", id, hash: hashText(tail.subarray(0, HASH_BYTES)), maxBytes: readSize(view, HEADER_BYTES + HASH_BYTES) };
    case OPS.put:
      exactly(HASH_BYTES + 8);
      return { op: "put", id, hash: hashText(tail.subarray(0, HASH_BYTES)), size: readSize(view, HEADER_BYTES + HASH_BYTES) };
    case OPS.data:
      if (tail.length === 0) throw badBulk("data without bytes");
      return { op: "data", id, bytes: tail };
    case OPS.size:
      exactly(8);
      return { op: "size", id, size: readSize(view, HEADER_BYTES) };
    case OPS.send:
      exactly(0);
      return { op: "send", id };
    case OPS.done:
      exactly(0);
      return { op: "done", id };
    case OPS.error:
      return { op: "error", id, ...decodeMessage(wireError, tail) };
    default:
      throw badBulk(`unknown op ${bytes[1]}`);
  }
}

/** Bytes a second that leave most of an office's line to whoever else uses it, and so many that may go out at once before that counts. */
export const GENTLE_BYTES_PER_SECOND = 4 * 2 ** 20;
export const GENTLE_AT_ONCE_BYTES = 4 * 2 ** 20;
const GENTLE_REST_MS = 100;

/** Sends several blobs at once, a frame of each in turn, while the socket is not congested. */
export class FairSender {
  readonly #link: BulkLink;
  readonly #timers: Timers;
  #queue: { id: number; bytes: Uint8Array; at: number; done: () => void }[] = [];
  /** Bytes that may go out before the next rest; infinite: it is not gentle. */
  #allowance = Number.POSITIVE_INFINITY;
  #cancelRest: (() => void) | null = null;

  constructor(link: BulkLink, timers: Timers = systemTimers) {
    this.#link = link;
    this.#timers = timers;
  }

  /** Whether somebody else needs the line more. */
  beGentle(on: boolean): void {
    if (on === Number.isFinite(this.#allowance)) return;
    this.#allowance = on ? GENTLE_AT_ONCE_BYTES : Number.POSITIVE_INFINITY;
    this.#cancelRest?.();
    this.#cancelRest = null;
    this.pump();
  }

  /** `done` is called when the last byte was handed to the socket, at once for an empty blob. */
  add(id: number, bytes: Uint8Array, done: () => void): void {
    if (bytes.length === 0) {
      done();
      return;
    }
    this.#queue.push({ id, bytes, at: 0, done });
    this.pump();
  }

  /** Goes on where congestion stopped it. */
  pump(): void {
    while (!this.#link.congested) {
      if (this.#queue.length > 0 && this.#allowance <= 0) return this.#rest();
      const transfer = this.#queue.shift();
      if (transfer === undefined) return;
      const bytes = transfer.bytes.subarray(transfer.at, transfer.at + MAX_BULK_DATA_BYTES);
      transfer.at += bytes.length;
      this.#allowance -= bytes.length;
      const complete = transfer.at === transfer.bytes.length;
      if (!complete) this.#queue.push(transfer);
      this.#link.sendBulk(encodeBulk({ op: "data", id: transfer.id, bytes }));
      if (complete) transfer.done();
    }
  }

  clear(): void {
    this.#queue = [];
    this.#cancelRest?.();
    this.#cancelRest = null;
  }

  #rest(): void {
    this.#cancelRest ??= this.#timers.after(GENTLE_REST_MS, () => {
      this.#cancelRest = null;
      this.#allowance += (GENTLE_BYTES_PER_SECOND * GENTLE_REST_MS) / 1000;
      this.pump();
    });
  }
}

/** A blob on its way in: hashed as it comes, so that a large one does not stop the event loop at its end. */
export class IncomingBlob {
  readonly #hash: string;
  readonly #bytes: Uint8Array;
  readonly #running: RunningHash;
  #at = 0;

  constructor(crypto: TunnelCrypto, hash: string, size: number) {
    this.#hash = hash;
    this.#bytes = new Uint8Array(size);
    this.#running = crypto.startHash();
  }

  get complete(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** NS_BAD_FRAME when more comes than was announced. */
  write(bytes: Uint8Array): void {
    if (bytes.length > this.#bytes.length - this.#at) throw badBulk("more data than announced");
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    this.#running.update(bytes);
  }

  /** All the bytes; NS_BLOB_MISMATCH when they are not the ones the hash names. */
  finish(): Uint8Array {
    const actual = hashText(this.#running.digest());
    if (actual !== this.#hash) {
      throw new NightshiftError("NS_BLOB_MISMATCH", `The bytes received for blob ${this.#hash} have the hash ${actual}`, {
        details: { hash: this.#hash, actual },
      });
    }
    return this.#bytes;
  }
}

/** The other side's error as ours; a code this version does not know becomes NS_INTERNAL with the code in its details. */
export function remoteError(code: string, message: string, details: Record<string, unknown> = {}): NightshiftError {
  if (Object.hasOwn(REMEDIES, code)) return new NightshiftError(code as keyof typeof REMEDIES, message, { details });
  return new NightshiftError("NS_INTERNAL", `${code}: ${message}`, { details: { ...details, code } });
}

export function badBulk(what: string): NightshiftError {
  return new NightshiftError("NS_BAD_FRAME", `A bulk frame is malformed: ${what}`);
}

/** 64 hexadecimal digits to 32 bytes; NS_BAD_MESSAGE for anything else. */
function hashBytes(hash: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(hash))
    throw new NightshiftError("NS_BAD_MESSAGE", "A blob is named by 64 lower-case hexadecimal digits");
  return Uint8Array.from({ length: HASH_BYTES }, (_, index) => Number.parseInt(hash.slice(2 * index, 2 * index + 2), 16));
}

function hashText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function writeSize(bytes: Uint8Array, at: number, size: number): void {
  new DataView(bytes.buffer).setBigUint64(at, BigInt(size));
}

function readSize(view: DataView, at: number): number {
  const size = view.getBigUint64(at);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw badBulk("a size beyond 2^53");
  return Number(size);
}
