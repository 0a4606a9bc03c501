// The cryptographic primitives of the tunnel where there is no node:crypto: noble's, which are synchronous, as the tunnel needs them, and do
// without a secure context (WebCrypto is neither). ChaChaPoly is three times as fast there as AESGCM. It owns no key and no protocol.
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { CipherName } from "../cipher-state.ts";
import type { TunnelCrypto } from "../ports.ts";

const KEY_BYTES = 32;
const CIPHERS = { AESGCM: gcm, ChaChaPoly: chacha20poly1305 } as const;
const aead = (cipher: CipherName, key: Uint8Array, nonce: Uint8Array, ad: Uint8Array) => CIPHERS[cipher](key, nonce, ad);

export const browserCrypto: TunnelCrypto = {
  generateKeyPair() {
    const { secretKey, publicKey } = x25519.keygen();
    return { privateKey: secretKey, publicKey };
  },
  dh(privateKey, publicKey) {
    if (privateKey.length !== KEY_BYTES || publicKey.length !== KEY_BYTES) throw new RangeError("An X25519 key has 32 bytes");
    return x25519.getSharedSecret(privateKey, publicKey); // throws for a point of low order
  },
  encrypt: (cipher, key, nonce, ad, plaintext) => aead(cipher, key, nonce, ad).encrypt(plaintext),
  decrypt: (cipher, key, nonce, ad, ciphertext) => aead(cipher, key, nonce, ad).decrypt(ciphertext),
  hash: (data) => sha256(data),
  hmac: (key, data) => hmac(sha256, key, data),
  startHash() {
    const running = sha256.create();
    return { update: (bytes) => void running.update(bytes), digest: () => running.digest() };
  },
};
