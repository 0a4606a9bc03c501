// A release: which files a version of Nightshift consists of, signed with a release key that is not the coordinator's own, so that whoever
// gets hold of a coordinator can give hosts no programs. Says what is a good one and which host may take it; fetches and installs nothing.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { ed25519 } from "@noble/curves/ed25519.js";
import { z } from "zod";
import { fromBase64Url, toBase64Url } from "./link.ts";

/** What a file of a release is, by its name; the version stands where V does. */
const NAMES = {
  setup: "Nightshift-Setup-V.exe",
  msi: "Nightshift-V.msi",
  portable: "Nightshift-V-portable.zip",
  appimage: "Nightshift-V-x86_64.AppImage",
  deb: "nightshift_V_amd64.deb",
  agentLinux: "nightshift-agent-V-linux-x64",
  agentWindows: "nightshift-agent-V-win-x64.exe",
  dmg: "Nightshift-V.dmg",
  pkg: "Nightshift-V.pkg",
} as const;
export type FileKind = keyof typeof NAMES;
export const FILE_KINDS = Object.keys(NAMES) as [FileKind, ...FileKind[]];
/** Those that a program can put in its own place, without rights over the computer. */
export const SELF_UPDATING: readonly FileKind[] = ["setup", "appimage"];

/** Three numbers, as the packages of all systems can say them. */
export const VERSION_FORM: RegExp = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/;
/** Largest manifest in bytes. */
export const MAX_MANIFEST_BYTES = 16 * 1024;
/** A file travels as one blob. */
const MAX_FILE_BYTES = 2 ** 30;
const DOMAIN = "nightshift release\n";

export const versionText = z.string().regex(VERSION_FORM, "three numbers such as 1.20.3");
export const releaseFile = z.strictObject({
  name: z.string().max(100),
  kind: z.enum(FILE_KINDS),
  sizeBytes: z.number().int().positive().max(MAX_FILE_BYTES),
  /** Hex: names the blob. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Base64, as electron-builder has it. */
  sha512: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});
export type ReleaseFile = z.infer<typeof releaseFile>;
const manifest = z.strictObject({
  format: z.literal(1),
  version: versionText,
  /** Milliseconds since 1970. Hosts take nothing that was signed before what they took last, so that nothing old can be brought up again. */
  signedAt: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
  /** Versions from which a host is to go back to this one, though it is older. */
  withdraws: z.array(versionText).max(16),
  files: z.array(releaseFile).min(1).max(16),
});
export type ReleaseManifest = z.infer<typeof manifest>;

/** As it travels and is kept: the manifest's exact text, and its signature. */
export const signedRelease = z.object({
  text: z.string().max(MAX_MANIFEST_BYTES),
  /** Of the release key, base64url. */
  key: z.string().length(43),
  signature: z.string().length(86),
});
export type SignedRelease = z.infer<typeof signedRelease>;

export const fileName = (kind: FileKind, version: string): string => NAMES[kind].replace("V", version);

/** What a file in a release's folder is; undefined: nothing of a release. */
export function fileOf(name: string): { kind: FileKind; version: string } | undefined {
  const version = /\d+\.\d+\.\d+/.exec(name)?.[0];
  if (version === undefined || !VERSION_FORM.test(version)) return undefined;
  const kind = FILE_KINDS.find((one) => fileName(one, version) === name);
  return kind && { kind, version };
}

/** Negative: `one` is older. @param one as VERSION_FORM has it */
export function compareVersions(one: string, other: string): number {
  const [ones, others] = [one, other].map((text) => text.split(".").map(Number));
  for (const at of [0, 1, 2]) {
    const difference = (ones?.[at] ?? 0) - (others?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function newReleaseKey(): { secret: Uint8Array; key: string } {
  const secret = ed25519.utils.randomSecretKey();
  return { secret, key: releaseKeyOf(secret) };
}

/** @param secret 32 bytes */
export const releaseKeyOf = (secret: Uint8Array): string => toBase64Url(ed25519.getPublicKey(secret));

const signed = (text: string): Uint8Array => new TextEncoder().encode(DOMAIN + text);

/** @throws NS_BAD_RELEASE when agents would refuse it */
export function signRelease(content: Omit<ReleaseManifest, "format">, secret: Uint8Array): SignedRelease {
  const text = JSON.stringify({ format: 1, ...content });
  parseManifest(text);
  return { text, key: releaseKeyOf(secret), signature: toBase64Url(ed25519.sign(signed(text), secret)) };
}

/** @param keys whom to believe, base64url @throws NS_BAD_RELEASE */
export function openRelease({ text, key, signature }: SignedRelease, keys: readonly string[]): ReleaseManifest {
  if (!keys.includes(key)) throw bad("it is signed with a key that is not a release key here");
  const [bytes, publicKey] = [fromBase64Url(signature), fromBase64Url(key)];
  // The strict rule of RFC 8032, so that there is one signature only.
  if (!bytes || !publicKey || !isSignedBy(bytes, signed(text), publicKey)) throw bad("its signature is not of these bytes");
  return parseManifest(text);
}

function isSignedBy(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false; // not even a point of the curve
  }
}

function parseManifest(text: string): ReleaseManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad("its manifest is not JSON", cause);
  }
  const parsed = manifest.safeParse(value);
  if (!parsed.success)
    throw bad(
      parsed.error.issues
        .map(({ path, message }) => `${path.join(".")}: ${message}`)
        .join("; ")
        .slice(0, 1000),
    );
  const { version, files, withdraws } = parsed.data;
  if (text.length > MAX_MANIFEST_BYTES) throw bad(`its manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
  for (const { name, kind } of files)
    if (name !== fileName(kind, version))
      throw bad(`a file for ${kind} of ${version} is called ${fileName(kind, version)}, not ${name}`);
  if (new Set(files.map(({ kind }) => kind)).size < files.length) throw bad("two of its files are for the same");
  if (withdraws.includes(version)) throw bad("it withdraws itself");
  return parsed.data;
}

/** Whether a host of that version is to take the release: a newer one, or one that takes its own back. */
export const replaces = ({ version, withdraws }: Pick<ReleaseManifest, "version" | "withdraws">, own: string): boolean =>
  compareVersions(version, own) > 0 || withdraws.includes(own);

const bad = (why: string, cause?: unknown): NightshiftError =>
  new NightshiftError("NS_BAD_RELEASE", `this is no good release: ${why}`, cause === undefined ? {} : { cause });
