// What the policy may know of the machine and its owner. Every signal may be unknown (undefined): some machines cannot tell, and sources
// come and go. What unknown means is part of the table here, which docs/POLICY.md shows.

export interface Signals {
  /**
   * When the owner last touched mouse or keyboard, on the clock of Moment.nowMs. Infinity: the system says only that the owner is active,
   * until it says otherwise.
   */
  lastInputAtMs?: number | undefined;
  locked?: boolean | undefined;
  screensaver?: boolean | undefined;
  displayOff?: boolean | undefined;
  /** Somebody works on this machine from elsewhere. */
  remoteSession?: boolean | undefined;
  /** This user's desktop is in the background, as another user's is in front of it. */
  otherUser?: boolean | undefined;
  /** The app of another user of this machine computes. */
  otherAgent?: boolean | undefined;
  /** Load by other programs at ordinary priority, percent of all cores. */
  othersCpuPercent?: number | undefined;
  /** Other programs keep the processor busy, where the system does not say how busy. */
  othersBusy?: boolean | undefined;
  memoryFreePercent?: number | undefined;
  onBattery?: boolean | undefined;
  batteryPercent?: number | undefined;
  temperatureCelsius?: number | undefined;
  /** The processor is being slowed down because it is hot. */
  throttled?: boolean | undefined;
  metered?: boolean | undefined;
  linkMbps?: number | undefined;
  /** A game, film or presentation fills the screen. */
  fullScreen?: boolean | undefined;
  /** Names of the running programs, lower case. */
  programs?: readonly string[] | undefined;
  diskFreeMegabytes?: number | undefined;
  /** The system is about to sleep or to shut down. */
  ending?: boolean | undefined;
  /** Is there a desktop at which an owner could sit? Unknown is yes. */
  desktop?: boolean | undefined;
}

/** For docs/POLICY.md: unit, and what is assumed when the signal is unknown. */
export const SIGNALS: Record<keyof Signals, { unit: string; unknown: string }> = {
  desktop: { unit: "yes or no", unknown: "yes: somebody may sit here" },
  lastInputAtMs: { unit: "moment", unknown: "the owner is here, unless the screen is locked, saved or off" },
  locked: { unit: "yes or no", unknown: "not locked" },
  screensaver: { unit: "yes or no", unknown: "off" },
  displayOff: { unit: "yes or no", unknown: "on" },
  remoteSession: { unit: "yes or no", unknown: "nobody" },
  otherUser: { unit: "yes or no", unknown: "nobody" },
  otherAgent: { unit: "yes or no", unknown: "no" },
  othersCpuPercent: { unit: "% of all cores", unknown: "not busy: processes run at idle priority anyway" },
  othersBusy: { unit: "yes or no", unknown: "no" },
  memoryFreePercent: { unit: "%", unknown: "enough" },
  onBattery: { unit: "yes or no", unknown: "on mains, as every desktop PC" },
  batteryPercent: { unit: "%", unknown: "too low, while on battery" },
  temperatureCelsius: { unit: "°C", unknown: "not hot: the machine protects itself" },
  throttled: { unit: "yes or no", unknown: "no" },
  metered: { unit: "yes or no", unknown: "no" },
  linkMbps: { unit: "Mbit/s", unknown: "fast enough" },
  fullScreen: { unit: "yes or no", unknown: "no" },
  programs: { unit: "names", unknown: "when some are named exclusive, one of them may be running: paused" },
  diskFreeMegabytes: { unit: "MB", unknown: "enough" },
  ending: { unit: "yes or no", unknown: "no" },
};

/** A moment on the clocks that matter. */
export interface Moment {
  /** Monotonic milliseconds. */
  nowMs: number;
  /** Milliseconds since 1970. */
  wallMs: number;
  /** Minutes of local time since Monday 00:00, with fraction, in [0, 10080). */
  minuteOfWeek: number;
}

/** The moment as this process's clocks have it. @param nowMs monotonic */
export function momentOf(nowMs: number, date: Date): Moment {
  const minutes = ((date.getDay() + 6) % 7) * 1440 + date.getHours() * 60 + date.getMinutes();
  return { nowMs, wallMs: date.getTime(), minuteOfWeek: minutes + date.getSeconds() / 60 + date.getMilliseconds() / 60_000 };
}
