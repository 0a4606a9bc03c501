// Releases in the console: what is given out and how far hosts are, held back and let go on by an administrator; nothing for a screen reader to stumble on.
import { newReleaseKey, signRelease } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, sha256, until } from "../cluster.ts";
import { violations } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, type OpenConsole, openConsole } from "./console-stage.ts";

describe.skipIf(withoutChromium("releases in the console"))("releases in the console", () => {
  let cluster: Cluster;
  let opened: OpenConsole;
  beforeAll(async () => {
    await ensureConsole();
    cluster = await Cluster.start({ agents: ["amun"] });
    opened = await openConsole(cluster);
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await cluster?.close();
  });

  async function publish(version: string): Promise<void> {
    const bytes = Buffer.from(version);
    const sha512 = Buffer.from(await crypto.subtle.digest("SHA-512", bytes)).toString("base64");
    await cluster.client.blobs.putBlob(sha256(bytes), bytes);
    const file = { name: `Nightshift-Setup-${version}.exe`, kind: "setup" as const, sizeBytes: bytes.length };
    const content = { version, signedAt: Date.now(), withdraws: [], files: [{ ...file, sha256: sha256(bytes), sha512 }] };
    const release = signRelease(content, newReleaseKey().secret);
    await cluster.client.request("releasePublish", { release, ring: "tag:canary", hours: 24 });
  }

  test("none, then one for its ring: given to all, halted, in both languages", async () => {
    const { page, url } = opened;
    const says = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();
    await page.goto(`${url}/policies`);
    await says("None published yet");
    await page.getByLabel("Takes new versions of Nightshift while nobody is there").first().waitFor();
    await publish("0.2.0");
    await page.goto(`${url}/policies`);
    await says(/tag:canary first, all from/);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Give to all" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Give to all" }).click();
    await says("for all hosts");
    await page.getByRole("button", { name: "Halt" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Halt" }).click();
    await says("halted: by hand");
    expect((await cluster.client.request("releaseList", {}))[0]).toMatchObject({ state: "halted" });
    await page.getByLabel("Language").selectOption("zh");
    await says("已停止：手动");
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("语言").selectOption("en");
  });

  test("a host that is behind is shown so", async () => {
    const { page, url } = opened;
    await publish("0.3.0");
    await until("being behind", async () => (await cluster.client.request("hosts", {}))[0]?.outOfDate);
    await page.goto(`${url}/hosts`);
    await page.getByText(/^out of date/).waitFor();
    await page.getByRole("link", { name: "amun" }).click();
    await page.getByText(/Nightshift 0\.1\.0 · out of date/).waitFor();
  });
});
