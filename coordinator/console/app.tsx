// The console's frame: signs in, keeps the change stream open, shows navigation and the page that the address names.
import { useEffect, useState } from "react";
import { ask, setCsrf, useAsk, whenSignedOut } from "./client.ts";
import { live, useLive } from "./live.ts";
import { ClusterPage } from "./pages/cluster.tsx";
import { CreditPage } from "./pages/credit.tsx";
import { EventsPage } from "./pages/events.tsx";
import { HostPage, HostsPage } from "./pages/hosts.tsx";
import { JobPage } from "./pages/job.tsx";
import { JobsPage } from "./pages/jobs.tsx";
import { JoinPage } from "./pages/join.tsx";
import { MeasurementPage } from "./pages/measurements.tsx";
import { ExperimentPage, OverheadPage } from "./pages/overhead.tsx";
import { PeoplePage } from "./pages/people.tsx";
import { PoliciesPage } from "./pages/policies.tsx";
import { SignInPage, SsoFailure, WelcomePage } from "./pages/sign-in.tsx";
import { attempt, Head, Notes, Shown } from "./parts.tsx";
import { Link, navigate, usePath } from "./router.tsx";
import { type Session, SessionContext } from "./session.tsx";
import { setLanguage, t, useLanguage } from "./words.tsx";

export function App() {
  useLanguage();
  const path = usePath();
  const [turn, setTurn] = useState(0);
  const [ssoFailed] = useState(() => new URLSearchParams(location.search).get("sso") === "failed");
  const asked = useAsk(`session ${turn}`, () => ask("session"));
  useEffect(() => whenSignedOut(() => setTurn((before) => before + 1)), []);
  const begun = (session: Session): void => {
    setCsrf(session.csrf);
    setTurn((before) => before + 1);
  };
  return (
    <>
      <Shown asked={asked}>
        {({ signedIn, noUsers, plainHttp, sso, passkeys }) => {
          setCsrf(signedIn?.csrf ?? "");
          return (
            <>
              {plainHttp && (
                <p className="warning" role="note">
                  {t("plainHttp")}
                </p>
              )}
              {ssoFailed && <SsoFailure />}
              {path === "/welcome" ? (
                <WelcomePage sso={sso} begun={begun} />
              ) : signedIn === null ? (
                <SignInPage noUsers={noUsers} sso={sso} passkeys={passkeys} begun={begun} />
              ) : (
                <SessionContext value={signedIn}>
                  <Frame path={path} session={signedIn} signedOut={() => setTurn((before) => before + 1)} />
                </SessionContext>
              )}
            </>
          );
        }}
      </Shown>
      <Notes />
    </>
  );
}

function Frame({ path, session, signedOut }: { path: string; session: Session; signedOut(): void }) {
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  // Where there is no room for all links, that of this page is to be among those in sight.
  useEffect(() => {
    const current = document.querySelector<HTMLElement>("nav [aria-current]");
    const list = current?.closest("ul");
    if (current && list) list.scrollLeft = current.offsetLeft - list.offsetLeft - (list.clientWidth - current.offsetWidth) / 2;
  }, [path]);
  const administrator = session.role === "administrator";
  const pages = [
    ["/", t("cluster")],
    ["/jobs", t("jobs")],
    ["/hosts", t("hosts")],
    ["/credit", t("credit")],
    ["/overhead", t("overhead")],
    ["/policies", t("policies")],
    ...(administrator
      ? ([
          ["/join", t("enrolment")],
          ["/events", t("events")],
        ] as const)
      : []),
    ["/people", administrator ? t("people") : t("account")],
  ] as const;
  return (
    <div className="frame">
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <nav aria-label={t("navigation")}>
        <Link href="/" className="brand">
          <img src="/moon.svg" alt="" width="28" height="28" />
          Nightshift
        </Link>
        <ul>
          {pages.map(([href, label]) => (
            <li key={href}>
              <Link href={href} aria-current={(href === "/" ? path === "/" : path.startsWith(href)) ? "page" : undefined}>
                {label}
              </Link>
            </li>
          ))}
        </ul>
        <Connection />
        <div className="me">
          <Preferences />
          <span>{session.name}</span>
          <button
            type="button"
            className="quiet"
            onClick={() =>
              void attempt(async () => {
                const { url } = await ask("signOut");
                if (url !== null) location.assign(url);
              }).then(signedOut)
            }
          >
            {t("signOut")}
          </button>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <Page path={path} />
      </main>
    </div>
  );
}

function Page({ path }: { path: string }) {
  const [, first = "", second, third] = path.split("/");
  const number = second === "measurements" ? third : second;
  if ((first === "jobs" || first === "overhead") && number && !/^[1-9]\d{0,9}$/.test(number)) return <NothingHere />;
  if (first === "") return <ClusterPage />;
  if (first === "jobs") return second ? <JobPage id={Number(second)} key={second} /> : <JobsPage />;
  if (first === "hosts") return second ? <HostPage id={decodeURIComponent(second)} key={second} /> : <HostsPage />;
  if (first === "credit") return <CreditPage />;
  if (first === "overhead" && second === "measurements") return <MeasurementPage id={Number(third)} key={third} />;
  if (first === "overhead") return second ? <ExperimentPage id={Number(second)} key={second} /> : <OverheadPage />;
  if (first === "join") return <JoinPage />;
  if (first === "policies") return <PoliciesPage />;
  if (first === "events") return <EventsPage />;
  if (first === "people") return <PeoplePage />;
  return <NothingHere />;
}

const NothingHere = () => (
  <>
    <Head title={t("nothingHere")} />
    <p>
      <Link href="/">{t("cluster")}</Link>
    </p>
  </>
);

function Connection() {
  const { state } = useLive();
  return (
    <p className={`connection ${state}`} role="status">
      {state === "live" ? t("live") : state === "lost" ? t("lost") : t("loading")}
    </p>
  );
}

const THEME = "nightshift-theme";
const themes = ["auto", "light", "dark"] as const;
const stored = localStorage.getItem(THEME);
if (stored) document.documentElement.dataset.theme = stored;

export function Preferences() {
  const language = useLanguage();
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "auto");
  return (
    <div className="preferences">
      <select
        aria-label={t("language")}
        value={language}
        onChange={({ target }) => setLanguage(target.value === "zh" ? "zh" : "en")}
      >
        <option value="en">English</option>
        <option value="zh">简体中文</option>
      </select>
      <select
        aria-label={t("theme")}
        value={theme}
        onChange={({ target }) => {
          localStorage.setItem(THEME, target.value);
          document.documentElement.dataset.theme = target.value;
          setTheme(target.value);
          navigate(location.pathname + location.search, "replace");
        }}
      >
        {themes.map((one) => (
          <option key={one} value={one}>
            {t(one)}
          </option>
        ))}
      </select>
    </div>
  );
}
