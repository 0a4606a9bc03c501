// The console's page of credit in a real Chromium: the ranking of very many hosts, in a period that the address keeps.
import { join } from "node:path";
import { openSqlite } from "@nightshift/coordinator/store";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violations } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";

const without = withoutChromium("the credit page");
const DAY_MS = 86_400_000;

beforeAll(ensureConsole);

/** Beside the coordinator, into its database. */
function earn(cluster: Cluster, earned: { at: number; host: string; cpuMs: number; credit: number }[]): void {
  const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
  store.commit({ saved: [], output: [], earned });
  store.close();
}

test.skipIf(without)(
  "ten thousand hosts are ranked in a chosen period; the address keeps it, and only rows in sight are there",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page, url } = open;
    await page.getByRole("link", { name: "Credit" }).click();
    await page.getByRole("heading", { name: "No host has earned anything yet" }).waitFor();
    const amun = (await cluster.client.request("hosts", {})).find(({ name }) => name === "amun")?.id ?? "";
    const now = Date.now();
    earn(cluster, [
      { at: now, host: amun, cpuMs: 3_600_000, credit: 2 },
      { at: now - 20 * DAY_MS, host: "left-long-ago", cpuMs: 7_200_000, credit: 5 },
      ...Array.from({ length: 10_000 }, (_, at) => ({
        ...{ at: now - 100 * DAY_MS, host: `x${at}`, cpuMs: 3600, credit: 1000 - at / 100 },
      })),
    ]);
    const rows = page.getByRole("table", { name: "Credit" }).getByRole("row");
    const cells = (row: number) => rows.nth(row).getByRole("cell").allInnerTexts();

    await page.goto(`${url}/credit?period=week`);
    await page.getByRole("link", { name: "amun" }).waitFor();
    expect(await rows.count()).toBe(2);
    expect(await cells(1)).toEqual(["1", "amun", "2.00", "1.00"]);
    await page.getByLabel("Period").selectOption("30 days");
    await until("the longer period has more", async () => (await rows.count()) === 3);
    expect(new URL(page.url()).search).toBe("?period=month");
    expect([await cells(1), (await cells(2))[0]]).toEqual([["1", "left-long-ag", "5.00", "2.00"], "2"]);
    await page.getByLabel("Period").selectOption("ever");
    await page.getByText("x0", { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe("");
    await page.getByText("10,002", { exact: true }).waitFor();
    expect(await cells(1)).toEqual(["1", "x0", "1,000.00", "0.001"]);
    expect(await rows.count()).toBeLessThan(60);
    await page.getByLabel("Search").fill("amun");
    await until("the others are left out", async () => (await rows.count()) === 2);
    expect((await cells(1))[1]).toBe("amun");
    await page.getByLabel("Search").fill("nobody");
    await page.getByRole("heading", { name: "Nothing matches" }).waitFor();

    await page.goto(`${url}/credit`);
    await rows.first().waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect([colorScheme, await violations(page)]).toEqual([colorScheme, []]);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("heading", { name: "贡献", level: 1 }).waitFor();
    await page.getByText("感谢出借计算机的人").waitFor();
    await cluster.killCoordinator();
    await page.getByLabel("时段").selectOption("week");
    await page.getByRole("alert").waitFor();
  },
);
