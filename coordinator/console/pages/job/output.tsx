// What a part of a job has written so far, as it comes.
import { useEffect, useRef, useState } from "react";
import { addressOf, askBytes, useAsk } from "../../client.ts";
import { Empty } from "../../parts.tsx";
import { showBytes, t } from "../../words.tsx";
import { isPicture } from "./formats.ts";
import { Look } from "./look.tsx";

/** On the page; all of it can be downloaded. */
const MAX_TEXT = 128 * 1024;
/** Of a picture that is drawn here. */
const MAX_PICTURE_BYTES = 64 * 2 ** 20;
/** By which a picture is known. */
const HEAD_BYTES = 64;

interface Written {
  stdoutBytes: number;
  stderrBytes: number;
}

/** @param written how much there is @param tries a part that begins anew has written nothing */
export function Output({ job, part, tries, written }: { job: number; part: number; tries: number; written: Written }) {
  const [stream, setStream] = useState<"1" | "2">("1");
  const of = `${job} ${part} ${tries} ${stream}`;
  const [text, setText] = useState({ of, text: "" });
  const next = useRef({ of: "", at: 0, busy: false });
  const [looks, setLooks] = useState(false);
  const box = useRef<HTMLElement>(null);
  /** Whoever scrolls up is left there. */
  const follows = useRef(true);
  const total = stream === "1" ? written.stdoutBytes : written.stderrBytes;
  useEffect(() => {
    if (next.current.of !== of) {
      next.current = { of, at: Math.max(0, total - MAX_TEXT), busy: false };
      setText({ of, text: "" });
    }
    const state = next.current;
    if (state.busy || state.at >= total) return;
    state.busy = true;
    if (total - state.at > MAX_TEXT) state.at = total - MAX_TEXT;
    askBytes(addressOf("output", { params: { job }, query: { part, stream, from: state.at } })).then(
      (got) => {
        state.at = got.next;
        state.busy = false;
        const more = new TextDecoder().decode(got.bytes);
        if (next.current === state) setText((before) => ({ of, text: (before.text + more).slice(-MAX_TEXT) }));
      },
      () => {
        state.busy = false;
      },
    );
  });
  // follows the end as text comes
  useEffect(() => {
    const element = box.current;
    if (element && follows.current) element.scrollTop = element.scrollHeight;
  }, [text]);
  const begins = total > 0;
  const asked = useAsk(begins ? `${of} ${Math.min(total, HEAD_BYTES)}` : "", async () =>
    begins ? askBytes(addressOf("output", { params: { job }, query: { part, stream, limit: HEAD_BYTES } })) : undefined,
  );
  const head = new TextDecoder().decode(asked.data?.bytes);
  const name = stream === "1" ? "stdout" : "stderr";
  const whole = addressOf("wholeOutput", { params: { job }, query: { part, stream } });
  return (
    <>
      <div className="row">
        <select aria-label={t("output")} value={stream} onChange={({ target }) => setStream(target.value === "2" ? "2" : "1")}>
          <option value="1">stdout · {showBytes(written.stdoutBytes)}</option>
          <option value="2">stderr · {showBytes(written.stderrBytes)}</option>
        </select>
        <a className="button" download={`j${job}.${part}-${name}`} href={whole}>
          {t("download")}
        </a>
        {isPicture(head) && total <= MAX_PICTURE_BYTES && (
          <button type="button" onClick={() => setLooks(true)}>
            {t("lookPicture")}
          </button>
        )}
      </div>
      {looks && <Look path={name} address={whole} close={() => setLooks(false)} />}
      {total === 0 ? (
        <Empty title={t("noOutput")} />
      ) : (
        <section
          className="output"
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
          tabIndex={0}
          aria-label={t("output")}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            follows.current = scrollHeight - scrollTop - clientHeight < 40;
          }}
        >
          <pre>{text.of === of ? text.text : ""}</pre>
        </section>
      )}
      {total > MAX_TEXT && <p className="muted">{t("outputTail", { size: showBytes(MAX_TEXT) })}</p>}
    </>
  );
}
