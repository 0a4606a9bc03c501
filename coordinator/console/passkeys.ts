// Passkeys as the browser has them: made, and asked to sign in. What browsers throw becomes what people can read.
import { browserSupportsWebAuthn, startAuthentication, startRegistration } from "@simplewebauthn/browser";
import { type Answer, ask, OwnRefusal } from "./client.ts";
import { t } from "./words.tsx";

/** Whether this browser has passkeys for this page. */
export const hasPasskeys = (): boolean => isSecureContext && browserSupportsWebAuthn();

/** @throws OwnRefusal */
function understood(thrown: Error): never {
  const already = thrown.name === "InvalidStateError";
  throw new OwnRefusal("NS_BAD_PASSKEY", already ? t("passkeyAlready") : t("passkeyNotDone"), "");
}

/** @throws OwnRefusal */
export async function addPasskey(name: string): Promise<void> {
  const { options } = await ask("passkeyOptions");
  type Options = Parameters<typeof startRegistration>[0]["optionsJSON"];
  const made = await startRegistration({ optionsJSON: options as unknown as Options }).catch(understood);
  await ask("passkeyAdd", { body: { name, made: made as never } });
}

/** @throws OwnRefusal */
export async function signInByPasskey(): Promise<Answer<"passkeySignIn">> {
  const { options } = await ask("passkeyChallenge");
  type Options = Parameters<typeof startAuthentication>[0]["optionsJSON"];
  const given = await startAuthentication({ optionsJSON: options as unknown as Options }).catch(understood);
  return ask("passkeySignIn", { body: { given: given as never } });
}
