// Signals of the machine itself, looked at every few seconds: other programs' load, free memory, battery, temperature, disk, network,
// running programs. Linux is read from /proc and /sys directly, a few small files; what other systems do not tell Node is
// information.ts's.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { cpus, freemem, totalmem } from "node:os";
import { basename, join } from "node:path";
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";

const LOOK_MS = 5_000;
/** Whether the network is metered is asked of a program, so more seldom. */
const NETWORK_EVERY = 12;
const MAX_PROGRAMS = 20_000;

/** @param directory whose disk must not fill up @param withPrograms the policy wants the names of running programs */
export function watchMachine(watch: Watch, directory: string, withPrograms: () => boolean): Source {
  let before = processorTimes();
  let looks = 0;
  let closed = false;
  const look = async (): Promise<void> => {
    const now = processorTimes();
    const disk = await statfs(directory).catch(() => undefined);
    const metered = process.platform === "linux" && looks++ % NETWORK_EVERY === 0 ? { metered: await isMetered() } : {};
    if (closed) return;
    watch.update({
      othersCpuPercent: othersPercent(before, now),
      memoryFreePercent: memoryFreePercent(),
      ...(process.platform === "linux"
        ? { ...battery(), ...heat(), linkMbps: linkMbps(), programs: withPrograms() ? programs() : undefined }
        : {}),
      ...metered,
      diskFreeMegabytes: disk && (disk.bavail * disk.bsize) / 2 ** 20,
    });
    before = now;
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

export interface ProcessorTimes {
  /** Of all cores, in any unit, since some moment. */
  total: number;
  /** By programs of ordinary priority, the kernel included. */
  busy: number;
  /** Of this process, in the same unit, as far as it is part of `busy`. */
  own: number;
}

/**
 * Percent of all cores that others used between two moments. On Linux whatever computes at low priority, Nightshift's workers first of
 * all, has a column of its own and counts as free; elsewhere the whole of this process is taken off.
 */
export function othersPercent(before: ProcessorTimes, now: ProcessorTimes): number | undefined {
  const total = now.total - before.total;
  if (total <= 0) return undefined;
  return Math.min(100, Math.max(0, (100 * (now.busy - before.busy - (now.own - before.own))) / total));
}

/** The line "cpu" of /proc/stat: user nice system idle iowait irq softirq steal. */
export function parseStat(text: string): Omit<ProcessorTimes, "own"> | undefined {
  const found = /^cpu +([\d ]+)$/m.exec(text);
  if (!found) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = (found[1] ?? "")
    .split(" ")
    .map(Number);
  const busy = user + system + irq + softirq;
  return { total: busy + nice + idle + wait + steal, busy };
}

function processorTimes(): ProcessorTimes {
  const { user, system } = process.cpuUsage();
  if (process.platform === "linux") {
    const times = parseStat(read("/proc/stat"));
    // In ticks of 10 ms. Our user time is niced.
    if (times) return { ...times, own: system / 10_000 };
  }
  const times = { total: 0, busy: 0, own: (user + system) / 1000 };
  for (const core of cpus()) {
    const busy = core.times.user + core.times.sys + core.times.irq;
    times.busy += busy;
    times.total += busy + core.times.nice + core.times.idle;
  }
  return times;
}

function memoryFreePercent(): number {
  // What caches hold is free as well, which only the kernel can say.
  const available = /^MemAvailable: +(\d+) kB$/m.exec(process.platform === "linux" ? read("/proc/meminfo") : "");
  return (100 * (available ? Number(available[1]) * 1024 : freemem())) / totalmem();
}

/** @param root another one in tests */
export function battery(root = "/sys/class/power_supply"): Pick<Signals, "onBattery" | "batteryPercent"> {
  const supplies = list(root).map((name) => {
    const value = (file: string): string => read(join(root, name, file)).trim();
    return {
      type: value("type"),
      scope: value("scope"),
      online: value("online"),
      status: value("status"),
      charge: value("capacity"),
    };
  });
  // The battery of a mouse says nothing about the machine.
  const batteries = supplies.filter(({ type, scope }) => type === "Battery" && scope !== "Device");
  if (batteries.length === 0) return { onBattery: undefined, batteryPercent: undefined };
  const mains = supplies.some(({ type, online }) => type !== "Battery" && online === "1");
  const charges = batteries.flatMap(({ charge }) => (/^\d+$/.test(charge) ? [Number(charge)] : []));
  return {
    onBattery: !mains && batteries.some(({ status }) => status === "Discharging"),
    batteryPercent: charges.length > 0 ? charges.reduce((sum, charge) => sum + charge, 0) / charges.length : undefined,
  };
}

/** The processor's temperature: its package, or the hottest zone that is called after it. @param root another one in tests */
export function heat(root = "/sys/class/thermal"): Pick<Signals, "temperatureCelsius"> {
  const zones = list(root)
    .filter((name) => name.startsWith("thermal_zone"))
    .filter((name) => /cpu|pkg|soc|k10temp|core/i.test(read(join(root, name, "type"))))
    .map((name) => Number(read(join(root, name, "temp"))) / 1000)
    .filter((celsius) => celsius > 0 && celsius < 200);
  return { temperatureCelsius: zones.length > 0 ? Math.max(...zones) : undefined };
}

/** Of the interface that the default route goes through. */
function linkMbps(): number | undefined {
  const route = read("/proc/net/route")
    .split("\n")
    .map((line) => line.split("\t"))
    .find(([, destination]) => destination === "00000000");
  const speed = route?.[0] && /^[\w.:-]+$/.test(route[0]) ? Number(read(`/sys/class/net/${route[0]}/speed`)) : 0;
  return speed > 0 ? speed : undefined;
}

/** As NetworkManager sees it: 1 yes, 2 no, 3 and 4 its guesses. */
function isMetered(): Promise<boolean | undefined> {
  const name = "org.freedesktop.NetworkManager";
  return new Promise((resolve) => {
    const args = ["--system", "get-property", name, "/org/freedesktop/NetworkManager", name, "Metered"];
    execFile("busctl", args, { timeout: LOOK_MS }, (error, stdout) => {
      const found = /^u (\d)/.exec(stdout);
      resolve(error || !found ? undefined : found[1] === "1" || found[1] === "3");
    });
  });
}

function programs(): string[] {
  const pids = list("/proc").filter((name) => /^\d+$/.test(name));
  // The name that a program has given itself, and that of its file.
  const names = pids
    .slice(0, MAX_PROGRAMS)
    .flatMap((pid) => [read(`/proc/${pid}/comm`).trim(), basename(read(`/proc/${pid}/cmdline`).split("\0")[0] ?? "")]);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Empty when it is not there. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
