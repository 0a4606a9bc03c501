// Jobs: submitting by drag and drop, and the list of all with how far they are.
import { useEffect, useId, useState } from "react";
import { ask, upload, useAsk } from "../client.ts";
import { type Job, useLive } from "../live.ts";
import { jobStateName } from "../names.ts";
import { Dialog, Empty, Field, Form, Head, Rows, Shown, State, say, Td, Th } from "../parts.tsx";
import { Link, navigate, useQuery } from "../router.tsx";
import { useSession } from "../session.tsx";
import { showDuration, showTime, t } from "../words.tsx";
import { splitWords } from "../words-of-arguments.ts";

const SOURCE = /\.(c|cc|cpp|cxx|wasm)$/i;
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
              <pre>npx nightshift run hello.c</pre>
            </Empty>
          ) : (
            <Rows
              label={t("jobs")}
              rows={rows}
              keyOf={({ job }) => job}
              columns="4em minmax(8em, 1.4fr) 9em minmax(11em, 1fr) 8em 7em 13em"
              minWidth="69em"
              more={more}
              head={
                <>
                  <Th>{t("number")}</Th>
                  <Th>{t("program")}</Th>
                  <Th>{t("state")}</Th>
                  <Th>{t("progress")}</Th>
                  <Th>{t("duration")}</Th>
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
                    <State of={job.state}>{jobStateName(job)}</State>
                  </Td>
                  <Td>
                    <Progress job={job} />
                  </Td>
                  <Td>{showDuration((job.endedAt ?? Date.now()) - job.submittedAt)}</Td>
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
      {dropped && <Submit dropped={dropped} close={() => setDropped(undefined)} />}
    </div>
  );
}

/** Processes that have ended, of those there have been so far. */
export function Progress({ job: { processes, alive } }: { job: Pick<Job, "processes" | "alive"> }) {
  const ended = processes - alive;
  return (
    <span className="progress">
      <progress value={ended} max={Math.max(1, processes)} aria-label={t("progress")} />
      {t("endedOf", { ended, processes })}
    </span>
  );
}

function Submit({ dropped, close }: { dropped: File[]; close(): void }) {
  const [files, setFiles] = useState(dropped);
  const id = useId();
  const program = files.find(({ name }) => SOURCE.test(name));
  const others = files.filter((file) => file !== program);
  const add = (more: Iterable<File>): void => setFiles((before) => [...before, ...more]);
  return (
    <Dialog title={t("submitJob")} onClose={close}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen below */}
      <div
        className="dropzone"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          event.stopPropagation();
          add(event.dataTransfer.files);
        }}
      >
        <label htmlFor={id}>{t("dropHere")}</label>
        <input id={id} type="file" multiple onChange={({ target }) => add(target.files ?? [])} />
      </div>
      <ul className="list">
        {files.map((file) => (
          <li key={`${file.name} ${file.size}`}>
            <span>
              {file.name} {file === program && <strong>{t("theProgram")}</strong>}
            </span>
            <button
              type="button"
              className="quiet"
              aria-label={t("leaveOut", { name: file.name })}
              onClick={() => setFiles(files.filter((one) => one !== file))}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
      <Form
        label={t("submit")}
        send={async (fields) => {
          if (!program) throw Object.assign(new Error(t("noProgram")), { remedy: t("dropHere"), code: "" });
          const [uploaded, ...refs] = await Promise.all([program, ...others].map(upload));
          if (!uploaded) return;
          const { job, diagnostics } = await ask("submit", {
            body: {
              program: { name: program.name.replace(SOURCE, (end) => end.toLowerCase()), hash: uploaded.hash },
              args: splitWords(fields.args ?? ""),
              files: Object.fromEntries(others.map((file, at) => [file.name, refs[at] ?? uploaded])),
              memoryLimitBytes: Number(fields.memory) * 2 ** 20,
              ...(fields.name && { name: fields.name }),
            },
          });
          if (diagnostics) say(diagnostics);
          navigate(`/jobs/${job}`);
        }}
      >
        <Field label={t("arguments")} name="args" hint={t("argumentsHint")} />
        <div className="row">
          <Field label={t("jobName")} name="name" hint={t("jobNameHint")} />
          <Field label={t("memoryMiB")} name="memory" type="number" value="1024" required />
        </div>
      </Form>
    </Dialog>
  );
}
