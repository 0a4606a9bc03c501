// Policies of administrators: which hold for a host and in which order, changing them, and what each host says of having obeyed. What may stand
// in one is settled by the agents' own reader (agent-app/policy), so that none is sent that a host of this version would refuse.

import {
  type AdminPolicy,
  effective,
  parseAdminPolicy,
  SETTING_NAMES,
  type SettingName,
  type Settings,
} from "@nightshift/agent-app/policy";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { fill } from "../protocol/deed-details.ts";
import { MAX_POLICY_BYTES, type ToldPolicy } from "../protocol/index.ts";
import type { Host } from "../scheduler/index.ts";
import type { PolicyVersion, Scope } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";

const MAX_SCOPES = 1000;
/** What undoing the first version of a policy leads back to. */
const EMPTY = JSON.stringify({ version: 1 });

/** What a host says of the policies it was told. */
export interface Obeyed {
  /** Versions that are in force there, the one that counts first in front; null: it has not said yet. */
  versions: readonly number[] | null;
  /** Why it does not obey newer ones. */
  problem: string | null;
}

/** What a change of a policy would change on a host, whatever its owner and its own administrator's file say. */
export interface Affected {
  host: Host;
  changes: { setting: SettingName; from: Settings[SettingName]; to: Settings[SettingName]; locked: boolean }[];
}

interface Kept extends PolicyVersion {
  policy: AdminPolicy;
}

export class HostPolicies {
  private readonly coordinator: Coordinator;
  private readonly newest = new Map<Scope, Kept>();
  private readonly obeyed = new Map<string, Obeyed>();

  constructor(coordinator: Coordinator) {
    this.coordinator = coordinator;
    for (const version of coordinator.store.policies.newest()) this.newest.set(version.scope, keep(version));
  }

  /** The newest of each scope that has ever had one. */
  all(): PolicyVersion[] {
    return [...this.newest.values()];
  }

  /** Newest first. */
  versions(scope: Scope): PolicyVersion[] {
    return this.coordinator.store.policies.versions(scope);
  }

  /** "all", "tag:NAME", or "host:NAME-OR-ID" as people say it. @throws NS_NO_SUCH_HOST, NS_USAGE */
  scopeOf(text: string): Scope {
    if (text === "all") return text;
    const [, kind, name = ""] = /^(tag|host):(.{1,200})$/u.exec(text) ?? [];
    if (kind === "tag") return `tag:${name}`;
    if (kind !== "host") throw new NightshiftError("NS_USAGE", `"${text}" is not all, tag:NAME or host:NAME`);
    const hosts = [...this.coordinator.core.hosts.values()];
    const host = hosts.find(({ id }) => id === name) ?? hosts.find((one) => one.name === name);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${name}"`);
    return `host:${host.id}`;
  }

  /** The same for people: a host by its name. */
  nameOf(scope: Scope): string {
    const id = scope.startsWith("host:") ? scope.slice("host:".length) : undefined;
    return id === undefined ? scope : `host:${this.coordinator.core.hosts.get(id)?.name ?? id.slice(0, 8)}`;
  }

  /** Those in the scope. */
  hostsIn(scope: Scope): Host[] {
    return [...this.coordinator.core.hosts.values()].filter((host) => scopesOf(host).includes(scope));
  }

  /** What a host is told, the one that counts first in front: its own, those of its tags by name, that for all. */
  toldTo(host: Pick<Host, "id" | "tags">): ToldPolicy[] {
    return this.holdingFor(host).map(({ version, text }) => ({ version, text }));
  }

  obeyedBy(host: string): Obeyed {
    return this.obeyed.get(host) ?? { versions: null, problem: null };
  }

  /** A host has answered. */
  answered(host: string, versions: readonly number[], problem: string | null): void {
    this.obeyed.set(host, { versions: problem === null ? versions : this.obeyedBy(host).versions, problem });
    this.coordinator.show(`host/${host}`);
  }

  /** Whom this would affect and how. @param document as an administrator's file has it @throws NS_BAD_POLICY */
  preview(scope: Scope, document: unknown): Affected[] {
    const changed = keep({ version: 0, scope, at: 0, who: "", text: check(document).text });
    // Most hosts have the same policies, and are alike.
    const alike = new Map<string, Affected["changes"]>();
    return this.hostsIn(scope).map((host) => {
      const before = this.holdingFor(host);
      const key = before.map(({ version }) => version).join();
      const changes = alike.get(key) ?? changesOf(before, this.holdingFor(host, changed));
      alike.set(key, changes);
      return { host, changes };
    });
  }

  /** A new version, told to all hosts it holds for. @throws NS_BAD_POLICY, NS_LIMIT */
  set(scope: Scope, document: unknown, who: string): PolicyVersion {
    const { text, policy } = check(document);
    if (!this.newest.has(scope) && this.newest.size >= MAX_SCOPES)
      throw new NightshiftError("NS_LIMIT", `there are policies for ${MAX_SCOPES} hosts and tags already`);
    const settings = [...Object.keys(policy.locked), ...Object.keys(policy.defaults)].join(", ");
    return this.save(scope, text, who, (version) =>
      settings === ""
        ? fill("version {version}: says nothing", { version })
        : fill("version {version}: {settings}", { version, settings }),
    );
  }

  /** A new version that says what an old one said. @param to its number; without it the one before the newest @throws NS_NOT_FOUND */
  undo(scope: Scope, to: number | undefined, who: string): PolicyVersion {
    const [newest, before, ...older] = this.versions(scope);
    if (!newest) throw new NightshiftError("NS_NOT_FOUND", `there is no policy for ${this.nameOf(scope)}`);
    const old = to === undefined ? before : [newest, before, ...older].find((one) => one?.version === to);
    if (to !== undefined && !old)
      throw new NightshiftError("NS_NOT_FOUND", `the policy for ${this.nameOf(scope)} has no version ${to}`);
    return this.save(scope, old?.text ?? EMPTY, who, (version) =>
      old
        ? fill("version {version}: as version {before}", { version, before: old.version })
        : fill("version {version}: as before the first version", { version }),
    );
  }

  /** Tells a host what holds for it now; one that is not connected is told when it comes. */
  tell(host: Host): void {
    this.coordinator.send(host.id, { type: "policy", policies: this.toldTo(host) });
    this.coordinator.show(`host/${host.id}`);
  }

  private save(scope: Scope, text: string, who: string, details: (version: number) => string): PolicyVersion {
    const saved = this.coordinator.store.policies.save({ scope, at: Date.now(), who, text });
    this.newest.set(scope, keep(saved));
    this.coordinator.note({
      who,
      what: "policy-changed",
      target: this.nameOf(scope),
      details: details(saved.version),
    });
    for (const host of this.hostsIn(scope)) this.tell(host);
    return saved;
  }

  /** @param instead of the one of its scope */
  private holdingFor(host: Pick<Host, "id" | "tags">, instead?: Kept): Kept[] {
    return scopesOf(host).flatMap((scope) => (instead?.scope === scope ? instead : (this.newest.get(scope) ?? [])));
  }
}

const scopesOf = ({ id, tags }: Pick<Host, "id" | "tags">): Scope[] => [
  `host:${id}`,
  ...[...tags].sort().map((tag): Scope => `tag:${tag}`),
  "all",
];

const keep = (version: PolicyVersion): Kept => ({
  ...version,
  policy: parseAdminPolicy(version.text, `policy ${version.version}`),
});

const settingsOf = (kept: readonly Kept[]): ReturnType<typeof effective> =>
  effective(
    {},
    kept.map(({ policy }) => policy),
  );

function changesOf(before: readonly Kept[], after: readonly Kept[]): Affected["changes"] {
  const [was, is] = [settingsOf(before), settingsOf(after)];
  const differs = (name: SettingName): boolean =>
    JSON.stringify(was.settings[name]) !== JSON.stringify(is.settings[name]) ||
    (was.lockedBy[name] === undefined) !== (is.lockedBy[name] === undefined);
  return SETTING_NAMES.filter(differs).map((setting) => ({
    setting,
    from: was.settings[setting],
    to: is.settings[setting],
    locked: is.lockedBy[setting] !== undefined,
  }));
}

/** @throws NS_BAD_POLICY */
function check(document: unknown): { text: string; policy: AdminPolicy } {
  const text = JSON.stringify(document) ?? "";
  const policy = parseAdminPolicy(text, "the policy");
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES)
    throw new NightshiftError("NS_BAD_POLICY", `the policy is larger than ${MAX_POLICY_BYTES} bytes`);
  return { text, policy };
}
