// The plaintext inside one Noise transport message: a kind byte, then a piece of a control message or a bulk frame. It owns how
// control messages are split and put together; bulk frames are laid out in bulk.ts, encryption and order are tunnel.ts's.
//
//   kind 0  ready             nothing follows: the handshake is confirmed (tunnel.ts)
//   kind 1  control           MAX_PIECE_BYTES of a control message that goes on
//   kind 2  last control      the rest of it, 0 to MAX_PIECE_BYTES
//   kind 3  bulk              bulk.ts
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { z } from "zod";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { concat, MAX_NOISE_BYTES, TAG_BYTES } from "./cipher-state.ts";
import { MAX_MESSAGE_BYTES } from "./messages.ts";

export const FRAME = { ready: 0, control: 1, lastControl: 2, bulk: 3 } as const;

/** 65,535 - 16: what fits into one Noise message besides its tag. */
export const MAX_FRAME_BYTES = MAX_NOISE_BYTES - TAG_BYTES;
/** One less for the kind. */
export const MAX_PIECE_BYTES = MAX_FRAME_BYTES - 1;

/** A control message as the frames that carry it, in order. NS_FRAME_TOO_LARGE above MAX_MESSAGE_BYTES encoded. */
export function encodeControl(message: unknown): Uint8Array[] {
  const bytes = encodeCbor(message);
  if (bytes.length > MAX_MESSAGE_BYTES) throw tooLarge(bytes.length);
  const frames: Uint8Array[] = [];
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + MAX_PIECE_BYTES);
    at += piece.length;
    frames.push(concat([Uint8Array.of(at < bytes.length ? FRAME.control : FRAME.lastControl), piece]));
  } while (at < bytes.length);
  return frames;
}

/**
 * Puts control frames together again. It holds at most MAX_MESSAGE_BYTES, and as every piece but the last must be full, at most 17
 * pieces: many tiny ones cannot cost more than their bytes.
 */
export class ControlAssembler {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** The whole message when `frame` was its last, otherwise null. NS_BAD_FRAME, NS_FRAME_TOO_LARGE. */
  push(frame: Uint8Array): Uint8Array | null {
    const piece = frame.subarray(1);
    const last = frame[0] === FRAME.lastControl;
    if (!last && piece.length !== MAX_PIECE_BYTES) {
      throw new NightshiftError(
        "NS_BAD_FRAME",
        `A control frame that goes on has ${piece.length} bytes instead of ${MAX_PIECE_BYTES}`,
      );
    }
    this.#bytes += piece.length;
    if (this.#bytes > MAX_MESSAGE_BYTES) throw tooLarge(this.#bytes);
    this.#pieces.push(piece);
    if (!last) return null;
    const whole = concat(this.#pieces);
    this.reset();
    return whole;
  }

  /** Forgets what it holds. */
  reset(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}

/** The value, checked: NS_BAD_MESSAGE with the first place where it does not fit. */
export function checkMessage<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? "the message" : issue.path.map(String).join(".").slice(0, 200);
  throw new NightshiftError(
    "NS_BAD_MESSAGE",
    `A message does not fit its schema: ${where}: ${issue?.message ?? "unknown"}`.slice(0, 1000),
  );
}

/** CBOR bytes to a checked value: NS_BAD_FRAME for garbage, NS_BAD_MESSAGE for another shape. */
export function decodeMessage<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  return checkMessage(schema, decodeCbor(bytes));
}

function tooLarge(bytes: number): NightshiftError {
  return new NightshiftError(
    "NS_FRAME_TOO_LARGE",
    `A control message of ${bytes} bytes; at most ${MAX_MESSAGE_BYTES} are allowed`,
  );
}
