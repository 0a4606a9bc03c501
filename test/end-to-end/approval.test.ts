import { connectTunnel, type FromAgent, parseLink, type ToAgent, tunnelUrl } from "@nightshift/coordinator/protocol";
import { nodeCrypto, openSocket } from "@nightshift/coordinator/protocol/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, sha256, until } from "../cluster.ts";

let cluster: Cluster;
let link: string;
beforeAll(async () => {
  cluster = await Cluster.start({});
  ({ link } = await cluster.client.request("tokenCreate", { scope: "host", ttlMs: 3600_000, uses: 10, approval: true }));
  cluster.hostLink = link;
});
afterAll(() => cluster?.close());

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const waiting = async (name: string) => (await cluster.client.request("pendingHosts", {})).find((one) => one.name === name);
const hosts = async () => (await cluster.client.request("hosts", {})).map(({ name }) => name);
const status = async (name: string) => (await cluster.control(name, { command: "status" })).status as object;
const decide = (host: string, approve: boolean) => cluster.client.request("pendingDecide", { host, approve });

test("a host that needs approval waits and says so, is no host, also to a coordinator that has come again, and computes when it is let in", async () => {
  await cluster.startAgent("amun", 2, ["--no-signals"], undefined, "pending");
  const row = await until("it is there", async () => waiting("amun"));
  expect(row).toMatchObject({ online: true, slots: 2, id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await status("amun")).toMatchObject({ connected: false, pending: true, hostId: row.id });
  expect(await hosts()).toEqual([]);
  await cluster.killCoordinator();
  await cluster.startCoordinator();
  cluster.hostLink = link; // and not the one that it has just made
  await until("it waits again", async () => (await waiting("amun"))?.online);
  expect(await hosts()).toEqual([]);
  await decide(row.id.slice(0, 12), true);
  await until("it has joined", async () => ((await status("amun")) as { connected: boolean }).connected);
  expect(await waiting("amun")).toBeUndefined();
  const ended = await cluster.run("fork-fibonacci", ["20", "1"], { startOn: "amun" });
  expect(ended.report).toEqual({ kind: "exit", code: 0 });
  // From now on it needs nobody.
  await cluster.killAgent("amun");
  await cluster.startAgent("amun");
});

test("one that is turned away is told, ends, and stays out", async () => {
  await cluster.startAgent("mallory", 1, ["--no-signals"], undefined, "pending");
  await until("it is there", async () => waiting("mallory"));
  const pid = cluster.pidOf("mallory");
  await decide("mallory", false);
  await until("it is told", () =>
    cluster.said("mallory").some(({ event, code }) => event === "refused" && code === "NS_REVOKED"),
  );
  await until("it has ended", () => !isRunning(pid));
  expect(await waiting("mallory")).toBeUndefined();
  await expect(decide("mallory", true)).rejects.toMatchObject({ code: "NS_NO_SUCH_HOST" });
  await cluster.killAgent("mallory");
  await expect(cluster.startAgent("mallory")).rejects.toThrow(/NS_REVOKED/);
});

test("one that waits can neither take bytes from the coordinator nor leave any there, whatever it says", async () => {
  const { coordinatorKey, token, ...address } = parseLink(link);
  const socket = await openSocket(tunnelUrl(address));
  const said: ToAgent[] = [];
  const tunnel = await connectTunnel({
    ...{ socket, crypto: nodeCrypto, staticKey: nodeCrypto.generateKeyPair(), coordinatorKey, role: "agent", name: "eve" },
    ...(token ? { token } : {}),
  });
  tunnel.onMessage((message) => said.push(message));
  const info = { name: "eve", os: "", arch: "", cpuModel: "", slots: 1, memoryBytes: 1, speed: 1 };
  const hello: FromAgent = { type: "hello", version: 1, host: info, held: [] };
  const load = {
    running: 0,
    runnable: 0,
    blocked: 0,
    slots: 9,
    paused: null,
    pausedCode: null,
    keepMs: 0,
    memoryFreeBytes: 2 ** 30,
  };
  tunnel.send(hello);
  tunnel.send({ type: "load", ...load, speed: 1, held: [] });
  tunnel.send({ type: "policyObeyed", versions: [1], problem: null });
  tunnel.send(hello);
  await until("it is told to wait", () => said.length > 0);
  await expect(tunnel.blobs.getBlob("0".repeat(64))).rejects.toMatchObject({ code: "NS_FORBIDDEN" });
  const bytes = new Uint8Array([1]);
  await expect(tunnel.blobs.putBlob(sha256(bytes), bytes)).rejects.toMatchObject({ code: "NS_FORBIDDEN" });
  expect(said.map(({ type }) => type)).toEqual(["pending"]);
  expect(await hosts()).toEqual(["amun"]);
  tunnel.close();
});

test("a submitter's command line may look at policies, but changes none and lets nobody in", async () => {
  const submit = await cluster.client.request("tokenCreate", { scope: "submit", ttlMs: 3600_000, uses: 1, approval: false });
  const client = await cluster.open(submit.link, nodeCrypto.generateKeyPair());
  expect(await client.request("policyShow", { scope: null })).toEqual([]);
  const forbidden = { code: "NS_FORBIDDEN" };
  const change = { scope: "all", document: { version: 1 }, preview: false };
  await expect(client.request("policySet", change)).rejects.toMatchObject(forbidden);
  await expect(client.request("policyUndo", { scope: "all", version: null })).rejects.toMatchObject(forbidden);
  await expect(client.request("pendingHosts", {})).rejects.toMatchObject(forbidden);
  await expect(client.request("pendingDecide", { host: "eve", approve: true })).rejects.toMatchObject(forbidden);
  client.close();
});
