import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite, type Store } from "../store/index.ts";
import { authenticate, createToken, MAX_PENDING } from "./enrolment.ts";

let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nightshift-"));
  store = openSqlite(join(directory, "state.sqlite"));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const enrol = (role: "agent" | "client", n: number, token?: Uint8Array, now = 0) =>
  authenticate(store, { role, remoteKey: key(n), ...(token ? { token } : {}) }, now);
const code = (expected: string) => expect.objectContaining({ code: expected });

test("a token enrols a key once; afterwards the key alone counts, even when the token has expired", () => {
  const { bytes: token } = createToken(store, "host", 1000, 1, 0, "test");
  expect(enrol("agent", 1, token).scope).toBe("host");
  expect(() => enrol("agent", 2, token)).toThrow(code("NS_BAD_TOKEN"));
  expect(enrol("agent", 1, undefined, 9999).scope).toBe("host");
});

test("no token, a wrong one, an expired one and one for something else are refused", () => {
  const { bytes: token } = createToken(store, "host", 1000, 5, 0, "test");
  expect(() => enrol("agent", 1)).toThrow(code("NS_BAD_TOKEN"));
  expect(() => enrol("agent", 1, new Uint8Array(24))).toThrow(code("NS_BAD_TOKEN"));
  expect(() => enrol("agent", 1, token, 1001)).toThrow(code("NS_BAD_TOKEN"));
  expect(() => enrol("client", 1, token)).toThrow(code("NS_BAD_TOKEN"));
});

test("a revoked key stays out, with and without a token", () => {
  const { bytes: token } = createToken(store, "host", 1000, 5, 0, "test");
  const device = enrol("agent", 1, token);
  store.saveDevice({ ...device, revokedAt: 5 });
  expect(() => enrol("agent", 1)).toThrow(code("NS_REVOKED"));
  expect(() => enrol("agent", 1, token)).toThrow(code("NS_REVOKED"));
});

test("a submitter becomes an administrator with an administrator's token, never by itself", () => {
  const submit = createToken(store, "submit", 1000, 5, 0, "test").bytes;
  const admin = createToken(store, "admin", 1000, 5, 0, "test").bytes;
  expect(enrol("client", 1, submit).scope).toBe("submit");
  expect(enrol("client", 1).scope).toBe("submit");
  expect(enrol("client", 1, admin).scope).toBe("admin");
  expect(enrol("client", 1, submit).scope).toBe("admin");
});

test("tokens are kept as hashes only", () => {
  const { bytes: token } = createToken(store, "admin", 1000, 5, 0, "test");
  const kept = JSON.stringify(store.token(Buffer.from(token).toString("hex")) ?? null);
  expect(kept).toBe("null");
});

test("a token that asks for approval enrols hosts that wait, only so many, and no longer than until they are decided on", () => {
  const { bytes: token } = createToken(store, "host", 1000, MAX_PENDING + 5, 0, "test", true);
  const first = enrol("agent", 1, token);
  expect(first.pending).toBe(true);
  expect(enrol("agent", 1).pending).toBe(true);
  for (let n = 2; n <= MAX_PENDING; n++) store.saveDevice({ ...first, key: n.toString(16).padStart(64, "0"), name: String(n) });
  expect(() => enrol("agent", 2, token)).toThrow(code("NS_LIMIT"));
  store.saveDevice({ ...first, pending: false });
  expect(enrol("agent", 2, token).pending).toBe(true);
  expect(enrol("agent", 1).pending).toBe(false);
});
