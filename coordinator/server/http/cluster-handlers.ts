// Requests about the whole, its hosts, join links and events.
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type EventFormat, eventLine, eventsHead } from "../../protocol/index.ts";
import { HOUR_MS, type Store } from "../../store/index.ts";
import { linkRow, shortOf } from "../actions.ts";
import { hashOf } from "../secrets.ts";
import { addedUp } from "../usage.ts";
import type { Answer } from "./api.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";
import { serveChanges } from "./stream.ts";

const MAX_STREAMS = 500;
const MAX_STREAMS_OF_ONE = 20;
/** Adding up a week of all hosts takes long where they are many. */
const WEEKS_MS = 60_000;
const EXPORTS_AT_ONCE = 4;
/** Events that are read at once. */
const EXPORT_ROWS = 1000;

type Served =
  | ("cluster" | "changes" | "hosts" | "host" | "hostHours" | "hostWeeks" | "changeHost" | "removeHost" | "credit")
  | ("events" | "exportEvents" | "links" | "createLink" | "removeLink" | "pending" | "approve" | "refuse");

export function clusterHandlers({
  coordinator,
  actions,
  credit,
  pending,
  views,
  usage,
  version,
  startedAt,
}: Services): Handlers<Served> {
  const { core, store } = coordinator;
  const run = hashOf(randomUUID()).slice(0, 8);
  const streams = new Map<string, number>();
  let exports = 0;
  let weeks: { at: number; hosts: Answer<"hostWeeks">["hosts"] } = { at: 0, hosts: [] };
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
    hostHours: ({ params }) => {
      const { id } = find(params.host);
      const since = Date.now() - 28 * 24 * HOUR_MS;
      return { hours: addedUp([...store.usages.of(id, since), ...usage.recent(id)]) };
    },
    hostWeeks: () => {
      const now = Date.now();
      if (now - weeks.at >= WEEKS_MS) {
        const sums = store.usages.since(now - 7 * 24 * HOUR_MS);
        weeks = {
          at: now,
          hosts: sums.map(({ host: id, computing, idle, owner, paused }) => ({ id, computing, idle, owner, paused })),
        };
      }
      return { hosts: weeks.hosts };
    },
    changeHost: ({ params, body }, { who }) => ({ host: views.host(actions.changeHost(params.host, body, who.name)) }),
    removeHost: ({ params }, { who }) => {
      actions.removeHost(params.host, who.name);
      return {};
    },
    credit: ({ query }) => ({ hosts: credit.rows(query.days ?? null) }),
    events: async ({ query }) => {
      const { search: text, before, limit } = query;
      const events = await store.journal.search({ text, before, limit: limit + 1 });
      return { events: events.slice(0, limit), more: events.length > limit };
    },
    exportEvents: async ({ query }, { reply }) => {
      if (exports >= EXPORTS_AT_ONCE)
        throw new NightshiftError("NS_RATE_LIMITED", `more than ${EXPORTS_AT_ONCE} exports at a time`);
      exports++;
      reply.raw.once("close", () => exports--);
      const { search, format } = query;
      // Nothing that has happened by now is missing.
      await coordinator.stored();
      await reply
        .header("content-disposition", `attachment; filename="nightshift-events.${format}"`)
        .type(format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8")
        .send(Readable.from(exported(store.journal, search, format)));
      return undefined;
    },
    links: () => ({ links: actions.links().map(linkRow) }),
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

/** A piece at a time, each read when the one before has left; others have their turn between two. */
async function* exported(journal: Store["journal"], text: string, format: EventFormat): AsyncGenerator<string> {
  yield eventsHead(format);
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const events = await journal.search({ text, before, limit: EXPORT_ROWS });
    const last = events.at(-1);
    if (!last) return;
    yield events.map((event) => eventLine(event, format)).join("");
    before = last.id;
  }
}
