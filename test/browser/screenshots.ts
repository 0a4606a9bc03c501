// `npm run screenshots`: pictures of every page of the console, taken of a live cluster at work, into docs/screenshots/.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Cluster, delay, until } from "../cluster.ts";
import { ensureConsole, openConsole, SPIN, submit } from "./console-stage.ts";

const FOLDER = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
/** For samples to gather into lines. */
const WORKING_MS = 40_000;

mkdirSync(FOLDER, { recursive: true });
await ensureConsole();
await using cluster = await Cluster.start({
  agents: { amun: 4, ipc256: 2, "library-1": 2, "library-2": 2, "lab-8": 1, "lab-9": 1 },
});
await using open = await openConsole(cluster, { colorScheme: "light" });
const { page, url } = open;
const shoot = async (name: string): Promise<void> => {
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
await client.request("overheadCancel", { id: 4 });
await until("nothing runs", async () => (await cluster.ps(null, false)).length === 0);
await submit(page, "spin.c", SPIN, "60000 15");
await delay(WORKING_MS);
await shoot("job");
await go("/", "Cluster");
await shoot("cluster");
await page.emulateMedia({ colorScheme: "dark" });
await page.getByRole("application").focus();
await page.keyboard.press("ArrowRight");
await page.keyboard.press("Enter");
await shoot("cluster-dark");
await go("/jobs", "Jobs");
await shoot("jobs-dark");
await page.emulateMedia({ colorScheme: "light" });
await page.getByRole("button", { name: "Submit a job" }).click();
await shoot("submit");
await go("/hosts", "Hosts");
await shoot("hosts");
await page.getByRole("link", { name: "amun" }).click();
await page.getByRole("heading", { name: "amun", level: 1 }).waitFor();
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
await go("/policies?for=tag:office", "策略");
await shoot("policies-chinese");
await go("/overhead/3", "开销实验 3");
await shoot("overhead-chinese");
await page.getByRole("button", { name: "退出" }).click();
await page.getByLabel("Language").or(page.getByLabel("语言")).selectOption("en");
await page.getByRole("button", { name: "Sign in" }).waitFor();
await shoot("sign-in");
