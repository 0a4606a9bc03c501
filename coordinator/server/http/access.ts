// Who is asking, and may they: session cookies and API tokens, the csrf value that a cookie alone does not have, roles.
import { createHash, timingSafeEqual } from "node:crypto";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type People, type Role, reaches } from "../../store/index.ts";
import { hashOf, newSecret } from "../secrets.ts";
import type { Access } from "./api.ts";

const SESSION_MS = 7 * 24 * 3600_000;
const COOKIE = "nightshift";
const MAX_SESSIONS_OF_ALL = 10_000;

export interface Who {
  name: string;
  role: Role;
  /** How they came in; a session's csrf value goes with every change. */
  by: { session: string; csrf: string } | { token: string };
}

const csrfOf = (session: string): string => createHash("sha256").update(`csrf ${session}`).digest("base64url");

/** 127.0.0.0/8, ::1 and localhost, as a peer's address or in a Host header. */
export const isLoopback = (host: string): boolean =>
  /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1|\[::1\]|localhost)(?::\d+)?$/i.test(host);

/** A cookie is marked Secure unless the page itself has come over plain http from this computer, or over plain http that was insisted on. */
export class Gate {
  private readonly people: People;
  private readonly plainHttp: boolean;

  constructor(people: People, plainHttp: boolean) {
    this.people = people;
    this.plainHttp = plainHttp;
  }

  /** Whether the page came encrypted, or is to be taken as if it did. */
  isSecure(request: FastifyRequest): boolean {
    return request.protocol === "https" || !(isLoopback(request.host) || this.plainHttp);
  }

  /** The site's address as whoever asks knows it. */
  origin(request: FastifyRequest): string {
    return `${this.isSecure(request) ? "https" : "http"}://${request.host}`;
  }

  private cookieName(request: FastifyRequest): string {
    return this.isSecure(request) ? `__Host-${COOKIE}` : COOKIE;
  }

  /** The session or token the request brings, if it is good. */
  who(request: FastifyRequest): Who | undefined {
    const now = Date.now();
    const bearer = /^Bearer ([\w-]{16,128})$/.exec(request.headers.authorization ?? "")?.[1];
    if (bearer !== undefined) {
      const token = this.people.apiToken(hashOf(bearer));
      const user = token && token.expiresAt > now ? this.people.user(token.user) : undefined;
      if (!token || !user) return undefined;
      // A token outlives no demotion.
      return { name: user.name, role: reaches(user.role, token.role) ? token.role : user.role, by: { token: token.id } };
    }
    const secret = request.cookies[this.cookieName(request)];
    if (secret === undefined) return undefined;
    const session = this.people.session(hashOf(secret));
    const user = session && session.expiresAt > now ? this.people.user(session.user) : undefined;
    return session && user && { name: user.name, role: user.role, by: { session: session.hash, csrf: csrfOf(secret) } };
  }

  /** @throws NS_SIGNED_OUT, NS_FORBIDDEN (role), NS_CSRF */
  require(request: FastifyRequest, access: Exclude<Access, "anybody">): Who {
    const who = this.who(request);
    if (!who) throw new NightshiftError("NS_SIGNED_OUT", "nobody is signed in, or no longer");
    if (!reaches(who.role, access))
      throw new NightshiftError("NS_FORBIDDEN", `this is for a ${access}; ${who.name} is a ${who.role} here`);
    if (request.method !== "GET" && "csrf" in who.by) {
      const given = Buffer.from(String(request.headers["x-csrf-token"] ?? ""));
      const right = Buffer.from(who.by.csrf);
      if (given.length !== right.length || !timingSafeEqual(given, right))
        throw new NightshiftError("NS_CSRF", "the request does not come from the console: its csrf value is missing or wrong");
    }
    return who;
  }

  /** Begins a session. @param sso at the identity provider @throws NS_LIMIT */
  begin(
    request: FastifyRequest,
    reply: FastifyReply,
    user: { name: string; role: Role },
    sso = false,
  ): { name: string; role: Role; csrf: string } {
    const now = Date.now();
    this.people.prune(now);
    if (this.people.sessionCount() >= MAX_SESSIONS_OF_ALL) throw new NightshiftError("NS_LIMIT", "too many sessions");
    const secret = newSecret();
    this.people.saveSession({ hash: hashOf(secret), user: user.name, createdAt: now, expiresAt: now + SESSION_MS, sso });
    const secure = this.isSecure(request);
    void reply.setCookie(this.cookieName(request), secret, {
      path: "/",
      httpOnly: true,
      sameSite: "strict",
      secure,
      maxAge: SESSION_MS / 1000,
    });
    return { name: user.name, role: user.role, csrf: csrfOf(secret) };
  }

  end(request: FastifyRequest, reply: FastifyReply, who: Who): void {
    if ("session" in who.by) this.people.removeSession(who.by.session);
    void reply.clearCookie(this.cookieName(request), {
      path: "/",
      secure: this.isSecure(request),
      sameSite: "strict",
      httpOnly: true,
    });
  }
}
