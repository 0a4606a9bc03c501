// Fifty browsers that open the join link in the same moment, as after a mail to everybody.
import type { StartOptions, TabStatus } from "@nightshift/agent-app/browser";
import { parseLink } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, until } from "../cluster.ts";
import { type Opened, openPage, withoutChromium } from "./chromium.ts";
import { isReady } from "./served-page.ts";

const TABS = 50;
/** So many of them get a process. */
const USED = 8;
/** Ten times what it takes on a machine of two cores. */
const LONG_MS = 300_000;

interface Page {
  join(options: Omit<StartOptions, "device">): Promise<void>;
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

  test("all join and compute, and when all are closed at once nothing is lost", {
    timeout: 2 * LONG_MS,
  }, async () => {
    // Beforehand: this thread hears nothing of the cluster while it computes.
    const args = ["1000", "2000"];
    const { out } = await local("steady-lines.c", args);
    const options = { coordinator: parseLink(cluster.hostLink), slots: 1, paused: null };
    // Each from a site of its own, to be a host of its own: a window for each costs Chromium seconds.
    const window = await opened.page.context().browser()?.newContext();
    if (!window) throw new Error("the page's browser has ended");
    const { protocol, port } = new URL(opened.page.url());
    const tabs = await Promise.all(
      Array.from({ length: TABS }, async (_, tab) => {
        const page = await window.newPage();
        await page.goto(`${protocol}//tab${tab}.localhost:${port}/`);
        await page.waitForFunction(isReady);
        return page;
      }),
    );
    await Promise.all(tabs.map((page) => page.evaluate((it) => (globalThis as unknown as Page).join(it), options)));
    const online = async () => (await cluster.client.request("hosts", {})).filter((host) => host.online);
    await until(`${TABS} tabs have joined`, async () => (await online()).length === TABS + 1, LONG_MS);
    expect(new Set((await online()).map(({ name }) => name)).size).toBe(TABS + 1);

    const names = (await online()).map(({ name }) => name).filter((name) => name !== "desk");
    const jobs = await Promise.all(
      names.slice(0, USED).map((startOn) => cluster.submit("steady-lines.c", args, { startOn, stay: true })),
    );
    const ends = jobs.map((job) => cluster.end(job, undefined, LONG_MS));
    const computed = new Set<string | null>();
    const running = await until("each has computed in its tab", async () => {
      const rows = (await Promise.all(jobs.map(({ job }) => cluster.ps(job)))).flat();
      // On a fast machine one may have ended before another begins.
      for (const { state, host } of rows) if ((state === "running" || state === "exited") && host !== "desk") computed.add(host);
      return computed.size === USED && rows.filter(({ state }) => state === "running").length;
    });
    expect(running).toBeGreaterThan(0);
    await Promise.all(tabs.map((page) => page.close()));
    for (const end of ends) expect(await end).toMatchObject({ stdout: out, report: { kind: "exit", code: 0 } });
  });
});
