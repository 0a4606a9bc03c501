// What the app was started with: a join link, or as a screensaver of Windows (`/s`, `/p HWND`, `/c`, also `/c:HWND`, also with a dash).

export type StartedAs =
  | { kind: "app"; link: string | null; hidden: boolean }
  | { kind: "screensaver" }
  /** The small picture in the system's settings; `window` is the handle it would be drawn into. */
  | { kind: "preview"; window: string }
  | { kind: "settings" };

/** @param argv without the program itself */
export function parseCommandLine(argv: readonly string[]): StartedAs {
  const [first = "", second = ""] = argv;
  const found = /^[/-]([spc])(?::(\d+))?$/i.exec(first);
  switch (found?.[1]?.toLowerCase()) {
    case "s":
      return { kind: "screensaver" };
    case "p": {
      const window = found?.[2] ?? second;
      return /^\d{1,20}$/.test(window) ? { kind: "preview", window } : { kind: "settings" };
    }
    case "c":
      return { kind: "settings" };
  }
  const link = argv.find((text) => /^nightshifts?:\/\//i.test(text)) ?? null;
  return { kind: "app", link, hidden: argv.includes("--hidden") };
}
