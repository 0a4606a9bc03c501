// Releases of Nightshift for the hosts: which is given out, to whom, and how far they are; administrators hold it back or let it go on. Publishing
// needs the release key, which no browser has.

import { type Answer, ask } from "../client.ts";
import { detailWords, reasonWords } from "../deeds.ts";
import { useFollowed } from "../live.ts";
import { attempt, Confirm, Empty, Shown } from "../parts.tsx";
import { useMayAdminister } from "../session.tsx";
import type { Key } from "../texts.ts";
import { showNumber, showTime, t } from "../words.tsx";

type Release = Answer<"releases">["releases"][number];

/** In the order in which a host goes through them. */
const PROGRESS: Record<keyof Release["hosts"], Key> = {
  offered: "releaseOffered",
  ready: "releaseReady",
  installing: "releaseInstalling",
  back: "releaseBack",
  declined: "releaseDeclined",
  failed: "releaseFailed",
  lost: "releaseLost",
};

export function Releases() {
  const asked = useFollowed("releases", () => ask("releases"));
  return (
    <section className="panel">
      <h2>{t("releases")}</h2>
      <Shown asked={asked}>
        {({ releases }) =>
          releases.length === 0 ? (
            <Empty title={t("noReleases")}>
              <p>{t("noReleasesMore")}</p>
            </Empty>
          ) : (
            <ul className="list">
              {releases.map((release) => (
                <li key={`${release.version} ${release.at}`}>
                  <OneRelease release={release} changed={asked.again} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  );
}

function OneRelease({ release, changed }: { release: Release; changed(): void }) {
  const administrator = useMayAdminister();
  const { version, state, who, at, hosts, problems } = release;
  const counts = (Object.keys(PROGRESS) as (keyof Release["hosts"])[])
    .filter((name) => hosts[name] > 0)
    .map((name) => `${t(PROGRESS[name])} ${showNumber(hosts[name])}`);
  const change = (name: "haltRelease" | "releaseToAll"): Promise<unknown> =>
    attempt(() => ask(name, { params: { version } }), t("done")).then(changed);
  return (
    <>
      <span>
        <strong>{version}</strong> {stateName(release)}{" "}
        <span className="muted">
          {who} · {showTime(at)}
        </span>
        {counts.length > 0 && <br />}
        {counts.join(" · ")}
        {problems.map(({ host, problem }) => (
          <span key={host} className="muted">
            <br />
            {host}: {reasonWords(problem)}
          </span>
        ))}
      </span>
      {administrator && (state === "ring" || state === "halted") && (
        <Confirm label={t("releaseToAll")} question={t("releaseToAllQuestion", { version })} act={() => change("releaseToAll")} />
      )}
      {administrator && (state === "ring" || state === "all") && (
        <Confirm label={t("releaseHalt")} question={t("releaseHaltQuestion", { version })} act={() => change("haltRelease")} />
      )}
    </>
  );
}

function stateName({ state, ring, toAllAt, reason }: Release): string {
  if (state === "halted") return t("releaseHalted", { reason: detailWords("release-halted", reason ?? "") });
  if (state !== "ring") return state === "all" ? t("releaseForAll") : t("releaseReplaced");
  const first = t("releaseRing", { ring: ring ?? "" });
  return toAllAt === null ? first : `${first}, ${t("releaseAllFrom", { at: showTime(toAllAt) })}`;
}
