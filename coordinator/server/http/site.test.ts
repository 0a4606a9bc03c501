import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, type Name, REQUESTS_PER_MINUTE } from "./api.ts";
import { hashPassword, isPassword } from "./passwords.ts";
import { PASSWORD, type Person, refused, startSite, type TestSite } from "./testing.ts";

let site: TestSite & { first: Person };
let viewer: Person;
let submitter: Person;
beforeAll(async () => {
  site = await startSite();
  viewer = await site.signedIn("viewer");
  submitter = await site.signedIn("submitter");
});
afterAll(() => site.close());

/** A path of the route that names nothing there is. */
const pathOf = (name: Name): string => api[name].path.replaceAll(/:(job|pid|experiment)/g, "99").replaceAll(/:\w+/g, "nobody");
const names = Object.keys(api) as Name[];
const changing = names.filter((name) => api[name].method !== "GET" && api[name].access !== "anybody");

/** What fetch does not send. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; cookie: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(site.url + path, { method, headers }, (response) => {
      resolve({ status: response.statusCode ?? 0, cookie: response.headers["set-cookie"]?.[0] ?? "" });
      asked.destroy();
    });
    asked.once("error", reject);
    if (body === undefined) asked.flushHeaders();
    else asked.end(body);
  });
}

describe("signing in", () => {
  test("the first administrator comes by the one-time link, which works once", async () => {
    expect(site.running.consoleUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/welcome#[\w-]{43}$/);
    expect((await site.first.get("/api/session")).body).toMatchObject({
      signedIn: { name: "first", role: "administrator" },
      noUsers: false,
    });
    expect(refused(await site.person().accept(site.running.consoleUrl, "second"))).toEqual([410, "NS_BAD_INVITATION"]);
  });

  test("the cookie is for this site's requests only", async () => {
    const { headers } = await site.person().post("/api/session", { name: "first", password: PASSWORD });
    const [cookie] = headers.getSetCookie();
    expect(cookie).toMatch(/^nightshift=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
  });

  test("over anything but loopback the cookie is Secure", async () => {
    const body = JSON.stringify({ name: "first", password: PASSWORD });
    const headers = { host: "pool.example", "content-type": "application/json", "content-length": String(body.length) };
    const { status, cookie } = await raw("POST", "/api/session", headers, body);
    expect(status).toBe(200);
    expect(cookie).toMatch(/^__Host-nightshift=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  });

  test("a wrong name and a wrong password are told apart to nobody", async () => {
    const wrong = await site.person().post("/api/session", { name: "first", password: "not the password" });
    const nobody = await site.person().post("/api/session", { name: "nobody", password: PASSWORD });
    expect(refused(wrong)).toEqual([401, "NS_BAD_PASSWORD"]);
    expect(nobody.body).toEqual(wrong.body);
  });

  test("after signing out the cookie is worth nothing", async () => {
    const somebody = site.person();
    await somebody.post("/api/session", { name: "viewer", password: PASSWORD });
    expect((await somebody.get("/api/hosts")).status).toBe(200);
    const { cookie } = somebody;
    await somebody.ask("DELETE", "/api/session");
    somebody.cookie = cookie;
    expect(refused(await somebody.get("/api/hosts"))).toEqual([401, "NS_SIGNED_OUT"]);
  });

  test("passwords are kept by argon2id, each with a salt of its own", async () => {
    const [one, other] = await Promise.all([hashPassword(PASSWORD), hashPassword(PASSWORD)]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(other).not.toBe(one);
    expect(await isPassword(PASSWORD, one)).toBe(true);
    expect(await isPassword(`${PASSWORD}!`, one)).toBe(false);
    expect(await isPassword(PASSWORD, undefined)).toBe(false);
  });
});

describe("who may do what", () => {
  test.each(names.filter((name) => api[name].access !== "anybody"))("%s is refused to who is not signed in", async (name) => {
    expect(refused(await site.person().ask(api[name].method, pathOf(name)))).toEqual([401, "NS_SIGNED_OUT"]);
  });

  test.each(changing.filter((name) => api[name].access !== "viewer"))("%s is refused to a viewer", async (name) => {
    expect(refused(await viewer.ask(api[name].method, pathOf(name), {}))).toEqual([403, "NS_FORBIDDEN"]);
  });

  test.each(names.filter((name) => api[name].access === "administrator"))("%s is refused to a submitter", async (name) => {
    expect(refused(await submitter.ask(api[name].method, pathOf(name), api[name].method === "GET" ? undefined : {}))).toEqual([
      403,
      "NS_FORBIDDEN",
    ]);
  });

  test.each(changing)("%s needs the session's csrf value", async (name) => {
    const forged = site.person();
    forged.cookie = site.first.cookie;
    for (const csrf of ["", "x".repeat(43)]) {
      forged.csrf = csrf;
      expect(refused(await forged.ask(api[name].method, pathOf(name), {}))).toEqual([403, "NS_CSRF"]);
    }
  });

  test("a token may do what it was made for, and no more when its owner may less; removed, nothing", async () => {
    const owner = site.person();
    await owner.accept((await site.first.post("/api/users", { role: "submitter" })).body.link, "owner");
    expect(refused(await owner.post("/api/tokens", { name: "ci", role: "administrator", days: 1 }))).toEqual([
      403,
      "NS_FORBIDDEN",
    ]);
    const { token, id } = (await owner.post("/api/tokens", { name: "ci", role: "submitter", days: 1 })).body;
    const program = site.person();
    program.token = token;
    expect((await program.ask("PUT", "/api/files", new Uint8Array([1]))).status).toBe(200);
    expect(refused(await program.post("/api/tokens", { name: "more", role: "viewer", days: 1 }))).toEqual([403, "NS_FORBIDDEN"]);
    await site.first.ask("PATCH", "/api/users/owner", { role: "viewer" });
    expect(refused(await program.ask("PUT", "/api/files", new Uint8Array([1])))).toEqual([403, "NS_FORBIDDEN"]);
    expect((await program.get("/api/hosts")).status).toBe(200);
    expect(JSON.stringify((await owner.get("/api/tokens")).body)).not.toContain(token);
    await owner.ask("DELETE", `/api/tokens/${id}`);
    expect(refused(await program.get("/api/hosts"))).toEqual([401, "NS_SIGNED_OUT"]);
  });

  test("somebody else's token is not there", async () => {
    const { id } = (await site.first.post("/api/tokens", { name: "mine", role: "viewer", days: 1 })).body;
    expect((await viewer.get("/api/tokens")).body.tokens).toEqual([]);
    expect(refused(await viewer.ask("DELETE", `/api/tokens/${id}`))).toEqual([404, "NS_NOT_FOUND"]);
  });

  test("a removed user is out at once; the last administrator can be neither removed nor demoted", async () => {
    const gone = site.person();
    await gone.accept((await site.first.post("/api/users", { role: "administrator" })).body.link, "gone");
    expect((await site.first.ask("DELETE", "/api/users/gone")).status).toBe(200);
    expect(refused(await gone.get("/api/hosts"))).toEqual([401, "NS_SIGNED_OUT"]);
    expect(refused(await site.first.ask("DELETE", "/api/users/first"))).toEqual([400, "NS_USAGE"]);
    expect(refused(await site.first.ask("PATCH", "/api/users/first", { role: "viewer" }))).toEqual([400, "NS_USAGE"]);
  });

  test("an invitation does not take a name that is somebody's; one for a name sets a password and ends sessions", async () => {
    const { link } = (await site.first.post("/api/users", { role: "viewer" })).body;
    expect(refused(await site.person().accept(link, "first"))).toEqual([400, "NS_USAGE"]);
    const old = site.person();
    await old.accept(link, "forgetful");
    const renewed = (await site.first.post("/api/users", { role: "administrator", name: "forgetful" })).body.link;
    const back = site.person();
    expect((await back.accept(renewed, "whatever")).body).toMatchObject({ name: "forgetful", role: "viewer" });
    expect(refused(await old.get("/api/hosts"))).toEqual([401, "NS_SIGNED_OUT"]);
    expect((await back.get("/api/hosts")).status).toBe(200);
  });

  test("what was done stands in the events, with who did it", async () => {
    const { link, id } = (await site.first.post("/api/links", { scope: "host", hours: 1, uses: 2 })).body;
    expect(link).toMatch(/^nightshift:\/\//);
    expect((await site.first.get("/api/links")).body.links).toContainEqual(
      expect.objectContaining({ id, createdBy: "first", uses: 2 }),
    );
    expect((await site.first.ask("DELETE", `/api/links/${id}`)).status).toBe(200);
    expect((await site.first.get("/api/links")).body.links).not.toContainEqual(expect.objectContaining({ id }));
    const { events } = (await site.first.get(`/api/events?search=${id}`)).body;
    expect(events.map(({ who, what }: { who: string; what: string }) => `${who} ${what}`)).toEqual([
      "first link-removed",
      "first link-created",
    ]);
    const failed = (await site.first.get("/api/events?search=sign-in-failed&limit=1")).body;
    expect(failed).toMatchObject({ events: [{ what: "sign-in-failed" }], more: true });
    expect(JSON.stringify((await site.first.get("/api/events?limit=1000")).body)).not.toContain(PASSWORD);
  });
});

describe("bad input", () => {
  const withBody = names.filter((name) => "body" in api[name]);
  test.each(withBody)("%s refuses a body that does not fit", async (name) => {
    for (const body of [{}, { token: 7, name: {}, role: "king", tags: "x", old: [], host: 3, scope: 1, program: null }]) {
      if (name === "changeHost" && Object.keys(body).length === 0) continue; // nothing to change is no error
      expect(refused(await site.first.ask(api[name].method, pathOf(name), body))).toEqual([400, "NS_BAD_REQUEST"]);
    }
  });

  test.each(names.filter((name) => "params" in api[name] && /:(job|pid)/.test(api[name].path)))(
    "%s refuses a number that is none",
    async (name) => {
      for (const wrong of ["-1", "1.5", "x", "1e400"]) {
        const path = api[name].path.replace(/:\w+/, wrong);
        expect(refused(await site.first.ask(api[name].method, path, api[name].method === "GET" ? undefined : {}))).toEqual([
          400,
          "NS_BAD_REQUEST",
        ]);
      }
    },
  );

  test.each([
    "/api/jobs?limit=0",
    "/api/jobs?limit=100000",
    "/api/jobs?state=sleeping",
    `/api/jobs?search=${"x".repeat(201)}`,
    "/api/events?before=-1",
    "/api/jobs/1/processes?after=x",
    "/api/jobs/1/output?stream=3",
    "/api/jobs/1/output?limit=99999999",
    "/api/jobs/1/file",
  ])("GET %s is refused", async (path) => {
    expect(refused(await site.first.get(path))).toEqual([400, "NS_BAD_REQUEST"]);
  });

  test("what is not there is said so", async () => {
    expect(refused(await site.first.get("/api/jobs/99"))).toEqual([404, "NS_NO_SUCH_JOB"]);
    expect(refused(await site.first.get("/api/processes/99"))).toEqual([404, "NS_NO_SUCH_PROCESS"]);
    expect(refused(await site.first.get("/api/hosts/nobody"))).toEqual([404, "NS_NO_SUCH_HOST"]);
    expect(refused(await site.first.get("/api/nothing"))).toEqual([404, "NS_NOT_FOUND"]);
    const files = { a: { hash: "0".repeat(64), size: 1 } };
    const { hash } = (await submitter.ask("PUT", "/api/files", new TextEncoder().encode("x"))).body;
    expect(refused(await submitter.post("/api/jobs", { program: { name: "a.c", hash }, files }))).toEqual([404, "NS_NOT_FOUND"]);
    expect((await site.first.get("/api/jobs/99")).body).toEqual({
      code: "NS_NO_SUCH_JOB",
      message: "there is no job 99",
      remedy: expect.stringMatching(/./),
    });
  });

  test("broken JSON, a strange type, a program's name that leads elsewhere", async () => {
    const { hash } = (await submitter.ask("PUT", "/api/files", new Uint8Array([1]))).body;
    for (const name of ["../../x.c", "a/b.c", "x.py", "\\x.c", ".c", ""])
      expect(refused(await submitter.post("/api/jobs", { program: { name, hash } }))).toEqual([400, "NS_BAD_REQUEST"]);
    const broken = await fetch(`${site.url}/api/session`, {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect([broken.status, (await broken.json()).code]).toEqual([400, "NS_BAD_REQUEST"]);
    const strange = await fetch(`${site.url}/api/session`, {
      method: "POST",
      body: "<x/>",
      headers: { "content-type": "text/xml" },
    });
    expect([strange.status, (await strange.json()).code]).toEqual([400, "NS_BAD_REQUEST"]);
  });

  test("a program that does not compile is refused with what the compiler says, and without this machine's paths", async () => {
    const { hash } = (await submitter.ask("PUT", "/api/files", new TextEncoder().encode("int main(void) { return x; }\n"))).body;
    const { status, body } = await submitter.post("/api/jobs", { program: { name: "bad.c", hash } });
    expect([status, body.code]).toEqual([422, "NS_COMPILE_FAILED"]);
    expect(body.message).toMatch(/bad\.c:1:25: error: use of undeclared identifier 'x'/);
    expect(body.message).not.toMatch(/source-|\/tmp/);
  });

  test("a source cannot include what lies on the coordinator's disk", async () => {
    const source = new TextEncoder().encode('#include "/etc/passwd"\n#include "../../key"\nint main(void) { return 0; }\n');
    const { hash } = (await submitter.ask("PUT", "/api/files", source)).body;
    const { status, body } = await submitter.post("/api/jobs", { program: { name: "spy.c", hash } });
    expect([status, body.code]).toEqual([422, "NS_COMPILE_FAILED"]);
    expect(body.message).toMatch(/'\/etc\/passwd' file not found/);
    expect(body.message).not.toMatch(/root:/);
  });
});

describe("limits", () => {
  test("more than 64 MiB, or more than 1 MiB of JSON, is refused; a stranger is refused before sending it", async () => {
    const much = new Uint8Array(64 * 2 ** 20 + 1);
    expect(refused(await submitter.ask("PUT", "/api/files", much))).toEqual([413, "NS_LIMIT"]);
    expect(refused(await site.first.post("/api/links", { scope: "x".repeat(2 ** 20) }))).toEqual([413, "NS_LIMIT"]);
    // It announces bytes and sends none: the answer does not wait for them.
    const { status } = await raw("PUT", "/api/files", { "content-type": "application/octet-stream", "content-length": "1000" });
    expect(status).toBe(401);
  });

  test("guessing a password is slowed down for the address, whatever the name", async () => {
    const own = await startSite();
    try {
      const codes = new Set<string>();
      for (let turn = 0; turn < 11; turn++)
        codes.add((await own.person().post("/api/session", { name: `name${turn}`, password: "wrong password" })).body.code);
      expect([...codes]).toEqual(["NS_BAD_PASSWORD", "NS_RATE_LIMITED"]);
    } finally {
      await own.close();
    }
  });

  test("an address has so many requests a minute", async () => {
    const own = await startSite();
    try {
      const statuses: number[] = [];
      for (let turn = 0; turn < REQUESTS_PER_MINUTE + 20; turn += 20)
        statuses.push(
          ...(await Promise.all(Array.from({ length: 20 }, async () => (await own.person().get("/api/session")).status))),
        );
      expect(statuses.slice(0, REQUESTS_PER_MINUTE - 40)).not.toContain(429);
      expect(statuses).toContain(429);
    } finally {
      await own.close();
    }
  });
});

describe("the page's surroundings", () => {
  test("no script but the site's own, no framing, no guessing of types, nothing kept by caches", async () => {
    const { headers } = await site.first.get("/api/hosts");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
  test.skipIf(address === undefined)("over plain http others than this computer are refused, unless insisted on", async () => {
    for (const plainHttp of [false, true]) {
      const own = await startSite({ host: "0.0.0.0", plainHttp });
      try {
        const response = await fetch(`http://${address}:${own.running.port}/api/session`);
        const body = await response.json();
        if (plainHttp) expect(body).toMatchObject({ plainHttp: true });
        else expect([response.status, body.code]).toEqual([403, "NS_PLAIN_HTTP"]);
        expect((await fetch(`http://${address}:${own.running.port}/healthz`)).status).toBe(200);
      } finally {
        await own.close();
      }
    }
  });
});
