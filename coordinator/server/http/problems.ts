// Errors as they go out over HTTP: a status and {code, message, remedy}. The code is the stable one of NightshiftError.
import { asNightshiftError, type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { FastifyReply } from "fastify";

export interface Problem {
  code: ErrorCode;
  message: string;
  remedy: string;
  /** Of a job: each thing that is wrong with its sweep, as protocol/sweep.ts has them. */
  problems?: unknown;
}

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
const STATUS: Partial<Record<ErrorCode, number>> = {
  NS_SIGNED_OUT: 401,
  NS_BAD_PASSWORD: 401,
  NS_BAD_PASSKEY: 401,
  NS_FORBIDDEN: 403,
  NS_CSRF: 403,
  NS_SSO_REFUSED: 403,
  NS_PLAIN_HTTP: 403,
  NS_NOT_FOUND: 404,
  NS_NO_SUCH_JOB: 404,
  NS_NO_SUCH_PROCESS: 404,
  NS_NO_SUCH_HOST: 404,
  NS_NOT_RUNNING: 409,
  NS_HOST_UNAVAILABLE: 409,
  NS_HOST_BUSY: 409,
  NS_ALREADY_RUNNING: 409,
  NS_BAD_INVITATION: 410,
  NS_LIMIT: 413,
  NS_COMPILE_FAILED: 422,
  NS_NOT_WASM: 422,
  NS_BAD_MODULE: 422,
  NS_UNKNOWN_IMPORT: 422,
  NS_NOT_MIGRATABLE: 422,
  NS_RATE_LIMITED: 429,
  NS_INTERNAL: 500,
  NS_SSO_FAILED: 502,
};

/** The framework's own errors carry a status; ours a code. */
function own(thrown: unknown): NightshiftError {
  const { statusCode } = thrown as { statusCode?: number };
  if (thrown instanceof NightshiftError || statusCode === undefined || statusCode >= 500) return asNightshiftError(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code =
    statusCode === 413 ? "NS_LIMIT" : statusCode === 429 ? "NS_RATE_LIMITED" : statusCode === 404 ? "NS_NOT_FOUND" : null;
  return new NightshiftError(code ?? "NS_BAD_REQUEST", message, { cause: thrown });
}

/** What is said of it. */
export function problemOf(thrown: unknown): { status: number; problem: Problem } {
  const { code, message, remedy, details } = own(thrown);
  // What went wrong inside is for the log, not for whoever asks.
  const said = code === "NS_INTERNAL" ? "something went wrong in the coordinator; its log has more" : message;
  if (code === "NS_INTERNAL") console.error("nightshift: NS_INTERNAL:", thrown);
  return {
    status: STATUS[code] ?? 400,
    problem: { code, message: said, remedy, ...(code === "NS_BAD_JOB" && { problems: details.problems }) },
  };
}

export async function sendProblem(reply: FastifyReply, thrown: unknown): Promise<void> {
  const { status, problem } = problemOf(thrown);
  await reply.status(status).header("cache-control", "no-store").type(PROBLEM_TYPE).send(JSON.stringify(problem));
}
