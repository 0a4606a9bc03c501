// The ground floor of the Noise protocol framework, revision 34 (noiseprotocol.org/noise.html): the primitives it needs, as a port,
// and CipherState, one symmetric key with its message counter. The handshake that agrees on keys is noise.ts. Section numbers are
// that document's.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export type CipherName = "AESGCM" | "ChaChaPoly";

export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The primitives, synchronous, on raw bytes. `node/crypto.ts` has them from node:crypto. */
export interface NoiseCrypto {
  /** A fresh X25519 pair, 32 bytes each. */
  generateKeyPair(): KeyPair;
  /** X25519 (section 12.1). Throws for keys that are not 32 bytes and for an all-zero result (low-order point). */
  dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** AEAD with a 32-byte key and a 12-byte nonce; gives ciphertext followed by the 16-byte tag. */
  encrypt(cipher: CipherName, key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The inverse of encrypt. Throws when the tag does not match. */
  decrypt(cipher: CipherName, key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array): Uint8Array;
  /** SHA-256. */
  hash(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
}

/** Section 3: no Noise message is longer, handshake or transport, tag included. */
export const MAX_NOISE_BYTES = 65_535;
export const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export const EMPTY = new Uint8Array(0);
/** Section 5.1: 2^64 - 1 is reserved (rekey uses it), so no message is ever sent under it. */
const MAX_NONCE = 2n ** 64n - 1n;

/** A symmetric key with its message counter (section 5.1). */
export class CipherState {
  readonly #crypto: NoiseCrypto;
  readonly #cipher: CipherName;
  #key: Uint8Array | null;
  #nonce = 0n;

  /** The state owns and later zeroes `key`. */
  constructor(crypto: NoiseCrypto, cipher: CipherName, key: Uint8Array | null = null) {
    this.#crypto = crypto;
    this.#cipher = cipher;
    this.#key = key;
  }

  get hasKey(): boolean {
    return this.#key !== null;
  }

  /** Messages done under this state, 0 to 2^64 - 1. */
  get nonce(): bigint {
    return this.#nonce;
  }

  setNonce(nonce: bigint): void {
    this.#nonce = nonce;
  }

  /** Without a key the plaintext passes unchanged, as the specification wants. NS_LIMIT when the counter is used up. */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#key === null) return plaintext;
    const nonce = this.#take();
    const ciphertext = this.#crypto.encrypt(this.#cipher, this.#key, nonce, ad, plaintext);
    this.#nonce += 1n;
    return ciphertext;
  }

  /** NS_BAD_FRAME when the tag does not match; the counter then stays where it was. NS_LIMIT when it is used up. */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    if (this.#key === null) return ciphertext;
    const nonce = this.#take();
    if (ciphertext.length < TAG_BYTES) throw new NightshiftError("NS_BAD_FRAME", "An encrypted message is shorter than its tag");
    let plaintext: Uint8Array;
    try {
      plaintext = this.#crypto.decrypt(this.#cipher, this.#key, nonce, ad, ciphertext);
    } catch (cause) {
      throw new NightshiftError("NS_BAD_FRAME", "An encrypted message failed its check: altered, replayed or out of order", {
        cause,
      });
    }
    this.#nonce += 1n;
    return plaintext;
  }

  /** A transport message of at most 65,535 bytes with its tag, without associated data (section 5.3, Split). */
  encrypt(plaintext: Uint8Array): Uint8Array {
    if (plaintext.length + TAG_BYTES > MAX_NOISE_BYTES) throw tooLarge(plaintext.length + TAG_BYTES);
    return this.encryptWithAd(EMPTY, plaintext);
  }

  decrypt(ciphertext: Uint8Array): Uint8Array {
    if (ciphertext.length > MAX_NOISE_BYTES) throw tooLarge(ciphertext.length);
    return this.decryptWithAd(EMPTY, ciphertext);
  }

  /** Sections 4.2 and 11.3: k = first 32 bytes of ENCRYPT(k, 2^64 - 1, "", 32 zero bytes); the counter goes on. */
  rekey(): void {
    if (this.#key === null) throw new NightshiftError("NS_INTERNAL", "There is no key to renew");
    const next = this.#crypto.encrypt(this.#cipher, this.#key, this.#nonceBytes(MAX_NONCE), EMPTY, new Uint8Array(KEY_BYTES));
    this.#key.fill(0);
    this.#key = next.slice(0, KEY_BYTES);
    next.fill(0);
  }

  /** Zeroes the key; nothing can be sent in clear afterwards, as the counter is spent too. */
  destroy(): void {
    this.#key?.fill(0);
    this.#nonce = MAX_NONCE;
  }

  #take(): Uint8Array {
    if (this.#nonce >= MAX_NONCE) throw new NightshiftError("NS_LIMIT", "The message counter of the tunnel is used up");
    return this.#nonceBytes(this.#nonce);
  }

  /** Section 12.3 and 12.4: 32 zero bits, then the counter, big-endian for AESGCM and little-endian for ChaChaPoly. */
  #nonceBytes(counter: bigint): Uint8Array {
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setBigUint64(4, counter, this.#cipher === "ChaChaPoly");
    return bytes;
  }
}

/** The public half of an X25519 private key: its product with the base point 9 (RFC 7748 section 4.1). */
export function publicKeyOf(crypto: NoiseCrypto, privateKey: Uint8Array): Uint8Array {
  const basePoint = new Uint8Array(KEY_BYTES);
  basePoint[0] = 9;
  return crypto.dh(privateKey, basePoint);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function tooLarge(bytes: number): NightshiftError {
  return new NightshiftError("NS_FRAME_TOO_LARGE", `A Noise message of ${bytes} bytes; at most ${MAX_NOISE_BYTES} are allowed`);
}
