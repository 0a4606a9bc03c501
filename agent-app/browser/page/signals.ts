// What a page can know of its owner and machine, as signals of the policy: the Idle Detection API where it is allowed, else whether this page is
// looked at and touched; battery. Other programs, memory and temperature a page cannot see.
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

/** Nothing where the browser does not tell. */
export async function watchBattery({ update }: Watch): Promise<() => void> {
  const battery = await (navigator as { getBattery?(): Promise<Battery> }).getBattery?.().catch(() => undefined);
  if (!battery) return () => undefined;
  const look = (): void => update({ onBattery: !battery.charging, batteryPercent: Math.round(battery.level * 100) });
  const events = ["chargingchange", "levelchange"];
  for (const event of events) battery.addEventListener(event, look);
  look();
  return () => {
    for (const event of events) battery.removeEventListener(event, look);
  };
}
