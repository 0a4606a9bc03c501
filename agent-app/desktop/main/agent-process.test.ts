import { expect, test } from "vitest";
import type { Begin, ProcessStatus } from "../agent/protocol.ts";
import { AgentProcess, MIN_RESTART_MS, SILENT_MS } from "./agent-process.ts";
import { VariablePort } from "./testing.ts";

const BEGIN = { name: "amun" } as Begin;
const STATUS = { connected: true } as ProcessStatus;

function running() {
  const port = new VariablePort();
  const ended: { code: string; restartMs: number }[] = [];
  const agent = new AgentProcess(port, {
    started: () => undefined,
    status: () => undefined,
    log: () => undefined,
    shown: () => undefined,
    upgrade: () => undefined,
    ended: ({ code }, restartMs) => ended.push({ code, restartMs }),
  });
  agent.start(BEGIN);
  return { port, agent, ended };
}

test("a process that ends is started again, later each time, and soon again once one has lived", () => {
  const { port, agent, ended } = running();
  for (const wait of [1, 2, 4]) {
    port.agent.on.exited(139);
    expect(ended.at(-1)).toEqual({ code: "NS_INTERNAL", restartMs: wait * MIN_RESTART_MS });
    const before = port.agents.length;
    port.time.pass(wait * MIN_RESTART_MS - 1);
    expect(port.agents.length).toBe(before);
    port.time.pass(1);
    expect(port.agents.length).toBe(before + 1);
    expect(port.agent.sent).toEqual([{ type: "begin", begin: BEGIN }]);
  }
  for (let second = 0; second < 61; second++) {
    port.time.pass(1_000);
    port.agent.say({ type: "status", status: STATUS });
  }
  port.agent.on.exited(1);
  expect(ended.at(-1)?.restartMs).toBe(MIN_RESTART_MS);
  expect(agent.restarts).toBe(4);
});

test("one that is not heard any more is ended, and started again", () => {
  const { port } = running();
  port.agent.say({ type: "status", status: STATUS });
  port.time.pass(SILENT_MS - 2_000);
  expect(port.agent.killed).toBe(false);
  port.time.pass(4_000);
  expect(port.agents[0]?.killed).toBe(true);
  port.time.pass(MIN_RESTART_MS);
  expect(port.agents.length).toBe(2);
});

test("sleep is no silence", () => {
  const { port } = running();
  port.time.nowMs += 8 * 3_600_000;
  port.time.pass(SILENT_MS - 2_000);
  expect(port.agents.map(({ killed }) => killed)).toEqual([false]);
});

test("an order is answered, refused, or given up when the process ends", async () => {
  const { port, agent } = running();
  const paused = agent.order({ command: "pause" });
  port.agent.say({ type: "answer", id: 1, answer: { ok: true, status: STATUS } });
  expect((await paused).status).toEqual(STATUS);
  const refused = agent.order({ command: "set" });
  port.agent.say({ type: "answer", id: 2, answer: { ok: false, code: "NS_FORBIDDEN", message: "locked" } });
  await expect(refused).rejects.toMatchObject({ code: "NS_FORBIDDEN", message: "locked" });
  const lost = agent.order({ command: "pause" });
  port.agent.on.exited(9);
  await expect(lost).rejects.toMatchObject({ code: "NS_UNREACHABLE" });
  await expect(agent.order({})).rejects.toMatchObject({ code: "NS_UNREACHABLE" });
});

test("what it says when it cannot work is the reason told", () => {
  const { port, ended } = running();
  port.agent.say({ type: "failed", code: "NS_BAD_POLICY", message: "policy.json ..." });
  port.agent.on.exited(1);
  expect(ended.at(-1)?.code).toBe("NS_BAD_POLICY");
});

test("stopped, it is asked to end, then ended, and not started again", () => {
  const { port, agent } = running();
  const { agent: process } = port;
  agent.stop();
  expect(process.sent.at(-1)).toEqual({ type: "end" });
  port.time.pass(1_000);
  expect(process.killed).toBe(true);
  port.time.pass(600_000);
  expect(port.agents.length).toBe(1);
});
