// What programs take on a machine, from the real command that measures it to the coordinator that keeps it.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "@nightshift/coordinator/store";
import { expect, test } from "vitest";
import { Cluster, refusal } from "../cluster.ts";

const MAIN = join(import.meta.dirname, "../../coordinator/cli/main.ts");
const PROGRAM = `#include <stdlib.h>
int main(int argc, char **argv) { volatile unsigned x = 1; for (long i = 0; i < atol(argv[1]) * 1000000; i++) x = x * 3 + 1; return 0; }
`;

test("a submitter's figures are sent and kept with the name of the machine; what is out of bounds is refused", async () => {
  await using cluster = await Cluster.start();
  const { link } = await cluster.client.request("tokenCreate", { scope: "submit", ttlMs: 60_000, uses: 1, approval: false });
  const run = (args: readonly string[], coordinator = ""): Promise<{ status: unknown; out: string; err: string }> => {
    const env = { ...process.env, NIGHTSHIFT_HOME: join(cluster.home, "elsewhere"), NIGHTSHIFT_COORDINATOR: coordinator };
    return new Promise((resolve) =>
      execFile(process.execPath, [MAIN, "bench", ...args], { env, cwd: cluster.home }, (error, out, err) =>
        resolve({ status: error?.code ?? 0, out, err }),
      ),
    );
  };
  writeFileSync(join(cluster.home, "own.c"), PROGRAM);
  const own = ["kernels", "--program", "own.c", "--quick", "--send"];
  // Nothing is measured for a coordinator that is not there.
  expect(await run([...own, "--", "5"])).toMatchObject({ status: 1, out: "", err: expect.stringContaining("NS_UNREACHABLE") });
  expect((await run(["owner", "--send"])).err).toContain("NS_USAGE: --send and --machine are for `bench kernels`");

  const sent = await run([...own, "--machine", "desk 7", "--json", "--", "5"], link);
  expect([sent.status, sent.err.includes("NS_")]).toEqual([0, false]);
  const { kernels, measurement, machine } = JSON.parse(sent.out);
  expect(measurement).toBe(1);
  const store = openSqlite(join(cluster.home, "coordinator", "state.sqlite"));
  const kept = store.measurements.one(1);
  const [{ native, plainWasm, migratable, plainBytes, migratableBytes }] = kernels;
  expect(kept).toMatchObject({
    machine: { name: "desk 7", cpuModel: machine.cpuModel, cores: machine.cores },
    rounds: 1,
    quick: true,
    programs: [{ name: "own.c", native, plainWasm, migratable, plainBytes, migratableBytes }],
  });
  const [event] = await store.journal.search({ text: "measurement-sent", before: Number.MAX_SAFE_INTEGER, limit: 1 });
  expect(event).toMatchObject({ who: kept?.who, target: "measurement 1", details: "1 program on desk 7" });

  const { id: _, at: _at, who: _who, ...good } = kept ?? ({} as never);
  const [one] = good.programs;
  for (const bad of [
    { programs: [] },
    { programs: Array.from({ length: 101 }, () => one) },
    { programs: [{ ...one, plainWasm: 0 }] },
    { programs: [{ ...one, native: Number.POSITIVE_INFINITY }] },
    { programs: [{ ...one, name: "x".repeat(201) }] },
    { machine: { ...good.machine, name: "" } },
    { rounds: 1001 },
  ])
    expect((await refusal(cluster.client.request("measurementSend", { ...good, ...bad } as never))).code).toBe("NS_BAD_MESSAGE");
  expect(store.measurements.list(Number.MAX_SAFE_INTEGER, 10, "")).toHaveLength(1);
  store.close();
});
