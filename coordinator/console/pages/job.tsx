// One job: its parts as a grid, the part that is chosen, when which process was where, and all that can be done with it.
import { useEffect, useRef, useState } from "react";
import { type Answer, ask, useAsk } from "../client.ts";
import { type Dot, useLive } from "../live.ts";
import { jobLook, jobStateName, partStateName, processStateName, waitingText } from "../names.ts";
import { attempt, Confirm, Fact, Head, Shown, State } from "../parts.tsx";
import { useQuery } from "../router.tsx";
import { useMaySteer, useSession } from "../session.tsx";
import { showDuration, showTime, t } from "../words.tsx";
import { joinWords } from "../words-of-arguments.ts";
import { type Cell, Cells } from "./job/cells.tsx";
import { Gantt } from "./job/gantt.tsx";
import { Fault, PartPanels } from "./job/part.tsx";
import { ProcessTable } from "./job/processes.tsx";
import { Progress, timeLeft } from "./jobs.tsx";
import { SubmitDialog } from "./submit.tsx";

type Detail = Answer<"job">;
type Process = Answer<"processes">["processes"][number];
type Stay = Answer<"stays">["stays"][number];

/** In the table, and in the grid of a job of one part. */
const MAX_PROCESSES = 1000;
/** A job is asked about so often at most while it changes: a large one less often, as the answer is. */
const ASK_MS = 1000;
const ASK_LARGE_MS = 4000;
const LARGE = 500;

export function JobPage({ id }: { id: number }) {
  const { jobs, processes: alive } = useLive();
  const now = jobs.get(id);
  const [turn, setTurn] = useState(0);
  const changed = `${JSON.stringify(now)} ${whereabouts(alive.values(), id)}`;
  const everyMs = (now?.processes ?? 0) > LARGE ? ASK_LARGE_MS : ASK_MS;
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  // A change begins a wait, unless one goes on.
  useEffect(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      setTurn((before) => before + 1);
    }, everyMs);
  }, [changed]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const asked = useAsk(`${id} ${turn}`, async () => {
    const params = { job: id };
    const [detail, { states }, { processes, more }, { stays }] = await Promise.all([
      ask("job", { params }),
      ask("grid", { params }),
      ask("processes", { params, query: { limit: MAX_PROCESSES } }),
      ask("stays", { params }),
    ]);
    return { detail, states, processes, more, stays };
  });
  return (
    <Shown asked={asked} title={`j${id}`}>
      {({ detail, ...more }) => <Detailed detail={{ ...detail, job: now ?? detail.job }} turn={turn} {...more} />}
    </Shown>
  );
}

/** A number that changes when a process of the job is elsewhere or does something else: there may be ten thousand. */
function whereabouts(dots: Iterable<Dot>, id: number): number {
  let sum = 0;
  for (const { job, pid, host, state } of dots) if (job === id) sum = (sum * 31 + pid * 7 + host * 1009 + state.length) | 0;
  return sum;
}

interface DetailedProps {
  detail: Detail;
  /** A letter for each part. */
  states: string;
  processes: Process[];
  more: boolean;
  stays: Stay[];
  turn: number;
}

function Detailed({ detail, states, processes, more, stays, turn }: DetailedProps) {
  const { job, args, freezesMs, pinned, waiting } = detail;
  const [chosen, setChosen] = useQuery("part");
  const maySteer = useMaySteer()(job.by);
  const several = job.parts.total > 1;
  const part = Math.min(Math.max(1, Math.trunc(Number(chosen)) || 1), job.parts.total);
  const freezes = [...freezesMs].sort((a, b) => a - b);
  const left = timeLeft(job);
  return (
    <>
      <Head title={`${job.name} · j${job.job}`}>
        <Actions detail={detail} maySteer={maySteer} />
      </Head>
      <dl className="totals">
        <Fact label={t("state")}>
          <State of={jobLook(job)}>{jobStateName(job)}</State>
        </Fact>
        <Fact label={t("progress")}>
          <Progress job={job} />
        </Fact>
        <Fact label={t("duration")}>{showDuration((job.endedAt ?? Date.now()) - job.submittedAt)}</Fact>
        {several && <Fact label={t("timeLeft")}>{left === undefined ? "–" : showDuration(left)}</Fact>}
        <Fact label={t("migrations")}>{job.migrations}</Fact>
        <Fact label={t("frozen")}>{freezes.length > 0 ? showDuration(freezes[freezes.length >> 1] ?? 0) : "–"}</Fact>
        <Fact label={t("restarts")}>{job.restarts}</Fact>
      </dl>
      <p className="muted">
        {t("submittedBy", { by: job.by || "–", at: showTime(job.submittedAt) })} · <code>{joinWords(args)}</code>
      </p>
      {pinned !== null && <p className="muted">{t("pinnedBecause", { because: pinned })}</p>}
      {waiting && job.state === "running" && (
        <p className="waiting" role="status">
          {waitingText(waiting)}
        </p>
      )}
      {!several && job.report?.kind === "fault" && <Fault report={job.report} />}
      <section className="panel">
        {several ? (
          <>
            <h2>{t("parts")}</h2>
            <PartGrid states={states} chosen={part} choose={(to) => setChosen(String(to))} />
          </>
        ) : (
          <>
            <h2>{t("processes")}</h2>
            <ProcessGrid processes={processes} />
            {more && <p className="muted">{t("firstOnly", { count: processes.length })}</p>}
          </>
        )}
      </section>
      <PartPanels job={job} part={part} turn={turn} maySteer={maySteer} />
      <section className="panel">
        <h2>{t("gantt")}</h2>
        <Gantt stays={stays} until={job.endedAt ?? Date.now()} />
      </section>
      <section className="panel">
        <h2>{t("processList")}</h2>
        <ProcessTable processes={processes} maySteer={maySteer} />
        {more && <p className="muted">{t("firstOnly", { count: processes.length })}</p>}
      </section>
    </>
  );
}

function Actions({ detail, maySteer }: { detail: Detail; maySteer: boolean }) {
  const { job } = detail;
  const [again, setAgain] = useState(false);
  const params = { job: job.job };
  return (
    <>
      {maySteer && job.parts.failed > 0 && (
        <button type="button" onClick={() => void attempt(() => ask("retryJob", { params, body: { parts: null } }), t("done"))}>
          {job.parts.total === 1 ? t("retryJob") : t("retryFailed", { count: job.parts.failed })}
        </button>
      )}
      {useSession().role !== "viewer" && (
        <button type="button" onClick={() => setAgain(true)}>
          {t("cloneJob")}
        </button>
      )}
      {job.state === "running" && maySteer && (
        <Confirm
          label={t("cancelJob")}
          question={t("cancelQuestion", { count: job.alive })}
          act={() => attempt(() => ask("cancelJob", { params }), t("done"))}
        />
      )}
      {again && <SubmitDialog dropped={[]} of={detail} close={() => setAgain(false)} />}
    </>
  );
}

const LETTERS = { q: "queued", r: "running", d: "done", f: "failed", c: "cancelled" } as const;
type Letter = keyof typeof LETTERS;

function PartGrid({ states, chosen, choose }: { states: string; chosen: number; choose(part: number): void }) {
  const stateAt = (at: number) => LETTERS[(states[at] as Letter | undefined) ?? "q"];
  const cell = (at: number): Cell => ({
    key: at + 1,
    state: stateAt(at),
    label: `${t("partOf", { part: at + 1 })} · ${partStateName({ state: stateAt(at), report: null })}`,
  });
  /** The next one in that state behind the chosen one, from the start again when there is none. */
  const nextOf = (letter: Letter): void => {
    const found = states.indexOf(letter, chosen);
    choose((found < 0 ? states.indexOf(letter) : found) + 1);
  };
  return (
    <>
      <Cells label={t("parts")} count={states.length} cell={cell} chosen={chosen} choose={(at) => choose(at + 1)} />
      <ul className="legend">
        {(Object.keys(LETTERS) as Letter[]).map((letter) => {
          const count = states.split(letter).length - 1;
          const name = partStateName({ state: LETTERS[letter], report: null });
          return (
            <li key={letter}>
              <button
                type="button"
                className="quiet"
                disabled={count === 0}
                title={t("nextPart", { state: name })}
                onClick={() => nextOf(letter)}
              >
                <i className={`cell ${LETTERS[letter]}`} />
                {t("countOf", { count, state: name })}
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

const ProcessGrid = ({ processes }: { processes: Process[] }) => (
  <ul className="grid">
    {processes.map(({ pid, state, host }) => (
      <li key={pid} className={state} title={`${pid} · ${processStateName(state)}${host ? ` · ${host}` : ""}`}>
        <span className="hidden">{`${pid} ${processStateName(state)} ${host ?? ""}`}</span>
      </li>
    ))}
  </ul>
);
