// The page "history": a week of processor hours on offer and used, as bars and, for who cannot see them, as a table.
import { useEffect, useState } from "react";
import type { HostCredit } from "../../agent/index.ts";
import type { Day } from "../ipc/state.ts";
import { ask, hoursText, type PageProps } from "./asking.ts";

const WIDTH = 700;
const HEIGHT = 260;
const BOTTOM = 36;
const TOP = 24;
const BAR = 44;

function creditText({ credit, weekCredit, rank, hosts }: HostCredit, words: PageProps["words"], language: string): string {
  const number = (value: number): string =>
    new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 2 : 0 }).format(value);
  return rank === null ? words.creditNone : words.credit(number(credit), number(weekCredit), rank, hosts);
}

export function History({ state, words }: PageProps) {
  const [days, setDays] = useState<readonly Day[]>([]);
  const { offeredMs } = state.today;
  // What was offered today changes as the history does.
  useEffect(() => {
    ask("history", null).then(setDays, () => undefined);
  }, [Math.floor(offeredMs / 60_000)]);
  const most = Math.max(...days.map(({ offeredMs, usedMs }) => Math.max(offeredMs, usedMs)), 1);
  const dayName = (date: string, long: boolean): string =>
    new Intl.DateTimeFormat(state.language, long ? { dateStyle: "medium" } : { weekday: "short", day: "numeric" }).format(
      new Date(`${date}T12:00:00`),
    );
  const step = WIDTH / Math.max(days.length, 1);
  const height = (ms: number): number => ((HEIGHT - BOTTOM - TOP) * ms) / most;
  const empty = days.every(({ offeredMs, usedMs }) => offeredMs + usedMs === 0);
  return (
    <>
      <h1>{words.historyTitle}</h1>
      <p className="lead">{words.historyLead}</p>
      {state.credit && <p className="credit">{creditText(state.credit, words, state.language)}</p>}
      {empty ? (
        <p className="quiet">{words.historyEmpty}</p>
      ) : (
        <>
          <p className="legend" aria-hidden="true">
            <span className="swatch offered" /> {words.offered} <span className="swatch used" /> {words.used}
          </p>
          <svg className="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
            <line x1="0" x2={WIDTH} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} className="axis" />
            {days.map(({ date, offeredMs, usedMs }, at) => {
              const x = at * step + (step - BAR) / 2;
              const base = HEIGHT - BOTTOM;
              return (
                <g key={date}>
                  <rect x={x} y={base - height(offeredMs)} width={BAR} height={height(offeredMs)} rx="4" className="offered" />
                  <rect x={x} y={base - height(usedMs)} width={BAR} height={height(usedMs)} rx="4" className="used" />
                  {offeredMs > 0 && (
                    <text x={x + BAR / 2} y={base - height(Math.max(offeredMs, usedMs)) - 7}>
                      {hoursText(usedMs, state.language)} / {hoursText(offeredMs, state.language)}
                    </text>
                  )}
                  <text x={x + BAR / 2} y={HEIGHT - 12}>
                    {dayName(date, false)}
                  </text>
                </g>
              );
            })}
          </svg>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.day}</th>
                <th scope="col" className="number">
                  {words.offered}
                </th>
                <th scope="col" className="number">
                  {words.used}
                </th>
              </tr>
            </thead>
            <tbody>
              {days.map(({ date, offeredMs, usedMs }) => (
                <tr key={date}>
                  <td>{dayName(date, true)}</td>
                  <td className="number">{words.hours(hoursText(offeredMs, state.language))}</td>
                  <td className="number">{words.hours(hoursText(usedMs, state.language))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}
