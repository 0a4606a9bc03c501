// The pages that only say something: privacy, log, about.
import { useEffect, useState } from "react";
import type { LogLine } from "../ipc/state.ts";
import { ask, type PageProps } from "./asking.ts";
import { Moon } from "./moon.tsx";

export function Privacy({ state, words }: PageProps) {
  return (
    <>
      <h1>{words.privacyTitle}</h1>
      <p className="lead">{words.privacyLead}</p>
      <ul>
        {words.privacySent.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <p className="quiet">{state.host}</p>
      <h2>{words.privacyNeverTitle}</h2>
      <ul>
        {words.privacyNever.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <p>{words.privacyInside}</p>
      <p>{state.coordinator === null ? words.keyNone : state.keySealed ? words.keySealed : words.keyPlain}</p>
    </>
  );
}

const LOG_EVERY_MS = 2_000;

export function Log({ state, words }: PageProps) {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  useEffect(() => {
    const look = (): void => void ask("log", null).then(setLines, () => undefined);
    look();
    const timer = setInterval(look, LOG_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const when = new Intl.DateTimeFormat(state.language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <>
      <h1>{words.logTitle}</h1>
      {lines.length === 0 && <p className="quiet">{words.logEmpty}</p>}
      <ol className="log">
        {[...lines].reverse().map(({ atMs, text }, at) => (
          <li key={lines.length - at}>
            <time dateTime={new Date(atMs).toISOString()}>{when.format(atMs)}</time> {text}
          </li>
        ))}
      </ol>
    </>
  );
}

export function About({ state, words }: PageProps) {
  return (
    <div className="about">
      <Moon icon="waiting" size={120} />
      <h1>{words.name}</h1>
      <p className="lead">{words.aboutLead}</p>
      <p className="quiet">{words.version(state.version)}</p>
      <p className="quiet">{words.licence}</p>
    </div>
  );
}
