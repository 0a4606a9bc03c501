// Words for states, and the commands that people copy.
import type { Answer } from "./client.ts";
import type { Host, Job } from "./live.ts";
import type { Key } from "./texts.ts";
import { t } from "./words.tsx";

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

const JOB: Record<Job["state"], Key> = { running: "running", exited: "exited", failed: "failed", cancelled: "cancelled" };
export function jobStateName({ state, report }: Pick<Job, "state" | "report">): string {
  if (state !== "exited" || report?.kind !== "exit" || report.code === 0) return t(JOB[state]);
  return t("exitStatus", { code: report.code });
}

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
export const roleName = (role: string): string => t(role === "administrator" || role === "submitter" ? role : "viewer");
