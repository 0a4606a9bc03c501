// Battery, temperature, network and programs on systems that do not tell them in files, as Linux does: Windows and macOS. systeminformation
// knows how to find them out there; it starts programs for that, so it is asked seldom, and loaded only where it is needed.
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";

const LOOK_MS = 60_000;

/** @param withPrograms the policy wants the names of running programs */
export function watchInformation(watch: Watch, withPrograms: () => boolean): Source {
  let closed = false;
  const look = async (): Promise<void> => {
    try {
      const seen = await readInformation(withPrograms());
      if (!closed) watch.update(seen);
    } catch (error) {
      watch.log("signals-missing", {
        source: "systeminformation",
        message: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  void look();
  return {
    close: () => {
      closed = true;
      clearInterval(timer);
    },
  };
}

type Information = Pick<Signals, "onBattery" | "batteryPercent" | "temperatureCelsius" | "linkMbps" | "programs">;

/** What the system does not tell is undefined. */
export async function readInformation(withPrograms: boolean): Promise<Information> {
  const { default: system } = await import("systeminformation");
  const [battery, temperature, network, processes] = await Promise.all([
    system.battery(),
    system.cpuTemperature(),
    system.networkInterfaces("default"),
    withPrograms ? system.processes() : undefined,
  ]);
  const link = Array.isArray(network) ? network[0] : network;
  const positive = (value: number | null | undefined): number | undefined => (value && value > 0 ? value : undefined);
  return {
    onBattery: battery.hasBattery ? !battery.acConnected : undefined,
    batteryPercent: battery.hasBattery ? battery.percent : undefined,
    temperatureCelsius: positive(temperature.main),
    linkMbps: positive(link?.speed),
    programs: processes && [...new Set(processes.list.map(({ name }) => name.toLowerCase()))],
  };
}
