// What is said of policies, over HTTP and through the tunnel alike: documents as objects, hosts by name.
import type { PolicyVersion } from "../store/index.ts";
import type { HostPolicies } from "./policies.ts";

/** Hosts of a preview that are named. */
const MAX_LISTED = 200;

export interface PolicyView {
  version: number;
  scope: string;
  /** The scope with a host's name in place of its id. */
  name: string;
  at: number;
  who: string;
  document: Record<string, unknown>;
}

export interface PolicyPreview {
  hosts: number;
  changed: number;
  listed: { id: string; name: string; changes: { setting: string; from: unknown; to: unknown; locked: boolean }[] }[];
}

export interface PolicyAnswers {
  all(): PolicyView[];
  versions(scope: string): PolicyView[];
  set(scope: string, document: unknown, who: string): { policy: PolicyView; hosts: number };
  preview(scope: string, document: unknown): PolicyPreview;
  undo(scope: string, version: number | undefined, who: string): { policy: PolicyView; hosts: number };
}

/** All of it throws as HostPolicies does. */
export function policyAnswers(policies: HostPolicies): PolicyAnswers {
  const view = ({ version, scope, at, who, text }: PolicyVersion): PolicyView => ({
    ...{ version, scope, name: policies.nameOf(scope), at, who },
    document: JSON.parse(text) as Record<string, unknown>,
  });
  const changed = (policy: PolicyVersion) => ({ policy: view(policy), hosts: policies.hostsIn(policy.scope).length });
  return {
    all: () => policies.all().map(view),
    versions: (scope) => policies.versions(policies.scopeOf(scope)).map(view),
    set: (scope, document, who) => changed(policies.set(policies.scopeOf(scope), document, who)),
    undo: (scope, version, who) => changed(policies.undo(policies.scopeOf(scope), version, who)),
    preview: (scope, document) => {
      const affected = policies.preview(policies.scopeOf(scope), document);
      const changes = affected.filter((one) => one.changes.length > 0);
      const rest = affected.filter((one) => one.changes.length === 0);
      const listed = [...changes, ...rest].slice(0, MAX_LISTED);
      return {
        hosts: affected.length,
        changed: changes.length,
        listed: listed.map((one) => ({ id: one.host.id, name: one.host.name, changes: one.changes })),
      };
    },
  };
}
