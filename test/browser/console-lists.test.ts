// What the console shows of lists that somebody else changes meanwhile: events, people, links, policies. Nobody presses anything to see it.
import { beforeAll, expect, test } from "vitest";
import { Cluster } from "../cluster.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";

beforeAll(ensureConsole);

const skip = test.skipIf(withoutChromium("lists that others change"));

skip("events, links, people and hosts that wait are shown as they come", async () => {
  await using cluster = await Cluster.start({ agents: [] });
  await using open = await openConsole(cluster);
  const { page, url } = open;
  const { client } = cluster;
  await page.goto(`${url}/join`);
  await page.getByText("No host waits").waitFor();
  const { id } = await client.request("tokenCreate", { scope: "host", ttlMs: 3600_000, uses: 9, approval: true });
  await page.getByText(id).waitFor();
  await client.request("tokenRevoke", { id });
  await page.getByText(id).waitFor({ state: "detached" });

  await page.goto(`${url}/people`);
  const { link } = await client.request("userInvite", { role: "viewer", name: null });
  const body = JSON.stringify({ token: link.split("#")[1], name: "grace", password: "correct horse battery" });
  await fetch(`${url}/api/invitations/accept`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const grace = page.getByRole("combobox", { name: "grace" });
  await grace.waitFor();
  await client.request("apiTokenCreate", { user: "grace", name: "nightly", role: "viewer", days: 1 });
  await page.getByText("nightly").waitFor();
  await client.request("userRemove", { name: "grace" });
  await grace.waitFor({ state: "detached" });

  await page.goto(`${url}/events`);
  await page.getByRole("cell", { name: "user-removed" }).waitFor();
  for (let at = 0; at < 60; at++) await client.request("userInvite", { role: "viewer", name: `guest ${at}` });
  const rows = page.getByRole("table", { name: "Events" });
  await page.getByRole("cell", { name: "guest 59", exact: true }).waitFor();
  // Who reads further down goes on reading there.
  await rows.evaluate((element) => element.scrollTo({ top: 30 * 44 + 10 }));
  const place = async () => (await page.getByRole("cell", { name: "guest 25", exact: true }).boundingBox())?.y;
  await page.getByRole("cell", { name: "guest 25", exact: true }).waitFor();
  const before = await place();
  const known = Number(await rows.getAttribute("aria-rowcount"));
  await client.request("userInvite", { role: "viewer", name: "latecomer" });
  await expect.poll(async () => Number(await rows.getAttribute("aria-rowcount"))).toBe(known + 1);
  expect(await place()).toBeCloseTo(before ?? Number.NaN, 0);
  await rows.evaluate((element) => element.scrollTo({ top: 0 }));
  await page.getByRole("cell", { name: "latecomer", exact: true }).waitFor();
});

skip("a policy that somebody else saves is shown, and named to one who is changing it", async () => {
  await using cluster = await Cluster.start({ agents: [] });
  await using open = await openConsole(cluster);
  const { page, url } = open;
  const set = (by: string) =>
    cluster.client.request("policySet", { scope: "all", document: { version: 1, by, locked: {} }, preview: false });
  await page.goto(`${url}/policies`);
  const by = page.getByLabel("Shown as set by");
  await by.waitFor();
  await set("IT of Monday");
  await expect.poll(() => by.inputValue()).toBe("IT of Monday");
  await by.fill("mine");
  await set("IT of Tuesday");
  await page.getByText(/has saved version 2 meanwhile/).waitFor();
  expect(await by.inputValue()).toBe("mine");
  await page.getByRole("button", { name: "Show it, and drop mine" }).click();
  await expect.poll(() => by.inputValue()).toBe("IT of Tuesday");
  await page.getByText(/has saved version 2 meanwhile/).waitFor({ state: "detached" });
});
