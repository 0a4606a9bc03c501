import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqlite } from "./index.ts";

const record = (at: number) => ({
  ...{ signed: { text: `release ${at}`, key: "", signature: "" }, at, who: "ada", reason: null },
  ...{ state: "ring" as const, ring: "tag:canary" as const, toAllAt: null },
});

test("the newest twelve releases are kept, with how far each host is, also by the next start", () => {
  const path = join(mkdtempSync(join(tmpdir(), "ns-releases-")), "state.sqlite");
  const store = openSqlite(path);
  const { releases } = store;
  const added = Array.from({ length: 14 }, (_, at) => {
    const release = releases.add(record(at));
    releases.saveHost(release.id, { host: "amun", state: "offered", at: 1, problem: null });
    return release;
  });
  const newest = added.at(-1);
  const first = added[0];
  if (!newest || !first) throw new Error("none");
  releases.saveHost(newest.id, { host: "amun", state: "failed", at: 2, problem: "the disk is full" });
  releases.saveHost(newest.id, { host: "ipc256", state: "offered", at: 2, problem: null });
  releases.forgetHost(newest.id, "ipc256");
  releases.save({ ...newest, state: "halted", reason: "by hand" });
  expect(releases.hosts(first.id)).toEqual([]);
  store.close();
  const again = openSqlite(path);
  const kept = again.releases.list();
  expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: 12 }, (_, index) => 13 - index));
  expect(kept[0]).toMatchObject({ state: "halted", reason: "by hand", ring: "tag:canary" });
  expect(again.releases.hosts(newest.id)).toEqual([{ host: "amun", state: "failed", at: 2, problem: "the disk is full" }]);
  again.close();
});
