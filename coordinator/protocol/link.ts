// The join link: everything a newcomer needs to find and trust a coordinator, in one line that survives mail and installers.
//   nightshift://HOST[:PORT]/#KEY.TOKEN      nightshifts:// for TLS around the tunnel
// KEY is the coordinator's static public key (32 bytes), TOKEN a secret of 16 to 64 bytes, both base64url without padding (RFC 4648
// section 5). They stand behind the #, which no client sends in a request. It owns the text form; the tunnel does the rest.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { CipherName } from "./cipher-state.ts";

export const DEFAULT_PORT = 7433;
/** Where on the coordinator's HTTP server tunnels begin. */
export const TUNNEL_PATH = "/tunnel";

const KEY_BYTES = 32;
const MIN_TOKEN_BYTES = 16;
const MAX_TOKEN_BYTES = 64;

export interface JoinLink {
  /** A name or address; IPv6 without brackets. */
  host: string;
  /** 1 to 65535. */
  port: number;
  tls: boolean;
  coordinatorKey: Uint8Array;
  token: Uint8Array;
}

/** NS_BAD_LINK with the part that is wrong. Blanks around the link, as copying leaves them, are ignored. */
export function parseLink(text: string): JoinLink {
  const match = /^(nightshifts?):\/\/(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?\/?#(.*)$/i.exec(text.trim());
  if (match === null) throw bad("it must look like nightshift://HOST:PORT/#KEY.TOKEN");
  const [, scheme = "", rawHost = "", rawPort, secret = ""] = match;
  const dot = secret.indexOf(".");
  if (dot < 0) throw bad("the part behind # must be KEY.TOKEN; it may have been cut off");
  const coordinatorKey = fromBase64Url(secret.slice(0, dot));
  if (coordinatorKey?.length !== KEY_BYTES) throw bad("the key is not 32 bytes of base64url");
  const token = fromBase64Url(secret.slice(dot + 1));
  if (token === null || !tokenFits(token)) throw bad("the token is damaged; it may have been cut off");
  return {
    host: checkHost(rawHost),
    port: checkPort(rawPort),
    tls: scheme.toLowerCase() === "nightshifts",
    coordinatorKey,
    token,
  };
}

/** The inverse of parseLink; always with the port. NS_BAD_LINK when a part is not valid. */
export function formatLink(link: JoinLink): string {
  if (link.coordinatorKey.length !== KEY_BYTES) throw bad("the key does not have 32 bytes");
  if (!tokenFits(link.token)) throw bad(`the token has ${link.token.length} bytes, not ${MIN_TOKEN_BYTES} to ${MAX_TOKEN_BYTES}`);
  const scheme = link.tls ? "nightshifts" : "nightshift";
  return `${scheme}://${authority(link)}/#${toBase64Url(link.coordinatorKey)}.${toBase64Url(link.token)}`;
}

/** The WebSocket address that the link leads to, with the cipher that the tunnel is to have. It holds no secret. */
export function tunnelUrl(link: Pick<JoinLink, "host" | "port" | "tls">, cipher: CipherName = "AESGCM"): string {
  return `${link.tls ? "wss" : "ws"}://${authority(link)}${TUNNEL_PATH}${cipher === "AESGCM" ? "" : `?cipher=${cipher}`}`;
}

/** The cipher that a tunnel's address asks for; undefined for one there is not. @param query what follows "?" */
export function cipherIn(query: string | undefined): CipherName | undefined {
  const asked = new URLSearchParams(query).get("cipher") ?? "AESGCM";
  return asked === "AESGCM" || asked === "ChaChaPoly" ? asked : undefined;
}

/** How often a coordinator says something to those who want to see it. */
export const VISIBLE_PING_MS = 5_000;

/** The same address for a page, which sees no ping of a WebSocket: it wants them as messages of no bytes, too, which nothing else is. */
export function withVisiblePings(url: string): string {
  const address = new URL(url);
  address.searchParams.set("pings", "visible");
  return address.href;
}

/** @param query what follows "?" */
export const wantsVisiblePings = (query: string | undefined): boolean => new URLSearchParams(query).get("pings") === "visible";

function authority(link: Pick<JoinLink, "host" | "port">): string {
  const host = checkHost(link.host.includes(":") ? `[${link.host}]` : link.host);
  const port = checkPort(String(link.port));
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function checkHost(raw: string): string {
  if (raw.startsWith("[")) {
    const address = raw.slice(1, -1);
    if (/^[0-9a-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]/`)) return address.toLowerCase();
    throw bad(`${raw.slice(0, 60)} is not an IPv6 address`);
  }
  if (/^[a-z0-9]([a-z0-9._-]{0,252})$/i.test(raw)) return raw.toLowerCase();
  throw bad(raw === "" ? "the host is missing" : `${raw.slice(0, 60)} is not a host name`);
}

function checkPort(raw: string | undefined): number {
  if (raw === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(raw) ? Number(raw) : 0;
  if (port < 1 || port > 65_535) throw bad(`the port ${raw.slice(0, 20)} is not a number from 1 to 65535`);
  return port;
}

function tokenFits(token: Uint8Array): boolean {
  return token.length >= MIN_TOKEN_BYTES && token.length <= MAX_TOKEN_BYTES;
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** null for anything that toBase64Url cannot have written, stray last bits included. */
export function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : null;
}

function bad(what: string): NightshiftError {
  return new NightshiftError("NS_BAD_LINK", `This is not a join link: ${what}`);
}
