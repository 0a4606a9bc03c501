// What this PC offered and gave, hour by hour for eight days, in a small file that is replaced whole. At most the last few minutes are lost
// when the power goes.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { writeWhole } from "../../headless/policy-files.ts";
import type { Day, Given } from "../ipc/state.ts";

const VERSION = 1;
const HOUR_MS = 3_600_000;
const KEEP_HOURS = 8 * 24;
const DAYS = 7;
const WRITE_EVERY_MS = 5 * 60_000;
/** Statuses come every second; a longer gap is sleep, in which nothing was offered. */
const MAX_GAP_MS = 10_000;
const MAX_BYTES = 64 * 1024;

const milliseconds = z.number().min(0).max(1e12);
const file = z.object({
  version: z.literal(VERSION),
  hours: z.array(z.tuple([milliseconds.max(1e11), milliseconds, milliseconds])).max(KEEP_HOURS + 1),
});

export class History {
  private readonly path: string;
  /** Hours since 1970 -> what was given in each. */
  private readonly hours = new Map<number, Given>();
  private before: { wallMs: number; cpuMs: number } | undefined;
  private writtenAt = 0;

  constructor(path: string) {
    this.path = path;
    try {
      const text = readFileSync(path, "utf8");
      if (text.length > MAX_BYTES) return;
      for (const [hour, offeredMs, usedMs] of file.parse(JSON.parse(text)).hours) this.hours.set(hour, { offeredMs, usedMs });
    } catch {
      // None yet, or damaged: it begins anew.
    }
  }

  /** @param slots that might compute since the last note; 0: none @param cpuMs see ProcessStatus */
  note(wallMs: number, slots: number, cpuMs: number): void {
    const { before } = this;
    this.before = { wallMs, cpuMs };
    if (!before) return;
    const ms = wallMs - before.wallMs;
    if (ms <= 0 || ms > MAX_GAP_MS) return;
    const hour = Math.floor(wallMs / HOUR_MS);
    const given = this.hours.get(hour) ?? { offeredMs: 0, usedMs: 0 };
    // What the agent itself needs while nobody may compute is not given to anybody.
    const usedMs = slots === 0 ? 0 : Math.max(0, cpuMs - before.cpuMs);
    this.hours.set(hour, { offeredMs: given.offeredMs + ms * slots, usedMs: given.usedMs + usedMs });
    // Either way: clocks are set back, too.
    if (Math.abs(wallMs - this.writtenAt) > WRITE_EVERY_MS) this.write(wallMs);
  }

  /** Another process begins to count from zero. */
  restarted(): void {
    this.before = undefined;
  }

  /** The last seven days, today last. */
  days(wallMs: number): Day[] {
    const days = Array.from({ length: DAYS }, (_, at) => {
      const date = new Date(wallMs);
      date.setDate(date.getDate() - (DAYS - 1 - at)); // days of 23 and 25 hours too
      return { date: localDate(date), offeredMs: 0, usedMs: 0 };
    });
    for (const [hour, { offeredMs, usedMs }] of this.hours) {
      const day = days.find(({ date }) => date === localDate(new Date(hour * HOUR_MS)));
      if (!day) continue;
      day.offeredMs += offeredMs;
      day.usedMs += usedMs;
    }
    return days;
  }

  /** A full disk loses history, nothing else. */
  write(wallMs: number): void {
    this.writtenAt = wallMs;
    const oldest = Math.floor(wallMs / HOUR_MS) - KEEP_HOURS;
    for (const hour of this.hours.keys()) if (hour < oldest) this.hours.delete(hour);
    const hours = [...this.hours].map(([hour, { offeredMs, usedMs }]) => [hour, Math.round(offeredMs), Math.round(usedMs)]);
    try {
      writeWhole(this.path, `${JSON.stringify({ version: VERSION, hours: hours.slice(-KEEP_HOURS) })}\n`);
    } catch {
      // Tried again at the next time.
    }
  }
}

const localDate = (date: Date): string =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
