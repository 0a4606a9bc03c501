// What goes wrong, as the console shows it: programs that fail, addresses of nothing, a coordinator that has fallen silent.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";
import { violationsOf } from "./axe.ts";
import { withoutChromium } from "./chromium.ts";
import { ensureConsole, type OpenConsole, openConsole, submit } from "./console-stage.ts";

/** Writes three million bytes, which begin as a picture does, and says that it has failed. */
const FAILS = `#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  volatile unsigned long k = 0;
  while (k < strtoul(argv[1], 0, 10)) k++;
  printf("P6\\n1000 1000\\n255\\n");
  for (int i = 0; i < 1000000; i++) fputs("abc", stdout);
  return 3;
}
`;

describe.skipIf(withoutChromium("what goes wrong, in the console"))("what goes wrong", () => {
  let cluster: Cluster;
  let opened: OpenConsole;
  beforeAll(async () => {
    await ensureConsole();
    cluster = await Cluster.start({ agents: ["amun"] });
    opened = await openConsole(cluster);
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await cluster?.close();
  });

  test("a program that says it failed looks so, is found so, and what it wrote is downloaded whole", async () => {
    const { page, url } = opened;
    await submit(page, "fails.c", FAILS, "1");
    await page.locator(".totals .state.failed", { hasText: "Exit status 3" }).waitFor();
    await page.getByRole("table", { name: "Process list" }).locator(".state.failed", { hasText: "Exit status 3" }).waitFor();
    await page.getByText("These are the last 128 KiB; the download has all of it.").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "As a picture" }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download" }).first().click(),
    ]);
    const written = readFileSync(await download.path(), "latin1");
    expect(written).toBe(`P6\n1000 1000\n255\n${"abc".repeat(1_000_000)}`);
    await page.getByRole("button", { name: "As a picture" }).click();
    expect(await page.getByRole("dialog").locator("canvas").getAttribute("width")).toBe("1000");
    await page.goto(`${url}/jobs?state=exited`);
    await page.getByText("Nothing matches").waitFor();
    await page.goto(`${url}/jobs?state=failed`);
    await page.getByRole("row", { name: /fails\.c/ }).waitFor();
  });

  test("a list of what runs is left by what has ended", async () => {
    const { page, url } = opened;
    await submit(page, "slow.c", FAILS, "200000000");
    await page.goto(`${url}/jobs?state=running`);
    await page.getByRole("row", { name: /slow\.c/ }).waitFor();
    await until("it has ended", async () => (await cluster.ps(null, false)).length === 0);
    await page.getByText("Nothing matches").waitFor();
  });

  test("an address of nothing is a page that says so; so is one of a job that is not there", async () => {
    const { page, url } = opened;
    const answer = await page.goto(`${url}/nowhere/at/all`);
    expect(answer?.status()).toBe(404);
    await page.getByRole("heading", { name: "There is nothing here", level: 1 }).waitFor();
    await page.goto(`${url}/jobs/abc`);
    await page.getByRole("heading", { name: "There is nothing here", level: 1 }).waitFor();
    await page.goto(`${url}/jobs/99`);
    await page.getByRole("heading", { name: "j99", level: 1 }).waitFor();
    await page.getByText(/there is no job 99/).waitFor();
    expect(await violationsOf(page, "a job that is not there")).toEqual([]);
  });

  test("what has happened to a host is on its page", async () => {
    const { page, url } = opened;
    await page.goto(`${url}/hosts`);
    await page.getByRole("link", { name: "amun" }).click();
    await page.getByRole("listitem").filter({ hasText: "host-joined" }).waitFor();
    await page.getByRole("link", { name: "All events" }).click();
    await page.getByRole("cell", { name: "host-joined" }).first().waitFor();
  });

  test("a coordinator that says nothing is noticed; what could not be asked is asked again", async () => {
    const { page } = opened;
    await page.getByText("Live", { exact: true }).waitFor();
    cluster.signalCoordinator("SIGSTOP");
    await page.getByText("Connection lost").waitFor({ timeout: 60_000 });
    cluster.signalCoordinator("SIGCONT");
    await page.getByText("Live", { exact: true }).waitFor();
    await cluster.killCoordinator();
    await page.getByText("Connection lost").waitFor();
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByText("The coordinator does not answer").waitFor();
    await cluster.startCoordinator();
    await page.getByRole("row", { name: /slow\.c/ }).waitFor({ timeout: 60_000 });
  });
});
