// Credit as people see it: a real agent computes a real job, and the real commands say what it has earned by it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Cluster, until } from "../cluster.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
const run = promisify(execFile);

test("an agent earns credit by a job, which the ranking shows, and the agent itself when it has connected again", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "idle"] });
  const json = async (...args: string[]) => {
    const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
    const { stdout } = await run(process.execPath, [MAIN, ...args, "--json"], { env });
    return JSON.parse(stdout);
  };
  const own = async () => (await json("agent", "status", "--name", "amun"))[0].status.credit;
  expect(await json("credit")).toEqual([]);
  expect(await own()).toEqual({ credit: 0, weekCredit: 0, rank: null, hosts: 0 });

  const { job } = await cluster.run("steady-lines.c", ["100", "3000"], { onlyOn: ["amun"] });
  const [process_] = await cluster.ps(job);
  const hosts = await cluster.client.request("hosts", {});
  const { id, speed } = hosts.find(({ name }) => name === "amun") ?? { id: "", speed: 0 };
  const rows = await json("credit");
  expect(rows).toEqual([{ rank: 1, id, host: "amun", credit: expect.any(Number), coreHours: expect.any(Number) }]);
  const [{ credit, coreHours }] = rows;
  expect(coreHours * 3_600_000).toBeCloseTo(process_?.cpuMs ?? 0, 3);
  // An hour of a core of speed 200 is one credit.
  expect(credit).toBeCloseTo((coreHours * speed) / 200, 9);
  expect(credit).toBeGreaterThan(0);

  await cluster.killCoordinator();
  await cluster.startCoordinator();
  const told = await until("the agent is told", async () => {
    const now = await own();
    return now.rank !== null && now;
  });
  expect(told).toEqual({ credit, weekCredit: credit, rank: 1, hosts: 1 });
  expect(await json("credit", "--days", "7")).toEqual(rows);
});
