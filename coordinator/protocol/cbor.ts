// CBOR (RFC 8949) for untrusted bytes: cbor-x does the work, behind a walk over the bytes that lets only plain data through.
// It owns which encodings are allowed; what a message means is the schemas' business (messages.ts).
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Decoder, Encoder } from "cbor-x";

/** Deepest nesting of arrays and maps. Our deepest message has 7; the bound keeps hostile input off the call stack. */
const MAX_DEPTH = 32;

// No records, shared structures, packed values or tags in either direction, so one peer's bytes cannot change how later ones are read.
const encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  structuredClone: false,
  pack: false,
  tagUint8Array: false,
});
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true, structuredClone: false, pack: false, copyBuffers: true });

/** Plain data to CBOR: objects, arrays, strings, numbers, booleans, null, undefined and Uint8Array. */
export function encodeCbor(value: unknown): Uint8Array {
  const bytes = encoder.encode(value);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * CBOR to plain data; byte strings come out as Uint8Arrays that own their memory. NS_BAD_FRAME for anything else than exactly one
 * item without tags, indefinite lengths, 64-bit integers (encodeCbor writes those as floats), keys that are not strings, the key
 * `__proto__`, or more than 32 levels.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const end = checkItem(bytes, 0, 0);
  if (end !== bytes.length) throw bad("bytes after the end", end);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FRAME", "A message is not valid CBOR", { cause });
  }
}

/** Offset after the item that starts at `at`. */
function checkItem(bytes: Uint8Array, at: number, depth: number): number {
  const head = readHead(bytes, at);
  switch (head.major) {
    case 0:
    case 1:
      if (head.info === 27) throw bad("a 64-bit integer", at);
      return head.next;
    case 2:
    case 3:
      return skip(bytes, head.next, head.value);
    case 4:
    case 5: {
      if (depth >= MAX_DEPTH) throw bad("nesting too deep", at);
      // Each element takes a byte at least: a count beyond what is there is refused before anything is allocated for it.
      skip(bytes, head.next, head.value * (head.major === 5 ? 2 : 1));
      let next = head.next;
      for (let index = 0; index < head.value; index++) {
        if (head.major === 5) next = checkKey(bytes, next);
        next = checkItem(bytes, next, depth + 1);
      }
      return next;
    }
    case 7:
      // false, true, null, undefined; floats of 16, 32 and 64 bits.
      if ((head.info >= 20 && head.info <= 23) || (head.info >= 25 && head.info <= 27)) return head.next;
      throw bad("a simple value without meaning here", at);
    default:
      throw bad("a tag", at);
  }
}

const PROTO = new TextEncoder().encode("__proto__");

function checkKey(bytes: Uint8Array, at: number): number {
  const head = readHead(bytes, at);
  if (head.major !== 3) throw bad("a key that is not a string", at);
  const next = skip(bytes, head.next, head.value);
  if (head.value === PROTO.length && PROTO.every((byte, index) => bytes[head.next + index] === byte))
    throw bad("the key __proto__", at);
  return next;
}

interface Head {
  major: number;
  info: number;
  value: number;
  next: number;
}

/** The initial byte and its argument (RFC 8949 section 3). A 64-bit argument above 2^53 is approximate, which no length check minds. */
function readHead(bytes: Uint8Array, at: number): Head {
  const initial = bytes[at];
  if (initial === undefined) throw bad("it ends early", at);
  const major = initial >> 5;
  const info = initial & 31;
  if (info < 24) return { major, info, value: info, next: at + 1 };
  if (info > 27) throw bad("an indefinite or reserved length", at);
  const size = 1 << (info - 24);
  const next = skip(bytes, at + 1, size);
  let value = 0;
  for (let index = at + 1; index < next; index++) value = value * 256 + (bytes[index] ?? 0);
  return { major, info, value, next };
}

function skip(bytes: Uint8Array, at: number, length: number): number {
  if (length > bytes.length - at) throw bad("it ends early", at);
  return at + length;
}

function bad(what: string, offset: number): NightshiftError {
  return new NightshiftError("NS_BAD_FRAME", `A message is not plain CBOR: ${what} (at byte ${offset})`, { details: { offset } });
}
