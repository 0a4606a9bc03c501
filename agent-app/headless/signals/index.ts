// Every source of signals that this machine has, opened together and closed together.
import type { Signals } from "../../policy/index.ts";
import { watchInformation } from "./information.ts";
import { type LogindOptions, watchLogind } from "./logind.ts";
import { watchMachine } from "./machine.ts";
import { watchMacos } from "./macos.ts";
import type { Source, Watch } from "./source.ts";
import { watchWindows } from "./windows.ts";
import { watchX11 } from "./x11.ts";

export interface SourceOptions extends Pick<LogindOptions, "cleared"> {
  /** Path of owner.exe (windows.ts), where the agent was packaged with it. */
  ownerProgram?: string | undefined;
  /** A process whose windows do not count as filling the screen: it shows our screensaver. */
  windowsOf?: number | undefined;
  /** Whose disk must not fill up. */
  directory: string;
  /** The policy wants the names of running programs. */
  withPrograms(): boolean;
}

/** What is known before any source has told anything: is there a desktop at which an owner could sit? */
export function firstSignals(env: NodeJS.ProcessEnv = process.env): Signals {
  if (process.platform === "win32" || process.platform === "darwin") return { desktop: true };
  return { desktop: Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || /^(x11|wayland)$/.test(env.XDG_SESSION_TYPE ?? "")) };
}

export function openSources(watch: Watch, options: SourceOptions): Source {
  const sources: Source[] = [watchMachine(watch, options.directory, options.withPrograms)];
  if (process.platform !== "linux") sources.push(watchInformation(watch, options.withPrograms));
  if (process.platform === "win32") sources.push(watchWindows(watch, options));
  else if (process.platform === "darwin") sources.push(watchMacos(watch));
  else if (process.platform === "linux") {
    // Under Wayland an X display sees only the input of its own windows.
    const wayland = Boolean(process.env.WAYLAND_DISPLAY) || process.env.XDG_SESSION_TYPE === "wayland";
    const x11 = wayland ? undefined : watchX11(watch, options.windowsOf);
    if (x11) sources.push(x11);
    sources.push(watchLogind(watch, { idleHint: x11 === undefined, cleared: options.cleared }));
  }
  return {
    close: () => {
      for (const source of sources) source.close();
    },
  };
}
