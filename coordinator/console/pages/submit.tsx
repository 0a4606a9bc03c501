// Submitting a job: program, job file and input files by drag and drop, arguments, a sweep with a preview of what will run. Begins empty or as
// an earlier job was.
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { MAX_JOB_FILE_BYTES, readJobFile, stepPattern } from "../../protocol/job-file.ts";
import { type Answer, ask, OwnRefusal, upload, uploadAll } from "../client.ts";
import { bodyOf, type Draft, draftOfFile, draftOfJob, EMPTY, previewOf, withPartForEach } from "../draft.ts";
import { attempt, Dialog, Form, say } from "../parts.tsx";
import { navigate } from "../router.tsx";
import { showBytes, t } from "../words.tsx";
import { Entry, SweepEditor } from "./sweep-editor.tsx";

const SOURCE = /\.(c|cc|cpp|cxx|wasm)$/i;

type Detail = Answer<"job">;

/** @param of an earlier job to begin with */
export function SubmitDialog({ dropped, of, close }: { dropped: File[]; of?: Detail; close(): void }) {
  const [files, setFiles] = useState<File[]>([]);
  const showId = useId();
  const [draft, setDraft] = useState<Draft>(of ? draftOfJob(of) : EMPTY);
  /** Names of the earlier job's input files that go along again. */
  const [kept, setKept] = useState<string[]>(Object.keys(of?.inputs ?? {}));
  const id = useId();
  const program = files.find(({ name }) => SOURCE.test(name));
  const others = files.filter((file) => file !== program);
  const programName = program?.name ?? of?.args[0] ?? "program";
  /** The file that a part means: by its name, or of an earlier job. */
  const sourceOf = (source: string) => {
    const named = (name: string) => others.find((file) => file.name === name);
    return named(source) ?? named(source.replace(/^.*\//, "")) ?? of?.sweep?.inputs?.files[source];
  };
  const preview = useMemo(
    () => previewOf(draft, programName, (source) => sourceOf(source) !== undefined),
    [draft, programName, files],
  );
  const change = (more: Partial<Draft>): void => setDraft((before) => ({ ...before, ...more }));
  const latest = useRef<readonly File[]>([]);
  latest.current = [...files, ...dropped];
  const add = (more: Iterable<File>): void => {
    for (const file of more)
      void attempt(async () => {
        const planned = await jobFileOf(file, () => latest.current.map(({ name }) => name));
        if (planned) setDraft(draftOfFile(planned));
        else setFiles((before) => [...before.filter(({ name }) => name !== file.name), file]);
      });
  };
  const forEach = (more: readonly File[]): void => {
    const names = new Set(more.map(({ name }) => name));
    setFiles((before) => [...before.filter(({ name }) => !names.has(name)), ...more]);
    setDraft((before) => withPartForEach(before, [...names]));
  };
  // what was dropped on the page before this opened
  useEffect(() => add(dropped), []);
  const send = async (): Promise<void> => {
    if (!program && !of) throw new OwnRefusal("NS_BAD_REQUEST", t("noProgram"), t("dropHere"));
    const own = new Map(preview.sources.map((source) => [source, sourceOf(source)]));
    const common = others.filter((file) => ![...own.values()].includes(file));
    const ownProgram = program && (await upload(program));
    const refs = await uploadAll(common);
    const ofParts = [...own].filter((entry): entry is [string, File] => entry[1] instanceof File);
    const uploaded = await uploadAll(ofParts.map(([, file]) => file));
    const partFiles = {
      ...Object.fromEntries(
        [...own].flatMap(([source, file]) => (file && !(file instanceof File) ? [[source, file] as const] : [])),
      ),
      ...Object.fromEntries(ofParts.flatMap(([source], at) => (uploaded[at] ? [[source, uploaded[at]] as const] : []))),
    };
    const inputs = {
      ...Object.fromEntries(kept.flatMap((name) => (of?.inputs[name] ? [[name, of.inputs[name]] as const] : []))),
      ...Object.fromEntries(common.flatMap((file, at) => (refs[at] ? [[file.name, refs[at]] as const] : []))),
    };
    const sent =
      program && ownProgram
        ? { name: program.name.replace(SOURCE, (end) => end.toLowerCase()), hash: ownProgram.hash }
        : { name: programName, stored: of?.program ?? "" };
    const { job, diagnostics } = await ask("submit", {
      body: { program: sent, files: inputs, ...bodyOf(draft, preview, partFiles) },
    });
    if (diagnostics) say(diagnostics);
    close();
    navigate(`/jobs/${job}`);
  };
  return (
    <Dialog title={of ? t("cloneOf", { job: `j${of.job.job}` }) : t("submitJob")} onClose={close}>
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
        <label htmlFor={id}>{of ? t("dropInstead") : t("dropHere")}</label>
        <input id={id} type="file" multiple onChange={({ target }) => add(target.files ?? [])} />
      </div>
      <ul className="list">
        {!program && of && (
          <li>
            <span>
              {programName} <strong>{t("storedProgram")}</strong>
            </span>
          </li>
        )}
        {files.map((file) => (
          <FileLine
            key={file.name}
            name={file.name}
            size={file.size}
            {...(file === program && { note: t("theProgram") })}
            remove={() => setFiles(files.filter((one) => one !== file))}
          />
        ))}
        {kept.map((name) => (
          <FileLine
            key={`kept ${name}`}
            name={name}
            size={of?.inputs[name]?.size ?? 0}
            remove={() => setKept(kept.filter((one) => one !== name))}
          />
        ))}
      </ul>
      <Form label={preview.parts > 1 ? t("submitParts", { count: preview.parts }) : t("submit")} send={send}>
        <Entry label={t("arguments")} hint={t("argumentsHint")} value={draft.args} onChange={(args) => change({ args })} />
        <SweepEditor draft={draft} change={change} preview={preview} forEach={forEach} />
        <details>
          <summary>{t("moreOptions")}</summary>
          <div className="pair">
            <Entry label={t("jobName")} hint={t("jobNameHint")} value={draft.name} onChange={(name) => change({ name })} />
            <Entry
              label={t("memoryMiB")}
              number={{ min: 0.0625, max: 4096 }}
              required
              value={draft.memoryMiB}
              onChange={(memoryMiB) => change({ memoryMiB })}
            />
            <Entry
              label={t("cpuSeconds")}
              hint={t("cpuSecondsHint")}
              number={{ min: 0.001, max: 1e9 }}
              value={draft.cpuSeconds}
              onChange={(cpuSeconds) => change({ cpuSeconds })}
            />
            <Entry
              label={t("seed")}
              hint={t("seedHint")}
              number={{ min: 0, max: 0xffffffff, step: 1 }}
              value={draft.seed}
              onChange={(seed) => change({ seed })}
            />
            <Entry label={t("onlyHosts")} hint={t("onlyHostsHint")} value={draft.hosts} onChange={(hosts) => change({ hosts })} />
            <Entry
              label={t("environment")}
              hint={t("environmentHint")}
              lines
              value={draft.env}
              onChange={(env) => change({ env })}
            />
            <p className="field">
              <label htmlFor={showId}>{t("showOnScreens")}</label>
              <select id={showId} value={draft.show} onChange={({ target }) => change({ show: target.value as Draft["show"] })}>
                <option value="">{t("showNothing")}</option>
                <option value="image">{t("showImage")}</option>
                <option value="spectrum">{t("showSpectrum")}</option>
              </select>
              <small>{t("showHint")}</small>
            </p>
            <p className="field wide">
              <label className="tick">
                <input type="checkbox" checked={draft.pin} onChange={({ target }) => change({ pin: target.checked })} />
                {t("pin")}
              </label>
              <small>{t("pinHint")}</small>
            </p>
          </div>
        </details>
      </Form>
    </Dialog>
  );
}

const FileLine = ({ name, size, note, remove }: { name: string; size: number; note?: string; remove(): void }) => (
  <li>
    <span>
      {name} {note ? <strong>{note}</strong> : <small className="muted">{showBytes(size)}</small>}
    </span>
    <button type="button" className="quiet" aria-label={t("leaveOut", { name })} onClick={remove}>
      ✕
    </button>
  </li>
);

/** What a job file says; undefined for a file that is none. @throws NightshiftError when it is one with mistakes */
async function jobFileOf(file: File, names: () => readonly string[]) {
  if (!/\.json$/i.test(file.name) || file.size > MAX_JOB_FILE_BYTES) return undefined;
  const text = await file.text();
  // Programs may read JSON files, too; a job file names its program.
  if (!/"program"\s*:/.test(text)) return undefined;
  // Of a path only the last step is known of files that were dropped.
  const find = (pattern: string): string[] => {
    const fits = stepPattern(pattern.replace(/^.*\//, ""));
    return names()
      .filter((name) => fits.test(name))
      .sort();
  };
  return readJobFile(text, file.name, find);
}
