// Who may connect. A token from a join link enrols a key once; from then on the key alone counts, until it is revoked. Tokens are kept
// as hashes only; a wrong and an expired token are told apart to nobody.
import { createHash, randomBytes } from "node:crypto";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Device, Store, TokenRecord } from "../store/index.ts";

export const TOKEN_BYTES = 24;
/** Hosts that may wait to be let in. */
export const MAX_PENDING = 1000;
const SCOPES_OF_ROLE = { agent: ["host"], client: ["submit", "admin"] } as const;

const hashOf = (token: Uint8Array): string => createHash("sha256").update(token).digest("hex");

/** @param ttlMs how long the token can be used for enrolling @param createdBy who asked for it @param approval see TokenRecord */
export function createToken(
  store: Store,
  scope: Device["scope"],
  ttlMs: number,
  uses: number,
  now: number,
  createdBy: string,
  approval = false,
): { bytes: Uint8Array; token: TokenRecord } {
  const bytes = new Uint8Array(randomBytes(TOKEN_BYTES));
  const token = { hash: hashOf(bytes), scope, expiresAt: now + ttlMs, uses, createdBy, createdAt: now, approval };
  store.saveToken(token);
  return { bytes, token };
}

/**
 * The device behind a connection, enrolled now if it brings a good token.
 * @throws NS_REVOKED, NS_BAD_TOKEN, NS_FORBIDDEN, NS_LIMIT
 */
export function authenticate(
  store: Store,
  caller: { role: "agent" | "client"; remoteKey: Uint8Array; token?: Uint8Array; name?: string },
  now: number,
): Device {
  const key = Buffer.from(caller.remoteKey).toString("hex");
  const known = store.device(key);
  if (known?.revokedAt) throw new NightshiftError("NS_REVOKED", `${known.name} has been removed from this cluster`);
  if (known && known.role === caller.role) return promoted(store, known, caller.token, now);
  if (known) throw new NightshiftError("NS_FORBIDDEN", `the key is enrolled as ${known.role}, not as ${caller.role}`);
  const token = caller.token ? store.token(hashOf(caller.token)) : undefined;
  if (!token || token.expiresAt < now || token.uses < 1)
    throw new NightshiftError(
      "NS_BAD_TOKEN",
      caller.token ? "the join token is wrong, used up or expired" : "this key is not enrolled, and no join token came with it",
    );
  if (!(SCOPES_OF_ROLE[caller.role] as readonly string[]).includes(token.scope))
    throw new NightshiftError(
      "NS_BAD_TOKEN",
      `the join token is for ${token.scope}, not for ${caller.role === "agent" ? "a host" : "a client"}`,
    );
  const device: Device = {
    key,
    role: caller.role,
    scope: token.scope,
    name: caller.name ?? key.slice(0, 8),
    enrolledAt: now,
    revokedAt: null,
    tags: [],
    ...{ drained: false, stay: false, block: false },
    info: null,
    pending: token.approval,
  };
  if (device.pending && store.devices().filter(({ pending, revokedAt }) => pending && revokedAt === null).length >= MAX_PENDING)
    throw new NightshiftError("NS_LIMIT", `${MAX_PENDING} hosts wait to be let in already`);
  if (!store.enrol(token.hash, device)) throw new NightshiftError("NS_BAD_TOKEN", "the join token is used up");
  return device;
}

/** A submitter who brings an administrator's token becomes one. Anything else changes nothing for a key that is enrolled. */
function promoted(store: Store, device: Device, token: Uint8Array | undefined, now: number): Device {
  if (device.scope !== "submit" || !token) return device;
  const record = store.token(hashOf(token));
  if (record?.scope !== "admin" || record.expiresAt < now) return device;
  const admin: Device = { ...device, scope: "admin" };
  return store.enrol(record.hash, admin) ? admin : device;
}
