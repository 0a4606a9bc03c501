// The store's interface. One batch is one transaction: when `commit` returns, all of it is on the disk; when it throws, none of it.
import type { HostInfo } from "../protocol/messages.ts";
import type { Forgotten, PartKey, Saved } from "../scheduler/state.ts";
import type { Credit, EarnedThen } from "./credit.ts";
import type { Experiments } from "./experiments.ts";
import type { Journal, NewEvent, Stay } from "./journal.ts";
import type { Measurements } from "./measurements.ts";
import type { People } from "./people.ts";
import type { Policies } from "./policies.ts";
import type { Releases } from "./releases.ts";
import type { Usages } from "./usage.ts";

export interface OutputChunk {
  job: number;
  part: number;
  pid: number;
  stream: 1 | 2;
  /** Of the first byte, in the part's stream. */
  offset: number;
  bytes: Uint8Array;
}

export interface Batch {
  saved: readonly Saved[];
  output: readonly OutputChunk[];
  events?: readonly NewEvent[];
  stays?: readonly Stay[];
  earned?: readonly EarnedThen[];
  /** What is to be kept no more: whole jobs, and what was written before by parts that begin anew. */
  forgotten?: readonly Forgotten[];
}

/** A key that may connect: a host's agent or a client. */
export interface Device {
  /** Hex of the public key. */
  key: string;
  role: "agent" | "client";
  /** What it may do: a host computes, a submitter runs jobs, an administrator does everything. */
  scope: "host" | "submit" | "admin";
  name: string;
  enrolledAt: number;
  revokedAt: number | null;
  /** What administrators group hosts by. */
  tags: readonly string[];
  /** A host that is to be kept clear of processes. */
  drained: boolean;
  /** As of a host in scheduler/state.ts. */
  stay: boolean;
  block: boolean;
  /** A host as it last described itself; null when it never did. */
  info: HostInfo | null;
  /** It waits until an administrator lets it in. */
  pending: boolean;
}

export interface TokenRecord {
  /** SHA-256 of the token, hex: the token itself is nowhere kept. */
  hash: string;
  scope: Device["scope"];
  expiresAt: number;
  /** Enrolments left. */
  uses: number;
  /** A user, `client NAME`, or `coordinator` for those it makes at each start. */
  createdBy: string;
  createdAt: number;
  /** Who joins with it waits until an administrator lets them in. */
  approval: boolean;
}

export interface MadeProgram {
  /** Hash of the migratable module. */
  program: string;
  sizeBytes: number;
  functions: number;
  sites: number;
  /** Why it cannot be moved; null: it can be. */
  pinned: string | null;
}

export interface Store {
  readonly people: People;
  readonly journal: Journal;
  readonly policies: Policies;
  readonly experiments: Experiments;
  readonly measurements: Measurements;
  readonly releases: Releases;
  readonly credit: Credit;
  readonly usages: Usages;
  /** Everything saved, jobs before what they were submitted with, then their parts, kernels, processes and what these were answered. */
  load(): Iterable<Saved>;
  commit(batch: Batch): void;
  /** Output of a part (or of one of its processes) from an offset in the part's stream, at most `limit` bytes or one chunk. */
  output(
    part: PartKey,
    stream: 1 | 2,
    from: number,
    limit: number,
    pid: number | null,
  ): { chunks: { pid: number; offset: number; bytes: Uint8Array }[] };
  device(key: string): Device | undefined;
  devices(): Device[];
  saveDevice(device: Device): void;
  token(hash: string): TokenRecord | undefined;
  tokens(): TokenRecord[];
  saveToken(token: TokenRecord): void;
  /** @returns false when there was none */
  removeToken(hash: string): boolean;
  /** Uses the token once for this device, in one transaction. @returns false when it had no use left */
  enrol(tokenHash: string, device: Device): boolean;
  /** The migratable program made of a plain module by this version of the transformation, if that has been done. */
  program(module: string, version: number): MadeProgram | undefined;
  /** What is known of a program (not of a plain module) by its hash. */
  madeProgram(program: string): Pick<MadeProgram, "pinned"> | undefined;
  saveProgram(module: string, version: number, made: MadeProgram): void;
  /** Hashes of all programs and of the modules that they were made of. */
  programs(): string[];
  close(): void;
}
