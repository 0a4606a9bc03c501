// Who may use the coordinator over HTTP: users, their sessions, API tokens, and invitations that make users. Every secret is kept as a
// hash only. Plain reading and writing; what is allowed is the server's business.
import { ROLES, type UserRole } from "../protocol/people.ts";
import type { Database, Row } from "./database.ts";

export type Role = UserRole;

export const reaches = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);

export interface User {
  name: string;
  role: Role;
  /** argon2id, with its parameters and salt; "" for somebody who has none. */
  password: string;
  createdAt: number;
}

export interface SessionRecord {
  /** SHA-256 of the cookie's value, hex; so are the hashes below. */
  hash: string;
  user: string;
  createdAt: number;
  expiresAt: number;
  /** It began at the identity provider. */
  sso: boolean;
}

export interface ApiToken {
  id: string;
  hash: string;
  user: string;
  /** What its owner calls it. */
  name: string;
  /** At most this; and never more than its user may. */
  role: Role;
  createdAt: number;
  expiresAt: number;
}

/** A one-time link: whoever opens it chooses a password, and a name where none is given. */
export interface Invitation {
  hash: string;
  name: string | null;
  role: Role;
  expiresAt: number;
}

/** Who a user is to an identity provider. */
export interface SsoIdentity {
  issuer: string;
  subject: string;
  user: string;
  /** The user was made by signing in so, and has the role that the provider gives. */
  managed: boolean;
  createdAt: number;
}

/** A key on somebody's device or stick, for one name of this coordinator. */
export interface Passkey {
  /** The credential's, base64url. */
  id: string;
  user: string;
  /** The name that it is good under, WebAuthn's RP id. */
  site: string;
  /** What its owner calls it. */
  name: string;
  /** COSE, base64url. */
  publicKey: string;
  /** Of signatures; a lower one comes from a copy. */
  counter: number;
  createdAt: number;
  usedAt: number | null;
}

export class People {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  users(): User[] {
    return this.db.all("select * from user order by name").map(userOf);
  }

  user(name: string): User | undefined {
    const row = this.db.first("select * from user where name = ?", name);
    return row && userOf(row);
  }

  saveUser(user: User): void {
    this.db.run(
      "insert or replace into user (name, role, password, created_at) values (?, ?, ?, ?)",
      user.name,
      user.role,
      user.password,
      user.createdAt,
    );
  }

  /** With their sessions, tokens, identities and passkeys. @returns false when there was none */
  removeUser(name: string): boolean {
    return this.db.transaction(() => {
      this.db.run("delete from session where user = ?", name);
      this.db.run("delete from api_token where user = ?", name);
      this.db.run("delete from identity where user = ?", name);
      this.db.run("delete from passkey where user = ?", name);
      return this.db.run("delete from user where name = ?", name) > 0;
    });
  }

  identity(issuer: string, subject: string): SsoIdentity | undefined {
    const row = this.db.first("select * from identity where issuer = ? and subject = ?", issuer, subject);
    return row && identityOf(row);
  }

  identitiesOf(user: string): SsoIdentity[] {
    return this.db.all("select * from identity where user = ? order by created_at", user).map(identityOf);
  }

  saveIdentity({ issuer, subject, user, managed, createdAt }: SsoIdentity): void {
    const values = [issuer, subject, user, Number(managed), createdAt];
    this.db.run("insert into identity (issuer, subject, user, managed, created_at) values (?, ?, ?, ?, ?)", ...values);
  }

  removeIdentitiesOf(user: string): void {
    this.db.run("delete from identity where user = ?", user);
  }

  passkey(id: string): Passkey | undefined {
    const row = this.db.first("select * from passkey where id = ?", id);
    return row && passkeyOf(row);
  }

  passkeysOf(user: string): Passkey[] {
    return this.db.all("select * from passkey where user = ? order by created_at", user).map(passkeyOf);
  }

  hasPasskeys(site: string): boolean {
    return this.db.first("select 1 from passkey where site = ? limit 1", site) !== undefined;
  }

  savePasskey({ id, user, site, name, publicKey, counter, createdAt, usedAt }: Passkey): void {
    const values = [id, user, site, name, publicKey, counter, createdAt, usedAt];
    this.db.run(
      "insert or replace into passkey (id, user, site, name, public_key, counter, created_at, used_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
      ...values,
    );
  }

  removePasskey(id: string): void {
    this.db.run("delete from passkey where id = ?", id);
  }

  session(hash: string): SessionRecord | undefined {
    const row = this.db.first("select * from session where hash = ?", hash);
    return (
      row && {
        hash: String(row.hash),
        user: String(row.user),
        createdAt: Number(row.created_at),
        expiresAt: Number(row.expires_at),
        sso: row.sso === 1,
      }
    );
  }

  saveSession(session: SessionRecord): void {
    this.db.run(
      "insert into session (hash, user, created_at, expires_at, sso) values (?, ?, ?, ?, ?)",
      session.hash,
      session.user,
      session.createdAt,
      session.expiresAt,
      Number(session.sso),
    );
  }

  sessionCount(): number {
    return Number(this.db.first("select count(*) as count from session")?.count ?? 0);
  }

  removeSession(hash: string): void {
    this.db.run("delete from session where hash = ?", hash);
  }

  removeSessionsOf(user: string): void {
    this.db.run("delete from session where user = ?", user);
  }

  apiTokens(): ApiToken[] {
    return this.db.all("select * from api_token order by created_at desc").map(tokenOf);
  }

  apiToken(hash: string): ApiToken | undefined {
    const row = this.db.first("select * from api_token where hash = ?", hash);
    return row && tokenOf(row);
  }

  saveApiToken(token: ApiToken): void {
    this.db.run(
      "insert into api_token (id, hash, user, name, role, created_at, expires_at) values (?, ?, ?, ?, ?, ?, ?)",
      token.id,
      token.hash,
      token.user,
      token.name,
      token.role,
      token.createdAt,
      token.expiresAt,
    );
  }

  removeApiToken(id: string): void {
    this.db.run("delete from api_token where id = ?", id);
  }

  invitation(hash: string): Invitation | undefined {
    const row = this.db.first("select * from invitation where hash = ?", hash);
    return (
      row && {
        hash: String(row.hash),
        name: row.name === null ? null : String(row.name),
        role: row.role as Role,
        expiresAt: Number(row.expires_at),
      }
    );
  }

  saveInvitation({ hash, name, role, expiresAt }: Invitation): void {
    this.db.run("insert into invitation (hash, name, role, expires_at) values (?, ?, ?, ?)", hash, name, role, expiresAt);
  }

  /** Uses the invitation up for this user, who loses the sessions they had, in one transaction. @returns false when it was gone */
  accept(hash: string, user: User): boolean {
    return this.db.transaction(() => {
      if (this.db.run("delete from invitation where hash = ?", hash) !== 1) return false;
      this.saveUser(user);
      this.removeSessionsOf(user.name);
      return true;
    });
  }

  /** Forgets what has expired. */
  prune(now: number): void {
    for (const table of ["session", "api_token", "invitation"]) this.db.run(`delete from ${table} where expires_at < ?`, now);
  }
}

const userOf = (row: Row): User => ({
  name: String(row.name),
  role: row.role as Role,
  password: String(row.password),
  createdAt: Number(row.created_at),
});

const identityOf = (row: Row): SsoIdentity => ({
  issuer: String(row.issuer),
  subject: String(row.subject),
  user: String(row.user),
  managed: row.managed === 1,
  createdAt: Number(row.created_at),
});

const passkeyOf = (row: Row): Passkey => ({
  id: String(row.id),
  user: String(row.user),
  site: String(row.site),
  name: String(row.name),
  publicKey: String(row.public_key),
  counter: Number(row.counter),
  createdAt: Number(row.created_at),
  usedAt: row.used_at === null ? null : Number(row.used_at),
});

const tokenOf = (row: Row): ApiToken => ({
  id: String(row.id),
  hash: String(row.hash),
  user: String(row.user),
  name: String(row.name),
  role: row.role as Role,
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
});
