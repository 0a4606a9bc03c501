// The tunnel over real WebSockets on loopback: coming in, being refused, and everything an attacker may put on the wire.
import type { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { afterEach, describe, expect, test } from "vitest";
import { encodeCbor } from "./cbor.ts";
import { concat, MAX_NOISE_BYTES } from "./cipher-state.ts";
import { encodeControl, FRAME, MAX_FRAME_BYTES } from "./frames.ts";
import { connectTunnel, noiseProtocol } from "./handshake.ts";
import { MAX_DATA_BYTES, PROTOCOL_VERSION } from "./messages.ts";
import { nodeCrypto } from "./node/crypto.ts";
import { type Loopback, type LoopbackOptions, openRaw, openTapped, startLoopback, until } from "./node/loopback.ts";
import { openSocket } from "./node/websocket.ts";
import { HandshakeState } from "./noise.ts";
import type { SocketHandlers } from "./ports.ts";
import { REKEY_EVERY } from "./tunnel.ts";

const open: Loopback[] = [];
const start = async (options?: LoopbackOptions): Promise<Loopback> => {
  const loopback = await startLoopback(options);
  open.push(loopback);
  return loopback;
};
afterEach(async () => {
  for (const loopback of open.splice(0)) await loopback.close();
});
const code = (expected: string) => expect.objectContaining({ code: expected });
const text = (value: string) => new TextEncoder().encode(value);
const ended = (tunnel: { onClose(handler: (error: NightshiftError | undefined) => void): void }) =>
  new Promise<string | undefined>((resolve) => tunnel.onClose((error) => resolve(error?.code)));
const ping = (id: number) => ({ type: "request", id, method: "hosts", params: {} }) as const;

/** The initiator's half by hand, to say inside the encryption what no tunnel would. */
async function intruder(loopback: Loopback, payload: unknown = { v: PROTOCOL_VERSION, role: "client", token: text("good") }) {
  const socket = await openRaw(loopback.url);
  const handshake = new HandshakeState({
    crypto: nodeCrypto,
    protocolName: noiseProtocol("AESGCM"),
    initiator: true,
    prologue: text("Nightshift tunnel 1"),
    staticKey: nodeCrypto.generateKeyPair(),
    remoteStatic: loopback.coordinatorKey,
  });
  const received: Uint8Array[] = [];
  socket.on("message", (data: Buffer) => received.push(new Uint8Array(data)));
  const closed = new Promise<{ closeCode: number; reason: string }>((resolve) =>
    socket.on("close", (closeCode, reason) => resolve({ closeCode, reason: reason.toString() })),
  );
  socket.send(handshake.writeMessage(encodeCbor(payload)));
  await until(() => received.length === 1, "the server answers message 1");
  handshake.readMessage(received[0] ?? new Uint8Array());
  const { send } = handshake.split();
  const say = (frame: Uint8Array) => socket.send(send.encrypt(frame));
  return { socket, say, send, closed };
}

describe("coming in", () => {
  test("an agent and a client exchange typed messages and the server knows role, key, token and name", async () => {
    const server = await start();
    const staticKey = nodeCrypto.generateKeyPair();
    const client = await server.connect("client", { staticKey, name: "desk 7" });
    const agent = await server.connect("agent");
    const [atServer, agentAtServer] = server.accepted;
    expect(server.callers[0]).toMatchObject({ role: "client", name: "desk 7", token: text("good") });
    expect(server.callers[0]?.remoteKey).toEqual(staticKey.publicKey);
    expect(client.remoteKey).toEqual(server.coordinatorKey);
    expect(agentAtServer?.role).toBe("agent");
    if (atServer?.role !== "client") throw new Error("the first is the client");

    const seen: unknown[] = [];
    atServer.tunnel.onMessage((message) => {
      seen.push(message);
      atServer.tunnel.send({ type: "welcome", version: 1 });
    });
    const welcomed = new Promise((resolve) => client.onMessage(resolve));
    client.send({ type: "hello", version: PROTOCOL_VERSION });
    expect(await welcomed).toEqual({ type: "welcome", version: 1 });
    expect(seen).toEqual([{ type: "hello", version: 1 }]);
    agent.close();
  });

  test("messages that come before anybody listens are kept, in order", async () => {
    const server = await start();
    const client = await server.connect("client");
    for (let id = 0; id < 5; id++) client.send(ping(id));
    await until(() => server.accepted.length === 1, "accepted");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const ids: number[] = [];
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    accepted.tunnel.onMessage((message) => ids.push("id" in message ? message.id : -1));
    expect(ids).toEqual([0, 1, 2, 3, 4]);
  });

  test("a message of many frames arrives whole, and the bytes in it are plain Uint8Arrays", async () => {
    const server = await start();
    const client = await server.connect("client");
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    const got = new Promise<unknown>((resolve) => accepted.tunnel.onMessage(resolve));
    const bytes = new Uint8Array(MAX_DATA_BYTES).map((_, index) => index * 7);
    client.send({ type: "request", id: 1, method: "stdin", params: { job: 1, offset: 0, bytes, end: false } });
    const message = (await got) as { params: { bytes: Uint8Array } };
    expect(Object.getPrototypeOf(message.params.bytes)).toBe(Uint8Array.prototype);
    expect(message.params.bytes).toEqual(bytes);
  });

  test("both directions change their keys and go on", async () => {
    const server = await start();
    const client = await server.connect("client");
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    accepted.tunnel.onMessage((message) => {
      if ("id" in message) accepted.tunnel.send({ type: "response", id: message.id, result: null });
    });
    const rounds = Number(REKEY_EVERY) * 2 + 10;
    let answers = 0;
    client.onMessage(() => answers++);
    for (let id = 0; id < rounds; id++) client.send(ping(id));
    await until(() => answers === rounds, "all answers are there");
  });

  test("a goodbye is a clean end on both sides, a goodbye with a code tells it", async () => {
    const server = await start();
    const client = await server.connect("client");
    const other = await server.connect("client");
    const [first, second] = server.accepted.map(({ tunnel }) => ended(tunnel));
    const [mine, others] = [ended(client), ended(other)];
    client.close();
    expect(await first).toBeUndefined();
    expect(await mine).toBeUndefined();
    server.accepted[1]?.tunnel.close("NS_REVOKED", "This host was revoked");
    expect(await others).toBe("NS_REVOKED");
    expect(await second).toBe("NS_REVOKED");
  });
});

describe("being refused", () => {
  test("a server with another key gives NS_WRONG_KEY", async () => {
    const server = await start();
    const { publicKey } = nodeCrypto.generateKeyPair();
    await expect(server.connect("agent", { coordinatorKey: publicKey })).rejects.toThrow(code("NS_WRONG_KEY"));
    await until(() => server.refused.length === 1, "the server has refused");
    expect(server.refused).toEqual(["NS_WRONG_KEY"]);
    expect(server.callers).toEqual([]);
  });

  test("a server that cannot decrypt message 1 but answers anyway gives NS_WRONG_KEY", async () => {
    const { publicKey } = nodeCrypto.generateKeyPair();
    let handlers: SocketHandlers | undefined;
    const listen = (given: SocketHandlers): void => {
      handlers = given;
    };
    const connecting = connectTunnel({
      socket: { send: () => undefined, close: () => undefined, bufferedAmount: 0, listen },
      crypto: nodeCrypto,
      staticKey: nodeCrypto.generateKeyPair(),
      coordinatorKey: publicKey,
      role: "agent",
    });
    handlers?.onMessage(concat([nodeCrypto.generateKeyPair().publicKey, new Uint8Array(40)]));
    await expect(connecting).rejects.toThrow(code("NS_WRONG_KEY"));
  });

  test("a wrong token gives the server's code and message, and other errors of authenticate stay secret", async () => {
    const server = await start();
    await expect(server.connect("agent", { token: text("bad") })).rejects.toThrow(
      expect.objectContaining({ code: "NS_BAD_TOKEN", message: "This token was never given out" }),
    );
    await expect(server.connect("agent", { token: text("boom") })).rejects.toThrow(
      expect.objectContaining({ code: "NS_INTERNAL", message: expect.not.stringContaining("secret") }),
    );
    expect(server.accepted).toEqual([]);
  });

  test("another protocol version is told as such, inside the encryption, and nobody is authenticated", async () => {
    const server = await start();
    const { say, closed } = await intruder(server, { v: 999, role: "agent" });
    say(Uint8Array.of(FRAME.ready));
    expect(await closed).toEqual({ closeCode: 4000, reason: "NS_VERSION_MISMATCH" });
    expect(server.callers).toEqual([]);
  });

  test("a first payload that is not a hello is refused without authenticating", async () => {
    const server = await start();
    const { say, closed } = await intruder(server, { v: PROTOCOL_VERSION, role: "emperor" });
    say(Uint8Array.of(FRAME.ready));
    expect(await closed).toMatchObject({ reason: "NS_BAD_MESSAGE" });
    expect(server.callers).toEqual([]);
  });

  test("a handshake that stalls is given up on both sides", async () => {
    const server = await start({ accept: { handshakeTimeoutMs: 50 } });
    const silent = await openRaw(server.url);
    await new Promise((resolve) => silent.once("close", resolve));
    const { closed } = await intruder(server);
    expect(await closed).toMatchObject({ reason: "NS_UNREACHABLE" });
    expect(server.refused).toEqual(["NS_UNREACHABLE", "NS_UNREACHABLE"]);
    expect(server.callers).toEqual([]);
    const slow = await start({ accept: { authenticate: () => new Promise(() => undefined) } });
    await expect(slow.connect("agent", { handshakeTimeoutMs: 50 })).rejects.toThrow(code("NS_UNREACHABLE"));
  });
});

describe("replay", () => {
  test("a replayed first message alone authenticates nobody", async () => {
    const server = await start({ accept: { handshakeTimeoutMs: 100 } });
    const sent: Uint8Array[] = [];
    const socket = await openTapped(server.url, (bytes) => {
      sent.push(bytes.slice());
      return [bytes];
    });
    await server.connect("agent", { socket });
    expect(server.callers).toHaveLength(1);
    const replay = await openRaw(server.url);
    replay.send(sent[0] ?? new Uint8Array());
    await new Promise((resolve) => replay.once("close", resolve));
    expect(server.callers).toHaveLength(1);
  });

  test("a first and second message replayed from a recording are refused before authenticating", async () => {
    const server = await start();
    const sent: Uint8Array[] = [];
    const socket = await openTapped(server.url, (bytes) => {
      sent.push(bytes.slice());
      return [bytes];
    });
    await server.connect("agent", { socket });
    expect(sent).toHaveLength(2);
    const replay = await openRaw(server.url);
    for (const bytes of sent) replay.send(bytes);
    const reason = await new Promise((resolve) => replay.once("close", (_code, text) => resolve(text.toString())));
    expect(reason).toBe("NS_BAD_FRAME");
    expect(server.callers).toHaveLength(1);
  });
});

describe("a hostile wire ends that connection with the stable code and nothing else", () => {
  const tapped: [string, string, (bytes: Uint8Array) => Uint8Array[]][] = [
    ["repeated", "NS_BAD_FRAME", (bytes) => [bytes, bytes.slice()]],
    ["truncated", "NS_BAD_FRAME", (bytes) => [bytes.subarray(0, bytes.length - 1)]],
    ["empty", "NS_BAD_FRAME", () => [new Uint8Array(0)]],
    ["garbage", "NS_BAD_FRAME", () => [new Uint8Array(300).fill(0xab)]],
    ["a little oversized", "NS_FRAME_TOO_LARGE", () => [new Uint8Array(MAX_NOISE_BYTES + 1)]],
    ["far oversized", "NS_FRAME_TOO_LARGE", () => [new Uint8Array(1_000_000)]],
  ];

  test.each(tapped)("a %s frame gives %s", async (_what, expected, change) => {
    const server = await start();
    const bystander = await server.connect("client");
    // 0 and 1 are the handshake and ready.
    const socket = await openTapped(server.url, (bytes, index) => (index === 2 ? change(bytes) : [bytes]));
    const victim = await server.connect("client", { socket });
    const atServer = server.accepted[1];
    if (atServer === undefined) throw new Error("accepted");
    const [here, there] = [ended(victim), ended(atServer.tunnel)];
    victim.send(ping(1));
    expect(await there).toBe(expected);
    // A frame that ws itself refuses leaves no chance for a goodbye.
    expect(await here).toBe(expected === "NS_FRAME_TOO_LARGE" && _what.startsWith("far") ? "NS_CONNECTION_LOST" : expected);

    const other = server.accepted[0];
    if (other?.role !== "client") throw new Error("a client");
    const got = new Promise((resolve) => other.tunnel.onMessage(resolve));
    bystander.send(ping(2));
    expect(await got).toMatchObject({ id: 2 });
  });

  test("two frames in the wrong order give NS_BAD_FRAME", async () => {
    const server = await start();
    let held: Uint8Array | null = null;
    const socket = await openTapped(server.url, (bytes, index) => {
      if (index === 2) held = bytes;
      return index < 2 ? [bytes] : index === 3 && held !== null ? [bytes, held] : [];
    });
    const victim = await server.connect("client", { socket });
    const there = ended(server.accepted[0]?.tunnel ?? victim);
    victim.send(ping(1));
    victim.send(ping(2));
    expect(await there).toBe("NS_BAD_FRAME");
  });

  test("a text frame is a bad frame", async () => {
    const server = await start();
    const { socket, say, closed } = await intruder(server);
    say(Uint8Array.of(FRAME.ready));
    await until(() => server.accepted.length === 1, "accepted");
    socket.send("hello?");
    expect(await closed).toMatchObject({ reason: "NS_BAD_FRAME" });
  });

  const spoken: [string, string, Uint8Array[]][] = [
    ["an unknown frame kind", "NS_BAD_FRAME", [Uint8Array.of(9, 1, 2)]],
    ["an empty frame", "NS_BAD_FRAME", [new Uint8Array(0)]],
    ["a second ready", "NS_BAD_FRAME", [Uint8Array.of(FRAME.ready)]],
    ["a control message that is not CBOR", "NS_BAD_FRAME", [Uint8Array.of(FRAME.lastControl, 0xff, 0xff)]],
    ["a message of the other role", "NS_BAD_MESSAGE", encodeControl({ type: "frozen", pid: 1, epoch: 1 })],
    ["a malformed bulk frame", "NS_BAD_FRAME", [Uint8Array.of(FRAME.bulk, 1, 0)]],
    ["a short control frame that goes on", "NS_BAD_FRAME", [Uint8Array.of(FRAME.control, 1)]],
    [
      "a control message without end",
      "NS_FRAME_TOO_LARGE",
      Array.from({ length: 20 }, () => new Uint8Array(MAX_FRAME_BYTES).fill(FRAME.control)),
    ],
  ];
  test.each(spoken)("%s, properly encrypted, gives %s", async (_what, expected, frames) => {
    const server = await start();
    const { say, closed } = await intruder(server);
    say(Uint8Array.of(FRAME.ready));
    await until(() => server.accepted.length === 1, "accepted");
    const there = ended(server.accepted[0]?.tunnel as never);
    for (const frame of frames) say(frame);
    expect(await there).toBe(expected);
    expect(await closed).toEqual({ closeCode: 4000, reason: expected });
  });

  test("a message before ready, or while the token is being checked, is refused", async () => {
    const server = await start({ accept: { authenticate: () => new Promise(() => undefined) } });
    const early = await intruder(server);
    early.say(encodeControl({ type: "hello", version: 1 })[0] ?? new Uint8Array());
    expect(await early.closed).toMatchObject({ reason: "NS_BAD_FRAME" });
    const hasty = await intruder(server);
    hasty.say(Uint8Array.of(FRAME.ready));
    hasty.say(encodeControl({ type: "hello", version: 1 })[0] ?? new Uint8Array());
    expect(await hasty.closed).toMatchObject({ reason: "NS_BAD_FRAME" });
  });

  test("a handler that throws ends its own tunnel only", async () => {
    const server = await start();
    const [victim, bystander] = [await server.connect("client"), await server.connect("client")];
    const atServer = server.accepted[0];
    atServer?.tunnel.onMessage(() => {
      throw new Error("a defect");
    });
    const here = ended(victim);
    victim.send(ping(1));
    expect(await here).toBe("NS_INTERNAL");
    expect(bystander.closed).toBe(false);
  });
});

describe("ends and bounds", () => {
  test("a dropped connection is NS_CONNECTION_LOST on both sides", async () => {
    const server = await start();
    const client = await server.connect("client");
    const [here, there] = [ended(client), ended(server.accepted[0]?.tunnel ?? client)];
    server.cut();
    expect(await here).toBe("NS_CONNECTION_LOST");
    expect(await there).toBe("NS_CONNECTION_LOST");
  });

  test("an unauthenticated close with code 1000 is not taken for a clean end", async () => {
    const server = await start();
    const socket = await openSocket(server.url);
    const client = await server.connect("client", { socket });
    const there = ended(server.accepted[0]?.tunnel ?? client);
    socket.close(1000, "");
    expect(await there).toBe("NS_CONNECTION_LOST");
  });

  test("a peer that does not read ends the tunnel with NS_LIMIT instead of filling memory", async () => {
    const server = await start({ accept: { maxQueuedBytes: 2 ** 20 } });
    const { socket, say } = await intruder(server);
    say(Uint8Array.of(FRAME.ready));
    await until(() => server.accepted.length === 1, "accepted");
    socket.pause();
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    const there = ended(accepted.tunnel);
    const bytes = new Uint8Array(MAX_DATA_BYTES);
    let sent = 0;
    while (!accepted.tunnel.closed && sent < 1000) {
      accepted.tunnel.send({ type: "event", id: 1, event: { event: "output", pid: 1, part: 1, stream: 1, end: 1, bytes } });
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await there).toBe("NS_LIMIT");
    expect(sent).toBeLessThan(1000);
    socket.terminate();
  });

  test("a message above the size limit is refused to its sender and the tunnel lives on", async () => {
    const server = await start();
    const client = await server.connect("client");
    const params = "x".repeat(2 ** 20);
    expect(() => client.send({ type: "request", id: 1, method: "ps", params })).toThrow(code("NS_FRAME_TOO_LARGE"));
    expect(client.closed).toBe(false);
    client.close();
    expect(() => client.send(ping(1))).not.toThrow();
  });
});
