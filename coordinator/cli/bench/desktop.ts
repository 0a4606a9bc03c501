// A desktop of their own for benchmarks and tests of the owner's side: an X server without a screen (Xvfb), and xdotool as the owner's
// hands.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** What is missing for a desktop here, as a sentence; undefined when nothing is. */
export function desktopMissing(): string | undefined {
  const missing = ["Xvfb", "xdotool"].filter((program) => spawnSync("which", [program]).status !== 0);
  return missing.length === 0
    ? undefined
    : `${missing.join(" and ")} not found: no desktop to test on (Debian: apt install xvfb xdotool)`;
}

export class Desktop {
  readonly display: string;
  private readonly server: ChildProcess;

  private constructor(server: ChildProcess, display: string) {
    this.server = server;
    this.display = display;
  }

  static async start(): Promise<Desktop> {
    // Without -noreset it begins anew whenever the last program leaves it, and closes the door meanwhile.
    const server = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "640x480x8", "-noreset", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    process.once("exit", () => server.kill());
    const told = server.stdio[3];
    if (!told) throw new Error("no pipe from Xvfb");
    const [line] = await Promise.race([
      once(told, "data"),
      once(server, "exit").then(() => {
        throw new Error("Xvfb ended");
      }),
    ]);
    return new Desktop(server, `:${String(line).trim()}`);
  }

  /** For programs on this desktop, which is their only one. */
  get env(): NodeJS.ProcessEnv {
    const { WAYLAND_DISPLAY: _, XDG_SESSION_TYPE: __, XAUTHORITY: ___, ...rest } = process.env;
    return { ...rest, DISPLAY: this.display, LC_ALL: "C", DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/nonexistent" };
  }

  /** The owner touches the keyboard or the mouse. @param words of xdotool */
  async input(...words: string[]): Promise<void> {
    const one = spawn("xdotool", words.length > 0 ? words : ["click", "1"], { env: this.env, stdio: "ignore" });
    const [status] = await once(one, "exit");
    if (status !== 0) throw new Error(`xdotool ended with ${status}`);
  }

  /** The same without the time that a program takes to start. It returns when the word is given, not when it is done. */
  hands(): { input(words: string): void; close(): void } {
    const hands = spawn("xdotool", ["-"], { env: this.env, stdio: ["pipe", "ignore", "ignore"] });
    hands.stdin.on("error", () => undefined);
    return { input: (words) => void hands.stdin.write(`${words}\n`), close: () => hands.stdin.end() };
  }

  async close(): Promise<void> {
    if (this.server.exitCode !== null || this.server.signalCode !== null) return;
    this.server.kill();
    await once(this.server, "exit");
  }
}
