// The moon of the window, as in the tray: full while computing, a crescent that waits, a ring while paused.
import type { TrayIcon } from "../main/port.ts";

/** The tray's are in icons/. */
export function Moon({ icon, size }: { icon: TrayIcon; size: number }) {
  return (
    <svg className={`moon moon-${icon}`} width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      {icon === "computing" || icon === "attention" ? (
        <circle cx="16" cy="16" r="12.5" className="lit" />
      ) : icon === "paused" ? (
        <circle cx="16" cy="16" r="12" className="outline" />
      ) : (
        <path d="M21 4.2A12.5 12.5 0 1 0 28.4 20.5 10.2 10.2 0 0 1 21 4.2Z" className={icon === "waiting" ? "lit" : "outline"} />
      )}
      {icon === "paused" && <path d="M12.6 11.5v9M19.4 11.5v9" className="outline" />}
      {icon === "offline" && <path d="M20 6l8 8M28 6l-8 8" className="mark" />}
      {icon === "attention" && <path d="M16 9v8.5M16 22.6v.2" className="hollow" />}
    </svg>
  );
}
