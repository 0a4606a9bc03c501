// Every control message of the tunnel, with its schema: the whole conversation between coordinator, agents and clients in one file.
// Bulk bytes (programs, images, files) do not travel here but in bulk frames (frames.ts); messages name them by hash.
// A message that fails its schema closes the connection with NS_BAD_MESSAGE. Every size is bounded here.
import { z } from "zod";
import { apiTokenOrder, apiTokenView, linkScope, linkView, personName, userRole, userView } from "./people.ts";
import { FILE_KINDS, signedRelease, versionText } from "./release.ts";
import { show } from "./show.ts";
import { MAX_PARTS, sweep } from "./sweep.ts";

export const PROTOCOL_VERSION = 1;

/** Largest control message in bytes (encoded). Output and pipe data travel in control messages, so this bounds them too. */
export const MAX_MESSAGE_BYTES = 1 << 20;
/** Most bytes of output, pipe or stdin data in one message. */
export const MAX_DATA_BYTES = 256 * 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const pid = z.number().int().positive().max(0x7fffffff);
const epoch = z.number().int().nonnegative();
const count = z.number().int().nonnegative();
const name = z.string().min(1).max(200);
const flag = z.boolean().optional();
const data = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= MAX_DATA_BYTES,
  `must be at most ${MAX_DATA_BYTES} bytes`,
);
/** Most arguments of a program, its name among them. */
export const MAX_ARGS = 4096;

const text = z.string().max(64 * 1024);
const path = z.string().min(1).max(4096);

/** What a process was started with; the same on every host it visits. */
export const processSpec = z.object({
  program: hash,
  args: z.array(text).max(MAX_ARGS),
  env: z.record(z.string().max(4096), text),
  /** Input files below the one preopened directory: relative path -> blob. */
  files: z.record(path, z.object({ hash, size: count })),
  memoryLimitBytes: count,
  /** CPU time after which the process is failed with NS_TIMEOUT; 0 is none. */
  cpuLimitMs: count,
  clock: z.enum(["virtual", "host"]),
  /** Seeds random; derived from the job and the line of forks, not from the pid, so that runs repeat. */
  /** As long as seedOfFork() makes it. */
  seed: z.string().max(64),
});
export type ProcessSpec = z.infer<typeof processSpec>;

/** Characters of who submitted a job, as hosts are told. */
export const MAX_WHO = 200;
/**
 * Whose work a process is, for the host's owner to read: the job's number and name, the part among so many, and who submitted it ("": not known).
 * `show`: what it prints may be seen on the host's screensaver; absent: nothing of it may.
 */
export const work = z.object({ job: count, name, part: count, parts: count, by: z.string().max(MAX_WHO), show: show.optional() });
export type Work = z.infer<typeof work>;

/** A call that a process cannot answer alone; the coordinator is its home and answers it exactly once per sequence number. */
export const syscall = z.discriminatedUnion("call", [
  z.object({ call: z.literal("fork"), image: hash }),
  /** target > 0: that child; -1: any child. */
  z.object({ call: z.literal("wait"), target: z.number().int(), noHang: z.boolean(), untraced: flag, continued: flag }),
  z.object({ call: z.literal("kill"), target: z.number().int(), signal: count.max(64) }),
  z.object({ call: z.literal("pipe") }),
  /** object 0 is the job's stdin. */
  z.object({ call: z.literal("read"), object: count, maxBytes: count.max(MAX_DATA_BYTES), noHang: flag }),
  z.object({ call: z.literal("write"), object: count, bytes: data, noHang: flag }),
  z.object({
    call: z.literal("poll"),
    ends: z.array(z.object({ object: count, end: z.enum(["read", "write"]) })).max(4096),
    noHang: z.boolean(),
  }),
]);
export type Syscall = z.infer<typeof syscall>;

/** value: the call's result (pid, byte count, object id). A negative value is a negated WASI errno. */
export const syscallResult = z.object({ value: z.number().int(), status: z.number().int().optional(), bytes: data.optional() });
export type SyscallResult = z.infer<typeof syscallResult>;

/** How a process ended. `status` is as waitpid() gives it. */
export const exitReport = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("exit"), code: count.max(255) }),
  z.object({ kind: z.literal("signal"), signal: count.max(64) }),
  z.object({
    kind: z.literal("fault"),
    code: z.string().max(64),
    message: z.string().max(4096),
    wasmStack: z.array(z.string().max(300)).max(64),
  }),
]);
export type ExitReport = z.infer<typeof exitReport>;

/** A tag of a host. */
export const TAG: RegExp = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,31}$/u;

/** What administrators may say of a host; what is absent stays as it is. */
export const hostChange = z.object({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u, "a letter or digit, then up to 99 letters, digits and ._-")
    .optional(),
  tags: z.array(z.string().regex(TAG, "a letter or digit, then up to 31 letters, digits and ._ -")).max(16).optional(),
  drained: flag,
  stay: flag,
  block: flag,
});

const hostInfo = z.object({
  name,
  os: z.string().max(100),
  arch: z.string().max(40),
  cpuModel: z.string().max(200),
  slots: count.max(4096),
  memoryBytes: count,
  /** Measured: millions of steps a second of the calibration kernel on one slot; 0 when not measured yet. */
  speed: z.number().nonnegative(),
  /** Its threads have less native stack than others': a program that recurses too deeply for it may have room elsewhere. */
  smallStack: z.boolean().optional(),
  /** It knows `prepare`. Absent: from before there was that. */
  prepares: z.boolean().optional(),
  /** What whoever installed it groups it by: its first tag. */
  pool: z.string().regex(TAG).optional(),
  /** Which Nightshift it is. Absent: a page, which is always its coordinator's, or an agent from before there were releases. */
  app: z
    .object({
      version: versionText,
      kind: z.enum(["desktop", "headless"]),
      /** The kind of file it can put in its own place; null: somebody else has to. */
      takes: z.enum(FILE_KINDS).nullable(),
    })
    .optional(),
});
export type HostInfo = z.infer<typeof hostInfo>;

const image = z.object({
  hash,
  sizeBytes: count,
  /** Home calls already answered when it was taken. */ syscalls: count,
  outputBytes: count,
  errorBytes: count,
  cpuMs: z.number().nonnegative(),
});
export type ImageRef = z.infer<typeof image>;

/** Most policies that hold for one host: its own, one for each of its 16 tags, and that for all. */
export const MAX_POLICIES = 18;
/** Largest policy in bytes; so all that hold for one host fit into a message. */
export const MAX_POLICY_BYTES = 32 * 1024;
/** Of administrators, the one that counts first: each as an administrator's file has it (docs/POLICY.md), whose reader checks it. */
const policies = z.array(z.object({ version: count, text: z.string().max(MAX_POLICY_BYTES) })).max(MAX_POLICIES);
export type ToldPolicy = z.infer<typeof policies>[number];

/**
 * ready: fetched, and waiting until it disturbs nobody. installing: about to end for it. declined: an owner or administrator does not want
 * it. failed: this host cannot take it, or has gone back.
 */
export const UPGRADE_STEPS = ["ready", "installing", "declined", "failed"] as const;
export type UpgradeStep = (typeof UPGRADE_STEPS)[number];

// ---- agent -> coordinator
export const fromAgent = z.discriminatedUnion("type", [
  /** First after the handshake, on every connection. `held`: processes this agent still has; the coordinator says which to drop. */
  z.object({
    type: z.literal("hello"),
    version: z.number().int(),
    host: hostInfo,
    held: z.array(z.object({ pid, epoch })).max(100_000),
  }),
  /** On every change worth telling and at least every leaseMs/3: renews the leases of all `held`. */
  z.object({
    type: z.literal("load"),
    running: count,
    runnable: count,
    blocked: count,
    /** How many of its slots the host's policy lets compute when it is not paused. */
    slots: count.max(4096),
    /** Why the host computes nothing at the moment, in words and as the policy's code (docs/POLICY.md). */
    paused: z.string().max(200).nullable(),
    pausedCode: z.string().max(64).nullable(),
    /** While paused: what it has stays for so long, as its owner may leave again; then it is taken elsewhere. */
    keepMs: count,
    memoryFreeBytes: count,
    speed: z.number().nonnegative(),
    held: z
      .array(
        z.object({
          pid,
          epoch,
          state: z.enum(["running", "runnable", "blocked", "migrating"]),
          cpuMs: z.number().nonnegative(),
          memoryBytes: count,
        }),
      )
      .max(100_000),
  }),
  z.object({ type: z.literal("output"), pid, epoch, stream: z.union([z.literal(1), z.literal(2)]), offset: count, bytes: data }),
  /** The process holds no descriptor any more for this end of a pipe. May be said again. */
  z.object({ type: z.literal("pipeClosed"), pid, epoch, object: count, end: z.enum(["read", "write"]) }),
  /** seq counts the process's home calls from 0; a repeated seq gets the recorded answer. */
  z.object({ type: z.literal("syscall"), pid, epoch, seq: count, call: syscall }),
  z.object({ type: z.literal("checkpoint"), pid, epoch, image }),
  /** Sent at the moment the process stops for a move, before its image is taken: the freeze begins. */
  z.object({ type: z.literal("frozen"), pid, epoch }),
  /** The image is stored; the lease is given back. */
  z.object({ type: z.literal("surrender"), pid, epoch, image, wasRunning: z.boolean(), reason: z.string().max(200) }),
  /** The process is ready to compute here (image loaded, worker up): a freeze ends. */
  z.object({ type: z.literal("started"), pid, epoch }),
  /** The process could not be loaded or run here through no fault of its own. */
  z.object({ type: z.literal("refused"), pid, epoch, code: z.string().max(64), message: z.string().max(4096) }),
  z.object({
    type: z.literal("exited"),
    pid,
    epoch,
    report: exitReport,
    cpuMs: z.number().nonnegative(),
    outputBytes: count,
    errorBytes: count,
    /** Files the process wrote: relative path -> blob; null means removed. */
    files: z.record(path, z.object({ hash, size: count }).nullable()),
  }),
  /** Answers `welcome` and `policy`: these versions are obeyed from now on, or why not: then those from before still are. */
  z.object({
    type: z.literal("policyObeyed"),
    versions: z.array(count).max(MAX_POLICIES),
    problem: z.string().max(4096).nullable(),
  }),
  /** What becomes of a release that this host was told to take. A host that has taken it says so by its version in `hello`. */
  z.object({
    type: z.literal("upgrade"),
    version: versionText,
    step: z.enum(UPGRADE_STEPS),
    problem: z.string().max(1000).nullable(),
  }),
  /** Somebody watches the screensaver here: `cluster` is to be told until they no longer do. Forgotten with the connection. */
  z.object({ type: z.literal("watch"), on: z.boolean() }),
  /** Answers `prepare`, also where it could not: whoever comes then is refused with the reason. */
  z.object({ type: z.literal("prepared"), program: hash }),
  /** What has the process printed from this offset on? Of a job that is to be shown; to others there is no answer. */
  z.object({ type: z.literal("askPrinted"), pid, epoch, offset: count }),
]);
export type FromAgent = z.infer<typeof fromAgent>;

// ---- coordinator -> agent
export const toAgent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    version: z.number().int(),
    hostId: name,
    leaseMs: count,
    checkpointMs: count,
    drop: z.array(z.object({ pid, epoch })).max(100_000),
    policies,
  }),
  /** In place of `welcome`, which comes when an administrator lets this host in. Nothing else is answered before. */
  z.object({ type: z.literal("pending"), hostId: name }),
  /** In place of those told before, to be obeyed at once. */
  z.object({ type: z.literal("policy"), policies }),
  z.object({
    type: z.literal("run"),
    pid,
    parent: z.number().int().nonnegative(),
    epoch,
    spec: processSpec,
    /** Absent: from a coordinator that does not tell yet. */
    work: work.optional(),
    image: image.nullable(),
    /** Answer to the call the image is blocked in, when it is known already (a fork's 0, a call answered meanwhile). */
    result: syscallResult.nullable(),
  }),
  /**
   * Answers `askPrinted`: bytes of its standard output, and how many bytes it has printed. They begin later than was asked for where what was before
   * cannot be told: the other processes of its part have printed, too.
   */
  z.object({ type: z.literal("printed"), pid, epoch, offset: count, bytes: data, end: count }),
  z.object({ type: z.literal("outputAck"), pid, stream: z.union([z.literal(1), z.literal(2)]), offset: count }),
  z.object({
    type: z.literal("syscallResult"),
    pid,
    epoch,
    seq: count,
    result: syscallResult,
  }),
  z.object({ type: z.literal("checkpointAck"), pid, epoch, hash }),
  /** A process of this program is about to come, which is not to wait for it. Only to hosts that say that they know it. */
  z.object({ type: z.literal("prepare"), program: hash }),
  /** Stop the process, send its image, surrender it. */
  z.object({ type: z.literal("release"), pid, epoch, reason: z.string().max(200) }),
  z.object({ type: z.literal("signal"), pid, epoch, signal: count.max(64) }),
  /** Forget the process: it is fenced off, cancelled, or its exit is recorded. */
  z.object({ type: z.literal("drop"), pid, epoch }),
  /**
   * Take this release when it disturbs nobody; null: none, whatever was said before. `back`: that of the version the host has, so that it can
   * go back to it. Only to hosts that say which version they are.
   */
  z.object({ type: z.literal("upgrade"), release: signedRelease.nullable(), back: signedRelease.nullable() }),
  /** What this host has earned, in hours of one core of an ordinary office PC; its rank among so many; null: nothing yet. */
  z.object({
    type: z.literal("credit"),
    credit: z.number().nonnegative(),
    weekCredit: z.number().nonnegative(),
    rank: count.nullable(),
    hosts: count,
  }),
  /** The whole cluster in numbers of hosts, and its processes; `moves` between hosts since the coordinator started. Only to hosts that asked by `watch`. */
  z.object({
    ...{ type: z.literal("cluster"), hosts: count, online: count, computing: count, owners: count },
    ...{ processes: count, moves: count },
  }),
  z.object({ type: z.literal("bye"), code: z.string().max(64), message: z.string().max(4096) }),
]);
export type ToAgent = z.infer<typeof toAgent>;

// ---- clients (the command line): requests with answers and events
export const jobSpec = z.object({
  name,
  program: hash,
  args: z.array(text).max(MAX_ARGS),
  env: z.record(z.string().max(4096), text),
  files: z.record(path, z.object({ hash, size: count })),
  memoryLimitBytes: count,
  cpuLimitMs: count,
  clock: z.enum(["virtual", "host"]),
  /** A host name to start on; balancing may move it later unless `stay`. */
  startOn: name.nullable(),
  stay: z.boolean(),
  /** Ids of the only hosts that its processes may be on: they wait when none of them can be used. Absent: any. */
  onlyOn: z.array(name).min(1).max(1000).optional(),
  /** false: stdin is empty from the start. */
  stdin: z.boolean(),
  /** Many parts, each a process with arguments of its own. Absent: one. */
  sweep: sweep.optional(),
  /** Random is seeded by it in place of the job's number: the same job with the same seed does the same again. */
  seed: count.max(0xffffffff).optional(),
  /** Why its program cannot be moved; the coordinator says that, whatever it is told. Absent: it can be. */
  pinned: z.string().max(2000).optional(),
  /** What the screensavers of its hosts may show of it. Absent: that there are processes, no more. */
  show: show.optional(),
});
export type JobSpec = z.infer<typeof jobSpec>;

export const processState = z.enum(["queued", "leased", "running", "suspended", "migrating", "exited", "failed", "cancelled"]);
export type ProcessState = z.infer<typeof processState>;

/** A part is done when its first process has exited with 0, failed when it has ended otherwise. */
export const partState = z.enum(["queued", "running", "done", "failed", "cancelled"]);
export type PartState = z.infer<typeof partState>;
/** The rest waits or runs. Cancelled ones are among the failed. */
export const partCounts = z.object({ total: count, done: count, failed: count });
/** Most rows of one answer. */
export const MAX_ROWS = 1000;
/** Where to go on in an output. */
const place = z.object({ part: count, offset: count });

const policyView = z.object({
  version: count,
  scope: name,
  /** The scope with a host's name in place of its id. */
  name,
  at: z.number(),
  who: z.string(),
  document: z.record(z.string(), z.unknown()),
});

/** How an overhead experiment may be asked for. */
export const experimentOrder = z.object({
  /** Names or ids; work on both starts on the first. */
  hosts: z.tuple([name, name]),
  runs: z.number().int().min(1).max(20).default(4),
  /** Of fib(n): each more takes 1.6 times as long. */
  n: z.number().int().min(1).max(46).default(38),
});
export type ExperimentOrder = z.infer<typeof experimentOrder>;
const seconds = z.number().nonnegative();
const experimentTimes = z.object({ ta: seconds, ti: seconds, tb: seconds, overhead: z.number() });
/** What an overhead experiment has measured: the same processes on the first host alone (ta), on the second (ti), on both (tb), in seconds. */
export const experimentView = z.object({
  id: count,
  who: z.string(),
  state: z.enum(["running", "done", "failed", "cancelled", "interrupted"]),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  hosts: z.array(z.object({ id: name, name, os: z.string(), cpuModel: z.string(), slots: count })),
  n: count,
  runs: count,
  processes: count,
  step: z.enum(["preparing", "ta", "ti", "tb"]).nullable(),
  /** Of each run that has begun; null: not measured. */
  results: z.array(
    z.object({
      ta: seconds.nullable(),
      ti: seconds.nullable(),
      tb: seconds.nullable(),
      overhead: z.number().nullable(),
      jobs: z.object({ ta: count.optional(), ti: count.optional(), tb: count.optional() }),
      migrations: count,
      migratedProcesses: count,
      freezesMs: z.array(z.number()),
      disturbed: z.boolean(),
    }),
  ),
  /** Of the complete runs. mean.overhead is of the mean times, as published; median.overhead the median of the runs' own. */
  figures: z.object({ runs: count, mean: experimentTimes, median: experimentTimes }).nullable(),
});
export type ExperimentView = z.infer<typeof experimentView>;

const releaseCounts = {
  offered: count,
  ready: count,
  installing: count,
  back: count,
  declined: count,
  failed: count,
  lost: count,
};
/** A release as it spreads. */
export const releaseView = z.object({
  version: versionText,
  at: z.number(),
  who: z.string(),
  signedAt: z.number(),
  /** The release key that signed it. */
  key: z.string(),
  withdraws: z.array(versionText),
  state: z.enum(["ring", "all", "halted", "replaced"]),
  /** Who takes it first: all, tag:NAME or host:NAME; null: all at once. */
  ring: z.string().nullable(),
  toAllAt: z.number().nullable(),
  /** Why it was halted. */
  reason: z.string().nullable(),
  files: z.array(z.object({ name: z.string(), kind: z.enum(FILE_KINDS), sizeBytes: count, sha256: hash })),
  hosts: z.object(releaseCounts),
  /** Of the first 20 hosts that have one. */
  problems: z.array(z.object({ host: z.string(), problem: z.string() })),
});
export type ReleaseView = z.infer<typeof releaseView>;

/** More than any program takes that anybody waits for. */
const measuredSeconds = z.number().positive().max(1e7);
/** What programs took on one machine, measured there by its user: natively (null: no native program), as plain and as migratable WebAssembly. */
export const measurementOrder = z.object({
  machine: z.object({ name, cpuModel: name, cores: count.max(100_000), platform: name, node: name }),
  /** Of each program; the times are their medians, in seconds. */
  rounds: count.max(1000),
  /** With arguments that are too small for figures. */
  quick: z.boolean(),
  programs: z
    .array(
      z.object({
        name,
        native: measuredSeconds.nullable(),
        plainWasm: measuredSeconds,
        migratable: measuredSeconds,
        plainBytes: count,
        migratableBytes: count,
      }),
    )
    .min(1)
    .max(100),
});
export type MeasurementOrder = z.infer<typeof measurementOrder>;
export const measurementView = measurementOrder.extend({
  id: count,
  at: z.number(),
  who: z.string(),
  /** Geometric means over the programs, less one: 0.1 is 10 % more time. null: no program was measured natively. */
  means: z.object({
    plainOverNative: z.number().nullable(),
    migratableOverNative: z.number().nullable(),
    migratableOverPlain: z.number(),
  }),
});
export type MeasurementView = z.infer<typeof measurementView>;

const hostRow = z.object({
  name,
  id: name,
  tags: z.array(z.string()),
  online: z.boolean(),
  paused: z.string().nullable(),
  /** What administrators have said of it: scheduler/state.ts. */
  drained: z.boolean(),
  stay: z.boolean(),
  block: z.boolean(),
  slots: count,
  speed: z.number(),
  running: count,
  runnable: count,
  blocked: count,
  memoryBytes: count,
  memoryFreeBytes: count,
  os: z.string(),
  cpuModel: z.string(),
  /** null: it does not say. */
  version: versionText.nullable(),
  outOfDate: z.boolean(),
});

/** What a host has earned by computing (scheduler/credit.ts). */
export const creditRow = z.object({
  rank: count,
  id: z.string(),
  host: z.string(),
  credit: z.number(),
  coreHours: z.number(),
});

export const requests = {
  submit: { params: jobSpec, result: z.object({ job: count, pid }) },
  /**
   * Raw module in (blob hash), migratable program out. Instrumented once, then remembered by hash. `pin`: should it not be possible to move it, a
   * program that stays where it is, and `pinned` says why; null: it can be moved.
   */
  instrument: {
    params: z.object({ module: hash, pin: flag }),
    result: z.object({
      program: hash,
      sizeBytes: count,
      functions: count,
      sites: count,
      pinned: z.string().nullable(),
      cached: z.boolean(),
    }),
  },
  /** By pid, at most MAX_ROWS after this one. */
  ps: {
    params: z.object({ job: count.nullable(), all: z.boolean(), after: count.optional() }),
    result: z.array(
      z.object({
        pid,
        parent: count,
        job: count,
        part: count,
        /** Of the job. */
        parts: count,
        name,
        state: processState,
        host: name.nullable(),
        cpuMs: z.number(),
        memoryBytes: count,
        migrations: count,
        startedAt: z.number(),
        report: exitReport.nullable(),
        waiting: z.string().max(64).nullable(),
        /** It cannot be moved. */
        pinned: z.boolean(),
      }),
    ),
  },
  hosts: { params: z.object({}), result: z.array(hostRow) },
  /** By name or id. */
  hostChange: { params: z.object({ host: name, change: hostChange }), result: hostRow },
  job: {
    params: z.object({ job: count }),
    result: z.object({
      job: count,
      name,
      state: z.enum(["running", "exited", "failed", "cancelled"]),
      report: exitReport.nullable(),
      processes: count,
      submittedAt: z.number(),
      endedAt: z.number().nullable(),
      migrations: count,
      migratedRunning: count,
      migratedProcesses: count,
      restarts: count,
      freezesMs: z.array(z.number()),
      migrationBytes: count,
      migrationMessages: count,
      parts: partCounts,
      /** Files of a job of one part, as known so far; of others see `parts`. */
      files: z.record(path, z.object({ hash, size: count })),
    }),
  },
  /** Parts of a job by number, at most MAX_ROWS after this one. */
  parts: {
    params: z.object({ job: count, after: count }),
    result: z.array(
      z.object({
        part: count,
        pid,
        state: partState,
        report: exitReport.nullable(),
        tries: count,
        stdoutBytes: count,
        stderrBytes: count,
        files: z.record(path, z.object({ hash, size: count })),
      }),
    ),
  },
  /**
   * Follow a job's output (part after part), one part's or one process's: `output` and finally `ended` events until done or cancelled. An
   * offset is in the output of that part.
   */
  attach: {
    params: z.object({
      job: count.nullable(),
      part: count.optional(),
      pid: pid.nullable(),
      /** Absent: from the beginning. */
      stdout: place.optional(),
      stderr: place.optional(),
      follow: z.boolean(),
    }),
    result: z.object({ job: count }),
  },
  /** Parts that have not succeeded begin anew, all of them or those named; what they wrote before is forgotten. */
  retry: {
    params: z.object({ job: count, parts: z.array(count).min(1).max(MAX_PARTS).nullable() }),
    result: z.object({ retried: count }),
  },
  stdin: {
    params: z.object({ job: count, offset: count, bytes: data, end: z.boolean() }),
    result: z.object({ accepted: count }),
  },
  migrate: { params: z.object({ pid, host: name }), result: z.object({ from: name.nullable(), to: name }) },
  cancel: {
    params: z.object({ pid: pid.nullable(), job: count.nullable(), part: count.optional() }),
    result: z.object({ cancelled: count }),
  },
  tokenCreate: {
    params: z.object({ scope: linkScope, ttlMs: count, uses: count, approval: z.boolean() }),
    result: z.object({ link: z.string(), id: z.string(), expiresAt: z.number() }),
  },
  /** Join links that can still be used, newest first. */
  tokenList: { params: z.object({}), result: z.array(linkView) },
  tokenRevoke: { params: z.object({ id: name }), result: z.object({}) },
  userList: { params: z.object({}), result: z.array(userView) },
  /** A one-time link to the console: for a new user of this role, or with the name of one for a new password. */
  userInvite: {
    params: z.object({ role: userRole, name: personName.nullable() }),
    result: z.object({ link: z.string(), expiresAt: z.number() }),
  },
  userRole: { params: z.object({ name, role: userRole }), result: userView },
  userRemove: { params: z.object({ name }), result: z.object({}) },
  apiTokenList: { params: z.object({}), result: z.array(apiTokenView) },
  apiTokenCreate: {
    params: apiTokenOrder.extend({ user: name }),
    result: z.object({ token: z.string(), id: z.string(), expiresAt: z.number() }),
  },
  apiTokenRevoke: { params: z.object({ id: name }), result: z.object({}) },
  /** Administrators' policies: the newest of each scope, or all versions of one. Scopes are all, tag:NAME and host:NAME. */
  policyShow: { params: z.object({ scope: name.nullable() }), result: z.array(policyView) },
  /** `preview`: only what it would change. */
  policySet: {
    params: z.object({ scope: name, document: z.record(z.string().max(200), z.unknown()), preview: z.boolean() }),
    result: z.object({
      policy: policyView.nullable(),
      hosts: count,
      preview: z
        .object({
          changed: count,
          listed: z.array(
            z.object({
              name,
              changes: z.array(z.object({ setting: name, from: z.unknown(), to: z.unknown(), locked: z.boolean() })),
            }),
          ),
        })
        .nullable(),
    }),
  },
  policyUndo: {
    params: z.object({ scope: name, version: count.nullable() }),
    result: z.object({ policy: policyView, hosts: count }),
  },
  /** Hosts that wait to be let in. */
  pendingHosts: {
    params: z.object({}),
    result: z.array(
      z.object({
        id: name,
        name,
        since: z.number(),
        online: z.boolean(),
        os: z.string(),
        cpuModel: z.string(),
        slots: count,
      }),
    ),
  },
  /** Lets one in, by name or the beginning of its id, or turns it away for good. */
  pendingDecide: { params: z.object({ host: name, approve: z.boolean() }), result: z.object({}) },
  /** Overhead experiments: one at a time. */
  overheadStart: { params: experimentOrder, result: experimentView },
  /** The newest 50, newest first. */
  overheadList: { params: z.object({}), result: z.array(experimentView) },
  overheadShow: { params: z.object({ id: count }), result: experimentView },
  overheadCancel: { params: z.object({ id: count }), result: z.object({}) },
  /** Keeps what was measured; not for hosts. */
  measurementSend: { params: measurementOrder, result: measurementView },
  /** Of so many days, today among them; null: ever. */
  credit: { params: z.object({ days: z.number().int().min(1).max(36_500).nullable() }), result: z.array(creditRow) },
  /** The journal, newest first: those with the text in who, what, target or details, older than an event's id. As many as fit into a message. */
  events: {
    params: z.object({ text: z.string().max(200), before: count, limit: count.min(1).max(MAX_ROWS) }),
    result: z.array(
      z.object({
        ...{ id: count, at: z.number(), who: z.string(), what: z.string(), target: z.string(), details: z.string() },
      }),
    ),
  },
  /** Releases, newest first: the first is given out. */
  releaseList: { params: z.object({}), result: z.array(releaseView) },
  /** Its files have been uploaded as blobs. `ring`: a scope as of policies; null: all at once. */
  releasePublish: {
    params: z.object({ release: signedRelease, ring: name.nullable(), hours: z.number().positive().max(8760).nullable() }),
    result: releaseView,
  },
  /** The newest signed release of a version, to sign it anew. */
  releaseShow: { params: z.object({ version: versionText }), result: signedRelease },
  releaseHalt: { params: z.object({ version: versionText }), result: releaseView },
  releaseToAll: { params: z.object({ version: versionText }), result: releaseView },
  hostRevoke: { params: z.object({ host: name }), result: z.object({}) },
  status: {
    params: z.object({}),
    result: z.object({ version: z.string(), startedAt: z.number(), hosts: count, jobs: count, processes: count }),
  },
} as const;
export type Requests = typeof requests;
export type Method = keyof Requests;
export type Params<M extends Method> = z.infer<Requests[M]["params"]>;
export type Result<M extends Method> = z.infer<Requests[M]["result"]>;

export const fromClient = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello"), version: z.number().int() }),
  z.object({
    type: z.literal("request"),
    id: count,
    method: z.enum(Object.keys(requests) as [Method, ...Method[]]),
    params: z.unknown(),
  }),
  /** Ends the events of an attach. */
  z.object({ type: z.literal("stop"), id: count }),
]);
export type FromClient = z.infer<typeof fromClient>;

export const clientEvent = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("output"),
    pid,
    part: count,
    stream: z.union([z.literal(1), z.literal(2)]),
    /** Offset in the part's stream after these bytes. */ end: count,
    bytes: data,
  }),
  z.object({ event: z.literal("ended"), report: exitReport }),
]);
export type ClientEvent = z.infer<typeof clientEvent>;

export const toClient = z.discriminatedUnion("type", [
  z.object({ type: z.literal("welcome"), version: z.number().int() }),
  z.object({ type: z.literal("response"), id: count, result: z.unknown() }),
  z.object({
    type: z.literal("failure"),
    id: count,
    code: z.string().max(64),
    message: z.string().max(64 * 1024),
    details: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal("event"), id: count, event: clientEvent }),
  z.object({ type: z.literal("bye"), code: z.string().max(64), message: z.string().max(4096) }),
]);
export type ToClient = z.infer<typeof toClient>;
