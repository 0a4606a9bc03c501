// A tab whose network swallows everything from one moment to the next, as when a cable is pulled behind the next switch: nothing is told, and every
// connection stays open. And one whose computer sleeps.

import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, Received, until } from "../cluster.ts";
import { launchChromium, withoutChromium } from "./chromium.ts";
import { computesOn } from "./there-and-back.ts";

/** The way between a page and a coordinator. What goes over a connection that was made while it was dead, or before, is lost for good. */
class Wire {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private dead = false;
  made = 0;

  constructor(port: number) {
    this.server = createServer((near) => {
      this.made++;
      const far = this.dead ? undefined : connect(port, "127.0.0.1");
      for (const socket of [near, far]) {
        if (!socket) continue;
        this.sockets.add(socket);
        socket.on("error", () => undefined).on("close", () => this.sockets.delete(socket));
      }
      if (!far) return void near.resume();
      near.pipe(far).pipe(near);
    }).listen(0, "127.0.0.1");
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  cut(): void {
    this.dead = true;
    for (const socket of this.sockets) socket.unpipe().removeAllListeners("end").resume();
  }
  mend(): void {
    this.dead = false;
  }
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

describe.skipIf(withoutChromium("a tab without a network"))("a tab without a network", () => {
  let cluster: Cluster;
  let wire: Wire;
  let browser: Browser;
  let page: Page;
  let tab = "";
  const says = (expected: RegExp) =>
    until(`the page says ${expected}`, async () => expected.test(await page.locator("main").innerText()));
  const online = async () => (await cluster.client.request("hosts", {})).some((host) => host.name === tab && host.online);

  beforeAll(async () => {
    if (await isConsoleOutdated()) await buildConsole();
    cluster = await Cluster.start({ agents: ["desk"] });
    wire = new Wire(cluster.port);
    browser = await launchChromium();
    page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    await page.goto(`http://127.0.0.1:${wire.port}/lend/${new URL(cluster.hostLink).hash}`);
    await page.getByLabel("Whenever this page is open").check();
    await page.getByRole("slider").fill("1");
    await page.getByRole("button", { name: "Lend it" }).click();
    await says(/^Ready/m);
    tab = (await cluster.client.request("hosts", {})).find(({ name }) => name !== "desk")?.name ?? "";
  });
  afterAll(async () => {
    await browser?.close();
    wire?.close();
    await cluster?.close();
  });

  test("it notices the silence while its process goes on elsewhere, and is a host again over a new connection", async () => {
    const args = ["600", "2000"];
    const { out } = await local("steady-lines.c", args); // beforehand: this thread hears nothing of the cluster while it computes
    const submitted = await cluster.submit("steady-lines.c", args, { startOn: tab, stay: true });
    const received = new Received();
    const end = cluster.end(submitted, received);
    await computesOn(cluster, submitted.job, tab);
    await until("it prints", () => received.bytes[1] > 500);
    wire.cut();
    await says(/^Not connected$/m);
    await computesOn(cluster, submitted.job, "desk");
    wire.mend();
    await says(/is lent to/);
    await until("the coordinator has it as a host", online);
    expect(await end).toMatchObject({ stdout: out, report: { kind: "exit", code: 0 } });
    expect((await cluster.run("hello", [], { startOn: tab, stay: true })).report).toEqual({ kind: "exit", code: 0 });
  });

  test("the computer sleeps in the middle of a run, and is a host again when it wakes", async () => {
    const args = ["600", "2000"];
    const { out } = await local("steady-lines.c", args);
    const submitted = await cluster.submit("steady-lines.c", args, { startOn: tab, stay: true });
    const received = new Received();
    const end = cluster.end(submitted, received);
    await computesOn(cluster, submitted.job, tab);
    await until("it prints", () => received.bytes[1] > 500);
    const devtools = await browser.newBrowserCDPSession();
    const pids = (await devtools.send("SystemInfo.getProcessInfo")).processInfo.map(({ id }) => id);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      await computesOn(cluster, submitted.job, "desk");
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    await until("the coordinator has it as a host", online);
    await says(/is lent to/);
    expect(await end).toMatchObject({ stdout: out, report: { kind: "exit", code: 0 } });
    expect((await cluster.run("hello", [], { startOn: tab, stay: true })).report).toEqual({ kind: "exit", code: 0 });
  });

  test("where the browser notices that there is a network again it connects anew at once", async () => {
    const before = wire.made;
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await until("there is a new connection", () => wire.made > before);
    await says(/is lent to/);
    await until("the coordinator has it as a host", online);
  });
});
