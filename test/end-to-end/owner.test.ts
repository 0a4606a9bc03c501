import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Desktop, desktopMissing } from "@nightshift/coordinator/desktop";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, delay, local, until } from "../cluster.ts";

const missing = desktopMissing();
if (missing) console.log(`SKIPPED, the owner's return on a real desktop: ${missing}`);

/** Computes and prints for some seconds. */
const LONG = ["800", "3000"];
/** Short times, and nothing of this machine that could stand against computing but its owner. */
const SETTINGS = {
  mode: "idle",
  idleAfterSeconds: 2,
  startAfterSeconds: 0,
  graceSeconds: 2,
  busyAbovePercent: 100,
  memoryFreeAbovePercent: 0,
  diskFreeAboveMegabytes: 0,
  batteryAbovePercent: 0,
  coolBelowCelsius: 120,
  onMeteredNetwork: true,
};

// In CI nothing is skipped: there it fails when something is missing.
describe.skipIf(missing !== undefined && !process.env.CI)("an agent on a desktop whose owner comes and goes", () => {
  let cluster: Cluster;
  let desktop: Desktop;
  let expected: string;
  const folder = (): string => join(cluster.home, "agents", "amun");
  const settings = (more: object = {}): void => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), "settings.json"), JSON.stringify({ version: 1, settings: { ...SETTINGS, ...more } }));
  };
  const start = (...more: string[]): Promise<void> =>
    cluster.startAgent("amun", 1, ["--policy", join(cluster.home, "policy.json"), ...more], desktop.env);
  const host = async (name: string) => (await cluster.client.request("hosts", {})).find((one) => one.name === name);
  const usable = (): Promise<unknown> => until("amun computes", async () => (await host("amun"))?.paused === null);
  const where = async (job: number) => (await cluster.ps(job))[0];
  const running = (job: number, name: string): Promise<unknown> =>
    until(`job ${job} runs on ${name}`, async () => {
      const first = await where(job);
      return first?.state === "running" && first.host === name;
    });
  const status = async () => (await cluster.control("amun", { command: "status" })).status as Record<string, unknown>;

  beforeAll(async () => {
    expected = (await local("steady-lines.c", LONG)).out;
    desktop = await Desktop.start();
    cluster = await Cluster.start({ agents: ["ipc256"] });
    settings();
    await start();
  });
  afterAll(async () => {
    await cluster?.close();
    await desktop?.close();
  });

  test("input stops computing; the process waits, continues elsewhere after the grace time, and prints the same", async () => {
    await desktop.input();
    await until("amun sees the owner", async () => (await host("amun"))?.paused === "you are here");
    await usable();
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "amun", stay: true });
    await running(submitted.job, "amun");
    await until("it computes", async () => (await status()).running === 1);
    await desktop.input();
    await until("it computes no more", async () => (await status()).running === 0);
    expect(await status()).toMatchObject({ words: "Paused: you are here", reasons: [{ code: "owner-here" }] });
    expect(await where(submitted.job)).toMatchObject({ host: "amun", migrations: 0 });
    // The owner goes on working.
    const working = setInterval(() => void desktop.input("key", "a"), 300);
    try {
      await running(submitted.job, "ipc256");
    } finally {
      clearInterval(working);
    }
    const said = cluster.said("amun");
    expect(said.filter(({ event }) => event === "decided").map(({ code }) => code)).toContain("owner-here");
    console.log(`all processes stopped ${said.findLast(({ event }) => event === "stopped")?.ms} ms after the signal`);
    const ended = await cluster.end(submitted);
    expect(ended.report).toEqual({ kind: "exit", code: 0 });
    expect(ended.stdout).toBe(expected);
    await usable(); // as the owner has gone
  });

  test("when the owner leaves again within the grace time, the process goes on where it was", async () => {
    await cluster.control("amun", { command: "set", settings: { graceSeconds: 60 } });
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "amun", stay: true });
    await until("it computes", async () => (await status()).running === 1);
    await desktop.input("mousemove_relative", "3", "3");
    await until("it computes no more", async () => (await status()).running === 0);
    await until("it computes again", async () => (await status()).running === 1);
    expect(await where(submitted.job)).toMatchObject({ host: "amun", migrations: 0 });
    await cluster.client.request("cancel", { pid: null, job: submitted.job });
    await cluster.control("amun", { command: "set", settings: { graceSeconds: 2 } });
  });

  test("worker threads run in the idle class, at the lowest priority; with --priority normal as any other", async () => {
    const threads = (agent: string): { nice: string | undefined; policy: string | undefined }[] => {
      const folder = `/proc/${cluster.pidOf(agent)}/task`;
      return readdirSync(folder).map((thread) => {
        // After the name in parentheses: state is field 3, nice 19, policy 41.
        const fields = readFileSync(join(folder, thread, "stat"), "latin1")
          .replace(/^.*\) /s, "")
          .split(" ");
        return { nice: fields[19 - 3], policy: fields[41 - 3] };
      });
    };
    await until("a thread is in the idle class", () =>
      threads("amun").some(({ nice, policy }) => nice === "19" && policy === "5"),
    );
    expect(new Set(threads("ipc256").map(({ nice, policy }) => `${nice} ${policy}`))).toEqual(new Set(["0 0"]));
    const endedWhenMemoryIsShort = (agent: string): number =>
      Number(readFileSync(`/proc/${cluster.pidOf(agent)}/oom_score_adj`, "latin1"));
    expect(endedWhenMemoryIsShort("amun")).toBe(800);
    expect(endedWhenMemoryIsShort("ipc256")).toBeLessThan(800);
    await expect(cluster.startAgent("eager", 1, ["--priority", "high"])).rejects.toThrow(
      /NS_USAGE: --priority must be idle or normal/,
    );
  });

  test("paused for an hour: it says until when, also after it was killed and started again, until it is resumed", async () => {
    await usable();
    await cluster.control("amun", { command: "pause", forMs: 3600_000 });
    const file = (): { pause: { untilMs: number } | null } => JSON.parse(readFileSync(join(folder(), "settings.json"), "utf8"));
    expect(Math.abs((file().pause?.untilMs ?? 0) - Date.now() - 3600_000)).toBeLessThan(60_000);
    await until("the coordinator knows", async () => (await host("amun"))?.paused?.startsWith("until "));
    await cluster.killAgent("amun");
    await start();
    await delay(2500); // longer than idleAfterSeconds
    expect(await status()).toMatchObject({ reasons: [{ code: "by-hand-until" }] });
    const refused = await cluster.control("amun", { command: "pause", forMs: -1 });
    expect(refused).toMatchObject({ ok: false, code: "NS_USAGE" });
    await cluster.control("amun", { command: "resume" });
    await usable();
    expect(file().pause).toBeNull();
  });

  test("run now: it computes beside the owner until the time is over or the rules are to count again", async () => {
    const here = (): Promise<unknown> => desktop.input("key", "a");
    const working = setInterval(() => void here(), 300);
    const code = async () => ((await status()).reasons as { code: string }[])[0]?.code;
    try {
      await until("it is paused", async () => (await code()) === "owner-here");
      await cluster.control("amun", { command: "runNow", forMs: 3600_000 });
      await until("it computes", async () => (await code()) === undefined);
      expect((await status()).runUntilMs).toBeGreaterThan(Date.now() + 3500_000);
      await cluster.killAgent("amun");
      await start();
      await until("it computes again", async () => (await code()) === undefined);
      await cluster.control("amun", { command: "resume" });
      await until("it is paused again", async () => (await code()) === "owner-here");
      await cluster.control("amun", { command: "runNow", forMs: 1500 });
      await until("it computes", async () => (await code()) === undefined);
      await until("the time is over", async () => (await code()) === "owner-here");
      expect(await cluster.control("amun", { command: "runNow", forMs: 86_400_001 })).toMatchObject({
        ok: false,
        code: "NS_USAGE",
      });
    } finally {
      clearInterval(working);
    }
  });

  test("what the administrator has locked holds, says who locked it, and cannot be changed", async () => {
    await cluster.killAgent("amun");
    const policy = { version: 1, by: "IT", locked: { mode: "never" } };
    writeFileSync(join(cluster.home, "policy.json"), JSON.stringify(policy));
    await start("--mode", "always");
    expect(await status()).toMatchObject({ words: "Paused: switched off (set by IT)", lockedBy: { mode: "IT" } });
    expect(await cluster.control("amun", { command: "set", settings: { mode: "always" } })).toMatchObject({
      ok: false,
      code: "NS_FORBIDDEN",
    });
  });

  test("with a bad settings file it does not start and says what is wrong and where", async () => {
    await cluster.killAgent("amun");
    settings({ idleAfterSeconds: "soon" });
    await expect(start()).rejects.toThrow(/NS_BAD_POLICY: .*settings\.json: settings\.idleAfterSeconds must be a whole number/);
  });

  test("without the X server it cannot tell whether somebody is here, and pauses", async () => {
    settings();
    writeFileSync(join(cluster.home, "policy.json"), '{"version":1}');
    await start();
    await usable();
    await desktop.close();
    await until("it pauses", async () => (await host("amun"))?.paused === "cannot tell whether you are here");
  });
});
