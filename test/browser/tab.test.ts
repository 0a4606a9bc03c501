// A browser's tab as a host of a real cluster, beside a headless agent.
import type { StartOptions, TabStatus } from "@nightshift/agent-app/browser";
import { parseLink } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, moduleOf, Received, refusal, until } from "../cluster.ts";
import { unmovable } from "../unmovable.ts";
import { type Opened, openPage, withoutChromium } from "./chromium.ts";
import { computesOn, forks, goesThereAndBack } from "./there-and-back.ts";

interface Page {
  join(options: Omit<StartOptions, "device">): Promise<void>;
  pause(reason: string, keepMs: number): Promise<void>;
  resume(): Promise<void>;
  tabStatus(): TabStatus | undefined;
  keptProgram(hash: string): Promise<number | undefined>;
  keepProgram(hash: string, bytes: number, maxBytes: number): Promise<void>;
}

describe.skipIf(withoutChromium("a tab as a host"))("a tab as a host", () => {
  let cluster: Cluster;
  let opened: Opened;
  let tab = "";

  /** @returns the tab's name, when it has joined */
  const joined = async (): Promise<string> => {
    const options = { coordinator: parseLink(cluster.hostLink), slots: 1, paused: null };
    await opened.page.evaluate((it) => (globalThis as unknown as Page).join(it), options);
    const status = await until("the tab has joined", async () => {
      const now = await opened.page.evaluate(() => (globalThis as unknown as Page).tabStatus());
      return now?.connected ? now : undefined;
    });
    return status.name;
  };

  beforeAll(async () => {
    cluster = await Cluster.start({ agents: ["desk"] });
    opened = await openPage("tab", { isolated: true });
    tab = await joined();
  });
  afterAll(async () => {
    await opened?.close();
    await cluster?.close();
  });

  test("it is listed with its slot and a measured speed", async () => {
    const host = (await cluster.client.request("hosts", {})).find(({ name }) => name === tab);
    expect(host).toMatchObject({ online: true, paused: null, slots: 1 });
    expect(host?.speed).toBeGreaterThan(0);
  });

  test("a process goes from the headless agent to the tab and back while it runs, with the same output", () =>
    goesThereAndBack(cluster, tab));

  test("fork() in the tab: children run on both hosts", () => forks(cluster, tab));

  test("a program that recurses too deeply for a browser's stack goes on on the desktop", async () => {
    const args = ["2", "60000", "1"];
    const onDesk = await cluster.run("ackermann", args, { startOn: "desk", stay: true });
    const ended = await cluster.run("ackermann", args, { startOn: tab });
    expect(ended).toMatchObject({ stdout: onDesk.stdout, report: { kind: "exit", code: 0 } });
    expect(ended.info.restarts).toBe(1);
  });

  test("a program that cannot be moved waits for the desk, and never runs in the tab", async () => {
    const { program } = await cluster.prepared(unmovable(await moduleOf("hello")), true);
    const inTab = cluster.submit("hello", [], { program, startOn: tab });
    expect(await refusal(inTab)).toMatchObject({ code: "NS_HOST_UNAVAILABLE", message: expect.stringMatching(/browser/) });
    await cluster.control("desk", { command: "pause" });
    await until("the desk is seen to be paused", async () =>
      (await cluster.client.request("hosts", {})).some(({ name, paused }) => name === "desk" && paused !== null),
    );
    const submitted = await cluster.submit("hello", [], { program });
    const end = cluster.end(submitted);
    expect((await cluster.ps(submitted.job))[0]).toMatchObject({ state: "queued", host: null, pinned: true });
    await cluster.control("desk", { command: "resume" });
    expect((await end).report).toEqual({ kind: "exit", code: 0 });
    expect((await cluster.ps(submitted.job))[0]).toMatchObject({ host: "desk" });
  });

  test("paused, it computes nothing and its process goes on elsewhere; resumed, it is a host again", async () => {
    const submitted = await cluster.submit("steady-lines.c", ["300", "2000"], { startOn: tab });
    const end = cluster.end(submitted);
    await computesOn(cluster, submitted.job, tab);
    await opened.page.evaluate(() => (globalThis as unknown as Page).pause("you are here", 0));
    await computesOn(cluster, submitted.job, "desk");
    // Its last word may still be on its way.
    await until("the tab says that it computes nothing", async () => {
      const now = await opened.page.evaluate(() => (globalThis as unknown as Page).tabStatus());
      return now?.paused === "you are here" && now.running === 0;
    });
    expect(await end).toMatchObject({ stdout: (await local("steady-lines.c", ["300", "2000"])).out });
    await opened.page.evaluate(() => (globalThis as unknown as Page).resume());
    await until("it is usable", async () =>
      (await cluster.client.request("hosts", {})).some((host) => host.name === tab && host.paused === null),
    );
  });

  test("programs stay in the browser, a damaged one is fetched again, and the oldest make room", async () => {
    const kept = (hash: string) => opened.page.evaluate((it) => (globalThis as unknown as Page).keptProgram(it), hash);
    const keep = (...args: [string, number, number]) =>
      opened.page.evaluate((it) => (globalThis as unknown as Page).keepProgram(...it), args);
    const program = await cluster.program("hello");
    const runs = () => cluster.run("hello", [], { startOn: tab, stay: true });
    const first = await runs();
    await until("it is kept", async () => ((await kept(program)) ?? 0) > 1000);
    await keep(program, 5, 2 ** 20);
    await opened.page.reload();
    await opened.page.waitForFunction(() => "ready" in globalThis);
    await joined();
    expect(await runs()).toMatchObject({ stdout: first.stdout, report: { kind: "exit", code: 0 } });
    await until("it is whole again", async () => ((await kept(program)) ?? 0) > 1000);
    await keep("a", 600, 1000);
    expect([await kept(program), await kept("a")]).toEqual([undefined, 600]);
    await keep("b", 300, 1000);
    await kept("a"); // has been used after b
    await keep("c", 400, 1000);
    expect([await kept("a"), await kept("b"), await kept("c")]).toEqual([600, undefined, 400]);
    await keep("d", 1001, 1000);
    expect([await kept("a"), await kept("d")]).toEqual([600, undefined]);
  });

  test("the tab is the same host when it comes back", async () => {
    await opened.page.reload();
    await opened.page.waitForFunction(() => "ready" in globalThis);
    expect(await joined()).toBe(tab);
    expect((await cluster.client.request("hosts", {})).filter(({ online }) => online)).toHaveLength(2);
  });

  test("the tab is closed in the middle of a run: nothing is lost", async () => {
    const args = ["400", "3000"];
    const submitted = await cluster.submit("steady-lines.c", args, { startOn: tab });
    const received = new Received();
    const end = cluster.end(submitted, received);
    await computesOn(cluster, submitted.job, tab);
    await until("it prints", () => received.bytes[1] > 500);
    await opened.page.close();
    const ended = await end;
    expect(ended).toMatchObject({ stdout: (await local("steady-lines.c", args)).out, report: { kind: "exit", code: 0 } });
    expect(ended.info.restarts).toBeGreaterThan(0);
  });
});
