// The app's window: its pages, and the way between them. The page that is open stands in the address, behind #.
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { appWords, type Words } from "../words/catalogue.ts";
import { type PageProps, useAppState } from "./asking.ts";
import { History } from "./history.tsx";
import { Join } from "./join.tsx";
import { Moon } from "./moon.tsx";
import { Now } from "./now.tsx";
import { Settings } from "./settings.tsx";
import { About, Log, Privacy } from "./texts.tsx";

const PAGES = { now: Now, history: History, settings: Settings, privacy: Privacy, join: Join, log: Log, about: About } as const;
type PageName = keyof typeof PAGES;
const NAMES = Object.keys(PAGES) as PageName[];

const pageIn = (hash: string): PageName => NAMES.find((name) => hash === `#${name}`) ?? "now";
const titleOf = (page: PageName, words: Words): string => words[page];

function usePage(): PageName {
  const [page, setPage] = useState(() => pageIn(location.hash));
  useEffect(() => {
    const look = (): void => setPage(pageIn(location.hash));
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return page;
}

function Window() {
  const state = useAppState();
  const page = usePage();
  const language = state?.language;
  useEffect(() => {
    if (language) document.documentElement.lang = language;
  }, [language]);
  if (state === null) return null;
  const words = appWords(state.language);
  const Page: (props: PageProps) => React.ReactNode = PAGES[page];
  return (
    <div className="frame">
      <nav aria-label={words.pages}>
        <p className="brand">
          <Moon icon={state.icon} size={28} /> {words.name}
        </p>
        <ul>
          {NAMES.map((name) => (
            <li key={name}>
              <a href={`#${name}`} {...(name === page ? { "aria-current": "page" } : {})}>
                {titleOf(name, words)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main key={page}>
        <Page state={state} words={words} />
      </main>
    </div>
  );
}

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <Window />
    </StrictMode>,
  );
