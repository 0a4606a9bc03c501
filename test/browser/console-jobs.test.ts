// Jobs in the console, in a real Chromium against live agents: submitting a sweep, its parts, what they wrote, trying again, submitting again.
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { Cluster, moduleOf, until } from "../cluster.ts";
import { unmovable } from "../unmovable.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, openConsole, SPIN, submit } from "./console-stage.ts";

const without = withoutChromium("jobs in the console");

/** Prints a picture, writes a table, and one of its parts fails. Reads a file when there is one. */
const RENDER = `#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v) {
  int n = atoi(v[1]);
  printf("P3\\n2 1\\n255\\n255 0 0 0 0 %d\\n", n);
  FILE *f = fopen("table.csv", "w");
  fprintf(f, "part,note\\n%d,\\"a, b\\"\\n", n);
  fclose(f);
  FILE *in = fopen("scene.txt", "r");
  char word[20] = "no scene";
  if (in) { fgets(word, 20, in); fclose(in); }
  fprintf(stderr, "%s %s\\n", word, c > 2 ? v[2] : "");
  return n == 3 ? 3 : 0;
}`;

beforeAll(ensureConsole);

const file = (name: string, text: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
const command = (page: Page) => page.getByRole("region", { name: /^Part \d+$/ }).locator("pre");

test.skipIf(without)(
  "a sweep is put together with a preview, its parts are looked into, those that failed run again, and the job is submitted again",
  async () => {
    await using cluster = await Cluster.start({ agents: { amun: 2 } });
    await using open = await openConsole(cluster);
    const { page } = open;
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("button", { name: "Submit a job" }).click();
    await page.getByLabel(/^Drop a/).setInputFiles([file("render.c", RENDER), file("scene.txt", "moonlight\n")]);
    await page.getByText("scene.txt").waitFor();
    await page.getByRole("button", { name: "Add a parameter" }).click();
    expect(await page.getByLabel("Arguments").inputValue()).toBe("{n}");
    await page.getByLabel("Values").fill("1..");
    await page.getByLabel("Values").fill("5..1:1");
    await page.getByText("n: values are a range").waitFor();
    await page.getByLabel("Values").fill("1..5");
    await page.getByLabel("Arguments").fill("{n:02}");
    await page.getByText("Parts: 5").waitFor();
    expect(await page.locator(".preview pre").innerText()).toBe(
      ["render.c 01", "render.c 02", "render.c 03", "render.c 04", "…", "render.c 05"].join("\n"),
    );
    await page.getByRole("button", { name: "Run 5 parts" }).click();
    await page.getByRole("heading", { name: "render.c · j1" }).waitFor();
    await page.getByText("5 of 5").waitFor();
    await page.getByText("1 failed", { exact: false }).first().waitFor();

    await page.getByRole("option", { name: "Part 3 · Failed" }).click();
    await page.getByRole("heading", { name: "Part 3", exact: true }).waitFor();
    expect(page.url()).toMatch(/\/jobs\/1\?part=3$/);
    expect(await command(page).innerText()).toBe("render.c 03");
    await page.getByRole("region", { name: "Part" }).getByText("Exit status 3").waitFor();
    await page.getByLabel("Output", { exact: true }).first().selectOption("2");
    await page.getByText("moonlight").waitFor();

    await page.getByRole("button", { name: "Look at table.csv" }).click();
    await page.getByRole("cell", { name: "a, b" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.getByRole("option", { name: "Part 4 · Done" }).click();
    await page.getByRole("heading", { name: "Part 4", exact: true }).waitFor();
    await page.getByLabel("Output", { exact: true }).first().selectOption("1");
    await page.getByRole("button", { name: "As a picture" }).click();
    const drawn = await page
      .getByRole("dialog")
      .locator("canvas")
      .evaluate((canvas: HTMLCanvasElement) => [...(canvas.getContext("2d")?.getImageData(0, 0, 2, 1).data ?? [])]);
    expect(drawn).toEqual([255, 0, 0, 255, 0, 0, 4, 255]);
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

    await page.getByRole("button", { name: "Run failed parts again (1)" }).click();
    await until("it has begun anew", async () => {
      const [part] = (await cluster.client.request("parts", { job: 1, after: 2 })).slice(0, 1);
      return part?.tries === 2 && part.state === "failed";
    });
    await page.getByRole("button", { name: "Failed: 1" }).click();
    await page.getByRole("button", { name: "Run the part again" }).waitFor();

    // Again, with other values: the stored program, the same files.
    await page.getByRole("button", { name: "Submit again" }).click();
    const dialog = page.getByRole("dialog", { name: "Submit j1 again" });
    await dialog.getByText("the program of that job").waitFor();
    expect(await dialog.getByLabel("Arguments").inputValue()).toBe("{n:02}");
    expect(await dialog.getByLabel("Values").inputValue()).toBe("1..5");
    await dialog.getByLabel("Values").fill("7");
    await dialog.getByRole("button", { name: "Run it" }).click();
    await page.getByRole("heading", { name: "render.c · j2" }).waitFor();
    await page.getByText("1 of 1").waitFor();
    const [ended] = await cluster.client.request("parts", { job: 2, after: 0 });
    expect(ended).toMatchObject({ state: "done", stderrBytes: "moonlight\n \n".length });
  },
);

test.skipIf(without)(
  "a job file that is dropped with its program fills the form; one with a mistake is refused with what and where",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page } = open;
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("heading", { name: "No jobs yet" }).waitFor();
    const job = {
      program: "render.c",
      name: "from a file",
      args: ["{n}", "{who}"],
      sets: [
        { n: 1, who: "ada" },
        { n: 2, who: "bob" },
      ],
    };
    // Dropped on the page itself, as from a folder.
    const dropped = await page.evaluateHandle(
      ([program, jobFile]) => {
        const data = new DataTransfer();
        data.items.add(new File([program ?? ""], "render.c"));
        data.items.add(new File([jobFile ?? ""], "job.json"));
        return data;
      },
      [RENDER, JSON.stringify({ ...job, memoryMiB: 64 })],
    );
    await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
    await page.getByText("Parts: 2").waitFor();
    expect(await page.locator(".preview pre").innerText()).toBe("render.c 1 ada\nrender.c 2 bob");
    await page.getByText("A table of 2 sets: n, who").waitFor();
    await page
      .getByLabel(/^Drop a/)
      .setInputFiles([file("bad.json", '{ "program": "a.c", "args": ["{x}"], "parameters": { "n": "1..3" } }')]);
    await page.getByText("bad.json: args[0]: there is no parameter x").waitFor();
    await page.getByRole("button", { name: "Run 2 parts" }).click();
    await page.getByRole("heading", { name: "from a file · j1" }).waitFor();
    await page.getByText("2 of 2").waitFor();
    expect((await cluster.client.request("job", { job: 1 })).name).toBe("from a file");
  },
);

test.skipIf(without)(
  "parts are walked by keyboard, why they wait is said, a host's week is shown; axe finds nothing, and a phone is wide enough",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page, url } = open;
    await submit(page, "spin.c", SPIN, "1000000");
    await page.getByRole("button", { name: "Submit again" }).click();
    await page.getByLabel("Arguments").fill("{n}000");
    await page.getByRole("button", { name: "Add a parameter" }).click();
    await page.getByLabel("Values").fill("1..2000");
    await page.getByRole("button", { name: "Run 2,000 parts" }).click();
    await page.getByRole("heading", { name: "spin.c · j2" }).waitFor();
    await page.getByText("every core that computes now is taken (1)").waitFor();
    const grid = page.getByRole("listbox", { name: "Parts" });
    // Only those in sight exist.
    expect(await grid.getByRole("option").count()).toBeLessThan(1500);
    await grid.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Part 1,999", exact: true }).waitFor();
    const active = await grid.getAttribute("aria-activedescendant");
    expect(await page.locator(`[id="${active}"]`).getAttribute("aria-label")).toBe("Part 1,999 · Queued");
    await page.getByRole("button", { name: "Cancel the part" }).click();
    await page.getByRole("option", { name: "Part 1,999 · Cancelled" }).waitFor();
    await page.getByRole("button", { name: "Run the part again" }).waitFor();

    const found: string[] = [];
    const check = async (what: string): Promise<void> => {
      found.push(...(await violationsOf(page, what)));
    };
    await check("job");
    await page.getByRole("button", { name: "Submit again" }).click();
    await page.getByText("Name, limits, hosts, environment").click();
    await check("form");
    await page.getByLabel("Values").fill("");
    await check("form with a mistake");
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    // By now something is known of the host's week.
    await page.goto(`${url}/hosts/amun`);
    await page.getByRole("table", { name: "Hours of the week: Computing" }).waitFor();
    const [cell = ""] = await page
      .locator(".week td[title*='Computing']")
      .evaluateAll((cells) => cells.map((one) => one.getAttribute("title") ?? ""));
    expect(cell).toMatch(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+:00 · Computing \d+\s?%/);
    await check("host");
    await page.setViewportSize({ width: 360, height: 740 });
    const narrow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(narrow).toBe(0);
    await page.goto(`${url}/jobs/2`);
    await page.getByRole("button", { name: "Submit again" }).click();
    await page.getByText("Name, limits, hosts, environment").click();
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await wide()).toBe(0);
    const inside = await page.getByRole("dialog").evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth);
    const widest = await page
      .getByRole("dialog")
      .evaluate((dialog) =>
        [...dialog.querySelectorAll("*")]
          .filter((one) => one.getBoundingClientRect().right > dialog.getBoundingClientRect().right)
          .map((one) => one.outerHTML.slice(0, 90)),
      );
    expect([inside, widest]).toEqual([0, []]);
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    expect(await wide()).toBe(0);
    expect(found).toEqual([]);
  },
);

/** Prints the file that it is told of. */
const SHOW = `#include <stdio.h>
int main(int c, char **v) {
  char text[100] = "nothing";
  FILE *in = fopen(v[1], "r");
  if (in) fgets(text, 100, in);
  printf("%s holds %s\\n", v[1], text);
  return 0;
}`;

test.skipIf(without)(
  "files are dropped for a part each; what is wrong with the sweep is said in Chinese where the page is Chinese",
  async () => {
    await using cluster = await Cluster.start({ agents: { amun: 2 } });
    await using open = await openConsole(cluster);
    const { page } = open;
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("button", { name: "Submit a job" }).click();
    const drop = () => page.getByLabel(/^Drop /);
    await drop().setInputFiles([file("show.c", SHOW), file("common.txt", "for all")]);
    const scenes = ["dawn", "noon", "dusk", "night", "moon", "stars", "clouds"];
    await page
      .getByLabel("A part for each of these files:")
      .setInputFiles(scenes.map((name) => file(`${name}.txt`, `the ${name}`)));
    await page.getByText("Parts: 7").waitFor();
    expect(await page.getByLabel("Arguments").inputValue()).toBe("{file}");
    await page.getByText("Of each part its own: {file}").waitFor();
    await page.getByLabel("Leave out stars.txt").click();
    await page.getByText("Files of parts {file}: part 6: there is no file stars.txt").waitFor();
    await page.getByLabel("A part for each of these files:").setInputFiles([file("stars.txt", "the stars")]);
    await page.getByRole("button", { name: "Run 7 parts" }).click();
    await page.getByRole("heading", { name: "show.c · j1" }).waitFor();
    await page.getByText("7 of 7").waitFor();
    await page.getByRole("option", { name: "Part 6 · Done" }).click();
    await page.getByText("stars.txt holds the stars").waitFor();
    await page.getByText("Input files of its own: stars.txt (9 B)").waitFor();
    expect(Object.keys((await page.request.get(`${open.url}/api/jobs/1`).then((one) => one.json())).inputs)).toEqual([
      "common.txt",
    ]);

    // Again, with the files of the earlier job, and a parameter of another name.
    await page.getByRole("button", { name: "Submit again" }).click();
    await page.getByLabel("Parameter").fill("scene");
    await page.getByLabel("Arguments").fill("{scene}");
    await page.getByLabel("Values").fill("moon.txt,dawn.txt");
    await page.getByRole("button", { name: "Run 2 parts" }).click();
    await page.getByRole("heading", { name: "show.c · j2" }).waitFor();
    await page.getByRole("option", { name: "Part 1 · Done" }).click();
    await page.getByText("moon.txt holds the moon").waitFor();

    await page.getByLabel("Language").selectOption("zh");
    await page.getByRole("button", { name: "再次提交…" }).click();
    const preview = page.locator(".preview");
    await page.getByLabel("取值").fill("none.txt");
    await preview.getByText("各部分的文件 {scene}: 第 1 部分：没有文件 none.txt").waitFor();
    await page.getByLabel("参数", { exact: true }).fill("{m}");
    await preview.getByText("参数 1: 没有参数 m；要让程序看到 {m}，请写 {{m}}").waitFor();
    expect(await preview.innerText()).not.toMatch(/[a-z]{3} [a-z]{3}/);
    await page.getByLabel("取值").fill("1..5:-1");
    await preview.getByText("scene：取值为范围").waitFor();
    expect(await violationsOf(page, "the form")).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "关闭" }).click();
    // What the coordinator refuses is said by its code; its own sentence stands behind.
    await page.goto(`${open.url}/jobs/99`);
    const alert = page.getByRole("alert");
    await alert.getByText("没有此作业。").waitFor();
    expect(await alert.locator("[lang=en]").innerText()).toBe("there is no job 99");
  },
);

test.skipIf(without)(
  "a program that cannot be moved is refused with what can be done, runs when asked to, and again from its job",
  async () => {
    await using cluster = await Cluster.start({ agents: ["amun"] });
    await using open = await openConsole(cluster);
    const { page } = open;
    await page.goto(`${open.url}/jobs`);
    await page.getByRole("button", { name: "Submit a job" }).click();
    const bytes = Buffer.from(unmovable(await moduleOf("hello")));
    await page.getByLabel(/^Drop a/).setInputFiles([{ name: "hello.wasm", mimeType: "application/wasm", buffer: bytes }]);
    await page.getByRole("dialog").getByRole("button", { name: "Run it", exact: true }).click();
    await page.getByText(/mutable global of type externref/).waitFor();
    await page.getByText(/--pin \(in the console/).waitFor();
    await page.getByText("Name, limits, hosts, environment").click();
    await page.getByLabel("Run it even if it cannot be moved").check();
    await page.getByRole("dialog").getByRole("button", { name: "Run it", exact: true }).click();
    await page.getByText(/^Stays on its host and begins anew .* externref$/).waitFor();
    await page.getByText("Done", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Submit again" }).click();
    await page.getByText("Name, limits, hosts, environment").click();
    expect(await page.getByLabel("Run it even if it cannot be moved").isChecked()).toBe(true);
  },
);
