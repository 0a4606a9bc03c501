// `nightshift console`: a one-time link into the console, for this computer's administrator.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { printJson, write } from "../terminal.ts";

export function consoleCommand(): Command {
  return declare({
    usage: "console",
    description: "print a one-time link that makes a new administrator of the web console, or gives a user a new password",
    examples: ["nightshift console", "nightshift console --user ada"],
    notes: "The link is good once, for three days. Whoever opens it chooses the password; keep it secret.",
    json: "{link}",
  })
    .option("--user <name>", "a user there is, who gets a new password and keeps the role")
    .action(async (options: CommonOptions & { user?: string }) => {
      const made = await withClient(options, (client) => client.request("consoleLink", { user: options.user ?? null }));
      return options.json ? printJson(made) : write(process.stdout, `${made.link}\n`);
    });
}
