// Who did what, and when: the journal, newest first, searchable.
import { useEffect, useState } from "react";
import { type Answer, addressOf, ask, useAsk } from "../client.ts";
import { deedWidth, deedWords, detailWords } from "../deeds.ts";
import { Empty, Head, Rows, Shown, Td, Th } from "../parts.tsx";
import { useQuery } from "../router.tsx";
import { showTime, t } from "../words.tsx";

type JournalEvent = Answer<"events">["events"][number];

export function EventsPage() {
  const [search, setSearch] = useQuery("search");
  const [older, setOlder] = useState<JournalEvent[]>([]);
  const asked = useAsk(search, () => ask("events", { query: { search, limit: 200 } }));
  // what was loaded belongs to the search
  useEffect(() => setOlder([]), [asked.data]);
  const events = [...(asked.data?.events ?? []), ...older];
  const [busy, setBusy] = useState(false);
  const more = (): void => {
    const last = events.at(-1);
    if (!last || busy || (older.length === 0 && !asked.data?.more)) return;
    setBusy(true);
    ask("events", { query: { search, before: last.id, limit: 200 } })
      .then((answer) => setOlder((before) => [...before, ...answer.events]))
      .catch(() => undefined)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Head title={t("events")}>
        <input
          type="search"
          aria-label={t("search")}
          placeholder={t("searchEvents")}
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        <button type="button" onClick={() => asked.again()}>
          {t("refresh")}
        </button>
        {(["csv", "jsonl"] as const).map((format) => (
          <a key={format} className="button" download href={addressOf("exportEvents", { query: { search, format } })}>
            {format === "csv" ? t("exportCsv") : t("exportJsonLines")}
          </a>
        ))}
      </Head>
      <Shown asked={asked}>
        {() =>
          events.length === 0 ? (
            <Empty title={t("noMatch")} />
          ) : (
            <Rows
              label={t("events")}
              rows={events}
              keyOf={({ id }) => id}
              columns={`13em 10em ${deedWidth()} 10em minmax(12em, 1fr)`}
              minWidth="63em"
              more={more}
              head={
                <>
                  <Th>{t("when")}</Th>
                  <Th>{t("who")}</Th>
                  <Th>{t("what")}</Th>
                  <Th>{t("target")}</Th>
                  <Th>{t("details")}</Th>
                </>
              }
              row={({ at, who, what, target, details }) => (
                <>
                  <Td>
                    <time dateTime={new Date(at).toISOString()}>{showTime(at)}</time>
                  </Td>
                  <Td>{who}</Td>
                  <Td>
                    {deedWords(what)} <code>{what}</code>
                  </Td>
                  <Td>{target}</Td>
                  <Td>{detailWords(what, details)}</Td>
                </>
              )}
            />
          )
        }
      </Shown>
    </>
  );
}
