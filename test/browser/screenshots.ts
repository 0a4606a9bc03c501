// `npm run screenshots`: pictures of every page of the console, taken of a live cluster at work, into docs/screenshots/; with names behind --, of
// those only, and without experiments where none of theirs is among them.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Params } from "@nightshift/coordinator/protocol";
import { HOUR_MS, openSqlite } from "@nightshift/coordinator/store";
import { Cluster, delay, until } from "../cluster.ts";
import { ensureConsole, openConsole, SPIN, submit } from "./console-stage.ts";

const FOLDER = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
/** For samples to gather into lines. */
const WORKING_MS = 40_000;

/** A frame that takes some seconds, as a pixmap; some of them fail. */
const RENDER = `#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  int frame = atoi(argv[1]);
  printf("P6\\n160 100\\n255\\n");
  for (int y = 0; y < 100; y++)
    for (int x = 0; x < 160; x++) {
      double a = x / 60.0 - 1.7, b = y / 50.0 - 1, u = 0, v = 0;
      int n = 0;
      for (int again = 0; again < 60; again++)
        for (u = v = n = 0; u * u + v * v < 4 && n < 250; n++) { double w = u * u - v * v + a; v = 2 * u * v + b + frame / 1e4; u = w; }
      putchar(n); putchar(n / 2); putchar(255 - n);
    }
  if (frame % 23 == 7) { fprintf(stderr, "no scene for frame %d\\n", frame); return 2; }
  FILE *f = fopen("statistics.csv", "w");
  fprintf(f, "frame,pixels\\n%d,16000\\n", frame);
  return fclose(f);
}
`;

/** Four weeks of an office PC, made up: its owner is there by day, from Monday to Friday. */
function madeUpWeeks(host: string): void {
  const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
  const now = Date.now();
  const hours = Array.from({ length: 28 * 24 - 1 }, (_, back) => {
    const at = now - (now % HOUR_MS) - (back + 1) * HOUR_MS;
    const date = new Date(at);
    const works = date.getDay() % 6 !== 0 && date.getHours() >= 8 && date.getHours() < 18;
    const owner = Math.round(works ? HOUR_MS * (0.7 + 0.25 * Math.sin(back)) : 0);
    const computing = Math.round((HOUR_MS - owner) * (0.75 + 0.24 * Math.cos(date.getHours())));
    return { host, at, owner, computing, idle: HOUR_MS - owner - computing, paused: 0 };
  });
  store.usages.add(hours, now);
  store.close();
}

/** The kernels of docs/PERFORMANCE.md, as who measured them there would have sent them. */
function measuredKernels(): Params<"measurementSend"> {
  const report = readFileSync(new URL("../../docs/PERFORMANCE.md", import.meta.url), "utf8");
  const row = /^\| (\S+) \| ([\d.]+) s \| ([\d.]+) s \| ([\d.]+) s \| .* \| ([\d.]+) KiB \| ([\d.]+) KiB \|$/gm;
  const programs = [...report.matchAll(row)].map(([, name = "", ...figures]) => {
    const [native = 0, plainWasm = 0, migratable = 0, plain = 0, made = 0] = figures.map(Number);
    return {
      name,
      native,
      plainWasm,
      migratable,
      plainBytes: Math.round(plain * 1024),
      migratableBytes: Math.round(made * 1024),
    };
  });
  const [, rounds = "5", cores, cpuModel = "", platform = "", node = ""] =
    /^## The kernels\n\n.+`npm run bench -- \w+(?: --runs \d+)?(?: --rounds (\d+))?` on (\d+) cores of (.+), (.+), Node (\S+)\.$/m.exec(
      report,
    ) ?? [];
  return {
    machine: { name: "amun", cpuModel, cores: Number(cores), platform, node },
    rounds: Number(rounds),
    quick: false,
    programs,
  };
}

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const experiments = ["overhead", "overhead-report-dark", "overhead-print", "overhead-phone", "overhead-chinese"].some(isWanted);
mkdirSync(FOLDER, { recursive: true });
await ensureConsole();
await using cluster = await Cluster.start({
  agents: { amun: 4, ipc256: 2, "library-1": 2, "library-2": 2, "lab-8": 1, "lab-9": 1 },
});
await using open = await openConsole(cluster, { colorScheme: "light" });
const { page, url } = open;
const shoot = async (name: string): Promise<void> => {
  if (!isWanted(name)) return;
  await page.waitForTimeout(600);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  console.log(name);
};
const go = async (path: string, heading: string): Promise<void> => {
  await page.goto(url + path);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
};
const client = cluster.client;
const hosts = await client.request("hosts", {});
for (const { id, name } of hosts) {
  const tags = name.startsWith("lib") ? ["library"] : name.startsWith("lab") ? ["lab"] : ["office"];
  await page.evaluate(
    async ({ id, tags }) => {
      const { signedIn } = await (await fetch("/api/session")).json();
      const headers = { "content-type": "application/json", "x-csrf-token": signedIn.csrf };
      await fetch(`/api/hosts/${id}`, { method: "PATCH", headers, body: JSON.stringify({ tags }) });
    },
    { id, tags },
  );
}
const policy = (scope: string, locked: object, defaults: object = {}) =>
  client.request("policySet", { scope, document: { version: 1, by: "Example IT", locked, defaults }, preview: false });
// Nobody sits at these agents' machines: behind an open screen they pause as beside an owner.
await policy("host:library-2", { mode: "locked" });
await policy("tag:office", { batteryAbovePercent: 100 }, { idleAfterSeconds: 300 });
await policy("tag:office", { batteryAbovePercent: 100, pauseInFullScreen: true }, { idleAfterSeconds: 300 });
// Before there is anything else to do: an experiment wants its hosts for itself. Large enough for the start not to be most
// of it, small enough for there to be a history.
const lab = ["lab-8", "lab-9"] as [string, string];
if (experiments) {
  for (const runs of [1, 2, 3]) {
    const { id } = await client.request("overheadStart", { hosts: lab, runs, n: 36 });
    await until("it is measured", async () => (await client.request("overheadShow", { id })).state === "done", 120_000);
  }
  await client.request("overheadStart", { hosts: lab, runs: 4, n: 36 });
  await go("/overhead", "Overhead");
  await page.getByText("Run 2 of 4: lab-8", { exact: true }).waitFor({ timeout: 120_000 });
  await shoot("overhead");
  await page.emulateMedia({ colorScheme: "dark" });
  await go("/overhead/3", "Overhead experiment 3");
  await shoot("overhead-report-dark");
  await page.emulateMedia({ colorScheme: "light", media: "print" });
  await shoot("overhead-print");
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 360, height: 740 });
  await shoot("overhead-phone");
  await page.setViewportSize({ width: 1440, height: 900 });
}
const { id: measurement } = await client.request("measurementSend", measuredKernels());
await go(`/overhead/measurements/${measurement}`, `Measurement ${measurement} on amun`);
await page.getByRole("row", { name: "wordcount" }).waitFor();
await shoot("measurement");
if (experiments) await client.request("overheadCancel", { id: 4 });
await until("nothing runs", async () => (await cluster.ps(null, false)).length === 0);
await submit(page, "spin.c", SPIN, "60000 15");
const spinning = page.url();
await delay(WORKING_MS);
await shoot("job");
await go("/", "Cluster");
await shoot("cluster");
await page.emulateMedia({ colorScheme: "dark" });
await page.getByRole("application").focus();
await page.keyboard.press("ArrowRight");
await page.keyboard.press("Enter");
await shoot("cluster-dark");
await page.emulateMedia({ colorScheme: "light" });
await go("/jobs", "Jobs");
await page.getByRole("button", { name: "Submit a job" }).click();
await page.getByLabel(/^Drop a/).setInputFiles({ name: "render.c", mimeType: "text/plain", buffer: Buffer.from(RENDER) });
await page.getByRole("button", { name: "Add a parameter" }).click();
await page.getByLabel("Parameter").fill("frame");
await page.getByLabel("Values").fill("1..400");
await page.getByLabel("Arguments").fill("{frame:03}");
await page.getByText("Parts: 400").waitFor();
await shoot("submit");
// Its forks are on every core, and what waits begins only where one is free.
await client.request("cancel", { pid: null, job: Number(/\/jobs\/(\d+)/.exec(spinning)?.[1]) });
await page.getByRole("button", { name: "Run 400 parts" }).click();
await page.getByRole("heading", { name: /^render.c · j/ }).waitFor();
await page.getByRole("button", { name: /^Failed: [1-9]/ }).waitFor({ timeout: 120_000 });
await delay(WORKING_MS / 4);
await page.getByRole("button", { name: /^Failed: / }).click();
await shoot("job-parts");
await page.emulateMedia({ colorScheme: "dark" });
await go("/jobs", "Jobs");
await shoot("jobs-dark");
await page.emulateMedia({ colorScheme: "light" });
await client.request("hostChange", { host: "lab-8", change: { stay: true } });
await client.request("hostChange", { host: "lab-9", change: { block: true } });
await go("/hosts", "Hosts");
await page.getByRole("button", { name: "Columns" }).click();
for (const column of ["Orders", "Credit, 7 days"]) await page.getByLabel(column).check();
for (const column of ["Free memory", "System", "Version"]) await page.getByLabel(column).uncheck();
await shoot("hosts-columns");
await page.keyboard.press("Escape");
await page.getByRole("button", { name: "Credit, 7 days" }).click();
await shoot("hosts");
await go("/credit", "Credit");
await page.getByRole("cell", { name: "amun" }).waitFor();
await shoot("credit");
await go("/hosts", "Hosts");
madeUpWeeks(hosts.find(({ name }) => name === "amun")?.id ?? "");
await page.getByRole("link", { name: "amun" }).click();
await page.getByRole("heading", { name: "amun", level: 1 }).waitFor();
await page.getByRole("table", { name: /^Hours of the week/ }).scrollIntoViewIfNeeded();
await shoot("host");
await go("/policies?for=tag:office", "Policies");
await page.getByLabel("What the policy says: Cores while the owner is away (%)").selectOption("Locked");
await page.getByRole("spinbutton", { name: "Cores while the owner is away (%)" }).fill("75");
await page.getByText("It would hold for 2 hosts and change 2 of them.").waitFor();
await shoot("policies");
await page.emulateMedia({ colorScheme: "dark" });
await shoot("policies-dark");
await page.emulateMedia({ colorScheme: "light" });
const { link } = await client.request("tokenCreate", { scope: "host", ttlMs: 3600_000, uses: 9, approval: true });
cluster.hostLink = link;
await cluster.startAgent("reception-2", 4, ["--no-signals"], undefined, "pending");
await go("/join", "Enrolment");
await page.getByRole("button", { name: "Let in reception-2" }).waitFor();
await shoot("approval");
await page.getByRole("button", { name: "Make a join link" }).click();
await page.getByRole("img", { name: "The join link as a QR code" }).waitFor();
await shoot("join");
await go("/events", "Events");
await shoot("events");
await go("/people", "People");
await shoot("people");
await page.setViewportSize({ width: 360, height: 740 });
await go("/policies?for=tag:office", "Policies");
await shoot("policies-phone");
await go("/", "Cluster");
await shoot("cluster-phone");
await page.setViewportSize({ width: 1440, height: 900 });
await page.getByLabel("Language").selectOption("zh");
await page.getByRole("heading", { name: "集群", level: 1 }).waitFor();
await shoot("cluster-chinese");
await go("/hosts?sort=state", "主机");
await shoot("hosts-chinese");
await page.getByRole("link", { name: "library-2" }).click();
await page.getByRole("heading", { name: "library-2", level: 1 }).waitFor();
await shoot("host-chinese");
await go("/jobs", "作业");
await page.getByRole("button", { name: "提交作业" }).click();
const dropped = ["dawn.txt", "noon.txt", "dusk.txt"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(name) }));
await page.getByLabel(/^拖入/).setInputFiles({ name: "render.c", mimeType: "text/plain", buffer: Buffer.from(RENDER) });
await page.getByLabel("每个文件一个部分：").setInputFiles(dropped);
await page.getByLabel("参数", { exact: true }).fill("{file} {n}");
await shoot("submit-chinese");
await go("/policies?for=tag:office", "策略");
await shoot("policies-chinese");
if (experiments) {
  await go("/overhead/3", "开销实验 3");
  await shoot("overhead-chinese");
}
await page.getByRole("button", { name: "退出" }).click();
await page.getByLabel("Language").or(page.getByLabel("语言")).selectOption("en");
await page.getByRole("button", { name: "Sign in" }).waitFor();
await shoot("sign-in");
