// Events of the journal as lines of a file: CSV for spreadsheets (RFC 4180), and JSON, an object a line. Written alike by the coordinator's
// export and by the command line. Pure.

export interface EventLine {
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  who: string;
  what: string;
  target: string;
  details: string;
}

export const EVENT_FORMATS = ["csv", "jsonl"] as const;
export type EventFormat = (typeof EVENT_FORMATS)[number];

/** What a file of that format begins with. The mark in front has spreadsheets read UTF-8. */
export const eventsHead = (format: EventFormat): string => (format === "csv" ? "\uFEFFid,time,who,what,target,details\r\n" : "");

/** The time as ISO 8601 has it, of UTC. */
export function eventLine({ id, at, who, what, target, details }: EventLine, format: EventFormat): string {
  const time = new Date(at).toISOString();
  if (format === "jsonl") return `${JSON.stringify({ id, time, who, what, target, details })}\n`;
  return `${[String(id), time, who, what, target, details].map(csvCell).join(",")}\r\n`;
}

/**
 * Names come from hosts and people, and a spreadsheet takes a cell that begins like a formula for one, which may run programs and send
 * data away: an apostrophe in front makes it text.
 */
function csvCell(text: string): string {
  const safe = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n\t']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
