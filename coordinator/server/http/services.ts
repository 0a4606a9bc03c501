// What the handlers of HTTP requests work with.
import type { Blobs } from "../../blobs/index.ts";
import type { Actions } from "../actions.ts";
import type { Coordinator } from "../coordinator.ts";
import type { PendingHosts } from "../pending.ts";
import type { HostPolicies } from "../policies.ts";
import type { Programs } from "../programs.ts";
import type { Views } from "../views.ts";

export interface Services {
  coordinator: Coordinator;
  actions: Actions;
  policies: HostPolicies;
  pending: PendingHosts;
  views: Views;
  programs: Programs;
  blobs: Blobs;
  /** Where uploaded sources are compiled, and what that leaves for the next time. */
  buildFolder: string;
  version: string;
  startedAt: number;
}
