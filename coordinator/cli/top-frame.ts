// One frame of `nightshift top`: a bar per host, then the processes, cut to the screen. Pure: lists in, text out.
import { type HostRow, hostColour, hostState } from "./commands/hosts.ts";
import { type ProcessRow, processColumns } from "./commands/ps.ts";
import { displayWidth, printable, renderTable } from "./table.ts";
import type { Paint } from "./terminal.ts";

export interface Screen {
  columns: number;
  rows: number;
}

export interface Scene {
  address: string;
  hosts: readonly HostRow[];
  processes: readonly ProcessRow[];
  now: number;
}

/** Lines of at most `columns` characters (not counting colours), at most `rows` of them. */
export function renderTop(scene: Scene, screen: Screen, paint: Paint): string[] {
  const hosts = [...scene.hosts].sort((a, b) => Number(b.online) - Number(a.online) || (a.name < b.name ? -1 : 1));
  const online = hosts.filter((host) => host.online);
  const total = (of: (host: HostRow) => number): number => online.reduce((sum, host) => sum + of(host), 0);
  const running = total((host) => host.running);
  const slots = total((host) => host.slots);
  const head = `Nightshift ${scene.address}   ${online.length} of ${hosts.length} hosts   ${running}/${slots} slots busy   ${scene.processes.length} ${scene.processes.length === 1 ? "process" : "processes"}`;
  const nameWidth = Math.min(24, Math.max(4, ...hosts.map((host) => displayWidth(printable(host.name)))));
  // Never more than half of the screen, so that processes are seen as well.
  const shownHosts = hosts.slice(0, Math.max(1, Math.floor(screen.rows / 2) - 3));
  const hidden = hosts.length - shownHosts.length;
  const lines = [
    paint.bold(cut(head, screen.columns)),
    "",
    ...shownHosts.map((host) => hostLine(host, nameWidth, screen.columns, paint)),
    ...(hidden > 0 ? [paint.dim(`  and ${hidden} more`)] : []),
    "",
  ];
  const order = [...scene.processes].sort((a, b) => rank(a) - rank(b) || b.cpuMs - a.cpuMs || a.pid - b.pid);
  const room = Math.max(0, screen.rows - lines.length - 2);
  const table = renderTable(processColumns(paint, scene.now), order.slice(0, room)).trimEnd().split("\n");
  if (order.length === 0) lines.push(paint.dim("  nothing to do; try: nightshift run -d fork-fibonacci 40"));
  else
    lines.push(paint.dim(cut(table[0] ?? "", screen.columns)), ...table.slice(1).map((line) => cutPainted(line, screen.columns)));
  if (order.length > room) lines.push(paint.dim(`  and ${order.length - room} more`));
  return lines.slice(0, screen.rows);
}

/** Computing first, then ready, then waiting. */
function rank(row: ProcessRow): number {
  if (row.waiting !== null) return 3;
  return row.state === "running" ? 0 : row.state === "migrating" ? 1 : 2;
}

/** `amun    [########========------            ]  1.9  1 running, 14 ready` */
function hostLine(host: HostRow, nameWidth: number, columns: number, paint: Paint): string {
  const name = printable(host.name).slice(0, nameWidth).padEnd(nameWidth);
  const queue = host.runnable === 0 ? "" : `, ${host.runnable} ready`;
  const waiting = host.blocked === 0 ? "" : `, ${host.blocked} waiting`;
  const state = host.online && host.paused === null ? `${host.running}/${host.slots} busy${queue}${waiting}` : hostState(host);
  const width = Math.max(8, Math.min(50, columns - nameWidth - 36));
  const bar = loadBar(host, width, paint);
  const tail = cut(` ${state}`, Math.max(0, columns - nameWidth - width - 5));
  return `${paint.bold(name)}  [${bar}]${hostColour(paint, host)(tail)}`;
}

/** Slots that compute (green) of all slots; beyond the end of the bar yellow for processes that wait for one. */
export function loadBar(host: Pick<HostRow, "online" | "slots" | "running" | "runnable">, width: number, paint: Paint): string {
  if (!host.online || host.slots === 0) return " ".repeat(width);
  // The bar is as long as the slots, or as all that want one, so that it always fits.
  const whole = Math.max(host.slots, host.running + host.runnable);
  const busy = Math.round((host.running / whole) * width);
  const ready = Math.min(width - busy, Math.round((host.runnable / whole) * width));
  return paint.green("█".repeat(busy)) + paint.yellow("▒".repeat(ready)) + " ".repeat(width - busy - ready);
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** Like cut, for a line with escape sequences, which take no room. */
function cutPainted(line: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  const pieces = line.split(/(\x1b\[\d+m)/);
  let room = columns;
  return pieces
    .map((piece) => {
      if (piece.startsWith("\x1b")) return piece;
      const kept = piece.slice(0, Math.max(0, room));
      room -= piece.length;
      return kept;
    })
    .join("");
}
