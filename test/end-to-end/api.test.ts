// The HTTP API against a live cluster: real agents compute, move and are sent away while somebody asks by plain fetch.
import type { Change } from "@nightshift/coordinator/server";
import { Person } from "@nightshift/coordinator/server/testing";
import { expect, test } from "vitest";
import { Cluster, text, until } from "../cluster.ts";

const SPIN = `
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  unsigned x = 1;
  for (long turn = 0; turn < atol(argv[1]); turn++) {
    for (int i = 0; i < 1000000; i++) x = x * 1664525u + 1013904223u;
    if (turn % 50 == 0) { printf("turn %ld\\n", turn); fflush(stdout); }
  }
  FILE *f = fopen("result.txt", "w");
  fprintf(f, "x is %u\\n", x);
  fclose(f);
  return 3;
}
`;
const bytes = (source: string): Uint8Array => new TextEncoder().encode(source);

async function administrator(cluster: Cluster): Promise<Person> {
  const person = new Person(`http://127.0.0.1:${cluster.port}`);
  await person.accept(cluster.consoleUrl, "ada");
  return person;
}

async function submit(person: Person, args: string[], more: Record<string, unknown> = {}): Promise<{ job: number; pid: number }> {
  const { hash } = (await person.ask("PUT", "/api/files", bytes(SPIN))).body;
  const { status, body } = await person.post("/api/jobs", { program: { name: "spin.c", hash }, args, ...more });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

/** Reads the change stream until the connection ends, or `stop`. */
class Stream {
  readonly changes: Change[] = [];
  lastId = "";
  private readonly controller = new AbortController();

  async open(person: Person, port: number, lastId = ""): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${port}/api/changes`, {
      headers: { cookie: person.cookie, ...(lastId && { "last-event-id": lastId }) },
      signal: this.controller.signal,
    });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    void this.read(response).catch(() => undefined);
  }

  private async read(response: Response): Promise<void> {
    let rest = "";
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += text(part);
      const events = rest.split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        this.lastId = /^id: (.*)$/m.exec(event)?.[1] ?? this.lastId;
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data) this.changes.push(JSON.parse(data));
      }
    }
  }

  stop(): void {
    this.controller.abort();
  }

  tells(pid: number, state: string): boolean {
    return this.changes.some(({ processes = [] }) => processes.some((row) => row[0] === pid && row[3] === state));
  }

  /** Numbers of the hosts that the process has been seen on, in order. */
  hostsOf(pid: number): number[] {
    const seen = this.changes.flatMap(({ processes = [] }) => processes.filter(([one]) => one === pid).map((row) => row[4]));
    return seen.filter((host, at) => host !== 0 && host !== seen[at - 1]);
  }
}

test("a program uploaded as source runs, its output comes in ranges, its file can be fetched", async () => {
  await using cluster = await Cluster.start({ agents: ["amun"] });
  const ada = await administrator(cluster);
  const { job } = await submit(ada, ["120"]);
  const detail = await until("the job has ended", async () => {
    const { body } = await ada.get(`/api/jobs/${job}`);
    return body.job.state !== "running" && body;
  });
  expect(detail).toMatchObject({
    job: { job, name: "spin.c", by: "ada", state: "exited", report: { kind: "exit", code: 3 }, processes: 1, alive: 0 },
    args: ["spin.c", "120"],
  });
  const whole = await ada.get(`/api/jobs/${job}/output`);
  expect(whole.body).toBe("turn 0\nturn 50\nturn 100\n");
  expect(whole.headers.get("nightshift-next")).toBe(String(whole.body.length));
  const part = await ada.get(`/api/jobs/${job}/output?from=5&limit=4`);
  expect([part.body, part.headers.get("nightshift-next")]).toEqual(["0\ntu", "9"]);
  expect((await ada.get(`/api/jobs/${job}/output?stream=2`)).body).toBe("");
  const file = await ada.get(`/api/jobs/${job}/file?path=result.txt`);
  expect(file.body).toMatch(/^x is \d+\n$/);
  expect(file.headers.get("content-disposition")).toMatch(/^attachment/);
  expect((await ada.get(`/api/jobs/${job}/file?path=constructor`)).status).toBe(404);
  const { stays } = (await ada.get(`/api/jobs/${job}/stays`)).body;
  expect(stays.map(({ host, ended }: { host: string | null; ended: boolean }) => [host, ended])).toEqual([
    ["amun", false],
    [null, true],
  ]);
  const what = (await ada.get("/api/events?limit=1000")).body.events.map((event: { what: string }) => event.what);
  expect(what).toEqual(expect.arrayContaining(["host-joined", "user-added", "signed-in", "job-submitted", "job-ended"]));
});

test("processes migrate on request and are seen moving; a lost stream goes on where it was", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"], settings: { balance: false } });
  const ada = await administrator(cluster);
  const stream = new Stream();
  await stream.open(ada, cluster.port);
  const { pid, job } = await submit(ada, ["1000000"], { startOn: "amun" });
  await until("it is seen running", () => stream.hostsOf(pid).length === 1);
  const all = stream.changes.flatMap(({ hosts = [] }) => hosts);
  const number = (name: string) => all.find((host) => host.name === name)?.number;
  expect(stream.changes[0]).toMatchObject({ reset: true });
  expect((await ada.post(`/api/processes/${pid}/migrate`, { host: "ipc256" })).body).toEqual({ from: "amun", to: "ipc256" });
  await until("it is seen on the other host", () => stream.hostsOf(pid).length === 2);
  expect(stream.hostsOf(pid)).toEqual([number("amun"), number("ipc256")]);
  const short = await submit(ada, ["0"]);
  await until("the end of another one is seen", () => stream.tells(short.pid, "exited"));
  stream.stop();

  // What happens while nobody listens is told afterwards, and only that.
  await ada.post(`/api/processes/${pid}/migrate`, { host: "amun" });
  await until("it is back", async () => (await ada.get(`/api/processes/${pid}`)).body.host === "amun");
  const later = new Stream();
  await later.open(ada, cluster.port, stream.lastId);
  await until("it is seen back", () => later.hostsOf(pid).length === 1);
  expect(later.hostsOf(pid)).toEqual([number("amun")]);
  expect(later.changes.some(({ reset }) => reset)).toBe(false);
  expect(later.tells(short.pid, "exited")).toBe(false);
  await ada.post(`/api/jobs/${job}/cancel`);
  await until("its end is seen", () => later.tells(pid, "cancelled"));
  later.stop();

  // An id of another run of the coordinator means nothing: everything anew.
  const stranger = new Stream();
  await stranger.open(ada, cluster.port, "00000000.5");
  await until("it begins anew", () => stranger.changes[0]?.reset);
  await until("hosts are there", () => stranger.changes.flatMap(({ hosts = [] }) => hosts).length >= 2);
  expect(stranger.hostsOf(pid)).toEqual([]);

  // Signed out, it ends with the next event.
  await ada.ask("DELETE", "/api/session");
  await cluster.control("amun", { command: "pause" });
  await until(
    "the pause is known",
    async () => (await cluster.client.request("hosts", {})).find(({ name }) => name === "amun")?.paused,
  );
  expect(stranger.changes.flatMap(({ hosts = [] }) => hosts).some(({ paused }) => paused !== null)).toBe(false);
  stranger.stop();
});

test("a submitter has a say in own jobs only", async () => {
  await using cluster = await Cluster.start({ agents: ["amun"] });
  const ada = await administrator(cluster);
  const bob = new Person(`http://127.0.0.1:${cluster.port}`);
  await bob.accept((await ada.post("/api/users", { role: "submitter" })).body.link, "bob");
  const { job, pid } = await submit(ada, ["1000000"]);
  for (const [path, body] of [
    [`/api/jobs/${job}/cancel`, {}],
    [`/api/processes/${pid}/cancel`, {}],
    [`/api/processes/${pid}/migrate`, { host: "amun" }],
  ] as const)
    expect([path, (await bob.post(path, body)).status]).toEqual([path, 403]);
  const own = await submit(bob, ["1000000"]);
  expect((await bob.post(`/api/jobs/${own.job}/cancel`)).body).toEqual({ cancelled: 1 });
  expect((await ada.get("/api/jobs?search=bob")).body.jobs.map((one: { job: number }) => one.job)).toEqual([own.job]);
  expect((await ada.post(`/api/processes/${pid}/cancel`)).body).toEqual({ cancelled: 1 });
});

test("a host kept clear gives its processes away and gets none; renamed and tagged it stays so over restarts", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
  const ada = await administrator(cluster);
  const { pid } = await submit(ada, ["1000000"], { startOn: "amun" });
  await until("it runs on amun", async () => (await ada.get(`/api/processes/${pid}`)).body.host === "amun");
  const changed = await ada.ask("PATCH", "/api/hosts/amun", { name: "library-3", tags: ["library"], drained: true });
  expect(changed.body.host).toMatchObject({ name: "library-3", tags: ["library"], drained: true });
  await until("it has left", async () => (await ada.get(`/api/processes/${pid}`)).body.host === "ipc256");
  expect((await ada.get("/api/hosts/library-3")).body.host.state).toBe("clear");
  expect((await ada.post(`/api/processes/${pid}/migrate`, { host: "library-3" })).body.code).toBe("NS_HOST_UNAVAILABLE");
  expect((await ada.ask("PATCH", "/api/hosts/ipc256", { name: "library-3" })).body.code).toBe("NS_USAGE");
  await cluster.killAgent("amun");
  await cluster.killCoordinator();
  await cluster.startCoordinator();
  const { hosts } = (await ada.get("/api/hosts")).body;
  expect(hosts).toContainEqual(
    expect.objectContaining({ name: "library-3", tags: ["library"], drained: true, state: "offline" }),
  );
  await ada.ask("PATCH", "/api/hosts/library-3", { drained: false });
  await cluster.startAgent("amun");
  await until("it works again", async () => (await ada.get("/api/hosts/library-3")).body.host.state === "idle");
});

test("a revoked host is cut off at once, its process goes on elsewhere, and it does not come back", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
  const ada = await administrator(cluster);
  const { pid } = await submit(ada, ["1000000"], { startOn: "amun" });
  await until("it runs on amun", async () => (await ada.get(`/api/processes/${pid}`)).body.state === "running");
  expect((await ada.ask("DELETE", "/api/hosts/amun")).status).toBe(200);
  // With the answer it is done: no lease has to run out first.
  expect((await ada.get("/api/hosts")).body.hosts.map(({ name }: { name: string }) => name)).toEqual(["ipc256"]);
  expect((await ada.get(`/api/processes/${pid}`)).body.host).toBe("ipc256");
  await until("it was told", () => cluster.logs().includes("NS_REVOKED"));
  expect((await ada.get("/api/hosts")).body.hosts).toHaveLength(1);
});
