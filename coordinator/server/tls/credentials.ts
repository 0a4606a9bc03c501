// What the coordinator shows TLS clients, wherever it comes from: a certificate with its chain, its key, and how to hear of new ones.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

/** Both PEM. The certificate comes first in its chain. */
export interface Credentials {
  cert: string;
  key: string;
}

export interface CredentialSource {
  readonly credentials: Credentials;
  /** By which name others reach this machine, if the certificate says one. */
  readonly name: string | undefined;
  /** Whether browsers may be told to come by TLS alone from now on (HSTS). */
  readonly lasting: boolean;
  /** Calls back with what is to be shown from now on. @returns how to stop */
  watch(renewed: (credentials: Credentials) => void): () => void;
}

/** @param where for the message. @throws NS_BAD_CERTIFICATE when certificate and key are none, or not of each other */
export function checked(credentials: Credentials, where: string): Credentials {
  try {
    const certificate = new X509Certificate(credentials.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(credentials.key)))
      throw new NightshiftError("NS_BAD_CERTIFICATE", `${where}: the key is not the certificate's`);
    createSecureContext(credentials);
    return credentials;
  } catch (cause) {
    if (cause instanceof NightshiftError) throw cause;
    throw new NightshiftError("NS_BAD_CERTIFICATE", `${where}: ${(cause as Error).message}`, { cause });
  }
}
