// Releases of Nightshift that this coordinator gives to hosts: published by administrators, signed by somebody else's key, told to one ring of
// hosts first and then to all, halted when hosts fail. How one spreads is rollout.ts's; hosts check signatures themselves.

import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Blobs } from "../blobs/index.ts";
import { fill, type Reason } from "../protocol/deed-details.ts";
import {
  compareVersions,
  type FromAgent,
  openRelease,
  type ReleaseFile,
  type ReleaseManifest,
  type ReleaseView,
  type SignedRelease,
} from "../protocol/index.ts";
import type { Host } from "../scheduler/index.ts";
import type { HostProgress, Progress, ReleaseRecord, Scope } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";
import type { HostPolicies } from "./policies.ts";
import { nextSteps, type RolloutStep } from "./rollout.ts";

export interface ReleaseOrder {
  release: SignedRelease;
  /** all, tag:NAME or host:NAME: who takes it first; null: all at once. */
  ring: string | null;
  /** After which it goes to all by itself; null: by hand. */
  hours: number | null;
}

interface Known extends ReleaseRecord {
  manifest: ReleaseManifest;
}

const HOUR_MS = 3600_000;
const LOST: Reason = "it did not come back";
const NO_REASON: Reason = "no reason given";
/** Clocks of whoever signs may differ so much from ours. */
const CLOCK_SKEW_MS = 10 * 60_000;
const LOOK_MS = 5_000;
/** News of hosts within this time are looked at together. */
const SOON_MS = 100;
/** Problems of hosts that are told. */
const MAX_PROBLEMS = 20;

export class HostReleases {
  private readonly coordinator: Coordinator;
  private readonly policies: HostPolicies;
  private readonly blobs: Blobs;
  private readonly version: string;
  /** Newest first; the first is the one that is given out. */
  private known: Known[];
  private readonly progress = new Map<string, HostProgress>();
  private soon: NodeJS.Timeout | undefined;
  private readonly looking: NodeJS.Timeout;

  /** @param version the coordinator's own */
  constructor(coordinator: Coordinator, policies: HostPolicies, blobs: Blobs, version: string) {
    this.coordinator = coordinator;
    this.policies = policies;
    this.blobs = blobs;
    this.version = version;
    this.known = coordinator.store.releases.list().map(known);
    const [newest] = this.known;
    if (newest) for (const one of coordinator.store.releases.hosts(newest.id)) this.progress.set(one.host, one);
    this.looking = setInterval(() => this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.looking);
    clearTimeout(this.soon);
  }

  /** @throws NS_BAD_RELEASE, NS_NOT_FOUND (a file that was not uploaded), NS_NO_SUCH_HOST, NS_USAGE */
  async publish({ release: signed, ring, hours }: ReleaseOrder, who: string): Promise<ReleaseView> {
    const manifest = openRelease(signed, [signed.key]);
    const now = Date.now();
    if (manifest.signedAt > now + CLOCK_SKEW_MS)
      throw new NightshiftError("NS_BAD_RELEASE", "it was signed in the future: set the clock of whoever signs");
    const newest = this.known[0];
    if (newest && manifest.signedAt <= newest.manifest.signedAt)
      throw new NightshiftError("NS_BAD_RELEASE", "a release that was signed later is published already: sign this one again");
    const scope = ring === null ? null : this.policies.scopeOf(ring);
    for (const { name, sha256 } of manifest.files)
      if (!(await this.blobs.has(sha256))) throw new NightshiftError("NS_NOT_FOUND", `the file ${name} has not been uploaded`);
    const added = this.coordinator.store.releases.add({
      ...{ signed, at: now, who, ring: scope === "all" ? null : scope, reason: null },
      state: scope === null || scope === "all" ? "all" : "ring",
      toAllAt: hours === null ? null : now + hours * HOUR_MS,
    });
    this.retract();
    this.known = this.coordinator.store.releases.list().map(known);
    this.progress.clear();
    const versions = manifest.withdraws.join(", ");
    const to = added.ring === null ? "all hosts" : this.policies.nameOf(added.ring);
    const details =
      versions === "" ? fill("to {ring}", { ring: to }) : fill("to {ring}, in place of {versions}", { ring: to, versions });
    this.coordinator.note({ who, what: "release-published", target: manifest.version, details });
    for (const { id } of this.hosts()) this.coordinator.show(`host/${id}`);
    this.lookSoon();
    return this.view({ ...added, manifest });
  }

  /** Newest first. */
  list(): ReleaseView[] {
    return this.known.map((one) => this.view(one));
  }

  /** No host begins to take it; what is under way on one goes on. @throws NS_NOT_FOUND, NS_NOT_RUNNING */
  halt(version: string, who: string): ReleaseView {
    const release = this.given(version);
    if (release.state === "halted") throw new NightshiftError("NS_NOT_RUNNING", `release ${version} is halted already`);
    return this.haltBecause(release, fill("by hand", {}), who);
  }

  /** To all hosts from now on, also a halted one. @throws NS_NOT_FOUND, NS_NOT_RUNNING */
  toAll(version: string, who: string): ReleaseView {
    const release = this.given(version);
    if (release.state === "all") throw new NightshiftError("NS_NOT_RUNNING", `release ${version} is for all hosts already`);
    this.change(release, { state: "all", reason: null });
    this.coordinator.note({ who, what: "release-to-all", target: version, details: "" });
    // Whoever failed may be asked again: that is what going on means.
    for (const { host, state } of [...this.progress.values()]) if (state === "failed" || state === "lost") this.forget(host);
    this.lookSoon();
    return this.view(release);
  }

  /** It has said hello. */
  hostConnected(host: string): void {
    const state = this.progress.get(host)?.state;
    if (state === "offered" || state === "ready" || state === "declined") this.forget(host);
    this.lookSoon();
  }

  hostSaid(host: string, { version, step, problem }: Omit<Extract<FromAgent, { type: "upgrade" }>, "type">): void {
    const newest = this.known[0];
    if (newest?.manifest.version !== version || !this.progress.has(host)) return;
    this.mark(host, step, problem);
    this.lookSoon();
  }

  /** Behind what is given out here; without a release, behind the coordinator. */
  isOutOfDate({ info }: Host): boolean {
    const newest = this.known.find(({ state }) => state !== "halted")?.manifest.version ?? this.version;
    return info.app !== undefined && compareVersions(info.app.version, newest) < 0;
  }

  /** Hashes of what releases consist of. */
  blobHashes(): string[] {
    return this.known.flatMap(({ manifest }) => manifest.files.map(({ sha256 }) => sha256));
  }

  /** The newest that was signed as that version. @throws NS_NOT_FOUND */
  published(version: string): { signed: SignedRelease; manifest: ReleaseManifest } {
    const found = this.known.find(({ manifest }) => manifest.version === version);
    if (!found) throw new NightshiftError("NS_NOT_FOUND", `there is no release ${version}`);
    return found;
  }

  fileBytes({ sha256 }: ReleaseFile): Promise<Uint8Array> {
    return this.blobs.get(sha256);
  }

  // ---- spreading

  private lookSoon(): void {
    this.soon ??= setTimeout(() => this.look(), SOON_MS);
  }

  private look(): void {
    clearTimeout(this.soon);
    this.soon = undefined;
    const newest = this.known[0];
    if (!newest) return;
    const { ring } = newest;
    const inRing = new Set((ring === null ? [] : this.policies.hostsIn(ring)).map(({ id }) => id));
    const hosts = this.hosts().map(({ id, online, info }) => ({
      ...{ id, online, app: info.app, inRing: inRing.has(id) },
      progress: this.progress.get(id),
    }));
    for (const step of nextSteps(newest, newest.manifest, hosts, Date.now())) this.carryOut(newest, step);
  }

  private carryOut(release: Known, step: RolloutStep): void {
    switch (step.do) {
      case "offer": {
        this.mark(step.host, "offered", null);
        const own = this.coordinator.core.hosts.get(step.host)?.info.app?.version;
        const back = this.known.find(({ manifest }) => manifest.version === own)?.signed ?? null;
        return this.coordinator.send(step.host, { type: "upgrade", release: release.signed, back });
      }
      case "back":
      case "lost":
        return this.mark(step.host, step.do, step.do === "lost" ? LOST : null);
      case "forget":
        return this.forget(step.host);
      case "halt":
        this.haltBecause(release, step.reason, "coordinator");
        return;
      case "toAll":
        this.change(release, { state: "all" });
        this.coordinator.note({ who: "coordinator", what: "release-to-all", target: release.manifest.version, details: "" });
        return this.lookSoon();
    }
  }

  private haltBecause(release: Known, reason: string, who: string): ReleaseView {
    this.change(release, { state: "halted", reason });
    this.coordinator.note({ who, what: "release-halted", target: release.manifest.version, details: reason });
    this.retract();
    return this.view(release);
  }

  /** Who has not begun to install is told not to. */
  private retract(): void {
    for (const { host, state } of [...this.progress.values()]) {
      if (state !== "offered" && state !== "ready") continue;
      this.forget(host);
      this.coordinator.send(host, { type: "upgrade", release: null, back: null });
    }
  }

  private mark(host: string, state: Progress, problem: string | null): void {
    const newest = this.known[0];
    if (!newest) return;
    const one: HostProgress = { host, state, at: Date.now(), problem };
    this.progress.set(host, one);
    this.coordinator.store.releases.saveHost(newest.id, one);
    const name = this.coordinator.core.hosts.get(host)?.name ?? host.slice(0, 8);
    const { version } = newest.manifest;
    if (state === "back")
      this.coordinator.note({
        who: `host ${name}`,
        what: "host-updated",
        target: name,
        details: fill("to {version}", { version }),
      });
    if (state === "failed" || state === "lost")
      this.coordinator.note({
        ...{ who: `host ${name}`, what: "host-update-failed", target: name },
        details: fill("{version}: {why}", { version, why: problem ?? NO_REASON }),
      });
  }

  private forget(host: string): void {
    const newest = this.known[0];
    this.progress.delete(host);
    if (newest) this.coordinator.store.releases.forgetHost(newest.id, host);
  }

  private change(release: Known, change: Partial<Pick<ReleaseRecord, "state" | "reason">>): void {
    Object.assign(release, change);
    const { manifest: _, ...record } = release;
    this.coordinator.store.releases.save(record);
  }

  /** @throws NS_NOT_FOUND, NS_NOT_RUNNING when another one has taken its place */
  private given(version: string): Known {
    this.published(version);
    const newest = this.known[0];
    if (newest?.manifest.version !== version)
      throw new NightshiftError("NS_NOT_RUNNING", `release ${newest?.manifest.version} is given out now, not ${version}`);
    return newest;
  }

  private hosts(): Host[] {
    return [...this.coordinator.core.hosts.values()];
  }

  private view({ id, signed, manifest, at, who, state, ring, toAllAt, reason }: Known): ReleaseView {
    const current = this.known[0]?.id === id;
    const progress = current ? [...this.progress.values()] : this.coordinator.store.releases.hosts(id);
    const count = (one: Progress): number => progress.filter((host) => host.state === one).length;
    const problems = progress
      .filter(({ problem }) => problem !== null)
      .slice(0, MAX_PROBLEMS)
      .map(({ host, problem }) => ({
        host: this.coordinator.core.hosts.get(host)?.name ?? host.slice(0, 8),
        problem: problem ?? "",
      }));
    return {
      ...{ version: manifest.version, at, who, signedAt: manifest.signedAt, key: signed.key, withdraws: manifest.withdraws },
      state: current ? state : "replaced",
      ring: ring === null ? null : this.policies.nameOf(ring as Scope),
      toAllAt: state === "ring" ? toAllAt : null,
      reason,
      files: manifest.files.map(({ name, kind, sizeBytes, sha256 }) => ({ name, kind, sizeBytes, sha256 })),
      hosts: {
        ...{ offered: count("offered"), ready: count("ready"), installing: count("installing"), back: count("back") },
        ...{ declined: count("declined"), failed: count("failed"), lost: count("lost") },
      },
      problems,
    };
  }
}

/** What is in the store was checked when it was published. */
const known = (record: ReleaseRecord): Known => ({ ...record, manifest: JSON.parse(record.signed.text) as ReleaseManifest });
