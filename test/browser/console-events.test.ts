// The console's audit log in a real Chromium: searched, and kept as a file of exactly what the search shows.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { Cluster } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";

beforeAll(ensureConsole);

test.skipIf(withoutChromium("the events page"))("what the search shows is exported as CSV and as JSON lines", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
  await using open = await openConsole(cluster);
  const { page } = open;
  const exported = async (name: string): Promise<string> => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
    return readFileSync(await download.path(), "utf8");
  };
  await page.getByRole("link", { name: "Events" }).click();
  await page.getByRole("cell", { name: "host-joined" }).first().waitFor();
  await page.getByLabel("Search").fill("ipc256");
  await page.getByRole("cell", { name: "amun", exact: true }).waitFor({ state: "detached" });
  const lines = (await exported("Export as JSON lines")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ what: "host-joined", target: "ipc256" }]);
  expect(await exported("Export as CSV")).toMatch(/^\uFEFFid,time,who,what,target,details\r\n\d+,.+,host-joined,ipc256,.*\r\n$/);
  await page.getByLabel("Search").fill("");
  expect(await exported("Export as CSV")).toContain("signed-in");
  expect(await violationsOf(page, "events")).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await page.getByLabel("Language").selectOption("zh");
  await page.getByRole("link", { name: "导出为 CSV" }).waitFor();
  await page.getByRole("cell", { name: "主机加入 host-joined", exact: true }).first().waitFor();
  await page.getByRole("cell", { name: "1 个槽位", exact: true }).first().waitFor();
});
