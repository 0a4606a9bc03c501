// One client's connection: requests in, answers and events out. Checks rights and parameters; the core and the store do the work.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type FromClient, type Method, type Params, type Result, requests, type ToClient } from "../protocol/index.ts";
import { isEnded, type Job, type ProcessRecord } from "../scheduler/index.ts";
import type { Device } from "../store/index.ts";
import type { Actions } from "./actions.ts";
import type { Coordinator } from "./coordinator.ts";
import type { OverheadExperiments } from "./experiments.ts";
import { Following } from "./following.ts";
import type { PendingHosts } from "./pending.ts";
import type { HostPolicies } from "./policies.ts";
import { type PolicyAnswers, policyAnswers } from "./policy-answers.ts";
import type { Programs } from "./programs.ts";

export interface ClientServices {
  coordinator: Coordinator;
  programs: Programs;
  actions: Actions;
  policies: HostPolicies;
  pending: PendingHosts;
  experiments: OverheadExperiments;
  /** A one-time link to the console. @param user whose password it sets; null: for a new administrator */
  consoleLink(user: string | null): string;
  version: string;
  startedAt: number;
}

const ADMIN_ONLY: ReadonlySet<Method> = new Set([
  "tokenCreate",
  "hostRevoke",
  "consoleLink",
  "policySet",
  "policyUndo",
  "pendingHosts",
  "pendingDecide",
]);
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

  private get who(): string {
    return `client ${this.device.name}`;
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
    instrument: ({ module }) => this.services.programs.instrument(module),
    ps: ({ job, all }) => this.ps(job, all),
    hosts: () => this.hosts(),
    job: ({ job }) => jobResult(this.job(job)),
    attach: (params, id) => this.attach(params, id),
    stdin: ({ job, offset, bytes, end }) => ({
      accepted: this.services.coordinator.apply((core) => core.stdin(job, offset, bytes, end)),
    }),
    migrate: ({ pid, host }) => this.services.actions.migrate(pid, host, this.who),
    cancel: ({ pid, job }) => this.cancel(pid, job),
    tokenCreate: ({ scope, ttlMs, uses, approval }) => {
      const { link, token } = this.services.actions.createLink(scope, ttlMs, uses, this.who, approval);
      return { link, expiresAt: token.expiresAt };
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
    hostRevoke: ({ host }) => {
      this.services.actions.removeHost(host, this.who);
      return {};
    },
    consoleLink: ({ user }) => {
      const { store } = this.services.coordinator;
      if (user !== null && !store.people.user(user)) throw new NightshiftError("NS_NOT_FOUND", `there is no user "${user}"`);
      this.services.coordinator.note({ who: this.who, what: "user-invited", target: user ?? "", details: "administrator" });
      return { link: this.services.consoleLink(user) };
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
        processes: this.ps(null, false).length,
      };
    },
  };

  private job(id: number): Job {
    const job = this.services.coordinator.core.jobs.get(id);
    if (!job) throw new NightshiftError("NS_NO_SUCH_JOB", `there is no job ${id}`);
    return job;
  }

  private cancel(pid: number | null, job: number | null): Result<"cancel"> {
    if ((pid === null) === (job === null)) throw new NightshiftError("NS_BAD_MESSAGE", "cancel takes a process or a job");
    const target = pid !== null ? { pid } : { job: job as number };
    return { cancelled: this.services.actions.cancel(target, this.who) };
  }

  private ps(job: number | null, all: boolean): Result<"ps"> {
    const { core } = this.services.coordinator;
    const processes = job === null ? [...core.processes.values()] : core.processesOf(this.job(job).id);
    return processes
      .filter((process) => all || !isEnded(process))
      .map((process: ProcessRecord) => ({
        pid: process.pid,
        parent: process.parent,
        job: process.job,
        name: this.job(process.job).spec.name,
        state: process.state,
        host: process.host === null ? null : (core.hosts.get(process.host)?.name ?? process.host.slice(0, 8)),
        cpuMs: process.cpuMs,
        memoryBytes: process.memoryBytes,
        migrations: process.migrations,
        startedAt: process.startedAt,
        report: process.report,
        waiting: process.waiting?.call.call ?? null,
      }));
  }

  private hosts(): Result<"hosts"> {
    return [...this.services.coordinator.core.hosts.values()].map((host) => ({
      name: host.name,
      id: host.id,
      online: host.online,
      paused: host.paused,
      slots: host.info.slots,
      speed: host.speed,
      running: host.running,
      runnable: host.runnable,
      blocked: host.blocked,
      memoryBytes: host.info.memoryBytes,
      memoryFreeBytes: host.memoryFreeBytes,
      os: host.info.os,
      cpuModel: host.info.cpuModel,
    }));
  }

  private attach({ job: jobId, pid, stdoutFrom, stderrFrom, follow }: Params<"attach">, id: number): Result<"attach"> {
    const { coordinator } = this.services;
    const process = pid === null ? undefined : coordinator.core.processes.get(pid);
    if (pid !== null && !process) throw new NightshiftError("NS_NO_SUCH_PROCESS", `there is no process ${pid}`);
    const job = this.job(process?.job ?? jobId ?? 0);
    const following = new Following(coordinator, job, process, { 1: stdoutFrom, 2: stderrFrom }, follow, {
      event: (event) => this.send({ type: "event", id, event }),
      backlogBytes: this.backlogBytes,
      ended: () => this.follows.delete(id),
    });
    this.follows.set(id, () => following.stop());
    coordinator.whenStored(() => following.begin()); // after the answer to the request itself
    return { job: job.id };
  }
}

const jobResult = (job: Job): Result<"job"> => ({
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
  files: job.files,
});
