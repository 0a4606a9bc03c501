// Conformance of noise.ts with the published vectors of cacophony and snow, and what it refuses.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { browserCrypto } from "./browser/crypto.ts";
import { CipherState, type KeyPair, MAX_NOISE_BYTES, type NoiseCrypto, publicKeyOf } from "./cipher-state.ts";
import { nodeCrypto } from "./node/crypto.ts";
import { HandshakeState } from "./noise.ts";

interface Vector {
  source: string;
  protocol_name: string;
  init_prologue: string;
  resp_prologue: string;
  init_psks?: string[];
  resp_psks?: string[];
  init_ephemeral: string;
  resp_ephemeral: string;
  init_static?: string;
  resp_static?: string;
  init_remote_static?: string;
  resp_remote_static?: string;
  handshake_hash?: string;
  messages: { payload: string; ciphertext: string }[];
}

const { vectors } = JSON.parse(readFileSync(new URL("../../test/vectors/noise.json", import.meta.url), "utf8")) as {
  vectors: Vector[];
};
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const pairOf = (hex: string, crypto: NoiseCrypto = nodeCrypto): KeyPair => ({
  privateKey: fromHex(hex),
  publicKey: publicKeyOf(crypto, fromHex(hex)),
});

function sideOf(vector: Vector, initiator: boolean, primitives: NoiseCrypto = nodeCrypto): HandshakeState {
  const [side, prologue] = initiator ? (["init", vector.init_prologue] as const) : (["resp", vector.resp_prologue] as const);
  const staticKey = vector[`${side}_static`];
  const remoteStatic = vector[`${side}_remote_static`];
  const crypto: NoiseCrypto = { ...primitives, generateKeyPair: () => pairOf(vector[`${side}_ephemeral`], primitives) };
  return new HandshakeState({
    crypto,
    protocolName: vector.protocol_name,
    initiator,
    prologue: fromHex(prologue),
    psks: (vector[`${side}_psks`] ?? []).map(fromHex),
    ...(staticKey === undefined ? {} : { staticKey: pairOf(staticKey) }),
    ...(remoteStatic === undefined ? {} : { remoteStatic: fromHex(remoteStatic) }),
  });
}

describe("published vectors", () => {
  test("all 22 of them are here", () => expect(vectors).toHaveLength(22));

  const primitives = { node: nodeCrypto, browser: browserCrypto };
  test.each(
    (["node", "browser"] as const).flatMap((where) =>
      vectors.map((vector, index) => [index, vector.protocol_name, vector.source, where, vector] as const),
    ),
  )("vector %i, %s of %s, gives the same bytes both ways with the primitives of %s", (_index, _name, _source, where, vector) => {
    const sides = [sideOf(vector, true, primitives[where]), sideOf(vector, false, primitives[where])] as const;
    let split: ReturnType<HandshakeState["split"]>[] | null = null;
    vector.messages.forEach((message, index) => {
      const from = index % 2;
      const to = 1 - from;
      const payload = fromHex(message.payload);
      if (sides[0].done) {
        split ??= sides.map((side) => side.split());
        const sealed = split[from]?.send.encrypt(payload) ?? new Uint8Array();
        expect(toHex(sealed)).toBe(message.ciphertext);
        expect(toHex(split[to]?.receive.decrypt(sealed) ?? new Uint8Array())).toBe(message.payload);
      } else {
        const sealed = sides[from]?.writeMessage(payload) ?? new Uint8Array();
        expect(toHex(sealed)).toBe(message.ciphertext);
        expect(toHex(sides[to]?.readMessage(sealed) ?? new Uint8Array())).toBe(message.payload);
      }
    });
    expect(split).not.toBeNull();
    if (vector.handshake_hash !== undefined) {
      for (const side of sides) expect(toHex(side.handshakeHash)).toBe(vector.handshake_hash);
    }
  });
});

describe("limits", () => {
  const key = () => new Uint8Array(32).fill(7);
  const pair = () => [new CipherState(nodeCrypto, "AESGCM", key()), new CipherState(nodeCrypto, "AESGCM", key())] as const;

  test("a message counter of 2^64 - 1 is refused in both directions", () => {
    const [send, receive] = pair();
    send.setNonce(2n ** 64n - 2n);
    receive.setNonce(2n ** 64n - 2n);
    const last = send.encrypt(Uint8Array.of(1));
    expect(receive.decrypt(last)).toEqual(Uint8Array.of(1));
    expect(() => send.encrypt(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "NS_LIMIT" }));
    expect(() => receive.decrypt(last)).toThrow(expect.objectContaining({ code: "NS_LIMIT" }));
  });

  test("65,535 bytes with the tag pass and one more does not", () => {
    const [send, receive] = pair();
    expect(receive.decrypt(send.encrypt(new Uint8Array(MAX_NOISE_BYTES - 16)))).toHaveLength(MAX_NOISE_BYTES - 16);
    expect(() => send.encrypt(new Uint8Array(MAX_NOISE_BYTES - 15))).toThrow(
      expect.objectContaining({ code: "NS_FRAME_TOO_LARGE" }),
    );
    expect(() => receive.decrypt(new Uint8Array(MAX_NOISE_BYTES + 1))).toThrow(
      expect.objectContaining({ code: "NS_FRAME_TOO_LARGE" }),
    );
  });

  test("rekey changes the key, keeps the counter and keeps both sides in step", () => {
    const [send, receive] = pair();
    receive.decrypt(send.encrypt(Uint8Array.of(1)));
    send.rekey();
    const sealed = send.encrypt(Uint8Array.of(2));
    expect(() => receive.decrypt(sealed)).toThrow(expect.objectContaining({ code: "NS_BAD_FRAME" }));
    receive.rekey();
    expect(receive.decrypt(sealed)).toEqual(Uint8Array.of(2));
    expect(send.nonce).toBe(2n);
  });

  test("a replayed, reordered, altered or truncated message is refused and the next right one still passes", () => {
    const [send, receive] = pair();
    const [first, second] = [send.encrypt(Uint8Array.of(1)), send.encrypt(Uint8Array.of(2))] as const;
    const altered = first.slice();
    altered[0] = (altered[0] ?? 0) ^ 1;
    for (const bad of [second, altered, first.subarray(1), new Uint8Array(0)]) {
      expect(() => receive.decrypt(bad)).toThrow(expect.objectContaining({ code: "NS_BAD_FRAME" }));
    }
    expect(receive.decrypt(first)).toEqual(Uint8Array.of(1));
    expect(() => receive.decrypt(first)).toThrow(expect.objectContaining({ code: "NS_BAD_FRAME" }));
    expect(receive.decrypt(second)).toEqual(Uint8Array.of(2));
  });

  test("destroy zeroes the key bytes and nothing passes afterwards", () => {
    const bytes = key();
    const state = new CipherState(nodeCrypto, "ChaChaPoly", bytes);
    state.destroy();
    expect(bytes).toEqual(new Uint8Array(32));
    expect(() => state.encrypt(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: "NS_LIMIT" }));
  });
});

describe("keys", () => {
  test("the public key computed from a private key is the one node:crypto gives, and both sides agree on a secret", () => {
    const [mine, theirs] = [nodeCrypto.generateKeyPair(), nodeCrypto.generateKeyPair()];
    expect(publicKeyOf(nodeCrypto, mine.privateKey)).toEqual(mine.publicKey);
    expect(nodeCrypto.dh(mine.privateKey, theirs.publicKey)).toEqual(nodeCrypto.dh(theirs.privateKey, mine.publicKey));
  });

  test.each([
    ["zero", "00".repeat(32)],
    ["one", `01${"00".repeat(31)}`],
    ["of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["p", `ed${"ff".repeat(30)}7f`],
  ])("the low-order point %s is refused", (_name, point) => {
    const { privateKey } = nodeCrypto.generateKeyPair();
    expect(() => nodeCrypto.dh(privateKey, fromHex(point))).toThrow();
  });

  test("a first message that carries a low-order key is a bad frame", () => {
    const responder = new HandshakeState({
      crypto: nodeCrypto,
      protocolName: "Noise_IK_25519_AESGCM_SHA256",
      initiator: false,
      staticKey: nodeCrypto.generateKeyPair(),
    });
    expect(() => responder.readMessage(new Uint8Array(200))).toThrow(expect.objectContaining({ code: "NS_BAD_FRAME" }));
  });

  test("messages out of turn, unknown protocol names and missing keys are refused", () => {
    const options = { crypto: nodeCrypto, protocolName: "Noise_XX_25519_AESGCM_SHA256", staticKey: nodeCrypto.generateKeyPair() };
    expect(() => new HandshakeState({ ...options, initiator: false }).writeMessage(new Uint8Array())).toThrow(/out of turn/);
    expect(() => new HandshakeState({ ...options, initiator: true, protocolName: "Noise_XX_448_AESGCM_SHA256" })).toThrow(
      /Unsupported/,
    );
    expect(() => new HandshakeState({ ...options, initiator: true, protocolName: "Noise_IK_25519_AESGCM_SHA256" })).toThrow(
      /static key/,
    );
    expect(() => new HandshakeState({ ...options, initiator: true }).split()).toThrow(/not complete/);
  });
});
