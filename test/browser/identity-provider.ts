// A real OpenID provider on loopback, for tests: everybody it is told of can sign in with any password. Owns its server; its keys can be changed
// as providers do. It is `localhost`, so that it is another site than 127.0.0.1, on which coordinators are. No tests in here.
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export const CLIENT = { id: "nightshift", secret: "the client's secret" };

export interface Account {
  preferred_username?: string;
  groups?: string[];
}

export class IdentityProvider {
  /** By the name they sign in with there, which is their subject. */
  readonly accounts = new Map<string, Account>();
  /** Requests to its token endpoint. */
  asked = 0;
  private handler: RequestListener = (_, response) => response.writeHead(503).end();
  private readonly server = createServer((request, response) => {
    if (request.url === "/token") this.asked++;
    this.handler(request, response);
  });

  private constructor() {
    this.server.listen(0, "127.0.0.1");
  }

  static async start(): Promise<IdentityProvider> {
    const made = new IdentityProvider();
    await once(made.server, "listening");
    return made;
  }

  get issuer(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  /** Takes sign-ins from then on, with new keys each time. @param secret what it knows as the client's */
  async serve(redirectUri: string, secret = CLIENT.secret): Promise<void> {
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", privateKey);
    const key = { kty, crv, x, y, d, alg: "ES256", use: "sig", kid: crypto.randomUUID() };
    const provider = new Provider(this.issuer, {
      clients: [
        {
          ...{ client_id: CLIENT.id, client_secret: secret, redirect_uris: [redirectUri], response_types: ["code"] },
          post_logout_redirect_uris: [new URL("/", redirectUri).href],
          ...{ grant_types: ["authorization_code"], id_token_signed_response_alg: "ES256" },
        },
      ],
      claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
      findAccount: (_, id) => {
        const account = this.accounts.get(id);
        return account && { accountId: id, claims: async () => ({ sub: id, ...account }) };
      },
      features: { devInteractions: { enabled: true } },
      jwks: { keys: [key as never] },
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
      cookies: { keys: ["of a test"] },
      pkce: { required: () => true },
    });
    this.handler = provider.callback();
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
