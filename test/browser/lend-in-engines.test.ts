// The join page in the other engines than Chromium's: Firefox, where its threads share memory and over plain http, where they do not, and WebKit, where they
// never do. What these browsers cannot tell is not offered. And that they open the console.
import { buildConsole, isConsoleOutdated } from "@nightshift/coordinator/console-build";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, Received, until } from "../cluster.ts";
import { type Driven, type Engine, inPage, type Tab, without } from "./driven.ts";
import { firefox, launchFirefox } from "./firefox.ts";
import { computesOn, forks, goesThereAndBack } from "./there-and-back.ts";
import { webkit } from "./webkit.ts";

/** Any name but localhost: what comes from there is not trusted. */
const NAME = "coordinator.office.test";

interface Way {
  how: string;
  engine: Engine;
  /** Of the coordinator, as the browser has it. */
  host: string;
  launch(): Promise<Driven>;
  /** What the page says of its speed and its way here. */
  note: RegExp | null;
}

const WAYS: Way[] = [
  { how: "Firefox", engine: firefox, host: "127.0.0.1", launch: firefox.launch, note: null },
  {
    how: "Firefox over plain http",
    engine: firefox,
    host: NAME,
    launch: () => launchFirefox({ "network.dns.localDomains": NAME }),
    note: /plain http/,
  },
  { how: "WebKit", engine: webkit, host: "127.0.0.1", launch: webkit.launch, note: /more slowly/ },
];

describe.each(WAYS)("the join page in $how", ({ how, engine, host, launch, note }) => {
  describe.skipIf(without(engine, `the join page in ${how}`))("", () => {
    let cluster: Cluster;
    let browser: Driven;
    let page: Tab;
    let tab = "";

    const says = (words: string): Promise<unknown> =>
      inPage(page, `it says ${words}`, (it) => document.querySelector(".words")?.textContent?.startsWith(it), words);
    const press = (button: string): Promise<void> =>
      page.evaluate(
        (it) => [...document.querySelectorAll("button")].find(({ textContent }) => textContent === it)?.click(),
        button,
      );
    const hosts = () => cluster.client.request("hosts", {});

    beforeAll(async () => {
      if (await isConsoleOutdated()) await buildConsole();
      // A tab that is closed has no time to say so: its lease ends.
      cluster = await Cluster.start({ agents: ["desk"], settings: { leaseMs: 5_000 } });
      browser = await launch();
      page = await browser.newTab();
      await page.goto(`http://${host}:${cluster.port}/lend/${new URL(cluster.hostLink).hash}`);
    });
    afterAll(async () => {
      await browser?.close();
      await cluster?.close();
    });

    test("it offers what it can keep, and says what it cannot tell", async () => {
      await inPage(page, "it asks", () => document.querySelector("form") !== null, undefined);
      const shown = await page.evaluate(() => ({
        isolated: crossOriginIsolated,
        note: document.querySelector('[role="note"]')?.textContent ?? null,
        disabled: [...document.querySelectorAll("input")].filter((input) => input.disabled).map((input) => input.value),
        checked: [...document.querySelectorAll("input")].filter((input) => input.checked).map((input) => input.value),
        choices: [...document.querySelectorAll<HTMLInputElement>("input[type=radio]")].map(({ value }) => value),
        hints: [...document.querySelectorAll("small")].map((hint) => hint.textContent),
      }));
      expect(shown).toMatchObject({ isolated: host !== NAME, disabled: ["away", "on"], checked: ["background"] });
      expect(shown.choices).toEqual(["away", "background", "untouched", "always"]);
      expect(shown.hints).toEqual([
        "This browser cannot tell whether you are away.",
        "This browser cannot tell whether this computer is charging.",
      ]);
      if (note) expect(shown.note).toMatch(note);
      else expect(shown.note).toBeNull();
    });

    test("lent, it is a host like any other", async () => {
      await page.evaluate(() => {
        document.querySelector<HTMLInputElement>("input[value=always]")?.click();
        (document.querySelector("#cores") as HTMLInputElement).value = "1";
      });
      await press("Lend it");
      await says("Ready");
      tab = (await hosts()).find(({ name }) => name !== "desk")?.name ?? "";
      const info = (await hosts()).find(({ name }) => name === tab);
      expect(info).toMatchObject({ online: true, slots: 1 });
      expect(info?.speed).toBeGreaterThan(0);
    });

    test("a process goes from the headless agent to the tab and back while it runs, with the same output", () =>
      goesThereAndBack(cluster, tab));

    test("fork() in the tab: children run on both hosts", () => forks(cluster, tab));

    if (how === "Firefox over plain http") return; // the rest is no different there

    test("the console opens too", async () => {
      const other = await browser.newTab();
      await other.goto(cluster.consoleUrl);
      await inPage(other, "one can choose a password", () => document.querySelector("input[type=password]") !== null, undefined);
      await other.close();
    });

    test("a program that recurses too deeply for the browser's stack goes on on the desktop", async () => {
      const args = ["2", "60000", "1"];
      const ended = await cluster.run("ackermann", args, { startOn: tab, stay: true });
      const onDesk = await cluster.run("ackermann", args, { startOn: "desk", stay: true });
      expect(ended).toMatchObject({ stdout: onDesk.stdout, report: { kind: "exit", code: 0 } });
      // WebKit's stack is large enough where it has compiled the program well by then.
      if (engine !== webkit) expect(ended.info.restarts).toBe(1);
    });

    test("paused by hand, it lets go of a process that only computes", async () => {
      const { job } = await cluster.submit("longloop", ["30000000000"], { startOn: tab, stay: true });
      await computesOn(cluster, job, tab);
      await press("Pause");
      await says("Paused");
      await computesOn(cluster, job, "desk");
      await cluster.client.request("cancel", { job, pid: null });
      await press("Go on");
      await until("it is usable", async () => (await hosts()).some(({ name, paused }) => name === tab && paused === null));
    });

    test("the tab is closed in the middle of a run: nothing is lost", async () => {
      const args = ["400", "3000"];
      const submitted = await cluster.submit("steady-lines.c", args, { startOn: tab, stay: true });
      const received = new Received();
      const end = cluster.end(submitted, received);
      await computesOn(cluster, submitted.job, tab);
      await until("it prints", () => received.bytes[1] > 500);
      await page.close();
      const ended = await end;
      expect(ended).toMatchObject({ stdout: (await local("steady-lines.c", args)).out, report: { kind: "exit", code: 0 } });
      expect(ended.info.restarts).toBeGreaterThan(0);
    });
  });
});
