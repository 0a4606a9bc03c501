// Passkeys (WebAuthn): adding one, signing in with one, removing it. A passkey is good under one name of the coordinator, the one that its owner had in
// the address when it was added; browsers keep them from every other, which is what makes them safe against imitated pages.

import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { fill, type Reason } from "../../protocol/deed-details.ts";
import type { Passkey } from "../../store/index.ts";
import type { Services } from "./services.ts";
import type { Call, Handlers } from "./site.ts";

/** To find the stick, or unlock the phone. */
const CHALLENGE_MS = 5 * 60_000;
const MAX_CHALLENGES = 10_000;
const MAX_PASSKEYS_OF_ONE = 20;
/** Read when somebody uses it: most coordinators start without. */
const webauthn = () => import("@simplewebauthn/server");

/** The name passkeys are good under at the address that this was asked at; null where browsers have none: for numbers, and without TLS. */
export function passkeySite({ gate, request }: Pick<Call, "gate" | "request">): string | null {
  const { hostname } = new URL(gate.origin(request));
  if (hostname === "localhost") return hostname;
  return gate.isSecure(request) && isIP(hostname.replaceAll(/[[\]]/g, "")) === 0 ? hostname : null;
}

function siteOf(call: Call): string {
  const site = passkeySite(call);
  if (site === null)
    throw new NightshiftError(
      "NS_USAGE",
      "passkeys need https and a name in the address, as browsers have it; localhost is good too",
    );
  return site;
}

export function passkeyHandlers({
  coordinator,
}: Services): Handlers<"passkeyOptions" | "passkeyAdd" | "passkeyRemove" | "passkeyChallenge" | "passkeySignIn"> {
  const { people } = coordinator.store;
  /** Given out and not answered, the oldest first. `user`: who adds; null: somebody who signs in. */
  const challenges = new Map<string, { user: string | null; endsAt: number }>();

  const give = (challenge: string, user: string | null): void => {
    const now = Date.now();
    for (const [key, { endsAt }] of challenges) if (endsAt < now || challenges.size >= MAX_CHALLENGES) challenges.delete(key);
    challenges.set(challenge, { user, endsAt: now + CHALLENGE_MS });
  };
  /** Good once, whatever becomes of it. */
  const take = (user: string | null) => (challenge: string) => {
    const found = challenges.get(challenge);
    challenges.delete(challenge);
    return found?.user === user && found.endsAt >= Date.now();
  };
  const refuse = (call: Call, why: Reason, cause?: unknown): never => {
    coordinator.note({
      who: "passkey",
      what: "sign-in-failed",
      target: "",
      details: fill("{why}, from {address}", { why, address: call.request.ip }),
    });
    throw new NightshiftError("NS_BAD_PASSKEY", why, { cause });
  };
  /** @throws NS_BAD_PASSKEY */
  const check = async (call: Call, given: AuthenticationResponseJSON): Promise<Passkey> => {
    const expectedRPID = siteOf(call);
    const { verifyAuthenticationResponse } = await webauthn();
    const passkey = people.passkey(given.id);
    if (passkey?.site !== expectedRPID) return refuse(call, "this passkey is not known here");
    const credential = { id: passkey.id, publicKey: bytes(passkey.publicKey), counter: passkey.counter };
    const expected = { expectedChallenge: take(null), expectedOrigin: call.gate.origin(call.request), expectedRPID };
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...expected,
      response: given,
      credential,
    }).catch((thrown: unknown) => refuse(call, "what the passkey answered does not hold", thrown));
    // Looked at now, as it may have been removed while it was checked.
    if (!verified || !people.passkey(passkey.id)) return refuse(call, "what the passkey answered does not hold");
    const used = { ...passkey, counter: authenticationInfo.newCounter, usedAt: Date.now() };
    people.savePasskey(used);
    return used;
  };

  return {
    passkeyOptions: async (_, call) => {
      const { who } = call;
      const rpID = siteOf(call);
      if (!("session" in who.by)) throw new NightshiftError("NS_FORBIDDEN", "a token adds no passkeys; sign in");
      const { generateRegistrationOptions } = await webauthn();
      const mine = people.passkeysOf(who.name);
      const made = await generateRegistrationOptions({
        ...{ rpName: "Nightshift", rpID, userName: who.name, userDisplayName: who.name },
        // The same for all of one's passkeys, and telling nothing.
        userID: new Uint8Array(
          createHash("sha256")
            .update(`${rpID} ${who.name} ${people.user(who.name)?.createdAt}`)
            .digest(),
        ),
        excludeCredentials: mine.filter(({ site }) => site === rpID).map(({ id }) => ({ id })),
        // It is all there is to sign in with: it has to know its owner, and whom it is for.
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
      give(made.challenge, who.name);
      return { options: { ...made } };
    },
    passkeyAdd: async ({ body }, call) => {
      const { name } = call.who;
      const expectedRPID = siteOf(call);
      if (people.passkeysOf(name).length >= MAX_PASSKEYS_OF_ONE)
        throw new NightshiftError("NS_LIMIT", `at most ${MAX_PASSKEYS_OF_ONE} passkeys a person`);
      const { verifyRegistrationResponse } = await webauthn();
      const response = body.made as unknown as RegistrationResponseJSON;
      const expected = { expectedChallenge: take(name), expectedOrigin: call.gate.origin(call.request), expectedRPID };
      const { registrationInfo } = await verifyRegistrationResponse({ ...expected, response }).catch((cause: unknown) => {
        throw new NightshiftError("NS_BAD_PASSKEY", "what the passkey answered does not hold", { cause });
      });
      if (!registrationInfo || people.passkey(registrationInfo.credential.id) || !people.user(name))
        throw new NightshiftError("NS_BAD_PASSKEY", "this passkey cannot be added");
      const { id, publicKey, counter } = registrationInfo.credential;
      const made = { id, counter, publicKey: Buffer.from(publicKey).toString("base64url"), createdAt: Date.now(), usedAt: null };
      people.savePasskey({ ...made, user: name, site: expectedRPID, name: body.name });
      coordinator.note({
        who: name,
        what: "passkey-added",
        target: name,
        details: fill("{passkey}, for {site}", { passkey: body.name, site: expectedRPID }),
      });
      return {};
    },
    passkeyRemove: ({ params }, { who }) => {
      const passkey = people.passkeysOf(who.name).find(({ id }) => id === params.passkey);
      if (!passkey) throw new NightshiftError("NS_NOT_FOUND", "there is no such passkey");
      people.removePasskey(passkey.id);
      coordinator.note({ who: who.name, what: "passkey-removed", target: who.name, details: passkey.name });
      return {};
    },
    passkeyChallenge: async (_, call) => {
      const { generateAuthenticationOptions } = await webauthn();
      const made = await generateAuthenticationOptions({ rpID: siteOf(call), userVerification: "required" });
      give(made.challenge, null);
      return { options: { ...made } };
    },
    passkeySignIn: async ({ body }, call) => {
      const passkey = await check(call, body.given as unknown as AuthenticationResponseJSON);
      const user = people.user(passkey.user);
      if (!user) return refuse(call, "this passkey is not known here");
      const details = fill("from {address}, by the passkey {passkey}", { address: call.request.ip, passkey: passkey.name });
      coordinator.note({ who: user.name, what: "signed-in", target: user.name, details });
      return call.gate.begin(call.request, call.reply, user);
    },
  };
}

const bytes = (base64url: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64url, "base64url"));
