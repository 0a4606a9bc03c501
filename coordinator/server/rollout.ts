// How a release spreads over hosts: a pure function of the release, the hosts and the time. Says what is to be done next; tells nobody.
import { fill } from "../protocol/deed-details.ts";
import { type FileKind, type ReleaseManifest, replaces } from "../protocol/index.ts";
import type { HostProgress, ReleaseRecord } from "../store/index.ts";

/** What a rollout needs to know of a host. */
export interface RolloutHost {
  id: string;
  online: boolean;
  /** undefined: it does not say which version it is. */
  app: { version: string; takes: FileKind | null } | undefined;
  /** In the release's ring. */
  inRing: boolean;
  progress: HostProgress | undefined;
}

export type RolloutStep =
  | { do: "offer" | "back" | "lost" | "forget"; host: string }
  | { do: "halt"; reason: string }
  | { do: "toAll" };

/** So many fetch it at a time: each is sent some hundred megabytes. */
export const MAX_FETCHING = 4;
/** Who has been told so long ago and not answered is slow, or hangs. */
export const FETCH_MS = 30 * 60_000;
/** A host that installs is back within minutes; so late, it does not come by itself. */
export const RETURN_MS = 30 * 60_000;
/** With every host told of it, one that fails may be that host's own trouble: from so many on, and this share, it is the release's. */
const MIN_FAILURES = 2;
const MAX_FAILED_SHARE = 0.05;

export function nextSteps(
  release: Pick<ReleaseRecord, "state" | "toAllAt">,
  manifest: ReleaseManifest,
  hosts: readonly RolloutHost[],
  now: number,
): RolloutStep[] {
  const steps: RolloutStep[] = [];
  const counts = { fetching: 0, failed: 0, tried: 0, back: 0 };
  const willing: string[] = [];
  for (const { id, online, app, inRing, progress } of hosts) {
    const state = progress?.state;
    const isThere = online && app?.version === manifest.version;
    if (state !== undefined && state !== "back" && isThere) {
      steps.push({ do: "back", host: id });
      counts.back++;
      counts.tried++;
    } else if (state === "installing" && now - (progress?.at ?? 0) > RETURN_MS) {
      steps.push({ do: "lost", host: id });
      counts.failed++;
      counts.tried++;
    } else if (state === "failed" || state === "lost") {
      counts.failed++;
      counts.tried++;
    } else if (state === "back" || state === "installing") {
      counts.tried++;
      if (state === "back") counts.back++;
    } else if ((state === "offered" || state === "ready") && !online) {
      steps.push({ do: "forget", host: id }); // told again when it comes
    } else if (state === "offered") {
      if (now - (progress?.at ?? 0) <= FETCH_MS) counts.fetching++;
    } else if (state === undefined && online && app && canTake(manifest, app) && (release.state === "all" || inRing))
      willing.push(id);
  }
  if (release.state === "halted") return steps;
  const tooMany =
    release.state === "ring"
      ? counts.failed > 0
      : counts.failed >= MIN_FAILURES && counts.failed > counts.tried * MAX_FAILED_SHARE;
  if (tooMany) {
    const { failed, tried } = counts;
    steps.push({
      do: "halt",
      reason: fill("{failed} of {tried} hosts that took it failed or did not come back", { failed, tried }),
    });
    return steps;
  }
  for (const host of willing.slice(0, Math.max(0, MAX_FETCHING - counts.fetching))) steps.push({ do: "offer", host });
  if (release.state === "ring" && release.toAllAt !== null && now >= release.toAllAt && counts.back > 0)
    steps.push({ do: "toAll" });
  return steps;
}

const canTake = (manifest: ReleaseManifest, { version, takes }: NonNullable<RolloutHost["app"]>): boolean =>
  replaces(manifest, version) && manifest.files.some(({ kind }) => kind === takes);
