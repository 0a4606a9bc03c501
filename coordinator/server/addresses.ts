// By which addresses the coordinator is reached: by people and hosts elsewhere, and on this machine. Owns join links and the console's address;
// what listens and who may come is the server's business.
import { networkInterfaces } from "node:os";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { formatLink } from "../protocol/index.ts";
import { isLoopback } from "./http/access.ts";
import type { CredentialSource } from "./tls/credentials.ts";

export interface PublicUrl {
  /** IPv6 without brackets. */
  host: string;
  port: number;
}

/** @throws NS_USAGE */
export function parsePublicUrl(text: string): PublicUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    throw new NightshiftError("NS_USAGE", `'${text}' is not the address others come by: https://NAME or https://NAME:PORT`);
  return { host: url.hostname.replaceAll(/[[\]]/g, ""), port: Number(url.port || 443) };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

export class Addresses {
  /** Where it listens. */
  readonly host: string;
  /** Set when it listens. */
  port = 0;
  private readonly everywhere: boolean;
  private readonly plainHttp: boolean;
  private readonly source: CredentialSource | undefined;
  private readonly told: PublicUrl | undefined;
  private readonly key: Uint8Array;

  /** @throws NS_USAGE */
  constructor(
    options: {
      host?: string;
      plainHttp?: boolean;
      publicUrl?: string;
      proxies?: readonly string[];
      source: CredentialSource | undefined;
    },
    key: Uint8Array,
  ) {
    this.host = options.host ?? "127.0.0.1";
    this.everywhere = this.host === "0.0.0.0" || this.host === "::";
    this.plainHttp = options.plainHttp ?? false;
    this.source = options.source;
    this.told = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl);
    this.key = key;
    if (!this.told && options.proxies && options.proxies.length > 0)
      throw new NightshiftError("NS_USAGE", "behind a proxy the address others come by has to be told: --public-url");
    if (this.told && !this.source && !options.proxies?.length)
      throw new NightshiftError("NS_USAGE", "an https address needs TLS here, or a proxy with TLS in front: --behind-proxy");
  }

  private get tls(): boolean {
    return this.source !== undefined;
  }

  private get near(): string {
    return this.everywhere ? "127.0.0.1" : this.host;
  }

  /** How others on the network reach it. */
  private get far(): { host: string; port: number; tls: boolean } {
    if (this.told) return { ...this.told, tls: true };
    const named = isLoopback(this.host) ? undefined : this.source?.name;
    return { host: named ?? (this.everywhere ? lanAddress() : this.host), port: this.port, tls: this.tls };
  }

  /** For hosts and clients elsewhere. */
  link(token: Uint8Array): string {
    return formatLink({ ...this.far, coordinatorKey: this.key, token });
  }

  /** For programs on this machine. */
  localLink(token: Uint8Array): string {
    return formatLink({ host: this.near, port: this.port, tls: this.tls, coordinatorKey: this.key, token });
  }

  /** Without TLS others cannot use the console, unless insisted on. */
  consoleOrigin(): string {
    const { host, port, tls } =
      this.plainHttp || this.tls || this.told ? this.far : { host: this.near, port: this.port, tls: false };
    const scheme = tls ? "https" : "http";
    return new URL(`${scheme}://${bracketed(host)}:${port}`).origin;
  }

  /** Where it listens. */
  url(): string {
    return `${this.tls ? "https" : "http"}://${bracketed(this.host)}:${this.port}`;
  }
}

/** The address others on the network reach this machine by; loopback when there is none. */
function lanAddress(): string {
  for (const addresses of Object.values(networkInterfaces()))
    for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  return "127.0.0.1";
}
