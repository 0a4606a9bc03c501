// Every request of the HTTP API with its schemas: who may ask, what comes in, what is answered. The server refuses what does not fit, the
// console takes its types from here, and docs/API.md is written from it.
import { z } from "zod";
import { exitReport, experimentOrder, experimentView, processState, TAG } from "../../protocol/messages.ts";
import { ROLES } from "../../store/people.ts";

const count = z.number().int().nonnegative();
const time = z.number().describe("milliseconds since 1970");
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const role = z.enum(ROLES);
const nothing = z.object({});
/** In paths and queries everything is text. */
const number = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const limit = z.coerce.number().int().min(1).max(1000).default(100);
const search = z.string().max(200).default("");
const personName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}._@ -]{0,63}$/u, "a letter or digit, then up to 63 letters, digits and ._@ -");
const password = z.string().min(10, "at least 10 characters").max(256);
const token = z.string().min(16).max(128);
const filePath = z.string().min(1).max(4096);
const hostName = z.string().min(1).max(200);
const tag = z.string().regex(TAG, "a letter or digit, then up to 31 letters, digits and ._ -");
const fileRef = z.object({ hash, size: count });

const signedIn = z.object({ name: z.string(), role, csrf: z.string() });
export const hostState = z.enum(["computing", "idle", "owner", "paused", "clear", "offline"]);
export type HostState = z.infer<typeof hostState>;
const host = z.object({
  id: z.string(),
  number: count.describe("stands for the host in the change stream"),
  name: z.string(),
  tags: z.array(z.string()),
  drained: z.boolean(),
  state: hostState,
  os: z.string(),
  arch: z.string(),
  cpuModel: z.string(),
  slots: count,
  memoryBytes: count,
  speed: z.number(),
  paused: z.string().nullable(),
  pausedCode: z.string().nullable().describe("as in docs/POLICY.md"),
  policy: z.object({
    told: z.array(count).describe("versions of the policies that hold for it, the one that counts first in front"),
    obeyed: z.array(count).nullable().describe("those it has said it obeys; null: it has not said yet"),
    problem: z.string().nullable().describe("why it does not obey those it was told"),
  }),
  running: count,
  runnable: count,
  blocked: count,
  memoryFreeBytes: count,
  seenAt: time,
});
const job = z.object({
  job: count,
  name: z.string(),
  by: z.string(),
  state: z.enum(["running", "exited", "failed", "cancelled"]),
  report: exitReport.nullable(),
  processes: count,
  alive: count,
  submittedAt: time,
  endedAt: time.nullable(),
  migrations: count,
  restarts: count,
  stdoutBytes: count,
  stderrBytes: count,
  files: count,
});
const process = z.object({
  pid: count,
  parent: count,
  job: count,
  state: processState,
  host: z.string().nullable(),
  hostId: z.string().nullable(),
  waiting: z.string().nullable(),
  cpuMs: z.number(),
  memoryBytes: count,
  migrations: count,
  startedAt: time,
  report: exitReport.nullable(),
});
const sample = z.object({
  at: time,
  computing: count,
  idle: count,
  owners: count,
  processes: count,
  ended: count,
  balance: z.number(),
});
const totals = z.object({
  hosts: count,
  online: count,
  slots: count,
  computing: count.describe("slots that compute"),
  idle: count.describe("slots that could"),
  owners: count.describe("hosts whose owner is present"),
  jobs: count,
  processes: count,
  queued: count,
  balance: z.number().describe("mean load of the hosts over the highest, 0 to 1"),
});
const user = z.object({ name: z.string(), role, createdAt: time });
const apiToken = z.object({ id: z.string(), user: z.string(), name: z.string(), role, createdAt: time, expiresAt: time });
const link = z.object({
  id: z.string(),
  scope: z.enum(["host", "submit", "admin"]),
  createdBy: z.string(),
  createdAt: time,
  expiresAt: time,
  uses: count,
  approval: z.boolean().describe("hosts that join with it wait to be let in"),
});
const scope = z.string().regex(/^(?:all|tag:.{1,32}|host:.{1,200})$/u, "all, tag:NAME or host:NAME");
/** As an administrator's file has it; what is wrong with one is told by its own reader. */
const document = z.record(z.string(), z.unknown());
const policy = z.object({
  version: count,
  scope: z.string().describe("all, tag:NAME or host:ID"),
  name: z.string().describe("the same with the host's name"),
  at: time,
  who: z.string(),
  document,
});
const published = z
  .object({ ta: z.number(), ti: z.number(), tb: z.number(), overhead: z.number() })
  .describe("of openMosix in coLinux: native times, seconds");
const event = z.object({ id: count, at: time, who: z.string(), what: z.string(), target: z.string(), details: z.string() });

/** Who may ask: anybody, anybody signed in, or a role and those above it. */
export type Access = "anybody" | z.infer<typeof role>;

interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  access: Access;
  /** For people, in docs/API.md. */
  about: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** Without it the handler answers with bytes. */
  answer?: z.ZodObject;
  /** Requests a minute of one caller, when fewer than usual. */
  perMinute?: number;
}

/** As many as anybody may make a minute. */
export const REQUESTS_PER_MINUTE = 1200;
/** Largest file that can be uploaded, in bytes. */
export const MAX_UPLOAD_BYTES: number = 64 * 2 ** 20;
/** Most bytes of output in one answer. */
export const MAX_OUTPUT_BYTES: number = 2 ** 20;

export const api = {
  session: {
    method: "GET",
    path: "/api/session",
    access: "anybody",
    about: "who is signed in",
    answer: z.object({
      signedIn: signedIn.nullable(),
      noUsers: z.boolean().describe("the first administrator is still to come"),
      plainHttp: z.boolean().describe("the connection is neither encrypted nor within one computer"),
    }),
  },
  signIn: {
    method: "POST",
    path: "/api/session",
    access: "anybody",
    perMinute: 10,
    about: "sign in: sets a session cookie; changes then need its csrf value in the header x-csrf-token",
    body: z.object({ name: z.string().min(1).max(64), password: z.string().min(1).max(256) }),
    answer: signedIn,
  },
  signOut: { method: "DELETE", path: "/api/session", access: "viewer", about: "end the session", answer: nothing },
  changePassword: {
    method: "POST",
    path: "/api/session/password",
    access: "viewer",
    perMinute: 10,
    about: "change one's own password; ends one's other sessions",
    body: z.object({ old: z.string().min(1).max(256), password }),
    answer: signedIn,
  },
  invitation: {
    method: "POST",
    path: "/api/invitations/look",
    access: "anybody",
    perMinute: 30,
    about: "what a one-time link is for",
    body: z.object({ token }),
    answer: z.object({ role, name: z.string().nullable(), expiresAt: time }),
  },
  accept: {
    method: "POST",
    path: "/api/invitations/accept",
    access: "anybody",
    perMinute: 30,
    about: "use a one-time link: become a user, or set a new password, and be signed in",
    body: z.object({ token, name: personName, password }),
    answer: signedIn,
  },
  cluster: {
    method: "GET",
    path: "/api/cluster",
    access: "viewer",
    about: "the whole in numbers, now and in the last hour",
    answer: z.object({ version: z.string(), startedAt: time, totals, samples: z.array(sample) }),
  },
  changes: {
    method: "GET",
    path: "/api/changes",
    access: "viewer",
    perMinute: 60,
    about: "server-sent events: every host, running job and process once, then whatever changes",
  },
  hosts: {
    method: "GET",
    path: "/api/hosts",
    access: "viewer",
    about: "all hosts",
    answer: z.object({ hosts: z.array(host) }),
  },
  host: {
    method: "GET",
    path: "/api/hosts/:host",
    access: "viewer",
    about: "a host, by id or name, and its processes",
    params: z.object({ host: hostName }),
    answer: z.object({ host, enrolledAt: time, processes: z.array(process) }),
  },
  changeHost: {
    method: "PATCH",
    path: "/api/hosts/:host",
    access: "administrator",
    about: "rename it, tag it, expel its processes and keep it clear (drained) or let it work again",
    params: z.object({ host: hostName }),
    body: z.object({
      name: z
        .string()
        .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u)
        .optional(),
      tags: z.array(tag).max(16).optional(),
      drained: z.boolean().optional(),
    }),
    answer: z.object({ host }),
  },
  removeHost: {
    method: "DELETE",
    path: "/api/hosts/:host",
    access: "administrator",
    about: "revoke its key: its connection ends at once, its processes go on elsewhere",
    params: z.object({ host: hostName }),
    answer: nothing,
  },
  jobs: {
    method: "GET",
    path: "/api/jobs",
    access: "viewer",
    about: "jobs, newest first; before: a job's number",
    query: z.object({
      state: z.enum(["running", "exited", "failed", "cancelled"]).optional(),
      search,
      before: number.optional(),
      limit,
    }),
    answer: z.object({ jobs: z.array(job), more: z.boolean() }),
  },
  job: {
    method: "GET",
    path: "/api/jobs/:job",
    access: "viewer",
    about: "a job with its program, arguments and files",
    params: z.object({ job: number }),
    answer: z.object({
      job,
      root: count,
      program: z.string(),
      args: z.array(z.string()),
      memoryLimitBytes: count,
      cpuLimitMs: count,
      freezesMs: z.array(z.number()),
      files: z.record(z.string(), fileRef),
    }),
  },
  processes: {
    method: "GET",
    path: "/api/jobs/:job/processes",
    access: "viewer",
    about: "the processes of a job; after: a pid",
    params: z.object({ job: number }),
    query: z.object({ after: number.default(0), limit }),
    answer: z.object({ processes: z.array(process), more: z.boolean() }),
  },
  stays: {
    method: "GET",
    path: "/api/jobs/:job/stays",
    access: "viewer",
    about: "which process of a job was on which host from when: host null is none, ended is the end; the first 20,000",
    params: z.object({ job: number }),
    answer: z.object({
      stays: z.array(z.object({ pid: count, at: time, host: z.string().nullable(), ended: z.boolean() })),
    }),
  },
  output: {
    method: "GET",
    path: "/api/jobs/:job/output",
    access: "viewer",
    about: "bytes of stdout (stream 1) or stderr (2), at most 1 MiB; the header nightshift-next says where to go on",
    params: z.object({ job: number }),
    query: z.object({
      stream: z.enum(["1", "2"]).default("1"),
      pid: number.optional(),
      from: number.default(0),
      limit: z.coerce.number().int().min(1).max(MAX_OUTPUT_BYTES).default(MAX_OUTPUT_BYTES),
    }),
  },
  file: {
    method: "GET",
    path: "/api/jobs/:job/file",
    access: "viewer",
    about: "bytes of a file that the job wrote",
    params: z.object({ job: number }),
    query: z.object({ path: filePath }),
  },
  upload: {
    method: "PUT",
    path: "/api/files",
    access: "submitter",
    perMinute: 300,
    about: "bytes as application/octet-stream, at most 64 MiB; kept an hour, longer when a job uses them",
    answer: fileRef,
  },
  submit: {
    method: "POST",
    path: "/api/jobs",
    access: "submitter",
    perMinute: 60,
    about: "start a job; the program is an uploaded .c, .cpp or .wasm file and is compiled here",
    body: z.object({
      program: z.object({ name: z.string().regex(/^[^/\\\p{Cc}]{1,100}\.(c|cc|cpp|cxx|wasm)$/u), hash }),
      name: z.string().min(1).max(200).optional(),
      args: z
        .array(z.string().max(64 * 1024))
        .max(4096)
        .default([]),
      files: z.record(filePath, fileRef).default({}),
      memoryLimitBytes: count
        .min(65_536)
        .max(2 ** 32)
        .default(2 ** 30),
      cpuLimitMs: count.default(0),
      startOn: hostName.nullable().default(null),
      stay: z.boolean().default(false),
    }),
    answer: z.object({ job: count, pid: count, diagnostics: z.string() }),
  },
  cancelJob: {
    method: "POST",
    path: "/api/jobs/:job/cancel",
    access: "submitter",
    about: "one's own job; administrators any",
    params: z.object({ job: number }),
    answer: z.object({ cancelled: count }),
  },
  process: {
    method: "GET",
    path: "/api/processes/:pid",
    access: "viewer",
    about: "a process",
    params: z.object({ pid: number }),
    answer: process,
  },
  migrate: {
    method: "POST",
    path: "/api/processes/:pid/migrate",
    access: "submitter",
    about: "move a process to a host, by id or name: of one's own job; administrators any",
    params: z.object({ pid: number }),
    body: z.object({ host: hostName }),
    answer: z.object({ from: z.string().nullable(), to: z.string() }),
  },
  cancelProcess: {
    method: "POST",
    path: "/api/processes/:pid/cancel",
    access: "submitter",
    about: "as with a job",
    params: z.object({ pid: number }),
    answer: z.object({ cancelled: count }),
  },
  policies: {
    method: "GET",
    path: "/api/policies",
    access: "viewer",
    about: "the newest policy for all hosts, for each tag and each host that has one; docs/POLICY.md has every setting",
    answer: z.object({ policies: z.array(policy) }),
  },
  policyVersions: {
    method: "GET",
    path: "/api/policies/versions",
    access: "viewer",
    about: "the versions of one policy, newest first, at most 200; scope: all, tag:NAME or host:NAME",
    query: z.object({ scope }),
    answer: z.object({ versions: z.array(policy) }),
  },
  setPolicy: {
    method: "POST",
    path: "/api/policies",
    access: "administrator",
    perMinute: 120,
    about: "a new version; hosts that are connected obey at once",
    body: z.object({ scope, document }),
    answer: z.object({ policy, hosts: count.describe("whom it holds for") }),
  },
  previewPolicy: {
    method: "POST",
    path: "/api/policies/preview",
    access: "viewer",
    about: "whom it would hold for, and what it would change there; the first 200 of those, changed ones first. Changes nothing",
    body: z.object({ scope, document }),
    answer: z.object({
      hosts: count,
      changed: count,
      listed: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          changes: z.array(z.object({ setting: z.string(), from: z.unknown(), to: z.unknown(), locked: z.boolean() })),
        }),
      ),
    }),
  },
  undoPolicy: {
    method: "POST",
    path: "/api/policies/undo",
    access: "administrator",
    about: "a new version that says what an old one said: the one before the newest, or `version`",
    body: z.object({ scope, version: count.optional() }),
    answer: z.object({ policy, hosts: count }),
  },
  experiments: {
    method: "GET",
    path: "/api/overhead",
    access: "viewer",
    about: "overhead experiments, newest first; before: an experiment's id",
    query: z.object({ before: number.default(Number.MAX_SAFE_INTEGER), limit }),
    answer: z.object({ experiments: z.array(experimentView), more: z.boolean(), published }),
  },
  experiment: {
    method: "GET",
    path: "/api/overhead/:experiment",
    access: "viewer",
    about:
      "an overhead experiment: seconds of the same processes on the first host alone (ta), on the second alone (ti) and on both (tb); its overhead is tb/ta + tb/ti - 1",
    params: z.object({ experiment: number }),
    answer: z.object({ experiment: experimentView, published }),
  },
  startExperiment: {
    method: "POST",
    path: "/api/overhead",
    access: "submitter",
    perMinute: 60,
    about:
      "measure the cluster's overhead on two hosts that compute for nobody; one at a time. It ends as failed when one of them stops computing",
    body: experimentOrder,
    answer: z.object({ experiment: experimentView }),
  },
  cancelExperiment: {
    method: "POST",
    path: "/api/overhead/:experiment/cancel",
    access: "submitter",
    about: "one's own experiment; administrators any",
    params: z.object({ experiment: number }),
    answer: nothing,
  },
  events: {
    method: "GET",
    path: "/api/events",
    access: "administrator",
    about: "who did what, newest first; before: an event's id",
    query: z.object({ search, before: number.default(Number.MAX_SAFE_INTEGER), limit }),
    answer: z.object({ events: z.array(event), more: z.boolean() }),
  },
  links: {
    method: "GET",
    path: "/api/links",
    access: "administrator",
    about: "join links that can still be used",
    answer: z.object({ links: z.array(link) }),
  },
  createLink: {
    method: "POST",
    path: "/api/links",
    access: "administrator",
    about: "make a join link; it is shown this once",
    body: z.object({
      scope: z.enum(["host", "submit", "admin"]),
      hours: z.number().min(0.1).max(8760),
      uses: z.number().int().min(1).max(100_000),
      approval: z.boolean().default(false).describe("hosts that join with it wait to be let in"),
    }),
    answer: z.object({ link: z.string(), id: z.string(), expiresAt: time }),
  },
  removeLink: {
    method: "DELETE",
    path: "/api/links/:id",
    access: "administrator",
    about: "nobody can join with it any more",
    params: z.object({ id: z.string().max(64) }),
    answer: nothing,
  },
  pending: {
    method: "GET",
    path: "/api/pending",
    access: "administrator",
    about: "hosts that wait to be let in, at most 1000; the id is the host's key, which it shows too",
    answer: z.object({
      hosts: z.array(
        z.object({
          ...{ id: z.string(), name: z.string(), since: time, online: z.boolean() },
          ...{ os: z.string(), cpuModel: z.string(), slots: count },
        }),
      ),
    }),
  },
  approve: {
    method: "POST",
    path: "/api/pending/:host/approve",
    access: "administrator",
    about: "let a host in, by id or name",
    params: z.object({ host: hostName }),
    answer: nothing,
  },
  refuse: {
    method: "POST",
    path: "/api/pending/:host/refuse",
    access: "administrator",
    about: "turn it away for good: its key is worth nothing",
    params: z.object({ host: hostName }),
    answer: nothing,
  },
  users: {
    method: "GET",
    path: "/api/users",
    access: "administrator",
    about: "who may sign in",
    answer: z.object({ users: z.array(user) }),
  },
  invite: {
    method: "POST",
    path: "/api/users",
    access: "administrator",
    about: "make a one-time link, good for three days: for a new user, or with the name of one for a new password",
    body: z.object({ role, name: personName.nullable().default(null) }),
    answer: z.object({ link: z.string(), expiresAt: time }),
  },
  changeUser: {
    method: "PATCH",
    path: "/api/users/:name",
    access: "administrator",
    about: "give a user another role",
    params: z.object({ name: z.string().max(64) }),
    body: z.object({ role }),
    answer: z.object({ user }),
  },
  removeUser: {
    method: "DELETE",
    path: "/api/users/:name",
    access: "administrator",
    about: "remove a user with all sessions and tokens; the last administrator stays",
    params: z.object({ name: z.string().max(64) }),
    answer: nothing,
  },
  apiTokens: {
    method: "GET",
    path: "/api/tokens",
    access: "viewer",
    about: "one's own API tokens; an administrator sees all",
    answer: z.object({ tokens: z.array(apiToken) }),
  },
  createApiToken: {
    method: "POST",
    path: "/api/tokens",
    access: "viewer",
    about: "make an API token with one's own role or less; it is shown this once. Signed-in people only, not tokens",
    body: z.object({ name: z.string().min(1).max(100), role, days: z.number().int().min(1).max(366) }),
    answer: z.object({ token: z.string(), id: z.string(), expiresAt: time }),
  },
  removeApiToken: {
    method: "DELETE",
    path: "/api/tokens/:id",
    access: "viewer",
    about: "one's own; administrators any",
    params: z.object({ id: z.string().max(64) }),
    answer: nothing,
  },
} as const satisfies Record<string, Route>;

type Api = typeof api;
export type Name = keyof Api;
type Part<N extends Name, P extends "params" | "query" | "body"> =
  Api[N] extends Record<P, infer S extends z.ZodType> ? S : z.ZodType<unknown, unknown>;
/** What a handler gets. */
export interface Input<N extends Name> {
  params: z.output<Part<N, "params">>;
  query: z.output<Part<N, "query">>;
  body: z.output<Part<N, "body">>;
}
/** What a caller gives. */
export type Sent<N extends Name> = {
  [P in "params" | "query" | "body" as Api[N] extends Record<P, unknown> ? P : never]: z.input<Part<N, P>>;
};
export type Answer<N extends Name> = Api[N] extends { answer: infer S extends z.ZodType } ? z.output<S> : undefined;
