import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
let viewer: Person;
beforeAll(async () => {
  site = await startSite();
  viewer = await site.signedIn("viewer");
  for (const [name, tags] of [
    ["amun", ["lab"]],
    ["ipc256", []],
  ] as const)
    site.running.coordinator.apply((core, now) => {
      const info = { os: "Linux", arch: "x64", cpuModel: "P4", slots: 1, memoryBytes: 2 ** 30, speed: 100 };
      core.hostConnected(name, { name, ...info }, [], now);
      core.setHost(name, { name, tags, drained: false, stay: false, block: false }, now);
    });
});
afterAll(() => site.close());

const document = (locked: object, defaults: object = {}) => ({ version: 1, by: "IT", locked, defaults });
const set = (scope: string, given: object) => site.first.post("/api/policies", { scope, document: given });
const newest = async (scope: string) =>
  (await viewer.get("/api/policies")).body.policies.find((one: { scope: string }) => one.scope === scope);

test("an administrator sets a policy for hosts with a tag; everybody sees who did, when, and whom it holds for", async () => {
  const { body, status } = await set("tag:lab", document({ mode: "locked" }));
  expect(status).toBe(200);
  expect(body).toMatchObject({ hosts: 1, policy: { version: 1, scope: "tag:lab", who: "first" } });
  expect(Math.abs(body.policy.at - Date.now())).toBeLessThan(60_000);
  expect(await newest("tag:lab")).toEqual(body.policy);
  const { hosts } = (await viewer.get("/api/hosts")).body;
  expect(hosts.map(({ name, policy }: { name: string; policy: object }) => [name, policy])).toEqual([
    ["amun", { told: [1], obeyed: null, problem: null }],
    ["ipc256", { told: [], obeyed: null, problem: null }],
  ]);
  const { events } = (await site.first.get("/api/events?search=policy-changed")).body;
  expect(events[0]).toMatchObject({ who: "first", target: "tag:lab", details: "version 1: mode" });
});

test("only administrators change anything; a viewer may try out what would happen", async () => {
  const change = { scope: "all", document: document({ graceSeconds: 5 }) };
  expect(refused(await viewer.post("/api/policies", change))).toEqual([403, "NS_FORBIDDEN"]);
  expect(refused(await viewer.post("/api/policies/undo", { scope: "tag:lab" }))).toEqual([403, "NS_FORBIDDEN"]);
  const { body } = await viewer.post("/api/policies/preview", change);
  expect(body).toMatchObject({ hosts: 2, changed: 2 });
  expect(body.listed[0]).toEqual({
    id: "amun",
    name: "amun",
    changes: [{ setting: "graceSeconds", from: 20, to: 5, locked: true }],
  });
  expect(await newest("all")).toBeUndefined();
});

test("a preview knows what counts before what: the host's own, then its tags', then that for all", async () => {
  const preview = async (scope: string, given: object) =>
    (await viewer.post("/api/policies/preview", { scope, document: given })).body;
  // The tag's own mode counts first.
  expect(await preview("all", document({ mode: "never" }))).toMatchObject({
    hosts: 2,
    changed: 1,
    listed: [{ name: "ipc256" }, {}],
  });
  expect((await preview("host:amun", document({ mode: "never" }))).listed).toEqual([
    { id: "amun", name: "amun", changes: [{ setting: "mode", from: "locked", to: "never", locked: true }] },
  ]);
  expect(await preview("tag:nobody", document({ mode: "never" }))).toEqual({ hosts: 0, changed: 0, listed: [] });
});

test("what the agents' own reader refuses is refused with every problem; so are scopes there are not", async () => {
  const bad = await set("all", { version: 1, locked: { mode: "sometimes", moode: 1 }, more: 1 });
  expect(refused(bad)).toEqual([400, "NS_BAD_POLICY"]);
  expect(bad.body.message).toMatch(/no "more".*locked\.mode must be one of.*no setting "locked\.moode"/);
  expect(refused(await set("host:nobody", document({})))).toEqual([404, "NS_NO_SUCH_HOST"]);
  expect(refused(await set("everybody", document({})))).toEqual([400, "NS_BAD_REQUEST"]);
  const long = Array.from({ length: 100 }, (_, at) => `${"语".repeat(95)}${at}`);
  expect(refused(await set("all", document({ exclusivePrograms: long }, { exclusivePrograms: long })))).toEqual([
    400,
    "NS_BAD_POLICY",
  ]);
});

test("undoing makes new versions: back to the one before, to a chosen one, and from the first one to nothing", async () => {
  const undo = (scope: string, version?: number) => site.first.post("/api/policies/undo", { scope, version });
  const first = (await set("host:amun", document({ graceSeconds: 1 }))).body.policy;
  expect((await undo("host:amun")).body.policy.document).toEqual({ version: 1 });
  await set("host:amun", document({ graceSeconds: 2 }));
  await set("host:amun", document({ graceSeconds: 3 }));
  expect((await undo("host:amun")).body.policy).toMatchObject({ document: { locked: { graceSeconds: 2 } } });
  const chosen = (await undo("host:amun", first.version)).body.policy;
  expect(chosen).toMatchObject({ document: first.document, version: first.version + 5 });
  const { versions } = (await viewer.get("/api/policies/versions?scope=host:amun")).body;
  expect(versions).toHaveLength(6);
  expect(versions[0]).toEqual(chosen);
  expect(refused(await undo("host:amun", 999))).toEqual([404, "NS_NOT_FOUND"]);
  expect(refused(await undo("tag:nobody"))).toEqual([404, "NS_NOT_FOUND"]);
});

test("a host that gets a tag gets that tag's policy", async () => {
  const told: unknown[] = [];
  const stop = site.running.coordinator.connectHost("ipc256", (message) => told.push(message));
  // A host that was never enrolled has nothing to change; this one was.
  site.running.coordinator.store.saveDevice({
    ...{ key: "ipc256", role: "agent", scope: "host", name: "ipc256", enrolledAt: 0, revokedAt: null },
    ...{ tags: [], drained: false, stay: false, block: false, info: null, pending: false },
  });
  await site.first.ask("PATCH", "/api/hosts/ipc256", { tags: ["lab"] });
  expect(told).toContainEqual({
    type: "policy",
    policies: [{ version: 1, text: JSON.stringify(document({ mode: "locked" })) }],
  });
  stop(false);
});

test("whether the person at the desk is why a host pauses is told by the reason's code, whatever its words", async () => {
  const stop = site.running.coordinator.connectHost("amun", () => undefined);
  const load = { running: 0, runnable: 0, blocked: 0, slots: 1, keepMs: 0, memoryFreeBytes: 1, speed: 1, held: [] };
  const seen: unknown[] = [];
  for (const pausedCode of ["owner-here", "not-locked", "by-hand-words", "on-battery", null]) {
    site.running.coordinator.apply((core, now) =>
      core.agentMessage("amun", { type: "load", ...load, paused: "the owner's mouse and keyboard", pausedCode }, now),
    );
    const { host } = (await viewer.get("/api/hosts/amun")).body;
    seen.push([host.pausedCode, host.state]);
  }
  expect(seen).toEqual([
    ["owner-here", "owner"],
    ["not-locked", "owner"],
    ["by-hand-words", "paused"],
    ["on-battery", "paused"],
    [null, "paused"],
  ]);
  stop(false);
});
