// The page "settings": the policy in plain words, from the policy's own table, and what it would decide now under what is being changed.
import { type ReactNode, useEffect, useId, useState } from "react";
import { MODES, type Settings as Policy, SETTINGS, type SettingName } from "../../policy/settings.ts";
import type { AppSettings, Preview } from "../ipc/state.ts";
import type { Words } from "../words/catalogue.ts";
import { ask, messageOf, type PageProps } from "./asking.ts";

type Draft = Partial<Policy>;
type Value = Policy[SettingName];

const PREVIEW_AFTER_MS = 150;

const GROUPS: readonly { title: "groupWhen" | "groupHow" | "groupCare"; names: readonly SettingName[] }[] = [
  { title: "groupWhen", names: ["mode", "idleAfterSeconds", "startAfterSeconds", "graceSeconds", "hours"] },
  { title: "groupHow", names: ["coresPercent", "coresPercentPresent", "memoryPercent", "memoryPercentPresent"] },
  {
    title: "groupCare",
    names: [
      "busyAbovePercent",
      "pauseInFullScreen",
      "pauseInRemoteSession",
      "exclusivePrograms",
      "batteryAbovePercent",
      "coolBelowCelsius",
      "memoryFreeAbovePercent",
      "diskFreeAboveMegabytes",
      "onMeteredNetwork",
      "linkAboveMbps",
      "updates",
      "showWork",
    ],
  },
];

/** As somebody types lists, one entry a line, there are blanks around entries and lines without any. */
const cleaned = (value: Value): Value =>
  Array.isArray(value) ? value.map((line) => line.trim()).filter((line) => line !== "") : value;
const cleanedAll = (draft: Draft): Draft =>
  Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, cleaned(value)]));

const labelOf = (name: SettingName, words: Words): string => (name === "hours" ? words.hoursSetting : words[name]);

export function Settings({ state, words }: PageProps) {
  const [draft, setDraft] = useState<Draft>({});
  const [preview, setPreview] = useState<Preview | null>(null);
  const [failure, setFailure] = useState("");
  const [saved, setSaved] = useState(false);
  const { settings, lockedBy } = state;
  const changed = Object.keys(draft).length > 0;

  // What it would decide changes with the draft, and with what this PC and its owner do, for which the headline stands.
  useEffect(() => {
    if (settings === null) return;
    const timer = setTimeout(() => {
      ask("previewPolicy", cleanedAll(draft)).then(
        (found) => {
          setPreview(found);
          setFailure("");
        },
        (thrown: unknown) => {
          setPreview(null);
          setFailure(messageOf(thrown, state.language));
        },
      );
    }, PREVIEW_AFTER_MS);
    return () => clearTimeout(timer);
  }, [draft, settings, state.headline, state.language]);

  const change = (name: SettingName, value: Value): void => {
    setSaved(false);
    const { [name]: _, ...others } = draft;
    setDraft(JSON.stringify(value) === JSON.stringify(settings?.[name]) ? others : { ...others, [name]: value });
  };
  const save = (): void => {
    ask("setPolicy", cleanedAll(draft)).then(
      () => {
        setDraft({});
        setSaved(true);
      },
      (thrown: unknown) => setFailure(messageOf(thrown, state.language)),
    );
  };

  return (
    <>
      <h1>{words.settings}</h1>
      <p className="lead">{words.settingsLead}</p>
      {settings === null ? (
        <p className="quiet">{state.headline}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          {GROUPS.map(({ title, names }) => (
            <Group key={title} title={words[title]}>
              {names.map((name) => (
                <Field
                  key={name}
                  name={name}
                  value={draft[name] ?? settings[name]}
                  lockedBy={lockedBy[name]}
                  words={words}
                  change={(value) => change(name, value)}
                />
              ))}
            </Group>
          ))}
          <footer className="preview">
            <output className={failure !== "" ? "bad" : ""}>
              {failure !== "" ? failure : saved && !changed ? `${words.saved} ` : ""}
              {failure === "" && preview && (preview.compute ? words.wouldCompute : words.wouldNot(preview.words))}
            </output>
            <span className="actions">
              <button type="button" disabled={!changed} onClick={() => setDraft({})}>
                {words.revert}
              </button>
              <button type="submit" className="primary" disabled={!changed || failure !== ""}>
                {words.save}
              </button>
            </span>
          </footer>
        </form>
      )}
      <AppGroup app={state.app} words={words} />
    </>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

interface FieldProps {
  name: SettingName;
  value: Value;
  lockedBy: string | undefined;
  words: Words;
  change(value: Value): void;
}

function Field({ name, value, lockedBy, words, change }: FieldProps) {
  const id = useId();
  const locked = lockedBy !== undefined;
  const label = labelOf(name, words);
  const described = locked ? { "aria-describedby": `${id}-locked` } : {};
  const lock = locked && (
    <small id={`${id}-locked`} className="locked">
      {words.lockedBy(lockedBy)}
    </small>
  );
  if (typeof value === "boolean")
    return (
      <div className="field check">
        <input
          id={id}
          type="checkbox"
          checked={value}
          disabled={locked}
          onChange={(event) => change(event.target.checked)}
          {...described}
        />
        <label htmlFor={id}>{label}</label>
        {lock}
      </div>
    );
  const invalid = !SETTINGS[name].check(cleaned(value)) ? { "aria-invalid": true } : {};
  const common = { id, disabled: locked, ...described, ...invalid };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {name === "mode" ? (
        <select {...common} value={String(value)} onChange={(event) => change(event.target.value as Policy["mode"])}>
          {MODES.map((mode) => (
            <option key={mode} value={mode}>
              {modeWords(mode, words)}
            </option>
          ))}
        </select>
      ) : typeof value === "number" ? (
        <input
          {...common}
          type="number"
          // Empty while somebody types: no number, which the check says.
          value={Number.isNaN(value) ? "" : value}
          onChange={(event) => change(event.target.valueAsNumber)}
        />
      ) : (
        <textarea
          {...common}
          rows={2}
          placeholder={name === "hours" ? words.hoursExample : ""}
          value={(value as readonly string[]).join("\n")}
          onChange={(event) => change(event.target.value === "" ? [] : event.target.value.split("\n"))}
        />
      )}
      {lock}
    </div>
  );
}

function modeWords(mode: Policy["mode"], words: Words): string {
  return {
    auto: words.modeAuto,
    idle: words.modeIdle,
    locked: words.modeLocked,
    always: words.modeAlways,
    never: words.modeNever,
  }[mode];
}

/** These hold as soon as they are chosen. */
function AppGroup({ app, words }: { app: AppSettings; words: Words }) {
  const id = useId();
  const set = (settings: Partial<AppSettings>): void => {
    ask("setApp", settings).catch(() => undefined); // what is shown stays as it is
  };
  return (
    <form>
      <Group title={words.groupApp}>
        <div className="field">
          <label htmlFor={`${id}-language`}>{words.language}</label>
          <select
            id={`${id}-language`}
            value={app.language}
            onChange={(event) => set({ language: event.target.value as AppSettings["language"] })}
          >
            <option value="system">{words.languageSystem}</option>
            <option value="en" lang="en">
              English
            </option>
            <option value="zh-CN" lang="zh-CN">
              简体中文
            </option>
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-screensaver`}>{words.screensaverAfterMinutes}</label>
          <input
            id={`${id}-screensaver`}
            type="number"
            min={0}
            max={1440}
            value={app.screensaverAfterMinutes}
            onChange={(event) => set({ screensaverAfterMinutes: event.target.valueAsNumber || 0 })}
          />
        </div>
        {(["notifications", "openAtLogin"] as const).map((name) => (
          <div className="field check" key={name}>
            <input
              id={`${id}-${name}`}
              type="checkbox"
              checked={app[name]}
              onChange={(event) => set({ [name]: event.target.checked })}
            />
            <label htmlFor={`${id}-${name}`}>{words[name]}</label>
          </div>
        ))}
      </Group>
    </form>
  );
}
