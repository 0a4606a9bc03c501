// A certificate that somebody else makes and renews: read from its files, and again when they change, without a restart.
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type CredentialSource, type Credentials, checked } from "./credentials.ts";

/** Looked at by time, as files that are renewed are often links into folders that are swapped, of which watchers hear nothing. */
const LOOK_MS = 10_000;

export interface GivenFiles {
  certFile: string;
  keyFile: string;
  /** How often they are looked at. */
  lookMs?: number;
}

export class GivenCertificate implements CredentialSource {
  credentials: Credentials;
  readonly lasting = true;
  private readonly files: GivenFiles;
  private readonly complain: (text: string) => void;

  /** @throws NS_BAD_CERTIFICATE */
  constructor(files: GivenFiles, complain: (text: string) => void = (text) => console.error(`nightshift: ${text}`)) {
    this.files = files;
    this.complain = complain;
    this.credentials = this.read();
    const { mode } = statSync(files.keyFile);
    if (process.platform !== "win32" && mode & 0o007)
      complain(`NS_BAD_CERTIFICATE: everybody on this computer can read ${files.keyFile}: chmod o-rwx it`);
  }

  get name(): string | undefined {
    const names = new X509Certificate(this.credentials.cert).subjectAltName ?? "";
    return names
      .split(", ")
      .flatMap((name) => /^DNS:([^*"]+)$/.exec(name)?.[1] ?? [])
      .at(0);
  }

  watch(renewed: (credentials: Credentials) => void): () => void {
    let complaint = "";
    const looking = setInterval(() => {
      try {
        const now = this.read();
        complaint = "";
        if (now.cert === this.credentials.cert && now.key === this.credentials.key) return;
        this.credentials = now;
        renewed(now);
      } catch (thrown) {
        // The old one goes on: the files may be half written. Said once.
        const { message } = asNightshiftError(thrown);
        if (message !== complaint) this.complain(`NS_BAD_CERTIFICATE: ${message}; the certificate from before goes on`);
        complaint = message;
      }
    }, this.files.lookMs ?? LOOK_MS);
    looking.unref();
    return () => clearInterval(looking);
  }

  private read(): Credentials {
    const { certFile, keyFile } = this.files;
    return checked({ cert: text(certFile), key: text(keyFile) }, `${certFile} with ${keyFile}`);
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_CERTIFICATE", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
