// `nightshift console`: a one-time link into the console, for this computer's administrator.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
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
    json: "{link, expiresAt}; expiresAt is milliseconds since 1970",
  })
    .option("--user <name>", "a user there is, who gets a new password and keeps the role")
    .action(async (options: CommonOptions & { user?: string }) => {
      const { user } = options;
      const made = await withClient(options, async (client) => {
        if (user !== undefined && !(await client.request("userList", {})).some(({ name }) => name === user))
          throw new NightshiftError("NS_NOT_FOUND", `there is no user "${user}"`);
        return client.request("userInvite", { role: "administrator", name: user ?? null });
      });
      return options.json ? printJson(made) : write(process.stdout, `${made.link}\n`);
    });
}
