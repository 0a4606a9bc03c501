// The owner's input on macOS for the headless agent. NOT TRIED there yet: only what its programs print is read under test. A desktop runs the tray
// app, which Electron tells about input; this is for an agent without it. One program of the system looks every 100 ms, in JavaScript for
// Automation, and says when there was input; where that says nothing, another is asked once a second.
import { execFile } from "node:child_process";
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";
import { watchLines } from "./told-lines.ts";

const SILENT_MS = 10_000;
const ASK_MS = 1_000;
/** An input a little earlier than the last one known is the same one. */
const SAME_MS = 50;

/** State 1: of the hardware, whatever programs make up; type ~0: any input. Says it again every two seconds, so that silence means something. */
const LOOKS = `
ObjC.import("Foundation");
ObjC.import("CoreGraphics");
var out = $.NSFileHandle.fileHandleWithStandardOutput, last = 0;
for (var look = 0; ; look++) {
  var idle = $.CGEventSourceSecondsSinceLastEventType(1, 4294967295) * 1000, at = Date.now() - idle;
  if (look % 20 === 0 || at > last + ${SAME_MS}) out.writeData($("input " + Math.round(idle) + "\\n").dataUsingEncoding(4));
  last = Math.max(last, at);
  delay(0.1);
}`;

/** "input MS": there was input that long ago. */
export function parseInput(line: string, nowMs: number): Signals | undefined {
  const found = /^input (\d{1,12})$/.exec(line);
  return found ? { lastInputAtMs: nowMs - Number(found[1]) } : undefined;
}

/** HIDIdleTime of `ioreg -c IOHIDSystem`, which is in nanoseconds. */
export function parseIoreg(text: string): number | undefined {
  const found = /"HIDIdleTime" = (\d+)/.exec(text);
  return found ? Number(found[1]) / 1e6 : undefined;
}

/** @param command the program that looks; another one in tests */
export function watchMacos(watch: Watch, command = "osascript"): Source {
  let asking: Source | undefined;
  const looking = watchLines(watch, {
    ...{ source: "macos", command, args: ["-l", "JavaScript", "-e", LOOKS], endsWithInput: false, silentMs: SILENT_MS },
    parse: parseInput,
    unknown: { lastInputAtMs: undefined },
    ended: (spoke) => {
      if (!spoke) asking = ask(watch);
      return spoke;
    },
  });
  return {
    close: () => {
      looking.close();
      asking?.close();
    },
  };
}

function ask(watch: Watch): Source {
  let last = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    execFile("ioreg", ["-c", "IOHIDSystem", "-d", "4"], { timeout: ASK_MS, maxBuffer: 1 << 22 }, (error, stdout) => {
      const idleMs = error ? undefined : parseIoreg(stdout);
      if (idleMs === undefined) return watch.update({ lastInputAtMs: undefined });
      const at = watch.now() - idleMs;
      if (at > last + SAME_MS) watch.update({ lastInputAtMs: at });
      last = Math.max(last, at);
    });
  }, ASK_MS);
  return { close: () => clearInterval(timer) };
}
