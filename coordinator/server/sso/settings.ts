// The administrator's file for single sign-on (`nightshift up --oidc FILE`): which provider, who may come in by it, and as what.
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { ROLES } from "../../protocol/people.ts";
import type { Role } from "../../store/index.ts";
import { isLoopback } from "../http/access.ts";

const text = z.string().min(1).max(500);
/** Values of the claim; "*" is whoever the provider lets in. */
const values = z.array(text).min(1).max(1000);

const schema = z.strictObject({
  /** As the provider writes it; /.well-known/openid-configuration is below it. https, but for one on this computer. */
  issuer: z.url().refine((url) => new URL(url).protocol === "https:" || isLoopback(new URL(url).host), "must be https"),
  clientId: text,
  /** A file with nothing else in it, named from this file's folder; without it this is a public client. */
  clientSecretFile: text.optional(),
  /** What people call it, on the button. */
  title: z.string().min(1).max(60).optional(),
  scopes: z.array(text).default(["openid", "profile", "email"]),
  /** What a new user is called here. */
  nameClaim: text.default("preferred_username"),
  /** A claim with a value or a list of them; dots lead into objects. */
  roleClaim: text.default("groups"),
  /** Who has which role; the highest that fits counts, and who fits none is refused. */
  roles: z
    .strictObject({ viewer: values.optional(), submitter: values.optional(), administrator: values.optional() })
    .refine((roles) => Object.keys(roles).length > 0, "at least one role"),
  /** "refuse": only who has connected their user here with the provider's comes in. */
  newUsers: z.enum(["create", "refuse"]).default("create"),
  /** "provider": who came in by it and signs out here signs out there, too, where it can do that. */
  signOut: z.enum(["here", "provider"]).default("here"),
});

export interface SsoSettings extends Omit<z.infer<typeof schema>, "clientSecretFile" | "title"> {
  title: string;
  secret: string | undefined;
}

/** @throws NS_BAD_FILE with what is wrong where; secrets are in no message */
export function readSsoSettings(path: string): SsoSettings {
  const { clientSecretFile, title, ...settings } = parse(path, read(path));
  const secretPath = clientSecretFile === undefined ? undefined : resolve(dirname(path), clientSecretFile);
  const secret = secretPath === undefined ? undefined : read(secretPath).trim();
  if (secret === "") throw new NightshiftError("NS_BAD_FILE", `${secretPath} is empty`);
  if (secretPath !== undefined && process.platform !== "win32" && statSync(secretPath).mode & 0o007)
    console.error(`nightshift: NS_BAD_FILE: everybody on this computer can read ${secretPath}: chmod o-rwx it`);
  return { ...settings, title: title ?? new URL(settings.issuer).host, secret };
}

function parse(path: string, content: string): z.infer<typeof schema> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "it"}: ${message}`).join("; ");
  throw new NightshiftError("NS_BAD_FILE", `${path}: ${said}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

export type Claims = Readonly<Record<string, unknown>>;

/** The claim of that name, or what dots lead to. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let at: unknown = claims;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

/** The highest role that the claims give; undefined: none. */
export function roleOf({ roleClaim, roles }: Pick<SsoSettings, "roleClaim" | "roles">, claims: Claims): Role | undefined {
  const has = [claimOf(claims, roleClaim)]
    .flat()
    .flatMap((value) => (/string|number|boolean/.test(typeof value) ? String(value) : []));
  return [...ROLES].reverse().find((role) => roles[role]?.some((value) => value === "*" || has.includes(value)));
}
