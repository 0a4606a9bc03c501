// Credit: what hosts have earned by computing, ranked, in a period that the address keeps.
import { useEffect } from "react";
import { ask, useAsk } from "../client.ts";
import { useLive } from "../live.ts";
import { Empty, Fact, Head, Rows, Shown, Td, Th } from "../parts.tsx";
import { Link, useQuery } from "../router.tsx";
import { showAmount, showNumber, t } from "../words.tsx";

/** As the address has them; what it does not have is everything there ever was. */
const DAYS: Readonly<Record<string, number>> = { week: 7, month: 30 };
const REFRESH_MS = 60_000;

export function CreditPage() {
  const [period, setPeriod] = useQuery("period");
  const [search, setSearch] = useQuery("search");
  const { hosts: known } = useLive();
  const days = Object.hasOwn(DAYS, period) ? DAYS[period] : undefined;
  const asked = useAsk(period, () => ask("credit", { query: { days } }));
  const { again } = asked;
  useEffect(() => {
    const timer = setInterval(again, REFRESH_MS);
    return () => clearInterval(timer);
  }, [again]);
  const enrolled = new Set([...known.values()].map(({ id }) => id));
  return (
    <>
      <Head title={t("credit")}>
        <input
          type="search"
          aria-label={t("search")}
          placeholder={t("creditSearch")}
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        <select
          aria-label={t("creditPeriod")}
          value={days === undefined ? "" : period}
          onChange={({ target }) => setPeriod(target.value)}
        >
          <option value="week">{t("week")}</option>
          <option value="month">{t("month")}</option>
          <option value="">{t("creditEver")}</option>
        </select>
      </Head>
      <p className="muted lead">{t("creditLead")}</p>
      <Shown asked={asked}>
        {({ hosts }) => {
          const text = search.toLowerCase();
          const rows = hosts.filter(({ host, id }) => `${host} ${id}`.toLowerCase().includes(text));
          if (rows.length === 0)
            return (
              <Empty title={hosts.length > 0 ? t("noMatch") : t("creditNone")}>
                {hosts.length === 0 && <p>{days === undefined ? t("creditNoneMore") : t("creditNoneThen")}</p>}
              </Empty>
            );
          const sum = (of: "credit" | "coreHours"): string => showAmount(hosts.reduce((total, row) => total + row[of], 0));
          return (
            <>
              <dl className="totals">
                <Fact label={t("credit")} strong>
                  {sum("credit")}
                </Fact>
                <Fact label={t("creditCoreHours")}>{sum("coreHours")}</Fact>
                <Fact label={t("hosts")}>{showNumber(hosts.length)}</Fact>
              </dl>
              <Rows
                label={t("credit")}
                rows={rows}
                keyOf={({ id }) => id}
                columns="4em minmax(10em, 1fr) 8em 8em"
                minWidth="36em"
                head={
                  <>
                    <Th>{t("creditRank")}</Th>
                    <Th>{t("host")}</Th>
                    <Th>{t("credit")}</Th>
                    <Th>{t("creditCoreHours")}</Th>
                  </>
                }
                row={({ rank, id, host, credit, coreHours }) => (
                  <>
                    <Td>{showNumber(rank)}</Td>
                    <Td>{enrolled.has(id) ? <Link href={`/hosts/${id}`}>{host}</Link> : host || id.slice(0, 12)}</Td>
                    <Td>{showAmount(credit)}</Td>
                    <Td>{showAmount(coreHours)}</Td>
                  </>
                )}
              />
            </>
          );
        }}
      </Shown>
    </>
  );
}
