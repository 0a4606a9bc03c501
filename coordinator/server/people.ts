// What is done about people, whichever way whoever asks has come, tunnel or HTTP: checked, carried out, and written into the journal. Who
// may ask is checked before, where they come in.
import { randomBytes } from "node:crypto";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { z } from "zod";
import { fill } from "../protocol/deed-details.ts";
import type { apiTokenOrder, UserRole } from "../protocol/people.ts";
import { type ApiToken, reaches, type User } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";
import { hashOf, newSecret } from "./secrets.ts";

const DAY_MS = 24 * 3600_000;
const INVITATION_MS = 3 * DAY_MS;
const MAX_TOKENS_OF_ONE = 50;

export class PeopleActions {
  private readonly coordinator: Coordinator;

  constructor(coordinator: Coordinator) {
    this.coordinator = coordinator;
  }

  private get store() {
    return this.coordinator.store.people;
  }

  /** @throws NS_NOT_FOUND */
  user(name: string): User {
    const found = this.store.user(name);
    if (!found) throw new NightshiftError("NS_NOT_FOUND", `there is no user "${name}"`);
    return found;
  }

  users(): User[] {
    return this.store.users();
  }

  /** A one-time link's secret for whoever starts the coordinator and finds no user in it: nobody has asked, so nothing is written. */
  firstInvitation(): string {
    return this.makeInvitation("administrator", null).token;
  }

  /**
   * Makes a one-time link's secret.
   * @param role of the new user; a user there is keeps their own
   * @param name null: whoever uses it chooses one; a user's: for a new password
   */
  invite(role: UserRole, name: string | null, who: string): { token: string; expiresAt: number } {
    const known = name === null ? undefined : this.store.user(name);
    const made = this.makeInvitation(known?.role ?? role, name);
    this.coordinator.note({ who, what: "user-invited", target: name ?? "", details: known?.role ?? role });
    return made;
  }

  private makeInvitation(role: UserRole, name: string | null): { token: string; expiresAt: number } {
    const token = newSecret();
    const expiresAt = Date.now() + INVITATION_MS;
    this.store.saveInvitation({ hash: hashOf(token), name, role, expiresAt });
    return { token, expiresAt };
  }

  /** @throws NS_NOT_FOUND, NS_USAGE for the last administrator */
  changeRole(name: string, role: UserRole, who: string): User {
    const known = this.user(name);
    if (role !== "administrator") this.keepAnAdministrator(known.name);
    const changed = { ...known, role };
    this.store.saveUser(changed);
    this.coordinator.note({ who, what: "user-changed", target: known.name, details: role });
    return changed;
  }

  /** With all sessions and tokens. @throws NS_NOT_FOUND, NS_USAGE for the last administrator */
  remove(name: string, who: string): void {
    const known = this.user(name);
    this.keepAnAdministrator(known.name);
    this.store.removeUser(known.name);
    this.coordinator.note({ who, what: "user-removed", target: known.name, details: "" });
  }

  private keepAnAdministrator(name: string): void {
    if (!this.users().some((other) => other.name !== name && other.role === "administrator"))
      throw new NightshiftError("NS_USAGE", `${name} is the only administrator and has to stay one`);
  }

  apiTokens(): ApiToken[] {
    return this.store.apiTokens();
  }

  /** @returns the token, which nobody can show again @throws NS_NOT_FOUND, NS_FORBIDDEN for more than the user may, NS_LIMIT */
  createApiToken(
    user: string,
    { name, role, days }: z.infer<typeof apiTokenOrder>,
    who: string,
  ): { token: string; id: string; expiresAt: number } {
    const owner = this.user(user);
    if (!reaches(owner.role, role))
      throw new NightshiftError("NS_FORBIDDEN", `${owner.name} is a ${owner.role}, whose tokens cannot have the role ${role}`);
    if (this.apiTokens().filter((token) => token.user === owner.name).length >= MAX_TOKENS_OF_ONE)
      throw new NightshiftError("NS_LIMIT", `at most ${MAX_TOKENS_OF_ONE} tokens a person`);
    const token = newSecret();
    const id = randomBytes(6).toString("hex");
    const createdAt = Date.now();
    const expiresAt = createdAt + days * DAY_MS;
    this.store.saveApiToken({ id, hash: hashOf(token), user: owner.name, name, role, createdAt, expiresAt });
    this.coordinator.note({
      ...{ who, what: "api-token-created", target: id },
      details: fill("{token}, {role}", { token: name, role }),
    });
    return { token, id, expiresAt };
  }

  /** @param of whose it has to be; null: anybody's @throws NS_NOT_FOUND */
  removeApiToken(id: string, of: string | null, who: string): void {
    const token = this.apiTokens().find((one) => one.id === id);
    if (!token || (of !== null && token.user !== of)) throw new NightshiftError("NS_NOT_FOUND", `there is no token ${id}`);
    this.store.removeApiToken(token.id);
    this.coordinator.note({ who, what: "api-token-removed", target: token.id, details: token.name });
  }
}
