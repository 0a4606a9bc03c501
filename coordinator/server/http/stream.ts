// The change stream as one client sees it: server-sent events, each with what has changed since the one before. A client that reads slowly
// gets fewer events that tell of more; nothing is queued for it. After a lost connection it goes on from the last id it has seen.
import type { ServerResponse } from "node:http";
import type { Coordinator } from "../coordinator.ts";
import type { HostView, JobView, ProcessRow, Sample, Views } from "../views.ts";
import type { Answer } from "./api.ts";

/** The data of an event `change`. */
export interface Change {
  /** Forget everything: what follows is all there is. */
  reset?: true;
  hosts?: HostView[];
  /** Ids of hosts that are gone. */
  gone?: string[];
  jobs?: JobView[];
  /** One that has ended is in state exited, failed or cancelled. */
  processes?: ProcessRow[];
  sample?: Sample;
  totals?: Answer<"cluster">["totals"];
  /** Another number than before: what is answered about events, people, policies, links, releases and hosts that wait may be new. */
  lists?: number;
  /** More follows at once: not yet all of it. */
  more?: true;
}

/** Changes are gathered for so long: 10 events a second at most. */
const GATHER_MS = 100;
/** Things in one event: about 30 KB of processes. */
const BATCH = 1000;
/** Told as an event, so that a page knows a silent connection from a quiet cluster. */
const BEAT_MS = 10_000;

export interface StreamPorts {
  coordinator: Coordinator;
  views: Views;
  /** Told apart from an earlier run of the coordinator, whose ids mean nothing any more. */
  run: string;
  /** Whether whoever reads may go on; asked before every event. */
  allowed(): boolean;
}

/** Serves until the client goes, or may no longer read. @param lastId as the client has it, or undefined @returns how to end it */
export function serveChanges(response: ServerResponse, lastId: string | undefined, ports: StreamPorts): () => void {
  const { coordinator, views, run, allowed } = ports;
  const { feed } = coordinator;
  const resumed = lastId?.startsWith(`${run}.`) ? Number(lastId.slice(run.length + 1)) : -1;
  const goesOn = Number.isInteger(resumed) && resumed >= 0 && feed.canGoOn(resumed);
  let cursor = goesOn ? resumed : 0;
  let reset = !goesOn;
  /** Where the feed was when the client began at 0. */
  let beganAt = goesOn ? 0 : feed.cursor;
  let timer: NodeJS.Timeout | undefined;
  let blocked = false;
  let over = false;

  const wake = (): void => {
    if (!over && !blocked) timer ??= setTimeout(send, GATHER_MS);
  };
  const write = (text: string): void => {
    if (response.write(text)) return;
    blocked = true;
    response.once("drain", () => {
      blocked = false;
      send();
    });
  };
  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (over || blocked) return;
    if (!allowed()) return end();
    if (!feed.canGoOn(Math.max(cursor, beganAt))) {
      cursor = 0;
      reset = true;
      beganAt = feed.cursor;
    }
    const changes = feed.since(cursor, BATCH, beganAt);
    if (changes.cursor === cursor && !reset) return;
    cursor = changes.cursor;
    const change: Change = {
      ...(reset && { reset }),
      ...render(changes.keys, { coordinator, views }),
      ...(changes.more && { more: true }),
    };
    write(`id: ${run}.${cursor}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`);
    reset = false;
    if (changes.more && !blocked) setImmediate(send);
  };
  const unwatch = coordinator.watch(wake);
  const beat = setInterval(() => (allowed() ? !blocked && write("event: beat\ndata: {}\n\n") : end()), BEAT_MS);
  const end = (): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    clearInterval(beat);
    unwatch();
    response.end();
  };
  response.once("close", end);
  response.once("error", end);
  send();
  return end;
}

/** How the things are now. */
export function render(keys: readonly string[], { coordinator, views }: { coordinator: Coordinator; views: Views }): Change {
  const { core } = coordinator;
  const hosts: HostView[] = [];
  const gone: string[] = [];
  const jobs: JobView[] = [];
  const processes: ProcessRow[] = [];
  let sample: Sample | undefined;
  let lists: number | undefined;
  for (const key of keys) {
    const slash = key.indexOf("/");
    const [kind, id] = [key.slice(0, slash), key.slice(slash + 1)];
    if (kind === "process") {
      const process = core.processes.get(Number(id));
      if (process) processes.push(views.row(process));
    } else if (kind === "host") {
      const host = core.hosts.get(id);
      if (host) hosts.push(views.host(host));
      else gone.push(id);
    } else if (kind === "job") {
      const job = core.jobs.get(Number(id));
      if (job) jobs.push(views.job(job));
    } else if (kind === "lists") lists = coordinator.lists;
    else sample = views.samples.at(-1);
  }
  return {
    ...(hosts.length > 0 && { hosts }),
    ...(gone.length > 0 && { gone }),
    ...(jobs.length > 0 && { jobs }),
    ...(processes.length > 0 && { processes }),
    ...(lists !== undefined && { lists }),
    ...(sample && { sample, totals: views.lastTotals }),
  };
}
