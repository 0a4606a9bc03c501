// What the handlers of HTTP requests work with.
import type { Blobs } from "../../blobs/index.ts";
import type { Actions } from "../actions.ts";
import type { Compiler } from "../compiler.ts";
import type { Coordinator } from "../coordinator.ts";
import type { CreditBoard } from "../credit.ts";
import type { OverheadExperiments } from "../experiments.ts";
import type { MachineMeasurements } from "../measurements.ts";
import type { PendingHosts } from "../pending.ts";
import type { PeopleActions } from "../people.ts";
import type { HostPolicies } from "../policies.ts";
import type { HostReleases } from "../releases.ts";
import type { SsoSettings } from "../sso/settings.ts";
import type { UsageWatch } from "../usage.ts";
import type { Views } from "../views.ts";

export interface Services {
  coordinator: Coordinator;
  actions: Actions;
  policies: HostPolicies;
  people: PeopleActions;
  pending: PendingHosts;
  views: Views;
  usage: UsageWatch;
  compiler: Compiler;
  experiments: OverheadExperiments;
  measurements: MachineMeasurements;
  releases: HostReleases;
  credit: CreditBoard;
  blobs: Blobs;
  /** Without it there is no single sign-on. */
  sso?: SsoSettings;
  version: string;
  startedAt: number;
}
