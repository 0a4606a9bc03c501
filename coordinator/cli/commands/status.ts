// `nightshift status`: whether the coordinator is there, since when, and how much it has to do.
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { openClient, resolveTarget } from "../connect.ts";
import { showDuration } from "../quantities.ts";
import { printJson, write } from "../terminal.ts";

export function statusCommand(): Command {
  return declare({
    usage: "status",
    description: "say whether the coordinator runs and what it has to do",
    examples: ["nightshift status"],
    json: "{address, version, startedAt, hosts, jobs, processes}",
  }).action(async (options: CommonOptions) => {
    const target = await resolveTarget(options.coordinator);
    const client = await openClient(target);
    try {
      const status = await client.request("status", {});
      const address = `http://${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
      if (options.json) return await printJson({ address, ...status });
      const up = showDuration(Date.now() - status.startedAt);
      await write(
        process.stdout,
        `Coordinator ${address}, version ${status.version}, up ${up}\n${plural(status.hosts, "host")} online, ${plural(status.jobs, "job")} running, ${plural(status.processes, "process", "processes")}\n`,
      );
    } finally {
      client.close();
    }
  });
}

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
