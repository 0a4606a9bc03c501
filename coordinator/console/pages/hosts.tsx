// Hosts: the table of all, and one with its processes and what administrators can do with it.
import { useMemo, useState } from "react";
import { ask, useAsk } from "../client.ts";
import { deedWords, detailWords } from "../deeds.ts";
import { COLUMNS, slotsBusy, sorted, storeColumns, storedColumns, useFigures } from "../host-columns.tsx";
import { useHostFilter } from "../host-filter.tsx";
import { type Host, useFollowed, useLive } from "../live.ts";
import { hostStateName, orderNames, pausedText } from "../names.ts";
import {
  attempt,
  Confirm,
  Dialog,
  Empty,
  Fact,
  Field,
  Form,
  Head,
  Loading,
  Rows,
  Shown,
  SortTh,
  State,
  say,
  Td,
} from "../parts.tsx";
import { Link, navigate, useQuery } from "../router.tsx";
import { useMayAdminister } from "../session.tsx";
import { showBytes, showNumber, showTime, t, useLanguage } from "../words.tsx";
import { HostWeek } from "./host-week.tsx";
import { ProcessTable } from "./job/processes.tsx";
import { HostPolicy } from "./policies.tsx";

const MAX_EVENTS = 12;
/** Among them are those of hosts whose names contain this one's. */
const MAX_EVENTS_LOOKED_AT = 200;

export function HostsPage() {
  const { hosts, state: connection } = useLive();
  const administrator = useMayAdminister();
  const language = useLanguage();
  const { groups, fields } = useHostFilter();
  const [sort, setSort] = useQuery("sort");
  const [chosen, setChosen] = useState(storedColumns);
  const [choosing, setChoosing] = useState(false);
  const columns = COLUMNS.filter(({ id }) => chosen.includes(id));
  const figures = useFigures(columns);
  // Words sort as the language has them.
  const rows = useMemo(
    () =>
      sorted(
        groups.flatMap(([, list]) => list),
        sort,
        figures,
      ),
    [groups, sort, figures, language],
  );
  return (
    <>
      <Head title={t("hosts")}>
        {fields}
        <button type="button" onClick={() => setChoosing(true)}>
          {t("columns")}
        </button>
      </Head>
      {choosing && (
        <ColumnChooser chosen={chosen} choose={(ids) => setChosen(storeColumns(ids))} close={() => setChoosing(false)} />
      )}
      {hosts.size === 0 && connection === "connecting" ? (
        <Loading />
      ) : rows.length === 0 ? (
        <Empty title={hosts.size === 0 ? t("noHosts") : t("noMatch")}>
          {hosts.size === 0 && <p>{t("noHostsMore")}</p>}
          {hosts.size === 0 && administrator && (
            <Link className="button main" href="/join">
              {t("makeLink")}
            </Link>
          )}
        </Empty>
      ) : (
        <Rows
          label={t("hosts")}
          rows={rows}
          keyOf={({ id }) => id}
          columns={columns.map(({ width, grows }) => (grows ? `minmax(${width}em, ${grows}fr)` : `${width}em`)).join(" ")}
          // With the gaps between columns and the room at both ends.
          minWidth={`${columns.reduce((sum, { width }) => sum + width + 1.1, 1.6)}em`}
          head={columns.map(({ id, label, numbers = false }) => (
            <SortTh
              key={id}
              sorted={sort.replace("-", "") !== id ? "none" : sort.startsWith("-") === numbers ? "ascending" : "descending"}
              sort={() => setSort(sort === id ? `-${id}` : id)}
            >
              {t(label)}
            </SortTh>
          ))}
          row={(host) =>
            columns.map(({ id, cell, value }) => (
              <Td key={id} {...(!cell && { title: String(value(host, figures)) })}>
                {cell?.(host, figures) ?? value(host, figures)}
              </Td>
            ))
          }
        />
      )}
    </>
  );
}

function ColumnChooser({
  chosen,
  choose,
  close,
}: {
  chosen: readonly string[];
  choose(ids: readonly string[] | null): void;
  close(): void;
}) {
  return (
    <Dialog title={t("columnsChoose")} onClose={close}>
      <p className="muted">{t("columnsHint")}</p>
      <div className="column-choice">
        {COLUMNS.filter(({ id }) => id !== "name").map(({ id, label }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              onChange={({ target }) => choose(target.checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
            />
            {t(label)}
          </label>
        ))}
      </div>
      <div className="row end">
        <button type="button" onClick={() => choose(null)}>
          {t("columnsReset")}
        </button>
      </div>
    </Dialog>
  );
}

export function HostPage({ id }: { id: string }) {
  const { hosts, processes } = useLive();
  const now = [...hosts.values()].find((host) => host.id === id);
  const here = [...processes.values()].filter(({ host }) => host === now?.number).map(({ pid }) => pid);
  const asked = useAsk(`${id} ${here.join()}`, () => ask("host", { params: { host: id } }));
  const administrator = useMayAdminister();
  return (
    <Shown asked={asked} title={t("hosts")}>
      {({ host: then, enrolledAt, processes: listed }) => {
        const host = now ?? then;
        return (
          <>
            <Head title={host.name}>{administrator && <Actions host={host} />}</Head>
            <dl className="totals">
              <Fact label={t("state")}>
                <State of={host.state}>{hostStateName(host)}</State>
                {orderNames(host).map((name) => (
                  <small key={name}> · {name}</small>
                ))}
              </Fact>
              <Fact label={t("slots")}>{slotsBusy(host)}</Fact>
              <Fact label={t("speed")}>{showNumber(Math.round(host.speed))}</Fact>
              <Fact label={t("freeMemory")}>
                {showBytes(host.memoryFreeBytes)} / {showBytes(host.memoryBytes)}
              </Fact>
            </dl>
            <p className="muted">
              {host.paused && `${pausedText(host)} · `}
              {host.version !== null && `${t("versionOf", { version: host.version })} · `}
              {host.outOfDate && `${t("outOfDate")} · `}
              {host.os} · {host.arch} · {host.cpuModel} · {t("enrolled", { at: showTime(enrolledAt) })} ·{" "}
              {t("seen", { at: showTime(host.seenAt) })}
            </p>
            <section className="panel">
              <h2>{t("processesHere", { count: listed.length })}</h2>
              <ProcessTable processes={listed} maySteer={administrator} />
            </section>
            <HostWeek host={id} />
            <HostPolicy host={host} />
            {administrator && <HostEvents name={host.name} />}
            {administrator && (
              <section className="panel narrow">
                <h2>{t("nameAndTags")}</h2>
                <Form
                  key={`${host.name} ${host.tags.join()}`}
                  label={t("save")}
                  send={async ({ name = "", tags = "" }) => {
                    const list = tags
                      .split(",")
                      .map((tag) => tag.trim())
                      .filter(Boolean);
                    await ask("changeHost", { params: { host: id }, body: { name, tags: list } });
                    say(t("done"));
                  }}
                >
                  <Field label={t("name")} name="name" value={host.name} required />
                  <Field label={t("tags")} name="tags" value={host.tags.join(", ")} hint={t("tagsHint")} />
                </Form>
              </section>
            )}
          </>
        );
      }}
    </Shown>
  );
}

/** What has happened to it lately, and what it did: joined, left and why, was changed, took a new version or failed to. */
function HostEvents({ name }: { name: string }) {
  const asked = useFollowed(name, () => ask("events", { query: { search: name, limit: MAX_EVENTS_LOOKED_AT } }));
  return (
    <section className="panel">
      <h2>{t("events")}</h2>
      <Shown asked={asked}>
        {({ events }) => {
          // Names of other hosts begin like this one's.
          const own = events.filter(({ who, target }) => target === name || who === `host ${name}`).slice(0, MAX_EVENTS);
          return own.length === 0 ? (
            <p className="muted">{t("noMatch")}</p>
          ) : (
            <ul className="list">
              {own.map(({ id, at, who, what, details }) => (
                <li key={id}>
                  <span>
                    <time dateTime={new Date(at).toISOString()}>{showTime(at)}</time> {deedWords(what)} <code>{what}</code>{" "}
                    <span className="muted">{[who, detailWords(what, details)].filter(Boolean).join(" · ")}</span>
                  </span>
                </li>
              ))}
            </ul>
          );
        }}
      </Shown>
      <Link href={`/events?search=${encodeURIComponent(name)}`}>{t("allEvents")}</Link>
    </section>
  );
}

function Actions({ host }: { host: Host }) {
  const change = (said: { drained?: boolean; stay?: boolean; block?: boolean }): Promise<boolean> =>
    attempt(() => ask("changeHost", { params: { host: host.id }, body: said }), t("done"));
  return (
    <>
      <button type="button" onClick={() => void change({ stay: !host.stay })}>
        {host.stay ? t("stayOff") : t("stayOn")}
      </button>
      <button type="button" onClick={() => void change({ block: !host.block })}>
        {host.block ? t("blockOff") : t("blockOn")}
      </button>
      <button type="button" onClick={() => void change({ drained: !host.drained })}>
        {host.drained ? t("takeWork") : t("keepClear")}
      </button>
      <Confirm
        label={t("revokeHost")}
        question={t("revokeHostQuestion", { name: host.name })}
        act={async () => {
          if (await attempt(() => ask("removeHost", { params: { host: host.id } }), t("done"))) navigate("/hosts");
        }}
      />
    </>
  );
}
