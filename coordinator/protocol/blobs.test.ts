// Blobs over real tunnels: both ways, many at once, among control messages, with limits, lies and broken connections.
import { randomBytes } from "node:crypto";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { afterEach, describe, expect, test } from "vitest";
import {
  BULK_HIGH_WATER_BYTES,
  type BulkFrame,
  type BulkLink,
  decodeBulk,
  encodeBulk,
  FairSender,
  GENTLE_AT_ONCE_BYTES,
  GENTLE_BYTES_PER_SECOND,
} from "./bulk.ts";
import { BlobClient } from "./bulk-client.ts";
import { BlobServer } from "./bulk-server.ts";
import { nodeCrypto } from "./node/crypto.ts";
import { type Loopback, type LoopbackOptions, MemoryBlobs, sha256, startLoopback, until } from "./node/loopback.ts";

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
const random = (size: number) => new Uint8Array(randomBytes(size));
const LIMITS = { maxBlobBytes: 1000, maxTransfers: 2, maxHeldBytes: 1500 };
const MISSING = "00".repeat(32);

/** A link whose frames are collected, for one end without the other. */
function collect() {
  const frames: BulkFrame[] = [];
  const failures: NightshiftError[] = [];
  const link: BulkLink & { congested: boolean } = {
    sendBulk: (frame) => void frames.push(decodeBulk(frame)),
    congested: false,
    crypto: nodeCrypto,
    fail: (error) => void failures.push(error),
  };
  return { frames, link };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("over a tunnel", () => {
  test("50 MB go both ways while control messages pass among them", async () => {
    const server = await start();
    const bytes = random(50 * 2 ** 20);
    const hash = sha256(bytes);
    const client = await server.connect("client");
    const accepted = server.accepted[0];
    if (accepted?.role !== "client") throw new Error("a client");
    accepted.tunnel.onMessage((message) => {
      if ("id" in message) accepted.tunnel.send({ type: "response", id: message.id, result: null });
    });

    const pingsDuring = async (transfer: Promise<unknown>) => {
      let over = false;
      const waitMs: number[] = [];
      const finished = transfer.finally(() => {
        over = true;
      });
      for (let id = 0; !over; id++) {
        const sentAt = performance.now();
        const answered = new Promise<void>((resolve) => client.onMessage(() => resolve()));
        client.send({ type: "request", id, method: "hosts", params: {} });
        await answered;
        waitMs.push(performance.now() - sentAt);
      }
      await finished;
      return waitMs;
    };
    const up = await pingsDuring(client.blobs.putBlob(hash, bytes));
    expect(Buffer.compare(server.store.blobs.get(hash) ?? Buffer.alloc(0), bytes)).toBe(0);
    let got = new Uint8Array();
    const down = await pingsDuring(
      client.blobs.getBlob(hash).then((blob) => {
        got = new Uint8Array(blob);
      }),
    );
    expect(Buffer.compare(got, bytes)).toBe(0);
    // Were control to wait for bulk, there would be one round trip per transfer.
    expect(up.length).toBeGreaterThan(10);
    expect(down.length).toBeGreaterThan(10);
  });

  test("a blob that the server has is not sent again", async () => {
    const server = await start();
    const bytes = random(100_000);
    server.store.add(bytes);
    const client = await server.connect("agent");
    await client.blobs.putBlob(sha256(bytes), bytes);
    expect(server.store.puts).toBe(0);
  });

  test("40 blobs of all sizes, the empty one included, arrive at once", async () => {
    const server = await start();
    const client = await server.connect("agent");
    const blobs = Array.from({ length: 40 }, (_, index) => random(index * 7_001));
    await Promise.all(blobs.map((bytes) => client.blobs.putBlob(sha256(bytes), bytes)));
    const back = await Promise.all(blobs.map((bytes) => client.blobs.getBlob(sha256(bytes))));
    expect(back.every((bytes, index) => Buffer.compare(bytes, blobs[index] ?? Buffer.alloc(0)) === 0)).toBe(true);
  });

  test("a small blob overtakes a large one", async () => {
    const server = await start();
    const [large, small] = [server.store.add(random(30 * 2 ** 20)), server.store.add(random(1000))];
    const client = await server.connect("agent");
    const order: string[] = [];
    const first = client.blobs.getBlob(large).then(() => order.push("large"));
    await Promise.all([first, client.blobs.getBlob(small).then(() => order.push("small"))]);
    expect(order).toEqual(["small", "large"]);
  });

  test("errors come with their code and the tunnel lives on", async () => {
    const server = await start({
      authorise: (action) => {
        if (action === "put") throw new NightshiftError("NS_FORBIDDEN", "Only to be read");
      },
      accept: { bulkLimits: { maxBlobBytes: 1000 } },
    });
    const client = await server.connect("agent");
    await expect(client.blobs.getBlob(MISSING)).rejects.toThrow(code("NS_NOT_FOUND"));
    await expect(client.blobs.putBlob(MISSING, random(10))).rejects.toThrow(
      expect.objectContaining({ code: "NS_FORBIDDEN", message: "Only to be read" }),
    );
    await expect(client.blobs.getBlob(server.store.add(random(1001)))).rejects.toThrow(code("NS_LIMIT"));
    await expect(client.blobs.getBlob("not a hash")).rejects.toThrow(code("NS_BAD_MESSAGE"));
    expect(await client.blobs.getBlob(server.store.add(random(1000)))).toHaveLength(1000);
  });

  test("bytes that do not match their hash are refused by whoever receives them", async () => {
    const server = await start();
    const client = await server.connect("agent");
    await expect(client.blobs.putBlob(MISSING, random(70_000))).rejects.toThrow(code("NS_BLOB_MISMATCH"));
    await expect(client.blobs.putBlob(MISSING, new Uint8Array(0))).rejects.toThrow(code("NS_BLOB_MISMATCH"));
    expect(server.store.puts).toBe(0);
    server.store.blobs.set(MISSING, random(70_000));
    await expect(client.blobs.getBlob(MISSING)).rejects.toThrow(code("NS_BLOB_MISMATCH"));
    expect(client.closed).toBe(false);
  });

  test("a dropped connection rejects everything under way and everything later", async () => {
    const server = await start();
    const hash = server.store.add(random(60 * 2 ** 20));
    const client = await server.connect("agent");
    const pending = [
      client.blobs.getBlob(hash),
      ...Array.from({ length: 20 }, () => random(300_000)).map((bytes) => client.blobs.putBlob(sha256(bytes), bytes)),
    ].map((transfer) =>
      transfer.then(
        () => "done",
        (error: NightshiftError) => error.code,
      ),
    );
    await settle();
    server.cut();
    expect(new Set(await Promise.all(pending))).toEqual(new Set(["NS_CONNECTION_LOST"]));
    await expect(client.blobs.getBlob(hash)).rejects.toThrow(code("NS_CONNECTION_LOST"));
  });
});

describe("fairness and backpressure", () => {
  test("transfers take turns, and nothing is sent while the socket is congested", () => {
    const { frames, link } = collect();
    link.congested = true;
    const sender = new FairSender(link);
    const done: number[] = [];
    for (const id of [1, 2, 3]) sender.add(id, new Uint8Array(id * 65_000), () => done.push(id));
    expect(frames).toEqual([]);
    link.congested = false;
    sender.pump();
    expect(frames.map((frame) => frame.id)).toEqual([1, 2, 3, 2, 3, 3]);
    expect(done).toEqual([1, 2, 3]);
  });

  test("a gentle one rests in between, and hurries as soon as it need not be", () => {
    const { frames, link } = collect();
    const rests: { ms: number; callback: () => void }[] = [];
    const cancelled: number[] = [];
    const sender = new FairSender(link, {
      after: (ms, callback) => {
        const at = rests.push({ ms, callback }) - 1;
        return () => cancelled.push(at);
      },
    });
    const sent = (): number => frames.reduce((sum, frame) => sum + (frame.op === "data" ? frame.bytes.length : 0), 0);
    sender.beGentle(true);
    sender.add(1, new Uint8Array(3 * GENTLE_AT_ONCE_BYTES), () => undefined);
    const [near, frame] = [GENTLE_AT_ONCE_BYTES, 65_536];
    expect(sent()).toBeGreaterThanOrEqual(near);
    expect(sent()).toBeLessThan(near + frame);
    sender.pump(); // the socket has room: no reason to go on, nor to rest twice
    expect(rests).toHaveLength(1);
    for (let at = 0; at < 10; at++) rests[at]?.callback();
    const milliseconds = rests.slice(0, 10).reduce((sum, { ms }) => sum + ms, 0);
    expect(sent() - near).toBeLessThan((GENTLE_BYTES_PER_SECOND * milliseconds) / 1000 + frame);
    expect(sent() - near).toBeGreaterThan((GENTLE_BYTES_PER_SECOND * milliseconds) / 1000 - frame);
    sender.beGentle(false);
    expect(cancelled).toEqual([10]);
    expect(sent()).toBe(3 * GENTLE_AT_ONCE_BYTES);
  });

  test("a tunnel's socket never holds much more than the high-water mark of bulk", async () => {
    const server = await start();
    const bytes = random(20 * 2 ** 20);
    const { openSocket } = await import("./node/websocket.ts");
    const socket = await openSocket(server.url);
    const client = await server.connect("agent", { socket });
    let most = 0;
    const transfer = client.blobs.putBlob(sha256(bytes), bytes);
    const sampling = until(() => {
      most = Math.max(most, socket.bufferedAmount);
      return server.store.puts === 1;
    }, "the blob is stored");
    await Promise.all([transfer, sampling]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(BULK_HIGH_WATER_BYTES + 2 * 65_535);
  });
});

describe("the server's bounds", () => {
  const put = (id: number, size: number): BulkFrame => ({ op: "put", id, hash: MISSING, size });

  test("too many at once, too large and too much together are refused, and room comes back", async () => {
    const { frames, link } = collect();
    const server = new BlobServer(link, LIMITS, { store: new MemoryBlobs(), authorise: () => undefined });
    server.onFrame(put(1, 1000));
    server.onFrame(put(2, 1000));
    server.onFrame(put(3, 1));
    await settle();
    expect(frames).toEqual([
      expect.objectContaining({ op: "error", id: 3, code: "NS_LIMIT" }),
      { op: "send", id: 1 },
      expect.objectContaining({ op: "error", id: 2, code: "NS_LIMIT" }),
    ]);
    frames.length = 0;
    server.onFrame({ op: "data", id: 1, bytes: new Uint8Array(1000) });
    await settle();
    server.onFrame(put(4, 1000));
    server.onFrame(put(5, 1001));
    await settle();
    expect(frames.map((frame) => [frame.op, frame.id])).toEqual([
      ["error", 1],
      ["send", 4],
      ["error", 5],
    ]);
  });

  test("frames that no client sends end the tunnel: data nobody announced, more than announced, an id in use, answers", async () => {
    const { link } = collect();
    const server = new BlobServer(link, LIMITS, { store: new MemoryBlobs(), authorise: () => undefined });
    server.onFrame(put(1, 10));
    await settle();
    for (const frame of [
      { op: "data", id: 9, bytes: new Uint8Array(1) },
      { op: "data", id: 1, bytes: new Uint8Array(11) },
      put(1, 10),
      { op: "done", id: 1 },
    ] as BulkFrame[]) {
      expect(() => server.onFrame(frame)).toThrow(code("NS_BAD_FRAME"));
    }
  });

  test("without a service everything is forbidden, and after the end nothing is sent", async () => {
    const { frames, link } = collect();
    const server = new BlobServer(link, LIMITS, null);
    server.onFrame(put(1, 10));
    await settle();
    expect(frames).toEqual([expect.objectContaining({ op: "error", code: "NS_FORBIDDEN" })]);
    server.onFrame(put(2, 10));
    server.onEnd();
    await settle();
    expect(frames).toHaveLength(1);
  });
});

describe("the client's distrust", () => {
  test("answers that nobody asked for, or that promise more than was asked, end the tunnel", () => {
    const { frames, link } = collect();
    const client = new BlobClient(link, LIMITS);
    client.getBlob(MISSING).catch(() => undefined);
    client.putBlob(MISSING, new Uint8Array(10)).catch(() => undefined);
    expect(frames.map((frame) => frame.op)).toEqual(["get", "put"]);
    link.congested = true;
    client.onFrame({ op: "send", id: 1 });
    for (const frame of [
      { op: "size", id: 7, size: 1 },
      { op: "size", id: 0, size: 1001 },
      { op: "data", id: 0, bytes: new Uint8Array(1) },
      { op: "done", id: 0 },
      { op: "send", id: 1 },
      { op: "done", id: 1 },
      { op: "error", id: 1, code: "NS_LIMIT", message: "" },
      { op: "get", id: 0, hash: MISSING, maxBytes: 1 },
    ] as BulkFrame[]) {
      expect(() => client.onFrame(frame)).toThrow(code("NS_BAD_FRAME"));
    }
  });

  test("a blob too large is refused before anything is sent, and further transfers wait for a place", async () => {
    const { frames, link } = collect();
    const client = new BlobClient(link, LIMITS);
    await expect(client.putBlob(MISSING, new Uint8Array(1001))).rejects.toThrow(code("NS_LIMIT"));
    for (let count = 0; count < 3; count++) client.getBlob(MISSING).catch(() => undefined);
    expect(frames.map((frame) => frame.id)).toEqual([0, 1]);
    client.onFrame({ op: "error", id: 0, code: "NS_NOT_FOUND", message: "" });
    expect(frames.map((frame) => frame.id)).toEqual([0, 1, 2]);
    expect(encodeBulk(frames[2] ?? { op: "done", id: 0 })).toHaveLength(46);
  });
});
