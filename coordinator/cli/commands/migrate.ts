// `nightshift migrate`: moves a running process to another host.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parsePid } from "../targets.ts";
import { printJson, write } from "../terminal.ts";

export function migrateCommand(): Command {
  return declare({
    usage: "migrate <pid> <host>",
    description: "move a running process to another host",
    examples: ["nightshift migrate 12 ipc256"],
    json: "{pid, from, to}; from is null when it ran nowhere",
  }).action(async (pidText: string, host: string, options: CommonOptions) => {
    const pid = parsePid(pidText);
    const moved = await withClient(options, (client) => client.request("migrate", { pid, host }));
    if (options.json) return printJson({ pid, ...moved });
    return write(process.stdout, `Process ${pid} moves ${moved.from === null ? "" : `from ${moved.from} `}to ${moved.to}.\n`);
  });
}
