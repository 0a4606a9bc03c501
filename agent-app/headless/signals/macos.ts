// The owner's input on macOS for the headless agent. NOT TRIED there yet: only what its program prints is read under test. A desktop runs the tray
// app, which Electron tells about input; this is for an agent without it, and polls.
import { execFile } from "node:child_process";
import type { Source, Watch } from "./source.ts";

const MACOS_POLL_MS = 1_000;
/** An input a little earlier than the last one known is the same one. */
const SAME_MS = 50;

/** HIDIdleTime of `ioreg -c IOHIDSystem`, which is in nanoseconds. */
export function parseIoreg(text: string): number | undefined {
  const found = /"HIDIdleTime" = (\d+)/.exec(text);
  return found ? Number(found[1]) / 1e6 : undefined;
}

export function watchMacos(watch: Watch): Source {
  let last = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    execFile("ioreg", ["-c", "IOHIDSystem", "-d", "4"], { timeout: MACOS_POLL_MS, maxBuffer: 1 << 22 }, (error, stdout) => {
      const idleMs = error ? undefined : parseIoreg(stdout);
      if (idleMs === undefined) return watch.update({ lastInputAtMs: undefined });
      const at = watch.now() - idleMs;
      if (at > last + SAME_MS) watch.update({ lastInputAtMs: at });
      last = Math.max(last, at);
    });
  }, MACOS_POLL_MS);
  return { close: () => clearInterval(timer) };
}
