// Parameters and their values, and what comes of them: how many parts, the first command lines, what is wrong.
import { useId } from "react";
import { type Draft, type Preview, parameter, withoutParameter, withRenamed } from "../draft.ts";
import { sweepProblemText } from "../refusals.ts";
import { t } from "../words.tsx";

/** The names that are suggested. */
const NAMES = ["n", "m", "k", "i", "j"];

interface EditorProps {
  draft: Draft;
  preview: Preview;
  change(more: Partial<Draft>): void;
  /** A part for each of these files. */
  forEach(files: readonly File[]): void;
}

export function SweepEditor({ draft, change, preview, forEach }: EditorProps) {
  const { parameters, sets, inputs } = draft;
  const fileId = useId();
  const set = (id: number, more: { name?: string; text?: string }): void =>
    change({
      ...(more.name !== undefined && {
        inputs: withRenamed(inputs, parameters.find((one) => one.id === id)?.name ?? "", more.name),
      }),
      parameters: parameters.map(({ kept, ...one }) => {
        if (one.id !== id) return kept ? { ...one, kept } : one;
        return { ...one, ...more, ...(kept && more.text === undefined && { kept }) };
      }),
    });
  const add = (): void => {
    const name = NAMES.find((one) => parameters.every((other) => other.name !== one)) ?? `p${parameters.length + 1}`;
    const args = draft.args.includes(`{${name}`) ? draft.args : `${draft.args} {${name}}`.trim();
    change({ parameters: [...parameters, parameter(name, "1..10")], args });
  };
  return (
    <fieldset className="sweep">
      <legend>{t("sweep")}</legend>
      <p className="muted">{t("sweepHint")}</p>
      {parameters.map(({ id, name, text }) => (
        <div className="parameter" key={id}>
          <Entry label={t("parameter")} value={name} onChange={(next) => set(id, { name: next })} />
          <Entry label={t("values")} value={text} onChange={(next) => set(id, { text: next })} />
          <button
            type="button"
            className="quiet"
            aria-label={t("leaveOut", { name })}
            onClick={() =>
              change({ parameters: parameters.filter((one) => one.id !== id), inputs: withoutParameter(inputs, name) })
            }
          >
            ✕
          </button>
        </div>
      ))}
      {sets.length > 0 && (
        <p className="row">
          <span>{t("setsOf", { count: sets.length, names: Object.keys(sets[0] ?? {}).join(", ") })}</span>
          <button type="button" onClick={() => change({ sets: [] })}>
            {t("leaveOutSets")}
          </button>
        </p>
      )}
      <button type="button" onClick={add}>
        {t("addParameter")}
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen */}
      <div
        className="for-each"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          // Not also as files that every part gets.
          event.stopPropagation();
          forEach([...event.dataTransfer.files]);
        }}
      >
        <label htmlFor={fileId}>{t("partForEach")}</label>
        <input id={fileId} type="file" multiple onChange={({ target }) => forEach([...(target.files ?? [])])} />
      </div>
      {Object.keys(inputs).length > 0 && (
        <p className="muted">{t("ownFilesOf", { names: Object.entries(inputs).map(fromTo).join(", ") })}</p>
      )}
      <output className="preview" aria-live="polite">
        {preview.problems.length > 0 ? (
          <ul className="problems">
            {preview.problems.map((problem) => (
              <li key={`${problem.path} ${problemText(problem)}`}>{problemText(problem)}</li>
            ))}
          </ul>
        ) : (
          <>
            <strong>{t("partCount", { count: preview.parts })}</strong>
            <pre>{preview.lines.join("\n")}</pre>
          </>
        )}
      </output>
    </fieldset>
  );
}

/** The name in the part, and the file's where it is another. */
const fromTo = ([to, from]: [string, string]): string => (to === from ? to : `${to} = ${from}`);

function problemText(problem: Preview["problems"][number]): string {
  if ("values" in problem) return sweepProblemText(problem);
  if (problem.code === "form-name") return t("problemName", { name: problem.path });
  if (problem.code === "form-twice") return t("problemTwice", { name: problem.path });
  return t("problemValues", { name: problem.path });
}

interface EntryProps {
  label: string;
  hint?: string;
  value: string;
  number?: { min: number; max: number; step?: number };
  required?: boolean;
  /** Several lines. */
  lines?: boolean;
  onChange(value: string): void;
}

/** A field whose value its owner keeps. */
export function Entry({ label, hint, value, number, required, lines, onChange }: EntryProps) {
  const id = useId();
  const common = {
    ...{ id, value, required, "aria-describedby": hint && `${id}-hint`, spellCheck: false },
    onChange: ({ target }: { target: { value: string } }) => onChange(target.value),
  };
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      {lines ? (
        <textarea rows={3} {...common} />
      ) : (
        <input {...(number ? { type: "number", step: "any", ...number } : { type: "text" })} {...common} />
      )}
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </p>
  );
}
