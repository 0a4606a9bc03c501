// What the agent beside the tray app knows of its computer: what the app tells, and what the app cannot tell.
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Signals } from "../../policy/index.ts";
import { openTold } from "./told-signals.ts";

vi.mock("systeminformation", () => ({
  default: {
    battery: async () => ({ hasBattery: true, acConnected: true, percent: 43 }),
    cpuTemperature: async () => ({ main: 61 }),
    networkInterfaces: async () => ({ speed: 100 }),
    processes: async () => ({ list: [{ name: "Blender.exe" }] }),
  },
}));

// Where the app tells: on Linux the machine is read from files, and the app tells nothing.
const { platform } = process;
const runOn = (value: string): unknown => Object.defineProperty(process, "platform", { value });
beforeEach(() => void runOn("win32"));
afterEach(() => void runOn(platform));

test("programs, charge, temperature and network are looked up; power from the wall is what the app says", async () => {
  let known: Signals = { desktop: true };
  const watch = {
    update: (signals: Partial<Signals>) => {
      known = { ...known, ...signals };
    },
    now: () => 0,
    log: () => undefined,
  };
  const options = { directory: tmpdir(), withPrograms: () => true, cleared: async () => undefined };
  const { told, source } = openTold(watch, options);
  await expect
    .poll(() => {
      // Again and again, as the app does: its silence is noticed.
      told.told({ inputAgoMs: 5, onBattery: true } as Parameters<typeof told.told>[0]);
      return known;
    })
    .toMatchObject({
      ...{ batteryPercent: 43, temperatureCelsius: 61, linkMbps: 100, programs: ["blender.exe"] },
      ...{ onBattery: true, lastInputAtMs: -5 },
    });
  source.close();
});
