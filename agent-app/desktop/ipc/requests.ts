// Everything that a window may ask of the main process, each with the schema of what it gives. The only list of channels there is.
import { z } from "zod";
import type { Shown } from "../../shown/index.ts";
import type { AppState, Day, Invitation, LogLine, Preview } from "./state.ts";

/** Of a request as JSON; settings are the largest. */
export const MAX_REQUEST_BYTES = 64 * 1024;

const MAX_PAUSE_MS = 366 * 86_400_000;
const MAX_LINK = 500;

const request = <Answer>() => ({
  takes: <In>(schema: z.ZodType<In>): { schema: z.ZodType<In>; answer?: Answer } => ({ schema }),
});

/** What settings may be is the policy's to say. */
const settings = z.record(z.string().max(100), z.unknown());

export const REQUESTS = {
  state: request<AppState>().takes(z.null()),
  pause: request<null>().takes(
    z.strictObject({ forMs: z.number().positive().max(MAX_PAUSE_MS).nullable(), untilTomorrow: z.boolean() }),
  ),
  runNow: request<null>().takes(z.strictObject({ forMs: z.number().positive().max(86_400_000) })),
  resume: request<null>().takes(z.null()),
  setPolicy: request<null>().takes(settings),
  previewPolicy: request<Preview>().takes(settings),
  setApp: request<null>().takes(
    z
      .strictObject({
        language: z.enum(["system", "en", "zh-CN"]),
        notifications: z.boolean(),
        openAtLogin: z.boolean(),
        screensaverAfterMinutes: z
          .number()
          .int()
          .min(0)
          .max(24 * 60),
      })
      .partial(),
  ),
  describeLink: request<Invitation>().takes(z.string().max(MAX_LINK)),
  join: request<null>().takes(z.string().max(MAX_LINK)),
  declineInvitation: request<null>().takes(z.null()),
  leave: request<null>().takes(z.null()),
  history: request<readonly Day[]>().takes(z.null()),
  log: request<readonly LogLine[]>().takes(z.null()),
  /** What may be shown of the work here. `after`: tiles that have not changed since that version are left out. */
  shown: request<{ version: number; shown: Shown | null }>().takes(z.strictObject({ after: z.number().int().min(0) })),
  showScreensaver: request<null>().takes(z.null()),
  closeScreensaver: request<null>().takes(z.null()),
};

export type RequestName = keyof typeof REQUESTS;
export type RequestOf<N extends RequestName> = z.infer<(typeof REQUESTS)[N]["schema"]>;
export type AnswerOf<N extends RequestName> =
  | NonNullable<(typeof REQUESTS)[N]["answer"]>
  | Extract<(typeof REQUESTS)[N]["answer"], null>;

export type Answered = { ok: true; value: unknown } | { ok: false; code: string; message: string };
