// Fifty browsers that open the join link in the same moment, as after a mail to everybody.
import type { StartOptions, TabStatus } from "@nightshift/agent-app/browser";
import { parseLink } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, until } from "../cluster.ts";
import { type Opened, openPage, withoutChromium } from "./chromium.ts";

const TABS = 50;

interface Page {
  join(options: StartOptions): Promise<void>;
  tabStatus(): TabStatus | undefined;
}

describe.skipIf(withoutChromium("many tabs"))(`${TABS} tabs at once`, () => {
  let cluster: Cluster;
  let opened: Opened;
  beforeAll(async () => {
    cluster = await Cluster.start({ agents: ["desk"] });
    opened = await openPage("tab", { isolated: true });
  });
  afterAll(async () => {
    await opened?.close();
    await cluster?.close();
  });

  test("all join, a program's processes run among them, and when all are closed at once nothing is lost", {
    timeout: 300_000,
  }, async () => {
    const options = { coordinator: parseLink(cluster.hostLink), slots: 1, paused: null };
    const browser = opened.page.context().browser();
    const tabs = await Promise.all(
      Array.from({ length: TABS }, async () => {
        const page = await (await browser?.newContext())?.newPage();
        await page?.goto(opened.page.url());
        await page?.waitForFunction(() => "ready" in globalThis);
        return page;
      }),
    );
    await Promise.all(tabs.map((page) => page?.evaluate((it) => (globalThis as unknown as Page).join(it), options)));
    const online = async () => (await cluster.client.request("hosts", {})).filter((host) => host.online);
    await until(`${TABS} tabs have joined`, async () => (await online()).length === TABS + 1, 120_000);
    expect(new Set((await online()).map(({ name }) => name)).size).toBe(TABS + 1);

    const args = ["38", "5"];
    const submitted = await cluster.submit("fork-fibonacci", args);
    const end = cluster.end(submitted);
    const used = await until("many of them compute", async () => {
      const hosts = (await online()).filter(({ running }) => running > 0);
      return hosts.length > 8 ? hosts : undefined;
    });
    expect(used.length).toBeGreaterThan(8);
    await Promise.all(tabs.map((page) => page?.context().close()));
    expect(await end).toMatchObject({ stdout: (await local("fork-fibonacci", args)).out, report: { kind: "exit", code: 0 } });
  });
});
