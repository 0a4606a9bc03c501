// What passes between the tray app's main process and the process that computes. Both are ours and of one version, so types suffice.
import type { HostInfo, SignedRelease, UpgradeStep } from "@nightshift/coordinator/protocol";
import type { ControlAnswer } from "../../headless/control.ts";
import type { OwnerStatus } from "../../headless/owner.ts";
import type { Signals } from "../../policy/index.ts";
import type { Shown } from "../../shown/index.ts";

/** With what the agent begins. */
export interface Begin {
  /** The host's name. */
  name: string;
  /** The agent's folder. */
  directory: string;
  policyFile: string;
  /** As the installer was told it. */
  installedMode: string | null;
  slots: number;
  /** Of openTurn(): apps of several users of this machine share its cores; undefined: this one does not. */
  turn: string | undefined;
  /** See NodePortsOptions. */
  pool: string | null;
  app: NonNullable<HostInfo["app"]>;
  coordinator: { host: string; port: number; tls: boolean; key: Uint8Array };
  /** Only while it is not enrolled. */
  token: Uint8Array | null;
  /** The device's private key. */
  privateKey: Uint8Array;
  /** true: input, lock and power are told by the main process; false: the agent sees them itself. */
  told: boolean;
  /** See SourceOptions. */
  ownerProgram: string | undefined;
  windowsOf: number;
}

/** Clocks of two processes differ: input is told as a time before now. */
export type ToldSignals = Omit<Signals, "lastInputAtMs"> & { inputAgoMs?: number };

export type ToAgentProcess =
  | { type: "begin"; begin: Begin }
  /** Also without news at least every SIGNALS_EVERY_MS: who hears nothing must think that the owner is here. */
  | { type: "signals"; signals: ToldSignals }
  /** As of headless/control.ts. */
  | { type: "order"; id: number; order: object }
  /** Write a blob of the coordinator's into a file. */
  | { type: "fetch"; id: number; hash: string; path: string }
  /** Tell the coordinator how far a new version is. */
  | { type: "upgrade"; version: string; step: UpgradeStep; problem: string | null }
  /** Whether somebody watches the screensaver. */
  | { type: "watch"; on: boolean }
  /** The end is near: what it has is to go elsewhere, and nothing new comes. */
  | { type: "leaving" }
  /** Let go of everything and end. */
  | { type: "end" };

export interface ProcessStatus extends OwnerStatus {
  /** Processor time of the whole process since it started, in milliseconds: what this PC gave. */
  cpuMs: number;
}

export type FromAgentProcess =
  | { type: "status"; status: ProcessStatus }
  /** While somebody watches: what may be shown of the work here, tiles that have not changed left out; null: nothing any more. */
  | { type: "shown"; shown: Shown | null }
  | { type: "log"; event: string; details: Readonly<Record<string, unknown>> }
  | { type: "answer"; id: number; answer: ControlAnswer }
  | { type: "fetched"; id: number; failure: { code: string; message: string } | null }
  /** What the coordinator gives out; see Agent.onUpgrade(). */
  | { type: "upgrade"; release: SignedRelease | null; back: SignedRelease | null }
  /** Nothing can be done until something outside is changed: a bad policy file, an unusable home. */
  | { type: "failed"; code: string; message: string };

/** The status comes at least this often, so that whoever hears nothing knows that the process hangs. */
export const STATUS_EVERY_MS = 1_000;
export const SIGNALS_EVERY_MS = 1_000;
/** So long without signals is no longer chance. */
export const SIGNALS_LOST_MS = 3_000;
