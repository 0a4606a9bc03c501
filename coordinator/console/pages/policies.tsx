// Policies: what hosts may do and when, for all of them, by tag, or for one. An editor that says whom a change affects before it is made, and
// the versions with the way back. What may stand in a policy is told by the same rules that the agents have.
import { isSettingName, MODES, SETTING_NAMES, SETTINGS, type SettingName } from "@nightshift/agent-app/policy";
import { type FormEvent, type ReactNode, useEffect, useId, useState } from "react";
import { type Answer, ask, type Refusal, useAsk } from "../client.ts";
import { type Host, useFollowed, useLive } from "../live.ts";
import { attempt, Empty, Failure, Head, Loading, Shown, say } from "../parts.tsx";
import { Link, useQuery } from "../router.tsx";
import { useMayAdminister } from "../session.tsx";
import type { Key } from "../texts.ts";
import { showTime, t } from "../words.tsx";
import { Releases } from "./releases.tsx";

type Policy = Answer<"policies">["policies"][number];
type Preview = Answer<"previewPolicy">;
type Value = string | number | boolean | readonly string[];
/** What a policy says of a setting. Locked: nobody at the host can change it. */
interface Said {
  how: "locked" | "default";
  value: Value;
}
type Draft = Partial<Record<SettingName, Said>>;

const GROUPS: readonly { title: Key; names: readonly SettingName[] }[] = [
  { title: "groupWhen", names: ["mode", "idleAfterSeconds", "startAfterSeconds", "graceSeconds", "hours"] },
  { title: "groupHowMuch", names: ["coresPercent", "coresPercentPresent", "memoryPercent", "memoryPercentPresent"] },
  {
    title: "groupCare",
    names: SETTING_NAMES.filter((name) => /Above|Below|Metered|pauseIn|exclusive|updates|showWork/.test(name)),
  },
];
const MODE_NAMES: Record<(typeof MODES)[number], Key> = {
  auto: "modeAuto",
  idle: "modeIdle",
  locked: "modeLocked",
  always: "modeAlways",
  never: "modeNever",
};
/** What somebody types is tried out when they have paused for so long. */
const PAUSE_MS = 250;
/** Hosts that are named; more help nobody. */
const MAX_NAMED = 12;
/** So many are shown unasked. */
const MAX_OPEN = 3;

export function PoliciesPage() {
  const { hosts } = useLive();
  const [scope, setScope] = useQuery("for");
  const asked = useFollowed("policies", () => ask("policies"));
  const chosen = scope || "all";
  return (
    <>
      <Head title={t("policies")}>
        <ScopeChoice scope={chosen} choose={(next) => setScope(next === "all" ? "" : next)} hosts={[...hosts.values()]} />
      </Head>
      <p className="muted lead">{t("policiesLead")}</p>
      <Shown asked={asked}>
        {({ policies }) => (
          <div className="split">
            <FollowingEditor key={chosen} scope={chosen} now={policies.find((one) => one.scope === chosen)} saved={asked.again} />
            <div>
              <section className="panel">
                <h2>{t("policiesThere")}</h2>
                {policies.length === 0 ? (
                  <Empty title={t("noPolicies")} />
                ) : (
                  <ul className="list">
                    {policies.map((one) => (
                      <li key={one.scope}>
                        <Link
                          href={one.scope === "all" ? "/policies" : `/policies?for=${encodeURIComponent(one.scope)}`}
                          aria-current={one.scope === chosen ? "true" : undefined}
                        >
                          {scopeName(one)}
                        </Link>
                        <span className="muted">{inShort(one)}</span>
                      </li>
                    ))}
                  </ul>
                )}
              </section>
              <Versions key={`${chosen} ${policies.map(({ version }) => version).join()}`} scope={chosen} changed={asked.again} />
              <Releases />
            </div>
          </div>
        )}
      </Shown>
    </>
  );
}

function ScopeChoice({ scope, choose, hosts }: { scope: string; choose(scope: string): void; hosts: Host[] }) {
  const tags = [...new Set(hosts.flatMap((host) => host.tags))].sort();
  const options = ["all", ...tags.map((tag) => `tag:${tag}`), ...hosts.map(({ id }) => `host:${id}`)];
  return (
    <select aria-label={t("policyFor")} value={scope} onChange={({ target }) => choose(target.value)}>
      <option value="all">{t("allHosts")}</option>
      {!options.includes(scope) && <option value={scope}>{scope}</option>}
      {tags.length > 0 && (
        <optgroup label={t("tags")}>
          {tags.map((tag) => (
            <option key={tag} value={`tag:${tag}`}>
              {t("hostsTagged", { tag })}
            </option>
          ))}
        </optgroup>
      )}
      {hosts.length > 0 && (
        <optgroup label={t("hosts")}>
          {hosts
            .toSorted((a, b) => a.name.localeCompare(b.name))
            .map(({ id, name }) => (
              <option key={id} value={`host:${id}`}>
                {name}
              </option>
            ))}
        </optgroup>
      )}
    </select>
  );
}

interface Editing {
  scope: string;
  now: Policy | undefined;
  saved(): void;
}

/** Shows what somebody else has saved meanwhile, but for one who is in the middle of something: they are told. */
function FollowingEditor({ scope, now, saved }: Editing) {
  const [shown, setShown] = useState(now);
  const [editing, setEditing] = useState(false);
  const isOld = shown?.version !== now?.version;
  if (isOld && !editing) setShown(now);
  const show = (): void => {
    setEditing(false);
    setShown(now);
  };
  return (
    <Editor
      key={shown?.version}
      scope={scope}
      now={shown}
      edits={setEditing}
      saved={() => {
        setEditing(false);
        saved();
      }}
    >
      {isOld && editing && now && (
        <p className="waiting" role="status">
          {t("policyMeanwhile", { who: now.who, version: now.version })}{" "}
          <button type="button" onClick={show}>
            {t("policyShowTheirs")}
          </button>
        </p>
      )}
    </Editor>
  );
}

/** @param children said beside the button that saves */
function Editor({ scope, now, saved, edits, children }: Editing & { edits(changed: boolean): void; children: ReactNode }) {
  const administrator = useMayAdminister();
  const before = draftOf(now?.document ?? {});
  const [draft, setDraft] = useState(before);
  const saidBy = String(now?.document.by ?? "");
  const [by, setBy] = useState(saidBy);
  const [failure, setFailure] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const document = documentOf(draft, by);
  const changed = JSON.stringify(document) !== JSON.stringify(documentOf(before, saidBy));
  useEffect(() => edits(changed), [changed, edits]);
  const wrong = SETTING_NAMES.filter((name) => draft[name] && !SETTINGS[name].check(draft[name].value));
  const byId = useId();

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (wrong.length > 0) return;
    setBusy(true);
    setFailure(undefined);
    ask("setPolicy", { body: { scope, document } })
      .then(({ policy, hosts }) => {
        say(t("policySaved", { version: policy.version, hosts }));
        saved();
      })
      .catch(setFailure)
      .finally(() => setBusy(false));
  };
  return (
    <form className="panel policy" onSubmit={submit}>
      <h2>{now ? scopeName(now) : t("policyNew")}</h2>
      <fieldset disabled={!administrator}>
        <legend className="hidden">{t("settings")}</legend>
        {GROUPS.map(({ title, names }) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            {names.map((name) => (
              <Setting
                key={name}
                name={name}
                said={draft[name]}
                change={(said) => {
                  const { [name]: _, ...others } = draft;
                  setDraft(said ? { ...others, [name]: said } : others);
                }}
              />
            ))}
          </section>
        ))}
        <p className="field">
          <label htmlFor={byId}>{t("policyBy")}</label>
          <input
            id={byId}
            value={by}
            maxLength={200}
            onChange={({ target }) => setBy(target.value)}
            aria-describedby={`${byId}-hint`}
          />
          <small id={`${byId}-hint`}>{t("policyByHint")}</small>
        </p>
      </fieldset>
      <div className="foot">
        {children}
        {failure && <Failure failure={failure} />}
        {wrong.length > 0 ? (
          <p className="bad-words" role="alert">
            {t("policyWrong", { settings: wrong.map(shortName).join("; ") })}
          </p>
        ) : (
          <PreviewOf scope={scope} document={document} changed={changed} />
        )}
        {administrator && (
          <div className="row end">
            <button
              type="button"
              disabled={!changed}
              onClick={() => {
                setDraft(before);
                setBy(saidBy);
              }}
            >
              {t("discard")}
            </button>
            <button type="submit" className="main" disabled={!changed || busy || wrong.length > 0}>
              {busy ? t("working") : t("policySave")}
            </button>
          </div>
        )}
      </div>
    </form>
  );
}

function Setting({ name, said, change }: { name: SettingName; said: Said | undefined; change(said: Said | undefined): void }) {
  const id = useId();
  const label = t(name);
  const value = said?.value;
  const set = (next: Value): void => {
    if (said) change({ ...said, value: next });
  };
  const invalid = said && !SETTINGS[name].check(value) ? { "aria-invalid": true } : {};
  const common = { "aria-labelledby": id, ...invalid };
  const range = SETTINGS[name].range;
  return (
    <div className={`setting ${said?.how ?? ""}`}>
      <span id={id} className="name">
        {label}
      </span>
      <select
        aria-label={t("policySays", { setting: label })}
        value={said?.how ?? ""}
        onChange={({ target }) =>
          change(
            target.value === ""
              ? undefined
              : { how: target.value as Said["how"], value: value ?? (SETTINGS[name].default as Value) },
          )
        }
      >
        <option value="">{t("saysNothing")}</option>
        <option value="default">{t("saysDefault")}</option>
        <option value="locked">{t("saysLocked")}</option>
      </select>
      {said === undefined ? (
        <span className="muted">
          {t("usually", { value: name === "hours" ? t("anyTime") : valueWords(SETTINGS[name].default) })}
        </span>
      ) : name === "mode" ? (
        <select {...common} value={String(value)} onChange={({ target }) => set(target.value)}>
          {MODES.map((mode) => (
            <option key={mode} value={mode}>
              {t(MODE_NAMES[mode])}
            </option>
          ))}
        </select>
      ) : typeof value === "boolean" ? (
        <select {...common} value={String(value)} onChange={({ target }) => set(target.value === "true")}>
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </select>
      ) : typeof value === "number" ? (
        <input
          {...common}
          type="number"
          min={range?.[0]}
          max={range?.[1]}
          required
          // Empty while somebody types: no number, which the check says.
          value={Number.isNaN(value) ? "" : value}
          onChange={({ target }) => set(target.valueAsNumber)}
        />
      ) : (
        <textarea
          {...common}
          title={t("onePerLine")}
          rows={3}
          placeholder={name === "hours" ? "mon-fri 18:00-08:00" : "blender"}
          value={(value as readonly string[]).join("\n")}
          onChange={({ target }) => set(target.value === "" ? [] : target.value.split("\n"))}
        />
      )}
    </div>
  );
}

/** Whom it would affect, kept up to date while somebody edits. */
function PreviewOf({ scope, document, changed }: { scope: string; document: Record<string, unknown>; changed: boolean }) {
  const text = JSON.stringify(document);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const asked = useAsk(`${scope} ${settled}`, () => ask("previewPolicy", { body: { scope, document: JSON.parse(settled) } }));
  return (
    <div aria-live="polite" aria-busy={settled !== text}>
      {asked.failure ? (
        <Failure failure={asked.failure} again={asked.again} />
      ) : asked.data === undefined ? (
        <Loading />
      ) : (
        <Affected preview={asked.data} changed={changed} />
      )}
    </div>
  );
}

function Affected({ preview: { hosts, changed: count, listed }, changed }: { preview: Preview; changed: boolean }) {
  const named = listed.filter(({ changes }) => changes.length > 0).slice(0, MAX_NAMED);
  if (!changed || named.length === 0) return <p>{t(changed ? "policyWould" : "policyHolds", { hosts, changed: count })}</p>;
  return (
    <details open={named.length <= MAX_OPEN}>
      <summary>{t("policyWould", { hosts, changed: count })}</summary>
      <ul className="list">
        {named.map(({ id, name, changes }) => (
          <li key={id}>
            <strong>{name}</strong>
            <span className="muted">
              {changes
                .map(({ setting, from, to }) => `${shortName(setting)}: ${valueWords(from)} → ${valueWords(to)}`)
                .join("; ")}
            </span>
          </li>
        ))}
      </ul>
      {count > named.length && <p className="muted">{t("firstOnly", { count: named.length })}</p>}
    </details>
  );
}

function Versions({ scope, changed }: { scope: string; changed(): void }) {
  const administrator = useMayAdminister();
  const asked = useAsk(scope, () => ask("policyVersions", { query: { scope } }));
  const undo = (version?: number): void => {
    void attempt(
      () => ask("undoPolicy", { body: { scope, ...(version === undefined ? {} : { version }) } }),
      t("policyUndone"),
    ).then(changed);
  };
  return (
    <Shown asked={asked}>
      {({ versions }) =>
        versions.length === 0 ? null : (
          <section className="panel">
            <h2>{t("versions")}</h2>
            {administrator && (
              <button type="button" onClick={() => undo()}>
                {t("undoLast")}
              </button>
            )}
            <ol className="list" reversed>
              {versions.map((one, at) => (
                <li key={one.version}>
                  <span>
                    <strong>{t("versionNumber", { version: String(one.version) })}</strong>{" "}
                    <span className="muted">
                      {one.who}, <time dateTime={new Date(one.at).toISOString()}>{showTime(one.at)}</time>
                    </span>
                    <br />
                    {inShort(one)}
                  </span>
                  {at === 0 ? (
                    <span className="muted">{t("inForce")}</span>
                  ) : (
                    administrator && (
                      <button
                        type="button"
                        className="quiet"
                        aria-label={t("restoreVersion", { version: String(one.version) })}
                        onClick={() => undo(one.version)}
                      >
                        {t("restore")}
                      </button>
                    )
                  )}
                </li>
              ))}
            </ol>
          </section>
        )
      }
    </Shown>
  );
}

/** What a host says of the policies it was told, on its own page. */
export function HostPolicy({ host }: { host: Host }) {
  const { told, obeyed, problem } = host.policy;
  return (
    <section className="panel">
      <h2>{t("policy")}</h2>
      <p>
        {told.length === 0
          ? t("policyNone")
          : obeyed?.join() === told.join()
            ? t("policyObeyed", { versions: told.join(", ") })
            : t("policyWaits", { versions: told.join(", ") })}
      </p>
      {problem && (
        <p className="bad-words" role="alert">
          {t("policyProblem", { problem })}
        </p>
      )}
      <Link href={`/policies?for=host:${host.id}`}>{t("policyOfHost")}</Link>
    </section>
  );
}

function scopeName({ scope, name }: Policy): string {
  if (scope === "all") return t("allHosts");
  return scope.startsWith("tag:") ? t("hostsTagged", { tag: scope.slice("tag:".length) }) : name.slice("host:".length);
}

/** Without the unit and what numbers mean. */
const shortName = (name: string): string => (isSettingName(name) ? t(name).replace(/\s*[(（].*$/, "") : name);

function valueWords(value: unknown): string {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (Array.isArray(value)) return value.length === 0 ? t("noneOfThem") : value.join(", ");
  const mode = MODES.find((one) => one === value);
  return mode ? t(MODE_NAMES[mode]) : String(value);
}

/** "Computes: never (locked); Grace time: 5" */
function inShort({ document }: Policy): string {
  const said = Object.entries(draftOf(document)) as [SettingName, Said][];
  if (said.length === 0) return t("saysNothingAtAll");
  return said
    .map(
      ([name, { how, value }]) => `${shortName(name)}: ${valueWords(value)}${how === "locked" ? ` (${t("lockedShort")})` : ""}`,
    )
    .join("; ");
}

function draftOf({ locked, defaults }: Record<string, unknown>): Draft {
  const said = (settings: unknown, how: Said["how"]): [SettingName, Said][] =>
    Object.entries((settings ?? {}) as Record<string, Value>).flatMap(([name, value]) =>
      isSettingName(name) ? [[name, { how, value }]] : [],
    );
  // What is locked makes a default of no effect.
  return Object.fromEntries([...said(defaults, "default"), ...said(locked, "locked")]);
}

function documentOf(draft: Draft, by: string): Record<string, unknown> {
  const of = (how: Said["how"]): Record<string, Value> =>
    Object.fromEntries(SETTING_NAMES.flatMap((name) => (draft[name]?.how === how ? [[name, draft[name].value]] : [])));
  return { version: 1, ...(by === "" ? {} : { by }), locked: of("locked"), defaults: of("default") };
}
