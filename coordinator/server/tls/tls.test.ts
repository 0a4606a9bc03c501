import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { createServer, get } from "node:https";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectTunnel, parseLink, tunnelUrl } from "../../protocol/index.ts";
import { nodeCrypto, openSocket } from "../../protocol/node/index.ts";
import { Proxies } from "../http/proxies.ts";
import { PASSWORD, type Person, startSite, type TestSite } from "../http/testing.ts";
import { startCoordinator } from "../index.ts";
import { authorityFile } from "./authority-file.ts";
import type { Credentials } from "./credentials.ts";
import { GivenCertificate } from "./given-certificate.ts";
import { LocalAuthority, namesHere } from "./local-authority.ts";

const home = mkdtempSync(join(tmpdir(), "nightshift-tls-"));
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
const code = (expected: string) => expect.objectContaining({ code: expected });

/** What a client that believes the authority gets to see. @throws why it does not believe it */
function certificateAt(port: number, ca: string, servername: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, servername }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/** The certificate of some machine called so, in files, and its authority's. */
async function given(folder: string, ...names: string[]): Promise<{ certFile: string; keyFile: string; ca: string }> {
  const authority = await LocalAuthority.open(join(home, `authority of ${folder}`), () => names);
  const files = { certFile: join(home, `${folder}.crt`), keyFile: join(home, `${folder}.key`) };
  write(files, authority.credentials);
  return { ...files, ca: readFileSync(authorityFile(join(home, `authority of ${folder}`)), "utf8") };
}
function write(files: { certFile: string; keyFile: string }, { cert, key }: Credentials): void {
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key, { mode: 0o600 });
}

describe("the local authority", () => {
  test("is made once; its key is for its owner only, and refused when others could read it", async () => {
    const own = join(home, "strict");
    await LocalAuthority.open(own);
    const before = readFileSync(authorityFile(own), "utf8");
    const key = authorityFile(own).replace("ca.crt", "ca.key");
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(statSync(join(key, "..")).mode & 0o777).toBe(0o700);
    const { cert } = (await LocalAuthority.open(own)).credentials;
    expect(readFileSync(authorityFile(own), "utf8")).toBe(before);
    expect(new X509Certificate(cert).verify(new X509Certificate(before).publicKey)).toBe(true);
    chmodSync(key, 0o640);
    await expect(LocalAuthority.open(own)).rejects.toThrow(code("NS_BAD_CERTIFICATE"));
  });

  test("signs for all names and addresses of this machine, and for 90 days", async () => {
    const { cert } = (await LocalAuthority.open(join(home, "names"))).credentials;
    const leaf = new X509Certificate(cert);
    for (const name of namesHere())
      expect(/[:\d]$/.test(name) && /[.:]/.test(name) ? leaf.checkIP(name) : leaf.checkHost(name), name).toBe(name);
    expect(leaf.ca).toBe(false);
    expect((leaf.validToDate.getTime() - Date.now()) / 86_400_000).toBeCloseTo(90, 0);
  });

  test("what it was not made for it signs not, and a client would not believe it", async () => {
    let names = ["here.test", "127.0.0.1"];
    const own = join(home, "constrained");
    await LocalAuthority.open(own, () => names);
    names = ["here.test", "sub.here.test", "bank.example", "8.8.8.8", "10.1.2.3"];
    const { cert } = (await LocalAuthority.open(own, () => names)).credentials;
    expect(new X509Certificate(cert).subjectAltName).toBe("DNS:here.test, DNS:sub.here.test, IP Address:10.1.2.3");
    // Somebody who has its key and changes what it is said to be for: the certificate itself says what it may.
    writeFileSync(authorityFile(own).replace("ca.crt", "ca.names"), "bank.example\nhere.test\n");
    const stolen = (await LocalAuthority.open(own, () => ["bank.example", "here.test"])).credentials;
    const server = createServer(stolen).listen(0, "127.0.0.1");
    closers.push(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const ca = readFileSync(authorityFile(own), "utf8");
    await expect(certificateAt(port, ca, "bank.example")).rejects.toThrow(/permitted subtree violation/);
  });

  test("makes the certificate anew before it ends, and when the machine has another name", async () => {
    let names = ["here.test"];
    let now = Date.now();
    const authority = await LocalAuthority.open(join(home, "renewed"), () => names);
    const before = authority.credentials;
    const renewals: Credentials[] = [];
    closers.push(
      authority.watch(
        (credentials) => renewals.push(credentials),
        5,
        () => now,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(renewals).toEqual([]);
    now += 61 * 86_400_000;
    await expect.poll(() => renewals.length).toBe(1);
    expect(new X509Certificate(renewals[0]?.cert ?? "").validToDate.getTime()).toBeGreaterThan(
      new X509Certificate(before.cert).validToDate.getTime() + 60 * 86_400_000,
    );
    names = ["other.here.test"];
    await expect.poll(() => renewals.length).toBe(2);
    expect(new X509Certificate(renewals[1]?.cert ?? "").subjectAltName).toBe("DNS:other.here.test");
  });
});

describe("a given certificate", () => {
  test("is refused with what is wrong: no file, no certificate, another's key, a key with a passphrase", async () => {
    const [one, other] = [await given("one", "one.test"), await given("other", "other.test")];
    const wrong = (certFile: string, keyFile: string) => () => new GivenCertificate({ certFile, keyFile });
    expect(wrong(join(home, "none.crt"), one.keyFile)).toThrow(/cannot read .*none\.crt/);
    expect(wrong(one.keyFile, one.keyFile)).toThrow(code("NS_BAD_CERTIFICATE"));
    expect(wrong(one.certFile, other.keyFile)).toThrow(/not the certificate's/);
    const locked = join(home, "locked.key");
    const cipher = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
    writeFileSync(locked, createPrivateKey(readFileSync(one.keyFile)).export(cipher));
    expect(wrong(one.certFile, locked)).toThrow(code("NS_BAD_CERTIFICATE"));
    expect(new GivenCertificate(one).name).toBe("one.test");
  });

  test("a new one in its files is shown without a restart; half written or broken, the old one goes on", async () => {
    const [first, second] = [await given("first", "first.test"), await given("second", "second.test")];
    const complaints: string[] = [];
    const source = new GivenCertificate({ ...first, lookMs: 5 }, (text) => complaints.push(text));
    const renewals: Credentials[] = [];
    closers.push(source.watch((credentials) => renewals.push(credentials)));
    copyFileSync(second.certFile, first.certFile);
    await expect.poll(() => complaints.length).toBe(1);
    expect(renewals).toEqual([]);
    expect(source.name).toBe("first.test");
    copyFileSync(second.keyFile, first.keyFile);
    await expect.poll(() => renewals.length).toBe(1);
    expect(source.name).toBe("second.test");
    expect(complaints).toHaveLength(1);
    expect(complaints.join()).not.toContain("PRIVATE");
  });
});

describe("a coordinator with TLS", () => {
  let site: TestSite & { first: Person };
  let ca = "";
  beforeAll(async () => {
    site = await startSite({ tls: "local-authority" });
    ca = readFileSync(authorityFile(site.home), "utf8");
  });
  afterAll(() => site.close());

  test("is believed by clients that have the authority, under its names and addresses", async () => {
    expect((await certificateAt(site.running.port, ca, "localhost")).subject.CN).toBe("Nightshift coordinator");
    await expect(certificateAt(site.running.port, ca, "bank.example")).rejects.toThrow(/altnames/);
    expect((await fetch(`${site.url}/healthz`)).status).toBe(200);
    expect(site.running.consoleUrl).toMatch(/^https:/);
  });

  test("speaks no old TLS", async () => {
    const refusedOld = await new Promise((resolve) => {
      const asked = get(`${site.url}/healthz`, { ca, maxVersion: "TLSv1.1", minVersion: "TLSv1" }, () => resolve("answered"));
      asked.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(refusedOld).not.toBe("answered");
  });

  test("the cookie is Secure, whoever asks; no HSTS for a name that only some believe", async () => {
    const { headers, status } = await site.person().post("/api/session", { name: "first", password: PASSWORD });
    expect(status).toBe(200);
    expect(headers.getSetCookie()[0]).toMatch(/^__Host-nightshift=[\w-]{43}; .*Secure; SameSite=Strict$/);
    expect(headers.get("strict-transport-security")).toBeNull();
    const { body } = await site.person().get("/api/session");
    expect(body).toMatchObject({ plainHttp: false });
  });

  test("plain http on its port is sent to https; the API refuses it, as a token has already been seen then", async () => {
    const plain = site.url.replace("https", "http");
    const page = await fetch(`${plain}/jobs?x=1`, { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([307, `${site.url}/jobs?x=1`]);
    const asked = await fetch(`${plain}/api/hosts`, { headers: { authorization: "Bearer 0123456789abcdef" } });
    expect([asked.status, (await asked.json()).code]).toEqual([403, "NS_PLAIN_HTTP"]);
    expect((await fetch(`${plain}/api/session`, { method: "POST", body: "{}" })).status).toBe(403);
  });

  test.each(["nightshifts", "nightshift"])(
    "a %s link leads into the tunnel: hosts from before there was TLS are not lost",
    async (scheme) => {
      const { body } = await site.first.post("/api/links", { scope: "host", hours: 1, uses: 9 });
      expect(body.link).toMatch(/^nightshifts:/);
      setDefaultCACertificates([]); // agents do not have the authority
      closers.push(() => setDefaultCACertificates([ca]));
      const { coordinatorKey, token, host, port, tls } = parseLink(body.link.replace("nightshifts", scheme));
      const tunnel = await connectTunnel({
        ...{ crypto: nodeCrypto, staticKey: nodeCrypto.generateKeyPair(), coordinatorKey, token, role: "agent", name: scheme },
        socket: await openSocket(tunnelUrl({ host, port, tls })),
      });
      tunnel.close();
    },
  );

  test("rubbish and silence on its port end nothing but themselves", async () => {
    for (const rubbish of [
      Buffer.from([22, 3, 1, 0, 4, 1, 2, 3, 4]),
      Buffer.from("\0\0\0\0"),
      Buffer.from("GET / HTTP/1.1\r\nhost: x y\r\n\r\n"),
    ]) {
      const socket = createConnection(site.running.port, "127.0.0.1");
      const ended = new Promise((resolve) => socket.on("error", resolve).on("close", resolve).resume());
      socket.write(rubbish);
      await ended;
    }
    createConnection(site.running.port, "127.0.0.1")
      .on("error", () => {})
      .end();
    expect((await fetch(`${site.url}/healthz`)).status).toBe(200);
  });
});

test("a given certificate: its name is in the links, HSTS for it; a renewed one is shown to the next that come", async () => {
  const files = await given("site", "pool.test", "127.0.0.1");
  const { certFile, keyFile, ca } = files;
  setDefaultCACertificates([ca]);
  const site = await startSite({ tls: { certFile, keyFile, lookMs: 20 }, host: "0.0.0.0" });
  closers.push(() => site.close());
  const { port } = site.running;
  expect(site.running.consoleUrl).toMatch(`https://pool.test:${port}/welcome#`);
  expect(parseLink(site.running.hostLink)).toMatchObject({ host: "pool.test", tls: true });
  expect(parseLink(site.running.localHostLink)).toMatchObject({ host: "127.0.0.1", tls: true });
  const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    get(`${site.url}/healthz`, { ca, headers: { host: "pool.test" } }, (response) => {
      resolve(response.headers);
      response.resume();
    }).once("error", reject);
  });
  expect(headers["strict-transport-security"]).toBe("max-age=31536000");
  const next = await LocalAuthority.open(join(home, "authority of next"), () => ["next.test"]);
  write(files, next.credentials);
  const nextCa = readFileSync(authorityFile(join(home, "authority of next")), "utf8");
  await expect
    .poll(() =>
      certificateAt(port, nextCa, "next.test").then(
        (seen) => seen.subjectaltname,
        () => "",
      ),
    )
    .toBe("DNS:next.test");
});

describe("behind a proxy", () => {
  const forwarded = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "pool.test",
    "x-forwarded-for": "127.0.0.1, 203.0.113.9",
  };
  const signIn = (url: string) =>
    fetch(`${url}/api/session`, {
      method: "POST",
      headers: { ...forwarded, "content-type": "application/json" },
      body: JSON.stringify({ name: "first", password: PASSWORD }),
    });
  const from = async (site: TestSite & { first: Person }) =>
    (await site.first.get("/api/events?search=signed-in&limit=1")).body.events[0].details;

  test("what it says is believed: who asks, that it was encrypted, and by which name", async () => {
    const site = await startSite({ proxies: ["127.0.0.1"], publicUrl: "https://pool.test" });
    closers.push(() => site.close());
    const answer = await signIn(site.url);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-nightshift=.*; Secure/);
    expect(answer.headers.get("strict-transport-security")).toBeNull(); // the proxy's business
    expect(await from(site)).toBe("from 203.0.113.9");
    const { link } = (await site.first.post("/api/users", { role: "viewer" })).body;
    expect(link).toMatch(/^http:\/\/127/); // asked by itself, not through the proxy
    expect(parseLink((await site.first.post("/api/links", { scope: "host", hours: 1, uses: 1 })).body.link)).toMatchObject({
      ...{ host: "pool.test", port: 443, tls: true },
    });
    const plain = await fetch(`${site.url}/api/session`, { headers: { ...forwarded, "x-forwarded-proto": "http" } });
    expect([plain.status, (await plain.json()).message]).toEqual([403, expect.stringContaining("X-Forwarded-Proto")]);
  });

  test("what others say of the kind is not", async () => {
    const site = await startSite({ proxies: ["10.0.0.0/8"], publicUrl: "https://pool.test" });
    closers.push(() => site.close());
    const answer = await signIn(site.url);
    expect(answer.headers.getSetCookie()[0]).not.toMatch(/Secure/);
    expect(await from(site)).toBe("from 127.0.0.1");
  });

  test("newcomers are counted by their own address, not by what they say theirs is", () => {
    const proxies = new Proxies(["127.0.0.1", "10.0.0.0/24"]);
    const peer = (remoteAddress: string, told?: string) =>
      proxies.peer({ socket: { remoteAddress }, headers: { "x-forwarded-for": told } } as unknown as IncomingMessage);
    expect(peer("::ffff:127.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.3")).toBe("203.0.113.9");
    expect(peer("192.0.2.1", "198.51.100.7")).toBe("192.0.2.1");
    expect(peer("127.0.0.1")).toBe("127.0.0.1");
    expect(() => new Proxies(["proxy.example"])).toThrow(code("NS_USAGE"));
  });

  test.each([
    [{ proxies: ["127.0.0.1"] }, /--public-url/],
    [{ publicUrl: "https://pool.test" }, /--behind-proxy/],
    [{ publicUrl: "http://pool.test", proxies: ["127.0.0.1"] }, /https:\/\/NAME/],
    [{ publicUrl: "https://pool.test/path", proxies: ["127.0.0.1"] }, /https:\/\/NAME/],
    [{ plainHttp: true, tls: "local-authority" as const }, /no plain http/],
  ])("what does not fit together is refused: %o", async (options, why) => {
    await expect(startCoordinator({ home: join(home, "unfit"), port: 0, ...options })).rejects.toThrow(why);
  });
});
