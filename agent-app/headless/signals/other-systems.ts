// The owner's input on Windows and macOS for the headless agent. NOT TRIED on either yet: only what their programs print is read under
// test. A desktop PC runs the tray app, which Electron tells about input; this is for an agent without it, and polls.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Source, Watch } from "./source.ts";

const WINDOWS_POLL_MS = 100;
const MACOS_POLL_MS = 1_000;
/** An input a little earlier than the last one known is the same one. */
const SAME_MS = 50;

/** One PowerShell that asks GetLastInputInfo and prints a line when there was input: no native module, no process for each look. */
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
    [Console]::Out.WriteLine([uint32]([Environment]::TickCount -band 0xffffffff) - $info.time)
  }
  Start-Sleep -Milliseconds ${WINDOWS_POLL_MS}
}`;

export function watchWindows(watch: Watch): Source {
  const args = ["-NoProfile", "-NonInteractive", "-Command", POWERSHELL];
  const child: ChildProcess = spawn("powershell.exe", args, { stdio: ["ignore", "pipe", "ignore"], windowsHide: true });
  child.once("error", (error) => watch.log("signals-missing", { source: "windows", message: error.message }));
  child.once("exit", () => watch.update({ lastInputAtMs: undefined }));
  if (child.stdout)
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (/^-?\d+$/.test(line.trim())) watch.update({ lastInputAtMs: watch.now() - Math.max(0, Number(line)) });
    });
  return { close: () => child.kill() };
}

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
