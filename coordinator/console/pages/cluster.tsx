// The first page: the living map, the whole in numbers, throughput and balance over time.
import { useMemo } from "react";
import { Chart } from "../chart.tsx";
import { ClusterMap, TileKey } from "../cluster-map.tsx";
import { useHostFilter } from "../host-filter.tsx";
import { type Dot, type Host, live, processesOf, takesProcesses, useLive } from "../live.ts";
import { prefixesOf, UNGROUPED } from "../map-layout.ts";
import { MoveChoice, migrate } from "../move-choice.tsx";
import { HOST_STATES, hostStateName, orderNames, pausedText, processStateName } from "../names.ts";
import { Empty, Fact, Head, Loading, Meter, State, say } from "../parts.tsx";
import { Link, useQuery } from "../router.tsx";
import { useMayAdminister, useMaySteer, useSession } from "../session.tsx";
import { showNumber, showPercent, t, useLanguage } from "../words.tsx";

/** Processes that the panel of a host lists. */
const MAX_LISTED = 200;

export function ClusterPage() {
  const { hosts, totals, samples, shapes, state: connection } = useLive();
  const [chosen, setChosen] = useQuery("host");
  const administrator = useMayAdminister();
  const { role } = useSession();
  const [by, setBy] = useQuery("group");
  const { groups, fields } = useHostFilter(by);
  // the count says that hosts have other tags
  const prefixes = useMemo(() => prefixesOf(hosts.values()), [shapes]);
  const selected = [...hosts.values()].find(({ name }) => name === chosen);
  const maySteer = useMaySteer();
  const move = (dot: Dot, to: Host): void => {
    if (!maySteer(live.jobs.get(dot.job)?.by ?? "")) say(t("notYours"), true);
    else if (!takesProcesses(to)) say(t("takesNone", { host: to.name }), true);
    else void migrate(dot.pid, to);
  };
  return (
    <>
      <Head title={t("cluster")}>
        {fields}
        <select aria-label={t("grouping")} value={by} onChange={({ target }) => setBy(target.value)}>
          <option value={UNGROUPED}>{t("groupNone")}</option>
          <option value="">{t("groupFirst")}</option>
          {[...new Set([...prefixes, ...(by === "" || by === UNGROUPED ? [] : [by])])].map((prefix) => (
            <option key={prefix} value={prefix}>
              {t("groupBy", { prefix })}
            </option>
          ))}
        </select>
      </Head>
      <dl className="totals">
        <Fact label={t("coresComputing")} strong>
          {totals && showNumber(totals.computing)}
        </Fact>
        <Fact label={t("coresIdle")}>{totals && showNumber(totals.idle)}</Fact>
        <Fact label={t("ownersPresent")}>{totals && showNumber(totals.owners)}</Fact>
        <Fact label={t("hostsOnline")}>{totals && `${showNumber(totals.online)} / ${showNumber(totals.hosts)}`}</Fact>
        <Fact label={t("processes")}>{totals && showNumber(totals.processes)}</Fact>
        <Fact label={t("balance")}>
          {totals && (
            <Meter label={t("balance")} value={totals.balance}>
              {showPercent(totals.balance)}
            </Meter>
          )}
        </Fact>
      </dl>
      <div className={selected ? "split" : ""}>
        <section className="panel" aria-label={t("map")}>
          {hosts.size === 0 ? (
            connection === "connecting" ? (
              <Loading />
            ) : (
              <Empty title={t("noHosts")}>
                <p>{t("noHostsMore")}</p>
                {administrator && (
                  <Link className="button main" href="/join">
                    {t("makeLink")}
                  </Link>
                )}
              </Empty>
            )
          ) : groups.length === 0 ? (
            <Empty title={t("noMatch")} />
          ) : (
            <ClusterMap
              groups={groups}
              selected={selected?.number ?? 0}
              onSelect={(host) => setChosen(host?.name ?? "")}
              onMove={role === "viewer" ? undefined : move}
            />
          )}
          <ul className="legend" aria-label={t("legend")}>
            {HOST_STATES.map((one) => (
              <li key={one}>
                <TileKey state={one} />
                {hostStateName({ state: one })}
              </li>
            ))}
            <li>
              <TileKey state="idle" block />
              {t("blockedTakesNone")}
            </li>
            <li>
              <i className="dot" />
              {t("processDrag")}
            </li>
          </ul>
        </section>
        {selected && <HostPanel host={selected} close={() => setChosen("")} />}
      </div>
      <Charts samples={samples} />
    </>
  );
}

function Charts({ samples }: { samples: typeof live.samples }) {
  const language = useLanguage();
  // The labels are of the language.
  const { times, lines, balance } = useMemo(
    () => ({
      times: samples.map(({ at }) => at / 1000),
      lines: [
        { label: t("coresComputing"), colour: "moon-line", values: samples.map(({ computing }) => computing), filled: true },
        { label: t("coresIdle"), colour: "night-line", values: samples.map(({ idle }) => idle) },
        { label: t("endedPerMinute"), colour: "muted", values: samples.map(({ ended }) => ended * 12) },
      ],
      balance: [{ label: t("balance"), colour: "night-line", values: samples.map((sample) => sample.balance), filled: true }],
    }),
    [samples, language],
  );
  if (samples.length === 0) return null;
  return (
    <div className="charts">
      <Chart title={t("throughput")} times={times} lines={lines} show={showNumber} />
      <Chart title={t("balanceOverTime")} times={times} lines={balance} top={1} show={showPercent} />
    </div>
  );
}

/** What the map shows of one host, in words, and the way to move processes without a pointer. */
function HostPanel({ host, close }: { host: Host; close(): void }) {
  const { hosts, jobs } = useLive();
  const maySteer = useMaySteer();
  const processes = processesOf(host.number);
  const someTake = [...hosts.values()].some((other) => other.number !== host.number && takesProcesses(other));
  return (
    <aside className="panel" aria-label={host.name}>
      <header className="head">
        <h2>
          <Link href={`/hosts/${host.id}`}>{host.name}</Link>
        </h2>
        <button type="button" className="quiet" aria-label={t("close")} onClick={close}>
          ✕
        </button>
      </header>
      <p>
        <State of={host.state}>{hostStateName(host)}</State> {[pausedText(host), ...orderNames(host)].filter(Boolean).join(" · ")}
      </p>
      <p className="muted">
        {t("slotsBusy", { running: host.running, slots: host.slots })} · {host.cpuModel}
      </p>
      <h3>{t("processesHere", { count: processes.size })}</h3>
      <ul className="list">
        {[...processes.values()].slice(0, MAX_LISTED).map(({ pid, job, state }) => (
          <li key={pid}>
            <span>
              <Link href={`/jobs/${job}`}>{jobs.get(job)?.name ?? `j${job}`}</Link> <span className="muted">{pid}</span>{" "}
              <State of={state}>{processStateName(state)}</State>
            </span>
            {maySteer(jobs.get(job)?.by ?? "") && someTake && <MoveChoice pid={pid} from={host.name} />}
          </li>
        ))}
      </ul>
    </aside>
  );
}
