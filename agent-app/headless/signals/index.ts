// Every source of signals that this machine has, opened together and closed together.
import type { Signals } from "../../policy/index.ts";
import { sessionBus } from "./dbus-client.ts";
import { watchInformation } from "./information.ts";
import { type LogindOptions, watchLogind } from "./logind.ts";
import { watchMachine } from "./machine.ts";
import { watchMacos } from "./macos.ts";
import { watchMutter } from "./mutter.ts";
import type { Source, Watch } from "./source.ts";
import { type InputSource, watchWayland, waylandSocket } from "./wayland.ts";
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
    const input = openInput(watch, options.windowsOf);
    sources.push(input, watchLogind(watch, { idleHint: () => !input.tells(), cleared: options.cleared }));
  }
  return {
    close: () => {
      for (const source of sources) source.close();
    },
  };
}

/** Where the owner's input is told best. Under Wayland an X display sees only the input of its own windows. */
function openInput(watch: Watch, windowsOf: number | undefined): InputSource {
  const compositor = waylandSocket();
  const x11 = compositor === undefined ? watchX11(watch, windowsOf) : undefined;
  if (compositor === undefined) return { tells: () => x11 !== undefined, close: () => x11?.close() };
  const opened: InputSource[] = [];
  const bus = sessionBus();
  opened.push(watchWayland(watch, compositor, () => bus !== undefined && opened.push(watchMutter(watch, bus))));
  return {
    tells: () => opened.some((source) => source.tells()),
    close: () => {
      for (const source of opened) source.close();
    },
  };
}
