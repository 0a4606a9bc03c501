// Requests about people: signing in and out, one-time links, users, API tokens. Who is refused is told the same whether the name or the
// password was wrong.

import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { fill } from "../../protocol/deed-details.ts";
import { HandshakeGate } from "../../protocol/index.ts";
import type { User } from "../../store/index.ts";
import { hashOf } from "../secrets.ts";
import { isLoopback } from "./access.ts";
import { passkeySite } from "./passkey-handlers.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import type { Services } from "./services.ts";
import type { Call, Handlers } from "./site.ts";

/** Wrong passwords for one name, from wherever they come: 20, then one every 30 s. */
const GUESSES = { burst: 20, perSecond: 1 / 30 };

type Served =
  | ("session" | "account" | "signIn" | "changePassword" | "invitation" | "accept")
  | ("users" | "invite" | "changeUser" | "removeUser" | "apiTokens" | "createApiToken" | "removeApiToken");

/** Behind the #, so that it goes into no log. */
export const invitationUrl = (origin: string, token: string): string => `${origin}/welcome#${token}`;

export function peopleHandlers({ coordinator, people: actions, sso }: Services): Handlers<Served> {
  const { people } = coordinator.store;
  const guesses = new HandshakeGate(GUESSES);

  const invitationOf = (token: string) => {
    const invitation = people.invitation(hashOf(token));
    if (!invitation || invitation.expiresAt < Date.now())
      throw new NightshiftError("NS_BAD_INVITATION", "the one-time link is wrong, used or expired");
    return invitation;
  };
  const inTime = <T>(value: T | undefined): T => {
    if (value === undefined) throw new NightshiftError("NS_RATE_LIMITED", "too many people sign in at the moment");
    return value;
  };
  /** @throws NS_BAD_PASSWORD, NS_RATE_LIMITED */
  const check = async (name: string, password: string): Promise<User> => {
    const admitted = guesses.admit(name, performance.now());
    if (admitted !== "yes") throw new NightshiftError("NS_RATE_LIMITED", `too many attempts to sign in as ${name}`);
    guesses.settled();
    const known = people.user(name);
    if (inTime(await isPassword(password, known?.password || undefined)) && known) return known;
    // What is nobody's name may be a password in the wrong field.
    coordinator.note({
      who: known?.name ?? "",
      what: "sign-in-failed",
      target: known?.name ?? "",
      details: known ? "" : fill("no such name", {}),
    });
    throw new NightshiftError("NS_BAD_PASSWORD", "name or password is wrong");
  };
  const signIn = ({ gate, request, reply }: Call, who: User) => {
    coordinator.note({
      who: who.name,
      what: "signed-in",
      target: who.name,
      details: fill("from {address}", { address: request.ip }),
    });
    return gate.begin(request, reply, who);
  };

  return {
    session: (_, call) => {
      const { gate, request } = call;
      const who = gate.who(request);
      return {
        signedIn: who ? { name: who.name, role: who.role, csrf: "csrf" in who.by ? who.by.csrf : "" } : null,
        noUsers: people.users().length === 0,
        plainHttp: !isLoopback(request.host) && !gate.isSecure(request),
        sso: sso?.title ?? null,
        passkeys: people.hasPasskeys(passkeySite(call) ?? ""),
      };
    },
    account: (_, call) => ({
      password: actions.user(call.who.name).password !== "",
      sso: sso ? { title: sso.title, connected: people.identitiesOf(call.who.name).length > 0 } : null,
      passkeys: people.passkeysOf(call.who.name),
      passkeySite: passkeySite(call),
    }),
    signIn: async ({ body }, call) => signIn(call, await check(body.name, body.password)),
    changePassword: async ({ body }, call) => {
      const known = await check(call.who.name, body.old);
      people.saveUser({ ...known, password: inTime(await hashPassword(body.password)) });
      people.removeSessionsOf(known.name);
      coordinator.note({ who: known.name, what: "password-changed", target: known.name, details: "" });
      return call.gate.begin(call.request, call.reply, known);
    },
    invitation: ({ body }) => invitationOf(body.token),
    accept: async ({ body }, call) => {
      const invitation = invitationOf(body.token);
      const name = invitation.name ?? body.name;
      const known = people.user(name);
      const { role } = known ?? invitation;
      const password = inTime(await hashPassword(body.password));
      const made: User = { name, role, password, createdAt: known?.createdAt ?? Date.now() };
      // Looked at now, as it may have been taken while the password was hashed.
      if (invitation.name === null && people.user(name)) throw new NightshiftError("NS_USAGE", `the name ${name} is taken`);
      if (!people.accept(invitation.hash, made)) throw new NightshiftError("NS_BAD_INVITATION", "the one-time link is used");
      coordinator.note({ who: name, what: known ? "password-changed" : "user-added", target: name, details: role });
      return signIn(call, made);
    },
    users: () => ({ users: actions.users() }),
    invite: ({ body }, { who, request, gate }) => {
      const { token, expiresAt } = actions.invite(body.role, body.name, who.name);
      return { link: invitationUrl(gate.origin(request), token), expiresAt };
    },
    changeUser: ({ params, body }, { who }) => ({ user: actions.changeRole(params.name, body.role, who.name) }),
    removeUser: ({ params }, { who }) => {
      actions.remove(params.name, who.name);
      return {};
    },
    apiTokens: (_, { who }) => ({
      tokens: actions.apiTokens().filter((token) => who.role === "administrator" || token.user === who.name),
    }),
    createApiToken: ({ body }, { who }) => {
      if ("token" in who.by) throw new NightshiftError("NS_FORBIDDEN", "a token makes no tokens; sign in");
      return actions.createApiToken(who.name, body, who.name);
    },
    removeApiToken: ({ params }, { who }) => {
      actions.removeApiToken(params.id, who.role === "administrator" ? null : who.name, who.name);
      return {};
    },
  };
}
