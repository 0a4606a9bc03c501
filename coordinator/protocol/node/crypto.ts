// The cryptographic primitives of the tunnel from node:crypto, on raw keys. It owns no key and no protocol; see noise.ts.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import type { CipherName } from "../cipher-state.ts";
import type { TunnelCrypto } from "../ports.ts";

const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** RFC 8410: what stands before the 32 raw bytes in the PKCS #8 and SubjectPublicKeyInfo encodings of X25519 keys. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const ALGORITHMS: Readonly<Record<CipherName, "aes-256-gcm" | "chacha20-poly1305">> = {
  AESGCM: "aes-256-gcm",
  ChaChaPoly: "chacha20-poly1305",
};

/** node:crypto prepares a key anew at every use unless it is given one of its own: three times as long for a short record. */
const prepared = new WeakMap<Uint8Array, KeyObject>();
function secretKey(key: Uint8Array): KeyObject {
  let object = prepared.get(key);
  if (!object) {
    object = createSecretKey(key);
    prepared.set(key, object);
  }
  return object;
}

export const nodeCrypto: TunnelCrypto = {
  generateKeyPair() {
    const { privateKey, publicKey } = generateKeyPairSync("x25519");
    return {
      privateKey: last32(privateKey.export({ format: "der", type: "pkcs8" })),
      publicKey: last32(publicKey.export({ format: "der", type: "spki" })),
    };
  },

  dh(privateKey, publicKey) {
    if (privateKey.length !== KEY_BYTES || publicKey.length !== KEY_BYTES) throw new RangeError("An X25519 key has 32 bytes");
    const der = Buffer.concat([PKCS8_PREFIX, privateKey]);
    const shared = diffieHellman({
      privateKey: createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
      publicKey: createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" }),
    });
    der.fill(0);
    // OpenSSL refuses low-order points by itself; RFC 7748 section 6.1 leaves the check to us where a library does not.
    if (shared.every((byte) => byte === 0)) throw new RangeError("The X25519 key is a point of low order");
    return plain(shared);
  },

  encrypt(cipher, key, nonce, ad, plaintext) {
    const aead = createCipheriv(ALGORITHMS[cipher] as "chacha20-poly1305", secretKey(key), nonce, { authTagLength: TAG_BYTES });
    aead.setAAD(ad, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    const body = aead.update(plaintext);
    sealed.set(body);
    sealed.set(aead.final(), body.length);
    sealed.set(aead.getAuthTag(), plaintext.length);
    return sealed;
  },

  decrypt(cipher, key, nonce, ad, ciphertext) {
    const bodyBytes = ciphertext.length - TAG_BYTES;
    if (bodyBytes < 0) throw new RangeError("Shorter than the tag");
    const aead = createDecipheriv(ALGORITHMS[cipher] as "chacha20-poly1305", secretKey(key), nonce, { authTagLength: TAG_BYTES });
    aead.setAAD(ad, { plaintextLength: bodyBytes });
    aead.setAuthTag(ciphertext.subarray(bodyBytes));
    const body = aead.update(ciphertext.subarray(0, bodyBytes));
    aead.final();
    return plain(body);
  },

  hash(data) {
    return plain(createHash("sha256").update(data).digest());
  },

  hmac(key, data) {
    return plain(createHmac("sha256", key).update(data).digest());
  },

  startHash() {
    const running = createHash("sha256");
    return {
      update: (bytes) => void running.update(bytes),
      digest: () => plain(running.digest()),
    };
  },
};

/** The same bytes without Buffer's methods, so that shared code cannot come to rely on them. */
export function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function last32(der: Buffer): Uint8Array {
  return new Uint8Array(der.subarray(der.length - KEY_BYTES));
}
