// The page "join": shows whom a link leads to before anything is done with it.
import { useId, useState } from "react";
import type { Invitation } from "../ipc/state.ts";
import { ask, messageOf, type PageProps, refusalOf } from "./asking.ts";

export function Join({ state, words }: PageProps) {
  const [text, setText] = useState("");
  const [pasted, setPasted] = useState<Invitation | null>(null);
  const [failure, setFailure] = useState("");
  const [leaving, setLeaving] = useState(false);
  const id = useId();
  const { coordinator } = state;
  const invitation = pasted ?? state.invitation;
  const said = failure !== "" ? failure : state.badLink && invitation === null ? refusalOf(state.badLink, state.language) : "";
  const fail = (thrown: unknown): void => setFailure(messageOf(thrown, state.language));
  const close = (): void => {
    setPasted(null);
    setText("");
    setFailure("");
  };
  return (
    <>
      <h1>{words.join}</h1>
      {coordinator !== null && (
        <section className="card">
          <p>
            <strong>{words.joined(coordinator.address)}</strong>
          </p>
          <p className="quiet">
            {words.joinKey} <code>{coordinator.keyId}</code>
          </p>
          <p className="quiet">{words.leaveLead}</p>
          <p className="actions">
            {leaving ? (
              <>
                <span>{words.leaveSure}</span>
                <button
                  type="button"
                  onClick={() => {
                    setLeaving(false);
                    ask("leave", null).catch(fail);
                  }}
                >
                  {words.yes}
                </button>
                <button type="button" onClick={() => setLeaving(false)}>
                  {words.no}
                </button>
              </>
            ) : (
              <button type="button" onClick={() => setLeaving(true)}>
                {words.leave}
              </button>
            )}
          </p>
        </section>
      )}
      {invitation === null ? (
        <form
          className="card"
          onSubmit={(event) => {
            event.preventDefault();
            setFailure("");
            ask("describeLink", text).then(setPasted, fail);
          }}
        >
          <p className="lead">{words.joinLead}</p>
          <label htmlFor={id}>{words.joinLink}</label>
          <textarea
            id={id}
            rows={3}
            maxLength={500}
            spellCheck={false}
            placeholder="nightshift://…"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setFailure("");
              if (state.badLink) ask("declineInvitation", null).catch(fail);
            }}
          />
          <p className="actions">
            <button type="submit" className="primary" disabled={text.trim() === ""}>
              {words.joinLook}
            </button>
          </p>
        </form>
      ) : (
        <section className="card" aria-live="polite">
          <p>{words.joinWhom}</p>
          <p className="whom">{invitation.address}</p>
          <p>
            {words.joinKey} <code>{invitation.keyId}</code>
            {invitation.encryptedTwice && ` · ${words.joinTls}`}
          </p>
          <p className="quiet">{words.joinKeyHint}</p>
          {coordinator !== null && coordinator.address !== invitation.address && <p>{words.joinReplaces(coordinator.address)}</p>}
          <p className="actions">
            <button type="button" className="primary" onClick={() => ask("join", invitation.link).then(close, fail)}>
              {words.joinConfirm}
            </button>
            <button type="button" onClick={() => ask("declineInvitation", null).then(close, fail)}>
              {words.joinCancel}
            </button>
          </p>
        </section>
      )}
      {said !== "" && (
        <p className="problem" role="alert">
          {said}
        </p>
      )}
    </>
  );
}
