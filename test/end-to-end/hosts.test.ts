// A host as an administrator steers it with the real command: what stays, what comes, its name, its end.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Cluster } from "../cluster.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
const run = promisify(execFile);

test("a host is told to stay, blocked, drained, renamed, tagged, shown and revoked", async () => {
  await using cluster = await Cluster.start({ agents: ["amun", "ipc256"] });
  const nightshift = async (...args: string[]) => {
    const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
    return (await run(process.execPath, [MAIN, ...args], { env })).stdout;
  };
  const json = async (...args: string[]) => JSON.parse(await nightshift(...args, "--json"));
  expect(await json("host", "amun")).toMatchObject({ name: "amun", stay: false, block: false, drained: false, tags: [] });
  const told = ["host", "amun", "--stay", "--block", "--tags", "library, fast", "--rename", "amun-2"];
  expect(await json(...told)).toMatchObject({ name: "amun-2", stay: true, block: true, tags: ["library", "fast"] });
  expect(await nightshift("hosts")).toMatch(/^amun-2 +online, stay, block /m);
  await expect(cluster.run("hello", [], { startOn: "amun-2" })).rejects.toThrow("amun-2 is blocked: it takes nothing new");
  expect(await nightshift("host", "amun-2", "--no-stay", "--no-block", "--drain")).toMatch(/^amun-2 +kept clear +/m);
  await expect(nightshift("host", "amun-2", "--tags", "-bad-")).rejects.toThrow(/NS_BAD_MESSAGE.*letter or digit/s);
  await expect(nightshift("host", "nobody", "--stay")).rejects.toThrow("NS_NO_SUCH_HOST");
  await expect(nightshift("host", "amun-2", "--revoke", "--stay")).rejects.toThrow("NS_USAGE");
  expect(await nightshift("host", "amun-2", "--revoke")).toBe("amun-2 has been removed.\n");
  expect((await json("hosts")).map(({ name }: { name: string }) => name)).toEqual(["ipc256"]);
  const said = (await nightshift("events", "--search", "host-changed", "--json")).trimEnd().split("\n");
  expect(said.map((line) => JSON.parse(line).details)).toEqual([
    "kept clear; its processes are balanced again; takes new processes again",
    "amun is now amun-2; tags library, fast; its processes stay; takes nothing new",
  ]);
});
