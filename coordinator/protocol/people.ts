// Who may use a coordinator, as people and programs see it: users, their API tokens, and the links by which hosts and people join.
import { z } from "zod";

/** What a person may do, each more than the one before. */
export const ROLES = ["viewer", "submitter", "administrator"] as const;
export type UserRole = (typeof ROLES)[number];
export const userRole = z.enum(ROLES);

export const personName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._@ -]{0,63}$/u, "a letter or digit, then up to 63 letters, digits and ._@ -");

/** What a join link is good for. */
export const linkScope = z.enum(["host", "submit", "admin"]);

const time = z.number().describe("milliseconds since 1970");

export const userView = z.object({ name: z.string(), role: userRole, createdAt: time });
export const apiTokenView = z.object({
  ...{ id: z.string(), user: z.string(), name: z.string(), role: userRole },
  ...{ createdAt: time, expiresAt: time },
});
/** Of an API token that is to be made. */
export const apiTokenOrder = z.object({
  name: z.string().min(1).max(100),
  role: userRole,
  days: z.number().int().min(1).max(366),
});
export const linkView = z.object({
  id: z.string(),
  scope: linkScope,
  ...{ createdBy: z.string(), createdAt: time, expiresAt: time },
  uses: z.number().int().nonnegative(),
  approval: z.boolean().describe("hosts that join with it wait to be let in"),
});
