// Hosts in the console, in a real Chromium against live agents: the columns somebody wants, sorted; hosts that stay and hosts that are blocked.
import { join } from "node:path";
import { openSqlite } from "@nightshift/coordinator/store";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole, SPIN, submit } from "./console-stage.ts";

const without = withoutChromium("hosts in the console");
const HOUR_MS = 3_600_000;

beforeAll(ensureConsole);

test.skipIf(without)(
  "the table has the columns that somebody has chosen in this browser, sorted by any of them, by keyboard too",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun", "bastet", "chons"] });
    const hosts = await cluster.client.request("hosts", {});
    const id = (name: string): string => hosts.find((host) => host.name === name)?.id ?? "";
    const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
    const now = Date.now();
    const earned = [
      { at: now, host: id("bastet"), cpuMs: HOUR_MS, credit: 7 },
      { at: now, host: id("amun"), cpuMs: HOUR_MS, credit: 3 },
      { at: now - 9 * 24 * HOUR_MS, host: id("chons"), cpuMs: HOUR_MS, credit: 1000 },
    ];
    store.commit({ saved: [], output: [], earned });
    const none = { computing: 0, owner: 0, paused: 0 };
    store.usages.add(
      [
        { ...none, host: id("chons"), at: now - HOUR_MS, idle: 2 * HOUR_MS },
        { ...none, host: id("chons"), at: now - 2 * HOUR_MS, idle: 3 * HOUR_MS },
        { ...none, host: id("amun"), at: now - HOUR_MS, idle: HOUR_MS / 2 },
      ],
      now,
    );
    store.close();
    await using open = await openConsole(cluster);
    const { page, url } = open;
    const heads = () => page.getByRole("columnheader").allInnerTexts();
    const names = () => page.getByRole("table", { name: "Hosts" }).getByRole("link").allInnerTexts();
    await page.getByRole("link", { name: "Hosts", exact: true }).click();
    await page.getByRole("link", { name: "amun" }).waitFor();
    expect(await heads()).toEqual([
      "Name",
      "State",
      "Reason",
      "Tags",
      "Cores",
      "Load",
      "Speed",
      "Free memory",
      "System",
      "Version",
    ]);
    await page.getByRole("button", { name: "Columns" }).click();
    for (const column of ["Credit, 7 days", "Idle, 7 days", "Processor"]) await page.getByLabel(column).check();
    for (const column of ["Reason", "Free memory", "Version"]) await page.getByLabel(column).uncheck();
    expect(await violationsOf(page, "the chooser")).toEqual([]);
    await page.keyboard.press("Escape");
    const chosen = ["Name", "State", "Tags", "Cores", "Load", "Speed", "System", "Processor", "Credit, 7 days", "Idle, 7 days"];
    expect(await heads()).toEqual(chosen);

    await page.getByRole("button", { name: "Credit, 7 days" }).focus();
    await page.keyboard.press("Enter");
    await until("the most credit comes first", async () => (await names()).join() === "bastet,amun,chons");
    const sortOf = (name: string) => page.getByRole("columnheader", { name }).getAttribute("aria-sort");
    expect([await sortOf("Credit, 7 days"), await sortOf("Name")]).toEqual(["descending", "none"]);
    await page.keyboard.press("Enter");
    await until("the least comes first", async () => (await names()).join() === "chons,amun,bastet");
    expect(await sortOf("Credit, 7 days")).toBe("ascending");
    await page.getByRole("button", { name: "Idle, 7 days" }).click();
    await until("the most idle one comes first", async () => (await names()).join() === "chons,amun,bastet");
    await page.getByRole("cell", { name: "5 h", exact: true }).waitFor();
    expect(page.url()).toBe(`${url}/hosts?sort=idle`);

    await page.reload();
    await page.getByRole("link", { name: "amun" }).waitFor();
    expect((await heads()).map((head) => head.replace(/ [▲▼]/, ""))).toEqual(chosen);
    await until("they are sorted as before", async () => (await names()).join() === "chons,amun,bastet");
    expect(await violationsOf(page, "hosts")).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.getByRole("button", { name: "Columns" }).click();
    expect(await page.getByRole("dialog").evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth)).toBe(0);
    await page.getByRole("button", { name: "As at first" }).click();
    await page.keyboard.press("Escape");
    expect(await heads()).toContain("Reason");
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("columnheader", { name: "可用内存" }).waitFor();
  },
);

test.skipIf(without)(
  "a host is told to stay and blocked on its page: its process is not balanced away, and nothing comes to the other one",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page } = open;
    const host = async (name: string) => (await cluster.client.request("hosts", {})).find((row) => row.name === name);
    const onAmun = async () => (await cluster.ps()).filter((process) => process.host === "amun").length;
    const steer = async (name: string, button: string): Promise<void> => {
      await page.getByRole("link", { name: "Hosts", exact: true }).click();
      await page.getByRole("link", { name }).click();
      await page.getByRole("button", { name: button }).click();
      await page.getByText("Done", { exact: true }).first().waitFor();
    };
    await submit(page, "spin.c", SPIN, "1000000 3");
    await until("it has forked", async () => (await onAmun()) === 4);
    await steer("amun", "Stay: move nothing away");
    await page.getByText("· stays").waitFor();
    expect(await host("amun")).toMatchObject({ stay: true, block: false });
    await cluster.startAgent("ipc256");
    await until("it is there", async () => (await host("ipc256"))?.speed);
    await page.waitForTimeout(1500);
    expect(await onAmun()).toBe(4);
    await steer("ipc256", "Block: take nothing new");
    await steer("amun", "End stay");
    await page.waitForTimeout(1500);
    expect(await onAmun()).toBe(4);
    await page.getByRole("link", { name: "Hosts", exact: true }).click();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByLabel("Orders").check();
    await page.keyboard.press("Escape");
    await page.getByRole("cell", { name: "blocked", exact: true }).waitFor();
    // What is said of hosts outlasts the coordinator.
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    await until("it is blocked still", async () => (await host("ipc256"))?.block);
    await page.getByText("Live", { exact: true }).waitFor();
    await steer("ipc256", "End block");
    // How many depends on how fast each host found itself.
    await until("some of them move there", async () => (await onAmun()) < 4);
    await page.getByRole("link", { name: "Events", exact: true }).click();
    for (const what of [
      "its processes stay",
      "takes nothing new",
      "its processes are balanced again",
      "takes new processes again",
    ])
      await page.getByRole("cell", { name: what }).waitFor();
  },
);
