import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
let submitter: Person;
beforeAll(async () => {
  site = await startSite();
  submitter = await site.signedIn("submitter");
  connectHosts();
});
afterAll(() => site.close());

/** They say nothing after that, and so count as lost after a while. */
function connectHosts(): void {
  for (const name of ["amun", "ipc256"])
    site.running.coordinator.apply((core, now) => {
      const info = { os: "Linux", arch: "x64", cpuModel: "P4", slots: 1, memoryBytes: 2 ** 30, speed: 100 };
      core.hostConnected(name, { name, ...info }, [], now);
    });
}

const start = (person: Person, more: object = {}) => person.post("/api/overhead", { hosts: ["amun", "ipc256"], ...more });

test("there are bounds to what may be asked for", async () => {
  for (const wrong of [{ n: 0 }, { n: 47 }, { runs: 0 }, { runs: 21 }, { runs: 1.5 }, { hosts: ["amun"] }, { hosts: "amun" }])
    expect([wrong, refused(await start(submitter, wrong))]).toEqual([wrong, [400, "NS_BAD_REQUEST"]]);
  expect(refused(await submitter.get("/api/overhead/99"))).toEqual([404, "NS_NOT_FOUND"]);
  expect((await submitter.get("/api/overhead")).body).toEqual({
    ...{ experiments: [], more: false },
    published: { ta: 436.25, ti: 778.75, tb: 285.25, overhead: 0.0201 },
  });
});

test("a submitter starts one and ends their own; that of another only an administrator", async () => {
  // It waits for the hosts until it is cancelled.
  const { body, status } = await start(submitter);
  expect([status, body.experiment]).toEqual([200, expect.objectContaining({ id: 1, who: "submitter", n: 38, runs: 4 })]);
  expect(refused(await start(site.first))).toEqual([409, "NS_ALREADY_RUNNING"]);
  const another = site.person();
  await another.accept((await site.first.post("/api/users", { role: "submitter" })).body.link, "another");
  expect(refused(await another.post("/api/overhead/1/cancel"))).toEqual([403, "NS_FORBIDDEN"]);
  expect((await submitter.post("/api/overhead/1/cancel")).status).toBe(200);
  const ended = async (id: number): Promise<string> => {
    for (;;) {
      const { experiment } = (await submitter.get(`/api/overhead/${id}`)).body;
      if (experiment.state !== "running") return experiment.state;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  expect(await ended(1)).toBe("cancelled");
  connectHosts();
  expect((await start(another)).status).toBe(200);
  expect((await site.first.post("/api/overhead/2/cancel")).status).toBe(200);
  expect(await ended(2)).toBe("cancelled");
  const { experiments, more } = (await submitter.get("/api/overhead?limit=1")).body;
  expect([experiments.map(({ id }: { id: number }) => id), more]).toEqual([[2], true]);
  await site.running.coordinator.stored();
  const { events } = (await site.first.get("/api/events?search=experiment")).body;
  expect(events.map(({ who, what, target }: Record<string, string>) => `${who} ${what} ${target}`)).toEqual([
    "coordinator experiment-ended experiment 2",
    "another experiment-started experiment 2",
    "coordinator experiment-ended experiment 1",
    "submitter experiment-started experiment 1",
  ]);
});
