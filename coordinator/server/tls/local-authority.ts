// A certificate authority of the coordinator's own, for networks without one: made once and kept in the coordinator's home, its certificate to
// be deployed by administrators. It signs one certificate, that of this machine, which is made anew at every start and before it ends; its key
// is on no disk. What the authority may sign is written into it, so that a stolen one does no harm to other sites.
import "reflect-metadata";
import { randomBytes, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import * as x509 from "@peculiar/x509";
import { authorityFile, authorityFolder } from "./authority-file.ts";
import { type CredentialSource, type Credentials, checked } from "./credentials.ts";
import { isPermitted, nameConstraints } from "./name-constraints.ts";

const DAY_MS = 24 * 3600_000;
const AUTHORITY_MS = 10 * 365 * DAY_MS;
/** Below what browsers take of any authority. */
const LEAF_MS = 90 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Clocks differ. */
const EARLIER_MS = 3600_000;
const LOOK_MS = 3600_000;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** Addresses that nobody has in the internet. */
const PRIVATE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
];

/** By which this machine is known, and its addresses; loopback too. */
export function namesHere(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address.split("%")[0] ?? ""),
  );
  const name = hostname().toLowerCase();
  const names = /^[a-z0-9][a-z0-9.-]*$/.test(name) ? [name, ...(name.includes(".") ? [] : [`${name}.local`])] : [];
  const usable = addresses.filter((address) => isIP(address) && !address.startsWith("fe80:"));
  return [...new Set([...names, "localhost", "127.0.0.1", "::1", ...usable])];
}

interface Authority extends Credentials {
  /** Names, addresses and ranges that it may sign for. */
  permitted: readonly string[];
}
interface Files {
  cert: string;
  key: string;
  permitted: string;
}

export class LocalAuthority implements CredentialSource {
  credentials: Credentials;
  readonly name = undefined;
  /** The name's other services may well be without TLS, and the authority may go again. */
  readonly lasting = false;
  private readonly authority: Authority;
  private readonly namesNow: () => readonly string[];
  private names: string;

  private constructor(
    authority: Authority,
    namesNow: () => readonly string[],
    names: readonly string[],
    credentials: Credentials,
  ) {
    this.authority = authority;
    this.namesNow = namesNow;
    this.names = names.join();
    this.credentials = credentials;
  }

  /**
   * Reads the authority, or makes it.
   * @param namesNow names and addresses that the certificate is to be good for, asked again every hour
   * @throws NS_BAD_CERTIFICATE, NS_HOME_UNUSABLE
   */
  static async open(home: string, namesNow: () => readonly string[] = namesHere): Promise<LocalAuthority> {
    const cert = authorityFile(home);
    const files = { cert, key: join(authorityFolder(home), "ca.key"), permitted: join(authorityFolder(home), "ca.names") };
    const names = namesNow();
    const authority = read(files) ?? (await make(files, names));
    return new LocalAuthority(authority, namesNow, names, await sign(authority, names, Date.now()));
  }

  watch(renewed: (credentials: Credentials) => void, lookMs = LOOK_MS, now: () => number = Date.now): () => void {
    let signing = false;
    const look = async (): Promise<void> => {
      const names = this.namesNow();
      const ends = new X509Certificate(this.credentials.cert).validToDate.getTime();
      if (now() < ends - RENEW_BEFORE_MS && names.join() === this.names) return;
      this.credentials = await sign(this.authority, names, now());
      this.names = names.join();
      renewed(this.credentials);
    };
    const looking = setInterval(() => {
      if (signing) return;
      signing = true;
      look()
        .catch((thrown) => console.error("nightshift: NS_BAD_CERTIFICATE: the certificate could not be renewed:", thrown))
        .finally(() => {
          signing = false;
        });
    }, lookMs);
    looking.unref();
    return () => clearInterval(looking);
  }
}

function read(files: Files): Authority | undefined {
  let authority: Authority;
  try {
    const [cert, key, permitted] = [files.cert, files.key, files.permitted].map((path) => readFileSync(path, "utf8")) as [
      string,
      string,
      string,
    ];
    authority = { cert, key, permitted: permitted.split("\n").filter(Boolean) };
  } catch (cause) {
    // Not all of them: it was never used.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new NightshiftError("NS_HOME_UNUSABLE", `cannot read the local authority: ${(cause as Error).message}`, { cause });
  }
  if (process.platform !== "win32" && statSync(files.key).mode & 0o077)
    throw new NightshiftError(
      "NS_BAD_CERTIFICATE",
      `others can read ${files.key} and so make certificates that your computers trust: remove its folder and deploy the new authority, or chmod 600 it if nobody has`,
    );
  checked(authority, `${files.cert} with ${files.key}`);
  return authority;
}

async function make(files: Files, names: readonly string[]): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const now = Date.now();
  const permitted = [...names, ...PRIVATE];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [`Nightshift on ${hostname()}`.slice(0, 64)] }],
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(now + AUTHORITY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension("2.5.29.30", true, nameConstraints(permitted)),
    ],
  });
  const authority = { cert: `${certificate.toString("pem")}\n`, key: await pem(keys.privateKey), permitted };
  try {
    mkdirSync(dirname(files.key), { recursive: true, mode: 0o700 });
    for (const path of Object.values(files)) rmSync(path, { force: true }); // with whatever mode it had
    writeFileSync(files.key, authority.key, { mode: 0o600 });
    writeFileSync(files.permitted, `${permitted.join("\n")}\n`, { mode: 0o600 });
    writeFileSync(files.cert, authority.cert, { mode: 0o644 });
  } catch (cause) {
    throw new NightshiftError("NS_HOME_UNUSABLE", `cannot write the local authority: ${(cause as Error).message}`, { cause });
  }
  return authority;
}

async function sign(authority: Authority, wanted: readonly string[], now: number): Promise<Credentials> {
  const names = wanted.filter((name) => isPermitted(name, authority.permitted));
  const others = wanted.filter((name) => !names.includes(name));
  if (others.length > 0)
    console.error(
      `nightshift: NS_BAD_CERTIFICATE: the local authority was made before this machine had ${others.join(", ")} and may not sign for it; remove coordinator/tls for a new one, which is to be deployed again`,
    );
  const issuer = new x509.X509Certificate(authority.cert);
  const der = Buffer.from(authority.key.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const signingKey = await crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: ["Nightshift coordinator"] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(Math.min(now + LEAF_MS, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
    ],
  });
  return { cert: certificate.toString("pem"), key: await pem(keys.privateKey) };
}

/** Positive, and as long as an authority's are to be. */
const serial = (): string => `4${randomBytes(16).toString("hex").slice(1)}`;

async function pem(key: CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${base64.replaceAll(/.{64}(?=.)/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}
