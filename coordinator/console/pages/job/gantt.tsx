// When which process was on which host, and where it moved: a line for each process, or lanes for each host.
import { useMemo, useState } from "react";
import type { Answer } from "../../client.ts";
import { Empty } from "../../parts.tsx";
import { showClock, t } from "../../words.tsx";
import { barsOf, lanesOf } from "./bars.ts";

type Stay = Answer<"stays">["stays"][number];

const MAX_LINES = 300;
/** Those of style.css, each once in the legend. */
const HOST_COLOURS = 12;

export function Gantt({ stays, until }: { stays: Stay[]; until: number }) {
  const [by, setBy] = useState<"process" | "host">("process");
  const { bars, all, hosts, from, processes } = useMemo(() => {
    const bars = barsOf(stays, until);
    const hosts = [...new Set(bars.map(({ host }) => host))].sort();
    const pids = [...new Set(bars.map(({ pid }) => pid))];
    const lineOf = new Map(pids.map((pid, at) => [pid, at]));
    const placed = by === "host" ? lanesOf(bars, hosts) : bars.map((bar) => ({ ...bar, line: lineOf.get(bar.pid) ?? 0 }));
    return {
      ...{ bars: placed, hosts, processes: pids.length, from: Math.min(until, ...stays.map(({ at }) => at)) },
      all: placed.reduce((most, { line }) => Math.max(most, line + 1), 0),
    };
  }, [stays, until, by]);
  if (bars.length === 0) return <Empty title={t("notStarted")} />;
  const lines = Math.min(MAX_LINES, all);
  const rowPx = lines <= 40 ? 18 : 8;
  const span = Math.max(1, until - from);
  const x = (at: number): number => ((at - from) / span) * 1000;
  const count = (by: "move" | "restart"): number => bars.filter((bar) => bar.by === by).length;
  const label = t("ganttLabel", { processes, hosts: hosts.length, moves: count("move"), restarts: count("restart") });
  return (
    <>
      <div className="row">
        <select
          aria-label={t("ganttBy")}
          value={by}
          onChange={({ target }) => setBy(target.value === "host" ? "host" : "process")}
        >
          <option value="process">{t("ganttByProcess")}</option>
          <option value="host">{t("ganttByHost")}</option>
        </select>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard */}
      <div className="gantt" role="img" aria-label={label} tabIndex={0}>
        <svg aria-hidden="true" viewBox={`0 0 1000 ${lines * rowPx}`} preserveAspectRatio="none" height={lines * rowPx}>
          {bars.map((bar) => {
            if (bar.line >= MAX_LINES) return null;
            const y = bar.line * rowPx;
            return (
              <g key={`${bar.pid} ${bar.from}`}>
                <rect
                  className={`host${hosts.indexOf(bar.host) % HOST_COLOURS}`}
                  x={x(bar.from)}
                  y={y + 1}
                  width={Math.max(1, x(bar.to) - x(bar.from))}
                  height={rowPx - 3}
                >
                  <title>{`${t("pid")} ${bar.pid} · ${bar.host} · ${showClock(bar.from)} – ${showClock(bar.to)}`}</title>
                </rect>
                {(bar.by === "move" || bar.by === "restart") && (
                  <rect className={bar.by} x={x(bar.from) - 1.5} y={y} width={3} height={rowPx} />
                )}
              </g>
            );
          })}
        </svg>
      </div>
      <p className="scale">
        <span>{showClock(from)}</span>
        <span>{showClock(until)}</span>
      </p>
      {all > lines && <p className="muted">{t("firstOnly", { count: lines })}</p>}
      <ul className="legend">
        {hosts.slice(0, HOST_COLOURS).map((host, at) => (
          <li key={host}>
            <i className={`bar host${at % HOST_COLOURS}`} />
            {host}
          </li>
        ))}
        <li>
          <i className="bar move" />
          {t("migration")}
        </li>
        <li>
          <i className="bar restart" />
          {t("ganttRestart")}
        </li>
      </ul>
    </>
  );
}
