// Jobs of many parts on real agents: in order and exactly once whatever dies, and as the HTTP API has them.
import { Person } from "@nightshift/coordinator/server/testing";
import { expect, test } from "vitest";
import { Cluster, delay, local, Received, until } from "../cluster.ts";

const sweepOf = (count: number) => ({ parameters: { n: { from: 1, to: count, step: 1 } }, sets: [] });

test("an agent and the coordinator are killed in the middle of a sweep: every part's output comes once, one after the other", async () => {
  const expected = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => local("steady-lines.c", ["150", `${n}00`])));
  await using cluster = await Cluster.start({ settings: { leaseMs: 2000, checkpointMs: 300 }, agents: ["amun", "ipc256"] });
  const submitted = await cluster.submit("steady-lines.c", ["150", "{n}00"], { sweep: sweepOf(6) });
  const received = new Received();
  const end = cluster.end(submitted, received);
  await until("a part has printed and others are to come", () => received.bytes[1] > 2000);
  await cluster.killAgent("ipc256");
  await delay(500);
  await cluster.killCoordinator();
  await cluster.startCoordinator();
  const ended = await end;
  expect(ended.stdout).toBe(expected.map(({ out }) => out).join(""));
  expect(ended.stderr).toBe(expected.map(({ err }) => err).join(""));
  expect(ended).toMatchObject({ report: { kind: "exit", code: 0 }, info: { parts: { total: 6, done: 6, failed: 0 } } });
});

const SOURCE = `#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v) {
  printf("part %s\\n", v[1]);
  FILE *f = fopen("own.txt", "w");
  fprintf(f, "<%s>", v[1]);
  fclose(f);
  return atoi(v[1]) % 3 == 0;
}`;

test("over HTTP: submitted, shown part by part, tried again, and submitted again by its stored program", async () => {
  await using cluster = await Cluster.start({ agents: { amun: 2 } });
  const ada = new Person(`http://127.0.0.1:${cluster.port}`);
  await ada.accept(cluster.consoleUrl, "ada");
  const { hash } = (await ada.ask("PUT", "/api/files", new TextEncoder().encode(SOURCE))).body;
  const order = {
    program: { name: "parts.c", hash },
    args: ["{n}"],
    sweep: { parameters: { n: ["1", "2", "3", "4"] } },
    seed: 5,
  };
  const { job, diagnostics } = (await ada.post("/api/jobs", order)).body;
  expect(diagnostics).toBe("");
  const ended = (id: number) =>
    until("it has ended", async () => {
      const { body } = await ada.get(`/api/jobs/${id}`);
      return body.job.state !== "running" && body;
    });
  const detail = await ended(job);
  expect(detail).toMatchObject({
    job: { state: "failed", parts: { total: 4, done: 3, failed: 1 }, files: 4 },
    ...{ args: ["parts.c", "{n}"], sweep: { parameters: { n: ["1", "2", "3", "4"] } }, seed: 5, waiting: null },
  });
  expect((await ada.get(`/api/jobs/${job}/grid`)).body).toEqual({ states: "ddfd" });
  const { parts, more } = (await ada.get(`/api/jobs/${job}/parts?after=1&limit=2`)).body;
  expect([parts.map(({ part }: { part: number }) => part), more]).toEqual([[2, 3], true]);
  expect(parts[1]).toMatchObject({ state: "failed", report: { kind: "exit", code: 1 }, values: { n: "3" }, tries: 1, files: 1 });
  const { body: failed } = await ada.get(`/api/jobs/${job}/parts?state=failed`);
  expect(failed).toMatchObject({ parts: [{ part: 3 }], more: false });
  expect((await ada.get(`/api/jobs/${job}/parts/2`)).body).toMatchObject({
    args: ["parts.c", "2"],
    files: { "own.txt": { size: 3 } },
  });
  expect((await ada.get(`/api/jobs/${job}/output?part=4`)).body).toBe("part 4\n");
  expect((await ada.get(`/api/jobs/${job}/file?part=2&path=own.txt`)).body).toBe("<2>");
  expect((await ada.get(`/api/jobs/${job}/parts/9`)).body.code).toBe("NS_NO_SUCH_PART");

  expect((await ada.post(`/api/jobs/${job}/retry`, { parts: [1] })).body.code).toBe("NS_NOTHING_TO_RETRY");
  expect((await ada.post(`/api/jobs/${job}/retry`, { parts: null })).body).toEqual({ retried: 1 });
  await ended(job);
  expect((await ada.get(`/api/jobs/${job}/parts/3`)).body.part).toMatchObject({ tries: 2, state: "failed", stdoutBytes: 7 });
  const events = (await ada.get(`/api/events?search=job-retried`)).body.events;
  expect(events).toMatchObject([{ who: "ada", target: `j${job}`, details: "1 part" }]);

  const { program, args, sweep } = detail;
  const again = { program: { name: args[0], stored: program }, args: args.slice(1), sweep };
  const copy = (await ada.post("/api/jobs", again)).body.job;
  expect(await ended(copy)).toMatchObject({ program, job: { name: "parts.c", parts: { total: 4, done: 3, failed: 1 } } });
  const stranger = { ...again, program: { name: "x.c", stored: "f".repeat(64) } };
  expect((await ada.post("/api/jobs", stranger)).body.code).toBe("NS_NOT_FOUND");
});

test("a sweep that is wrong is refused with what and where, before anything is compiled", async () => {
  await using cluster = await Cluster.start();
  const ada = new Person(`http://127.0.0.1:${cluster.port}`);
  await ada.accept(cluster.consoleUrl, "ada");
  const post = async (more: Record<string, unknown>) =>
    (await ada.post("/api/jobs", { program: { name: "a.c", hash: "0".repeat(64) }, ...more })).body;
  expect(await post({ args: ["{m}"], sweep: { parameters: { n: ["1"] } } })).toMatchObject({
    code: "NS_BAD_JOB",
    message: expect.stringMatching(/args\[1\]: there is no parameter m/),
  });
  expect(await post({ args: ["{n}"], sweep: { parameters: { n: { from: 1, to: 1e6, step: 1 } } } })).toMatchObject({
    code: "NS_BAD_JOB",
    message: expect.stringMatching(/1000000 parts; a job has at most 10000/),
  });
});
