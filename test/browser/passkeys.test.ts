// Passkeys in a real browser with the virtual authenticator of its developer tools, which has a key store as a device has.
import { request } from "node:http";
import { type Person, refused, startSite, type TestSite } from "@nightshift/coordinator/server/testing";
import axe from "axe-core";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, withoutChromium } from "./chromium.ts";
import { ensureConsole } from "./console-stage.ts";

describe.skipIf(withoutChromium("passkeys"))("passkeys", () => {
  let site: TestSite & { first: Person };
  let browser: Browser;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId = "";
  let origin = "";

  const told = async (): Promise<string> => {
    await page.getByRole("alert").waitFor();
    return page.getByRole("alert").innerText();
  };
  const isIn = () => page.getByRole("heading", { name: "Cluster", level: 1 }).waitFor();
  const toSignIn = async (): Promise<void> => {
    await page.context().clearCookies();
    await page.goto(origin);
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  };
  /** What the page would send after the device has been asked. */
  const answer = async (): Promise<string> => {
    await toSignIn();
    let body = "";
    await page.route("**/api/session/passkey", (route) => {
      body = route.request().postData() ?? "";
      return route.abort();
    });
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await told();
    await page.unroute("**/api/session/passkey");
    return body;
  };
  const send = (body: string, host = new URL(origin).host): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      const headers = { host, "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const asked = request(`${site.url}/api/session/passkey`, { method: "POST", headers }, async (response) => {
        const parts = await response.toArray();
        resolve([response.statusCode ?? 0, JSON.parse(Buffer.concat(parts).toString()).code]);
      });
      asked.once("error", reject).end(body);
    });

  beforeAll(async () => {
    await ensureConsole();
    site = await startSite();
    // A name, and trusted without TLS.
    origin = site.url.replace("127.0.0.1", "localhost");
    browser = await launchChromium();
    page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    const device = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true } as const;
    const options = { ...device, isUserVerified: true, automaticPresenceSimulation: true };
    ({ authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options }));
    const { link } = (await site.first.post("/api/users", { role: "submitter" })).body;
    await page.goto(`${origin}/welcome#${link.split("#")[1]}`);
    await page.getByLabel("Name", { exact: true }).fill("grace");
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Begin" }).click();
    await isIn();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("at an address that is a number the page says what they need, and the coordinator adds none", async () => {
    expect((await site.first.get("/api/account")).body).toMatchObject({ passkeySite: null, passkeys: [] });
    expect(refused(await site.first.post("/api/account/passkeys/options"))).toEqual([400, "NS_USAGE"]);
    const other = await (await browser.newContext({ locale: "en-GB" })).newPage();
    await other.goto(site.url);
    const [name = "", value = ""] = site.first.cookie.split("=");
    await other.context().addCookies([{ name, value, url: site.url }]);
    await other.goto(`${site.url}/people`);
    await other.getByText("Passkeys need https and a name in the address").waitFor();
    expect(await other.getByRole("button", { name: "Add a passkey" }).count()).toBe(0);
    await other.context().close();
  });

  test("one is added by keyboard, and is on the device and in the list; a second one for the same device is refused", async () => {
    await page.goto(`${origin}/people`);
    await page.getByLabel("What it is called").focus();
    await page.keyboard.type("Laptop");
    await page.keyboard.press("Enter");
    await page.getByRole("listitem").filter({ hasText: "Laptop localhost" }).waitFor();
    await page.evaluate(axe.source);
    // biome-ignore lint/suspicious/noExplicitAny: axe is a global of the page
    expect((await page.evaluate(() => (globalThis as any).axe.run())).violations).toEqual([]);
    const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
    expect(credentials).toMatchObject([{ isResidentCredential: true, rpId: "localhost", userName: "grace" }]);
    await page.getByLabel("What it is called").fill("Again");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    expect(await told()).toMatch(/has a passkey for you already/);
  });

  test("one signs in with it, without name and password; the session is as any other", async () => {
    await toSignIn();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await isIn();
    expect(await page.context().cookies()).toMatchObject([{ name: "nightshift", httpOnly: true, sameSite: "Strict" }]);
    await page.goto(`${origin}/people`);
    await page.getByText("last used").waitFor();
    const { events } = (await site.first.get("/api/events?search=signed-in&limit=1")).body;
    expect(events).toMatchObject([{ who: "grace", details: expect.stringContaining("by the passkey Laptop") }]);
  });

  test("an answer is good once, here, and unchanged", async () => {
    const good = await answer();
    expect((await send(good))[0]).toBe(200);
    // Many devices do not count, so that their counter tells no answer from the one before.
    const { people } = site.running.coordinator.store;
    for (const passkey of people.passkeysOf("grace")) people.savePasskey({ ...passkey, counter: 0 });
    expect(await send(good)).toEqual([401, "NS_BAD_PASSKEY"]);
    expect(await send(await answer(), "pool.test")).toEqual([401, "NS_BAD_PASSKEY"]);
    const other = JSON.parse(await answer());
    const signature = Buffer.from(other.given.response.signature, "base64url");
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    other.given.response.signature = signature.toString("base64url");
    expect(await send(JSON.stringify(other))).toEqual([401, "NS_BAD_PASSKEY"]);
    const replaced = JSON.parse(await answer());
    const data = JSON.parse(Buffer.from(replaced.given.response.clientDataJSON, "base64url").toString());
    replaced.given.response.clientDataJSON = Buffer.from(JSON.stringify({ ...data, challenge: "AAAA" })).toString("base64url");
    expect(await send(JSON.stringify(replaced))).toEqual([401, "NS_BAD_PASSKEY"]);
  });

  test("a device that does not recognise its owner signs nobody in, and the page says so", async () => {
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await toSignIn();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    expect(await told()).toMatch(/called off, took too long, or does not know you/);
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  });

  test("removed, it signs nobody in; where nobody has one, it is not offered", async () => {
    const late = await answer();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await isIn();
    await page.goto(`${origin}/people`);
    await page.getByRole("listitem").filter({ hasText: "Laptop" }).getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("Laptop localhost").waitFor({ state: "detached" });
    expect(await send(late)).toEqual([401, "NS_BAD_PASSKEY"]);
    await toSignIn();
    expect(await page.getByRole("button", { name: "Sign in with a passkey" }).count()).toBe(0);
    const text = JSON.stringify((await site.first.get("/api/events?limit=1000")).body);
    for (const what of ["passkey-added", "passkey-removed", "sign-in-failed"]) expect(text).toContain(what);
  });
});
