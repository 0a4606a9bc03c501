// By what one signs in: passkeys, the identity provider, a password.
import { type Answer, ask, setCsrf, useAsk } from "../client.ts";
import { attempt, Confirm, Field, Form, NewPassword, Shown, say } from "../parts.tsx";
import { addPasskey, hasPasskeys } from "../passkeys.ts";
import { showTime, t } from "../words.tsx";

export function WaysIn() {
  const asked = useAsk("account", () => ask("account"));
  return (
    <Shown asked={asked}>
      {({ password, sso, passkeys, passkeySite }) => (
        <>
          <Passkeys passkeys={passkeys} site={passkeySite} changed={asked.again} />
          {sso && <Sso {...sso} changed={asked.again} />}
          {password && <Password />}
        </>
      )}
    </Shown>
  );
}

function Passkeys({
  passkeys,
  site,
  changed,
}: {
  passkeys: Answer<"account">["passkeys"];
  site: string | null;
  changed(): void;
}) {
  const possible = site !== null && hasPasskeys();
  return (
    <section className="panel narrow">
      <h2>{t("passkeys")}</h2>
      <p className="muted">{possible ? t("passkeysExplained", { site }) : t("passkeysNotHere")}</p>
      {passkeys.length > 0 && (
        <ul className="list">
          {passkeys.map(({ id, name, site: goodAt, createdAt, usedAt }) => (
            <li key={id}>
              <span>
                <strong>{name}</strong> {goodAt}{" "}
                <span className="muted">
                  {t("since", { at: showTime(createdAt) })}
                  {usedAt !== null && ` · ${t("lastUsed", { at: showTime(usedAt) })}`}
                </span>
              </span>
              <Confirm
                label={t("remove")}
                question={t("removePasskey", { name })}
                act={() => attempt(() => ask("passkeyRemove", { params: { passkey: id } }), t("done")).then(changed)}
              />
            </li>
          ))}
        </ul>
      )}
      {possible && (
        <Form
          label={t("addPasskey")}
          send={async ({ name = "" }) => {
            await addPasskey(name);
            changed();
          }}
        >
          <Field label={t("passkeyName")} name="name" required />
        </Form>
      )}
    </section>
  );
}

function Sso({ title, connected, changed }: { title: string; connected: boolean; changed(): void }) {
  return (
    <section className="panel narrow">
      <h2>{title}</h2>
      <p className="muted">{connected ? t("ssoConnected", { title }) : t("ssoNotConnected", { title })}</p>
      {connected ? (
        <Confirm
          label={t("ssoDisconnect")}
          question={t("ssoDisconnectQuestion", { title })}
          act={() => attempt(() => ask("ssoDisconnect"), t("done")).then(changed)}
        />
      ) : (
        <Form label={t("ssoConnect", { title })} send={async () => location.assign((await ask("ssoConnect")).url)}>
          {null}
        </Form>
      )}
    </section>
  );
}

function Password() {
  return (
    <section className="panel narrow">
      <h2>{t("changePassword")}</h2>
      <Form
        label={t("changePassword")}
        send={async ({ old = "", password = "" }) => {
          setCsrf((await ask("changePassword", { body: { old, password } })).csrf);
          say(t("done"));
        }}
      >
        <Field label={t("oldPassword")} name="old" type="password" autoComplete="current-password" required />
        <NewPassword label={t("newPassword")} />
      </Form>
    </section>
  );
}
