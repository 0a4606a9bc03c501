// The Noise protocol framework, revision 34 (noiseprotocol.org/noise.html): CipherState, SymmetricState and HandshakeState for
// 25519, AESGCM or ChaChaPoly, and SHA256. Section numbers below are that document's. It owns key agreement and message
// encryption; it does not know sockets, message meaning or when to rekey (tunnel.ts does).
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

const EMPTY = new Uint8Array(0);
/** Section 5.1: 2^64 - 1 is reserved (rekey uses it), so no message is ever sent under it. */
const MAX_NONCE = 2n ** 64n - 1n;

type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

interface Pattern {
  /** Static keys known beforehand: of the initiator, of the responder (section 7.1). */
  readonly known: { readonly initiator: boolean; readonly responder: boolean };
  readonly messages: readonly (readonly Token[])[];
}

/** Section 7.5, the interactive patterns in use. */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  NK: {
    known: { initiator: false, responder: true },
    messages: [
      ["e", "es"],
      ["e", "ee"],
    ],
  },
  KK: {
    known: { initiator: true, responder: true },
    messages: [
      ["e", "es", "ss"],
      ["e", "ee", "se"],
    ],
  },
  IK: {
    known: { initiator: false, responder: true },
    messages: [
      ["e", "es", "s", "ss"],
      ["e", "ee", "se"],
    ],
  },
  XX: { known: { initiator: false, responder: false }, messages: [["e"], ["e", "ee", "s", "es"], ["s", "se"]] },
};

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

/** The running transcript hash, chaining key and handshake key (section 5.2). */
class SymmetricState {
  readonly #crypto: NoiseCrypto;
  readonly #cipherName: CipherName;
  #chainingKey: Uint8Array;
  #cipher: CipherState;
  #hash: Uint8Array;

  constructor(crypto: NoiseCrypto, cipher: CipherName, protocolName: string) {
    this.#crypto = crypto;
    this.#cipherName = cipher;
    const name = new TextEncoder().encode(protocolName);
    this.#hash = new Uint8Array(KEY_BYTES);
    if (name.length <= KEY_BYTES) this.#hash.set(name);
    else this.#hash = crypto.hash(name);
    this.#chainingKey = this.#hash.slice();
    this.#cipher = new CipherState(crypto, cipher);
  }

  get handshakeHash(): Uint8Array {
    return this.#hash;
  }

  get hasKey(): boolean {
    return this.#cipher.hasKey;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.hash(concat([this.#hash, data]));
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(input);
    this.#advance(chainingKey, key);
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chainingKey, hash, key] = this.#hkdf(input);
    this.mixHash(hash);
    this.#advance(chainingKey, key);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher.encryptWithAd(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#cipher.decryptWithAd(this.#hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** The two transport keys, initiator's sending key first; the handshake's own are zeroed. */
  split(): [CipherState, CipherState] {
    const [first, second, unused] = this.#hkdf(EMPTY);
    unused.fill(0);
    this.destroy();
    return [new CipherState(this.#crypto, this.#cipherName, first), new CipherState(this.#crypto, this.#cipherName, second)];
  }

  destroy(): void {
    this.#chainingKey.fill(0);
    this.#cipher.destroy();
  }

  #advance(chainingKey: Uint8Array, key: Uint8Array): void {
    this.destroy();
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#crypto, this.#cipherName, key);
  }

  /** Section 4.3, always with three outputs; who needs two drops the last. */
  #hkdf(input: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
    const temporary = this.#crypto.hmac(this.#chainingKey, input);
    const first = this.#crypto.hmac(temporary, Uint8Array.of(1));
    const second = this.#crypto.hmac(temporary, concat([first, Uint8Array.of(2)]));
    const third = this.#crypto.hmac(temporary, concat([second, Uint8Array.of(3)]));
    temporary.fill(0);
    return [first, second, third];
  }
}

export interface HandshakeOptions {
  crypto: NoiseCrypto;
  /** For instance "Noise_IK_25519_AESGCM_SHA256" or "Noise_XXpsk3_25519_ChaChaPoly_SHA256"; NS_INTERNAL for others. */
  protocolName: string;
  initiator: boolean;
  prologue?: Uint8Array;
  staticKey?: KeyPair;
  remoteStatic?: Uint8Array;
  /** 32 bytes each, in the order of the psk tokens. */
  psks?: readonly Uint8Array[];
}

/** One handshake (section 5.3). Call writeMessage and readMessage in turn, the initiator writing first, until `done`; then split. */
export class HandshakeState {
  readonly #options: HandshakeOptions;
  readonly #symmetric: SymmetricState;
  readonly #messages: readonly (readonly Token[])[];
  readonly #psks: Uint8Array[];
  readonly #isPsk: boolean;
  #next = 0;
  #ephemeral: KeyPair | null = null;
  #remoteEphemeral: Uint8Array | null = null;
  #remoteStatic: Uint8Array | null;

  constructor(options: HandshakeOptions) {
    const { cipher, pattern, psks } = parseName(options.protocolName);
    this.#options = options;
    this.#messages = pattern.messages;
    this.#isPsk = psks > 0;
    this.#psks = (options.psks ?? []).map((psk) => psk.slice());
    if (this.#psks.length !== psks || this.#psks.some((psk) => psk.length !== KEY_BYTES)) {
      throw new NightshiftError("NS_INTERNAL", `${options.protocolName} needs ${psks} pre-shared keys of ${KEY_BYTES} bytes`);
    }
    this.#remoteStatic = options.remoteStatic ?? null;
    this.#symmetric = new SymmetricState(options.crypto, cipher, options.protocolName);
    this.#symmetric.mixHash(options.prologue ?? EMPTY);
    const own = () => present(options.staticKey?.publicKey, "the static key");
    const other = () => present(this.#remoteStatic, "the other side's static key");
    if (pattern.known.initiator) this.#symmetric.mixHash(options.initiator ? own() : other());
    if (pattern.known.responder) this.#symmetric.mixHash(options.initiator ? other() : own());
  }

  get done(): boolean {
    return this.#next === this.#messages.length;
  }

  /** The other side's static public key, once received or when known before. */
  get remoteStatic(): Uint8Array | null {
    return this.#remoteStatic;
  }

  /** Identifies this handshake (section 11.2); valid once done. */
  get handshakeHash(): Uint8Array {
    return this.#symmetric.handshakeHash.slice();
  }

  /** NS_FRAME_TOO_LARGE when the whole message would exceed 65,535 bytes. */
  writeMessage(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const token of this.#turn(true)) {
      if (token === "e") {
        this.#ephemeral = this.#options.crypto.generateKeyPair();
        parts.push(this.#ephemeral.publicKey);
        this.#mixEphemeral(this.#ephemeral.publicKey);
      } else if (token === "s") {
        parts.push(this.#symmetric.encryptAndHash(present(this.#options.staticKey?.publicKey, "the static key")));
      } else this.#mix(token);
    }
    parts.push(this.#symmetric.encryptAndHash(payload));
    const message = concat(parts);
    if (message.length > MAX_NOISE_BYTES) throw tooLarge(message.length);
    return message;
  }

  /** The payload. NS_BAD_FRAME for anything that the other side cannot have meant, NS_FRAME_TOO_LARGE above 65,535 bytes. */
  readMessage(message: Uint8Array): Uint8Array {
    if (message.length > MAX_NOISE_BYTES) throw tooLarge(message.length);
    let rest = message;
    const read = (length: number): Uint8Array => {
      if (rest.length < length) throw new NightshiftError("NS_BAD_FRAME", "A handshake message is too short");
      const part = rest.slice(0, length);
      rest = rest.subarray(length);
      return part;
    };
    for (const token of this.#turn(false)) {
      if (token === "e") {
        this.#remoteEphemeral = read(KEY_BYTES);
        this.#mixEphemeral(this.#remoteEphemeral);
      } else if (token === "s") {
        this.#remoteStatic = this.#symmetric.decryptAndHash(read(KEY_BYTES + (this.#symmetric.hasKey ? TAG_BYTES : 0)));
      } else this.#mix(token);
    }
    return this.#symmetric.decryptAndHash(rest);
  }

  /** The transport states, once done. The handshake's secrets are zeroed. */
  split(): { send: CipherState; receive: CipherState } {
    if (!this.done) throw new NightshiftError("NS_INTERNAL", "The handshake is not complete");
    const [fromInitiator, fromResponder] = this.#symmetric.split();
    this.destroy();
    return this.#options.initiator
      ? { send: fromInitiator, receive: fromResponder }
      : { send: fromResponder, receive: fromInitiator };
  }

  /** Zeroes the ephemeral key, chaining key and psk copies; the static key belongs to the caller. */
  destroy(): void {
    this.#ephemeral?.privateKey.fill(0);
    for (const psk of this.#psks) psk.fill(0);
    this.#symmetric.destroy();
  }

  #turn(writing: boolean): readonly Token[] {
    const tokens = this.#messages[this.#next];
    if (tokens === undefined || (this.#next % 2 === 0) !== (writing === this.#options.initiator)) {
      throw new NightshiftError("NS_INTERNAL", "A handshake message out of turn");
    }
    this.#next++;
    return tokens;
  }

  /** Section 9.2: where there are psks, the ephemeral key is mixed into the key too. */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#isPsk) this.#symmetric.mixKey(publicKey);
  }

  #mix(token: Exclude<Token, "e" | "s">): void {
    if (token === "psk") {
      const psk = present(this.#psks.shift(), "a pre-shared key");
      this.#symmetric.mixKeyAndHash(psk);
      psk.fill(0);
      return;
    }
    // The first letter is the initiator's key, the second the responder's.
    const [mine, theirs] = this.#options.initiator ? [token[0], token[1]] : [token[1], token[0]];
    const own = present(mine === "e" ? this.#ephemeral : this.#options.staticKey, "a key pair of this side");
    const other = present(theirs === "e" ? this.#remoteEphemeral : this.#remoteStatic, "a key of the other side");
    let shared: Uint8Array;
    try {
      shared = this.#options.crypto.dh(own.privateKey, other);
    } catch (cause) {
      throw new NightshiftError("NS_BAD_FRAME", "The other side's key is not usable", { cause });
    }
    this.#symmetric.mixKey(shared);
    shared.fill(0);
  }
}

/** The public half of an X25519 private key: its product with the base point 9 (RFC 7748 section 4.1). */
export function publicKeyOf(crypto: NoiseCrypto, privateKey: Uint8Array): Uint8Array {
  const basePoint = new Uint8Array(KEY_BYTES);
  basePoint[0] = 9;
  return crypto.dh(privateKey, basePoint);
}

function parseName(protocolName: string): { cipher: CipherName; pattern: Pattern; psks: number } {
  const match = /^Noise_([A-Z]{2})((?:psk\d)(?:\+psk\d)*)?_25519_(AESGCM|ChaChaPoly)_SHA256$/.exec(protocolName);
  const base = match === null ? undefined : PATTERNS[match[1] ?? ""];
  if (match === null || base === undefined)
    throw new NightshiftError("NS_INTERNAL", `Unsupported Noise protocol ${protocolName}`);
  const positions = (match[2] ?? "")
    .split("+")
    .filter((name) => name !== "")
    .map((name) => Number(name.slice(3)));
  // Section 9.4: psk0 stands at the beginning of the first message, pskN at the end of the Nth.
  const messages = base.messages.map((tokens, index): readonly Token[] => [
    ...(index === 0 && positions.includes(0) ? (["psk"] as const) : []),
    ...tokens,
    ...(positions.includes(index + 1) ? (["psk"] as const) : []),
  ]);
  return { cipher: match[3] as CipherName, pattern: { ...base, messages }, psks: positions.length };
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

function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new NightshiftError("NS_INTERNAL", `The handshake needs ${what}`);
  return value;
}

function tooLarge(bytes: number): NightshiftError {
  return new NightshiftError("NS_FRAME_TOO_LARGE", `A Noise message of ${bytes} bytes; at most ${MAX_NOISE_BYTES} are allowed`);
}
