import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Params, Result } from "@nightshift/coordinator/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, until } from "../cluster.ts";

/** Computes and prints for some seconds. */
const LONG = ["800", "3000"];
/** Nothing of this machine that could stand against computing. */
const LENIENT = {
  mode: "always",
  startAfterSeconds: 0,
  memoryFreeAbovePercent: 0,
  diskFreeAboveMegabytes: 0,
  batteryAbovePercent: 0,
  coolBelowCelsius: 120,
  onMeteredNetwork: true,
};

describe("policies of the coordinator", () => {
  let cluster: Cluster;
  const folder = (): string => join(cluster.home, "agents", "ipc256");
  const file = (): string => join(cluster.home, "local", "policy.json");
  const host = async (name: string) => (await cluster.client.request("hosts", {})).find((one) => one.name === name);
  const paused = (name: string, words: string | null): Promise<unknown> =>
    until(`${name} says ${words}`, async () => (await host(name))?.paused === words);
  const status = async (name: string) =>
    (await cluster.control(name, { command: "status" })).status as {
      words: string;
      settings: Record<string, unknown>;
      lockedBy: Record<string, string>;
      policies: number[];
      policyProblem: string | null;
    };
  const set = (scope: string, locked: object, defaults: object = {}): Promise<Result<"policySet">> => {
    const params: Params<"policySet"> = { scope, document: { version: 1, by: "IT", locked, defaults }, preview: false };
    return cluster.client.request("policySet", params);
  };

  beforeAll(async () => {
    cluster = await Cluster.start({ agents: ["amun"] });
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), "settings.json"), JSON.stringify({ version: 1, settings: LENIENT }));
    // Its own owner and administrator count, and its administrator's folder does not exist yet.
    await cluster.startAgent("ipc256", 1, ["--policy", file()], { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "" });
    await paused("ipc256", null);
  });
  afterAll(() => cluster?.close());

  test("a host that is told to stop stops at once and says who set it; undone, it computes again and nothing is lost", async () => {
    const expected = (await local("steady-lines.c", LONG)).out;
    const submitted = await cluster.submit("steady-lines.c", LONG, { startOn: "amun", stay: true });
    await until("it runs", async () => (await cluster.ps(submitted.job))[0]?.host === "amun");
    const made = await set("host:amun", { mode: "never" });
    expect(made).toMatchObject({ hosts: 1, policy: { name: "host:amun", document: { locked: { mode: "never" } } } });
    await paused("amun", "switched off (set by IT)");
    expect(await status("amun")).toMatchObject({ lockedBy: { mode: "IT" }, policies: [made.policy?.version] });
    expect(await cluster.control("amun", { command: "set", settings: { mode: "always" } })).toMatchObject({
      ok: false,
      code: "NS_FORBIDDEN",
    });
    await until("its process goes on elsewhere", async () => (await cluster.ps(submitted.job))[0]?.host === "ipc256");
    const undone = await cluster.client.request("policyUndo", { scope: "host:amun", version: null });
    expect(undone.policy.document).toEqual({ version: 1 });
    await paused("amun", null);
    expect(await cluster.end(submitted)).toMatchObject({ stdout: expected, report: { kind: "exit", code: 0 } });
  });

  test("the host's own policy counts before that for all, and both before the owner's settings; defaults do not", async () => {
    await set("all", { idleAfterSeconds: 77, graceSeconds: 5 }, { mode: "never" });
    await set("host:ipc256", { graceSeconds: 6 });
    await until("both are obeyed", async () => (await status("ipc256")).policies.length === 2);
    expect(await status("ipc256")).toMatchObject({
      settings: { mode: "always", idleAfterSeconds: 77, graceSeconds: 6 },
      lockedBy: { idleAfterSeconds: "IT", graceSeconds: "IT" },
    });
    await paused("amun", "switched off"); // as its owner has set nothing
  });

  test("an administrator's file on the machine counts before them, as soon as it is there, and a damaged one changes nothing", async () => {
    mkdirSync(join(cluster.home, "local"));
    const write = (content: string): void => {
      writeFileSync(`${file()}.tmp`, content);
      renameSync(`${file()}.tmp`, file());
    };
    write(JSON.stringify({ version: 1, by: "the lab", locked: { graceSeconds: 9 } }));
    await until("it counts", async () => (await status("ipc256")).settings.graceSeconds === 9);
    expect((await status("ipc256")).lockedBy).toEqual({ graceSeconds: "the lab", idleAfterSeconds: "IT" });
    write('{"version":1,"locked":{"graceSeconds":"long"}}');
    await until("it is told", async () => /graceSeconds must be/.test((await status("ipc256")).policyProblem ?? ""));
    expect((await status("ipc256")).settings.graceSeconds).toBe(9);
    write(JSON.stringify({ version: 1, locked: { graceSeconds: 11 } }));
    await until("it counts again", async () => (await status("ipc256")).settings.graceSeconds === 11);
    expect((await status("ipc256")).policyProblem).toBeNull();
  });

  test("what the owner writes into the settings file counts at once", async () => {
    writeFileSync(join(folder(), "settings.json"), JSON.stringify({ version: 1, settings: { ...LENIENT, mode: "never" } }));
    await paused("ipc256", "switched off");
    writeFileSync(join(folder(), "settings.json"), JSON.stringify({ version: 1, settings: LENIENT }));
    await paused("ipc256", null);
  });

  test("agents that come again, to a coordinator that has come again, obey what was set meanwhile", async () => {
    await cluster.killAgent("amun");
    const made = await set("all", { mode: "never" });
    await cluster.killCoordinator();
    await cluster.startCoordinator();
    await cluster.startAgent("amun");
    await paused("amun", "switched off (set by IT)");
    expect((await status("amun")).policies[1]).toBe(made.policy?.version);
    await until("the other one obeys too", async () => (await status("ipc256")).words === "Paused: switched off (set by IT)");
    await cluster.client.request("policyUndo", { scope: "all", version: null });
  });

  test("a policy that no host could obey is refused with what is wrong; a preview changes nothing", async () => {
    await expect(set("all", { mode: "sometimes" })).rejects.toMatchObject({
      code: "NS_BAD_POLICY",
      message: expect.stringMatching(/locked\.mode must be one of/),
    });
    await expect(set("host:nobody", {})).rejects.toMatchObject({ code: "NS_NO_SUCH_HOST" });
    await expect(set("everybody", {})).rejects.toMatchObject({ code: "NS_USAGE" });
    const before = await cluster.client.request("policyShow", { scope: null });
    const document = { version: 1, locked: { graceSeconds: 3 } };
    const { hosts, preview } = await cluster.client.request("policySet", { scope: "all", document, preview: true });
    expect(hosts).toBe(2);
    expect(preview?.listed.find(({ name }) => name === "amun")?.changes).toContainEqual({
      ...{ setting: "graceSeconds", from: 5, to: 3, locked: true },
    });
    // Its own policy says otherwise.
    const other = preview?.listed.find(({ name }) => name === "ipc256");
    expect(other?.changes.map(({ setting }) => setting)).not.toContain("graceSeconds");
    expect(await cluster.client.request("policyShow", { scope: null })).toEqual(before);
  });

  test("the pool a host was installed for is its first tag, and only that", async () => {
    await set("tag:floor-2", { mode: "never" });
    await cluster.startAgent("reception", 1, ["--no-signals", "--pool", "floor-2"]);
    await paused("reception", "switched off (set by IT)");
    await cluster.killAgent("reception");
    await cluster.startAgent("reception", 1, ["--no-signals", "--pool", "floor-3"]);
    await paused("reception", "switched off (set by IT)");
    await expect(cluster.startAgent("cellar", 1, ["--no-signals", "--pool", "../floor"])).rejects.toThrow(
      /NS_USAGE: --pool must be/,
    );
    await expect(cluster.startAgent("cellar", 1, ["--pol", "x"])).rejects.toThrow(/NS_USAGE: Unknown option '--pol'/);
  });
});
