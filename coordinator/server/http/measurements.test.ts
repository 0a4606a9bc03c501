import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
const times = { plainBytes: 100, migratableBytes: 160 };
const of = (name: string) => ({
  ...{ at: 5, who: "client ada", rounds: 5, quick: false },
  machine: { name, cpuModel: "P4", cores: 2, platform: "linux x64", node: "v24" },
  programs: [
    { name: "fft", native: 1, plainWasm: 2, migratable: 3, ...times },
    { name: "sort", native: 4, plainWasm: 2, migratable: 4, ...times },
    { name: "own.wasm", native: null, plainWasm: 1, migratable: 1, ...times },
  ],
});
beforeAll(async () => {
  site = await startSite();
  for (const name of ["amun", "ipc256", "amun"]) site.running.coordinator.store.measurements.add(of(name));
});
afterAll(() => site.close());

test("whoever may look sees measurements of all machines or of one, with means over the programs that have each figure", async () => {
  const viewer = await site.signedIn("viewer");
  const { measurements, more, machines } = (await viewer.get("/api/measurements?limit=2")).body;
  expect([measurements.map(({ id }: { id: number }) => id), more, machines]).toEqual([[3, 2], true, ["amun", "ipc256"]]);
  expect(measurements[0]).toEqual({
    ...of("amun"),
    id: 3,
    programs: 3,
    means: {
      plainOverNative: expect.closeTo(Math.sqrt(2 * 0.5) - 1, 9),
      migratableOverNative: expect.closeTo(Math.sqrt(3 * 1) - 1, 9),
      migratableOverPlain: expect.closeTo(Math.cbrt(1.5 * 2 * 1) - 1, 9),
    },
  });
  const older = (await viewer.get("/api/measurements?before=3&machine=amun")).body.measurements;
  expect(older.map(({ id }: { id: number }) => id)).toEqual([1]);
  expect((await viewer.get("/api/measurements/2")).body.measurement).toMatchObject({ ...of("ipc256"), id: 2 });
  expect(refused(await viewer.get("/api/measurements/9"))).toEqual([404, "NS_NOT_FOUND"]);
  expect(refused(await site.person().get("/api/measurements"))[0]).toBe(401);
});

test("an administrator removes one, and the journal has it", async () => {
  const submitter = await site.signedIn("submitter");
  expect(refused(await submitter.ask("DELETE", "/api/measurements/1"))).toEqual([403, "NS_FORBIDDEN"]);
  expect((await site.first.ask("DELETE", "/api/measurements/1")).status).toBe(200);
  expect(refused(await site.first.ask("DELETE", "/api/measurements/1"))).toEqual([404, "NS_NOT_FOUND"]);
  await site.running.coordinator.stored();
  const { events } = (await site.first.get("/api/events?search=measurement")).body;
  expect(events).toMatchObject([{ who: "first", what: "measurement-removed", target: "measurement 1", details: "amun" }]);
});
