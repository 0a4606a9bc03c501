// Weekly hours: "mon-fri 18:00-08:00" as text, and when they begin and end. Local time; a span that ends before it begins goes on over
// midnight. When clocks change for summer the next look corrects what was foretold.

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY = 1440;
const WEEK = 7 * DAY;
const SPAN = /^([a-z,-]+) (\d\d):(\d\d)-(\d\d):(\d\d)$/;

interface Span {
  /** Minutes since Monday 00:00, below WEEK. */
  from: number;
  minutes: number;
}

/** @returns undefined when the text is no such hours */
export function parseHours(text: string): Span[] | undefined {
  const found = SPAN.exec(text.toLowerCase());
  if (!found) return undefined;
  const [from, to] = [minuteOfDay(found[2], found[3]), minuteOfDay(found[4], found[5])];
  const days = (found[1] ?? "").split(",").map(daysOf);
  if (from === undefined || to === undefined || from === DAY || days.includes(undefined)) return undefined;
  const minutes = to > from ? to - from : to + DAY - from;
  return [...new Set(days.flatMap((list) => list ?? []))].map((day) => ({ from: day * DAY + from, minutes }));
}

function minuteOfDay(hours = "", minutes = ""): number | undefined {
  const value = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && value <= DAY ? value : undefined;
}

/** "mon" or "fri-sun". */
function daysOf(text: string): number[] | undefined {
  const [first, last, ...rest] = text.split("-").map((day) => DAYS.indexOf(day));
  if (first === undefined || first < 0 || rest.length > 0 || last === -1) return undefined;
  return Array.from({ length: (((last ?? first) - first + 7) % 7) + 1 }, (_, at) => (first + at) % 7);
}

/** Is it within the hours, and in how many minutes does that change? Hours that fill the week never do: null. */
export function lookAtHours(
  hours: readonly string[],
  minuteOfWeek: number,
): { inside: boolean; changesInMinutes: number | null } {
  const spans = hours.flatMap((text) => parseHours(text) ?? []);
  const insideAt = (minute: number): boolean =>
    spans.some(({ from, minutes }) => (((minute - from) % WEEK) + WEEK) % WEEK < minutes);
  const inside = insideAt(minuteOfWeek);
  const edges = spans
    .flatMap(({ from, minutes }) => [from, from + minutes])
    .map((edge) => (((edge - minuteOfWeek) % WEEK) + WEEK) % WEEK || WEEK)
    .sort((a, b) => a - b);
  // A little after each edge, where one span may have ended in another.
  const change = edges.find((inMinutes) => insideAt((minuteOfWeek + inMinutes + 1e-6) % WEEK) !== inside);
  return { inside, changesInMinutes: change ?? null };
}
