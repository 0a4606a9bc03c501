// The console's page of overhead experiments in a real Chromium, on a live coordinator and two real agents.
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violations } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole, PASSWORD } from "./console-stage.ts";

const without = withoutChromium("the overhead page");

beforeAll(ensureConsole);

const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test.skipIf(without)(
  "an experiment is started by keyboard, watched while it is measured, kept in the history, linked to and printed",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page, url } = open;
    await page.getByRole("link", { name: "Overhead" }).click();
    await page.getByRole("heading", { name: "No experiments yet" }).waitFor();
    await page.getByRole("heading", { name: "It needs two hosts that can compute" }).waitFor();
    await cluster.startAgent("ipc256");
    await page.getByLabel("First host (A)").selectOption({ label: "amun (Idle)" });
    await page.getByLabel("Second host (B)").selectOption({ label: "amun (Idle)" });
    await page.getByLabel("Runs").fill("2");
    await page.getByLabel("n of fib(n)").fill("24");
    await page.getByRole("button", { name: "Start the experiment" }).click();
    await page.getByRole("alert").getByText("the experiment needs two different hosts").waitFor();
    await page.getByLabel("Second host (B)").selectOption({ label: "ipc256 (Idle)" });
    await page.getByLabel("n of fib(n)").press("Enter");

    await page.getByRole("heading", { name: "Overhead experiment 1", level: 1 }).waitFor();
    expect(page.url()).toBe(`${url}/overhead/1`);
    await page.getByRole("status").getByText("Preparing: the program is compiled").waitFor();
    // The rows come one after the other, without loading anew.
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name}( |$)`) });
    await row("2").waitFor();
    await row("Median").waitFor();
    await page.getByText("Done", { exact: true }).waitFor();
    const experiment = await cluster.client.request("overheadShow", { id: 1 });
    const { median } = experiment.figures ?? { median: { ta: 0, ti: 0, tb: 0, overhead: 0 } };
    expect(await row("Median").getByRole("cell").allInnerTexts()).toEqual([
      ...[median.ta, median.ti, median.tb].map((seconds) => `${seconds.toFixed(2)} s`),
      new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 2, signDisplay: "exceptZero" }).format(
        median.overhead,
      ),
      "",
    ]);
    expect((await row("Published \\(native\\)").getByRole("cell").allInnerTexts()).slice(0, 4)).toEqual([
      "436.25 s",
      "778.75 s",
      "285.25 s",
      "+2.01%",
    ]);
    await page.getByText("hosts run no native code").waitFor();
    await row("1").getByRole("link").nth(2).click();
    await page.getByRole("heading", { name: `fork-fibonacci · j${experiment.results[0]?.jobs.tb}` }).waitFor();

    await page.goto(`${url}/overhead/1`);
    await page.getByRole("heading", { name: "Overhead experiment 1", level: 1 }).waitFor();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    expect(await page.getByRole("button", { name: "Print" }).isVisible()).toBe(false);
    expect(await row("Median").isVisible()).toBe(true);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("light");
    await page.emulateMedia({ media: "screen", colorScheme: "light" });

    await page.getByRole("link", { name: "Overhead", exact: true }).click();
    await page.getByRole("link", { name: "1", exact: true }).waitFor();
    const { id } = await cluster.client.request("overheadStart", { hosts: ["ipc256", "amun"], runs: 1, n: 24 });
    // Somebody else has started it: it is shown without being asked for.
    await page.getByRole("link", { name: `Overhead experiment ${id}` }).waitFor();
    await page.getByRole("figure", { name: "Overhead over time" }).waitFor();
    for (const path of ["/overhead", "/overhead/1"]) {
      await page.goto(url + path);
      await page.getByRole("table").waitFor();
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect([path, colorScheme, await violations(page)]).toEqual([path, colorScheme, []]);
      }
      await page.setViewportSize({ width: 360, height: 740 });
      // The chart follows when the browser has told it.
      await until(`${path} is as narrow as a phone`, async () => (await tooWide(page)) === 0);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("heading", { name: "开销实验 1" }).waitFor();
    await page.getByRole("row", { name: /^中位数/ }).waitFor();
  },
);

test.skipIf(without)(
  "a long one is cancelled from the page; a viewer sees it but no action; what is not there and a lost coordinator are said",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
    await using open = await openConsole(cluster);
    const { page, url } = open;
    await page.goto(`${url}/overhead/7`);
    await page.getByText("there is no experiment 7").waitFor();
    await cluster.client.request("overheadStart", { hosts: ["amun", "ipc256"], runs: 4, n: 46 });
    await page.goto(`${url}/overhead`);
    await page.getByRole("status").getByText("Run 1 of 4: amun").waitFor();
    expect(await page.getByRole("button", { name: "Start the experiment" }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);

    await page.goto(`${url}/people`);
    await page.getByLabel("Role", { exact: true }).first().selectOption("viewer");
    await page.getByRole("button", { name: "Make a one-time link" }).click();
    const invitation = await page.getByRole("dialog").locator("pre").innerText();
    const viewer = await (await open.browser.newContext({ locale: "en-GB" })).newPage();
    await viewer.goto(invitation);
    await viewer.getByLabel("Name", { exact: true }).fill("vic");
    await viewer.getByLabel("Password").fill(PASSWORD);
    await viewer.getByRole("button", { name: "Begin" }).click();
    await viewer.getByRole("link", { name: "Overhead" }).click();
    await viewer.getByRole("status").getByText("Run 1 of 4: amun").waitFor();
    for (const action of ["Cancel the experiment", "Start the experiment"])
      expect(await viewer.getByRole("button", { name: action }).count()).toBe(0);

    await page.goto(`${url}/overhead/1`);
    await page.getByRole("button", { name: "Cancel the experiment" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the experiment" }).click();
    await page.getByText("Cancelled", { exact: true }).waitFor();
    await until("its processes have ended", async () => (await cluster.ps(null, false)).length === 0);
    await viewer.getByRole("cell", { name: "Cancelled" }).waitFor();
    await cluster.killCoordinator();
    await page.getByRole("link", { name: "All experiments" }).click();
    await page.getByText("The coordinator does not answer").waitFor();
  },
);
