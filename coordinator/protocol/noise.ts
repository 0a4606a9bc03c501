// The Noise handshake, revision 34 (noiseprotocol.org/noise.html): SymmetricState and HandshakeState for 25519, AESGCM or
// ChaChaPoly, and SHA256. It owns key agreement; it does not know sockets, message meaning or when to rekey (tunnel.ts does).
// Section numbers are that document's.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type CipherName,
  CipherState,
  concat,
  EMPTY,
  KEY_BYTES,
  type KeyPair,
  MAX_NOISE_BYTES,
  type NoiseCrypto,
  TAG_BYTES,
  tooLarge,
} from "./cipher-state.ts";

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

function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new NightshiftError("NS_INTERNAL", `The handshake needs ${what}`);
  return value;
}
