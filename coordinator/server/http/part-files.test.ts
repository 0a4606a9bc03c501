import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
let program: { name: string; hash: string };
let file: { hash: string; size: number };
const uploaded = async (text: string): Promise<{ hash: string; size: number }> =>
  (await site.first.ask("PUT", "/api/files", new TextEncoder().encode(text))).body;
beforeAll(async () => {
  site = await startSite();
  program = { name: "a.c", hash: (await uploaded("int main(void) { return 0; }\n")).hash };
  file = await uploaded("of part 1");
});
afterAll(() => site.close());

const order = (files: Record<string, { hash: string; size: number }>) => ({
  ...{ program, sweep: { parameters: { n: ["x", "y"] }, inputs: { names: { "in.txt": "{n}.txt" }, files } } },
});

test("files that parts have of their own are kept as long as their job, and each part's are shown", async () => {
  const { body } = await site.first.post("/api/jobs", order({ "x.txt": file, "y.txt": await uploaded("of part 2") }));
  expect(site.running.coordinator.blobsInUse().roots).toContain(file.hash);
  expect((await site.first.get(`/api/jobs/${body.job}/parts/1`)).body.inputs).toEqual({ "in.txt": file });
});

test("one that is missing is refused, with the part; so is one that has not been uploaded", async () => {
  const missing = await site.first.post("/api/jobs", order({ "x.txt": file }));
  expect(refused(missing)).toEqual([400, "NS_BAD_JOB"]);
  expect(missing.body.problems).toEqual([
    { path: "files.in.txt", code: "no-file", values: { part: 2, name: "y.txt" }, message: "part 2: there is no file y.txt" },
  ]);
  const unknown = { hash: "0".repeat(64), size: 1 };
  expect(refused(await site.first.post("/api/jobs", order({ "x.txt": file, "y.txt": unknown })))).toEqual([404, "NS_NOT_FOUND"]);
});
