// A page's side of the WebSocket, with Node's WebSocket in place of a browser's: the two have the same interface.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { type Loopback, startLoopback } from "../node/loopback.ts";
import type { SocketEnd } from "../ports.ts";
import { browserCrypto, openBrowserSocket } from "./index.ts";

const CIPHER = "ChaChaPoly";
let server: Loopback;
afterEach(() => server.close());

async function join(pingMs: number, visiblePingMs = pingMs) {
  server = await startLoopback({ visiblePingMs });
  const socket = await openBrowserSocket(`${server.url}?cipher=${CIPHER}`, pingMs);
  return { socket, tunnel: await server.connect("client", { socket, cipher: CIPHER, crypto: browserCrypto }) };
}
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("a coordinator that says nothing else is kept by its pings, and taken for gone by its silence", async () => {
  const { tunnel } = await join(50);
  const ended = new Promise((resolve) => tunnel.onClose(resolve));
  await wait(600);
  expect(tunnel.closed).toBe(false);
  server.silence();
  expect(await ended).toMatchObject({ code: "NS_CONNECTION_LOST", message: expect.stringContaining("silent") });
});

test("also where nothing came after the handshake", async () => {
  const { tunnel } = await join(50, 1e6);
  expect(await new Promise((resolve) => tunnel.onClose(resolve))).toMatchObject({ code: "NS_CONNECTION_LOST" });
});

test("one that sends no pings, as those of before, is kept", async () => {
  server = await startLoopback();
  const before = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(before, "listening");
  const socket = await openBrowserSocket(`ws://127.0.0.1:${(before.address() as AddressInfo).port}/tunnel`, 20);
  const onClose = vi.fn();
  socket.listen({ onMessage: () => undefined, onDrain: () => undefined, onClose });
  await wait(300);
  expect(onClose).not.toHaveBeenCalled();
  for (const client of before.clients) client.terminate();
  before.close();
});

test("a computer that was busy for long reads what has come before it takes the coordinator for gone", async () => {
  const { tunnel } = await join(50);
  await wait(200);
  for (let turn = 0; turn < 3; turn++) {
    const until = performance.now() + 300;
    while (performance.now() < until);
    await wait(60);
  }
  expect(tunnel.closed).toBe(false);
});

test("the end is told once, also where the browser finds out later", async () => {
  server = await startLoopback({ visiblePingMs: 1e6 });
  const socket = await openBrowserSocket(server.url, 20);
  const ends: SocketEnd[] = [];
  socket.listen({ onMessage: () => undefined, onDrain: () => undefined, onClose: (end) => void ends.push(end) });
  await vi.waitFor(() => expect(ends).toHaveLength(1), 10_000);
  server.cut();
  await wait(100);
  socket.close(1000, "");
  expect(ends).toEqual([{ code: 1006, reason: "", error: expect.objectContaining({ code: "NS_CONNECTION_LOST" }) }]);
});
