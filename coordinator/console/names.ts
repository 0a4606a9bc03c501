// Words for states, and the commands that people copy.
import { reasonIn } from "@nightshift/agent-app/policy";
import type { Answer } from "./client.ts";
import type { Host, Job } from "./live.ts";
import type { Key } from "./texts.ts";
import { policyLanguage, t } from "./words.tsx";

export const HOST_STATES = ["computing", "idle", "owner", "paused", "clear", "offline"] as const;
const HOST: Record<Host["state"], Key> = {
  computing: "computing",
  idle: "idle",
  owner: "ownerPresent",
  paused: "paused",
  clear: "keptClear",
  offline: "offline",
};
export const hostStateName = ({ state }: Pick<Host, "state">): string => t(HOST[state]);

/** Why it is paused, as its policy says. */
export const pausedText = ({ paused, pausedCode }: Pick<Host, "paused" | "pausedCode">): string =>
  paused === null ? "" : reasonIn(policyLanguage(), paused, pausedCode);
/** What administrators have said of it, beside keeping it clear. */
export const orderNames = ({ stay, block }: Pick<Host, "stay" | "block">): string[] => [
  ...(stay ? [t("stays")] : []),
  ...(block ? [t("blocked")] : []),
];

const JOB: Record<Job["state"], Key> = { running: "running", exited: "exited", failed: "failed", cancelled: "cancelled" };
export function jobStateName({ state, report }: Pick<Job, "state" | "report">): string {
  if (state !== "exited" || report?.kind !== "exit" || report.code === 0) return t(JOB[state]);
  return t("exitStatus", { code: report.code });
}

/** What it looks like: a program that says it failed has failed. */
export const jobLook = ({ state, parts }: Pick<Job, "state" | "parts">): Job["state"] =>
  state === "exited" && parts.failed > 0 ? "failed" : state;

const EXPERIMENT: Record<Answer<"experiment">["experiment"]["state"], Key> = {
  running: "running",
  done: "exited",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted",
};
export const experimentStateName = ({ state }: { state: keyof typeof EXPERIMENT }): string => t(EXPERIMENT[state]);

const PROCESS: Record<string, Key> = {
  queued: "queued",
  leased: "starting",
  running: "running",
  suspended: "suspended",
  migrating: "migrating",
  exited: "exited",
  failed: "failed",
  cancelled: "cancelled",
};
export const processStateName = (state: string): string => t(PROCESS[state] ?? "running");
/** How it ended, where that was not well. */
export const endedBadly = (report: Job["report"]): string | undefined =>
  report?.kind === "exit" && report.code !== 0 ? t("exitStatus", { code: report.code }) : undefined;
export const roleName = (role: string): string => t(role === "administrator" || role === "submitter" ? role : "viewer");

const SCOPE: Readonly<Record<string, Key>> = { host: "scopeHost", submit: "scopeSubmit", admin: "scopeAdmin" };
/** Of a join link. */
export const scopeName = (scope: string): string => t(SCOPE[scope] ?? "scopeHost");

const PART: Record<Answer<"part">["part"]["state"], Key> = {
  ...{ queued: "queued", running: "running", done: "exited", failed: "failed", cancelled: "cancelled" },
};
/** With how it ended, when that is known and something went wrong. */
export function partStateName({ state, report }: Pick<Answer<"part">["part"], "state" | "report">): string {
  if (state !== "failed" || report === null) return t(PART[state]);
  if (report.kind === "exit") return t("exitStatus", { code: report.code });
  return `${t("failed")}: ${report.kind === "fault" ? report.code : t("signalNumber", { signal: report.signal })}`;
}

/** Why processes of a job wait for a host. */
export function waitingText({
  code,
  offline,
  paused,
  clear,
  slots,
  restricted,
  blocked,
}: NonNullable<Answer<"job">["waiting"]>): string {
  const where = restricted ? t("waitRestricted") : "";
  if (code === "no-hosts") return t(restricted ? "waitGone" : "waitNoHosts");
  if (code === "not-usable") return where + t("waitNotUsable", { offline, paused, clear, blocked });
  if (code === "stack") return where + t("waitStack");
  if (code === "memory") return where + t("waitMemory");
  return where + t("waitBusy", { slots });
}
