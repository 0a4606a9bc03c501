// Who did what, and when: the journal, newest first, searchable.
import { useEffect, useState } from "react";
import { type Answer, addressOf, ask } from "../client.ts";
import { deedWidth, deedWords, detailWords } from "../deeds.ts";
import { useFollowed } from "../live.ts";
import { Empty, Head, Rows, Shown, Td, Th } from "../parts.tsx";
import { useQuery } from "../router.tsx";
import { showTime, t } from "../words.tsx";

/** What a search has found so far, newest first. */
type Known = Answer<"events"> & { search: string };

export function EventsPage() {
  const [search, setSearch] = useQuery("search");
  const page = async (before?: number): Promise<Known> => ({
    search,
    ...(await ask("events", { query: { search, limit: 200, ...(before && { before }) } })),
  });
  const asked = useFollowed(search, page);
  const [known, setKnown] = useState<Known>();
  const { data } = asked;
  useEffect(() => {
    if (data) setKnown((before) => followed(data, before));
  }, [data]);
  // At first what has come is not yet among what is known.
  const events = (known ?? data)?.events ?? [];
  const [busy, setBusy] = useState(false);
  const more = (): void => {
    const last = events.at(-1);
    if (!last || busy || !known?.more) return;
    setBusy(true);
    page(last.id)
      .then((older) =>
        setKnown((before) =>
          before?.search === older.search ? { ...older, events: [...before.events, ...older.events] } : before,
        ),
      )
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
              keyOf={idOf}
              columns={`13em 10em ${deedWidth()} 10em minmax(12em, 1fr)`}
              minWidth="63em"
              more={more}
              grows
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

const idOf = ({ id }: Known["events"][number]): number => id;

/** @param newest what is found now, as many as come at once */
function followed(newest: Known, before: Known | undefined): Known {
  const oldest = newest.events.at(-1)?.id ?? 0;
  // With something between them that is not known, the older ones are asked for anew.
  const meets = before?.search === newest.search && (before.events[0]?.id ?? 0) >= oldest;
  if (!newest.more || !meets) return newest;
  return { ...before, events: [...newest.events, ...before.events.filter(({ id }) => id < oldest)] };
}
