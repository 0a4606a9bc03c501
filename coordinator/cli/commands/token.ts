// `nightshift token create`: a join link for a host or a person.
import { Command, Option } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseCount, parseDurationMs } from "../quantities.ts";
import { printJson, write } from "../terminal.ts";

export function tokenCommand(): Command {
  const create = declare({
    usage: "create",
    description: "make a join link; whoever has it can join until it expires",
    examples: ["nightshift token create", "nightshift token create --scope submit --ttl 7d --uses 1"],
    json: "{link, expiresAt, scope, uses}; expiresAt is milliseconds since 1970",
  })
    .addOption(
      new Option("--scope <scope>", "host: computes; submit: runs programs; admin: everything")
        .choices(["host", "submit", "admin"])
        .default("host"),
    )
    .option("--ttl <duration>", "how long it can be used", "24h")
    .option("--uses <count>", "how many may join with it", "100")
    .option("--approval", "hosts that join wait until an administrator lets them in (`nightshift pending`)")
    .action(
      async (options: CommonOptions & { scope: "host" | "submit" | "admin"; ttl: string; uses: string; approval?: boolean }) => {
        const ttlMs = parseDurationMs(options.ttl);
        const uses = parseCount(options.uses, "--uses", 1, 1_000_000);
        const params = { scope: options.scope, ttlMs, uses, approval: options.approval ?? false };
        const made = await withClient(options, (client) => client.request("tokenCreate", params));
        if (options.json) return printJson({ ...made, scope: options.scope, uses });
        await write(process.stdout, `${made.link}\n`);
        return write(
          process.stderr,
          `For ${options.scope === "host" ? "hosts" : `clients (${options.scope})`}, ${uses} ${uses === 1 ? "use" : "uses"}, until ${new Date(made.expiresAt).toLocaleString()}. Keep it secret.\n`,
        );
      },
    );
  return new Command("token").description("join links for hosts and people").addCommand(create);
}
