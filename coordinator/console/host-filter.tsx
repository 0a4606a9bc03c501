// Which hosts are shown: a search and a state, kept in the URL, for every page that shows hosts.
import { type ReactNode, useMemo } from "react";
import { useLive } from "./live.ts";
import { grouped } from "./map-layout.ts";
import { HOST_STATES, hostStateName } from "./names.ts";
import { useQuery } from "./router.tsx";
import { t } from "./words.tsx";

/**
 * The hosts that fit, by group, and the fields with which that is chosen.
 * @param by how they are grouped, for those who look up themselves how the hosts are now; undefined: anew with every change
 */
export function useHostFilter(by?: string): { groups: ReturnType<typeof grouped>; fields: ReactNode } {
  const { hosts, version, shapes, states } = useLive();
  const [search, setSearch] = useQuery("search");
  const [state, setState] = useQuery("state");
  // the counts say that hosts have changed
  const changes = by === undefined ? version : state === "" ? shapes : `${shapes} ${states}`;
  const groups = useMemo(() => grouped(hosts.values(), search, state, by), [changes, search, state, by]);
  const fields = (
    <>
      <input
        type="search"
        aria-label={t("search")}
        placeholder={t("searchHosts")}
        value={search}
        onChange={({ target }) => setSearch(target.value)}
      />
      <select aria-label={t("state")} value={state} onChange={({ target }) => setState(target.value)}>
        <option value="">{t("allStates")}</option>
        {HOST_STATES.map((one) => (
          <option key={one} value={one}>
            {hostStateName({ state: one })}
          </option>
        ))}
      </select>
    </>
  );
  return { groups, fields };
}
