import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, buildAgent } from "@nightshift/agent-app/desktop/testing";
import { expect, test } from "vitest";
import { Cluster, delay, local, until } from "../cluster.ts";
import { ChromiumPort } from "./chromium-port.ts";

/** NIGHTSHIFT_SOAK_SECONDS=3600 for the long one. */
const SECONDS = Number(process.env.NIGHTSHIFT_SOAK_SECONDS ?? 60);
const JOBS = 3;
/** A desktop that computes only what nothing else here wants may take long. */
const JOB_MS = 100_000;
const POLICY = {
  version: 1,
  defaults: {
    mode: "idle",
    idleAfterSeconds: 1,
    startAfterSeconds: 0,
    graceSeconds: 2,
    busyAbovePercent: 100,
    memoryFreeAbovePercent: 0,
    diskFreeAboveMegabytes: 0,
  },
};

test(`an owner who comes and goes, and a PC that sleeps, every few seconds for ${SECONDS} s: no process is lost, nothing grows`, {
  timeout: (SECONDS + 120) * 1000,
}, async () => {
  await using cluster = await Cluster.start({ agents: ["elsewhere"] });
  const built = mkdtempSync(join(tmpdir(), "soak-"));
  await buildAgent(built);
  const policyFile = join(built, "policy.json");
  writeFileSync(policyFile, JSON.stringify(POLICY));
  const port = new ChromiumPort(built, { idleSeconds: 3600 });
  const app = new App(port, { home: built, host: "desk", slots: 1, policyFile });
  await using _ = { [Symbol.asyncDispose]: () => port.close() };
  app.start({ kind: "app", link: null, hidden: true });
  app.join(cluster.hostLink);
  await until("it has joined", () => app.state().connected);
  const pid = port.agentPid;
  const memoryKb = (): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);

  const args = ["400", "4000"];
  const expected = (await local("steady-lines.c", args)).out;
  const ended: string[] = [];
  let over = false;
  const working = Array.from({ length: JOBS }, async () => {
    while (!over) ended.push((await cluster.end(await cluster.submit("steady-lines.c", args), undefined, JOB_MS)).stdout);
  });
  const began = Date.now();
  const memory: number[] = [];
  let turns = 0;
  let computed = 0;
  while (Date.now() - began < SECONDS * 1000) {
    // At the desk, or asleep; sometimes longer than the grace time, so that processes move on.
    const away = turns % 3 === 2 ? 2600 : 700;
    if (turns++ % 2 === 0) port.variables.idleSeconds = 0;
    else port.happen({ kind: "suspend" });
    await until("nothing computes", () => app.state().processes.every(({ state }) => state !== "running"));
    await delay(away);
    port.variables.idleSeconds = 3600;
    port.happen({ kind: "resume" });
    await until("it may compute again", () => app.state().reasons.length === 0);
    await delay(1200);
    if (app.state().icon === "computing") computed++;
    memory.push(memoryKb());
  }
  over = true;
  await Promise.all(working);
  expect(ended.length).toBeGreaterThan(0);
  for (const output of ended) expect(output).toBe(expected);
  expect(app.state().restarts).toBe(0);
  expect(computed).toBeGreaterThan(0);
  // The heap's own breathing is some megabytes; a process that stays behind is eight.
  const third = Math.ceil(memory.length / 3);
  const mean = (list: number[]): number => list.reduce((sum, one) => sum + one, 0) / list.length;
  expect(mean(memory.slice(-third)) - mean(memory.slice(third, 2 * third))).toBeLessThan(40_000);
  console.log(
    `${turns} turns, ${ended.length} jobs whole; computing at ${computed} looks; memory ${memory.map((kb) => Math.round(kb / 1024)).join(" ")} MB`,
  );
});
