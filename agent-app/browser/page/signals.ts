// What a page can know of its owner and machine, as signals of the policy: the Idle Detection API where it is allowed, else whether this page is
// looked at or touched; battery; how strained the processor is; whether the network is paid for. Single programs, memory and temperature a
// page cannot see.
import { onInput } from "../../night-sky/night-sky.ts";
import type { Signals } from "../../policy/index.ts";

/** The shortest that the Idle Detection API knows. */
export const IDLE_SECONDS = 60;

/** APIs that the types of TypeScript's DOM do not have. */
interface IdleDetector extends EventTarget {
  readonly userState: "active" | "idle" | null;
  readonly screenState: "locked" | "unlocked" | null;
  start(options: { threshold: number; signal?: AbortSignal }): Promise<void>;
}
interface IdleDetectorClass {
  new (): IdleDetector;
  requestPermission(): Promise<"granted" | "denied">;
}
interface Battery extends EventTarget {
  readonly charging: boolean;
  /** 0 to 1. */
  readonly level: number;
}

/** https://www.w3.org/TR/compute-pressure/ */
type PressureState = "nominal" | "fair" | "serious" | "critical";
interface PressureObserver {
  observe(source: "cpu", options: { sampleInterval: number }): Promise<void>;
  disconnect(): void;
}
type PressureObserverClass = new (told: (records: { state: PressureState }[]) => void) => PressureObserver;
interface NetworkInformation extends EventTarget {
  readonly saveData?: boolean;
  readonly type?: string;
}

const detectorClass = (): IdleDetectorClass | undefined =>
  (globalThis as unknown as { IdleDetector?: IdleDetectorClass }).IdleDetector;

/** Could this browser tell that the owner is away, also from other windows? */
export const canSeeIdle = (): boolean => detectorClass() !== undefined;

/** Asks the owner; only in answer to a click. */
export async function maySeeIdle(): Promise<boolean> {
  return (
    (await detectorClass()
      ?.requestPermission()
      .catch(() => "denied")) === "granted"
  );
}

export interface Watch {
  update(signals: Signals): void;
  /** Monotonic milliseconds, as the policy's. */
  now(): number;
}

/**
 * Presence of the owner at the computer.
 * @throws when the browser does not allow it
 */
export async function watchIdle({ update, now }: Watch): Promise<() => void> {
  const Detector = detectorClass();
  if (!Detector) throw new Error("this browser cannot detect idleness");
  const detector = new Detector();
  const end = new AbortController();
  const look = (): void =>
    update({
      lastInputAtMs: detector.userState === "idle" ? now() - IDLE_SECONDS * 1000 : Number.POSITIVE_INFINITY,
      locked: detector.screenState === "locked",
    });
  detector.addEventListener("change", look);
  await detector.start({ threshold: IDLE_SECONDS * 1000, signal: end.signal });
  look();
  return () => end.abort();
}

/** Whether this page is looked at, which counts as the owner being here. */
export function watchPage({ update, now }: Watch): () => void {
  const look = (): void => update({ lastInputAtMs: document.hidden ? now() : Number.POSITIVE_INFINITY });
  document.addEventListener("visibilitychange", look);
  look();
  return () => document.removeEventListener("visibilitychange", look);
}

/** A moving mouse is looked at so often. */
const TOUCHES_MS = 500;

/**
 * Whether this page is touched: pointer, keys, touch and wheel in it count as the owner being here, and coming back to it does. What happens in other
 * windows it does not know.
 * @param hiddenSeconds as if it had last been touched so long before it went into the background
 */
export function watchTouches({ update, now }: Watch, hiddenSeconds: number): () => void {
  let touchedAtMs = Number.NEGATIVE_INFINITY;
  const touched = (): void => {
    if (document.hidden || now() - touchedAtMs < TOUCHES_MS) return;
    touchedAtMs = now();
    update({ lastInputAtMs: touchedAtMs });
  };
  const look = (): void => {
    touchedAtMs = Number.NEGATIVE_INFINITY;
    if (document.hidden) update({ lastInputAtMs: now() - hiddenSeconds * 1000 });
    else touched();
  };
  const deaf = onInput(touched);
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    deaf();
    document.removeEventListener("visibilitychange", look);
  };
}

type WithBattery = Navigator & { getBattery?(): Promise<Battery> };

/** Does this browser tell whether the computer is charging? */
export const canSeeBattery = (): boolean => (navigator as WithBattery).getBattery !== undefined;

/** Nothing where the browser does not tell. */
export async function watchBattery({ update }: Watch): Promise<() => void> {
  const battery = await (navigator as WithBattery).getBattery?.().catch(() => undefined);
  if (!battery) return () => undefined;
  const look = (): void => update({ onBattery: !battery.charging, batteryPercent: Math.round(battery.level * 100) });
  const events = ["chargingchange", "levelchange"];
  for (const event of events) battery.addEventListener(event, look);
  look();
  return () => {
    for (const event of events) battery.removeEventListener(event, look);
  };
}

const PRESSURE_MS = 1000;

/**
 * How strained the processor is. "Serious" and "critical" while nothing computes here mean that other programs are busy. While something
 * does, they may be our own doing: browsers know the processor's use and not its temperature, and all cores lent are "critical" to them.
 * Nothing where the browser does not tell.
 * @param computing whether anything computes here now
 */
export async function watchPressure({ update }: Watch, computing: () => boolean): Promise<() => void> {
  const Observer = (globalThis as unknown as { PressureObserver?: PressureObserverClass }).PressureObserver;
  if (!Observer) return () => undefined;
  const observer = new Observer((records) => {
    const state = records.at(-1)?.state;
    if (state === undefined) return;
    update({ othersBusy: !computing() && (state === "serious" || state === "critical") });
  });
  // Refused where the machine has no such source or the page may not ask: then nothing is known, as without the interface.
  await observer.observe("cpu", { sampleInterval: PRESSURE_MS }).catch(() => undefined);
  return () => observer.disconnect();
}

/** Nothing where the browser does not tell. */
export function watchNetwork({ update }: Watch): () => void {
  const { connection } = navigator as { connection?: NetworkInformation };
  if (!connection) return () => undefined;
  const look = (): void => update({ metered: connection.saveData === true || connection.type === "cellular" });
  connection.addEventListener("change", look);
  look();
  return () => connection.removeEventListener("change", look);
}

/** Tells when this computer has got another network, as far as the browser notices. */
export function watchOnline(changed: () => void): () => void {
  const { connection } = navigator as { connection?: NetworkInformation };
  let type = connection?.type;
  const look = (): void => {
    if (connection?.type === type) return; // it only has become faster or slower
    type = connection?.type;
    changed();
  };
  addEventListener("online", changed);
  connection?.addEventListener("change", look);
  return () => {
    removeEventListener("online", changed);
    connection?.removeEventListener("change", look);
  };
}
