// Small pieces of which the pages are made: states of a page, messages, dialogs, a list that draws only the rows in sight.
import { type FormEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Asked, Refusal } from "./client.ts";
import { said, saidShortly } from "./refusals.ts";
import { t } from "./words.tsx";

export function Head({ title, children }: { title: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Nightshift`;
  }, [title]);
  return (
    <header className="head">
      <h1>{title}</h1>
      <div className="tools">{children}</div>
    </header>
  );
}

/** A page to link to and to print. @param tools what else can be done with it */
export const ReportPage = ({ title, tools, children }: { title: string; tools: ReactNode; children: ReactNode }) => (
  <article className="report">
    <Head title={title}>
      {tools}
      <button type="button" onClick={() => print()}>
        {t("print")}
      </button>
      <button type="button" onClick={() => void attempt(() => navigator.clipboard.writeText(location.href), t("copied"))}>
        {t("copyLink")}
      </button>
    </Head>
    {children}
  </article>
);

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <svg aria-hidden="true" viewBox="0 0 64 64" width="64" height="64">
        <path d="M43 42A18 18 0 1 1 29 13a15 15 0 0 0 14 29z" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export const Loading = () => (
  <div className="loading" role="status">
    <span className="pulse" />
    {t("loading")}
  </div>
);

export function Failure({ failure, again }: { failure: Refusal; again?: () => void }) {
  const { title, remedy, problems, detail } = said(failure);
  // What a compiler says has lines, with marks beneath.
  const [first, ...lines] = title.split("\n");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => void box.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <div className="failure" role="alert" ref={box}>
      <strong>{first}</strong>
      {lines.length > 0 && <pre>{lines.join("\n")}</pre>}
      {problems.length > 0 && (
        <ul>
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <p>{remedy}</p>
      {detail && (detail.includes("\n") ? <pre lang="en">{detail}</pre> : <p lang="en">{detail}</p>)}
      <code>{failure.code}</code>
      {again && (
        <button type="button" onClick={again}>
          {t("tryAgain")}
        </button>
      )}
    </div>
  );
}

/** What went wrong elsewhere, by its code. */
export function Said({ code, message }: { code: string; message: string }) {
  const { title, detail } = said({ code, message, remedy: "" });
  return (
    <>
      <strong>{title}</strong>
      <p lang="en">{detail}</p>
    </>
  );
}

/** What was asked for, or why it is not there yet. */
/** @param title of a page whose heading is among what is asked for, for when there is no such thing */
export function Shown<T>({ asked, title, children }: { asked: Asked<T>; title?: string; children: (data: T) => ReactNode }) {
  if (asked.data === undefined)
    return asked.failure ? (
      <>
        {title !== undefined && <Head title={title} />}
        <Failure failure={asked.failure} again={asked.again} />
      </>
    ) : (
      <Loading />
    );
  return (
    <>
      {asked.failure && <Failure failure={asked.failure} again={asked.again} />}
      {children(asked.data)}
    </>
  );
}

export const State = ({ of, children }: { of: string; children: ReactNode }) => <span className={`state ${of}`}>{children}</span>;

/** A figure with its name, in a dl of class totals. */
export const Fact = ({ label, children, strong }: { label: string; children: ReactNode; strong?: boolean }) => (
  <div className={strong ? "strong" : ""}>
    <dt>{label}</dt>
    <dd>{children ?? "–"}</dd>
  </div>
);

/** How much of something there is, as a bar beside the number. @param most what fills the bar */
export const Meter = ({
  label,
  value,
  most = 1,
  children,
}: {
  label: string;
  value: number;
  most?: number;
  children: ReactNode;
}) => (
  <span className="progress">
    <span className="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={most} aria-valuenow={value}>
      <i style={{ width: `${100 * Math.min(1, value / most)}%` }} />
    </span>
    {children}
  </span>
);

// ---- messages that come and go

let notes: { id: number; text: string; bad: boolean }[] = [];
const noteWatchers = new Set<() => void>();
const setNotes = (next: typeof notes): void => {
  notes = next;
  for (const watcher of noteWatchers) watcher();
};
let nextNote = 1;

export function say(text: string, bad = false): void {
  const id = nextNote++;
  setNotes([...notes.slice(-3), { id, text, bad }]);
  setTimeout(() => setNotes(notes.filter((note) => note.id !== id)), bad ? 10_000 : 5000);
}

/** Does it, and says so or why not. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) say(done);
    return true;
  } catch (thrown) {
    say(saidShortly(thrown as Refusal), true);
    return false;
  }
}

export function Notes() {
  const shown = useSyncExternalStore(
    (watcher) => {
      noteWatchers.add(watcher);
      return () => noteWatchers.delete(watcher);
    },
    () => notes,
  );
  return (
    <div className="notes" role="status" aria-live="polite">
      {shown.map(({ id, text, bad }) => (
        <p key={id} className={bad ? "bad" : ""}>
          {text}
        </p>
      ))}
    </div>
  );
}

export function Dialog({ title, onClose, children }: { title: string; onClose(): void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="quiet" aria-label={t("close")} onClick={() => ref.current?.close()}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** A button that asks before it acts. */
export function Confirm({ label, question, act }: { label: string; question: string; act(): Promise<unknown> }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="danger" onClick={() => setOpen(true)}>
        {label}
      </button>
      {open && (
        <Dialog title={label} onClose={() => setOpen(false)}>
          <p>{question}</p>
          <div className="row end">
            <button type="button" onClick={() => setOpen(false)}>
              {t("keep")}
            </button>
            <button type="button" className="danger" onClick={() => void act().then(() => setOpen(false))}>
              {label}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

interface FieldProps {
  label: string;
  name: string;
  type?: string;
  value?: string;
  hint?: string;
  autoComplete?: string;
  required?: boolean;
  minLength?: number;
  min?: number;
  max?: number;
}
export function Field({ label, hint, value, ...input }: FieldProps) {
  const id = useId();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} defaultValue={value} aria-describedby={hint && `${id}-hint`} {...input} />
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </p>
  );
}

export const NewPassword = ({ label }: { label: string }) => (
  <Field
    label={label}
    name="password"
    type="password"
    autoComplete="new-password"
    hint={t("passwordHint")}
    minLength={10}
    required
  />
);

export function Choice({
  label,
  name,
  value,
  options,
}: {
  label: string;
  name: string;
  value: string;
  options: Record<string, string>;
}) {
  const id = useId();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} name={name} defaultValue={value}>
        {Object.entries(options).map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </p>
  );
}

/** Sends its fields once at a time; shows why it was refused. */
export function Form({
  label,
  send,
  children,
}: {
  label: string;
  send(fields: Record<string, string>): Promise<unknown>;
  children: ReactNode;
}) {
  const [failure, setFailure] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(event.currentTarget)].map(([key, value]) => [key, String(value)]));
    setBusy(true);
    setFailure(undefined);
    send(fields)
      .catch(setFailure)
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit}>
      {children}
      {failure && <Failure failure={failure} />}
      <button type="submit" className="main" disabled={busy}>
        {busy ? t("working") : label}
      </button>
    </form>
  );
}

/** Rows of equal height of which only those in sight are there; more are asked for when its end comes near. */
export function Rows<T>(props: {
  rows: readonly T[];
  keyOf(row: T): string | number;
  head: ReactNode;
  label: string;
  columns: string;
  /** A narrower page scrolls sideways. */
  minWidth: string;
  row(row: T): ReactNode;
  more?(): void;
  rowPx?: number;
  /** New rows come before those there are: what somebody reads stays where it is. */
  grows?: boolean;
}) {
  const { rows, keyOf, head, label, columns, minWidth, row, more, rowPx = 44, grows = false } = props;
  const [range, setRange] = useState({ top: 0, height: 800 });
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef(rows);
  useLayoutEffect(() => {
    const element = box.current;
    const before = drawn.current;
    drawn.current = rows;
    if (!grows || !element || before === rows || element.scrollTop < rowPx) return;
    const at = Math.floor(element.scrollTop / rowPx);
    const top = before[at];
    // By so much as it has gone down, and no more: somebody may be scrolling.
    const now = top === undefined ? -1 : rows.findIndex((one) => keyOf(one) === keyOf(top));
    if (now > at) element.scrollTop += (now - at) * rowPx;
  }, [grows, rows, keyOf, rowPx]);
  const look = (): void => {
    const element = box.current;
    if (!element) return;
    setRange({ top: element.scrollTop, height: element.clientHeight });
    if (element.scrollTop + element.clientHeight > element.scrollHeight - 10 * rowPx) more?.();
  };
  // only its size matters here
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(range.top / rowPx) - 8);
  const last = Math.min(rows.length, Math.ceil((range.top + range.height) / rowPx) + 8);
  return (
    <div
      className="rows"
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      ref={box}
      onScroll={look}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
      tabIndex={0}
      style={{ "--columns": columns, "--row": `${rowPx}px`, "--min": minWidth } as object}
    >
      <div className="cells heads" role="row" aria-rowindex={1}>
        {head}
      </div>
      <div className="all" role="rowgroup" style={{ height: rows.length * rowPx }}>
        {rows.slice(first, last).map((one, at) => (
          <div key={keyOf(one)} className="cells" role="row" aria-rowindex={first + at + 2} style={{ top: (first + at) * rowPx }}>
            {row(one)}
          </div>
        ))}
      </div>
    </div>
  );
}
export const Th = ({ children }: { children: ReactNode }) => <span role="columnheader">{children}</span>;
/** A head by which the rows can be sorted: a click, or Enter, sorts by it, another one the other way round. */
export const SortTh = ({
  sorted,
  sort,
  children,
}: {
  sorted: "ascending" | "descending" | "none";
  sort(): void;
  children: ReactNode;
}) => (
  <span role="columnheader" aria-sort={sorted}>
    <button type="button" className="sort" onClick={sort}>
      {children}
      <span aria-hidden="true">{{ ascending: " ▲", descending: " ▼", none: "" }[sorted]}</span>
    </button>
  </span>
);
/** @param title the whole text, where there may not be room for it */
export const Td = ({ children, right, title }: { children: ReactNode; right?: boolean; title?: string }) => (
  <span role="cell" className={right ? "right" : ""} title={title}>
    {children}
  </span>
);
