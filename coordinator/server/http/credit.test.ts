import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
beforeAll(async () => {
  site = await startSite();
  const now = Date.now();
  const DAY = 86_400_000;
  const earned = [
    { at: now, host: "a", cpuMs: 3_600_000, credit: 2 },
    { at: now - 10 * DAY, host: "b", cpuMs: 7_200_000, credit: 2 },
    { at: now - 10 * DAY, host: "c", cpuMs: 1, credit: 0.5 },
  ];
  site.running.coordinator.store.commit({ saved: [], output: [], earned });
});
afterAll(() => site.close());

test("whoever may look sees who has earned how much, ever and lately; equals share a rank", async () => {
  const viewer = await site.signedIn("viewer");
  const row = (rank: number, id: string, credit: number, coreHours: number) => ({ rank, id, host: "", credit, coreHours });
  expect((await viewer.get("/api/credit")).body).toEqual({
    hosts: [row(1, "a", 2, 1), row(1, "b", 2, 2), row(3, "c", 0.5, 1 / 3_600_000)],
  });
  expect((await viewer.get("/api/credit?days=7")).body).toEqual({ hosts: [row(1, "a", 2, 1)] });
  expect(refused(await viewer.get("/api/credit?days=0"))).toEqual([400, "NS_BAD_REQUEST"]);
  expect(refused(await site.person().get("/api/credit"))[0]).toBe(401);
});
