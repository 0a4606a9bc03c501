// What the handlers of HTTP requests work with.
import type { Blobs } from "../../blobs/index.ts";
import type { Actions } from "../actions.ts";
import type { Compiler } from "../compiler.ts";
import type { Coordinator } from "../coordinator.ts";
import type { OverheadExperiments } from "../experiments.ts";
import type { PendingHosts } from "../pending.ts";
import type { HostPolicies } from "../policies.ts";
import type { Views } from "../views.ts";

export interface Services {
  coordinator: Coordinator;
  actions: Actions;
  policies: HostPolicies;
  pending: PendingHosts;
  views: Views;
  compiler: Compiler;
  experiments: OverheadExperiments;
  blobs: Blobs;
  version: string;
  startedAt: number;
}
