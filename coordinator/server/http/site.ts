// The coordinator's HTTP side: the API of api.ts and the built console, on the port that also takes the tunnel. Owns limits, headers, who is
// let in, and the form of errors; what the requests do is in the handlers.
import { existsSync } from "node:fs";
import type { Server } from "node:http";
import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import files from "@fastify/static";
import { must, NightshiftError } from "@nightshift/wasm-kernels/errors";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Credentials } from "../tls/credentials.ts";
import { Gate, isLoopback, type Who } from "./access.ts";
import { type Answer, api, type Input, MAX_UPLOAD_BYTES, type Name, REQUESTS_PER_MINUTE } from "./api.ts";
import { clusterHandlers } from "./cluster-handlers.ts";
import { jobHandlers } from "./job-handlers.ts";
import { overheadHandlers } from "./overhead-handlers.ts";
import { passkeyHandlers } from "./passkey-handlers.ts";
import { peopleHandlers } from "./people-handlers.ts";
import { policyHandlers } from "./policy-handlers.ts";
import { sendProblem } from "./problems.ts";
import type { Proxies } from "./proxies.ts";
import { releaseHandlers, serveFeed } from "./release-handlers.ts";
import type { Services } from "./services.ts";
import { ssoHandlers } from "./sso-handlers.ts";

/** The console's own addresses. */
const PAGES =
  /^\/(?:|welcome|(?:jobs|hosts|overhead)(?:\/[^/]+)?|overhead\/measurements\/[^/]+|credit|join|policies|events|people)$/;
const MAX_BODY_BYTES = 1 << 20;
const HANDSHAKE_MS = 10_000;
/** A year, for this name alone. */
const HSTS = `max-age=${365 * 24 * 3600}`;
/** Uploads are whole in memory before they are written. */
const UPLOADS_AT_ONCE = 4;
const SECURITY: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** The page for volunteers' browsers compiles programs, starts workers, and shares memory with them. */
const LEND = "/lend/";
const LEND_SECURITY: Readonly<Record<string, string>> = {
  ...SECURITY,
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
};
/** The script that other sites may name. */
const EMBED = "/lend/embed.js";
const EMBED_SECURITY: Readonly<Record<string, string>> = { ...LEND_SECURITY, "cross-origin-resource-policy": "cross-origin" };

/** What a handler knows of the request beside its input. */
export interface Call {
  /** Throws NS_SIGNED_OUT for a request that anybody may make. */
  readonly who: Who;
  readonly gate: Gate;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}
export type Handlers<N extends Name> = { [M in N]: (input: Input<M>, call: Call) => Answer<M> | Promise<Answer<M>> };

export interface SiteOptions extends Services {
  /** Whether others than this computer may come over plain http. */
  plainHttp: boolean;
  /** With these it speaks TLS. */
  credentials?: Credentials;
  /** Whether browsers are told to come by TLS alone from now on. */
  hsts: boolean;
  proxies: Proxies;
  /** Folder with the built console; where there is none, its address says how to get it. */
  consoleFolder: string;
}

/** Not listening yet. */
export async function makeSite(options: SiteOptions): Promise<FastifyInstance<Server>> {
  const { credentials, proxies } = options;
  const settings = {
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: 300 },
    connectionTimeout: 0,
    requestTimeout: 120_000,
    keepAliveTimeout: 60_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    trustProxy: proxies.believes,
  };
  // An HTTPS server is as good as the other kind to all that follows.
  const site = (
    credentials ? fastify({ ...settings, https: { ...credentials, handshakeTimeout: HANDSHAKE_MS } }) : fastify(settings)
  ) as FastifyInstance<Server>;
  const gate = new Gate(options.coordinator.store.people, options.plainHttp);
  site.setErrorHandler((error, _request, reply) => sendProblem(reply, error));
  site.get("/healthz", (_request, reply) => reply.type("text/plain; charset=utf-8").send("ok\n"));
  site.addHook("onRequest", async (request, reply) => {
    reply.headers(request.url === EMBED ? EMBED_SECURITY : request.url.startsWith(LEND) ? LEND_SECURITY : SECURITY);
    if (request.protocol === "https") {
      if (options.hsts && !isLoopback(request.host)) void reply.header("strict-transport-security", HSTS);
      return;
    }
    const near = isLoopback(request.ip) && isLoopback(request.socket.remoteAddress ?? "");
    if (options.plainHttp || near || request.url === "/healthz") return;
    throw new NightshiftError(
      "NS_PLAIN_HTTP",
      proxies.believes(request.socket.remoteAddress ?? "")
        ? "the proxy does not say that whoever asks came by https; it is to set X-Forwarded-Proto"
        : "over plain http the console and the API are for this computer only",
    );
  });
  await site.register(cookie);
  await site.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: "1 minute",
    errorResponseBuilder: () => new NightshiftError("NS_RATE_LIMITED", "too many requests from this address"),
  });
  site.setValidatorCompiler(({ schema, httpPart }) => (data) => {
    const parsed = (schema as z.ZodType).safeParse(data ?? {});
    if (parsed.success) return { value: parsed.data };
    const said = parsed.error.issues.map(({ path, message }) => `${[httpPart, ...path].join(".")}: ${message}`).join("; ");
    return { error: new NightshiftError("NS_BAD_REQUEST", said.slice(0, 2000)) };
  });
  // What is not in the schema does not go out.
  site.setSerializerCompiler(
    ({ schema }) =>
      (data) =>
        JSON.stringify((schema as z.ZodType).parse(data)),
  );
  site.addContentTypeParser(
    "application/octet-stream",
    { parseAs: "buffer", bodyLimit: MAX_UPLOAD_BYTES },
    (_request, body, done) => done(null, body),
  );
  const handlers: Handlers<Name> = {
    ...peopleHandlers(options),
    ...clusterHandlers(options),
    ...jobHandlers(options),
    ...policyHandlers(options),
    ...overheadHandlers(options),
    ...releaseHandlers(options),
    ...ssoHandlers(options),
    ...passkeyHandlers(options),
  };
  for (const name of Object.keys(api) as Name[]) addRoute(site, name, handlers, gate, options);
  serveFeed(site, options);
  await serveConsole(site, options.consoleFolder);
  return site;
}

function addRoute(
  site: FastifyInstance<Server>,
  name: Name,
  handlers: Handlers<Name>,
  gate: Gate,
  { coordinator }: Services,
): void {
  const route: (typeof api)[Name] = api[name];
  const { access, method, path } = route;
  const handler = handlers[name] as (input: unknown, call: Call) => unknown;
  const answer = "answer" in route ? route.answer : undefined;
  const identities = new WeakMap<FastifyRequest, Who>();
  let uploads = 0;
  site.route({
    method,
    url: path,
    schema: {
      ...("params" in route && { params: route.params }),
      ...("query" in route && { querystring: route.query }),
      ...("body" in route && { body: route.body }),
      ...(answer && { response: { 200: answer } }),
    },
    ...("perMinute" in route && { config: { rateLimit: { max: route.perMinute } } }),
    // Before the body is read, so that strangers cannot have it kept.
    onRequest: async (request, reply) => {
      if (access !== "anybody") identities.set(request, gate.require(request, access));
      if (name !== "upload") return;
      if (uploads >= UPLOADS_AT_ONCE)
        throw new NightshiftError("NS_RATE_LIMITED", `more than ${UPLOADS_AT_ONCE} uploads at a time`);
      uploads++;
      reply.raw.once("close", () => uploads--);
    },
    handler: async (request, reply) => {
      void reply.header("cache-control", "no-store");
      const { params, query, body } = request;
      const call: Call = {
        gate,
        request,
        reply,
        get who() {
          return must(identities.get(request), "the one who asks");
        },
      };
      const result = await handler({ params, query, body }, call);
      if (!answer) return reply;
      // Nothing is acknowledged that is not on the disk.
      if (method !== "GET") await coordinator.stored();
      return result;
    },
  });
}

async function serveConsole(site: FastifyInstance<Server>, folder: string): Promise<void> {
  const built = existsSync(folder);
  if (built)
    await site.register(files, {
      root: folder,
      preCompressed: true,
      redirect: true, // a folder without its slash
      cacheControl: false,
      setHeaders: (reply, path) =>
        void reply.header("cache-control", path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"),
    });
  site.setNotFoundHandler((request, reply) => {
    if (request.url.startsWith("/api/"))
      throw new NightshiftError("NS_NOT_FOUND", `there is no ${request.method} ${request.url.split("?")[0]}`);
    const isPage = request.method === "GET" && PAGES.test(request.url.split("?")[0] ?? "");
    // A person with a wrong address is told so by the console, in their language.
    if (!isPage && built && request.method === "GET" && request.headers.accept?.includes("text/html"))
      return reply.status(404).sendFile("index.html");
    if (!isPage) throw new NightshiftError("NS_NOT_FOUND", "there is nothing here");
    // The console's pages are all one file.
    if (built) return reply.sendFile("index.html");
    return reply
      .status(503)
      .type("text/plain; charset=utf-8")
      .send("This is a Nightshift coordinator. Its console has not been built: npm run build:console\n");
  });
}
