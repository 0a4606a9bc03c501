// The WebSocket layer: connecting, refusing floods, dead peers.

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcp } from "node:net";
import { Worker } from "node:worker_threads";
import type { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { afterEach, describe, expect, test } from "vitest";
import { browserCrypto } from "../browser/index.ts";
import type { SocketEnd } from "../ports.ts";
import { type Loopback, type LoopbackOptions, openRaw, startLoopback, until } from "./loopback.ts";
import { openSocket } from "./websocket.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
const start = async (options?: LoopbackOptions): Promise<Loopback> => {
  const loopback = await startLoopback(options);
  closers.push(() => loopback.close());
  return loopback;
};
const code = (expected: string) => expect.objectContaining({ code: expected });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "connected",
    (error: NightshiftError) => error.code,
  );

describe("connecting", () => {
  test("to a port where nobody listens is NS_UNREACHABLE and says where", async () => {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/tunnel`;
    await new Promise((resolve) => http.close(resolve));
    await expect(openSocket(url)).rejects.toThrow(
      expect.objectContaining({ code: "NS_UNREACHABLE", message: expect.stringContaining(url) }),
    );
  });

  test("to a server that accepts and stays silent times out with NS_UNREACHABLE", async () => {
    const silent = createTcp(() => undefined).listen(0, "127.0.0.1");
    closers.push(() => silent.close());
    await until(() => silent.listening, "it listens");
    const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/tunnel`;
    await expect(openSocket(url, { connectTimeoutMs: 50 })).rejects.toThrow(code("NS_UNREACHABLE"));
  });

  test("to another path is NS_UNREACHABLE", async () => {
    const server = await start();
    await expect(openSocket(server.url.replace("tunnel", "other"))).rejects.toThrow(code("NS_UNREACHABLE"));
  });
});

describe("ciphers", () => {
  test("the address says which; with another one in the handshake the two sides do not understand each other", async () => {
    const server = await start();
    const asking = (cipher: string) => openSocket(`${server.url}?cipher=${cipher}`);
    const socket = await asking("ChaChaPoly");
    const tunnel = await server.connect("client", { socket, cipher: "ChaChaPoly", crypto: browserCrypto });
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    const got = new Promise((resolve) => accepted.tunnel.onMessage(resolve));
    tunnel.send({ type: "hello", version: 1 });
    expect(await got).toEqual({ type: "hello", version: 1 });
    expect(await codeOf(server.connect("client", { socket: await asking("AESGCM"), cipher: "ChaChaPoly" }))).toBe("NS_WRONG_KEY");
    expect(await codeOf(asking("NULL"))).toBe("NS_UNREACHABLE");
  });
});

describe("newcomers", () => {
  test("a flood of handshakes from one address is refused beyond its burst, while those inside go on", async () => {
    const server = await start({ gate: { burst: 11, perSecond: 0 } });
    const inside = await server.connect("client");
    const answers = await Promise.all(Array.from({ length: 50 }, () => codeOf(openSocket(server.url))));
    expect(answers.filter((answer) => answer === "connected")).toHaveLength(10);
    expect(answers.filter((answer) => answer === "NS_RATE_LIMITED")).toHaveLength(40);
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    const got = new Promise((resolve) => accepted.tunnel.onMessage(resolve));
    inside.send({ type: "hello", version: 1 });
    expect(await got).toEqual({ type: "hello", version: 1 });
  });

  test("unauthenticated connections are bounded; being authenticated or leaving makes room", async () => {
    const server = await start({ gate: { maxPending: 2 } });
    const first = await openRaw(server.url);
    await server.connect("client");
    await until(() => server.gate.pending === 1, "the authenticated one no longer counts");
    await openRaw(server.url);
    expect(await codeOf(openSocket(server.url))).toBe("NS_RATE_LIMITED");
    first.terminate();
    await until(() => server.gate.pending === 1, "the first is gone");
    await server.connect("client");
  });

  test("an upgrade that is no WebSocket is refused and does not count for ever", async () => {
    const server = await start();
    const { hostname, port } = new URL(server.url);
    const raw = connect(Number(port), hostname);
    raw.write("GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const answer = await new Promise<string>((resolve) => raw.once("data", (data) => resolve(data.toString())));
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    await until(() => server.gate.pending === 0, "it no longer counts");
    raw.destroy();
  });
});

describe("pings", () => {
  test("a peer that answers no ping is taken for dead", async () => {
    const server = await start({ pingMs: 30 });
    const client = await server.connect("client");
    const accepted = server.accepted[0];
    const closed = new Promise<NightshiftError | undefined>((resolve) => accepted?.tunnel.onClose(resolve));
    server.freeze();
    expect(await closed).toEqual(
      expect.objectContaining({ code: "NS_CONNECTION_LOST", message: expect.stringContaining("silent") }),
    );
    client.close();
  });

  test("a peer that only answers pings is kept", async () => {
    const server = await start({ pingMs: 100 });
    const client = await server.connect("client");
    await new Promise((resolve) => setTimeout(resolve, 450));
    expect(client.closed).toBe(false);
    expect(server.accepted[0]?.tunnel.closed).toBe(false);
  });

  test.each([
    ["a peer whose answer came while this side was busy is kept", 0, undefined],
    ["a peer that was stopped as this side was is kept", 150, undefined],
    ["a peer that answers no ping is taken for dead, however busy this side is", 1e6, "NS_CONNECTION_LOST"],
  ])("%s", async (_, answerMs, code) => {
    const peer = new Worker(
      `const { WebSocketServer } = require("ws");
       const server = new WebSocketServer({ host: "127.0.0.1", port: 0, autoPong: false });
       server.on("connection", (socket) => socket.on("ping", () => setTimeout(() => socket.pong(), ${answerMs})));
       server.on("listening", () => require("node:worker_threads").parentPort.postMessage(server.address().port));`,
      { eval: true },
    );
    closers.push(() => peer.terminate());
    const [port] = await once(peer, "message");
    const socket = await openSocket(`ws://127.0.0.1:${port}/tunnel`, { pingMs: 50 });
    let end: SocketEnd | undefined;
    socket.listen({
      onMessage: () => undefined,
      onDrain: () => undefined,
      onClose: (how) => {
        end = how;
      },
    });
    for (let turn = 0; turn < 20 && !end; turn++) {
      // A ping goes out with this timer; then this side is busy before the answer can be here.
      await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise(setImmediate);
      const until = performance.now() + 120;
      while (performance.now() < until);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(end?.error?.code).toBe(code);
    socket.close(1000, "");
  });
});
