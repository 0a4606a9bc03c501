// `nightshift token`: join links for hosts and people: made, listed, revoked.
import { Command, Option } from "commander";
import { linkScope, type Result } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { listCommand } from "../list-command.ts";
import { parseCount, parseDurationMs } from "../quantities.ts";
import type { Column } from "../table.ts";
import { printJson, write } from "../terminal.ts";

type Link = Result<"tokenList">[number];

export function tokenCommand(): Command {
  const create = declare({
    usage: "create",
    description: "make a join link; whoever has it can join until it expires",
    examples: ["nightshift token create", "nightshift token create --scope submit --ttl 7d --uses 1"],
    json: "{link, id, expiresAt, scope, uses}; expiresAt is milliseconds since 1970",
  })
    .addOption(
      new Option("--scope <scope>", "host: computes; submit: runs programs; admin: everything")
        .choices(linkScope.options)
        .default("host"),
    )
    .option("--ttl <duration>", "how long it can be used", "24h")
    .option("--uses <count>", "how many may join with it", "100")
    .option("--approval", "hosts that join wait until an administrator lets them in (`nightshift pending`)")
    .action(async (options: CommonOptions & { scope: Link["scope"]; ttl: string; uses: string; approval?: boolean }) => {
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
    });
  const list = listCommand(
    "tokenList",
    {
      description: "list the join links that can still be used; the links themselves are nowhere kept",
      examples: ["nightshift token list"],
      json: "an array of {id, scope, createdBy, createdAt, expiresAt, uses, approval}; uses are those left, times are milliseconds since 1970",
    },
    "There is no join link that can be used.",
    COLUMNS,
  );
  const revoke = declare({
    usage: "revoke <id>",
    description: "have nobody join with a link any more; who has joined stays (`nightshift host NAME --revoke`)",
    examples: ["nightshift token revoke 3f2a90c1b4d7"],
    json: "{revoked}",
  }).action(async (id: string, options: CommonOptions) => {
    await withClient(options, (client) => client.request("tokenRevoke", { id }));
    return options.json ? printJson({ revoked: id }) : write(process.stdout, `Nobody can join with ${id} any more.\n`);
  });
  const tokens = new Command("token").description("join links for hosts and people: create, list, revoke");
  for (const command of [create, list, revoke]) tokens.addCommand(command);
  return tokens;
}

const COLUMNS: Column<Link>[] = [
  { head: "ID", value: ({ id }) => id },
  { head: "FOR", value: ({ scope, approval }) => `${scope}${approval ? ", with approval" : ""}` },
  { head: "USES", align: "right", value: ({ uses }) => String(uses) },
  { head: "UNTIL", value: ({ expiresAt }) => new Date(expiresAt).toLocaleString() },
  { head: "BY", value: ({ createdBy }) => createdBy },
];
