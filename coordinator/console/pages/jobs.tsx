// Jobs: submitting by drag and drop, and the list of all with how far they are.
import { useEffect, useRef, useState } from "react";
import { ask, useAsk } from "../client.ts";
import { type Job, useLive } from "../live.ts";
import { jobLook, jobStateName } from "../names.ts";
import { Empty, Head, Rows, Shown, State, Td, Th } from "../parts.tsx";
import { Link, useQuery } from "../router.tsx";
import { useSession } from "../session.tsx";
import { showDuration, showTime, t } from "../words.tsx";
import { SubmitDialog } from "./submit.tsx";

/** Many jobs may end at a time. */
const FOLLOW_MS = 1000;
const STATES = ["running", "exited", "failed", "cancelled"] as const;

export function JobsPage() {
  const [search, setSearch] = useQuery("search");
  const [state, setState] = useQuery("state");
  const [dropped, setDropped] = useState<File[]>();
  const { jobs: current } = useLive();
  const { role } = useSession();
  const maySubmit = role !== "viewer";
  const chosen = STATES.find((one) => one === state);
  const load = (before?: number) =>
    ask("jobs", { query: { search, limit: 200, ...(chosen && { state: chosen }), ...(before && { before }) } });
  const asked = useAsk(`${search} ${state}`, load);
  const [older, setOlder] = useState<Job[]>([]);
  // what was loaded belongs to the search
  useEffect(() => setOlder([]), [asked.data]);
  const newest = Math.max(0, ...current.keys());
  const known = asked.data?.jobs[0]?.job ?? 0;
  // A job that has come since is shown by asking again.
  // once for every new job
  useEffect(() => {
    if (asked.data && newest > known) asked.again();
  }, [newest]);
  // What has ended since, or begun anew, belongs into another list.
  const running = [...current.values()].filter((job) => job.state === "running").length;
  const states = `${running} of ${current.size}`;
  const follow = useRef({ states, timer: 0 });
  useEffect(() => {
    if (chosen === undefined || follow.current.states === states) return;
    follow.current.states = states;
    follow.current.timer ||= window.setTimeout(() => {
      follow.current.timer = 0;
      asked.again();
    }, FOLLOW_MS);
  }, [states, chosen]);
  const rows = [...(asked.data?.jobs ?? []), ...older].map((job) => current.get(job.job) ?? job);
  const more = (): void => {
    const last = rows.at(-1);
    if (!last || (older.length === 0 && !asked.data?.more)) return;
    void load(last.job).then(
      ({ jobs }) => setOlder((before) => (before.at(-1)?.job === jobs.at(-1)?.job ? before : [...before, ...jobs])),
      () => undefined,
    );
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen by the button
    <div
      className="drop"
      onDragOver={(event) => maySubmit && event.preventDefault()}
      onDrop={(event) => {
        if (!maySubmit) return;
        event.preventDefault();
        setDropped([...event.dataTransfer.files]);
      }}
    >
      <Head title={t("jobs")}>
        <input
          type="search"
          aria-label={t("search")}
          placeholder={t("searchJobs")}
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        <select aria-label={t("state")} value={state} onChange={({ target }) => setState(target.value)}>
          <option value="">{t("allStates")}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {jobStateName({ state: one, report: null })}
            </option>
          ))}
        </select>
        {maySubmit && (
          <button type="button" className="main" onClick={() => setDropped([])}>
            {t("submitJob")}
          </button>
        )}
      </Head>
      <Shown asked={asked}>
        {() =>
          rows.length === 0 ? (
            <Empty title={search || state ? t("noMatch") : t("noJobs")}>
              {!search && !state && <p>{t("noJobsMore")}</p>}
              {!search && !state && <pre>npx nightshift run hello.c</pre>}
            </Empty>
          ) : (
            <Rows
              label={t("jobs")}
              rows={rows}
              keyOf={({ job }) => job}
              columns="3em minmax(7em, 1fr) 8em 18em 6em 6em 5em 12em"
              minWidth="75em"
              more={more}
              grows
              head={
                <>
                  <Th>{t("number")}</Th>
                  <Th>{t("program")}</Th>
                  <Th>{t("state")}</Th>
                  <Th>{t("progress")}</Th>
                  <Th>{t("duration")}</Th>
                  <Th>{t("timeLeft")}</Th>
                  <Th>{t("by")}</Th>
                  <Th>{t("submitted")}</Th>
                </>
              }
              row={(job) => (
                <>
                  <Td>j{job.job}</Td>
                  <Td>
                    <Link href={`/jobs/${job.job}`}>{job.name}</Link>
                  </Td>
                  <Td>
                    <State of={jobLook(job)}>{jobStateName(job)}</State>
                  </Td>
                  <Td>
                    <Progress job={job} />
                  </Td>
                  <Td>{showDuration((job.endedAt ?? Date.now()) - job.submittedAt)}</Td>
                  <Td>{showLeft(job)}</Td>
                  <Td>{job.by}</Td>
                  <Td>
                    <time dateTime={new Date(job.submittedAt).toISOString()}>{showTime(job.submittedAt)}</time>
                  </Td>
                </>
              )}
            />
          )
        }
      </Shown>
      {dropped && <SubmitDialog dropped={dropped} close={() => setDropped(undefined)} />}
    </div>
  );
}

function showLeft(job: Job): string {
  const left = timeLeft(job);
  return left === undefined ? "–" : showDuration(left);
}

/** Parts that have ended, of all; of a job of one part its processes. */
export function Progress({ job: { processes, alive, parts } }: { job: Pick<Job, "processes" | "alive" | "parts"> }) {
  if (parts.total === 1) {
    const ended = processes - alive;
    return (
      <span className="progress">
        <progress value={ended} max={Math.max(1, processes)} aria-label={t("progress")} />
        {t("endedOf", { ended, processes })}
      </span>
    );
  }
  const { total, done, failed } = parts;
  return (
    <span className="progress">
      <progress value={done + failed} max={total} aria-label={t("progress")} />
      {t("endedOf", { ended: done + failed, processes: total })}
      {failed > 0 && <span className="bad-words"> · {t("failedCount", { count: failed })}</span>}
    </span>
  );
}

/** Milliseconds until the other parts will have ended if they do so as fast as those before; undefined when nothing tells. */
export function timeLeft({ state, parts, since }: Pick<Job, "state" | "parts" | "since">): number | undefined {
  const ended = parts.done + parts.failed;
  if (state !== "running" || ended <= since.ended || parts.total === 1) return undefined;
  return ((Date.now() - since.at) / (ended - since.ended)) * (parts.total - ended);
}
