// `nightshift cancel`: ends a process or a whole job.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { withClient } from "../connect.ts";
import { parseTarget, TARGET_RULE } from "../targets.ts";
import { printJson, write } from "../terminal.ts";

export function cancelCommand(): Command {
  return declare({
    usage: "cancel <pid|job>",
    description: "end a process, or all processes of a job or of a part of one",
    examples: ["nightshift cancel 12", "nightshift cancel j3", "nightshift cancel j3.2"],
    notes: TARGET_RULE,
    json: "{cancelled}: how many processes were ended",
  }).action(async (text: string, options: CommonOptions) => {
    const target = parseTarget(text);
    const result = await withClient(options, (client) => client.request("cancel", target));
    if (options.json) return printJson(result);
    return write(process.stdout, `Cancelled ${result.cancelled} ${result.cancelled === 1 ? "process" : "processes"}.\n`);
  });
}
