// The web console in a real Chromium against a live coordinator with real agents: what somebody sees and does there.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { BUILT } from "@nightshift/coordinator/console-build";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole, PASSWORD, SPIN, submit } from "./console-stage.ts";

const without = withoutChromium("the console");
/** What a first visit may load, as it travels. */
const FIRST_VIEW_BYTES = 300_000;

beforeAll(ensureConsole);

/** Where the mouse finds a process, as the map's own title says. */
async function findDot(page: Page, pid: number): Promise<{ x: number; y: number }> {
  const map = page.getByRole("application");
  return until(`process ${pid} is on the map`, async () => {
    const box = await map.boundingBox();
    if (!box) return undefined;
    for (let y = 24; y < Math.min(box.height, 130); y += 7)
      for (let x = 8; x < Math.min(box.width, 420); x += 7) {
        await page.mouse.move(box.x + x, box.y + y);
        if ((await map.getAttribute("title"))?.startsWith(`Process ${pid} `)) return { x: box.x + x, y: box.y + y };
      }
    return undefined;
  });
}

const hostOf = async (cluster: Cluster, pid: number): Promise<string | null | undefined> =>
  (await cluster.ps()).find((process) => process.pid === pid)?.host;

test.skipIf(without)(
  "somebody signs in, sees hosts come, runs a program, drags a process to another host, and revokes a host",
  async () => {
    await using cluster = await Cluster.start({ settings: { balance: false } });
    await using open = await openConsole(cluster);
    const { page } = open;
    await page.getByRole("heading", { name: "No hosts yet" }).waitFor();
    await cluster.startAgent("amun");
    await page.getByRole("application", { name: "Map of 1 host" }).waitFor();
    await cluster.startAgent("ipc256");
    await page.getByRole("application", { name: "Map of 2 hosts" }).waitFor();

    await submit(page, "spin.c", SPIN, "1000000");
    await page.getByText("process 1, turn 0").waitFor();
    const before = await hostOf(cluster, 1);
    const other = before === "amun" ? "ipc256" : "amun";

    await page.getByRole("link", { name: "Cluster" }).click();
    const from = await findDot(page, 1);
    const box = await page.getByRole("application").boundingBox();
    // The tiles are beside each other, in the order of their names.
    const to = { x: (box?.x ?? 0) + (other === "amun" ? 80 : 250), y: (box?.y ?? 0) + 90 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x, to.y, { steps: 5 });
    await page.mouse.up();
    await page.getByText(`Process 1 moves to ${other}`).waitFor();
    await until("it has moved", async () => (await hostOf(cluster, 1)) === other);
    const arrived = await until("its dot has arrived", async () => {
      const dot = await findDot(page, 1);
      return Math.abs(dot.x - from.x) > 60 && dot;
    });
    expect(Math.abs(arrived.x - to.x)).toBeLessThan(110);

    await page.getByRole("link", { name: "Hosts", exact: true }).click();
    await page.getByRole("link", { name: other }).click();
    await page.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("heading", { name: "Hosts", level: 1 }).waitFor();
    await page.getByRole("link", { name: other }).waitFor({ state: "detached" });
    await until("its process goes on on the other one", async () => (await hostOf(cluster, 1)) === before);
  },
);

test.skipIf(without)("everything that matters can be done by keyboard alone", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"], settings: { balance: false } });
  await using open = await openConsole(cluster);
  const { page } = open;
  await submit(page, "spin.c", SPIN, "1000000");
  const before = await until("it runs", async () => (await hostOf(cluster, 1)) ?? undefined);
  /** Tab until the focus is on what is meant. */
  const tabTo = async (what: RegExp): Promise<void> => {
    for (let turn = 0; turn < 60; turn++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(
        () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "",
      );
      if (what.test(name)) return;
    }
    throw new Error(`Tab does not lead to ${what}`);
  };
  await tabTo(/^Cluster$/);
  await page.keyboard.press("Enter");
  await tabTo(/^Map of 2 hosts/);
  await page.keyboard.press("ArrowRight");
  if (before === "ipc256") await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: before }).waitFor();
  await tabTo(/^Move process 1 /);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Move process 1 to a host" }).getByText("1 of 1 hosts").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("it has moved", async () => (await hostOf(cluster, 1)) === (before === "amun" ? "ipc256" : "amun"));
  await tabTo(/^Sign out$|^Jobs$/);
});

test.skipIf(without)("axe finds nothing on any page, in either theme", async () => {
  await using cluster = await Cluster.start({ agents: ["amun"] });
  await using open = await openConsole(cluster);
  const { page, url } = open;
  await submit(page, "spin.c", SPIN, "5 3");
  await page.getByText("Done", { exact: true }).first().waitFor();
  const [{ id: host } = { id: "" }] = await cluster.client.request("hosts", {});
  const document = { version: 1, by: "IT", locked: { hours: ["sat,sun 00:00-24:00"] }, defaults: { graceSeconds: 5 } };
  await cluster.client.request("policySet", { scope: "tag:lab", document, preview: false });
  const pages = [
    "/",
    "/?host=amun",
    "/jobs",
    "/jobs/1",
    "/hosts",
    `/hosts/${host}`,
    "/policies",
    "/policies?for=tag:lab",
    "/credit",
    "/overhead",
    "/join",
    "/events",
    "/people",
    "/welcome",
  ];
  const found: string[] = [];
  for (const path of pages) {
    await page.goto(url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(300);
    found.push(...(await violationsOf(page, path)));
  }
  expect(found).toEqual([]);
});

test.skipIf(without)(
  "search and filters are kept in the address; an empty cluster, a lost connection and Chinese are shown as such",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page, url } = open;
    await page.goto(`${url}/hosts?search=nothing&state=idle`);
    await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
    expect(await page.getByLabel("Search").inputValue()).toBe("nothing");
    await page.getByLabel("Search").fill("amun");
    await page.getByRole("link", { name: "amun" }).waitFor();
    expect(page.url()).toBe(`${url}/hosts?search=amun&state=idle`);
    await page.getByRole("link", { name: "Cluster" }).click();
    await page.getByRole("figure", { name: "Throughput" }).getByText("Cores computing").waitFor();
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("figure", { name: "吞吐量" }).getByText("计算中的核心").waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    await cluster.killCoordinator();
    await page.getByText("连接已断开，正在重试").waitFor();
    await cluster.startCoordinator();
    await page.getByText("实时", { exact: true }).waitFor();
    // The session outlives the coordinator.
    await page.getByRole("link", { name: "作业" }).click();
    await page.getByRole("heading", { name: "还没有作业" }).waitFor();
  },
);

test.skipIf(without)("a viewer sees no action; nothing is wider than a phone", async () => {
  await using cluster = await Cluster.start({ agents: ["amun"] });
  await using open = await openConsole(cluster);
  const { page, url } = open;
  await submit(page, "spin.c", SPIN, "1000000");
  await page.goto(`${url}/people`);
  await page.getByLabel("Role", { exact: true }).first().selectOption("viewer");
  await page.getByRole("button", { name: "Make a one-time link" }).click();
  const link = await page.getByRole("dialog").locator("pre").innerText();
  const context = await open.browser.newContext({ viewport: { width: 360, height: 740 }, locale: "en-GB" });
  const viewer = await context.newPage();
  await viewer.goto(link);
  await viewer.getByLabel("Name", { exact: true }).fill("vic");
  await viewer.getByLabel("Password").fill(PASSWORD);
  await viewer.getByRole("button", { name: "Begin" }).click();
  await viewer.getByRole("heading", { name: "Cluster", level: 1 }).waitFor();
  for (const path of ["/", "/jobs", "/jobs/1", "/hosts", "/hosts/amun", "/policies", "/overhead", "/people"]) {
    await viewer.goto(url + path);
    await viewer.getByRole("heading", { level: 1 }).waitFor();
    await viewer.waitForTimeout(200);
    const wide = await viewer.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect([path, wide]).toEqual([path, 0]);
    for (const action of [
      "Let it hold",
      "Undo the last change",
      "Submit a job",
      "Submit again …",
      "Cancel the job",
      "Revoke",
      "Expel and keep clear",
      "Save",
      "Start the experiment",
    ])
      expect([path, action, await viewer.getByRole("button", { name: action }).count()]).toEqual([path, action, 0]);
    expect(await viewer.getByRole("link", { name: "Events" }).count()).toBe(0);
  }
});

test.skipIf(without)("a policy that is set in the page stops a host at once, and undoing it lets it compute again", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"], settings: { balance: false } });
  await using open = await openConsole(cluster);
  const { page } = open;
  await submit(page, "spin.c", SPIN, "1000000");
  const here = await until("it runs", async () => (await hostOf(cluster, 1)) ?? undefined);
  const other = here === "amun" ? "ipc256" : "amun";
  await page.getByRole("link", { name: "Policies", exact: true }).click();
  await page.getByText("It holds for 2 hosts.").waitFor();
  await page.getByLabel("Policy for").selectOption({ label: here });
  await page.getByLabel("What the policy says: Pauses with less free memory than (%)").selectOption("Locked");
  const free = page.getByRole("spinbutton", { name: "Pauses with less free memory than (%)" });
  await free.fill("200");
  await page.getByText("Not allowed: Pauses with less free memory than").waitFor();
  expect(await page.getByRole("button", { name: "Let it hold" }).isDisabled()).toBe(true);
  await free.fill("0");
  await page.getByLabel("What the policy says: Computes", { exact: true }).selectOption("Locked");
  await page.getByRole("combobox", { name: "Computes", exact: true }).selectOption("never");
  await page.getByLabel("Shown as set by").fill("IT");
  await page.getByText("It would hold for 1 host and change 1 of them.").waitFor();
  await page.getByText(/Computes: when idle, always without a desktop → never/).waitFor();
  await page.getByRole("button", { name: "Let it hold" }).click();
  await page.getByText("Version 1 holds for 1 host").waitFor();
  const paused = async (): Promise<string | null | undefined> =>
    (await cluster.client.request("hosts", {})).find(({ name }) => name === here)?.paused;
  await until("it has stopped", async () => (await paused()) === "switched off (set by IT)");
  await until("its process goes on on the other one", async () => (await hostOf(cluster, 1)) === other);
  await page.getByRole("link", { name: "Hosts", exact: true }).click();
  await page.getByRole("link", { name: here }).click();
  await page.getByText("It obeys versions 1.").waitFor();
  await page.getByRole("link", { name: "Policy of this host" }).click();
  await page.getByText("Computes: never (locked)").first().waitFor();
  await page.getByRole("button", { name: "Undo the last change" }).click();
  await page.getByText("Version 2").waitFor();
  await until("it computes again", async () => (await paused()) === null);
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await page.getByText("Version 3").waitFor();
  await until("it has stopped again", async () => (await paused()) === "switched off (set by IT)");
});

test.skipIf(without)("a host that joins by a link with approval waits until it is let in on the page", async () => {
  await using cluster = await Cluster.start();
  await using open = await openConsole(cluster);
  const { page } = open;
  await page.getByRole("link", { name: "Enrolment" }).click();
  await page.getByText("No host waits").waitFor();
  await page.getByLabel("Joining").selectOption("waits until an administrator lets it in");
  await page.getByRole("button", { name: "Make a join link" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("img", { name: "The join link as a QR code" }).waitFor();
  const [link = "", ...commands] = (await dialog.locator("pre").allInnerTexts()).slice(1);
  expect(commands).toEqual([
    `npx nightshift agent --join '${link}'`,
    `npx nightshift agent install --join '${link}'`,
    `Setup.exe /S /JOIN="${link}"`,
    `msiexec /i Nightshift.msi JOIN="${link}" /qn`,
  ]);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("with approval").waitFor();
  cluster.hostLink = link;
  await cluster.startAgent("amun", 1, ["--no-signals"], undefined, "pending");
  await cluster.startAgent("mallory", 1, ["--no-signals"], undefined, "pending");
  expect(await cluster.client.request("hosts", {})).toEqual([]);
  await page.getByRole("button", { name: "Let in amun" }).click();
  await until("it has joined", async () =>
    (await cluster.client.request("hosts", {})).some(({ name, online }) => online && name === "amun"),
  );
  await page.getByRole("listitem").filter({ hasText: "mallory" }).getByRole("button", { name: "Turn away" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Turn away" }).click();
  await page.getByText("No host waits").waitFor();
  await until("it is told", () => cluster.said("mallory").some(({ event }) => event === "refused"));
});

test("a first visit loads less than 300 KB", () => {
  // The page for volunteers is another one.
  const files = readdirSync(BUILT, { recursive: true, encoding: "utf8" }).filter((file) => !file.startsWith("lend"));
  // What has a compressed form travels in it.
  const travelling = files.filter((file) => statSync(join(BUILT, file)).isFile() && !files.includes(`${file}.br`));
  const bytes = travelling.map((file) => statSync(join(BUILT, file)).size);
  expect(files.some((file) => file.endsWith(".js.br"))).toBe(true);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(FIRST_VIEW_BYTES);
});
