import { randomBytes } from "node:crypto";
import { type AddressInfo, connect, createServer } from "node:net";
import {
  connectTunnel,
  formatLink,
  MAX_MESSAGE_BYTES,
  parseLink,
  RpcClient,
  TUNNEL_PATH,
  toBase64Url,
} from "@nightshift/coordinator/protocol";
import { nodeCrypto, openSocket } from "@nightshift/coordinator/protocol/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Cluster, refusal, until } from "../cluster.ts";

let cluster: Cluster;
let neighbour: { job: number; pid: number };
beforeAll(async () => {
  cluster = await Cluster.start({ agents: { amun: 2 } });
  neighbour = await cluster.submit("steady-lines.c", ["1000000", "500"]);
  await until("the neighbour runs", async () => (await cluster.ps(neighbour.job))[0]?.state === "running");
});
afterAll(() => cluster?.close());

/** After every attack: the coordinator answers, a new job runs, and the job that ran all the time was not disturbed. */
afterEach(async () => {
  expect(await cluster.run("hello", ["still here"])).toMatchObject({ report: { kind: "exit", code: 0 } });
  expect((await cluster.ps(neighbour.job))[0]?.state).toBe("running");
  expect(await cluster.client.request("job", { job: neighbour.job })).toMatchObject({ restarts: 0, state: "running" });
});

const url = (): string => `ws://127.0.0.1:${cluster.port}${TUNNEL_PATH}`;
const raw = (): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url(), { perMessageDeflate: false });
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
const closed = (socket: WebSocket): Promise<{ code: number; reason: string }> =>
  new Promise((resolve) => {
    socket.on("error", () => {});
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });

test("a wrong token is refused as such, for clients and for agents", async () => {
  const wrong = formatLink({ ...parseLink(cluster.adminLink), token: new Uint8Array(24).fill(7) });
  expect((await refusal(cluster.open(wrong, nodeCrypto.generateKeyPair()))).code).toBe("NS_BAD_TOKEN");
  // A host's token does not make a client.
  expect((await refusal(cluster.open(cluster.hostLink, nodeCrypto.generateKeyPair()))).code).toBe("NS_BAD_TOKEN");
  const right = cluster.hostLink;
  cluster.hostLink = wrong;
  await expect(cluster.startAgent("intruder")).rejects.toThrow(/NS_BAD_TOKEN/);
  cluster.hostLink = right;
  expect((await cluster.client.request("hosts", {})).map((host) => host.name)).toEqual(["amun"]);
});

test("a link with another coordinator's key is refused before anything secret is said", async () => {
  const { publicKey } = nodeCrypto.generateKeyPair();
  const wrong = formatLink({ ...parseLink(cluster.adminLink), coordinatorKey: publicKey });
  expect((await refusal(cluster.open(wrong))).code).toBe("NS_WRONG_KEY");
});

test("a link that was cut off or changed is refused with the part that is wrong", async () => {
  for (const link of ["", "nightshift://", cluster.adminLink.slice(0, -20), cluster.adminLink.replace("nightshift:", "http:")])
    expect((await refusal(cluster.open(link))).code).toBe("NS_BAD_LINK");
  expect(toBase64Url(parseLink(cluster.adminLink).coordinatorKey)).toHaveLength(43);
});

test.each([
  { what: "nothing", bytes: 0, reason: "NS_BAD_FRAME" },
  { what: "a few bytes", bytes: 10, reason: "NS_BAD_FRAME" },
  { what: "garbage of the length of a handshake", bytes: 150, reason: "NS_WRONG_KEY" },
  { what: "as much garbage as a frame may have", bytes: 65_535, reason: "NS_WRONG_KEY" },
])("$what in place of the handshake closes that connection with $reason", async ({ bytes, reason }) => {
  const socket = await raw();
  const end = closed(socket);
  socket.send(randomBytes(bytes));
  expect((await end).reason).toBe(reason);
});

test("a frame above the limit closes the connection as too large, however much more there was to come", async () => {
  const socket = await raw();
  const end = closed(socket);
  socket.send(Buffer.alloc(64 * 2 ** 20));
  expect([1006, 1009]).toContain((await end).code);
});

test("garbage in the middle of an open tunnel closes that tunnel only", async () => {
  const { coordinatorKey, token } = parseLink(cluster.adminLink);
  const socket = await openSocket(url());
  const staticKey = nodeCrypto.generateKeyPair();
  const tunnel = await connectTunnel({ socket, crypto: nodeCrypto, staticKey, coordinatorKey, role: "client", token });
  const client = await RpcClient.open(tunnel);
  expect((await client.request("status", {})).hosts).toBe(1);
  const end = new Promise<string | undefined>((resolve) => client.onClose((error) => resolve(error?.code)));
  socket.send(randomBytes(500));
  expect(await end).toMatch(/^NS_(BAD_FRAME|CONNECTION_LOST)$/);
});

test("a message that its schema does not allow, or that is too large, is refused with a code", async () => {
  const client = await cluster.open();
  expect((await refusal(client.request("ps", { job: -1, all: true }))).code).toBe("NS_BAD_MESSAGE");
  expect((await refusal(client.request("job", { job: 4711 }))).code).toBe("NS_NO_SUCH_JOB");
  const bytes = new Uint8Array(MAX_MESSAGE_BYTES + 1);
  expect((await refusal(client.request("stdin", { job: neighbour.job, offset: 0, bytes, end: false }))).code).toMatch(
    /^NS_(FRAME_TOO_LARGE|BAD_MESSAGE|LIMIT)$/,
  );
  client.close();
});

test("what is no WebSocket, and who connects and says nothing, harms nobody", async () => {
  const sockets = await Promise.all(
    ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\0", "POST /tunnel HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", ""].map(
      (said) =>
        new Promise<ReturnType<typeof connect>>((resolve, reject) => {
          const socket = connect(cluster.port, "127.0.0.1", () => {
            socket.write(said);
            resolve(socket);
          });
          socket.once("error", reject);
          socket.on("error", () => {});
          socket.resume();
        }),
    ),
  );
  const silent = await Promise.all([raw(), raw(), raw()]);
  expect((await fetch(`http://127.0.0.1:${cluster.port}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${cluster.port}/../../etc/passwd`)).status).toBe(404);
  for (const socket of sockets) socket.destroy();
  for (const socket of silent) socket.terminate();
});

test("a client's blob that does not match its hash is refused", async () => {
  const client = await cluster.open();
  expect((await refusal(client.blobs.putBlob("0".repeat(64), new Uint8Array(10)))).code).toBe("NS_BLOB_MISMATCH");
  expect((await refusal(client.blobs.getBlob("0".repeat(64)))).code).toBe("NS_NOT_FOUND");
  client.close();
});

test("where no coordinator is, or something else, the client says that it cannot be reached", async () => {
  const deaf = createServer((socket) => void socket.resume().end("SSH-2.0-other\r\n"));
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const { port } = deaf.address() as AddressInfo;
  const link = { ...parseLink(cluster.adminLink), port };
  expect((await refusal(cluster.open(formatLink(link)))).code).toBe("NS_UNREACHABLE");
  await new Promise((resolve) => deaf.close(resolve));
  expect((await refusal(cluster.open(formatLink(link)))).code).toBe("NS_UNREACHABLE");
});
