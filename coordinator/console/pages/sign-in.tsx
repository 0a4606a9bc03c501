// The way in: by name and password, by the identity provider, a passkey, or by a one-time link that makes a user or gives a new password.
import { type ReactNode, useEffect, useState } from "react";
import { Preferences } from "../app.tsx";
import { ask, Refusal, useAsk } from "../client.ts";
import { roleName } from "../names.ts";
import { Failure, Field, Form, NewPassword, Shown } from "../parts.tsx";
import { hasPasskeys, signInByPasskey } from "../passkeys.ts";
import { navigate } from "../router.tsx";
import type { Session } from "../session.tsx";
import { t } from "../words.tsx";

const Card = ({ title, children }: { title: string; children: ReactNode }) => (
  <main className="door">
    <div className="card">
      <img src="/moon.svg" alt="" width="56" height="56" />
      <h1>{title}</h1>
      {children}
      <Preferences />
    </div>
  </main>
);

/** Why the identity provider, or the coordinator after it, let nobody in. */
export function SsoFailure() {
  const { data } = useAsk("sso failure", () => ask("ssoFailure"));
  useEffect(() => navigate("/", "replace"), []);
  if (!data?.failure) return null;
  const { code, message, remedy } = data.failure;
  return <Failure failure={new Refusal(code, message, remedy)} />;
}

export function SignInPage({
  noUsers,
  sso,
  passkeys,
  begun,
}: {
  noUsers: boolean;
  sso: string | null;
  passkeys: boolean;
  begun(session: Session): void;
}) {
  return (
    <Card title={t("signInTitle")}>
      {sso !== null && (
        <Form label={t("ssoSignIn", { title: sso })} send={async () => location.assign((await ask("ssoBegin")).url)}>
          {null}
        </Form>
      )}
      {passkeys && hasPasskeys() && (
        <Form label={t("passkeySignIn")} send={async () => begun(await signInByPasskey())}>
          {null}
        </Form>
      )}
      {noUsers ? (
        <p>{t("noUsers")}</p>
      ) : (
        <Form
          label={t("signIn")}
          send={async ({ name = "", password = "" }) => begun(await ask("signIn", { body: { name, password } }))}
        >
          <Field label={t("name")} name="name" autoComplete="username" required />
          <Field label={t("password")} name="password" type="password" autoComplete="current-password" required />
        </Form>
      )}
    </Card>
  );
}

export function WelcomePage({ sso, begun }: { sso: string | null; begun(session: Session): void }) {
  const [token] = useState(() => location.hash.slice(1));
  const asked = useAsk("invitation", () => ask("invitation", { body: { token } }));
  return (
    <Card title={t("welcome")}>
      <Shown asked={asked}>
        {({ name: known, role }) => (
          <>
            {sso !== null && (
              <Form
                label={t(known === null ? "welcomeSso" : "ssoConnect", { title: sso })}
                send={async () => location.assign((await ask("acceptBySso", { body: { token } })).url)}
              >
                {null}
              </Form>
            )}
            <Form
              label={known === null ? t("begin") : t("setPassword")}
              send={async ({ name = "", password = "" }) => {
                const session = await ask("accept", { body: { token, name: known ?? name, password } });
                navigate("/", "replace");
                begun(session);
              }}
            >
              <p>{known === null ? t("welcomeAs", { role: roleName(role) }) : t("newPasswordFor", { name: known })}</p>
              {known === null && <Field label={t("name")} name="name" autoComplete="username" required />}
              <NewPassword label={t("password")} />
            </Form>
          </>
        )}
      </Shown>
    </Card>
  );
}
