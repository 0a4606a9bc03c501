// The identity provider, as openid-client speaks with it: the authorisation code flow of OpenID Connect with PKCE, state and nonce. Owns what is
// asked of the provider and which of its failures mean what; who is let in is decided elsewhere.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import * as oidc from "openid-client";
import { isLoopback } from "../http/access.ts";
import { type Claims, claimOf, type SsoSettings } from "./settings.ts";

const ANSWER_SECONDS = 10;
/** Then its addresses are asked for again. */
const DISCOVERED_MS = 10 * 60_000;

/** What the browser takes to the provider, and what the answer must fit. */
export interface Attempt {
  redirectUri: string;
  state: string;
  nonce: string;
  verifier: string;
}

export interface Identity {
  issuer: string;
  /** By which the provider knows this person for ever; names change. */
  subject: string;
  claims: Claims;
}

export class Provider {
  private readonly settings: SsoSettings;
  private discovered: { at: number; server: oidc.ServerMetadata } | undefined;

  constructor(settings: SsoSettings) {
    this.settings = settings;
  }

  /** @returns what is to be kept, and the address to send the browser to. @throws NS_SSO_FAILED */
  async begin(redirectUri: string): Promise<{ attempt: Attempt; url: string }> {
    const config = await this.configuration();
    const verifier = oidc.randomPKCECodeVerifier();
    const attempt = { redirectUri, verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
    const url = oidc.buildAuthorizationUrl(config, {
      ...{ redirect_uri: redirectUri, state: attempt.state, nonce: attempt.nonce },
      scope: [...new Set(["openid", ...this.settings.scopes])].join(" "),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { attempt, url: url.href };
  }

  /** @param search of the address that the provider sent the browser back to. @throws NS_SSO_FAILED, NS_SSO_REFUSED */
  async finish({ redirectUri, state, nonce, verifier }: Attempt, search: string): Promise<Identity> {
    const config = await this.configuration();
    try {
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
      const tokens = await oidc.authorizationCodeGrant(config, new URL(search, redirectUri), checks);
      const token = tokens.claims();
      if (!token) throw new NightshiftError("NS_SSO_FAILED", "the provider gave no ID token");
      const { nameClaim, roleClaim } = this.settings;
      const missing = [nameClaim, roleClaim].some((name) => claimOf(token, name) === undefined);
      // Many providers tell groups only here.
      const more =
        missing && config.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(config, tokens.access_token, token.sub)
          : {};
      return { issuer: token.iss, subject: token.sub, claims: { ...more, ...token } };
    } catch (thrown) {
      throw this.failure(thrown);
    }
  }

  /**
   * Where the browser goes to sign out there, and comes back from; null: the provider has no such address, or does not answer. No ID token goes
   * along, as none is kept: so the provider may ask whether one means it (OpenID Connect RP-Initiated Logout 1.0, 2).
   */
  async signOutUrl(backTo: string): Promise<string | null> {
    try {
      const config = await this.configuration();
      if (config.serverMetadata().end_session_endpoint === undefined) return null;
      return oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: backTo }).href;
    } catch (thrown) {
      if (this.failure(thrown).code === "NS_SSO_FAILED") return null;
      throw thrown;
    }
  }

  /** New for each: so the keys are those that the provider has now, also just after it changed them. */
  private async configuration(): Promise<oidc.Configuration> {
    const { issuer, clientId, secret } = this.settings;
    const plain = new URL(issuer).protocol === "http:" && isLoopback(new URL(issuer).host) ? [oidc.allowInsecureRequests] : [];
    try {
      if (!this.discovered || this.discovered.at + DISCOVERED_MS < Date.now()) {
        const options = { timeout: ANSWER_SECONDS, execute: plain };
        const found = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), options);
        this.discovered = { at: Date.now(), server: found.serverMetadata() };
      }
    } catch (thrown) {
      throw this.failure(thrown);
    }
    const { server } = this.discovered;
    const ways = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const way =
      secret === undefined
        ? oidc.None()
        : ways.includes("client_secret_basic")
          ? oidc.ClientSecretBasic(secret)
          : oidc.ClientSecretPost(secret);
    const config = new oidc.Configuration(server, clientId, undefined, way);
    config.timeout = ANSWER_SECONDS;
    for (const allow of plain) allow(config);
    // The signature too, though the token comes from the provider itself.
    oidc.enableNonRepudiationChecks(config);
    return config;
  }

  /** What went wrong, without what the provider sent: that may hold tokens. */
  private failure(thrown: unknown): NightshiftError {
    if (thrown instanceof NightshiftError) return thrown;
    const { title, issuer } = this.settings;
    if (thrown instanceof oidc.AuthorizationResponseError)
      return thrown.error === "access_denied"
        ? new NightshiftError("NS_SSO_REFUSED", `${title} did not let you in`)
        : new NightshiftError("NS_SSO_FAILED", `${title} says: ${thrown.error}`);
    const unknown = thrown instanceof oidc.WWWAuthenticateChallengeError;
    if (unknown || (thrown instanceof oidc.ResponseBodyError && thrown.error === "invalid_client"))
      return new NightshiftError("NS_SSO_FAILED", `${title} does not take this coordinator's client id and secret`);
    if (thrown instanceof oidc.ResponseBodyError) return new NightshiftError("NS_SSO_FAILED", `${title} says: ${thrown.error}`);
    const { code, message, cause } = thrown as Error & { code?: string };
    const system = (cause as { code?: unknown } | undefined)?.code;
    if (message === "fetch failed" || code === "OAUTH_TIMEOUT")
      return new NightshiftError("NS_SSO_FAILED", `${issuer} does not answer${typeof system === "string" ? ` (${system})` : ""}`);
    const why = cause instanceof Error ? cause.message : message;
    return new NightshiftError("NS_SSO_FAILED", `what ${issuer} says does not hold: ${why}${code ? ` (${code})` : ""}`);
  }
}
