// Signing in by an identity provider: sends the browser there, takes it back, and decides who comes in and as what. A user here is bound to the
// provider's subject, never to a name that the provider may give to somebody else.

import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { fill } from "../../protocol/deed-details.ts";
import { personName } from "../../protocol/people.ts";
import type { User } from "../../store/index.ts";
import { hashOf, newSecret } from "../secrets.ts";
import { type Attempt, type Identity, Provider } from "../sso/provider.ts";
import { claimOf, roleOf } from "../sso/settings.ts";
import type { Services } from "./services.ts";
import type { Call, Handlers } from "./site.ts";

/** To sign in at the provider, with a second factor that may lie in another room. */
const ATTEMPT_MS = 10 * 60_000;
const MAX_ATTEMPTS = 1000;
const CALLBACK = "/api/sso/callback";

interface Kept {
  endsAt: number;
  attempt?: Attempt;
  /** Somebody signed in, who connects; the session has to be there still. */
  connect?: { user: string; session: string };
  /** Somebody with a one-time link: its hash. */
  invitation?: string;
  failure?: NightshiftError;
}

export function ssoHandlers({
  coordinator,
  sso: settings,
}: Services): Handlers<"ssoBegin" | "ssoCallback" | "ssoFailure" | "ssoConnect" | "ssoDisconnect" | "acceptBySso" | "signOut"> {
  const { people } = coordinator.store;
  const provider = settings && new Provider(settings);
  /** By the hash of the browser's cookie, the oldest first. */
  const kept = new Map<string, Kept>();

  const cookieName = ({ gate, request }: Call): string => (gate.isSecure(request) ? "__Host-nightshift-sso" : "nightshift-sso");
  const keep = (call: Call, what: Omit<Kept, "endsAt">): void => {
    const now = Date.now();
    for (const [key, { endsAt }] of kept) if (endsAt < now || kept.size >= MAX_ATTEMPTS) kept.delete(key);
    const secret = newSecret();
    kept.set(hashOf(secret), { ...what, endsAt: now + ATTEMPT_MS });
    // Lax: the browser comes back from elsewhere. It is good for this attempt and nothing else.
    const secure = call.gate.isSecure(call.request);
    const cookie = { path: "/", httpOnly: true, sameSite: "lax", secure, maxAge: ATTEMPT_MS / 1000 } as const;
    void call.reply.setCookie(cookieName(call), secret, cookie);
  };
  /** What was kept for this browser, once. */
  const take = (call: Call): Kept | undefined => {
    const secret = call.request.cookies[cookieName(call)];
    if (secret === undefined) return undefined;
    const found = kept.get(hashOf(secret));
    kept.delete(hashOf(secret));
    return found && found.endsAt >= Date.now() ? found : undefined;
  };
  const begin = async (call: Call, goal: Pick<Kept, "connect" | "invitation"> = {}): Promise<{ url: string }> => {
    if (!provider) throw new NightshiftError("NS_NOT_FOUND", "single sign-on is not set up here");
    const { attempt, url } = await provider.begin(call.gate.origin(call.request) + CALLBACK);
    keep(call, { attempt, ...goal });
    return { url };
  };
  const refuse = (why: string): never => {
    throw new NightshiftError("NS_SSO_REFUSED", why);
  };

  /** What a new user is called. @throws NS_SSO_REFUSED */
  const nameIn = (claims: Identity["claims"]): string => {
    const { nameClaim = "", title = "" } = settings ?? {};
    const { data: name } = personName.safeParse(claimOf(claims, nameClaim));
    if (name === undefined || (nameClaim === "email" && claims.email_verified === false))
      return refuse(`${title} gives no name for you that can be used here (claim ${nameClaim})`);
    return name;
  };

  /** @throws NS_SSO_REFUSED with who can do what */
  const userFor = ({ issuer, subject, claims }: Identity): User => {
    if (!settings) return refuse("single sign-on is not set up here");
    const identity = people.identity(issuer, subject);
    const known = identity && people.user(identity.user);
    // Who was connected or invited has the role that was given here, whatever the provider says.
    if (known && !identity.managed) return known;
    const role = roleOf(settings, claims);
    if (!role) return refuse(`${settings.title} says nothing of you that gives you a role here (claim ${settings.roleClaim})`);
    if (known) {
      if (known.role === role) return known;
      people.saveUser({ ...known, role });
      coordinator.note({
        who: known.name,
        what: "user-changed",
        target: known.name,
        details: fill("{role}, as {provider} says", { role, provider: settings.title }),
      });
      return { ...known, role };
    }
    if (settings.newUsers === "refuse")
      return refuse(
        `you are known to ${settings.title} but to nobody here: get a one-time link, then connect the two under Account`,
      );
    const name = nameIn(claims);
    if (people.user(name))
      return refuse(`the name ${name} is somebody's here: if it is you, sign in as before and connect the two under Account`);
    const made: User = { name, role, password: "", createdAt: Date.now() };
    people.saveUser(made);
    people.saveIdentity({ issuer, subject, user: name, managed: true, createdAt: made.createdAt });
    coordinator.note({
      who: name,
      what: "user-added",
      target: name,
      details: fill("{role}, by {provider}", { role, provider: settings.title }),
    });
    return made;
  };
  const connected = ({ issuer, subject }: Identity, { user, session }: NonNullable<Kept["connect"]>): void => {
    if (!people.user(user) || people.session(session)?.user !== user) refuse("you have signed out meanwhile");
    const before = people.identity(issuer, subject);
    if (before && before.user !== user) refuse(`that account is connected with ${before.user} here`);
    if (before) return;
    people.saveIdentity({ issuer, subject, user, managed: false, createdAt: Date.now() });
    coordinator.note({ who: user, what: "sso-connected", target: user, details: settings?.title ?? "" });
  };
  /** The link gives the role, and the account is what is used in the place of a password. @throws NS_BAD_INVITATION, NS_SSO_REFUSED */
  const invited = ({ issuer, subject, claims }: Identity, hash: string): User => {
    const invitation = people.invitation(hash);
    if (!invitation || invitation.expiresAt < Date.now())
      throw new NightshiftError("NS_BAD_INVITATION", "the one-time link is wrong, used or expired");
    const before = people.identity(issuer, subject);
    if (before && before.user !== invitation.name)
      return refuse(`that account is connected with ${before.user} here: sign in by it`);
    const known = invitation.name === null ? undefined : people.user(invitation.name);
    const name = invitation.name ?? nameIn(claims);
    if (!known && people.user(name))
      return refuse(
        `the name ${name} is somebody's here: begin with another one and a password, then connect the two under Account`,
      );
    const made: User = known ?? { name, role: invitation.role, password: "", createdAt: Date.now() };
    if (!people.accept(hash, made)) throw new NightshiftError("NS_BAD_INVITATION", "the one-time link is used");
    if (!before) people.saveIdentity({ issuer, subject, user: name, managed: false, createdAt: Date.now() });
    const details = fill("{role}, by {provider}", { role: made.role, provider: settings?.title ?? "" });
    coordinator.note({ who: name, what: known ? "sso-connected" : "user-added", target: name, details });
    return made;
  };
  /** @returns where the browser goes */
  const finish = async (call: Call): Promise<string> => {
    const found = take(call);
    if (!provider || !found?.attempt)
      throw new NightshiftError(
        "NS_SSO_FAILED",
        "this was begun more than ten minutes ago, twice, or in another browser: begin again",
      );
    const { search } = new URL(call.request.url, "http://localhost");
    const identity = await provider.finish(found.attempt, search);
    if (found.connect) {
      connected(identity, found.connect);
      return "/people";
    }
    const user = found.invitation === undefined ? userFor(identity) : invited(identity, found.invitation);
    await coordinator.stored();
    const details = fill("from {address}, by {provider}", { address: call.request.ip, provider: settings?.title ?? "" });
    coordinator.note({ who: user.name, what: "signed-in", target: user.name, details });
    call.gate.begin(call.request, call.reply, user, true);
    return "/";
  };

  return {
    ssoBegin: (_, call) => begin(call),
    acceptBySso: ({ body }, call) => {
      const hash = hashOf(body.token);
      // Told before the provider is bothered; looked at again when the browser is back.
      if ((people.invitation(hash)?.expiresAt ?? 0) < Date.now())
        throw new NightshiftError("NS_BAD_INVITATION", "the one-time link is wrong, used or expired");
      return begin(call, { invitation: hash });
    },
    signOut: async (_, { gate, request, reply, who }) => {
      const bySso = "session" in who.by && people.session(who.by.session)?.sso;
      gate.end(request, reply, who);
      coordinator.note({ who: who.name, what: "signed-out", target: who.name, details: "" });
      const there = provider && settings?.signOut === "provider" && bySso;
      return { url: there ? await provider.signOutUrl(`${gate.origin(request)}/`) : null };
    },
    ssoConnect: (_, call) => {
      const { who } = call;
      if (!("session" in who.by)) throw new NightshiftError("NS_FORBIDDEN", "a token connects nothing; sign in");
      return begin(call, { connect: { user: who.name, session: who.by.session } });
    },
    ssoDisconnect: (_, { who }) => {
      if (people.user(who.name)?.password === "" && people.passkeysOf(who.name).length === 0)
        throw new NightshiftError(
          "NS_USAGE",
          "you could not come in any more: add a passkey, or get a one-time link for a password first",
        );
      people.removeIdentitiesOf(who.name);
      coordinator.note({ who: who.name, what: "sso-disconnected", target: who.name, details: "" });
      return {};
    },
    ssoCallback: async (_, call) => {
      const to = await finish(call).catch((thrown: unknown) => {
        const failure = asNightshiftError(thrown);
        if (failure.code === "NS_INTERNAL") console.error("nightshift: NS_INTERNAL:", thrown);
        coordinator.note({ who: "single sign-on", what: "sign-in-failed", target: "", details: failure.message.slice(0, 500) });
        keep(call, { failure });
        return "/?sso=failed";
      });
      void call.reply.redirect(to, 303);
    },
    // Told to the browser that it happened to, and once: whoever makes a link cannot put words here.
    ssoFailure: (_, call) => {
      const failure = take(call)?.failure;
      const internal = failure?.code === "NS_INTERNAL";
      return {
        failure: failure
          ? {
              code: failure.code,
              message: internal ? "something went wrong in the coordinator" : failure.message,
              remedy: failure.remedy,
            }
          : null,
      };
    },
  };
}
