// Overhead: the published experiment on two chosen hosts, its table while it is measured, what was measured before, and one experiment as a
// report that can be linked to and printed.
import { useEffect, useMemo } from "react";
import { Chart } from "../chart.tsx";
import { type Answer, ask, useAsk } from "../client.ts";
import { useLive } from "../live.ts";
import { experimentStateName, hostStateName } from "../names.ts";
import { attempt, Choice, Confirm, Empty, Fact, Field, Form, Head, ReportPage, Said, Shown, State } from "../parts.tsx";
import { Link, navigate } from "../router.tsx";
import { useMaySteer, useSession } from "../session.tsx";
import { showDuration, showFraction, showSeconds, showTime, t, useLanguage } from "../words.tsx";
import { Measurements } from "./measurements.tsx";

type Experiment = Answer<"experiment">["experiment"];
type Times = Answer<"experiment">["published"];

/** While one is under way. */
const POLL_MS = 1000;
/** So many of the history are shown. */
const MAX_LISTED = 200;
const PARTS = ["ta", "ti", "tb"] as const;
/** As `.state` of style.css colours it. */
const COLOUR = { running: "running", done: "exited", failed: "failed", cancelled: "cancelled", interrupted: "failed" } as const;

export function OverheadPage() {
  const { jobs } = useLive();
  const { role } = useSession();
  // Another job may be one's that somebody has just started elsewhere.
  const asked = useAsk(`${Math.max(0, ...jobs.keys())}`, () => ask("experiments", { query: { limit: MAX_LISTED } }));
  const underway = asked.data?.experiments.find(({ state }) => state === "running");
  usePolling(underway !== undefined, asked.again);
  return (
    <>
      <Head title={t("overhead")} />
      <p className="muted lead">{t("overheadLead")}</p>
      <Shown asked={asked}>
        {({ experiments, more, published }) => (
          <>
            {underway ? (
              <section className="panel">
                <header className="head">
                  <h2>
                    <Link href={`/overhead/${underway.id}`}>{t("overheadTitle", { id: String(underway.id) })}</Link>
                  </h2>
                  <Cancel experiment={underway} done={asked.again} />
                </header>
                <Underway experiment={underway} />
                <Table experiment={underway} published={published} />
              </section>
            ) : (
              role !== "viewer" && <Start />
            )}
            <OverTime experiments={experiments} />
            <section className="panel">
              <h2>{t("overheadHistory")}</h2>
              {experiments.length === 0 ? <Empty title={t("overheadNone")} /> : <History experiments={experiments} />}
              {more && <p className="muted">{t("firstOnly", { count: experiments.length })}</p>}
            </section>
            <Measurements />
          </>
        )}
      </Shown>
    </>
  );
}

export function ExperimentPage({ id }: { id: number }) {
  const asked = useAsk(`${id}`, () => ask("experiment", { params: { experiment: id } }));
  usePolling(asked.data?.experiment.state === "running", asked.again);
  return (
    <Shown asked={asked} title={t("overheadTitle", { id: String(id) })}>
      {({ experiment, published }) => <Report experiment={experiment} published={published} again={asked.again} />}
    </Shown>
  );
}

function Report({ experiment, published, again }: { experiment: Experiment; published: Times; again(): void }) {
  const { id, hosts, runs, n, processes, who, startedAt, endedAt, failure, figures, results } = experiment;
  const [a, b] = hosts;
  return (
    <ReportPage title={t("overheadTitle", { id: String(id) })} tools={<Cancel experiment={experiment} done={again} />}>
      <dl className="totals">
        <Fact label={t("overheadMedian")} strong>
          {figures && showFraction(figures.median.overhead)}
        </Fact>
        <Fact label={t("overheadMean")}>{figures && showFraction(figures.mean.overhead)}</Fact>
        <Fact label={t("overheadPublished")}>{showFraction(published.overhead)}</Fact>
        <Fact label={t("state")}>
          <State of={COLOUR[experiment.state]}>{experimentStateName(experiment)}</State>
        </Fact>
        <Fact label={t("duration")}>{showDuration((endedAt ?? Date.now()) - startedAt)}</Fact>
      </dl>
      <p className="muted">
        {t("overheadBy", { who, at: showTime(startedAt) })} · {t("overheadFacts", { runs, processes, n: String(n) })}
      </p>
      {failure && (
        <div className="failure" role="note">
          <Said {...failure} />
          <code>{failure.code}</code>
        </div>
      )}
      <Underway experiment={experiment} />
      <section className="panel">
        <h2>{t("overheadTimes")}</h2>
        <Table experiment={experiment} published={published} />
        {results.some(({ disturbed }) => disturbed) && <p className="muted">{t("disturbedHint")}</p>}
      </section>
      <div className="columns">
        <section className="panel">
          <h2>{t("hosts")}</h2>
          <ul className="list">
            {hosts.map(({ id: host, name, os, cpuModel, slots }, at) => (
              <li key={host}>
                <span>
                  <strong>{at === 0 ? "A" : "B"}</strong> <Link href={`/hosts/${host}`}>{name}</Link>
                </span>
                <span className="muted">
                  {os} · {cpuModel} · {t("slots")}: {slots}
                </span>
              </li>
            ))}
          </ul>
          {figures && a && b && (
            <p>{t("overheadSpeeds", { a: a.name, b: b.name, factor: (figures.median.ta / figures.median.ti).toFixed(2) })}</p>
          )}
        </section>
        <section className="panel">
          <h2>{t("overheadHow")}</h2>
          <p>{t("overheadMethod", { processes })}</p>
          <p>{t("overheadNoNative")}</p>
        </section>
      </div>
      <p className="no-print">
        <Link href="/overhead">{t("overheadAll")}</Link>
      </p>
    </ReportPage>
  );
}

function usePolling(on: boolean, again: () => void): void {
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(again, POLL_MS);
    return () => clearInterval(timer);
  }, [on, again]);
}

function Start() {
  const { hosts } = useLive();
  const able = [...hosts.values()]
    .filter(({ state }) => state === "idle" || state === "computing")
    .toSorted((a, b) => a.name.localeCompare(b.name));
  const [first, second] = able;
  const options = Object.fromEntries(able.map((host) => [host.id, `${host.name} (${hostStateName(host)})`]));
  return (
    <section className="panel narrow">
      <h2>{t("overheadNew")}</h2>
      {first === undefined || second === undefined ? (
        <Empty title={t("overheadTwo")} />
      ) : (
        <Form
          label={t("overheadStart")}
          send={async ({ first: a = "", second: b = "", runs, n }) => {
            const body = { hosts: [a, b] as [string, string], runs: Number(runs), n: Number(n) };
            const { experiment } = await ask("startExperiment", { body });
            navigate(`/overhead/${experiment.id}`);
          }}
        >
          <div className="row">
            <Choice label={t("overheadFirst")} name="first" value={first.id} options={options} />
            <Choice label={t("overheadSecond")} name="second" value={second.id} options={options} />
            <Field label={t("overheadRuns")} name="runs" type="number" value="4" min={1} max={20} required />
            <Field
              label={t("overheadSize")}
              name="n"
              type="number"
              value="38"
              min={1}
              max={46}
              hint={t("overheadSizeHint")}
              required
            />
          </div>
        </Form>
      )}
    </section>
  );
}

function Cancel({ experiment: { id, who, state }, done }: { experiment: Experiment; done(): void }) {
  const maySteer = useMaySteer()(who);
  if (state !== "running" || !maySteer) return null;
  return (
    <Confirm
      label={t("cancelExperiment")}
      question={t("cancelExperimentQuestion")}
      act={() => attempt(() => ask("cancelExperiment", { params: { experiment: id } }), t("done")).then(done)}
    />
  );
}

/** What it does now, in words that a screen reader says when they change. */
function Underway({ experiment: { state, step, results, runs, hosts } }: { experiment: Experiment }) {
  if (state !== "running" || step === null) return null;
  const run = results.length;
  const where = step === "tb" ? hosts : hosts.slice(step === "ti" ? 1 : 0, step === "ti" ? 2 : 1);
  return (
    <p role="status">
      <span className="pulse" />{" "}
      {step === "preparing"
        ? t("overheadPreparing")
        : t("overheadMeasures", { run, runs, hosts: where.map(({ name }) => name).join(" + ") })}
    </p>
  );
}

function Table({ experiment, published }: { experiment: Experiment; published: Times }) {
  const { id, hosts, results, figures, step, state } = experiment;
  const heads = { ta: t("overheadTa", { host: hosts[0]?.name ?? "A" }), ti: t("overheadTa", { host: hosts[1]?.name ?? "B" }) };
  const label = t("overheadTitle", { id: String(id) });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
    <section className="wide" aria-label={label} tabIndex={0}>
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">{t("overheadRun")}</th>
            <th scope="col">{heads.ta} · ta</th>
            <th scope="col">{heads.ti} · ti</th>
            <th scope="col">{t("overheadTb")} · tb</th>
            <th scope="col">{t("overhead")}</th>
            <th scope="col">{t("migrations")}</th>
          </tr>
        </thead>
        <tbody>
          {results.map((run, at) => (
            <tr key={at}>
              <th scope="row">
                {at + 1} {run.disturbed && <span className="bad-words">{t("disturbed")}</span>}
              </th>
              {PARTS.map((part) => (
                <td key={part}>
                  {run[part] !== null ? (
                    <JobLink job={run.jobs[part]}>{showSeconds(run[part])}</JobLink>
                  ) : state === "running" && step === part ? (
                    <span className="muted">{t("measuring")}</span>
                  ) : (
                    "–"
                  )}
                </td>
              ))}
              <td>{run.overhead === null ? "–" : showFraction(run.overhead)}</td>
              <td>{run.tb === null ? "–" : run.migrations}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          {figures && <Sum label={t("overheadMedianRow")} times={figures.median} />}
          {figures && <Sum label={t("overheadMeanRow")} times={figures.mean} />}
          <Sum label={t("overheadPublished")} times={published} />
        </tfoot>
      </table>
    </section>
  );
}

const JobLink = ({ job, children }: { job: number | undefined; children: string }) =>
  job === undefined ? children : <Link href={`/jobs/${job}`}>{children}</Link>;

const Sum = ({ label, times }: { label: string; times: Times }) => (
  <tr>
    <th scope="row">{label}</th>
    {PARTS.map((part) => (
      <td key={part}>{showSeconds(times[part])}</td>
    ))}
    <td>
      <strong>{showFraction(times.overhead)}</strong>
    </td>
    <td />
  </tr>
);

function OverTime({ experiments }: { experiments: Experiment[] }) {
  const language = useLanguage();
  // language changes the labels
  const { times, lines } = useMemo(() => {
    const measured = experiments.filter(({ state, figures }) => state === "done" && figures !== null).toReversed();
    const values = measured.map(({ figures }) => figures?.median.overhead ?? 0);
    return {
      times: measured.map(({ startedAt }) => startedAt / 1000),
      lines: [{ label: t("overheadMedian"), colour: "night-line", values, dots: true }],
    };
  }, [experiments, language]);
  if (times.length < 2) return null;
  return (
    <div className="charts over">
      <Chart title={t("overheadOverTime")} times={times} lines={lines} top={0.05} show={showFraction} />
    </div>
  );
}

const History = ({ experiments }: { experiments: Experiment[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
  <section className="wide" aria-label={t("overheadHistory")} tabIndex={0}>
    <table className="figures words dense">
      <thead>
        <tr>
          <th scope="col">{t("overheadExperiment")}</th>
          <th scope="col">{t("when")}</th>
          <th scope="col">{t("hosts")}</th>
          <th scope="col">{t("overheadRuns")}</th>
          <th scope="col">fib(n)</th>
          <th scope="col">{t("overheadMedian")}</th>
          <th scope="col">{t("state")}</th>
          <th scope="col">{t("who")}</th>
        </tr>
      </thead>
      <tbody>
        {experiments.map((one) => (
          <tr key={one.id}>
            <th scope="row">
              <Link href={`/overhead/${one.id}`}>{one.id}</Link>
            </th>
            <td>
              <time dateTime={new Date(one.startedAt).toISOString()}>{showTime(one.startedAt)}</time>
            </td>
            <td>{one.hosts.map(({ name }) => name).join(" + ")}</td>
            <td>
              {one.figures?.runs ?? 0}/{one.runs}
            </td>
            <td>{one.n}</td>
            <td>{one.figures ? showFraction(one.figures.median.overhead) : "–"}</td>
            <td>
              <State of={COLOUR[one.state]}>{experimentStateName(one)}</State>
            </td>
            <td>{one.who}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
