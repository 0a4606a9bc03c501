// `nightshift ca`: the certificate of the coordinator's own authority, for administrators to deploy.
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { authorityFile } from "../../server/tls/authority-file.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { nightshiftHome } from "../home-folder.ts";
import { printJson, write } from "../terminal.ts";

export function caCommand(): Command {
  return declare({
    usage: "ca",
    description: "print the certificate of this coordinator's own authority (`nightshift up --tls-local-ca`), in PEM",
    examples: ["nightshift ca > nightshift-ca.crt", "nightshift ca --json"],
    notes: [
      "Browsers on computers that trust it open the console and the join page without a warning. Agents do not need it. To deploy it:",
      "  Windows  group policy: Computer Configuration, Windows Settings, Security Settings, Public Key Policies, Trusted Root",
      "           Certification Authorities; one computer: certutil -addstore Root nightshift-ca.crt",
      "  macOS    security add-trusted-cert -d -k /Library/Keychains/System.keychain nightshift-ca.crt",
      "  Debian   copy it to /usr/local/share/ca-certificates/, then update-ca-certificates",
      "  Firefox  policy Certificates: ImportEnterpriseRoots, or Install",
      "It may sign for this machine's names and for private addresses only. Compare its fingerprint where it arrives.",
    ].join("\n"),
    json: "{certificate, fingerprint, until}; the fingerprint is SHA-256, until is milliseconds since 1970",
    coordinator: false,
  }).action(async (options: CommonOptions) => {
    const path = authorityFile(nightshiftHome());
    const pem = read(path);
    const { fingerprint256, validToDate } = new X509Certificate(pem);
    if (options.json) return printJson({ certificate: pem, fingerprint: fingerprint256, until: validToDate.getTime() });
    await write(process.stdout, pem);
    return write(process.stderr, `SHA-256 ${fingerprint256}, until ${validToDate.toLocaleDateString()}\n`);
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new NightshiftError("NS_BAD_FILE", `there is no local authority: ${(cause as Error).message}`, {
      cause,
      details: { remedy: "Start the coordinator with --tls-local-ca once; it makes one." },
    });
  }
}
