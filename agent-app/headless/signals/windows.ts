// Windows' signals: input, lock, screen saver, display, full screen, remote sessions, sleep and the session's end. A program of ours in C says them
// (installer/windows/owner.c), which packages bring along: no native module to build, and it needs no rights. Tried under wine, not on Windows yet.
// An agent that was not packaged has PowerShell, which says input alone.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getRawAsset, isSea } from "node:sea";
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";
import { watchLines } from "./told-lines.ts";

const POWERSHELL_POLL_MS = 100;
/** owner.exe says everything again every two seconds: one that is silent for so long hangs, and nobody knows whether the owner is here. */
const SILENT_MS = 10_000;

export interface WindowsOptions {
  /** Path of owner.exe; undefined: PowerShell instead. */
  ownerProgram?: string | undefined;
  /** A process whose windows do not count as filling the screen. */
  windowsOf?: number | undefined;
  /** Resolves when nothing is left here that should leave before the machine sleeps. */
  cleared(): Promise<void>;
}

const UNKNOWN: Signals = {
  lastInputAtMs: undefined,
  locked: undefined,
  screensaver: undefined,
  displayOff: undefined,
  fullScreen: undefined,
  remoteSession: undefined,
  otherUser: undefined,
};

/** One line of owner.exe. @param nowMs on the clock of the signals @returns undefined: it is none */
export function parseLine(line: string, nowMs: number): Signals | undefined {
  const input = /^input (\d{1,10})$/.exec(line);
  if (input) return { lastInputAtMs: nowMs - Number(input[1]) };
  const ending = /^ending ([01])$/.exec(line);
  if (ending) return { ending: ending[1] === "1" };
  const screen = /^screen locked=([01]) saver=([01]) off=([01]) full=([01]) remote=([01]) other=([01])$/.exec(line);
  if (!screen) return undefined;
  const [locked, screensaver, displayOff, fullScreen, remoteSession, otherUser] = screen.slice(1).map((digit) => digit === "1");
  return { locked, screensaver, displayOff, fullScreen, remoteSession, otherUser };
}

/**
 * owner.exe out of the single file that this agent is, where it is one and has it.
 * @param directory gets it @returns its path
 * @throws what the file system says
 */
export function unpackOwnerProgram(directory: string): string | undefined {
  if (process.platform !== "win32" || !isSea()) return undefined;
  const path = join(directory, "owner.exe");
  const bytes = Buffer.from(getRawAsset("owner.exe"));
  if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
  return path;
}

/** Asks GetLastInputInfo and prints a line when there was input: one process, none for each look. */
const POWERSHELL = `
Add-Type -Namespace Nightshift -Name Input -MemberDefinition '
[StructLayout(LayoutKind.Sequential)] public struct Info { public uint size; public uint time; }
[DllImport("user32.dll")] public static extern bool GetLastInputInfo(ref Info info);'
$info = New-Object Nightshift.Input+Info
$info.size = 8
$last = -1
while ($true) {
  if ([Nightshift.Input]::GetLastInputInfo([ref]$info) -and $info.time -ne $last) {
    $last = $info.time
    $ago = ([uint32]([Environment]::TickCount -band 0xffffffffL) - [long]$info.time) -band 0xffffffffL
    [Console]::Out.WriteLine("input $ago")
  }
  Start-Sleep -Milliseconds ${POWERSHELL_POLL_MS}
}`;

/** Only what Electron does not tell on Windows. */
export const watchScreen = (watch: Watch, options: WindowsOptions): Source =>
  watchWindows(
    {
      ...watch,
      update: (signals) => {
        const { displayOff, fullScreen, remoteSession, otherUser } = signals;
        if ("fullScreen" in signals) watch.update({ displayOff, fullScreen, remoteSession, otherUser });
      },
    },
    options,
  );

export const watchWindows = (watch: Watch, { ownerProgram, windowsOf, cleared }: WindowsOptions): Source =>
  watchLines(watch, {
    source: "windows",
    parse: parseLine,
    unknown: UNKNOWN,
    // The session or the machine waits for this line, some seconds at most.
    heard: ({ ending }, answer) => {
      if (ending) void cleared().then(answer);
    },
    ...(ownerProgram === undefined
      ? { command: "powershell.exe", args: ["-NoProfile", "-NonInteractive", "-Command", POWERSHELL], endsWithInput: false }
      : {
          ...{ command: ownerProgram, args: windowsOf === undefined ? [] : [String(windowsOf)] },
          ...{ endsWithInput: true, silentMs: SILENT_MS },
        }),
  });
