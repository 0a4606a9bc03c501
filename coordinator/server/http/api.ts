// Every request of the HTTP API with its schemas: who may ask, what comes in, what is answered. The server refuses what does not fit, the
// console takes its types from here, and docs/API.md is written from it.
import { z } from "zod";
import { DEEDS } from "../../protocol/deeds.ts";
import { EVENT_FORMATS } from "../../protocol/event-lines.ts";
import {
  creditRow,
  exitReport,
  experimentOrder,
  experimentView,
  hostChange,
  measurementView,
  partCounts,
  partState,
  processState,
  releaseView,
} from "../../protocol/messages.ts";
import {
  apiTokenOrder,
  apiTokenView,
  linkScope,
  linkView,
  personName,
  userRole as role,
  userView,
} from "../../protocol/people.ts";
import { versionText } from "../../protocol/release.ts";
import { show } from "../../protocol/show.ts";
import { MAX_PARTS, sweep } from "../../protocol/sweep.ts";

const count = z.number().int().nonnegative();
const time = z.number().describe("milliseconds since 1970");
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const nothing = z.object({});
/** In paths and queries everything is text. */
const number = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const limit = z.coerce.number().int().min(1).max(1000).default(100);
const search = z.string().max(200).default("");
const password = z.string().min(10, "at least 10 characters").max(256);
const token = z.string().min(16).max(128);
const filePath = z.string().min(1).max(4096);
const hostName = z.string().min(1).max(200);
const fileRef = z.object({ hash, size: count });

/** Of WebAuthn: made and read by its libraries on both sides. */
const options = z.record(z.string(), z.unknown());
const credential = z.looseObject({
  id: z.string().min(1).max(2000),
  rawId: z.string().max(2000),
  type: z.literal("public-key"),
  response: z.looseObject({ clientDataJSON: z.string().max(10_000) }),
});

const signedIn = z.object({ name: z.string(), role, csrf: z.string() });
export const hostState = z.enum(["computing", "idle", "owner", "paused", "clear", "offline"]);
export type HostState = z.infer<typeof hostState>;
const host = z.object({
  id: z.string(),
  number: count.describe("stands for the host in the change stream"),
  name: z.string(),
  tags: z.array(z.string()),
  drained: z.boolean(),
  stay: z.boolean(),
  block: z.boolean(),
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
  version: z.string().nullable().describe("of the agent; null: it does not say, as a page"),
  outOfDate: z.boolean().describe("older than the release that is given out; without one, than the coordinator"),
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
  parts: partCounts.describe("the rest waits or runs; cancelled ones are among the failed"),
  since: z.object({ at: time, ended: count }).describe("when it began, or began anew, and how many parts had ended then"),
  migrations: count,
  restarts: count,
  stdoutBytes: count,
  stderrBytes: count,
  files: count,
});
const part = z.object({
  part: count.describe("from 1"),
  pid: count.describe("its first process"),
  state: partState,
  report: exitReport.nullable(),
  tries: count.describe("how often it has begun"),
  values: z.record(z.string(), z.string()).describe("of the job's parameters"),
  host: z.string().nullable(),
  cpuMs: z.number(),
  migrations: count,
  startedAt: time,
  endedAt: time.nullable(),
  stdoutBytes: count,
  stderrBytes: count,
  files: count,
});
const waiting = z
  .object({
    code: z.enum(["no-hosts", "not-usable", "stack", "memory", "busy"]),
    ...{ offline: count, paused: count, clear: count, blocked: count, slots: count, restricted: z.boolean() },
  })
  .describe("why processes of it wait, with what the hosts are that it may be on; null: none waits");
const programFile = z.object({ name: z.string().regex(/^[^/\\\p{Cc}]{1,100}\.(c|cc|cpp|cxx|wasm)$/u), hash });
const storedProgram = z.object({ name: z.string().min(1).max(200), stored: hash });
const clock = z.enum(["virtual", "host"]);
const environment = z.record(z.string().min(1).max(4096), z.string().max(64 * 1024));
const process = z.object({
  pid: count,
  parent: count,
  job: count,
  part: count,
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
const event = z.object({ id: count, at: time, who: z.string(), what: z.enum(DEEDS), target: z.string(), details: z.string() });

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
      sso: z.string().nullable().describe("what people call the identity provider; null: there is none"),
      passkeys: z.boolean().describe("somebody has a passkey for the name that this was asked under"),
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
  signOut: {
    method: "DELETE",
    path: "/api/session",
    access: "viewer",
    about: "end the session",
    answer: z.object({
      url: z.string().nullable().describe("where to send the browser to sign out at the identity provider, too"),
    }),
  },
  changePassword: {
    method: "POST",
    path: "/api/session/password",
    access: "viewer",
    perMinute: 10,
    about: "change one's own password; ends one's other sessions",
    body: z.object({ old: z.string().min(1).max(256), password }),
    answer: signedIn,
  },
  account: {
    method: "GET",
    path: "/api/account",
    access: "viewer",
    about: "by what one can sign in",
    answer: z.object({
      password: z.boolean(),
      sso: z
        .object({ title: z.string(), connected: z.boolean() })
        .nullable()
        .describe("what people call the identity provider; null: there is none"),
      passkeys: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          site: z.string().describe("the name that it is good under"),
          createdAt: time,
          usedAt: time.nullable(),
        }),
      ),
      passkeySite: z
        .string()
        .nullable()
        .describe("the name that a new passkey would be good under; null: not with this address, as it is none or not encrypted"),
    }),
  },
  passkeyOptions: {
    method: "POST",
    path: "/api/account/passkeys/options",
    access: "viewer",
    perMinute: 30,
    about: "begin to add a passkey: what WebAuthn's create() is given, as JSON",
    answer: z.object({ options }),
  },
  passkeyAdd: {
    method: "POST",
    path: "/api/account/passkeys",
    access: "viewer",
    perMinute: 30,
    about: "add the passkey that create() made",
    body: z.object({ name: z.string().trim().min(1).max(60), made: credential }),
    answer: nothing,
  },
  passkeyRemove: {
    method: "DELETE",
    path: "/api/account/passkeys/:passkey",
    access: "viewer",
    about: "remove one's own passkey",
    params: z.object({ passkey: z.string().min(1).max(2000) }),
    answer: nothing,
  },
  passkeyChallenge: {
    method: "POST",
    path: "/api/session/passkey/options",
    access: "anybody",
    perMinute: 30,
    about: "begin to sign in with a passkey: what WebAuthn's get() is given, as JSON",
    answer: z.object({ options }),
  },
  passkeySignIn: {
    method: "POST",
    path: "/api/session/passkey",
    access: "anybody",
    perMinute: 10,
    about: "sign in with what get() gave: sets a session cookie as the password does",
    body: z.object({ given: credential }),
    answer: signedIn,
  },
  ssoBegin: {
    method: "POST",
    path: "/api/sso",
    access: "anybody",
    perMinute: 30,
    about: "begin to sign in by the identity provider: where to send the browser",
    answer: z.object({ url: z.string() }),
  },
  ssoCallback: {
    method: "GET",
    path: "/api/sso/callback",
    access: "anybody",
    perMinute: 30,
    about: "where the identity provider sends the browser back: signs in and goes to the console",
  },
  ssoFailure: {
    method: "POST",
    path: "/api/sso/failure",
    access: "anybody",
    perMinute: 30,
    about: "why signing in by the identity provider failed in this browser just now; told once",
    answer: z.object({ failure: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).nullable() }),
  },
  ssoConnect: {
    method: "POST",
    path: "/api/account/sso",
    access: "viewer",
    perMinute: 30,
    about: "begin to connect oneself with the identity provider, to sign in by it from then on: where to send the browser",
    answer: z.object({ url: z.string() }),
  },
  ssoDisconnect: {
    method: "DELETE",
    path: "/api/account/sso",
    access: "viewer",
    about: "sign in by the identity provider no more",
    answer: nothing,
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
  acceptBySso: {
    method: "POST",
    path: "/api/invitations/sso",
    access: "anybody",
    perMinute: 30,
    about:
      "begin to use a one-time link by signing in at the identity provider, without a password here: where to send the browser. The role is the link's",
    body: z.object({ token }),
    answer: z.object({ url: z.string() }),
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
  hostHours: {
    method: "GET",
    path: "/api/hosts/:host/hours",
    access: "viewer",
    about:
      "what a host did in each hour of the last four weeks, milliseconds: of computing (by the share of its cores), idle, with its owner present, paused otherwise; the rest it was not there",
    params: z.object({ host: hostName }),
    answer: z.object({
      hours: z.array(z.object({ at: time, computing: count, idle: count, owner: count, paused: count })),
    }),
  },
  hostWeeks: {
    method: "GET",
    path: "/api/hours",
    access: "viewer",
    about:
      "what each host did in the last seven days, by id, as the sums of its hours; as of at most a minute ago, and 5 minutes behind",
    answer: z.object({
      hosts: z.array(z.object({ id: z.string(), computing: count, idle: count, owner: count, paused: count })),
    }),
  },
  changeHost: {
    method: "PATCH",
    path: "/api/hosts/:host",
    access: "administrator",
    about:
      "rename it, tag it, expel its processes and keep it clear (drained) or let it work again; stay: balancing leaves its processes there; block: nothing new comes there, while what is there goes on",
    params: z.object({ host: hostName }),
    body: hostChange,
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
    about:
      "jobs, newest first; before: a job's number; failed: also those that ended with a status other than 0 in any part, exited: without them",
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
    about: "a job with all it was submitted with",
    params: z.object({ job: number }),
    answer: z.object({
      job,
      root: count,
      program: z.string().describe("hash of the stored program"),
      args: z.array(z.string()),
      env: environment,
      sweep: sweep.nullable(),
      inputs: z.record(z.string(), fileRef),
      hosts: z.array(z.string()).describe("names of the only hosts it may be on; none: any"),
      startOn: z.string().nullable(),
      stay: z.boolean(),
      pinned: z.string().nullable().describe("why its program cannot be moved; null: it can be"),
      clock,
      seed: count.nullable(),
      show: show.nullable(),
      memoryLimitBytes: count,
      cpuLimitMs: count,
      freezesMs: z.array(z.number()),
      waiting: waiting.nullable(),
    }),
  },
  grid: {
    method: "GET",
    path: "/api/jobs/:job/grid",
    access: "viewer",
    about: "the state of each part, a letter each: queued, running, done, failed, cancelled",
    params: z.object({ job: number }),
    answer: z.object({ states: z.string() }),
  },
  parts: {
    method: "GET",
    path: "/api/jobs/:job/parts",
    access: "viewer",
    about: "the parts of a job; after: a part's number",
    params: z.object({ job: number }),
    query: z.object({ state: partState.optional(), after: number.default(0), limit }),
    answer: z.object({ parts: z.array(part), more: z.boolean() }),
  },
  part: {
    method: "GET",
    path: "/api/jobs/:job/parts/:part",
    access: "viewer",
    about:
      "a part of a job with its own arguments, the input files that are its own, and the files it wrote; a job without a sweep has part 1",
    params: z.object({ job: number, part: number }),
    answer: z.object({
      part,
      args: z.array(z.string()),
      env: environment,
      inputs: z.record(z.string(), fileRef),
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
    about:
      "which process of a job was on which host from when: host null is none, ended is the end; again: to do anew, from its last image, what was lost where it was before; the first 20,000",
    params: z.object({ job: number }),
    answer: z.object({
      stays: z.array(z.object({ pid: count, at: time, host: z.string().nullable(), ended: z.boolean(), again: z.boolean() })),
    }),
  },
  output: {
    method: "GET",
    path: "/api/jobs/:job/output",
    access: "viewer",
    about: "bytes of stdout (stream 1) or stderr (2) of a part, at most 1 MiB; the header nightshift-next says where to go on",
    params: z.object({ job: number }),
    query: z.object({
      part: number.default(1),
      stream: z.enum(["1", "2"]).default("1"),
      pid: number.optional(),
      from: number.default(0),
      limit: z.coerce.number().int().min(1).max(MAX_OUTPUT_BYTES).default(MAX_OUTPUT_BYTES),
    }),
  },
  wholeOutput: {
    method: "GET",
    path: "/api/jobs/:job/output/whole",
    access: "viewer",
    about: "all bytes of stdout (stream 1) or stderr (2) that a part has written by now, however many, as a file",
    params: z.object({ job: number }),
    query: z.object({ part: number.default(1), stream: z.enum(["1", "2"]).default("1") }),
  },
  file: {
    method: "GET",
    path: "/api/jobs/:job/file",
    access: "viewer",
    about: "bytes of a file that a part of the job wrote",
    params: z.object({ job: number }),
    query: z.object({ part: number.default(1), path: filePath }),
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
    about:
      "start a job; the program is an uploaded .c, .cpp or .wasm file, which is compiled here, or that of an earlier job; with a sweep (docs/JOBS.md) it has a part for each combination of values",
    body: z.object({
      program: z.union([programFile, storedProgram]),
      name: z.string().min(1).max(200).optional(),
      args: z
        .array(z.string().max(64 * 1024))
        .max(4096)
        .default([]),
      env: environment.default({}),
      sweep: sweep.nullable().default(null),
      files: z.record(filePath, fileRef).default({}),
      memoryLimitBytes: count
        .min(65_536)
        .max(2 ** 32)
        .default(2 ** 30),
      cpuLimitMs: count.default(0),
      hosts: z.array(hostName).max(1000).default([]).describe("the only hosts it may be on, by name or id; none: any"),
      startOn: hostName.nullable().default(null),
      stay: z.boolean().default(false),
      pin: z
        .boolean()
        .default(false)
        .describe("run it even if it cannot be moved; then it begins anew when its host is needed by its owner"),
      clock: clock.default("virtual"),
      seed: count.max(0xffffffff).nullable().default(null).describe("of its random; null: the job's number"),
      show: show
        .nullable()
        .default(null)
        .describe("what it prints is seen on the screensavers of its hosts, as such; null: nothing of it"),
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
  cancelPart: {
    method: "POST",
    path: "/api/jobs/:job/parts/:part/cancel",
    access: "submitter",
    about: "as with a job",
    params: z.object({ job: number, part: number }),
    answer: z.object({ cancelled: count }),
  },
  retryJob: {
    method: "POST",
    path: "/api/jobs/:job/retry",
    access: "submitter",
    perMinute: 60,
    about: "parts that have failed or were cancelled begin anew, all or those named; what they wrote before is forgotten",
    params: z.object({ job: number }),
    body: z.object({ parts: z.array(count).min(1).max(MAX_PARTS).nullable().describe("their numbers; null: all of them") }),
    answer: z.object({ retried: count }),
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
  credit: {
    method: "GET",
    path: "/api/credit",
    access: "viewer",
    about:
      "what hosts have earned by computing, the most first, of so many days (UTC, today among them; absent: ever): credit is hours of one core of an ordinary office PC; hosts that have earned the same share a rank",
    query: z.object({ days: z.coerce.number().int().min(1).max(36_500).optional() }),
    answer: z.object({ hosts: z.array(creditRow) }),
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
  measurements: {
    method: "GET",
    path: "/api/measurements",
    access: "viewer",
    about:
      "what programs took on machines where `nightshift bench kernels --send` was run, newest first, with geometric means of their ratios, less one (null: nothing native); before: a measurement's id; machine: of that name only",
    query: z.object({ before: number.default(Number.MAX_SAFE_INTEGER), machine: z.string().max(200).default(""), limit }),
    answer: z.object({
      measurements: z.array(measurementView.extend({ programs: count.describe("how many") })),
      more: z.boolean(),
      machines: z.array(z.string()).describe("all that have been measured"),
    }),
  },
  measurement: {
    method: "GET",
    path: "/api/measurements/:measurement",
    access: "viewer",
    about:
      "one of them: seconds of each program natively (null: not measured), as plain and as migratable WebAssembly, and module sizes",
    params: z.object({ measurement: number }),
    answer: z.object({ measurement: measurementView }),
  },
  removeMeasurement: {
    method: "DELETE",
    path: "/api/measurements/:measurement",
    access: "administrator",
    about: "forget one",
    params: z.object({ measurement: number }),
    answer: nothing,
  },
  releases: {
    method: "GET",
    path: "/api/releases",
    access: "viewer",
    about: "releases of Nightshift for hosts, newest first: the first is given out. They are published with `nightshift release`",
    answer: z.object({ releases: z.array(releaseView) }),
  },
  haltRelease: {
    method: "POST",
    path: "/api/releases/:version/halt",
    access: "administrator",
    about: "no further host begins to take the release that is given out",
    params: z.object({ version: versionText }),
    answer: z.object({ release: releaseView }),
  },
  releaseToAll: {
    method: "POST",
    path: "/api/releases/:version/to-all",
    access: "administrator",
    about: "to all hosts from now on, not only its ring; also one that was halted",
    params: z.object({ version: versionText }),
    answer: z.object({ release: releaseView }),
  },
  events: {
    method: "GET",
    path: "/api/events",
    access: "administrator",
    about: "who did what, newest first; before: an event's id",
    query: z.object({ search, before: number.default(Number.MAX_SAFE_INTEGER), limit }),
    answer: z.object({ events: z.array(event), more: z.boolean() }),
  },
  exportEvents: {
    method: "GET",
    path: "/api/events/export",
    access: "administrator",
    perMinute: 30,
    about:
      "all that a search finds, newest first, as a file: csv (RFC 4180, UTF-8 with a mark in front; a cell that a spreadsheet would take for a formula has an apostrophe before it) or jsonl (a JSON object a line)",
    query: z.object({ search, format: z.enum(EVENT_FORMATS) }),
  },
  links: {
    method: "GET",
    path: "/api/links",
    access: "administrator",
    about: "join links that can still be used",
    answer: z.object({ links: z.array(linkView) }),
  },
  createLink: {
    method: "POST",
    path: "/api/links",
    access: "administrator",
    about: "make a join link; it is shown this once",
    body: z.object({
      scope: linkScope,
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
    answer: z.object({ users: z.array(userView) }),
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
    answer: z.object({ user: userView }),
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
    answer: z.object({ tokens: z.array(apiTokenView) }),
  },
  createApiToken: {
    method: "POST",
    path: "/api/tokens",
    access: "viewer",
    about: "make an API token with one's own role or less; it is shown this once. Signed-in people only, not tokens",
    body: apiTokenOrder,
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
