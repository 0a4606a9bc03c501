// Requests about the whole, its hosts, join links and events.
import { randomUUID } from "node:crypto";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { shortOf } from "../actions.ts";
import { hashOf } from "./access.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";
import { serveChanges } from "./stream.ts";

const MAX_STREAMS = 500;
const MAX_STREAMS_OF_ONE = 20;

type Served =
  | ("cluster" | "changes" | "hosts" | "host" | "changeHost" | "removeHost")
  | ("events" | "links" | "createLink" | "removeLink" | "pending" | "approve" | "refuse");

export function clusterHandlers({ coordinator, actions, pending, views, version, startedAt }: Services): Handlers<Served> {
  const { core, store } = coordinator;
  const run = hashOf(randomUUID()).slice(0, 8);
  const streams = new Map<string, number>();
  const find = (idOrName: string) => {
    const hosts = [...core.hosts.values()];
    const host = hosts.find(({ id }) => id === idOrName) ?? hosts.find(({ name }) => name === idOrName);
    if (!host) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${idOrName}"`);
    return host;
  };
  return {
    cluster: () => ({ version, startedAt, totals: views.totals(), samples: views.samples }),
    changes: (_, { who, gate, request, reply }) => {
      const open = [...streams.values()].reduce((sum, count) => sum + count, 0);
      const own = streams.get(who.name) ?? 0;
      if (open >= MAX_STREAMS || own >= MAX_STREAMS_OF_ONE)
        throw new NightshiftError("NS_RATE_LIMITED", "too many change streams are open");
      streams.set(who.name, own + 1);
      reply.hijack();
      const response = reply.raw;
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
      });
      response.once("close", () => {
        const left = (streams.get(who.name) ?? 1) - 1;
        if (left > 0) streams.set(who.name, left);
        else streams.delete(who.name);
      });
      const lastId = request.headers["last-event-id"];
      const allowed = (): boolean => gate.who(request)?.name === who.name;
      serveChanges(response, typeof lastId === "string" ? lastId : undefined, { coordinator, views, run, allowed });
      return undefined;
    },
    hosts: () => ({ hosts: views.hosts() }),
    host: ({ params }) => {
      const host = find(params.host);
      const processes = [...core.alive.values()].filter((process) => process.host === host.id).slice(0, 1000);
      const enrolledAt = store.device(host.id)?.enrolledAt ?? 0;
      return { host: views.host(host), enrolledAt, processes: processes.map((process) => views.process(process)) };
    },
    changeHost: ({ params, body }, { who }) => ({ host: views.host(actions.changeHost(params.host, body, who.name)) }),
    removeHost: ({ params }, { who }) => {
      actions.removeHost(params.host, who.name);
      return {};
    },
    events: ({ query }) => {
      const { search: text, before, limit } = query;
      const events = store.journal.search({ text, before, limit: limit + 1 });
      return { events: events.slice(0, limit), more: events.length > limit };
    },
    links: () => ({ links: actions.links().map((token) => ({ ...token, id: shortOf(token) })) }),
    createLink: ({ body }, { who }) => {
      const { link, token } = actions.createLink(body.scope, body.hours * 3600_000, body.uses, who.name, body.approval);
      return { link, id: shortOf(token), expiresAt: token.expiresAt };
    },
    pending: () => ({ hosts: pending.list() }),
    approve: ({ params }, { who }) => {
      pending.decide(params.host, true, who.name);
      return {};
    },
    refuse: ({ params }, { who }) => {
      pending.decide(params.host, false, who.name);
      return {};
    },
    removeLink: ({ params }, { who }) => {
      actions.removeLink(params.id, who.name);
      return {};
    },
  };
}
