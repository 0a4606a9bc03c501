// One part of a job: its command line, how it has ended, what it has written. A job without a sweep has one.
import { ask, useAsk } from "../../client.ts";
import type { Job } from "../../live.ts";
import { partStateName } from "../../names.ts";
import { attempt, Fact, Said, Shown, State } from "../../parts.tsx";
import { showBytes, showDuration, t } from "../../words.tsx";
import { joinWords } from "../../words-of-arguments.ts";
import { Files } from "./files.tsx";
import { Output } from "./output.tsx";

/** @param turn counts what is known to have changed: then it asks again */
export function PartPanels({ job, part, turn, maySteer }: { job: Job; part: number; turn: number; maySteer: boolean }) {
  const several = job.parts.total > 1;
  const asked = useAsk(`${job.job} ${part} ${turn}`, () => ask("part", { params: { job: job.job, part } }));
  return (
    <Shown asked={asked}>
      {({ part: found, args, inputs, files }) => (
        <>
          {several && (
            <section className="panel" aria-label={t("partOf", { part: found.part })}>
              <header className="panel-head">
                <h2>{t("partOf", { part: found.part })}</h2>
                {maySteer && <PartActions job={job.job} part={found.part} state={found.state} />}
              </header>
              <pre className="wrap">{joinWords(args)}</pre>
              {Object.keys(inputs).length > 0 && (
                <p className="muted">
                  {t("inputFiles")}:{" "}
                  {Object.entries(inputs)
                    .map(([name, { size }]) => `${name} (${showBytes(size)})`)
                    .join(", ")}
                </p>
              )}
              <dl className="totals small">
                <Fact label={t("state")}>
                  <State of={STATE_LOOK[found.state]}>{partStateName(found)}</State>
                </Fact>
                <Fact label={t("host")}>{found.host ?? "–"}</Fact>
                <Fact label={t("pid")}>{String(found.pid)}</Fact>
                <Fact label={t("duration")}>{showDuration((found.endedAt ?? Date.now()) - found.startedAt)}</Fact>
                <Fact label={t("cpuTime")}>{showDuration(found.cpuMs)}</Fact>
                <Fact label={t("tries")}>{found.tries}</Fact>
              </dl>
              {found.report?.kind === "fault" && <Fault report={found.report} />}
            </section>
          )}
          <div className="columns">
            <section className="panel">
              <h2>{several ? t("outputOf", { part: found.part }) : t("output")}</h2>
              <Output
                job={job.job}
                part={found.part}
                tries={found.tries}
                // Of a job of one part the stream of changes knows it before.
                written={several ? found : job}
              />
            </section>
            <section className="panel">
              <h2>{several ? t("filesOf", { part: found.part }) : t("files")}</h2>
              <Files job={job.job} part={found.part} files={files} />
            </section>
          </div>
        </>
      )}
    </Shown>
  );
}

/** Parts look as processes in these states do. */
const STATE_LOOK = { queued: "queued", running: "running", done: "exited", failed: "failed", cancelled: "cancelled" } as const;

export const Fault = ({ report }: { report: { code: string; message: string; wasmStack: string[] } }) => (
  <div className="failure">
    <Said {...report} />
    <pre>{report.wasmStack.join("\n")}</pre>
    <code>{report.code}</code>
  </div>
);

function PartActions({ job, part, state }: { job: number; part: number; state: string }) {
  const params = { job, part };
  if (state === "done") return null;
  if (state === "queued" || state === "running")
    return (
      <button type="button" className="danger" onClick={() => void attempt(() => ask("cancelPart", { params }), t("done"))}>
        {t("cancelPart")}
      </button>
    );
  const retry = () => ask("retryJob", { params: { job }, body: { parts: [part] } });
  return (
    <button type="button" onClick={() => void attempt(retry, t("done"))}>
      {t("retryPart")}
    </button>
  );
}
