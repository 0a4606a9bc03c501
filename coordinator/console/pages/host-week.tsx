// The week of a host as a heat map: at which hours it computes, could compute, or belongs to its owner.
import { useMemo, useState } from "react";
import { ask, useAsk } from "../client.ts";
import { Empty, Shown } from "../parts.tsx";
import type { Key } from "../texts.ts";
import { type Shares, weekOf } from "../week.ts";
import { showPercent, showWeekday, t } from "../words.tsx";

const KINDS = {
  computing: "weekComputing",
  idle: "weekIdle",
  owner: "weekOwner",
  paused: "weekPaused",
  offline: "weekOffline",
} as const;
type Kind = keyof typeof KINDS;
/** Shades of a cell. */
const STEPS = 6;
const DAYS = [0, 1, 2, 3, 4, 5, 6];
const HOURS = Array.from({ length: 24 }, (_, at) => at);

export function HostWeek({ host }: { host: string }) {
  const [kind, setKind] = useState<Kind>("computing");
  const asked = useAsk(host, () => ask("hostHours", { params: { host } }));
  return (
    <section className="panel">
      <header className="panel-head">
        <h2>{t("itsWeek")}</h2>
        <select aria-label={t("weekShows")} value={kind} onChange={({ target }) => setKind(target.value as Kind)}>
          {(Object.entries(KINDS) as [Kind, Key][]).map(([one, key]) => (
            <option key={one} value={one}>
              {t(key)}
            </option>
          ))}
        </select>
      </header>
      <Shown asked={asked}>{({ hours }) => <Week hours={hours} kind={kind} />}</Shown>
    </section>
  );
}

function Week({ hours, kind }: { hours: Parameters<typeof weekOf>[0]; kind: Kind }) {
  const week = useMemo(() => weekOf(hours, Date.now()), [hours]);
  if (hours.length === 0) return <Empty title={t("weekNothing")} />;
  return (
    <>
      <table className="week" aria-label={t("weekOf", { kind: t(KINDS[kind]) })}>
        <thead>
          <tr>
            <td />
            {HOURS.map((hour) => (
              <th key={hour} scope="col">
                <span className={hour % 3 === 0 ? "" : "hidden"}>{hour}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {DAYS.map((day) => (
            <tr key={day}>
              <th scope="row">{showWeekday(day)}</th>
              {HOURS.map((hour) => (
                <Cell key={hour} shares={week[day]?.[hour]} kind={kind} at={`${showWeekday(day)} ${hour}:00`} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="scale" aria-hidden="true">
        <span>0 %</span>
        <span className="steps">
          {Array.from({ length: STEPS + 1 }, (_, step) => (
            <i key={HOURS[step]} className={`heat${step}`} />
          ))}
        </span>
        <span>100 %</span>
      </p>
      <p className="muted">{t("weekHint")}</p>
    </>
  );
}

function Cell({ shares, kind, at }: { shares: Shares | undefined; kind: Kind; at: string }) {
  if (!shares || shares.hours === 0)
    return (
      <td className="unknown" title={`${at} · ${t("weekUnknown")}`}>
        <span className="hidden">–</span>
      </td>
    );
  const all = (Object.entries(KINDS) as [Kind, Key][])
    .filter(([one]) => shares[one] >= 0.005)
    .map(([one, key]) => `${t(key)} ${showPercent(shares[one])}`);
  const step = shares[kind] < 0.005 ? 0 : Math.max(1, Math.round(shares[kind] * STEPS));
  return (
    <td className={`heat${step}`} title={[at, ...all].join(" · ")}>
      <span className="hidden">{showPercent(shares[kind])}</span>
    </td>
  );
}
