// The tray app takes a release: real coordinator, real app logic, the real computing process and files; only Electron and the system are
// played, and a new version of the program is the same one that says another number.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, buildAgent, replacing } from "@nightshift/agent-app/desktop/testing";
import { newReleaseKey, signRelease } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, local, sha256, until } from "../cluster.ts";
import { ChromiumPort } from "./chromium-port.ts";

const LONG = ["300", "3000"];
const { secret, key } = newReleaseKey();
let cluster: Cluster;
let built: string;
let home: string;
let appImage: string;
const apps: { port: ChromiumPort; app: App }[] = [];

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "updates-"));
  home = mkdtempSync(join(tmpdir(), "pc-"));
  appImage = join(home, "Nightshift.AppImage");
  writeFileSync(appImage, "0.1.0");
  writeFileSync(join(home, "policy.json"), JSON.stringify({ version: 1, defaults: { mode: "always" } }));
  await buildAgent(built);
  cluster = await Cluster.start();
});
afterAll(async () => {
  await Promise.all(apps.map(({ port }) => port.close()));
  await cluster?.close();
});

/** The program that is in the AppImage now, as log-in starts it. @param broken it never gets as far as the coordinator */
function startApp({ broken = false } = {}): App {
  const port = new ChromiumPort(built, { platform: "linux", idleSeconds: 3600 });
  port.version = readFileSync(appImage, "utf8");
  if (broken) port.startAgent = () => ({ send: () => undefined, kill: () => undefined });
  let again = false;
  const relaunch = (): void => {
    again = true;
  };
  port.updates = replacing({ platform: "linux", installed: null, appImage, relaunch });
  port.quit = () => {
    if (again) setImmediate(() => startApp());
  };
  const app = new App(port, { home, host: "amun", slots: 1, policyFile: join(home, "policy.json"), releaseKeys: [key] });
  apps.push({ port, app });
  app.start({ kind: "app", link: null, hidden: true });
  return app;
}

async function publish(version: string): Promise<void> {
  const bytes = Buffer.from(version);
  const hash = sha256(bytes);
  const sha512 = Buffer.from(await crypto.subtle.digest("SHA-512", bytes)).toString("base64");
  await cluster.client.blobs.putBlob(hash, bytes);
  const file = { name: `Nightshift-${version}-x86_64.AppImage`, kind: "appimage" as const, sizeBytes: bytes.length };
  const release = signRelease(
    { version, signedAt: Date.now(), withdraws: [], files: [{ ...file, sha256: hash, sha512 }] },
    secret,
  );
  await cluster.client.request("releasePublish", { release, ring: "host:amun", hours: null });
}
const newest = async () => (await cluster.client.request("releaseList", {}))[0];
const versionHere = async () => (await cluster.client.request("hosts", {})).find(({ name }) => name === "amun")?.version;

test("a published release is taken while nobody is there, and the coordinator counts the host as back", async () => {
  startApp().join(cluster.hostLink);
  await until("the old version", async () => (await versionHere()) === "0.1.0");
  await publish("0.1.0");
  // Computes here when the new version comes.
  const job = await cluster.submit("steady-lines.c", LONG);
  await until("it computes", async () => (await cluster.ps(job.job))[0]?.state === "running");
  await cluster.startAgent("other");
  await publish("0.2.0");
  await until("the new version", async () => (await versionHere()) === "0.2.0");
  expect(readFileSync(appImage, "utf8")).toBe("0.2.0");
  await until("being back", async () => (await newest())?.hosts.back === 1);
  const ended = await cluster.end(job);
  expect(ended.stdout).toBe((await local("steady-lines.c", LONG)).out);
  // It has moved as it was, instead of beginning again from a checkpoint.
  expect(ended.info.restarts).toBe(0);
  expect(ended.info.migratedRunning).toBeGreaterThan(0);
});

test("one that never reaches the coordinator goes back, which halts the release; it is not tried again", async () => {
  const { port } = apps.at(-1) ?? {};
  if (port) port.quit = () => undefined; // the test starts the broken one itself
  await publish("0.3.0");
  await until("the broken version", () => readFileSync(appImage, "utf8") === "0.3.0");
  for (let start = 1; start <= 3; start++) startApp({ broken: true });
  expect(readFileSync(appImage, "utf8")).toBe("0.3.0");
  startApp({ broken: true });
  await until("the old version", () => readFileSync(appImage, "utf8") === "0.2.0");
  await until("halt", async () => (await newest())?.state === "halted");
  expect(await newest()).toMatchObject({
    hosts: { failed: 1 },
    problems: [{ host: "amun", problem: "it was started 3 times without reaching the coordinator" }],
  });
  await cluster.client.request("releaseToAll", { version: "0.3.0" });
  await until("refusal", async () => (await newest())?.problems[0]?.problem.includes("tried this release"));
  expect(await versionHere()).toBe("0.2.0");
});
