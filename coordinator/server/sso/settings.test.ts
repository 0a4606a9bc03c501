import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { claimOf, readSsoSettings, roleOf } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "nightshift-sso-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const good = { issuer: "https://login.example/", clientId: "nightshift", roles: { viewer: ["*"] } };
const reading = (content: unknown) => {
  const path = join(folder, "oidc.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return readSsoSettings(path);
};

test("what is left out has a good value; the secret lies beside the file", () => {
  writeFileSync(join(folder, "secret"), "abc\n", { mode: 0o600 });
  expect(reading({ ...good, clientSecretFile: "secret" })).toEqual({
    ...good,
    ...{ title: "login.example", secret: "abc", scopes: ["openid", "profile", "email"] },
    ...{ nameClaim: "preferred_username", roleClaim: "groups", newUsers: "create", signOut: "here" },
  });
});

test.each([
  ["no JSON", "{", /not JSON/],
  ["an issuer without TLS", { ...good, issuer: "http://login.example" }, /issuer: must be https/],
  ["no roles", { ...good, roles: {} }, /roles: at least one/],
  ["a role there is not", { ...good, roles: { king: ["x"] } }, /roles: .*king/],
  ["a misspelt key", { ...good, newUser: "create" }, /newUser/],
  ["a secret's file there is not", { ...good, clientSecretFile: "nowhere" }, /cannot read .*nowhere/],
])("%s is refused, and said where", (_, content, why) => {
  expect(() => reading(content)).toThrow(expect.objectContaining({ code: "NS_BAD_FILE", message: expect.stringMatching(why) }));
});

test("the highest role of those that the claim gives counts; a claim may be one value, a list, or lie deeper", () => {
  const settings = { roleClaim: "realm.roles", roles: { viewer: ["*"], submitter: ["a", "b"], administrator: ["root"] } };
  const role = (roles: unknown) => roleOf(settings, { realm: { roles } });
  expect([role("a"), role(["x", "root", "a"]), role([]), role(undefined)]).toEqual([
    ...["submitter", "administrator", "viewer", "viewer"],
  ]);
  expect(roleOf({ ...settings, roles: { submitter: ["a"] } }, { realm: { roles: ["b"] } })).toBeUndefined();
  expect(roleOf({ roleClaim: "groups", roles: { administrator: ["undefined"] } }, {})).toBeUndefined();
  expect(claimOf({ "a.b": 1, a: { b: 2 } }, "a.b")).toBe(1);
  expect(claimOf({}, "constructor.name")).toBeUndefined();
});
