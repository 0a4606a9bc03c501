// The page "now": what this PC does for whom, why it does not, how much it has given today; and the way to stop it.
import { useState } from "react";
import type { ProcessGlance } from "../../agent/index.ts";
import { type Words, workText } from "../words/catalogue.ts";
import { saidIn } from "../words/refusals.ts";
import { ask, hoursText, megabytesText, messageOf, type PageProps, timeText } from "./asking.ts";
import { Moon } from "./moon.tsx";

const HOUR_MS = 3_600_000;

export function Now({ state, words }: PageProps) {
  const { language, coordinator, processes, problem, pause, today } = state;
  const said = problem && saidIn(language, problem.code, problem.message);
  const [failure, setFailure] = useState("");
  const order = (work: Promise<unknown>): void => {
    setFailure("");
    work.catch((thrown: unknown) => setFailure(messageOf(thrown, language)));
  };
  return (
    <>
      <header className="hero">
        <Moon icon={state.icon} size={88} />
        <div>
          <h1 aria-live="polite">{state.headline}</h1>
          {state.reasons.length > 1 && <p className="quiet">{state.reasons.slice(1).join(" · ")}</p>}
          <p className="actions">
            {coordinator === null ? (
              <a className="button primary" href="#join">
                {words.joinTitle}
              </a>
            ) : pause !== null ? (
              <button type="button" className="primary" onClick={() => order(ask("resume", null))}>
                {words.resume}
              </button>
            ) : (
              <>
                {state.runUntilMs !== null ? (
                  <button type="button" className="primary" onClick={() => order(ask("resume", null))}>
                    {words.stopRunNow}
                  </button>
                ) : (
                  state.icon === "paused" && (
                    <button type="button" onClick={() => order(ask("runNow", { forMs: HOUR_MS }))}>
                      {words.runNow}
                    </button>
                  )
                )}
                <button type="button" onClick={() => order(ask("pause", { forMs: HOUR_MS, untilTomorrow: false }))}>
                  {words.pauseHour}
                </button>
                <button type="button" onClick={() => order(ask("pause", { forMs: null, untilTomorrow: true }))}>
                  {words.pauseTomorrow}
                </button>
                <button type="button" onClick={() => order(ask("pause", { forMs: null, untilTomorrow: false }))}>
                  {words.pauseUntilResumed}
                </button>
              </>
            )}
          </p>
        </div>
      </header>
      {failure !== "" && (
        <p className="problem" role="alert">
          {failure}
        </p>
      )}
      {said && (
        <section className="problem" role="alert">
          <p>
            <strong>{said.title}</strong>
          </p>
          {said.more !== "" && <p>{said.more}</p>}
          <p className="code">{problem?.code}</p>
        </section>
      )}
      <dl className="figures">
        <Figure label={words.givenToday} value={words.hours(hoursText(today.usedMs, language))} />
        <Figure label={words.offeredToday} value={words.hours(hoursText(today.offeredMs, language))} />
        <Figure label={words.slots} value={String(state.slots)} />
        <Figure label={words.coordinator} value={coordinator?.address ?? "–"} />
      </dl>
      <section aria-labelledby="processes">
        <h2 id="processes">{words.processes}</h2>
        {processes.length === 0 ? (
          <p className="quiet">{state.icon === "paused" ? words.noProcessesPaused : words.noProcesses}</p>
        ) : (
          <Processes processes={processes} words={words} language={language} />
        )}
        {state.restarts > 0 && <p className="quiet">{words.restarted(state.restarts)}</p>}
      </section>
    </>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Processes({ processes, words, language }: { processes: readonly ProcessGlance[]; words: Words; language: string }) {
  const states: Record<string, string> = {
    running: words.stateRunning,
    runnable: words.stateRunnable,
    blocked: words.stateBlocked,
    migrating: words.stateMigrating,
  };
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.program}</th>
          <th scope="col">{words.forWhom}</th>
          <th scope="col">{words.state}</th>
          <th scope="col" className="number">
            {words.time}
          </th>
          <th scope="col" className="number">
            {words.memory}
          </th>
        </tr>
      </thead>
      <tbody>
        {processes.map(({ pid, command, work, state, cpuMs, memoryBytes }) => (
          <tr key={pid}>
            <td className="command" title={command}>
              {command} <span className="quiet">{pid}</span>
              {work && <div className="quiet">{workText(words, work)}</div>}
            </td>
            <td>{work?.by || "–"}</td>
            <td>{states[state] ?? state}</td>
            <td className="number">{timeText(cpuMs, language)}</td>
            <td className="number">{megabytesText(memoryBytes, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
