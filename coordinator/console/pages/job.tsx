// One job: its processes as a grid, when which was where, what it writes and has written.
import { useEffect, useMemo, useRef, useState } from "react";
import { type Answer, addressOf, ask, askBytes, useAsk } from "../client.ts";
import { type Host, type Job, useLive } from "../live.ts";
import { jobStateName, processStateName } from "../names.ts";
import { attempt, Confirm, Dialog, Empty, Fact, Head, Rows, Shown, State, Td, Th } from "../parts.tsx";
import { useMaySteer } from "../session.tsx";
import { showBytes, showClock, showDuration, showTime, t } from "../words.tsx";
import { Progress } from "./jobs.tsx";

type Detail = Answer<"job">;
type Process = Answer<"processes">["processes"][number];
type Stay = Answer<"stays">["stays"][number];

/** Cells of the grid and lines of the Gantt chart. */
const MAX_SHOWN = 1000;
const MAX_LINES = 300;
/** Of output on the page; all of it can be downloaded. */
const MAX_TEXT = 128 * 1024;

export function JobPage({ id }: { id: number }) {
  const { jobs, processes: alive } = useLive();
  const now = jobs.get(id);
  // Asked again when the stream tells of a change, once a second at most while it goes on.
  const [turn, setTurn] = useState(0);
  const changed = `${now?.state} ${now?.alive} ${now?.migrations} ${now?.files} ${[...alive.values()].filter(({ job }) => job === id).map(({ host, state }) => host + state)}`;
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  // A change begins a wait, unless one goes on.
  useEffect(() => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      setTurn((before) => before + 1);
    }, 1000);
  }, [changed]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const asked = useAsk(`${id} ${turn}`, async () => {
    const [detail, { processes, more }, { stays }] = await Promise.all([
      ask("job", { params: { job: id } }),
      ask("processes", { params: { job: id }, query: { limit: MAX_SHOWN } }),
      ask("stays", { params: { job: id } }),
    ]);
    return { detail, processes, more, stays };
  });
  return (
    <Shown asked={asked}>
      {({ detail, processes, more, stays }) => (
        <Detailed detail={{ ...detail, job: now ?? detail.job }} processes={processes} more={more} stays={stays} />
      )}
    </Shown>
  );
}

function Detailed({ detail, processes, more, stays }: { detail: Detail; processes: Process[]; more: boolean; stays: Stay[] }) {
  const { job, args, files, freezesMs } = detail;
  const maySteer = useMaySteer()(job.by);
  const freezes = [...freezesMs].sort((a, b) => a - b);
  return (
    <>
      <Head title={`${job.name} · j${job.job}`}>
        {job.state === "running" && maySteer && (
          <Confirm
            label={t("cancelJob")}
            question={t("cancelQuestion", { count: job.alive })}
            act={() => attempt(() => ask("cancelJob", { params: { job: job.job } }), t("done"))}
          />
        )}
      </Head>
      <dl className="totals">
        <Fact label={t("state")}>
          <State of={job.state}>{jobStateName(job)}</State>
        </Fact>
        <Fact label={t("progress")}>
          <Progress job={job} />
        </Fact>
        <Fact label={t("duration")}>{showDuration((job.endedAt ?? Date.now()) - job.submittedAt)}</Fact>
        <Fact label={t("migrations")}>{job.migrations}</Fact>
        <Fact label={t("frozen")}>{freezes.length > 0 ? showDuration(freezes[freezes.length >> 1] ?? 0) : "–"}</Fact>
        <Fact label={t("restarts")}>{job.restarts}</Fact>
      </dl>
      <p className="muted">
        {t("submittedBy", { by: job.by || "–", at: showTime(job.submittedAt) })} · <code>{args.join(" ")}</code>
      </p>
      {job.report?.kind === "fault" && (
        <div className="failure">
          <strong>{job.report.message}</strong>
          <pre>{job.report.wasmStack.join("\n")}</pre>
          <code>{job.report.code}</code>
        </div>
      )}
      <div className="columns">
        <section className="panel">
          <h2>{t("processes")}</h2>
          <Grid processes={processes} />
          {more && <p className="muted">{t("firstOnly", { count: processes.length })}</p>}
        </section>
        <section className="panel">
          <h2>{t("output")}</h2>
          <Output job={job} />
        </section>
      </div>
      <section className="panel">
        <h2>{t("gantt")}</h2>
        <Gantt stays={stays} until={job.endedAt ?? Date.now()} />
      </section>
      <section className="panel">
        <h2>{t("files")}</h2>
        <Files job={job.job} files={files} />
      </section>
      <section className="panel">
        <h2>{t("processList")}</h2>
        <ProcessTable processes={processes} maySteer={maySteer} />
      </section>
    </>
  );
}

const Grid = ({ processes }: { processes: Process[] }) => (
  <ul className="grid">
    {processes.map(({ pid, state, host }) => (
      <li key={pid} className={state} title={`${pid} · ${processStateName(state)}${host ? ` · ${host}` : ""}`}>
        <span className="hidden">{`${pid} ${processStateName(state)} ${host ?? ""}`}</span>
      </li>
    ))}
  </ul>
);

interface Bar {
  pid: number;
  host: string;
  from: number;
  to: number;
  moved: boolean;
}

/** Times on hosts, one after the other for each process. */
function barsOf(stays: readonly Stay[], until: number): Bar[] {
  const open = new Map<number, Bar>();
  const bars: Bar[] = [];
  for (const { pid, at, host } of stays) {
    const before = open.get(pid);
    if (before) before.to = at;
    open.delete(pid);
    if (host === null) continue;
    const bar = { pid, host, from: at, to: until, moved: before !== undefined };
    open.set(pid, bar);
    bars.push(bar);
  }
  return bars;
}

function Gantt({ stays, until }: { stays: Stay[]; until: number }) {
  const { bars, pids, hosts, from } = useMemo(() => {
    const bars = barsOf(stays, until);
    return {
      bars,
      pids: [...new Set(bars.map(({ pid }) => pid))].slice(0, MAX_LINES),
      hosts: [...new Set(bars.map(({ host }) => host))].sort(),
      from: Math.min(until, ...stays.map(({ at }) => at)),
    };
  }, [stays, until]);
  if (bars.length === 0) return <Empty title={t("notStarted")} />;
  const rowPx = pids.length <= 40 ? 18 : 8;
  const span = Math.max(1, until - from);
  const x = (at: number): number => ((at - from) / span) * 1000;
  const moves = bars.filter(({ moved }) => moved).length;
  return (
    <>
      <div className="gantt" role="img" aria-label={t("ganttLabel", { processes: pids.length, hosts: hosts.length, moves })}>
        <svg
          aria-hidden="true"
          viewBox={`0 0 1000 ${pids.length * rowPx}`}
          preserveAspectRatio="none"
          height={pids.length * rowPx}
        >
          {bars.map((bar) => {
            const line = pids.indexOf(bar.pid);
            if (line < 0) return null;
            const y = line * rowPx;
            return (
              <g key={`${bar.pid} ${bar.from}`}>
                <rect
                  className={`host${hosts.indexOf(bar.host) % 6}`}
                  x={x(bar.from)}
                  y={y + 1}
                  width={Math.max(1, x(bar.to) - x(bar.from))}
                  height={rowPx - 3}
                />
                {bar.moved && <rect className="moved" x={x(bar.from) - 1.5} y={y} width={3} height={rowPx} />}
              </g>
            );
          })}
        </svg>
      </div>
      <p className="scale">
        <span>{showClock(from)}</span>
        <span>{showClock(until)}</span>
      </p>
      <ul className="legend">
        {hosts.slice(0, 12).map((host, at) => (
          <li key={host}>
            <i className={`bar host${at % 6}`} />
            {host}
          </li>
        ))}
        <li>
          <i className="bar moved" />
          {t("migration")}
        </li>
      </ul>
    </>
  );
}

/** What the job has written so far, as it comes. */
function Output({ job }: { job: Job }) {
  const [stream, setStream] = useState<"1" | "2">("1");
  const [text, setText] = useState({ stream: "1", text: "" });
  const next = useRef({ stream: "1", at: 0, busy: false });
  const box = useRef<HTMLElement>(null);
  /** Whoever scrolls up is left there. */
  const follows = useRef(true);
  const total = stream === "1" ? job.stdoutBytes : job.stderrBytes;
  useEffect(() => {
    if (next.current.stream !== stream) {
      next.current = { stream, at: Math.max(0, total - MAX_TEXT), busy: false };
      setText({ stream, text: "" });
    }
    const state = next.current;
    if (state.busy || state.at >= total) return;
    state.busy = true;
    if (total - state.at > MAX_TEXT) state.at = total - MAX_TEXT;
    askBytes(addressOf("output", { params: { job: job.job }, query: { stream, from: state.at } })).then(
      (got) => {
        state.at = got.next;
        state.busy = false;
        const more = new TextDecoder().decode(got.bytes);
        if (next.current === state) setText((before) => ({ stream, text: (before.text + more).slice(-MAX_TEXT) }));
      },
      () => {
        state.busy = false;
      },
    );
  });
  // follows the end as text comes
  useEffect(() => {
    const element = box.current;
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < 200)
      element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <>
      <div className="row">
        <select aria-label={t("output")} value={stream} onChange={({ target }) => setStream(target.value === "2" ? "2" : "1")}>
          <option value="1">stdout · {showBytes(job.stdoutBytes)}</option>
          <option value="2">stderr · {showBytes(job.stderrBytes)}</option>
        </select>
        <a
          className="button"
          download={`j${job.job}-${stream === "1" ? "stdout" : "stderr"}`}
          href={addressOf("output", { params: { job: job.job }, query: { stream } })}
        >
          {t("download")}
        </a>
      </div>
      {total === 0 ? (
        <Empty title={t("noOutput")} />
      ) : (
        <section
          className="output"
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
          tabIndex={0}
          aria-label={t("output")}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            follows.current = scrollHeight - scrollTop - clientHeight < 40;
          }}
        >
          <pre>{text.text}</pre>
        </section>
      )}
    </>
  );
}

const IMAGE = /\.(png|jpe?g|gif|webp|bmp)$/i;
const MAX_LOOK = 2 * 2 ** 20;

function Files({ job, files }: { job: number; files: Detail["files"] }) {
  const [shown, setShown] = useState<string>();
  const paths = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  if (paths.length === 0) return <Empty title={t("noFiles")} />;
  const address = (path: string): string => addressOf("file", { params: { job }, query: { path } });
  return (
    <>
      <Rows
        label={t("files")}
        rows={paths}
        keyOf={([path]) => path}
        columns="minmax(10em, 1fr) 8em 13em"
        minWidth="36em"
        head={
          <>
            <Th>{t("file")}</Th>
            <Th>{t("size")}</Th>
            <Th>{t("actions")}</Th>
          </>
        }
        row={([path, { size }]) => (
          <>
            <Td>{path}</Td>
            <Td>{showBytes(size)}</Td>
            <Td>
              {size <= MAX_LOOK && (
                <button type="button" onClick={() => setShown(path)}>
                  {t("look")}
                </button>
              )}{" "}
              <a className="button" download href={address(path)}>
                {t("download")}
              </a>
            </Td>
          </>
        )}
      />
      {shown && <Look path={shown} address={address(shown)} close={() => setShown(undefined)} />}
    </>
  );
}

function Look({ path, address, close }: { path: string; address: string; close(): void }) {
  const asked = useAsk(address, () => askBytes(address));
  const bytes = asked.data?.bytes;
  const image = useMemo(() => (bytes && IMAGE.test(path) ? URL.createObjectURL(new Blob([bytes])) : undefined), [bytes, path]);
  useEffect(() => () => void (image && URL.revokeObjectURL(image)), [image]);
  return (
    <Dialog title={path} onClose={close}>
      <Shown asked={asked}>
        {({ bytes }) =>
          image ? (
            <img className="look" src={image} alt={path} />
          ) : (
            <pre className="output">{new TextDecoder().decode(bytes)}</pre>
          )
        }
      </Shown>
    </Dialog>
  );
}

export function ProcessTable({ processes, maySteer }: { processes: Process[]; maySteer: boolean }) {
  const { hosts } = useLive();
  const usable = [...hosts.values()].filter(({ state }) => state === "computing" || state === "idle");
  if (processes.length === 0) return <Empty title={t("noProcesses")} />;
  return (
    <Rows
      label={t("processList")}
      rows={processes}
      keyOf={({ pid }) => pid}
      columns="5em 8em minmax(8em, 1fr) 7em 7em 6em 10em"
      minWidth="60em"
      head={
        <>
          <Th>{t("pid")}</Th>
          <Th>{t("state")}</Th>
          <Th>{t("host")}</Th>
          <Th>{t("cpuTime")}</Th>
          <Th>{t("memory")}</Th>
          <Th>{t("moves")}</Th>
          <Th>{t("actions")}</Th>
        </>
      }
      row={(process) => (
        <>
          <Td>{process.pid}</Td>
          <Td>
            <State of={process.state}>{processStateName(process.state)}</State>
          </Td>
          <Td>{process.host ?? "–"}</Td>
          <Td>{showDuration(process.cpuMs)}</Td>
          <Td>{showBytes(process.memoryBytes)}</Td>
          <Td>{process.migrations}</Td>
          <Td>{maySteer && process.report === null && <MoveMenu pid={process.pid} hosts={usable} />}</Td>
        </>
      )}
    />
  );
}

function MoveMenu({ pid, hosts }: { pid: number; hosts: readonly Host[] }) {
  return (
    <select
      aria-label={t("moveTo", { pid: String(pid) })}
      value=""
      onChange={({ target }) => {
        const to = hosts.find(({ id }) => id === target.value);
        if (to)
          void attempt(
            () => ask("migrate", { params: { pid }, body: { host: to.id } }),
            t("moving", { pid: String(pid), host: to.name }),
          );
      }}
    >
      <option value="">{t("move")}</option>
      {hosts.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
