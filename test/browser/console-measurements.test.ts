// The console's figures of native : WebAssembly : migratable in a real Chromium, on a live coordinator that measurements are sent to.
import type { Params } from "@nightshift/coordinator/protocol";
import { beforeAll, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violations } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole } from "./console-stage.ts";

const without = withoutChromium("the measurements");

beforeAll(ensureConsole);

const sizes = { plainBytes: 1000, migratableBytes: 1600 };
const order = (name: string, more: Partial<Params<"measurementSend">> = {}): Params<"measurementSend"> => ({
  machine: { name, cpuModel: "Pentium 4", cores: 2, platform: "linux x64", node: "v24.21.0" },
  ...{ rounds: 5, quick: false },
  programs: [
    { name: "fft", native: 1, plainWasm: 1.25, migratable: 1.5, ...sizes },
    { name: "own.wasm", native: null, plainWasm: 2, migratable: 2.5, ...sizes },
  ],
  ...more,
});

test.skipIf(without)(
  "figures of each program are shown with bars and ratios, by machine, over time, linked to, printed and removed",
  async () => {
    await using cluster = await Cluster.start();
    await using open = await openConsole(cluster);
    const { page, url } = open;
    const send = (sent: Params<"measurementSend">) => cluster.client.request("measurementSend", sent);
    await page.getByRole("link", { name: "Overhead" }).click();
    await page.getByRole("heading", { name: "No measurements yet" }).waitFor();
    await page.getByText("nightshift bench kernels --send", { exact: true }).waitFor();
    await send(order("amun"));
    await send(order("amun", { quick: true }));
    await send(order("amun"));
    await send(order("ipc256", { programs: [{ name: "sort", native: null, plainWasm: 1, migratable: 1.1, ...sizes }] }));

    await page.reload();
    await page.getByRole("link", { name: /^Newest: ipc256, / }).waitFor();
    const history = page.getByRole("region", { name: "Native : WebAssembly : migratable" }).getByRole("row");
    expect(await history.count()).toBe(5);
    expect(await page.getByRole("figure").count()).toBe(0);
    await page.getByLabel("Machine").selectOption("amun");
    await page.getByRole("link", { name: /^Newest: amun, / }).waitFor();
    expect(new URL(page.url()).search).toBe("?machine=amun");
    expect(await history.count()).toBe(4);
    await page.getByText("too brief").waitFor();
    await page.getByRole("figure", { name: "Geometric means over time" }).waitFor();

    await history.getByRole("link", { name: "2", exact: true }).press("Enter");
    await page.getByRole("heading", { name: "Measurement 2 on amun", level: 1 }).waitFor();
    await page.getByText("Measured with --quick").waitFor();
    await page.goto(`${url}/overhead/measurements/1`);
    await page.getByRole("heading", { name: "Measurement 1 on amun", level: 1 }).waitFor();
    await page.getByText("Pentium 4 · 2 cores · linux x64 · Node v24.21.0 · medians of 5 rounds").waitFor();
    const cells = async (name: string) => (await page.getByRole("row", { name }).getByRole("cell").allInnerTexts()).slice(1);
    expect(await cells("fft")).toEqual(["1.00 s", "1.25 s", "1.50 s", "1 : 1.25 : 1.50", "+20%", "× 1.60"]);
    expect(await cells("own.wasm")).toEqual(["–", "2.00 s", "2.50 s", "– : 1 : 1.25", "+25%", "× 1.60"]);
    expect((await cells("Geometric mean")).slice(0, 2)).toEqual(["1 : 1.25 : 1.50", "+22.47%"]);
    const widths = await page
      .locator("tbody tr")
      .first()
      .locator(".bars i")
      .evaluateAll((bars) => bars.map((bar) => bar.clientWidth));
    expect(widths.map((width) => width / (widths[2] ?? 1))).toEqual([
      expect.closeTo(1 / 1.5, 1),
      expect.closeTo(1.25 / 1.5, 1),
      1,
    ]);

    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    expect(await page.getByRole("button", { name: "Print" }).isVisible()).toBe(false);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe("light");
    await page.emulateMedia({ media: "screen", colorScheme: "light" });

    for (const path of ["/overhead?machine=amun", "/overhead/measurements/1"]) {
      await page.goto(url + path);
      await page.getByRole("row", { name: "fft" }).waitFor();
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        expect([path, colorScheme, await violations(page)]).toEqual([path, colorScheme, []]);
      }
      await page.setViewportSize({ width: 360, height: 740 });
      await until(`${path} is as narrow as a phone`, () =>
        page.evaluate(() => document.documentElement.scrollWidth === document.documentElement.clientWidth),
      );
      await page.reload();
      await page.getByRole("row", { name: "fft" }).waitFor();
      const link = await page.getByRole("link", { name: "Overhead", exact: true }).boundingBox();
      expect(link && link.x >= 0 && link.x + link.width <= 344).toBe(true);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("heading", { name: "amun 上的测量 1" }).waitFor();
    await page.getByLabel("语言").selectOption("en");
    await page.getByRole("button", { name: "Remove the measurement" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove the measurement" }).click();
    await page.getByRole("heading", { name: "Overhead", level: 1 }).waitFor();
    await page.goto(`${url}/overhead/measurements/1`);
    await page.getByText("there is no measurement 1").waitFor();
  },
);
