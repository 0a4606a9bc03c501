// Hosts: the table of all, and one with its processes and what administrators can do with it.
import { ask, useAsk } from "../client.ts";
import { useHostFilter } from "../host-filter.tsx";
import { type Host, useLive } from "../live.ts";
import { hostStateName } from "../names.ts";
import { attempt, Confirm, Empty, Fact, Field, Form, Head, Loading, Rows, Shown, State, say, Td, Th } from "../parts.tsx";
import { Link, navigate } from "../router.tsx";
import { useMayAdminister } from "../session.tsx";
import { showBytes, showNumber, showTime, t } from "../words.tsx";
import { ProcessTable } from "./job.tsx";
import { HostPolicy } from "./policies.tsx";

const slotsBusy = ({ running, slots }: Host): string => `${showNumber(running)} / ${showNumber(slots)}`;

export function HostsPage() {
  const { hosts, state: connection } = useLive();
  const administrator = useMayAdminister();
  const { groups, fields } = useHostFilter();
  const rows = groups.flatMap(([, list]) => list);
  return (
    <>
      <Head title={t("hosts")}>{fields}</Head>
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
          columns="minmax(9em, 1fr) minmax(13em, 1.2fr) 8em 5em 5em 7em minmax(9em, 1.4fr)"
          minWidth="65em"
          head={
            <>
              <Th>{t("name")}</Th>
              <Th>{t("state")}</Th>
              <Th>{t("tags")}</Th>
              <Th>{t("slots")}</Th>
              <Th>{t("speed")}</Th>
              <Th>{t("freeMemory")}</Th>
              <Th>{t("system")}</Th>
            </>
          }
          row={(host) => (
            <>
              <Td>
                <Link href={`/hosts/${host.id}`}>{host.name}</Link>
              </Td>
              <Td>
                <State of={host.state}>{hostStateName(host)}</State> <span className="muted">{host.paused ?? ""}</span>
              </Td>
              <Td>{host.tags.join(", ")}</Td>
              <Td>{slotsBusy(host)}</Td>
              <Td>{showNumber(Math.round(host.speed))}</Td>
              <Td>{showBytes(host.memoryFreeBytes)}</Td>
              <Td>
                {host.os} · {host.cpuModel}
              </Td>
            </>
          )}
        />
      )}
    </>
  );
}

export function HostPage({ id }: { id: string }) {
  const { hosts, processes } = useLive();
  const now = [...hosts.values()].find((host) => host.id === id);
  const here = [...processes.values()].filter(({ host }) => host === now?.number).map(({ pid }) => pid);
  const asked = useAsk(`${id} ${here.join()}`, () => ask("host", { params: { host: id } }));
  const administrator = useMayAdminister();
  return (
    <Shown asked={asked}>
      {({ host: then, enrolledAt, processes: listed }) => {
        const host = now ?? then;
        return (
          <>
            <Head title={host.name}>{administrator && <Actions host={host} />}</Head>
            <dl className="totals">
              <Fact label={t("state")}>
                <State of={host.state}>{hostStateName(host)}</State>
              </Fact>
              <Fact label={t("slots")}>{slotsBusy(host)}</Fact>
              <Fact label={t("speed")}>{showNumber(Math.round(host.speed))}</Fact>
              <Fact label={t("freeMemory")}>
                {showBytes(host.memoryFreeBytes)} / {showBytes(host.memoryBytes)}
              </Fact>
            </dl>
            <p className="muted">
              {host.paused && `${host.paused} · `}
              {host.os} · {host.arch} · {host.cpuModel} · {t("enrolled", { at: showTime(enrolledAt) })} ·{" "}
              {t("seen", { at: showTime(host.seenAt) })}
            </p>
            <section className="panel">
              <h2>{t("processesHere", { count: listed.length })}</h2>
              <ProcessTable processes={listed} maySteer={administrator} />
            </section>
            <HostPolicy host={host} />
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

function Actions({ host }: { host: Host }) {
  const keepClear = (drained: boolean): Promise<boolean> =>
    attempt(() => ask("changeHost", { params: { host: host.id }, body: { drained } }), t("done"));
  return (
    <>
      <button type="button" onClick={() => void keepClear(!host.drained)}>
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
