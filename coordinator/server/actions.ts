// What people and programs can have the coordinator do, whichever way they come, tunnel or HTTP: checked against what there is, carried
// out, and written into the journal. Who may ask is checked before, where they come in.

import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { z } from "zod";
import { fill, several } from "../protocol/deed-details.ts";
import { type JobSpec, type linkView, requireInputs, requireSweep } from "../protocol/index.ts";
import { type Host, type Job, takes, whyNot } from "../scheduler/index.ts";
import type { Device, TokenRecord } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";
import { createToken } from "./enrolment.ts";
import type { HostPolicies } from "./policies.ts";

const MAX_TTL_MS = 365 * 24 * 3600_000;

export interface HostChange {
  name?: string | undefined;
  tags?: readonly string[] | undefined;
  drained?: boolean | undefined;
  stay?: boolean | undefined;
  block?: boolean | undefined;
}

export class Actions {
  private readonly coordinator: Coordinator;
  private readonly policies: HostPolicies;
  private readonly linkTo: (token: Uint8Array) => string;
  private readonly disconnect: (key: string) => void;

  /**
   * @param linkTo the join link for a token
   * @param disconnect ends the connections of a key that has been revoked, at once
   */
  constructor(
    coordinator: Coordinator,
    policies: HostPolicies,
    linkTo: (token: Uint8Array) => string,
    disconnect: (key: string) => void,
  ) {
    this.coordinator = coordinator;
    this.policies = policies;
    this.linkTo = linkTo;
    this.disconnect = disconnect;
  }

  /**
   * @param spec hosts it may be on only, by name or id
   * @throws NS_BAD_JOB, NS_NOT_FOUND (program), NS_NO_SUCH_HOST, NS_HOST_UNAVAILABLE
   */
  submit(asked: JobSpec, who: string): Job {
    const { coordinator } = this;
    const made = coordinator.store.madeProgram(asked.program);
    const spec: JobSpec = {
      ...asked,
      pinned: made?.pinned ?? undefined,
      ...(asked.onlyOn && { onlyOn: asked.onlyOn.map((host) => this.host(host).id) }),
    };
    requireSweep(spec);
    requireInputs(spec.sweep);
    if (spec.sweep !== undefined && spec.startOn !== null)
      throw new NightshiftError("NS_BAD_JOB", "parts of a sweep cannot all start on one host; name the hosts it may use instead");
    if (!made)
      throw new NightshiftError("NS_NOT_FOUND", "the program is not known here; have it made migratable first (`instrument`)");
    if (spec.startOn !== null) {
      const host = this.host(spec.startOn);
      if (!takes(host)) throw new NightshiftError("NS_HOST_UNAVAILABLE", `${host.name} is ${whyNot(host)}`);
      if (spec.pinned !== undefined && host.info.smallStack)
        throw new NightshiftError("NS_HOST_UNAVAILABLE", `a pinned program cannot run in a browser, which ${host.name} is`);
    }
    const job = coordinator.apply((core, now) => core.submit(spec, now, who));
    const { total } = job.parts;
    const details = total === 1 ? spec.name : fill("{job}, {parts} parts", { job: spec.name, parts: total });
    coordinator.note({ who, what: "job-submitted", target: `j${job.id}`, details });
    return job;
  }

  /** @param parts null: all that have failed @returns how many begin anew @throws as Core.retry() */
  retry(job: number, parts: readonly number[] | null, who: string): number {
    const retried = this.coordinator.apply((core, now) => core.retry(job, parts, now));
    const details = retried === 1 ? fill("1 part", {}) : fill("{parts} parts", { parts: retried });
    this.coordinator.note({ who, what: "job-retried", target: `j${job}`, details });
    return retried;
  }

  /** @returns how many processes it ended @throws NS_NO_SUCH_JOB, NS_NO_SUCH_PROCESS, NS_NOT_RUNNING */
  cancel(target: { pid: number } | { job: number; part?: number }, who: string): number {
    const cancelled = this.coordinator.apply((core, now) => core.cancel(target, now));
    if ("pid" in target) this.coordinator.note({ who, what: "process-cancelled", target: `${target.pid}`, details: "" });
    else {
      const details = fill("{processes} processes", { processes: cancelled });
      this.coordinator.note({ who, what: "job-cancelled", target: nameOf(target), details });
    }
    return cancelled;
  }

  /** @param host name or id @throws NS_NO_SUCH_PROCESS, NS_NO_SUCH_HOST, NS_HOST_UNAVAILABLE, NS_NOT_RUNNING */
  migrate(pid: number, host: string, who: string): { from: string | null; to: string } {
    const moved = this.coordinator.apply((core, now) => core.migrate(pid, host, now));
    this.coordinator.note({
      who,
      what: "process-migrated",
      target: `${pid}`,
      details:
        moved.from === null
          ? fill("queue to {to}", { to: moved.to })
          : fill("{from} to {to}", { from: moved.from, to: moved.to }),
    });
    return moved;
  }

  createLink(
    scope: Device["scope"],
    ttlMs: number,
    uses: number,
    who: string,
    approval: boolean,
  ): { link: string; token: TokenRecord } {
    if (approval && scope !== "host") throw new NightshiftError("NS_USAGE", "only hosts can be made to wait for approval");
    const { store } = this.coordinator;
    const { bytes, token } = createToken(store, scope, Math.min(ttlMs, MAX_TTL_MS), uses, Date.now(), who, approval);
    this.coordinator.note({
      who,
      what: "link-created",
      target: shortOf(token),
      details: fill(approval ? "{scope}, {uses} uses, with approval" : "{scope}, {uses} uses", { scope, uses }),
    });
    return { link: this.linkTo(bytes), token };
  }

  /** Those with which somebody can still join, newest first; not the one by which this machine's administrator comes in. */
  links(): TokenRecord[] {
    const now = Date.now();
    return this.coordinator.store
      .tokens()
      .filter(
        (token) => token.uses > 0 && token.expiresAt > now && !(token.createdBy === "coordinator" && token.scope === "admin"),
      );
  }

  /** @param id as shortOf() gives it @throws NS_NOT_FOUND */
  removeLink(id: string, who: string): void {
    const token = this.links().find((candidate) => shortOf(candidate) === id);
    if (!token) throw new NightshiftError("NS_NOT_FOUND", `there is no join link ${id}`);
    this.coordinator.store.removeToken(token.hash);
    this.coordinator.note({ who, what: "link-removed", target: id, details: token.scope });
  }

  /** @throws NS_NO_SUCH_HOST, NS_USAGE when another host has the name */
  changeHost(idOrName: string, change: HostChange, who: string): Host {
    const { store, core } = this.coordinator;
    const host = this.host(idOrName);
    const device = store.device(host.id);
    if (!device) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${idOrName}"`);
    const before = host.tags.join();
    const { name = host.name, tags = host.tags, drained = host.drained, stay = host.stay, block = host.block } = change;
    if ([...core.hosts.values()].some((other) => other.id !== host.id && other.name === name))
      throw new NightshiftError("NS_USAGE", `another host is called "${name}"`);
    store.saveDevice({ ...device, name, tags, drained, stay, block });
    const said = [
      ...(name === host.name ? [] : [fill("{before} is now {after}", { before: host.name, after: name })]),
      ...(tags.join() === host.tags.join()
        ? []
        : [tags.length === 0 ? "no tags" : fill("tags {tags}", { tags: tags.join(", ") })]),
      ...(drained === host.drained ? [] : [drained ? "kept clear" : "takes work again"]),
      ...(stay === host.stay ? [] : [stay ? "its processes stay" : "its processes are balanced again"]),
      ...(block === host.block ? [] : [block ? "takes nothing new" : "takes new processes again"]),
    ];
    this.coordinator.apply((changing, now) => changing.setHost(host.id, { name, tags, drained, stay, block }, now));
    if (tags.join() !== before) this.policies.tell(host);
    if (said.length > 0) this.coordinator.note({ who, what: "host-changed", target: name, details: several(said) });
    return host;
  }

  /** Its key is worth nothing from now on, and its connection ends at once; so with the key of a client of that name. @throws NS_NO_SUCH_HOST */
  removeHost(idOrName: string, who: string): void {
    const { store, core } = this.coordinator;
    const host = [...core.hosts.values()].find(({ id, name }) => id === idOrName || name === idOrName);
    const device = store.devices().find((one) => (host ? one.key === host.id : one.name === idOrName && one.revokedAt === null));
    if (!device) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${idOrName}"`);
    store.saveDevice({ ...device, revokedAt: Date.now() });
    this.disconnect(device.key);
    this.coordinator.apply((changing, now) => changing.hostRemoved(device.key, now));
    this.coordinator.note({ who, what: "host-removed", target: device.name, details: "" });
  }

  /** @throws NS_NO_SUCH_HOST */
  host(idOrName: string): Host {
    const hosts = [...this.coordinator.core.hosts.values()];
    const host = hosts.find(({ id }) => id === idOrName) ?? hosts.find(({ name }) => name === idOrName);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${idOrName}"`);
    return host;
  }
}

/** How people name a link: the beginning of its token's hash. */
export const shortOf = (token: TokenRecord): string => token.hash.slice(0, 12);

/** What is shown of one. */
export function linkRow(token: TokenRecord): z.infer<typeof linkView> {
  const { hash: _, ...shown } = token;
  return { id: shortOf(token), ...shown };
}

/** How people name a job, or one of its parts. */
const nameOf = ({ job, part }: { job: number; part?: number }): string => (part ? `j${job}.${part}` : `j${job}`);
