// Releases from the command line to hosts: real coordinator, real commands, the tunnel; hosts are played, as installing is not the question.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectTunnel, type FileKind, parseLink, type ToAgent, tunnelUrl } from "@nightshift/coordinator/protocol";
import { nodeCrypto, openSocket } from "@nightshift/coordinator/protocol/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, sha256, until } from "../cluster.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
let cluster: Cluster;
let key: string;
beforeAll(async () => {
  cluster = await Cluster.start({ agents: ["headless"] });
  key = join(cluster.home, "release.key");
});
afterAll(() => cluster.close());

/** @returns what it printed, or its stderr with the exit status in front */
function nightshift(...args: string[]): Promise<string> {
  const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], { env }, (error, out, err) => resolve(error ? `${error.code}: ${err}` : out)),
  );
}
const release = async (...args: string[]) => JSON.parse(await nightshift("release", ...args, "--json"));

type Upgrade = Extract<ToAgent, { type: "upgrade" }>;

/** A host that says which version it is, and what it was told. */
class Played {
  readonly told: Upgrade[] = [];
  readonly name: string;
  private readonly staticKey = nodeCrypto.generateKeyPair();
  private tunnel: Awaited<ReturnType<typeof connectTunnel<"agent">>> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async come(version: string, takes: FileKind | null = "setup", pool?: string): Promise<void> {
    const { host, port, tls, coordinatorKey, token } = parseLink(cluster.hostLink);
    const socket = await openSocket(tunnelUrl({ host, port, tls }));
    const common = { socket, crypto: nodeCrypto, staticKey: this.staticKey, coordinatorKey, token, name: this.name };
    const tunnel = await connectTunnel({ ...common, role: "agent" });
    this.tunnel = tunnel;
    const welcome = new Promise<void>((resolve) =>
      tunnel.onMessage((message) => {
        if (message.type === "welcome") resolve();
        if (message.type === "upgrade") this.told.push(message);
      }),
    );
    const info = { os: "Windows", arch: "x64", cpuModel: "P4", slots: 1, memoryBytes: 2 ** 30, speed: 1 };
    const app = { version, kind: "desktop" as const, takes };
    tunnel.send({ type: "hello", version: 1, held: [], host: { name: this.name, ...info, app, ...(pool ? { pool } : {}) } });
    await welcome;
  }

  say(version: string, step: "ready" | "installing" | "failed", problem: string | null = null): void {
    this.tunnel?.send({ type: "upgrade", version, step, problem });
  }

  blob = (hash: string) => this.tunnel?.blobs.getBlob(hash);

  go(): void {
    this.tunnel?.close();
  }
}

function folder(version: string, ...names: string[]): string {
  const path = join(cluster.home, `dist-${version}`);
  mkdirSync(path);
  for (const name of names) writeFileSync(join(path, name), `${name}\n`);
  return path;
}
const published = async () => (await cluster.client.request("releaseList", {}))[0];
const hosts = async () => (await published())?.hosts;

const canary = new Played("canary-1");
const other = new Played("office-1");

test("a release key is made once, and its public half shown", async () => {
  const made = await nightshift("release", "key", key);
  expect(made).toMatch(/^[\w-]{43}\n$/);
  expect(await nightshift("release", "key", key)).toMatch(/^\d+: .*NS_BAD_FILE/);
  expect(await nightshift("release", "key", key, "--show")).toBe(made);
});

test("a release goes to its ring first, with the way back; the files come through the tunnel and over HTTP", async () => {
  await canary.come("0.1.0", "setup", "canary");
  await other.come("0.1.0");
  const setup = "Nightshift-Setup-0.1.0.exe";
  await release("publish", folder("0.1.0", setup), "--key", key);
  const dist = folder("0.2.0", "Nightshift-Setup-0.2.0.exe", "nightshift_0.2.0_amd64.deb", "latest.yml");
  expect(await nightshift("release", "publish", dist, "--key", key, "--ring", "tag:canary", "--after", "24h")).toMatch(
    /^0\.2\.0: tag:canary first, all from /,
  );
  const [told] = await until("the canary being told", () => canary.told.length > 0 && canary.told);
  expect(JSON.parse(told?.back?.text ?? "")).toMatchObject({ version: "0.1.0" });
  const { files } = JSON.parse(told?.release?.text ?? "");
  expect(files.map(({ kind }: { kind: string }) => kind)).toEqual(["setup", "deb"]);
  expect(sha256((await canary.blob(files[0].sha256)) ?? new Uint8Array())).toBe(files[0].sha256);
  const feed = `http://127.0.0.1:${cluster.port}/updates/0.2.0`;
  const yaml = await (await fetch(`${feed}/latest.yml`)).text();
  expect(yaml).toContain(`path: Nightshift-Setup-0.2.0.exe\nsha512: ${files[0].sha512}\n`);
  expect(await (await fetch(`${feed}/Nightshift-Setup-0.2.0.exe`)).text()).toBe("Nightshift-Setup-0.2.0.exe\n");
  expect(await (await fetch(`${feed}/release.json`)).json()).toEqual(told?.release);
  for (const none of ["latest-linux.yml", "latest.yml/..%2f..%2fkey", "..%2fkey"])
    expect((await fetch(`${feed}/${none}`)).status).toBe(404);
  expect(other.told).toEqual([]);
});

test("hosts are counted by how far they are; who comes back with the version is updated, and says so in the list of hosts", async () => {
  expect(await hosts()).toMatchObject({ offered: 1 });
  canary.say("0.2.0", "ready");
  await until("ready", async () => (await hosts())?.ready === 1);
  canary.say("0.2.0", "installing");
  await until("installing", async () => (await hosts())?.installing === 1);
  canary.go();
  await canary.come("0.2.0", "setup", "canary");
  await until("back", async () => (await hosts())?.back === 1);
  const list = await nightshift("hosts");
  expect(list).toMatch(/canary-1 .* 0\.2\.0 +Windows/);
  expect(list).toMatch(/office-1 .* 0\.1\.0 \(out of date\)/);
  expect(list).toMatch(/headless .* 0\.1\.0 \(out of date\)/);
});

test("given to all, it reaches the others; two failures halt it, and who has not begun is told not to", async () => {
  const more = [new Played("office-2"), new Played("office-3")];
  for (const one of more) await one.come("0.1.0");
  await release("to-all", "0.2.0");
  for (const one of [other, ...more]) await until("being told", () => one.told.length > 0);
  other.say("0.2.0", "failed", "it went back: no connection within 10 minutes");
  more[0]?.say("0.2.0", "failed", "the disk is full");
  await until("halt", async () => (await published())?.state === "halted");
  await until("being told not to", () => more[1]?.told.at(-1)?.release === null);
  const list = await nightshift("release", "list");
  expect(list).toMatch(/0\.2\.0 +halted: 2 of 3 hosts/);
  expect(list).toContain("office-2: the disk is full");
  expect(await nightshift("release", "halt", "0.2.0")).toMatch(/NS_NOT_RUNNING/);
  expect(await nightshift("release", "to-all", "0.1.0")).toMatch(/NS_NOT_RUNNING/);
});

test("going back is a release too: signed for those that have what is withdrawn", async () => {
  const before = other.told.length;
  expect(await nightshift("release", "rollback", "0.1.0", "--key", key)).toBe("0.1.0: all hosts, instead of 0.2.0\n");
  const told = await until("the canary being told", () => canary.told.at(-1)?.release?.text.includes('"0.1.0"') && canary.told);
  expect(JSON.parse(told.at(-1)?.release?.text ?? "")).toMatchObject({ version: "0.1.0", withdraws: ["0.2.0"] });
  expect(JSON.parse(told.at(-1)?.back?.text ?? "")).toMatchObject({ version: "0.2.0" });
  expect(other.told.length).toBe(before);
});

test("what is not whole is refused, and a host may ask nothing of it", async () => {
  const { client } = cluster;
  const { text, ...signed } = await client.request("releaseShow", { version: "0.2.0" });
  const order = { ring: null, hours: null };
  const forged = { ...signed, text: text.replace("0.2.0", "0.9.0") };
  await expect(client.request("releasePublish", { ...order, release: forged })).rejects.toMatchObject({ code: "NS_BAD_RELEASE" });
  // Signed before the one that is given out.
  await expect(client.request("releasePublish", { ...order, release: { ...signed, text } })).rejects.toMatchObject({
    code: "NS_BAD_RELEASE",
  });
  const empty = join(cluster.home, "empty");
  mkdirSync(empty);
  expect(await nightshift("release", "publish", empty, "--key", key)).toMatch(/NS_BAD_FILE.*nothing of a release/);
  const submitter = await cluster.open(
    (await client.request("tokenCreate", { scope: "submit", ttlMs: 60_000, uses: 1, approval: false })).link,
    nodeCrypto.generateKeyPair(),
  );
  await expect(submitter.request("releaseHalt", { version: "0.1.0" })).rejects.toMatchObject({ code: "NS_FORBIDDEN" });
  submitter.close();
  const api = `http://127.0.0.1:${cluster.port}/api/releases`;
  expect((await fetch(api)).status).toBe(401);
  expect((await fetch(`${api}/0.1.0/halt`, { method: "POST" })).status).toBe(401);
});
