import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { readInformation } from "./information.ts";
import { battery, heat, othersPercent, parseStat, watchMachine } from "./machine.ts";

const scratch = mkdtempSync(join(tmpdir(), "nightshift-machine-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder like those of /sys: name -> file -> contents. */
function folder(name: string, entries: Record<string, Record<string, string>>): string {
  for (const [entry, files] of Object.entries(entries)) {
    mkdirSync(join(scratch, name, entry), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(scratch, name, entry, file), `${text}\n`);
  }
  return join(scratch, name);
}

test("others' load is what ordinary programs and the kernel used, without low priorities and without ourselves", () => {
  const at = (line: string, own: number) => ({ ...(parseStat(`${line}\ncpu0 1 2 3`) ?? { total: 0, busy: 0 }), own });
  const before = at("cpu  100 1000 50 5000 10 5 5 0 0 0", 10);
  const now = at("cpu  130 1900 60 5050 10 5 15 0 0 0", 20);
  // 1000 ticks went by: 30 + 10 + 10 busy, of which 10 were ours; 900 at low priority.
  expect(othersPercent(before, now)).toBe(4);
  expect(othersPercent(now, now)).toBeUndefined();
  expect(parseStat("nothing")).toBeUndefined();
});

test("on battery, charging, on mains, with the battery of a mouse, with none", () => {
  const cell = { type: "Battery", scope: "System", status: "Discharging", capacity: "43" };
  expect(battery(folder("away", { BAT0: cell, AC: { type: "Mains", online: "0" } }))).toEqual({
    onBattery: true,
    batteryPercent: 43,
  });
  expect(battery(folder("two", { BAT0: cell, BAT1: { ...cell, status: "Unknown", capacity: "57" } }))).toEqual({
    onBattery: true,
    batteryPercent: 50,
  });
  const charging = { BAT0: { ...cell, status: "Charging" }, AC: { type: "Mains", online: "1" } };
  expect(battery(folder("desk", charging))).toEqual({ onBattery: false, batteryPercent: 43 });
  const none = { onBattery: undefined, batteryPercent: undefined };
  expect(battery(folder("mouse", { hid: { ...cell, scope: "Device" } }))).toEqual(none);
  expect(battery(join(scratch, "nothing"))).toEqual(none);
});

test("the processor's temperature, not that of the battery or of the air", () => {
  const zones = {
    thermal_zone0: { type: "acpitz", temp: "99000" },
    thermal_zone1: { type: "x86_pkg_temp", temp: "61500" },
    thermal_zone2: { type: "cpu-thermal", temp: "58000" },
    cooling_device0: { type: "Processor" },
  };
  expect(heat(folder("thermal", zones))).toEqual({ temperatureCelsius: 61.5 });
  expect(heat(join(scratch, "nothing"))).toEqual({ temperatureCelsius: undefined });
});

test("the machine itself tells plausible things", async () => {
  const seen: Signals = {};
  const source = watchMachine(
    { update: (signals) => Object.assign(seen, signals), now: () => 0, log: () => undefined },
    scratch,
    () => true,
  );
  for (const end = performance.now() + 20_000; seen.diskFreeMegabytes === undefined && performance.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 20));
  source.close();
  expect(seen.memoryFreePercent).toBeGreaterThan(0);
  expect(seen.memoryFreePercent).toBeLessThanOrEqual(100);
  expect(seen.diskFreeMegabytes).toBeGreaterThan(0);
  if (process.platform === "linux") expect(seen.programs?.some((name) => name.includes("node"))).toBe(true);
});

test("what systeminformation tells of this machine is of the kind that the policy expects", async () => {
  const { programs, ...seen } = await readInformation(true);
  expect(programs?.some((name) => name.includes("node"))).toBe(true);
  expect(typeof (seen.onBattery ?? false)).toBe("boolean");
  for (const number of [seen.batteryPercent, seen.temperatureCelsius, seen.linkMbps]) expect(number ?? 1).toBeGreaterThan(0);
  expect((await readInformation(false)).programs).toBeUndefined();
});
