// What programs take natively, as plain and as migratable WebAssembly, on machines whose users measured it: the newest and the history on the
// Overhead page, and one measurement as a report that can be linked to and printed.
import { useMemo } from "react";
import { Chart } from "../chart.tsx";
import { type Answer, ask, useAsk } from "../client.ts";
import { attempt, Confirm, Empty, Fact, ReportPage, Shown } from "../parts.tsx";
import { Link, navigate, useQuery } from "../router.tsx";
import { useMayAdminister } from "../session.tsx";
import { showFraction, showHundredths, showNumber, showSeconds, showTime, t, useLanguage } from "../words.tsx";

type Measurement = Answer<"measurement">["measurement"];
type Row = Answer<"measurements">["measurements"][number];
type Program = Measurement["programs"][number];

/** So many of the history are shown. */
const MAX_LISTED = 200;
const COMMAND = "nightshift bench kernels --send";
const WAYS = ["native", "plainWasm", "migratable"] as const;
const wayName = (way: (typeof WAYS)[number]): string =>
  ({ native: t("measurementNative"), plainWasm: t("measurementPlain"), migratable: t("measurementMigratable") })[way];

export function Measurements() {
  const [machine, setMachine] = useQuery("machine");
  const asked = useAsk(machine, () => ask("measurements", { query: { machine, limit: MAX_LISTED } }));
  return (
    <section className="panel">
      <Shown asked={asked}>
        {({ measurements, more, machines }) => {
          const [newest] = measurements;
          return (
            <>
              <header className="panel-head">
                <h2>{t("measurements")}</h2>
                {(machines.length > 1 || machine !== "") && (
                  <select
                    aria-label={t("measurementMachine")}
                    value={machine}
                    onChange={({ target }) => setMachine(target.value)}
                  >
                    <option value="">{t("measurementAllMachines")}</option>
                    {[...new Set([...machines, ...(machine === "" ? [] : [machine])])].map((name) => (
                      <option key={name} value={name}>
                        {name}
                      </option>
                    ))}
                  </select>
                )}
              </header>
              <p className="muted lead">
                {t("measurementsLead")} <code>{COMMAND}</code>
              </p>
              {newest === undefined ? (
                <Empty title={t("measurementsNone")} />
              ) : (
                <>
                  <Newest id={newest.id} />
                  {(machines.length === 1 || machine !== "") && <OverTime rows={measurements} />}
                  <h3>{t("overheadHistory")}</h3>
                  <History rows={measurements} />
                </>
              )}
              {more && <p className="muted">{t("firstOnly", { count: measurements.length })}</p>}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

function Newest({ id }: { id: number }) {
  const asked = useAsk(`${id}`, () => ask("measurement", { params: { measurement: id } }));
  return (
    <Shown asked={asked}>
      {({ measurement }) => (
        <>
          <h3>
            <Link href={`/overhead/measurements/${measurement.id}`}>
              {t("measurementNewest", { machine: measurement.machine.name, at: showTime(measurement.at) })}
            </Link>
          </h3>
          <Times measurement={measurement} />
        </>
      )}
    </Shown>
  );
}

export function MeasurementPage({ id }: { id: number }) {
  const asked = useAsk(`${id}`, () => ask("measurement", { params: { measurement: id } }));
  return (
    <Shown asked={asked} title={t("measurements")}>
      {({ measurement }) => <Report measurement={measurement} />}
    </Shown>
  );
}

function Report({ measurement }: { measurement: Measurement }) {
  const { id, at, who, machine, rounds, quick, means } = measurement;
  const administrator = useMayAdminister();
  return (
    <ReportPage
      title={t("measurementTitle", { id: String(id), machine: machine.name })}
      tools={
        administrator && (
          <Confirm
            label={t("measurementRemove")}
            question={t("measurementRemoveQuestion")}
            act={async () => {
              const removed = await attempt(() => ask("removeMeasurement", { params: { measurement: id } }), t("done"));
              if (removed) navigate("/overhead");
            }}
          />
        )
      }
    >
      <dl className="totals">
        <Fact label={t("measurementMigratableOverPlain")} strong>
          {showFraction(means.migratableOverPlain)}
        </Fact>
        <Fact label={t("measurementPlainOverNative")}>
          {means.plainOverNative === null ? "–" : showFraction(means.plainOverNative)}
        </Fact>
        <Fact label={t("measurementMigratableOverNative")}>
          {means.migratableOverNative === null ? "–" : showFraction(means.migratableOverNative)}
        </Fact>
      </dl>
      <p className="muted">
        {t("measurementBy", { who, at: showTime(at) })} · {machine.cpuModel} · {t("measurementCores", { cores: machine.cores })} ·{" "}
        {machine.platform} · Node {machine.node} · {t("measurementRounds", { rounds })}
      </p>
      {quick && <p className="bad-words">{t("measurementQuick")}</p>}
      <section className="panel">
        <h2>{t("overheadTimes")}</h2>
        <Times measurement={measurement} />
      </section>
      <section className="panel">
        <h2>{t("overheadHow")}</h2>
        <p className="lead">{t("measurementMethod")}</p>
      </section>
      <p className="no-print">
        <Link href={`/overhead?machine=${encodeURIComponent(machine.name)}`}>
          {t("measurementAllOf", { machine: machine.name })}
        </Link>
      </p>
    </ReportPage>
  );
}

/** native : plain : migratable, the first of them that there is being 1. */
function ratioOf(native: number | null, plain: number, migratable: number): string {
  const one = native ?? plain;
  const shown = [native, plain, migratable].map((time) =>
    time === null ? "–" : time === one ? "1" : showHundredths(time / one),
  );
  return shown.join(" : ");
}

/** Bars are in units of the same program's plain time, so that they compare between programs. */
function Times({ measurement: { id, programs, means } }: { measurement: Measurement }) {
  const longest = Math.max(...programs.flatMap((one) => WAYS.map((way) => (one[way] ?? 0) / one.plainWasm)));
  const label = t("measurementTimesOf", { id: String(id) });
  const { plainOverNative, migratableOverNative, migratableOverPlain } = means;
  return (
    <>
      <ul className="legend ways">
        {WAYS.map((way) => (
          <li key={way}>
            <i className={`bar ${way}`} />
            {wayName(way)}
          </li>
        ))}
      </ul>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard */}
      <section className="wide" aria-label={label} tabIndex={0}>
        <table className="figures dense">
          <thead>
            <tr>
              <th scope="col">{t("measurementProgram")}</th>
              <th scope="col">{t("measurementBars")}</th>
              {WAYS.map((way) => (
                <th scope="col" key={way}>
                  {wayName(way)}
                </th>
              ))}
              <th scope="col">{t("measurementRatio")}</th>
              <th scope="col">{t("measurementMigratableOverPlain")}</th>
              <th scope="col">{t("measurementModule")}</th>
            </tr>
          </thead>
          <tbody>
            {programs.map((program, at) => (
              <tr key={at}>
                <th scope="row">{program.name}</th>
                <td>
                  <Bars program={program} longest={longest} />
                </td>
                {WAYS.map((way) => (
                  <td key={way}>{program[way] === null ? "–" : showSeconds(program[way])}</td>
                ))}
                <td>{ratioOf(program.native, program.plainWasm, program.migratable)}</td>
                <td>{showFraction(program.migratable / program.plainWasm - 1)}</td>
                <td>× {showHundredths(program.migratableBytes / Math.max(1, program.plainBytes))}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("measurementMean")}</th>
              <td colSpan={4} />
              <td>
                {plainOverNative === null || migratableOverNative === null
                  ? ratioOf(null, 1, 1 + migratableOverPlain)
                  : ratioOf(1, 1 + plainOverNative, 1 + migratableOverNative)}
              </td>
              <td>
                <strong>{showFraction(migratableOverPlain)}</strong>
              </td>
              <td />
            </tr>
          </tfoot>
        </table>
      </section>
    </>
  );
}

/** The same is in the row's figures. */
const Bars = ({ program, longest }: { program: Program; longest: number }) => (
  <span className="bars" aria-hidden="true">
    {WAYS.map((way) => (
      <i key={way} className={way} style={{ width: `${((program[way] ?? 0) / program.plainWasm / longest) * 100}%` }} />
    ))}
  </span>
);

function OverTime({ rows }: { rows: Row[] }) {
  const language = useLanguage();
  // language changes the labels
  const { times, lines } = useMemo(() => {
    // Natively or not, quick or not: only what is measured alike can be compared.
    const shown = rows.filter(({ quick }) => !quick).toReversed();
    const native = shown.every(({ means }) => means.plainOverNative !== null);
    const line = (label: string, colour: string, of: (row: Row) => number) => ({
      label,
      colour,
      values: shown.map(of),
      dots: true,
    });
    return {
      times: shown.map(({ at }) => at / 1000),
      lines: [
        line(t("measurementMigratableOverPlain"), "moon-line", ({ means }) => means.migratableOverPlain),
        ...(native ? [line(t("measurementPlainOverNative"), "night-line", ({ means }) => means.plainOverNative ?? 0)] : []),
      ],
    };
  }, [rows, language]);
  if (times.length < 2) return null;
  return (
    <div className="charts over">
      <Chart title={t("measurementOverTime")} times={times} lines={lines} top={0.05} show={showFraction} />
    </div>
  );
}

const History = ({ rows }: { rows: Row[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
  <section className="wide" aria-label={t("measurements")} tabIndex={0}>
    <table className="figures words dense">
      <thead>
        <tr>
          <th scope="col">{t("measurement")}</th>
          <th scope="col">{t("when")}</th>
          <th scope="col">{t("measurementMachine")}</th>
          <th scope="col">{t("measurementPrograms")}</th>
          <th scope="col">{t("measurementMigratableOverPlain")}</th>
          <th scope="col">{t("measurementPlainOverNative")}</th>
          <th scope="col">{t("who")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, at, machine, programs, means, quick, who }) => (
          <tr key={id}>
            <th scope="row">
              <Link href={`/overhead/measurements/${id}`}>{id}</Link>
            </th>
            <td>
              <time dateTime={new Date(at).toISOString()}>{showTime(at)}</time>
            </td>
            <td>{machine.name}</td>
            <td>
              {showNumber(programs)} {quick && <span className="muted">{t("measurementQuickShort")}</span>}
            </td>
            <td>{showFraction(means.migratableOverPlain)}</td>
            <td>{means.plainOverNative === null ? "–" : showFraction(means.plainOverNative)}</td>
            <td>{who}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
