// The audit log as an administrator keeps it: what really happened, written by the real command.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { openSqlite } from "@nightshift/coordinator/store";
import { expect, test } from "vitest";
import { Cluster } from "../cluster.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
const run = promisify(execFile);

test("events are listed, searched, and written as CSV and as JSON lines, however many there are", async () => {
  await using cluster = await Cluster.start({ agents: ["amun"] });
  const nightshift = async (...args: string[]) => {
    const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
    return (await run(process.execPath, [MAIN, "events", ...args], { env, maxBuffer: 1 << 26 })).stdout;
  };
  expect(await nightshift()).toMatch(/^WHEN +WHO +WHAT +TARGET +DETAILS\n.+ host-joined +amun/s);
  const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
  // More in one answer than a message holds.
  const details = "x".repeat(2000);
  const events = Array.from({ length: 2500 }, (_, at) => ({
    ...{ at: Date.now(), who: "ada", what: "host-changed" as const, target: `host ${at}`, details },
  }));
  store.commit({ saved: [], output: [], events });
  store.close();
  const lines = (await nightshift("--search", "host-changed", "--json")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).target)).toEqual(events.map(({ target }) => target).reverse());
  const csv = await nightshift("--csv", "-n", "2");
  expect(csv).toMatch(/^\uFEFFid,time,who,what,target,details\r\n\d+,\d{4}-[^,]+Z,ada,host-changed,host 2499,x{2000}\r\n/);
  expect(csv.trimEnd().split("\r\n")).toHaveLength(3);
  expect(await nightshift("--search", "nothing has this")).toBe("No such event.\n");
});
