// People: users and their roles, one-time links, one's own API tokens and ways to sign in.
import { useState } from "react";
import { ask } from "../client.ts";
import { useFollowed } from "../live.ts";
import { roleName } from "../names.ts";
import { attempt, Choice, Confirm, Dialog, Empty, Field, Form, Head, Shown, say } from "../parts.tsx";
import { useMayAdminister, useSession } from "../session.tsx";
import { showTime, t } from "../words.tsx";
import { WaysIn } from "./ways-in.tsx";

type Role = "viewer" | "submitter" | "administrator";
const ROLES: readonly Role[] = ["viewer", "submitter", "administrator"];
const roles = (): Record<string, string> => Object.fromEntries(ROLES.map((role) => [role, roleName(role)]));

export function PeoplePage() {
  const administrator = useMayAdminister();
  const [secret, setSecret] = useState<string>();
  return (
    <>
      <Head title={administrator ? t("people") : t("account")} />
      {administrator && <Users shown={setSecret} />}
      <Tokens shown={setSecret} />
      <WaysIn />
      {secret && (
        <Dialog title={t("secretMade")} onClose={() => setSecret(undefined)}>
          <p>{t("shownOnce")}</p>
          <pre className="wrap">{secret}</pre>
          <button
            type="button"
            className="main"
            onClick={() => void navigator.clipboard.writeText(secret).then(() => say(t("copied")))}
          >
            {t("copy")}
          </button>
        </Dialog>
      )}
    </>
  );
}

function Users({ shown }: { shown(secret: string): void }) {
  const { name: me } = useSession();
  const asked = useFollowed("users", () => ask("users"));
  const invite = async (role: Role, name: string | null): Promise<void> =>
    shown((await ask("invite", { body: { role, name } })).link);
  return (
    <section className="panel">
      <h2>{t("users")}</h2>
      <Shown asked={asked}>
        {({ users }) => (
          <ul className="list">
            {users.map(({ name, role, createdAt }) => (
              <li key={name}>
                <span>
                  <strong>{name}</strong> {name === me && <span className="muted">{t("you")}</span>}{" "}
                  <span className="muted">{t("since", { at: showTime(createdAt) })}</span>
                </span>
                <span className="row">
                  <select
                    aria-label={t("roleOf", { name })}
                    value={role}
                    onChange={({ target }) =>
                      void attempt(
                        () => ask("changeUser", { params: { name }, body: { role: target.value as Role } }),
                        t("done"),
                      ).then(asked.again)
                    }
                  >
                    {Object.entries(roles()).map(([value, label]) => (
                      <option key={value} value={value}>
                        {label}
                      </option>
                    ))}
                  </select>
                  <button type="button" onClick={() => void attempt(() => invite(role, name))}>
                    {t("newPasswordLink")}
                  </button>
                  <Confirm
                    label={t("remove")}
                    question={t("removeUser", { name })}
                    act={() => attempt(() => ask("removeUser", { params: { name } }), t("done")).then(asked.again)}
                  />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Shown>
      <h3>{t("inviteSomebody")}</h3>
      <Form label={t("makeInvitation")} send={({ role }) => invite(role as Role, null)}>
        <Choice label={t("role")} name="role" value="submitter" options={roles()} />
        <p className="muted">{t("rolesExplained")}</p>
      </Form>
    </section>
  );
}

function Tokens({ shown }: { shown(secret: string): void }) {
  const { role } = useSession();
  const asked = useFollowed("tokens", () => ask("apiTokens"));
  const mine = Object.fromEntries(Object.entries(roles()).slice(0, ROLES.indexOf(role) + 1));
  return (
    <section className="panel">
      <h2>{t("tokens")}</h2>
      <p className="muted">{t("tokensExplained")}</p>
      <Shown asked={asked}>
        {({ tokens }) =>
          tokens.length === 0 ? (
            <Empty title={t("noTokens")} />
          ) : (
            <ul className="list">
              {tokens.map(({ id, name, user, role: scope, expiresAt }) => (
                <li key={id}>
                  <span>
                    <strong>{name}</strong> {user} · {roleName(scope)}{" "}
                    <span className="muted">{t("until", { at: showTime(expiresAt) })}</span>
                  </span>
                  <Confirm
                    label={t("revoke")}
                    question={t("revokeToken", { name })}
                    act={() => attempt(() => ask("removeApiToken", { params: { id } }), t("done")).then(asked.again)}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
      <Form
        label={t("makeToken")}
        send={async (fields) => {
          const body = { name: fields.name ?? "", role: fields.role as Role, days: Number(fields.days) };
          shown((await ask("createApiToken", { body })).token);
          asked.again();
        }}
      >
        <div className="row">
          <Field label={t("whatFor")} name="name" required />
          <Choice label={t("role")} name="role" value={role} options={mine} />
          <Choice label={t("goodFor")} name="days" value="30" options={{ "1": t("day"), "30": t("month"), "366": t("year") }} />
        </div>
      </Form>
    </section>
  );
}
