// The console in a real Chromium against a live cluster, for tests and for the pictures in docs/: builds it when it is out of date, opens it,
// signs the first administrator in. Owns the browser; the cluster is the caller's.
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Cluster } from "../cluster.ts";
import { launchChromium } from "./chromium.ts";

export const PASSWORD = "correct horse battery";

/** Computes for long and says how far it is; forks so many others first. */
export const SPIN = `#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int others = argc > 2 ? atoi(argv[2]) : 0;
  for (int i = 0; i < others; i++) if (fork() == 0) break;
  unsigned x = getpid();
  for (long turn = 0; turn < atol(argv[1]); turn++) {
    for (int i = 0; i < 1000000; i++) x = x * 1664525u + 1013904223u;
    if (turn % 100 == 0) { printf("process %d, turn %ld\\n", getpid(), turn); fflush(stdout); }
  }
  FILE *f = fopen("result.txt", "w");
  fprintf(f, "x is %u\\n", x);
  fclose(f);
  return 0;
}
`;

export interface OpenConsole extends AsyncDisposable {
  browser: Browser;
  page: Page;
  url: string;
}

/** To be called before the cluster starts: a coordinator serves what is built when it starts. */
export async function ensureConsole(): Promise<void> {
  if (await isConsoleOutdated()) await buildConsole();
}

/** Through the one-time link, as the first administrator does. Errors of the page are thrown at the end. */
export async function openConsole(cluster: Cluster, options: BrowserContextOptions = {}): Promise<OpenConsole> {
  const browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const errors: Error[] = [];
  page.on("pageerror", (error) => errors.push(error));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) errors.push(new Error(message.text()));
  });
  await page.goto(cluster.consoleUrl);
  await page.getByLabel("Name", { exact: true }).fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("heading", { name: "Cluster", level: 1 }).waitFor();
  return {
    browser,
    page,
    url: `http://127.0.0.1:${cluster.port}`,
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      if (errors.length > 0) throw errors[0];
    },
  };
}

/** Submits through the page, as somebody does who chooses a file. The job's page is shown then. */
export async function submit(page: Page, name: string, source: string, args: string): Promise<void> {
  await page.getByRole("link", { name: "Jobs" }).click();
  await page.getByRole("button", { name: "Submit a job" }).click();
  await page.getByLabel(/^Drop a/).setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(source) });
  await page.getByLabel("Arguments").fill(args);
  await page.getByRole("button", { name: "Run it" }).click();
  await page.getByRole("heading", { name: new RegExp(`^${name} · j`) }).waitFor();
}
