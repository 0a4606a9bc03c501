import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NewEvent, openSqlite } from "../../store/index.ts";
import { PASSWORD, type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

/** Beside the coordinator, into its database. */
function note(...events: NewEvent[]): void {
  const store = openSqlite(join(site.home, "coordinator", "state.sqlite"));
  store.commit({ saved: [], output: [], events });
  store.close();
}
const event = (details: string): NewEvent => ({ at: Date.now(), who: "somebody", what: "host-joined", target: "amun", details });
const exported = async (query: string): Promise<string> => {
  const { status, body } = await site.first.get(`/api/events/export?${query}`);
  expect(status).toBe(200);
  return body;
};

test("all that a search finds is exported, newest first, however much it is", async () => {
  note(...Array.from({ length: 2500 }, (_, at) => event(`many ${at}`)), event("another"));
  const lines = (await exported("format=jsonl&search=many")).trimEnd().split("\n");
  expect(lines).toHaveLength(2500);
  expect(lines.map((line) => JSON.parse(line).details)).toEqual(Array.from({ length: 2500 }, (_, at) => `many ${2499 - at}`));
  expect((await exported("format=csv&search=many")).trimEnd().split("\r\n")).toHaveLength(2501);
  expect(await exported("format=jsonl&search=nothing+has+this")).toBe("");
});

test("it comes as a file, and what looks like a formula comes as text", async () => {
  note(event('=HYPERLINK("http://evil.example")'));
  const { headers, body } = await site.first.get("/api/events/export?format=csv&search=HYPERLINK");
  expect(headers.get("content-disposition")).toBe('attachment; filename="nightshift-events.csv"');
  expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(body).toContain(`,"'=HYPERLINK(""http://evil.example"")"\r\n`);
});

test("it is for administrators, in a format that there is", async () => {
  const submitter = await site.signedIn("submitter");
  expect(refused(await submitter.get("/api/events/export?format=csv"))).toEqual([403, "NS_FORBIDDEN"]);
  expect(refused(await site.first.get("/api/events/export?format=xlsx"))).toEqual([400, "NS_BAD_REQUEST"]);
});

test("no secret is in it: neither links, tokens and passwords, nor what somebody typed for a name", async () => {
  const invitation = (await site.first.post("/api/users", { role: "viewer" })).body.link.split("#")[1];
  const invited = (await site.first.post("/api/users", { role: "viewer" })).body.link;
  await site.person().accept(invited, "dora");
  const join = (await site.first.post("/api/links", { scope: "host", hours: 1, uses: 1 })).body.link.split("#")[1];
  const token = (await site.first.post("/api/tokens", { name: "backup", role: "viewer", days: 1 })).body.token;
  await site.person().post("/api/session", { name: "dora", password: "a guess at it" });
  await site.person().post("/api/session", { name: "hunter2 is my password", password: "x" });
  const all = await exported("format=jsonl");
  for (const what of ["user-invited", "user-added", "link-created", "api-token-created", "sign-in-failed"])
    expect(all).toContain(what);
  for (const secret of [invitation, invited.split("#")[1], ...join.split("."), token, PASSWORD, "a guess at it", "hunter2"])
    expect(all).not.toContain(secret);
});
