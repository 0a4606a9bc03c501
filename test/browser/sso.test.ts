// Signing in by a real OpenID provider in a real browser: who comes in and as what, and what somebody is told who does not.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PASSWORD, type Person, startSite, type TestSite } from "@nightshift/coordinator/server/testing";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchChromium, withoutChromium } from "./chromium.ts";
import { ensureConsole } from "./console-stage.ts";
import { CLIENT, IdentityProvider } from "./identity-provider.ts";

describe.skipIf(withoutChromium("single sign-on"))("single sign-on", () => {
  let provider: IdentityProvider;
  let site: TestSite & { first: Person };
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), "nightshift-sso-"));

  const settingsFile = (more: object = {}): string => {
    const path = join(folder, `${Object.keys(more).join() || "usual"}.json`);
    const roles = { administrator: ["it"], submitter: ["research"], viewer: ["guests"] };
    const { issuer } = provider;
    const usual = { issuer, clientId: CLIENT.id, clientSecretFile: "secret", title: "Office account", roles };
    writeFileSync(path, JSON.stringify({ ...usual, ...more }));
    return path;
  };
  const open = async (url = site.url): Promise<Page> => {
    const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    await page.goto(url);
    return page;
  };
  /** At the provider, which asks for consent the first time. */
  const signInThere = async (page: Page, login: string): Promise<void> => {
    await page.getByPlaceholder("Enter any login").fill(login);
    await page.getByPlaceholder("and password").fill("whatever");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
  };
  const comeIn = async (login: string, url = site.url): Promise<Page> => {
    const page = await open(url);
    await page.getByRole("button", { name: "Sign in with Office account" }).click();
    await signInThere(page, login);
    return page;
  };
  const isIn = (page: Page) => page.getByRole("heading", { name: "Cluster", level: 1 }).waitFor();
  const told = async (page: Page): Promise<string> => {
    const alert = page.getByRole("alert");
    await alert.waitFor();
    return alert.innerText();
  };
  const linkFor = async (role: string, name: string | null = null): Promise<string> =>
    (await site.first.post("/api/users", { role, name })).body.link;
  const follow = async (to: string, login: string): Promise<Page> => {
    const page = await open(to);
    await page.getByRole("button", { name: /^(Begin|Connect) with Office account$/ }).click();
    await signInThere(page, login);
    return page;
  };
  const users = async () => (await site.first.get("/api/users")).body.users as { name: string; role: string }[];
  const roleOf = async (name: string) => (await users()).find((user) => user.name === name)?.role;

  beforeAll(async () => {
    await ensureConsole();
    provider = await IdentityProvider.start();
    writeFileSync(join(folder, "secret"), `${CLIENT.secret}\n`, { mode: 0o600 });
    site = await startSite({ ssoFile: settingsFile() });
    await provider.serve(`${site.url}/api/sso/callback`);
    browser = await launchChromium();
    provider.accounts.set("s-1", { preferred_username: "grace", groups: ["research", "choir"] });
    provider.accounts.set("s-2", { preferred_username: "barbara", groups: ["choir"] });
    provider.accounts.set("s-3", { preferred_username: "first", groups: ["it"] });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    provider?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the page offers it, for everybody to use; whoever comes first becomes a user with the role of the groups", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Sign in with Office account" }).waitFor();
    await page.addScriptTag({ content: axe.source }).catch(() => undefined); // the policy lets no script in
    await page.evaluate(axe.source);
    // biome-ignore lint/suspicious/noExplicitAny: axe is a global of the page
    expect((await page.evaluate(() => (globalThis as any).axe.run())).violations).toEqual([]);
    await page.getByRole("button", { name: "Sign in with Office account" }).focus();
    await page.keyboard.press("Enter");
    await signInThere(page, "s-1");
    await isIn(page);
    expect(page.url()).toBe(`${site.url}/`);
    expect(await roleOf("grace")).toBe("submitter");
    const cookies = await page.context().cookies(site.url);
    expect(cookies).toContainEqual(expect.objectContaining({ name: "nightshift", sameSite: "Strict", httpOnly: true }));
    await page.reload();
    await isIn(page);
    await page.goto(`${site.url}/people`);
    await page.getByText("You can sign in with Office account.").waitFor();
    expect(await page.getByLabel("Present password").count()).toBe(0);
  });

  test("the role is what the provider says at each sign-in, by whatever keys it signs then", async () => {
    provider.accounts.set("s-1", { preferred_username: "somebody else", groups: ["it"] });
    await provider.serve(`${site.url}/api/sso/callback`);
    await isIn(await comeIn("s-1"));
    expect(await roleOf("grace")).toBe("administrator");
    expect(await roleOf("somebody else")).toBeUndefined();
  });

  test("who is in no group that counts is refused, and told why and what to do", async () => {
    const page = await comeIn("s-2");
    expect(await told(page)).toMatch(/nothing of you that gives you a role here.*groups[\s\S]*Ask an administrator/);
    expect(await roleOf("barbara")).toBeUndefined();
    await page.reload();
    await page.getByRole("button", { name: "Sign in with Office account" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("a name that is somebody's here is not taken over; whoever it is connects the two, and keeps the role", async () => {
    expect(await told(await comeIn("s-3"))).toMatch(/the name first is somebody's here/);
    const page = await open();
    await page.getByLabel("Name", { exact: true }).fill("first");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await isIn(page);
    await page.goto(`${site.url}/people`);
    await page.getByRole("button", { name: "Connect with Office account" }).click();
    await signInThere(page, "s-3");
    await page.getByText("You can sign in with Office account.").waitFor();
    provider.accounts.set("s-3", { preferred_username: "x", groups: ["guests"] });
    await isIn(await comeIn("s-3"));
    expect(await roleOf("first")).toBe("administrator");
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Connected once").waitFor();
  });

  test("turned back at the provider, one is told so", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Sign in with Office account" }).click();
    await page.getByRole("link", { name: /Cancel/ }).click();
    expect(await told(page)).toMatch(/did not let you in/);
  });

  test("an answer that nobody here asked for is worth nothing: another browser's, another state, one used before", async () => {
    const page = await open();
    await page.goto(`${site.url}/api/sso/callback?code=x&state=y`);
    expect(await told(page)).toMatch(/in another browser: begin again/);
    const before = provider.asked;
    await page.evaluate(() => fetch("/api/sso", { method: "POST" }));
    await page.goto(`${site.url}/api/sso/callback?code=x&state=y&iss=${encodeURIComponent(provider.issuer)}`);
    expect(await told(page)).toMatch(/does not hold.*"state"/);
    expect(provider.asked).toBe(before);
    const [used] = await Promise.all([
      page.waitForRequest(/callback/),
      page
        .getByRole("button", { name: "Sign in with Office account" })
        .click()
        .then(() => signInThere(page, "s-1")),
    ]);
    await isIn(page);
    await page.goto(used.url());
    expect(await told(page)).toMatch(/begin again/);
  });

  test("a one-time link is used by signing in there: the role is the link's, and the account needs no group", async () => {
    provider.accounts.set("s-4", { preferred_username: "mary", groups: ["choir"] });
    expect(await told(await comeIn("s-4"))).toMatch(/nothing of you that gives you a role here/);
    const link = await linkFor("submitter");
    await isIn(await follow(link, "s-4"));
    expect(await roleOf("mary")).toBe("submitter");
    // From then on she comes in as before, with the role that she was given.
    await isIn(await comeIn("s-4"));
    expect(await roleOf("mary")).toBe("submitter");
    const used = await open(link);
    expect(await told(used)).toMatch(/wrong, used or expired/);
  });

  test("a one-time link that is refused is as good as before; one for somebody's new password connects instead", async () => {
    const unused = await linkFor("viewer");
    expect(await told(await follow(unused, "s-4"))).toMatch(/connected with mary here/);
    provider.accounts.set("s-5", { preferred_username: "mary", groups: [] });
    expect(await told(await follow(unused, "s-5"))).toMatch(/the name mary is somebody's here/);
    provider.accounts.set("s-5", { preferred_username: "joan", groups: [] });
    await isIn(await follow(unused, "s-5"));
    expect(await roleOf("joan")).toBe("viewer");
    // A link for somebody's new password connects instead.
    provider.accounts.set("s-6", { preferred_username: "x", groups: [] });
    await isIn(await follow(await linkFor("viewer", "joan"), "s-6"));
    expect([await roleOf("joan"), await roleOf("x")]).toEqual(["viewer", undefined]);
    expect((await site.person().post("/api/invitations/sso", { token: "x".repeat(43) })).body.code).toBe("NS_BAD_INVITATION");
  });

  test("signing out is signing out there, too, where the administrator wants it, for those who came in by it", async () => {
    const page = await comeIn("s-1");
    await isIn(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in with Office account" }).waitFor();
    // Signed in there still: nobody is asked for a name.
    await page.getByRole("button", { name: "Sign in with Office account" }).click();
    await isIn(page);

    const everywhere = await startSite({ ssoFile: settingsFile({ signOut: "provider" }) });
    try {
      await provider.serve(`${everywhere.url}/api/sso/callback`);
      const there = await comeIn("s-1", everywhere.url);
      await isIn(there);
      await there.getByRole("button", { name: "Sign out" }).click();
      await there.getByRole("button", { name: /sign me out/ }).click();
      await there.getByRole("button", { name: "Sign in with Office account" }).waitFor();
      expect(there.url()).toBe(`${everywhere.url}/`);
      await there.getByRole("button", { name: "Sign in with Office account" }).click();
      await there.getByPlaceholder("Enter any login").waitFor();
      // Who came in by a password is signed out here alone.
      const somebody = everywhere.person();
      await somebody.post("/api/session", { name: "first", password: PASSWORD });
      expect((await somebody.ask("DELETE", "/api/session")).body).toEqual({ url: null });
    } finally {
      await everywhere.close();
      await provider.serve(`${site.url}/api/sso/callback`);
    }
  });

  test("the journal has it all, without a secret", async () => {
    const { events } = (await site.first.get("/api/events?limit=1000")).body;
    const text = JSON.stringify(events);
    for (const what of ["user-added", "user-changed", "sso-connected", "sso-disconnected", "sign-in-failed"])
      expect(text).toContain(what);
    expect(text).not.toContain(CLIENT.secret);
    expect(text).toMatch(/by Office account/);
  });

  test("a secret that the provider does not take, and a provider that is away, are told as what they are", async () => {
    await provider.serve(`${site.url}/api/sso/callback`, "another secret");
    expect(await told(await comeIn("s-1"))).toMatch(/does not take this coordinator's client id and secret/);
    const away = await startSite({ ssoFile: settingsFile({ issuer: "http://127.0.0.1:9" }) });
    try {
      const page = await open(away.url);
      await page.getByRole("button", { name: "Sign in with Office account" }).click();
      expect(await told(page)).toMatch(/http:\/\/127\.0\.0\.1:9 does not answer/);
    } finally {
      await away.close();
    }
  });

  test("where new users are refused, nobody comes in who has not connected", async () => {
    const strict = await startSite({ ssoFile: settingsFile({ newUsers: "refuse" }) });
    try {
      await provider.serve(`${strict.url}/api/sso/callback`);
      expect(await told(await comeIn("s-1", strict.url))).toMatch(/get a one-time link, then connect/);
    } finally {
      await strict.close();
    }
  });
});
