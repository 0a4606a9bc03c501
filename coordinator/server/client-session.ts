// One client's connection: requests in, answers and events out. Checks rights and parameters; the core and the store do the work.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type FromClient, MAX_ROWS, type Method, type Params, type Result, requests, type ToClient } from "../protocol/index.ts";
import { type Host, isEnded, type Job, type Part, type ProcessRecord } from "../scheduler/index.ts";
import type { Device, User } from "../store/index.ts";
import { type Actions, linkRow, shortOf } from "./actions.ts";
import type { Coordinator } from "./coordinator.ts";
import type { CreditBoard } from "./credit.ts";
import type { OverheadExperiments } from "./experiments.ts";
import { Following, type Place } from "./following.ts";
import type { MachineMeasurements } from "./measurements.ts";
import type { PendingHosts } from "./pending.ts";
import type { PeopleActions } from "./people.ts";
import type { HostPolicies } from "./policies.ts";
import { type PolicyAnswers, policyAnswers } from "./policy-answers.ts";
import type { Programs } from "./programs.ts";
import type { HostReleases } from "./releases.ts";
import { takeStdin } from "./stdin.ts";
import { partState } from "./views.ts";

export interface ClientServices {
  coordinator: Coordinator;
  programs: Programs;
  actions: Actions;
  policies: HostPolicies;
  pending: PendingHosts;
  experiments: OverheadExperiments;
  measurements: MachineMeasurements;
  releases: HostReleases;
  credit: CreditBoard;
  people: PeopleActions;
  /** The console's address of a one-time link's secret. */
  invitationUrl(secret: string): string;
  version: string;
  startedAt: number;
}

const ADMIN_ONLY: ReadonlySet<Method> = new Set([
  "tokenCreate",
  "tokenList",
  "tokenRevoke",
  "userList",
  "userInvite",
  "userRole",
  "userRemove",
  "apiTokenList",
  "apiTokenCreate",
  "apiTokenRevoke",
  "hostRevoke",
  "hostChange",
  "policySet",
  "policyUndo",
  "pendingHosts",
  "pendingDecide",
  "events",
  "releasePublish",
  "releaseHalt",
  "releaseToAll",
]);
/** Files of parts in one answer. */
const MAX_FILES_AT_ONCE = 2000;
/** Characters of events in one answer. */
const MAX_EVENT_CHARACTERS = 200_000;
/** Of a key's hexadecimal digits: more than anybody can find another key for. */
const KEY_SHOWN = 24;
/** Experiments in one answer. */
const MAX_EXPERIMENTS = 50;
/** Requests of one client that may be under way at a time. */
const MAX_UNDERWAY = 256;

export class ClientSession {
  private readonly services: ClientServices;
  private readonly device: Device;
  private readonly send: (message: ToClient) => void;
  private readonly backlogBytes: () => number;
  private readonly follows = new Map<number, () => void>();
  private readonly policies: PolicyAnswers;
  private underway = 0;

  /** @param backlogBytes what waits to be sent to this client */
  constructor(services: ClientServices, device: Device, send: (message: ToClient) => void, backlogBytes: () => number) {
    this.backlogBytes = backlogBytes;
    this.services = services;
    this.policies = policyAnswers(services.policies);
    this.device = device;
    this.send = send;
  }

  /** Names are what clients call themselves: of one that may act on its own jobs only, the key says whose they are. */
  private get who(): string {
    const { name, scope, key } = this.device;
    return scope === "admin" ? `client ${name}` : `client ${name} ${key.slice(0, KEY_SHOWN)}`;
  }

  closed(): void {
    for (const stop of this.follows.values()) stop();
    this.follows.clear();
  }

  message(message: FromClient): void {
    if (message.type === "hello") return this.send({ type: "welcome", version: 1 });
    if (message.type === "stop") {
      this.follows.get(message.id)?.();
      this.follows.delete(message.id);
      return;
    }
    void this.request(message.id, message.method, message.params);
  }

  private async request(id: number, method: Method, raw: unknown): Promise<void> {
    this.underway++;
    try {
      if (this.underway > MAX_UNDERWAY)
        throw new NightshiftError("NS_RATE_LIMITED", `more than ${MAX_UNDERWAY} requests at a time`);
      if (ADMIN_ONLY.has(method) && this.device.scope !== "admin")
        throw new NightshiftError("NS_FORBIDDEN", `"${method}" is for administrators; this key may ${this.device.scope}`);
      const parsed = requests[method].params.safeParse(raw);
      if (!parsed.success)
        throw new NightshiftError(
          "NS_BAD_MESSAGE",
          `"${method}": ${parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`,
        );
      const handler = this.handlers[method] as (params: unknown, id: number) => unknown;
      const result = await handler(parsed.data, id);
      this.services.coordinator.whenStored(() => this.send({ type: "response", id, result }));
    } catch (thrown) {
      const { code, message, details } = asNightshiftError(thrown);
      this.send({ type: "failure", id, code, message, details: { ...details } });
    } finally {
      this.underway--;
    }
  }

  private readonly handlers: { [M in Method]: (params: Params<M>, id: number) => Result<M> | Promise<Result<M>> } = {
    submit: (spec) => {
      const job = this.services.actions.submit(spec, this.who);
      return { job: job.id, pid: job.root };
    },
    instrument: ({ module, pin }) => this.services.programs.instrument(module, pin ?? false),
    ps: (params) => this.ps(params),
    hosts: () => this.hosts(),
    job: ({ job }) => {
      const found = this.job(job);
      const only = found.parts.total === 1 ? this.services.coordinator.core.part(job, 1) : undefined;
      return jobResult(found, only?.files ?? {});
    },
    parts: (params) => this.parts(params),
    retry: ({ job, parts }) => ({ retried: this.services.actions.retry(this.own(job).id, parts, this.who) }),
    attach: (params, id) => this.attach(params, id),
    stdin: async (params) => {
      this.own(params.job);
      return { accepted: await takeStdin(this.services.coordinator, params) };
    },
    migrate: ({ pid, host }) => {
      this.own(this.process(pid).job);
      return this.services.actions.migrate(pid, host, this.who);
    },
    cancel: (target) => this.cancel(target),
    tokenCreate: ({ scope, ttlMs, uses, approval }) => {
      const { link, token } = this.services.actions.createLink(scope, ttlMs, uses, this.who, approval);
      return { link, id: shortOf(token), expiresAt: token.expiresAt };
    },
    tokenList: () => this.services.actions.links().map(linkRow),
    tokenRevoke: ({ id }) => {
      this.services.actions.removeLink(id, this.who);
      return {};
    },
    userList: () => this.services.people.users().map(userRow),
    userInvite: ({ role, name }) => {
      const { token, expiresAt } = this.services.people.invite(role, name, this.who);
      return { link: this.services.invitationUrl(token), expiresAt };
    },
    userRole: ({ name, role }) => userRow(this.services.people.changeRole(name, role, this.who)),
    userRemove: ({ name }) => {
      this.services.people.remove(name, this.who);
      return {};
    },
    apiTokenList: () => this.services.people.apiTokens().map(({ hash: _, ...token }) => token),
    apiTokenCreate: ({ user, ...order }) => this.services.people.createApiToken(user, order, this.who),
    apiTokenRevoke: ({ id }) => {
      this.services.people.removeApiToken(id, null, this.who);
      return {};
    },
    overheadStart: (order) => this.services.experiments.start(order, this.who),
    overheadList: () => this.services.experiments.list(Number.MAX_SAFE_INTEGER, MAX_EXPERIMENTS),
    overheadShow: ({ id }) => this.services.experiments.one(id),
    overheadCancel: ({ id }) => {
      this.services.experiments.cancel(id, this.who, this.device.scope === "admin");
      return {};
    },
    policyShow: ({ scope }) => (scope === null ? this.policies.all() : this.policies.versions(scope)),
    policySet: ({ scope, document, preview }) => {
      if (!preview) return { ...this.policies.set(scope, document, this.who), preview: null };
      const { hosts, ...rest } = this.policies.preview(scope, document);
      return { policy: null, hosts, preview: rest };
    },
    policyUndo: ({ scope, version }) => this.policies.undo(scope, version ?? undefined, this.who),
    pendingHosts: () => this.services.pending.list(),
    pendingDecide: ({ host, approve }) => {
      this.services.pending.decide(host, approve, this.who);
      return {};
    },
    releaseList: () => this.services.releases.list(),
    releasePublish: (order) => this.services.releases.publish(order, this.who),
    releaseShow: ({ version }) => this.services.releases.published(version).signed,
    releaseHalt: ({ version }) => this.services.releases.halt(version, this.who),
    releaseToAll: ({ version }) => this.services.releases.toAll(version, this.who),
    measurementSend: (order) => this.services.measurements.add(order, this.who),
    events: (search) => this.events(search),
    credit: ({ days }) => this.services.credit.rows(days),
    hostChange: ({ host, change }) => this.hostRow(this.services.actions.changeHost(host, change, this.who)),
    hostRevoke: ({ host }) => {
      this.services.actions.removeHost(host, this.who);
      return {};
    },
    status: () => {
      const { core } = this.services.coordinator;
      const online = [...core.hosts.values()].filter((host) => host.online).length;
      const running = [...core.jobs.values()].filter((job) => job.state === "running").length;
      return {
        version: this.services.version,
        startedAt: this.services.startedAt,
        hosts: online,
        jobs: running,
        processes: core.alive.size,
      };
    },
  };

  private job(id: number): Job {
    const job = this.services.coordinator.core.jobs.get(id);
    if (!job) throw new NightshiftError("NS_NO_SUCH_JOB", `there is no job ${id}`);
    return job;
  }

  private process(pid: number): ProcessRecord {
    const process = this.services.coordinator.core.processes.get(pid);
    if (!process) throw new NightshiftError("NS_NO_SUCH_PROCESS", `there is no process ${pid}`);
    return process;
  }

  /** A job that this client may act on: administrators on any, others on what they submitted. */
  private own(id: number): Job {
    const job = this.job(id);
    if (this.device.scope !== "admin" && job.by !== this.who)
      throw new NightshiftError("NS_FORBIDDEN", `job j${id} is somebody else's`);
    return job;
  }

  private cancel({ pid, job, part }: Params<"cancel">): Result<"cancel"> {
    if ((pid === null) === (job === null) || (pid !== null && part !== undefined))
      throw new NightshiftError("NS_BAD_MESSAGE", "cancel takes a process, a job, or a part of a job");
    const target = pid !== null ? { pid } : { job: job as number, ...(part !== undefined && { part }) };
    this.own(pid !== null ? this.process(pid).job : (job as number));
    return { cancelled: this.services.actions.cancel(target, this.who) };
  }

  private parts({ job, after }: Params<"parts">): Result<"parts"> {
    const { core } = this.services.coordinator;
    const { total } = this.job(job).parts;
    const rows: Result<"parts"> = [];
    let files = 0;
    for (let number = after + 1; number <= total && rows.length < MAX_ROWS; number++) {
      const part = core.part(job, number);
      files += Object.keys(part.files).length;
      // So that the answer fits into a message.
      if (files > MAX_FILES_AT_ONCE && rows.length > 0) break;
      const { root, report, tries, stdoutBytes, stderrBytes } = part;
      rows.push({
        part: number,
        pid: root,
        state: partState(core, part),
        report,
        tries,
        stdoutBytes,
        stderrBytes,
        files: part.files,
      });
    }
    return rows;
  }

  private ps({ job, all, after = 0 }: Params<"ps">): Result<"ps"> {
    const { core } = this.services.coordinator;
    const known = all ? core.processes : core.alive;
    const processes = job === null ? [...known.values()] : core.processesOf(this.job(job).id);
    return processes
      .filter((process) => process.pid > after && (all || !isEnded(process)))
      .sort((a, b) => a.pid - b.pid)
      .slice(0, MAX_ROWS)
      .map((process: ProcessRecord) => ({ process, of: this.job(process.job) }))
      .map(({ process, of }) => ({
        pid: process.pid,
        parent: process.parent,
        job: process.job,
        part: process.part,
        parts: of.parts.total,
        name: of.spec.name,
        state: process.state,
        host: process.host === null ? null : (core.hosts.get(process.host)?.name ?? process.host.slice(0, 8)),
        cpuMs: process.cpuMs,
        memoryBytes: process.memoryBytes,
        migrations: process.migrations,
        startedAt: process.startedAt,
        report: process.report,
        waiting: process.waiting?.call.call ?? null,
        pinned: of.spec.pinned !== undefined,
      }));
  }

  private async events(search: Params<"events">): Promise<Result<"events">> {
    const found = await this.services.coordinator.store.journal.search(search);
    let characters = 0;
    // So that the answer fits into a message; the first always does.
    const end = found.findIndex(({ who, target, details }, at) => {
      characters += who.length + target.length + details.length;
      return at > 0 && characters > MAX_EVENT_CHARACTERS;
    });
    return end < 0 ? found : found.slice(0, end);
  }

  private hosts(): Result<"hosts"> {
    return [...this.services.coordinator.core.hosts.values()].map((host) => this.hostRow(host));
  }

  private hostRow(host: Host): Result<"hosts">[number] {
    return {
      ...{ name: host.name, id: host.id, tags: [...host.tags], online: host.online, paused: host.paused },
      ...{ drained: host.drained, stay: host.stay, block: host.block },
      slots: host.info.slots,
      speed: host.speed,
      running: host.running,
      runnable: host.runnable,
      blocked: host.blocked,
      memoryBytes: host.info.memoryBytes,
      memoryFreeBytes: host.memoryFreeBytes,
      os: host.info.os,
      cpuModel: host.info.cpuModel,
      version: host.info.app?.version ?? null,
      outOfDate: this.services.releases.isOutOfDate(host),
    };
  }

  private attach({ job: jobId, part: number, pid, stdout, stderr, follow }: Params<"attach">, id: number): Result<"attach"> {
    const { coordinator } = this.services;
    const { core } = coordinator;
    const process = pid === null ? undefined : core.processes.get(pid);
    if (pid !== null && !process) throw new NightshiftError("NS_NO_SUCH_PROCESS", `there is no process ${pid}`);
    const job = this.job(process?.job ?? jobId ?? 0);
    const only = process?.part ?? number;
    const part = only === undefined ? undefined : core.part(job.id, only);
    // The beginning of one part is where it alone begins.
    const start = { part: part?.number ?? 1, offset: 0 };
    const at = (place: Place | undefined): Place => (place && (!part || place.part === part.number) ? place : start);
    const following = new Following(coordinator, { job, part, process }, { 1: at(stdout), 2: at(stderr) }, follow, {
      event: (event) => this.send({ type: "event", id, event }),
      backlogBytes: this.backlogBytes,
      ended: () => this.follows.delete(id),
    });
    this.follows.set(id, () => following.stop());
    coordinator.whenStored(() => following.begin()); // after the answer to the request itself
    return { job: job.id };
  }
}

/** Without what only the store needs. */
const userRow = ({ name, role, createdAt }: User): Result<"userList">[number] => ({ name, role, createdAt });

const jobResult = (job: Job, files: Part["files"]): Result<"job"> => ({
  job: job.id,
  name: job.spec.name,
  state: job.state,
  report: job.report,
  processes: job.processes,
  submittedAt: job.submittedAt,
  endedAt: job.endedAt,
  migrations: job.migrations,
  migratedRunning: job.migratedRunning,
  migratedProcesses: job.migratedProcesses,
  restarts: job.restarts,
  freezesMs: job.freezesMs,
  migrationBytes: job.migrationBytes,
  migrationMessages: job.migrationMessages,
  parts: job.parts,
  files,
});
