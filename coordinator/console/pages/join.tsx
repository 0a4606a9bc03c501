// Enrolment: join links with what to do with them, those that can still be used, and hosts that wait to be let in.

import qrcode from "qrcode-generator";
import { useMemo, useState } from "react";
import { type Answer, ask } from "../client.ts";
import { useFollowed } from "../live.ts";
import { scopeName } from "../names.ts";
import { attempt, Choice, Confirm, Dialog, Empty, Field, Form, Head, Shown, State, say } from "../parts.tsx";
import { showTime, t } from "../words.tsx";

type Made = Answer<"createLink"> & { scope: "host" | "submit" | "admin" };

export function JoinPage() {
  const asked = useFollowed("links", () => ask("links"));
  const [made, setMade] = useState<Made>();
  const scopes = { host: scopeName("host"), submit: scopeName("submit"), admin: scopeName("admin") };
  return (
    <>
      <Head title={t("enrolment")} />
      <PendingPanel />
      <section className="panel narrow">
        <h2>{t("newLink")}</h2>
        <Form
          label={t("makeLink")}
          send={async (fields) => {
            const scope = fields.scope as Made["scope"];
            const answer = await ask("createLink", {
              body: {
                scope,
                hours: Number(fields.hours),
                uses: Number(fields.uses),
                approval: scope === "host" && fields.approval === "yes",
              },
            });
            setMade({ ...answer, scope });
            asked.again();
          }}
        >
          <div className="row">
            <Choice label={t("linkFor")} name="scope" value="host" options={scopes} />
            <Choice
              label={t("goodFor")}
              name="hours"
              value="24"
              options={{ "1": t("hour"), "24": t("day"), "168": t("week"), "720": t("month") }}
            />
            <Choice label={t("approval")} name="approval" value="no" options={{ no: t("approvalNo"), yes: t("approvalYes") }} />
            <Field label={t("uses")} name="uses" type="number" value="100" min={1} max={100_000} required />
          </div>
        </Form>
      </section>
      <section className="panel">
        <h2>{t("openLinks")}</h2>
        <Shown asked={asked}>
          {({ links }) =>
            links.length === 0 ? (
              <Empty title={t("noLinks")} />
            ) : (
              <ul className="list">
                {links.map(({ id, scope, createdBy, expiresAt, uses, approval }) => (
                  <li key={id}>
                    <span>
                      <code>{id}</code> <strong>{scopes[scope]}</strong>{" "}
                      <span className="muted">{t("linkFacts", { uses, by: createdBy, until: showTime(expiresAt) })}</span>
                      {approval && ` · ${t("approvalShort")}`}
                    </span>
                    <Confirm
                      label={t("revoke")}
                      question={t("revokeLink")}
                      act={() => attempt(() => ask("removeLink", { params: { id } }), t("done")).then(asked.again)}
                    />
                  </li>
                ))}
              </ul>
            )
          }
        </Shown>
      </section>
      {made && <MadeLink made={made} close={() => setMade(undefined)} />}
    </>
  );
}

const ID_SHOWN = 12;

function PendingPanel() {
  const asked = useFollowed("pending", () => ask("pending"));
  return (
    <section className="panel">
      <h2>{t("pendingHosts")}</h2>
      <Shown asked={asked}>
        {({ hosts }) =>
          hosts.length === 0 ? (
            <p className="muted">{t("noPending")}</p>
          ) : (
            <ul className="list">
              {hosts.map(({ id, name, since, online, slots, os }) => (
                <li key={id}>
                  <span>
                    <strong>{name}</strong> {!online && <State of="offline">{t("offline")}</State>}{" "}
                    <span className="muted">
                      {t("pendingFacts", { id: id.slice(0, ID_SHOWN), slots, system: os, at: showTime(since) })}
                    </span>
                  </span>
                  <span className="row">
                    <button
                      type="button"
                      className="main"
                      aria-label={t("approveName", { name })}
                      onClick={() => void attempt(() => ask("approve", { params: { host: id } }), t("done")).then(asked.again)}
                    >
                      {t("approve")}
                    </button>
                    <Confirm
                      label={t("refuse")}
                      question={t("refuseQuestion", { name })}
                      act={() => attempt(() => ask("refuse", { params: { host: id } }), t("done")).then(asked.again)}
                    />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  );
}

function MadeLink({ made, close }: { made: Made; close(): void }) {
  const command =
    made.scope === "host" ? `npx nightshift agent --join '${made.link}'` : `npx nightshift hosts --coordinator '${made.link}'`;
  const install = `npx nightshift agent install --join '${made.link}'`;
  const setup = `Setup.exe /S /JOIN="${made.link}"`;
  const msi = `msiexec /i Nightshift.msi JOIN="${made.link}" /qn`;
  const copy = (text: string) => (
    <button type="button" onClick={() => void navigator.clipboard.writeText(text).then(() => say(t("copied")))}>
      {t("copy")}
    </button>
  );
  return (
    <Dialog title={t("linkMade")} onClose={close}>
      <p>{t("shownOnce")}</p>
      <div className="made">
        {/* A phone can open the page, not the link. */}
        <Qr text={made.scope === "host" ? lendPage(made.link) : made.link} />
        <div>
          {made.scope === "host" && (
            <>
              <h3>{t("lendPage")}</h3>
              <pre className="wrap">{lendPage(made.link)}</pre>
              {copy(lendPage(made.link))}
            </>
          )}
          <h3>{t("joinLink")}</h3>
          <pre className="wrap">{made.link}</pre>
          {copy(made.link)}
          <h3>{t("command")}</h3>
          <pre className="wrap">{command}</pre>
          {copy(command)}
          {made.scope === "host" && (
            <>
              <h3>{t("installAgent")}</h3>
              <pre className="wrap">{install}</pre>
              {copy(install)}
              <h3>{t("installers")}</h3>
              <pre className="wrap">{setup}</pre>
              {copy(setup)}
              <pre className="wrap">{msi}</pre>
              {copy(msi)}
            </>
          )}
        </div>
      </div>
    </Dialog>
  );
}

/** The same secret for the page of this coordinator on which a browser joins. */
const lendPage = (link: string): string => `${location.origin}/lend/${link.slice(link.indexOf("#"))}`;

function Qr({ text }: { text: string }) {
  const { path, size } = useMemo(() => {
    const code = qrcode(0, "M");
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    let path = "";
    for (let y = 0; y < count; y++) for (let x = 0; x < count; x++) if (code.isDark(y, x)) path += `M${x + 4} ${y + 4}h1v1h-1z`;
    return { path, size: count + 8 };
  }, [text]);
  return (
    <svg className="qr" role="img" aria-label={t("qr")} viewBox={`0 0 ${size} ${size}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
