// `nightshift up`: a coordinator, and agents on this computer, in the foreground.
import { availableParallelism, hostname } from "node:os";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Command } from "commander";
import { DEFAULT_PORT } from "../../protocol/index.ts";
import type { CoordinatorOptions } from "../../server/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openHouse } from "../house.ts";
import { ExitWith } from "../outcome.ts";
import { parseCount } from "../quantities.ts";
import { paintFor, printJson } from "../terminal.ts";

export function upCommand(): Command {
  return declare({
    usage: "up",
    description: "start a coordinator, and an agent that offers this computer's processors; Ctrl-C stops both",
    examples: [
      "nightshift up",
      "nightshift up --listen 0.0.0.0 --no-agent",
      "nightshift up --listen 0.0.0.0 --tls-local-ca",
      "nightshift up --port 0 --json",
    ],
    notes: [
      "It listens on this computer only, unless --listen names an address (0.0.0.0: all). State is kept in NIGHTSHIFT_HOME:",
      "jobs that were running go on when it is started again.",
    ].join("\n"),
    json: "one line when it is ready: {url, port, joinLink, consoleUrl, agents: [name]}; it runs until it is stopped",
    coordinator: false,
  })
    .option("-p, --port <port>", "port to listen on; 0 for any free one", String(DEFAULT_PORT))
    .option("--listen <address>", "address to listen on", "127.0.0.1")
    .option("--plain-http", "let other computers use the console unencrypted: passwords can be read on the network")
    .option("--tls-cert <file>", "certificate in PEM, with its chain, for https on the same port; read again when it changes")
    .option("--tls-key <file>", "its key in PEM, without a passphrase")
    .option("--tls-local-ca", "https by an authority of its own, made once: `nightshift ca` prints its certificate to deploy")
    .option("--behind-proxy <address...>", "a proxy with TLS in front, or a range ADDRESS/BITS: its X-Forwarded-* is believed")
    .option("--public-url <url>", "https://NAME[:PORT] by which others come, for links")
    .option("--oidc <file>", "single sign-on by an OpenID Connect provider; docs/SIGN-IN.md has what stands in the file")
    .option("--keep-jobs <days>", "forget jobs that ended so long ago, with their output and files", "30")
    .option("--agents <count>", "local agents, which share the processors", "1")
    .option("--no-agent", "only the coordinator")
    .action(
      async (
        options: CommonOptions &
          TransportOptions & {
            port: string;
            listen: string;
            plainHttp?: boolean;
            agents: string;
            agent: boolean;
            keepJobs: string;
          },
      ) => {
        const port = parseCount(options.port, "--port", 0, 65_535);
        const count = options.agent ? parseCount(options.agents, "--agents", 0, 1024) : 0;
        const keepJobsDays = parseCount(options.keepJobs, "--keep-jobs", 1, 36_500);
        const cores = availableParallelism();
        const slots = Math.max(1, Math.floor(cores / Math.max(1, count)));
        const name =
          hostname()
            .replaceAll(/[^\w.-]/g, "-")
            .slice(0, 90) || "host";
        const house = await openHouse({
          port,
          host: options.listen,
          coordinator: { keepJobsDays, plainHttp: options.plainHttp ?? false, ...transport(options) },
          agents: Array.from({ length: count }, (_, at) => ({ name: count === 1 ? name : `${name}-${at + 1}`, slots })),
          say: options.json ? () => undefined : (line) => console.log(line),
        });
        const { url, hostLink, consoleUrl } = house.coordinator;
        if (options.json)
          await printJson({
            url,
            port: house.coordinator.port,
            joinLink: hostLink,
            consoleUrl,
            agents: house.agents.map((agent) => agent.name),
          });
        else
          console.log(
            paintFor(process.stdout).dim("Run a program: nightshift run prog.c    Watch: nightshift top    Stop: Ctrl-C\n"),
          );
        await house.asked;
        await house.close();
        throw new ExitWith(0);
      },
    );
}

interface TransportOptions {
  tlsCert?: string;
  tlsKey?: string;
  tlsLocalCa?: boolean;
  behindProxy?: string[];
  publicUrl?: string;
  oidc?: string;
}

/** @throws NS_USAGE */
function transport({ tlsCert, tlsKey, tlsLocalCa, behindProxy, publicUrl, oidc }: TransportOptions): Partial<CoordinatorOptions> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new NightshiftError("NS_USAGE", "--tls-cert and --tls-key belong together");
  if (tlsCert !== undefined && tlsLocalCa)
    throw new NightshiftError(
      "NS_USAGE",
      "the certificate is either given or of the local authority: --tls-cert or --tls-local-ca",
    );
  return {
    ...(tlsCert !== undefined && tlsKey !== undefined && { tls: { certFile: tlsCert, keyFile: tlsKey } }),
    ...(tlsLocalCa && { tls: "local-authority" as const }),
    ...(behindProxy && { proxies: behindProxy }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(oidc !== undefined && { ssoFile: oidc }),
  };
}
