// `nightshift host`: one host as an administrator steers it: what may come, what stays, its name and tags, and whether it belongs here at all.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type Command, Option } from "commander";
import type { Params } from "../../protocol/index.ts";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { renderTable } from "../table.ts";
import { paintFor, printJson, write } from "../terminal.ts";
import { hostColumns } from "./hosts.ts";

interface Options extends CommonOptions {
  stay?: boolean;
  block?: boolean;
  drain?: boolean;
  rename?: string;
  tags?: string;
  revoke?: boolean;
}

export function hostCommand(): Command {
  return declare({
    usage: "host <name>",
    description: "show one host, or say what may come to it and what stays; for administrators",
    examples: [
      "nightshift host amun --stay",
      "nightshift host amun --no-stay --block",
      "nightshift host amun --drain",
      "nightshift host amun --rename amun-2 --tags library,fast",
    ],
    notes: [
      "--stay: balancing moves no process away from it; its owner, --drain and `nightshift migrate` still do.",
      "--block: nothing new comes to it, neither by placement nor by balancing nor by hand; what is there goes on, and so do its forks.",
      "--drain: what is there moves on, and nothing new comes. All three last until they are taken back.",
    ].join("\n"),
    json: "the host as `nightshift hosts` prints it; with --revoke {revoked}",
  })
    .option("--stay", "balancing leaves its processes there")
    .option("--no-stay", "balance them again")
    .option("--block", "nothing new comes there")
    .option("--no-block", "let processes come again")
    .option("--drain", "expel its processes and keep it clear")
    .option("--no-drain", "let it work again")
    .option("--rename <name>", "another name for it")
    .option("--tags <list>", "its tags, with commas; the first is its group on the map; empty: none")
    .addOption(new Option("--revoke", "its key is worth nothing any more: it needs a new join link"))
    .action(async (name: string, options: Options) => {
      const change = changeOf(options);
      if (options.revoke && change)
        throw new NightshiftError("NS_USAGE", "a host that is revoked cannot be changed at the same time");
      await withClient(options, async (client) => {
        if (options.revoke) {
          await client.request("hostRevoke", { host: name });
          return options.json ? printJson({ revoked: name }) : write(process.stdout, `${name} has been removed.\n`);
        }
        const row = change
          ? await client.request("hostChange", { host: name, change })
          : (await client.request("hosts", {})).find((one) => one.name === name || one.id === name);
        if (!row) throw new NightshiftError("NS_NO_SUCH_HOST", `there is no host "${name}"`);
        if (options.json) return printJson(row);
        return write(process.stdout, renderTable(hostColumns(paintFor(process.stdout)), [row]));
      });
    });
}

/** undefined: nothing is to be changed. */
function changeOf({ stay, block, drain, rename, tags }: Options): Params<"hostChange">["change"] | undefined {
  const list = tags?.split(",").flatMap((tag) => tag.trim() || []);
  const change = {
    ...(stay !== undefined && { stay }),
    ...(block !== undefined && { block }),
    ...(drain !== undefined && { drained: drain }),
    ...(rename !== undefined && { name: rename }),
    ...(list && { tags: list }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}
